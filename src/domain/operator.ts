/**
 * What the operator does: bans, kicks, closes rooms, deals with reports, tells everybody something.
 * Each act is in the audit log, done or in vain.
 *
 * This file owns the acts and the log. It must never judge who may be an operator: whoever gets a
 * command this far is one.
 */
import { AUDIT_ENTRIES_MAX } from "../limits.ts";
import { addBan, isBanned, removeBan } from "./bans.ts";
import type { OperatorAct } from "./command.ts";
import { passOver } from "./pairing.ts";
import { deliver } from "./post-office.ts";
import { settleMembers, takeOut } from "./presence.ts";
import { closeRoom } from "./room.ts";
import type { Lobby, Step, User } from "./state.ts";

type Of<T extends OperatorAct["type"]> = Extract<OperatorAct, { type: T }>;

/** Does what the operator asks for, or says that what they named is not there. */
export function operate(lobby: Lobby, step: Step, act: OperatorAct): void {
  if (act.type === "announce") {
    if (act.after === 0) note(lobby, step, act, true);
    announce(lobby, step, act);
    return;
  }
  const id = act.type === "ban" ? ban(lobby, step, act) : undefined;
  const done = act.type === "ban" ? id !== undefined : isDone(lobby, step, act);
  note(lobby, step, act, done);
  if (!done) step.events.push({ type: "operated_nothing", act: act.type });
  else step.events.push({ type: "operated", act: act.type, ...(id === undefined ? {} : { id }) });
}

function note(lobby: Lobby, step: Step, act: OperatorAct, done: boolean): void {
  lobby.audit.push({ number: lobby.nextAct++, at: step.at, act, done });
  if (lobby.audit.length > AUDIT_ENTRIES_MAX) lobby.audit.shift();
}

/** Does anything but bans and announcements. Returns whether what is named was there. */
function isDone(lobby: Lobby, step: Step, act: Exclude<OperatorAct, { type: "ban" | "announce" }>): boolean {
  switch (act.type) {
    case "unban": {
      const found = lobby.bans.get(act.ban);
      if (found !== undefined) removeBan(lobby, found);
      return found !== undefined;
    }
    case "kick": {
      const user = userWithId(lobby, act.userId);
      if (user !== undefined) takeOut(lobby, step, user, "moderation");
      return user !== undefined;
    }
    case "close_room": {
      const room = lobby.rooms.get(act.room);
      if (room === undefined || room.closed !== undefined) return false;
      closeRoom(lobby, step, room, "moderation", undefined);
      settleMembers(lobby, step, room.members);
      return true;
    }
    case "resolve_report": {
      const report = lobby.reports.get(act.report);
      if (report !== undefined) report.resolved = { at: step.at, note: act.note };
      return report !== undefined;
    }
  }
}

/** @returns the id of the ban, or undefined if there is nobody to ban or its time is over */
function ban(lobby: Lobby, step: Step, { target, until, note: words }: Of<"ban">): string | undefined {
  if (until !== undefined && until <= step.at) return undefined;
  const user = target.kind === "user" ? userWithId(lobby, target.userId) : undefined;
  if (target.kind === "user" && user === undefined) return undefined;
  const address = target.kind === "address" ? target.address : user?.address;
  const terms = { until: until ?? Number.POSITIVE_INFINITY, note: words };
  const made = addBan(lobby, step, target, { user: user?.ref, address }, terms);
  takeBannedOut(lobby, step);
  return made.id;
}

/** Takes everybody out whom a ban covers: acts of the operator are rare enough to look at all users. */
function takeBannedOut(lobby: Lobby, step: Step): void {
  const covered: User[] = [];
  for (const user of lobby.users.values()) {
    if (user.place.in !== "nowhere" && isBanned(lobby, user.userId, user.address)) covered.push(user);
  }
  // Nobody is to meet one of them only to lose them again.
  for (const user of covered) passOver(lobby, step, user);
  for (const user of covered) takeOut(lobby, step, user, "moderation");
}

/** Tells the online ones among the users that follow, and says where the next slice begins. */
function announce(lobby: Lobby, step: Step, { text, after, count }: Of<"announce">): void {
  const body = { name: "server.announcement", message: text } as const;
  let told = 0;
  let looks = 0;
  let last = after;
  let next = 0;
  for (const ref of lobby.userOrder.after(after)) {
    if (looks++ === count) {
      next = last;
      break;
    }
    last = ref;
    const user = lobby.users.get(ref);
    if (user === undefined || user.offlineSince !== undefined) continue;
    deliver(lobby, step, user, body);
    told++;
  }
  step.events.push({ type: "announced", told, next });
}

function userWithId(lobby: Lobby, userId: string): User | undefined {
  return lobby.users.get(lobby.byUserId.get(userId) ?? 0);
}
