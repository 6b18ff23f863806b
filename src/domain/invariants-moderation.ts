/**
 * What must be true of blocks, reports, bans, the audit log and what somebody may still do.
 *
 * This file owns the invariants of moderation. It must never change what it looks at.
 */
import {
  ADDRESSES_MAX,
  AUDIT_ENTRIES_MAX,
  BANS_MAX,
  BLOCKS_PER_USER_MAX,
  RECENT_PARTNERS_MAX,
  REPORT_MESSAGES_MAX,
  REPORTS_MAX,
} from "../limits.ts";
import { isBanned } from "./bans.ts";
import { RATED } from "./command.ts";
import { must } from "./invariants-must.ts";
import { fullAt } from "./moderation.ts";
import type { Allowances, Ban, BanGroup, Lobby, User } from "./state.ts";

export function checkModeration(lobby: Lobby): void {
  for (const user of lobby.users.values()) {
    must(user.recentPartners.length <= RECENT_PARTNERS_MAX, "a user remembers too many partners");
    must(
      user.place.in === "nowhere" || !isBanned(lobby, user.userId, user.address),
      "somebody banned is in queue, meeting or room",
    );
    checkBlocks(lobby, user);
    checkAllowances(lobby, user, 1);
  }
  checkReports(lobby);
  checkBans(lobby);
  checkAudit(lobby);
  checkAddresses(lobby);
}

function checkBlocks(lobby: Lobby, { ref, blocked, blockedAddresses }: User): void {
  const addresses = new Set<string>();
  for (const [other, address] of blocked ?? []) {
    must(other !== ref && other < lobby.nextUser, "a user has blocked themselves or nobody");
    if (address !== undefined) addresses.add(address);
  }
  must((blocked?.size ?? 0) <= BLOCKS_PER_USER_MAX, "a user has blocked too many");
  must(addresses.size === (blockedAddresses?.size ?? 0), "blocks and their addresses differ in number");
  for (const address of addresses) must(blockedAddresses?.has(address) === true, "a blocked address is not found");
}

function checkReports({ reports, now }: Lobby): void {
  must(reports.size <= REPORTS_MAX, "too many reports");
  let at = 0;
  for (const [id, report] of reports) {
    must(report.id === id && report.messages.length <= REPORT_MESSAGES_MAX, "a report is not itself");
    must(report.at >= at && report.at <= now, "reports are out of order");
    at = report.at;
  }
}

function checkBans(lobby: Lobby): void {
  const { bans, banned } = lobby;
  must(bans.size <= BANS_MAX && banned.byNumber.size === bans.size, "bans and their numbers differ");
  let byUserId = 0;
  let byAddress = 0;
  for (const [id, ban] of bans) {
    must(ban.id === id && banned.byNumber.get(ban.number) === ban, "a ban is not found by its number");
    must(ban.until > lobby.now, "a ban has lasted too long");
    if (ban.target.kind === "user") {
      must(banned.byUserId.get(ban.target.userId)?.bans.has(ban) === true, "a ban is not found by its user");
      byUserId++;
    }
    if (ban.address !== undefined) {
      must(banned.byAddress.get(ban.address)?.bans.has(ban) === true, "a ban is not found by its address");
      byAddress++;
    }
  }
  must(countBans(banned.byUserId) === byUserId, "users have bans that are no more");
  must(countBans(banned.byAddress) === byAddress, "addresses have bans that are no more");
}

function countBans(groups: ReadonlyMap<string, BanGroup>): number {
  let count = 0;
  for (const { bans, until } of groups.values()) {
    must(bans.size > 0, "a group of bans is empty");
    must(until === Math.max(...[...bans].map((ban: Ban) => ban.until)), "a group of bans ends at the wrong time");
    count += bans.size;
  }
  return count;
}

function checkAudit({ audit, nextAct, now }: Lobby): void {
  must(audit.length === Math.min(AUDIT_ENTRIES_MAX, nextAct - 1), "the audit log is too short or too long");
  audit.forEach(({ number, at }, i) => {
    must(number === nextAct - audit.length + i && at <= now, "the audit log has a gap");
  });
}

function checkAddresses(lobby: Lobby): void {
  const { byAddress, byNumber, restored } = lobby.addresses;
  must(byAddress.size <= ADDRESSES_MAX && byNumber.size === byAddress.size, "too many addresses, or too few");
  must(restored.size === byAddress.size, "an address has not exactly one hint");
  for (const [address, use] of byAddress) {
    must(use.address === address && byNumber.get(use.number) === use, "an address is not found by its number");
    checkAllowances(lobby, use, lobby.settings.usersPerAddress);
  }
}

function checkAllowances({ settings, now }: Lobby, allowances: Allowances, times: number): void {
  for (const rated of RATED) {
    const bucket = allowances[rated];
    if (bucket === undefined) continue;
    const rate = settings.rates[rated];
    must(bucket.milliTokens >= 0 && bucket.at <= now, "a bucket holds less than nothing");
    must(fullAt(bucket, rate, times) >= bucket.at, "a bucket holds more than it can");
  }
}
