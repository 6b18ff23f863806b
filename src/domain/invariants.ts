/**
 * What must be true of a lobby after every step, whatever has happened. Tests call it after each;
 * it looks at everything and is far too slow for a running server.
 *
 * This file owns the list of invariants. It must never change what it looks at.
 */
import {
  MAILBOX_BYTES_MAX,
  MAILBOX_EVENTS_MAX,
  PAST_ROOMS_MAX,
  SESSIONS_PER_USER_MAX,
  TRANSCRIPT_AGE_MS_MAX,
  TRANSCRIPT_BYTES_MAX,
  TRANSCRIPT_MESSAGES_MAX,
} from "../limits.ts";
import { isBehind } from "./deadlines.ts";
import { checkModeration } from "./invariants-moderation.ts";
import { must } from "./invariants-must.ts";
import { checkNodes } from "./invariants-nodes.ts";
import { bytesOf } from "./mailbox.ts";
import { blockedEitherWay } from "./moderation.ts";
import { hasMet, isAvailable, isSeeking } from "./pairing.ts";
import { isConnected } from "./presence.ts";
import { classesFit, type Ticket } from "./queue.ts";
import type { Lobby, Room, User } from "./state.ts";
import { userOf } from "./users.ts";

/** Throws an error that names the first broken invariant. */
export function checkLobby(lobby: Lobby): void {
  checkUsers(lobby);
  checkIndexes(lobby);
  checkRooms(lobby);
  checkTranscripts(lobby);
  checkMeetings(lobby);
  checkQueue(lobby);
  checkModeration(lobby);
  checkNodes(lobby);
}

function checkUsers(lobby: Lobby): void {
  let online = 0;
  let bytes = 0;
  must(lobby.users.size <= Math.max(lobby.settings.usersMax, lobby.inherited.users), "more users than allowed");
  for (const user of lobby.users.values()) {
    const present = isConnected(user) || user.place.in !== "nowhere";
    if (present) online++;
    must(present === (user.offlineSince === undefined), "a user is offline exactly if unconnected and nowhere");
    must(user.streams >= 0, "a user has less than no streams");
    must(user.awaySince === undefined || !isConnected(user), "a connected user is not away");
    must(user.awaySince === undefined || user.place.in !== "nowhere", "only somebody in queue or room is away");
    must(user.sessions.length <= SESSIONS_PER_USER_MAX, "too many sessions of one user");
    must(user.pastRooms.length <= PAST_ROOMS_MAX, "too many past rooms of one user");
    must(user.interests.length === new Set(user.interests).size, "an interest is there twice");
    bytes += checkMailbox(user);
    if (user.place.in === "room") {
      const { room } = user.place;
      must(lobby.rooms.get(room.id) === room, "a user is in a room the lobby does not know");
      must(room.closed === undefined, "a user is in a closed room");
      must(
        room.members.some((member) => member.user === user.ref),
        "a user is in somebody else's room",
      );
    }
    if (user.place.in === "meeting") {
      const meeting = lobby.meetings.get(user.place.code);
      must(
        meeting !== undefined && "waiter" in meeting && meeting.waiter === user.ref,
        "a code waits for somebody else",
      );
    }
    if (user.place.in === "queue") {
      const ticket = lobby.queue.tickets.get(user.place.ticket);
      must(ticket?.user === user.ref, "a waiting user has no ticket of their own");
    }
  }
  must(online === lobby.online, "the count of online users is wrong");
  must(bytes === lobby.mailboxBytes, "the count of mailbox bytes is wrong");
  must(bytes <= lobby.settings.mailboxBytesMax, "mailboxes hold more than allowed");
}

