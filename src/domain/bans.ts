/**
 * Bans in force, and how they are found: by the id and by the address they cover, so that asking for
 * one costs the same however many there are.
 *
 * This file owns the table of bans. It must never take anybody out of anywhere.
 */
import { BANS_MAX } from "../limits.ts";
import type { BanTarget } from "./command.ts";
import { TimeHeap } from "./heap.ts";
import { type AddressKey, makeId, type UserRef } from "./ids.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Ban, BanGroup, BanIndex, Lobby, Step } from "./state.ts";

export function emptyBanIndex(): BanIndex {
  return { byUserId: new Map(), byAddress: new Map(), byNumber: new Map(), ends: new TimeHeap(), next: 1 };
}

/** Whether somebody with this id or at this address is banned. */
export function isBanned(lobby: Lobby, userId: string | undefined, address: AddressKey | undefined): boolean {
  return lobby.bans.size > 0 && bannedUntil(lobby, userId, address) !== undefined;
}

/** The refusal for somebody with this id or at this address, or undefined if nothing bans them. */
export function refuseBanned(
  lobby: Lobby,
  userId: string | undefined,
  address: AddressKey | undefined,
): Refusal | undefined {
  if (lobby.bans.size === 0) return undefined;
  const until = bannedUntil(lobby, userId, address);
  if (until === undefined) return undefined;
  return Number.isFinite(until) ? refuse("banned", until - lobby.now) : refuse("banned");
}

function bannedUntil(
  { banned }: Lobby,
  userId: string | undefined,
  address: AddressKey | undefined,
): number | undefined {
  const byId = userId === undefined ? undefined : banned.byUserId.get(userId)?.until;
  const byAddress = address === undefined ? undefined : banned.byAddress.get(address)?.until;
  if (byId === undefined || byAddress === undefined) return byId ?? byAddress;
  return Math.max(byId, byAddress);
}

/** Puts a ban in force. A further one takes the place of the one that ends soonest. */
export function addBan(
  lobby: Lobby,
  step: Step,
  target: BanTarget,
  covers: { readonly user: UserRef | undefined; readonly address: AddressKey | undefined },
  terms: { readonly until: number; readonly note: string | undefined },
): Ban {
  const { banned } = lobby;
  while (lobby.bans.size >= BANS_MAX) dropSoonest(lobby);
  const id = makeId("ban", step.entropy, 0);
  const ban: Ban = { id, number: banned.next++, at: step.at, target, ...covers, ...terms };
  enlistBan(lobby, ban);
  return ban;
}

/** Lets a ban be found by everything it is looked for by. */
export function enlistBan(lobby: Lobby, ban: Ban): void {
  const { banned } = lobby;
  lobby.bans.set(ban.id, ban);
  banned.byNumber.set(ban.number, ban);
  banned.ends.push(ban.until, ban.number);
  if (ban.target.kind === "user") enlist(banned.byUserId, ban.target.userId, ban);
  if (ban.address !== undefined) enlist(banned.byAddress, ban.address, ban);
}

export function removeBan(lobby: Lobby, ban: Ban): void {
  const { banned } = lobby;
  lobby.bans.delete(ban.id);
  banned.byNumber.delete(ban.number);
  if (ban.target.kind === "user") delist(banned.byUserId, ban.target.userId, ban);
  if (ban.address !== undefined) delist(banned.byAddress, ban.address, ban);
  if (!banned.ends.isMostlyStale(lobby.bans.size)) return;
  banned.ends.clear();
  for (const one of lobby.bans.values()) banned.ends.push(one.until, one.number);
}

/** Ends bans whose time has come. */
export function endBans(lobby: Lobby): void {
  const { ends } = lobby.banned;
  while (ends.earliest !== undefined && ends.earliest <= lobby.now) dropSoonest(lobby);
}

/** When the next ban ends, or undefined if none does. May be early. */
export function nextBanEnd(lobby: Lobby): number | undefined {
  const { earliest } = lobby.banned.ends;
  return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
}

/** Takes the earliest end, and the ban it belongs to if that is still there. */
function dropSoonest(lobby: Lobby): void {
  const ban = lobby.banned.byNumber.get(lobby.banned.ends.pop() ?? 0);
  if (ban !== undefined) removeBan(lobby, ban);
}

function enlist<K>(groups: Map<K, BanGroup>, key: K, ban: Ban): void {
  const group = groups.get(key);
  if (group === undefined) {
    groups.set(key, { bans: new Set([ban]), until: ban.until });
    return;
  }
  group.bans.add(ban);
  group.until = Math.max(group.until, ban.until);
}

function delist<K>(groups: Map<K, BanGroup>, key: K, ban: Ban): void {
  const group = groups.get(key);
  group?.bans.delete(ban);
  if (group === undefined || group.bans.size === 0) groups.delete(key);
  // The first to end is never the last to end, unless all end with it: they are rarely looked through.
  else if (group.until === ban.until) group.until = Math.max(...[...group.bans].map(({ until }) => until));
}
