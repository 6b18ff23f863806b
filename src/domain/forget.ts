/**
 * A user who wishes to be forgotten: they leave, their record ends, and what they said goes out of every
 * transcript.
 *
 * This file owns what goes and what stays. It must never touch what was reported, or what others have been
 * delivered.
 */
import { countAllClosed } from "./connections.ts";
import type { Participant } from "./event.ts";
import { takeOut } from "./presence.ts";
import { sidesOf } from "./room.ts";
import type { Lobby, Step, User } from "./state.ts";
import { eraseLines } from "./transcript.ts";
import { forgetUser, UNDESCRIBED } from "./users.ts";

/**
 * Who was forgotten, as others find them in their rooms: no user has an empty id. Each is an object of its own, as
 * participants are told apart by that.
 */
export function nobody(): Participant {
  return { userId: "", displayName: UNDESCRIBED.displayName, kind: UNDESCRIBED.kind };
}

/** Forgets a user, wherever they are and whatever they have open. */
export function forgetMe(lobby: Lobby, step: Step, user: User): undefined {
  if (user.hold !== undefined) step.events.push({ type: "hold_ended", user: user.ref, hold: user.hold.number });
  countAllClosed(lobby, user);
  takeOut(lobby, step, user, "left");
  // Also in rooms that their own record has let go of and their partner's has not.
  for (const room of lobby.rooms.values()) {
    const own = sidesOf(room, user)?.own;
    if (own === undefined) continue;
    eraseLines(lobby, room, user.userId);
    own.participant = nobody();
    own.answers = undefined;
  }
  forgetUser(lobby, step, user);
}
