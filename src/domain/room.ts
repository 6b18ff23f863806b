/**
 * Rooms: two distinct participants, messages numbered from 1 without gaps, nothing posted after the
 * end.
 *
 * This file owns rooms from opening to closing. It must never choose partners or judge presence.
 */
import { CLIENT_MESSAGE_IDS_MAX, PAST_ROOMS_MAX, RECENT_PARTNERS_MAX } from "../limits.ts";
import type { Command } from "./command.ts";
import type { DisconnectReason, Participant, Posted } from "./event.ts";
import { type CodeHash, makeId } from "./ids.ts";
import { deliver } from "./post-office.ts";
import { sharedInterests } from "./queue.ts";
import { pay, tooOften } from "./rates.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Line, Lobby, Room, RoomMember, Step, User } from "./state.ts";
import { ageTranscript, dropTranscript, keepLine } from "./transcript.ts";

/**
 * Opens a room for two users who are in no other place, and tells both.
 * @param code by which they have met, if they have
 */
export function openRoom(lobby: Lobby, step: Step, a: User, b: User, code?: CodeHash): Room {
  const shared = sharedInterests(a.interests, b.interests);
  const room: Room = {
    id: makeId("room", step.entropy, step.roomsOpened++),
    number: lobby.nextRoom++,
    members: [memberOf(a), memberOf(b)],
    sharedInterests: shared,
    createdAt: step.at,
    seq: 0,
    transcript: [],
    transcriptBytes: 0,
    code,
    closed: undefined,
    keepers: 2,
  };
  lobby.rooms.set(room.id, room);
  const place = { in: "room", room } as const;
  for (const [user, other] of [[a, b] as const, [b, a] as const]) {
    user.place = place;
    user.recentPartners.push({ user: other.ref, address: other.address });
    if (user.recentPartners.length > RECENT_PARTNERS_MAX) user.recentPartners.shift();
  }
  for (const [user, other] of [[a, room.members[1]] as const, [b, room.members[0]] as const]) {
    deliver(lobby, step, user, {
      name: "chatroom.found",
      room: room.id,
      partner: other.participant,
      sharedInterests: shared,
    });
  }
  step.events.push({ type: "matched", room: room.id, users: [a.ref, b.ref] });
  return room;
}

function memberOf(user: User): RoomMember {
  const participant: Participant = { userId: user.userId, displayName: user.displayName, kind: user.kind };
  return { user: user.ref, participant, answers: undefined, report: undefined };
}

/** This user's side of a room and the other's, or undefined for somebody else's room. */
export function sidesOf(room: Room, user: User): { own: RoomMember; other: RoomMember } | undefined {
  const [a, b] = room.members;
  if (a.user === user.ref) return { own: a, other: b };
  if (b.user === user.ref) return { own: b, other: a };
  return undefined;
}

/** The open room a call is about: the named one, or the present one if none is named. */
export function findRoom(lobby: Lobby, user: User, id: string | undefined): Room | Refusal {
  const room = findOwnRoom(lobby, user, id);
  return "type" in room || room.closed === undefined ? room : refuse("chat_ended");
}

/** The room of one's own that a call is about, open or closed: the named one, or the present one if none is named. */
export function findOwnRoom(lobby: Lobby, user: User, id: string | undefined): Room | Refusal {
  if (id === undefined) return user.place.in === "room" ? user.place.room : refuse("not_in_room");
  const room = lobby.rooms.get(id);
  return room === undefined || sidesOf(room, user) === undefined ? refuse("room_not_found") : room;
}

/** The first answer to a message that this user has already posted under this id, wherever it went. */
function earlierAnswer(
  lobby: Lobby,
  user: User,
  roomId: string | undefined,
  id: string,
): { room: Room; posted: Posted } | undefined {
  // A retry that names no room may come after the room has closed: the last one is meant then.
  const latest = user.place.in === "room" ? user.place.room.id : user.pastRooms.at(-1);
  const room = lobby.rooms.get(roomId ?? latest ?? "");
  const posted = room === undefined ? undefined : sidesOf(room, user)?.own.answers?.get(id);
  return room === undefined || posted === undefined ? undefined : { room, posted };
}