/** @returns the mailbox's bytes */
function checkMailbox({ mailbox }: User): number {
  must(mailbox.events.length <= MAILBOX_EVENTS_MAX, "a mailbox holds too many events");
  must(mailbox.bytes <= MAILBOX_BYTES_MAX || mailbox.events.length === 1, "a mailbox holds too many bytes");
  must((mailbox.bytes === 0) === (mailbox.events.length === 0), "an empty mailbox weighs nothing");
  let offset = mailbox.head - mailbox.events.length;
  let at = 0;
  let bytes = 0;
  for (const event of mailbox.events) {
    must(event.bytes === bytesOf(event.body), "an event has forgotten what it counts for");
    bytes += event.bytes;
    must(event.offset === ++offset, "a mailbox has a gap");
    must(event.at >= at, "a mailbox is out of order in time");
    at = event.at;
  }
  for (const mark of [mailbox.acknowledged, mailbox.returned, mailbox.written]) {
    must(mark >= 0 && mark <= mailbox.head, "a mailbox mark is beyond its head");
  }
  must(bytes === mailbox.bytes, "the bytes of a mailbox are wrong");
  return bytes;
}

function checkIndexes(lobby: Lobby): void {
  must(lobby.byUserId.size === lobby.users.size, "users and their ids differ in number");
  must(lobby.byToken.size === lobby.users.size, "users and their tokens differ in number");
  const refs = [...lobby.userOrder];
  must(refs.length === lobby.users.size, "users and their order differ in number");
  must(
    [...lobby.users.keys()].every((ref, i) => refs[i] === ref),
    "users are not in the order of their making",
  );
  let offline = 0;
  let offlineSince = 0;
  for (const ref of lobby.offline) {
    const since = userOf(lobby, ref).offlineSince ?? Number.NaN;
    must(since >= offlineSince, "offline users are out of order");
    offlineSince = since;
    offline++;
  }
  must(offline + lobby.online === lobby.users.size, "an offline user is not in line");
  for (const user of lobby.users.values()) {
    must(lobby.byUserId.get(user.userId) === user.ref, "a user is not found by id");
    must(lobby.byToken.get(user.tokenHash) === user.ref, "a user is not found by token");
    for (const session of user.sessions) {
      must(lobby.bindings.get(session)?.user === user.ref, "a user's session is bound to another");
    }
    must(user.checkAt >= lobby.now || isBehind(lobby), "a deadline has been missed");
  }
  for (const [session, binding] of lobby.bindings) {
    must(userOf(lobby, binding.user).sessions.includes(session), "a binding is unknown to its user");
  }
}

function checkRooms(lobby: Lobby): void {
  for (const room of lobby.rooms.values()) {
    const [a, b] = room.members;
    must(a.user !== b.user, "a room has one participant twice");
    must(room.seq >= 0, "a room counts below zero");
    let keepers = 0;
    for (const member of room.members) {
      const user = lobby.users.get(member.user);
      if (room.closed === undefined) {
        must(user?.place.in === "room" && user.place.room === room, "an open room lacks a participant");
        keepers++;
      } else if (user?.pastRooms.includes(room.id) === true) keepers++;
    }
    must(keepers === room.keepers && keepers > 0, "a room is kept by the wrong number of members");
    checkPartners(lobby, room);
  }
}

function checkTranscripts(lobby: Lobby): void {
  const { rooms, open, closed } = lobby.transcripts;
  let bytes = 0;
  let kept = 0;
  for (const room of lobby.rooms.values()) {
    const { transcript } = room;
    must(transcript.length <= TRANSCRIPT_MESSAGES_MAX, "a transcript holds too many messages");
    must(room.transcriptBytes <= TRANSCRIPT_BYTES_MAX || transcript.length === 1, "a transcript holds too many bytes");
    let own = 0;
    // Where somebody has been forgotten, what they wrote is missing.
    const isWhole = room.members.every(({ participant }) => participant.userId !== "");
    let seq = isWhole ? room.seq - transcript.length : 0;
    for (const { body, bytes } of transcript) {
      must(bytes === bytesOf(body), "a line has forgotten what it counts for");
      own += bytes;
      must(isWhole ? body.seq === seq + 1 : body.seq > seq, "a transcript has a gap or is out of order");
      must(body.seq <= room.seq && body.room === room.id, "a transcript has a foreign line");
      seq = body.seq;
    }
    must(own === room.transcriptBytes, "the bytes of a transcript are wrong");
    bytes += own;
    if (transcript.length === 0) continue;
    kept++;
    must(rooms.get(room.number) === room, "a transcript is not in order");
    must(room.closed === undefined || room.closed.at + TRANSCRIPT_AGE_MS_MAX > lobby.now, "a transcript is too old");
    must(closed.has(room.number) === (room.closed !== undefined), "a transcript is in the wrong order");
  }
  must(bytes === lobby.transcriptBytes, "the count of transcript bytes is wrong");
  must(bytes <= lobby.settings.transcriptBytesMax, "transcripts hold more than allowed");
  must(rooms.size === kept && open.size + closed.size === kept, "an order of transcripts holds too much");
}

