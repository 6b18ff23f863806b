/**
 * A user who wishes to be forgotten: they leave, their record ends, and what they said goes out of every
 * transcript.
 *
 * This file owns what goes and what stays. It must never touch what was reported, or what others have been
 * delivered.
 */
import { PAST_ROOMS_MAX } from "../limits.ts";
import { countAllClosed } from "./connections.ts";
import type { Participant } from "./event.ts";
import { takeOut } from "./presence.ts";
import { sidesOf } from "./room.ts";
import type { Lobby, Room, Step, User } from "./state.ts";
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
  for (const room of roomsOf(lobby, user)) {
    const own = sidesOf(room, user)?.own;
    if (own === undefined) continue;
    eraseLines(lobby, room, user.userId);
    own.participant = nobody();
    own.answers = undefined;
  }
  forgetUser(lobby, step, user);
}

/** Where they have been: if it was in more rooms than their own record remembers, partners may know of others. */
function roomsOf(lobby: Lobby, user: User): Iterable<Room> {
  if (user.pastRooms.length >= PAST_ROOMS_MAX) return lobby.rooms.values();
  return user.pastRooms.flatMap((id) => lobby.rooms.get(id) ?? []);
}
