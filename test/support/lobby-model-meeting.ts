/**
 * Who meets whom in the model, and how it ends: by the queue, by a code, by leaving.
 *
 * This file owns meeting and parting. It must never know how somebody came to be available.
 */
import type { DisconnectReason } from "../../src/domain/event.ts";
import { makeId } from "../../src/domain/ids.ts";
import * as limits from "../../src/limits.ts";
import { deliver } from "./lobby-model-mail.ts";
import {
  areBlocked,
  common,
  fits,
  isOpen,
  type ModelRoom,
  type ModelUser,
  metLately,
  participant,
  partnerOf,
  sideOf,
} from "./lobby-model-people.ts";
import type { ModelState } from "./lobby-model-state.ts";

// --- queue --------------------------------------------------------------------------------------

/** Everybody who waits in the queue, in the order of arrival. */
export function queueOf(state: ModelState): ModelUser[] {
  return state.users
    .filter((user) => user.waiting !== undefined)
    .sort((a, b) => (a.waiting?.arrival ?? 0) - (b.waiting?.arrival ?? 0));
}

/** Pairs a waiting user with the best who fits, if there is one. */
export function seekPartner(state: ModelState, user: ModelUser): boolean {
  const equals = whomToTake(state, user);
  const partner = state.settings.matching === "random" ? whomTheyChose(state, user, equals) : equals[0];
  if (partner === undefined) return false;
  openRoom(state, partner, user, undefined);
  lookAgain(state);
  return true;
}

/** Those who fit a user best, all equally well, longest-waiting first. */
export function whomToTake(state: ModelState, user: ModelUser): ModelUser[] {
  const others = couldMeet(state, user);
  const suiting = others.filter((other) => common(user, other) > 0 || (isOpen(user) && isOpen(other)));
  const strangers = suiting.filter((other) => !metLately(user, other));
  const again = suiting.filter((other) => !hasStranger(state, user, other) && !hasStranger(state, other, user));
  const pool = strangers.length > 0 ? strangers : again;
  const most = Math.max(...pool.map((other) => common(user, other)));
  return pool.filter((other) => common(user, other) === most);
}

/** Everybody available whom this user may meet, longest-waiting first. */
function couldMeet(state: ModelState, user: ModelUser): ModelUser[] {
  return queueOf(state).filter(
    (other) =>
      other.ref !== user.ref && other.waiting?.available === true && fits(user, other) && !areBlocked(user, other),
  );
}

function hasStranger(state: ModelState, user: ModelUser, except: ModelUser): boolean {
  return couldMeet(state, user).some((other) => other !== except && !metLately(user, other));
}

/** Any of the equals may be chosen: the one the real lobby took, if it is one of them. */
function whomTheyChose(state: ModelState, user: ModelUser, equals: readonly ModelUser[]): ModelUser | undefined {
  for (const event of state.step.seen) {
    if (event.type !== "matched" || !event.users.includes(user.ref)) continue;
    const partner = equals.find(({ ref }) => event.users.includes(ref));
    if (partner !== undefined) return partner;
  }
  return equals[0];
}

/** Something has changed about those who wait: some who were kept apart may meet now. */
export function lookAgain(state: ModelState): void {
  for (const user of queueOf(state)) if (user.waiting?.available === true && seekPartner(state, user)) return;
}

// --- rooms --------------------------------------------------------------------------------------

export function openRoom(state: ModelState, found: ModelUser, seeker: ModelUser, code: string | undefined): void {
  const sharedInterests = found.interests.filter((interest) => seeker.interests.includes(interest));
  const members = [found, seeker] as const;
  const room: ModelRoom = {
    id: makeId("room", state.step.entropy, state.step.roomsOpened++),
    members,
    sides: [participant(found), participant(seeker)],
    sharedInterests,
    code,
    openedAt: state.now,
    closed: undefined,
    seq: 0,
    answers: [],
    lines: [],
  };
  state.rooms.push(room);
  for (const user of members) {
    const { ref, address } = partnerOf(user, room);
    user.waiting = undefined;
    user.code = undefined;
    user.room = room;
    user.recentPartners = [...user.recentPartners, { ref, address }].slice(-limits.RECENT_PARTNERS_MAX);
  }
  for (const user of members) {
    const partner = sideOf(partnerOf(user, room), room);
    deliver(state, user, { name: "chatroom.found", room: room.id, partner, sharedInterests });
  }
  for (const user of members) if (user.awaySince !== undefined) tellPartner(state, user, "partner.away");
  state.step.events.push({ type: "matched", room: room.id, users: [found.ref, seeker.ref] });
}

/** A room this user was or is in and that is still remembered for them. */
export function roomOf(state: ModelState, user: ModelUser, id: string): ModelRoom | undefined {
  return state.rooms.find((room) => room.id === id && room.members.includes(user));
}

export function tellPartner(state: ModelState, user: ModelUser, name: "partner.away" | "partner.back"): void {
  if (user.room !== undefined) deliver(state, partnerOf(user, user.room), { name, room: user.room.id });
}

/** Takes a user out of wherever they are; the partner is told why. */
export function leave(state: ModelState, user: ModelUser, reason: "left" | "timeout"): void {
  if (user.room !== undefined) closeRoom(state, user.room, reason, user);
  stopWaiting(state, user);
  lookAgain(state);
}

/** Takes them all out of wherever they are, before anybody else is paired. */
export function takeOut(state: ModelState, users: readonly ModelUser[]): void {
  for (const user of users) {
    if (user.room !== undefined) closeRoom(state, user.room, "moderation", undefined);
    stopWaiting(state, user);
  }
  lookAgain(state);
}

function stopWaiting(state: ModelState, user: ModelUser): void {
  const { waiting, code, ref } = user;
  if (waiting === undefined && code === undefined) return;
  user.waiting = undefined;
  user.code = undefined;
  user.awaySince = undefined;
  state.step.events.push({ type: waiting === undefined ? "left_meeting" : "left_queue", user: ref });
}

/** @param by who closed it and need not be told; undefined = both are told */
export function closeRoom(
  state: ModelState,
  room: ModelRoom,
  reason: DisconnectReason,
  by: ModelUser | undefined,
): void {
  room.closed = { at: state.now, order: state.nextClosing++, reason };
  for (const user of room.members) {
    user.room = undefined;
    user.awaySince = undefined;
    user.pastRooms = [...user.pastRooms, room].slice(-limits.PAST_ROOMS_MAX);
    if (user !== by) deliver(state, user, { name: "partner.disconnected", room: room.id, reason });
  }
  state.step.events.push({ type: "room_closed", room: room.id, reason });
  dropForgottenRooms(state);
}

/** A room lives on while one of the two can name it, and then for both. */
export function dropForgottenRooms(state: ModelState): void {
  state.rooms = state.rooms.filter(
    (room) => room.closed === undefined || room.members.some((user) => user.pastRooms.includes(room)),
  );
}
