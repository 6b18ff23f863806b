/**
 * Meetings by code: the first who comes with a code waits for the second, whoever that is.
 *
 * This file owns what codes are in use for. A code is a secret of the two who agreed on it: here it is
 * known by its hash alone.
 */
import type { CodeHash } from "./ids.ts";
import { blockedEitherWay } from "./moderation.ts";
import type { Acquaintance } from "./pairing.ts";
import { deliver } from "./post-office.ts";
import { openRoom } from "./room.ts";
import type { Lobby, Step, User } from "./state.ts";
import { userOf } from "./users.ts";

/** Whether a code is of no use to somebody: two have met by it, or whoever waits with it must not meet them. */
export function isTaken(lobby: Lobby, code: CodeHash, who: Acquaintance): boolean {
  const meeting = lobby.meetings.get(code);
  if (meeting === undefined) return false;
  return "room" in meeting || blockedEitherWay(who, userOf(lobby, meeting.waiter));
}

/** Has a user wait with a code that is not taken, or brings them together with whoever does. */
export function joinMeeting(lobby: Lobby, step: Step, user: User, code: CodeHash): void {
  const meeting = lobby.meetings.get(code);
  if (meeting === undefined || "room" in meeting) {
    lobby.meetings.set(code, { waiter: user.ref });
    user.place = { in: "meeting", code };
    step.events.push({ type: "meeting", user: user.ref });
    return;
  }
  const waiter = userOf(lobby, meeting.waiter);
  const room = openRoom(lobby, step, waiter, user, code);
  lobby.meetings.set(code, { room: room.id });
  // Whoever agreed on a code waits for this one person, so absence does not keep them apart.
  if (waiter.awaySince !== undefined) deliver(lobby, step, user, { name: "partner.away", room: room.id });
}

/** Ends a user's waiting for a code, into nowhere. */
export function leaveMeeting(lobby: Lobby, step: Step, user: User): void {
  if (user.place.in !== "meeting") return;
  lobby.meetings.delete(user.place.code);
  user.place = { in: "nowhere" };
  user.awaySince = undefined;
  step.events.push({ type: "left_meeting", user: user.ref });
}