/** Posts a message, or gives the first answer again, or refuses. */
export function post(
  lobby: Lobby,
  step: Step,
  user: User,
  message: Extract<Command, { type: "send_message" }>,
): Refusal | undefined {
  const { settings } = lobby;
  const id = message.clientMessageId;
  if (id !== undefined) {
    const earlier = earlierAnswer(lobby, user, message.room, id);
    if (earlier !== undefined) {
      step.events.push({ type: "posted", user: user.ref, room: earlier.room.id, posted: earlier.posted });
      return undefined;
    }
  }
  const room = findRoom(lobby, user, message.room);
  if ("type" in room) return room;
  const sides = sidesOf(room, user);
  const partner = sides === undefined ? undefined : lobby.users.get(sides.other.user);
  if (sides === undefined || partner === undefined) throw new Error("an open room lacks one of its members");

  if (settings.loopMessagesMax > 0 && room.seq >= settings.loopMessagesMax && isLoopSuspect(room)) {
    closeRoom(lobby, step, room, "limit", undefined);
    return refuse("loop_limit");
  }
  const { address } = message.caller;
  const fast = tooOften(lobby, "messages", user, address);
  if (fast !== undefined) return fast;
  pay(lobby, "messages", user, address);

  const reachable = partner.streams > 0 || partner.hold !== undefined;
  const posted: Posted = {
    messageId: makeId("msg", step.entropy, 0),
    seq: ++room.seq,
    at: step.at,
    delivery: reachable ? "pushed" : "queued",
  };
  if (id !== undefined) remember(sides.own, id, posted);
  const line = deliver<Line["body"]>(lobby, step, partner, {
    name: "message.received",
    room: room.id,
    messageId: posted.messageId,
    seq: posted.seq,
    message: message.text,
    sender: sides.own.participant,
  });
  keepLine(lobby, room, line);
  step.events.push({ type: "posted", user: user.ref, room: room.id, posted });
  return undefined;
}

/** Two programs with no person between them can go on for ever; only such rooms are limited. */
function isLoopSuspect(room: Room): boolean {
  const kinds = room.members.map((member) => member.participant.kind);
  return kinds.includes("agent") && !kinds.includes("human");
}

function remember(member: RoomMember, id: string, posted: Posted): void {
  member.answers ??= new Map();
  member.answers.set(id, posted);
  if (member.answers.size > CLIENT_MESSAGE_IDS_MAX) {
    const [oldest] = member.answers.keys();
    if (oldest !== undefined) member.answers.delete(oldest);
  }
}

/**
 * Ends a room: both are nowhere afterwards, and those who did not cause it are told.
 * @param by the user who left or is gone; undefined = neither, both are told
 */
export function closeRoom(lobby: Lobby, step: Step, room: Room, reason: DisconnectReason, by: User | undefined): void {
  if (room.closed !== undefined) throw new Error("a room was closed twice");
  room.closed = { at: step.at, reason };
  if (room.code !== undefined) lobby.meetings.delete(room.code);
  ageTranscript(lobby, room);
  for (const member of room.members) {
    const user = lobby.users.get(member.user);
    if (user === undefined) throw new Error("an open room lacks one of its members");
    user.place = { in: "nowhere" };
    user.awaySince = undefined;
    keepPastRoom(lobby, user, room);
    if (user !== by) deliver(lobby, step, user, { name: "partner.disconnected", room: room.id, reason });
  }
  step.events.push({ type: "room_closed", room: room.id, reason });
}

function keepPastRoom(lobby: Lobby, user: User, room: Room): void {
  const [oldest] = user.pastRooms;
  const isFull = user.pastRooms.length >= PAST_ROOMS_MAX;
  user.pastRooms = [...(isFull ? user.pastRooms.slice(1) : user.pastRooms), room.id];
  if (isFull && oldest !== undefined) letGoOfRoom(lobby, oldest);
}

/** One of a room's members no longer remembers it. */
export function letGoOfRoom(lobby: Lobby, id: string): void {
  const room = lobby.rooms.get(id);
  if (room === undefined || --room.keepers > 0) return;
  dropTranscript(lobby, room);
  lobby.rooms.delete(id);
}
