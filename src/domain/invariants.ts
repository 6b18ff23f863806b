/**
 * What must be true of a lobby after every step, whatever has happened. Tests call it after each;
 * it looks at everything and is far too slow for a running server.
 *
 * This file owns the list of invariants. It must never change what it looks at.
 */
import { MAILBOX_BYTES_MAX, MAILBOX_EVENTS_MAX, PAST_ROOMS_MAX, SESSIONS_PER_USER_MAX } from "../limits.ts";
import { blockedEitherWay } from "./moderation.ts";
import { isAvailable } from "./pairing.ts";
import { isConnected } from "./presence.ts";
import { classesFit, type Ticket } from "./queue.ts";
import type { Lobby, Room, User } from "./state.ts";
import { userOf } from "./users.ts";

/** Throws an error that names the first broken invariant. */
export function checkLobby(lobby: Lobby): void {
  checkUsers(lobby);
  checkIndexes(lobby);
  checkRooms(lobby);
  checkQueue(lobby);
}

function must(truth: boolean, what: string): asserts truth {
  if (!truth) throw new Error(`broken invariant: ${what}`);
}

function checkUsers(lobby: Lobby): void {
  let online = 0;
  let bytes = 0;
  must(lobby.users.size <= lobby.settings.usersMax, "more users than allowed");
  for (const user of lobby.users.values()) {
    const present = isConnected(user) || user.place.in !== "nowhere";
    if (present) online++;
    must(present === (user.offlineSince === undefined), "a user is offline exactly if unconnected and nowhere");
    must(user.streams >= 0, "a user has less than no streams");
    must(user.awaySince === undefined || !isConnected(user), "a connected user is not away");
    must(user.awaySince === undefined || user.place.in !== "nowhere", "only somebody in queue or room is away");
    must(user.sessions.length <= SESSIONS_PER_USER_MAX, "too many sessions of one user");
    must(user.pastRooms.length <= PAST_ROOMS_MAX, "too many past rooms of one user");
    must((user.messages?.milliTokens ?? 0) >= 0, "a bucket holds less than nothing");
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
  for (const event of mailbox.events) {
    must(event.offset === ++offset, "a mailbox has a gap");
    must(event.at >= at, "a mailbox is out of order in time");
    at = event.at;
  }
  for (const mark of [mailbox.acknowledged, mailbox.returned, mailbox.written]) {
    must(mark >= 0 && mark <= mailbox.head, "a mailbox mark is beyond its head");
  }
  return mailbox.bytes;
}

function checkIndexes(lobby: Lobby): void {
  must(lobby.byUserId.size === lobby.users.size, "users and their ids differ in number");
  must(lobby.byToken.size === lobby.users.size, "users and their tokens differ in number");
  for (const user of lobby.users.values()) {
    must(lobby.byUserId.get(user.userId) === user.ref, "a user is not found by id");
    must(lobby.byToken.get(user.tokenHash) === user.ref, "a user is not found by token");
    for (const session of user.sessions) {
      must(lobby.bindings.get(session)?.user === user.ref, "a user's session is bound to another");
    }
    must(user.checkAt >= lobby.now, "a deadline has been missed");
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

function checkPartners(lobby: Lobby, room: Room): void {
  if (room.closed !== undefined) return;
  const [a, b] = room.members.map((member) => userOf(lobby, member.user));
  must(a !== undefined && b !== undefined && !blockedEitherWay(a, b), "a blocked pair has met");
}

function checkQueue(lobby: Lobby): void {
  const { queue } = lobby;
  must(queue.tickets.size <= lobby.settings.queueMax, "the queue is too long");
  const available: Ticket[] = [];
  for (const ticket of queue.tickets.values()) {
    const user = userOf(lobby, ticket.user);
    must(user.place.in === "queue" && user.place.ticket === ticket.number, "a ticket's user waits elsewhere");
    must(ticket.available === isAvailable(lobby, user), "a ticket does not know whether its user is available");
    must(!ticket.available || ticket.open || ticket.holdsOutUntil > lobby.now, "a ticket holds out for too long");
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
  return userOf(lobby, a.user).recentPartners.includes(b.user) || userOf(lobby, b.user).recentPartners.includes(a.user);
}