function checkMeetings(lobby: Lobby): void {
  let waiting = 0;
  for (const user of lobby.users.values()) if (user.place.in === "meeting") waiting++;
  for (const [code, meeting] of lobby.meetings) {
    if ("waiter" in meeting) waiting--;
    else {
      const room = lobby.rooms.get(meeting.room);
      must(room?.code === code && room.closed === undefined, "a code is in use for no open room");
    }
  }
  must(waiting === 0, "codes and those who wait for them differ in number");
}

/** Addresses may change while two are together; whose records are blocked may not be. */
function checkPartners(lobby: Lobby, room: Room): void {
  if (room.closed !== undefined) return;
  const [a, b] = room.members.map((member) => userOf(lobby, member.user));
  must(a !== undefined && b !== undefined, "an open room lacks a participant");
  must(a.blocked?.has(b.ref) !== true && b.blocked?.has(a.ref) !== true, "a blocked pair is together");
}

function checkQueue(lobby: Lobby): void {
  const { queue } = lobby;
  must(queue.tickets.size <= Math.max(lobby.settings.queueMax, lobby.inherited.waiting), "the queue is too long");
  const available: Ticket[] = [];
  for (const ticket of queue.tickets.values()) {
    const user = userOf(lobby, ticket.user);
    must(user.place.in === "queue" && user.place.ticket === ticket.number, "a ticket's user waits elsewhere");
    must(
      ticket.available === isAvailable(lobby, user) || isBehind(lobby),
      "a ticket does not know whether its user is available",
    );
    const holdsOut = ticket.available && !ticket.open;
    must(!holdsOut || ticket.holdsOutUntil > lobby.now || isBehind(lobby), "a ticket holds out for too long");
    if (ticket.available) available.push(ticket);
  }
  for (const lists of queue.classes) {
    for (const line of [lists.available, lists.open, ...lists.byInterest.values()]) {
      if (line.size === 0) continue;
      for (const number of line) {
        must(queue.tickets.get(number)?.available === true, "a line holds somebody who cannot be paired");
      }
    }
  }
  for (const number of [...queue.keptApart, ...queue.owed]) {
    must(queue.tickets.get(number)?.available === true, "somebody is to be looked at again who cannot be paired");
  }
  // While something is left to the next steps, some who could meet have not been brought together yet.
  if (isSeeking(lobby) || isBehind(lobby)) return;
  for (const a of available) {
    for (const b of available) {
      if (a.number < b.number) must(!couldMeet(lobby, a, b, available), "two who could meet are both still waiting");
    }
  }
}

/** Whether two available tickets should have been paired, judged from the rules and not from the queue's lists. */
function couldMeet(lobby: Lobby, a: Ticket, b: Ticket, available: readonly Ticket[]): boolean {
  const share = a.interests.some((interest) => b.interests.includes(interest));
  if (!mayMeet(lobby, a, b) || !(share || (a.open && b.open))) return false;
  if (!metLately(lobby, a, b)) return true;
  const others = (one: Ticket, except: Ticket): boolean =>
    available.some((c) => c !== one && c !== except && mayMeet(lobby, one, c) && !metLately(lobby, one, c));
  return !others(a, b) && !others(b, a);
}

function mayMeet(lobby: Lobby, a: Ticket, b: Ticket): boolean {
  return classesFit(a.class, b.class) && !blockedEitherWay(userOf(lobby, a.user), userOf(lobby, b.user));
}

function metLately(lobby: Lobby, a: Ticket, b: Ticket): boolean {
  const [one, other] = [userOf(lobby, a.user), userOf(lobby, b.user)];
  return hasMet(one, other) || hasMet(other, one);
}
