/**
 * Bringing two waiting users together: from a ticket that can be paired to an open room.
 *
 * This file owns the moment of matching and the match rate. Who fits whom is the queue's; it must
 * never look at time other than the step's.
 */
import { MATCH_RATE_SAMPLES } from "../limits.ts";
import { blockedEitherWay } from "./moderation.ts";
import {
  draftTicket,
  findPartner,
  join,
  leave,
  type Obstacle,
  openUp,
  positionOf,
  setAvailable,
  sharedInterests,
  type Ticket,
  type Wishes,
} from "./queue.ts";
import { openRoom } from "./room.ts";
import type { Lobby, Step, User } from "./state.ts";

/** The ticket of a waiting user. */
export function ticketOf(lobby: Lobby, user: User): Ticket | undefined {
  return user.place.in === "queue" ? lobby.queue.tickets.get(user.place.ticket) : undefined;
}

/**
 * Whether a waiting user can be paired now: connected, or not away and heard of lately.
 * An away user keeps the place but is passed over, so that nobody meets a ghost.
 */
export function isAvailable(lobby: Lobby, user: User): boolean {
  if (user.streams > 0 || user.hold !== undefined) return true;
  return user.awaySince === undefined && lobby.now < user.lastCallAt + lobby.settings.availableMs;
}

/** Brings a waiting user's ticket in line with their presence, and pairs them if that makes it possible. */
export function refreshAvailability(lobby: Lobby, step: Step, user: User): void {
  const ticket = ticketOf(lobby, user);
  if (ticket === undefined) return;
  const available = isAvailable(lobby, user);
  if (available && !ticket.available) {
    if (ticket.holdsOutUntil <= step.at) openUp(lobby.queue, ticket);
    setAvailable(lobby.queue, ticket, true);
    pair(lobby, step, user, ticket);
  } else if (!available && ticket.available) {
    setAvailable(lobby.queue, ticket, false);
    reconsiderKeptApart(lobby, step);
  }
}

/** Ends a waiting user's holding out and looks for a partner again. */
export function stopHoldingOut(lobby: Lobby, step: Step, user: User, ticket: Ticket): void {
  openUp(lobby.queue, ticket);
  pair(lobby, step, user, ticket);
}

/** Opens a room for this user if somebody fits. Returns whether it did. */
export function pair(lobby: Lobby, step: Step, user: User, ticket: Ticket): boolean {
  const partnerTicket = findPartner(
    lobby.queue,
    ticket,
    (a, b) => obstacleBetween(lobby, a, b),
    lobby.settings.matching === "random" ? (below) => pickFrom(step.entropy, below) : undefined,
  );
  if (partnerTicket === undefined) return false;
  const partner = waitingUser(lobby, partnerTicket);
  leave(lobby.queue, ticket);
  leave(lobby.queue, partnerTicket);
  lobby.matches.push(step.at);
  if (lobby.matches.length > MATCH_RATE_SAMPLES) lobby.matches.shift();
  openRoom(lobby, step, partner, user, sharedInterests(partner.interests, user.interests));
  reconsiderKeptApart(lobby, step);
  return true;
}

/** Puts a user in the queue, or straight into a room if somebody fits. */
export function joinQueue(lobby: Lobby, step: Step, user: User): void {
  const ticket = join(lobby.queue, user.ref, user, holdsOutUntil(lobby, user), step.at);
  user.place = { in: "queue", ticket: ticket.number };
  if (!pair(lobby, step, user, ticket)) step.events.push({ type: "queued", user: user.ref });
}

/**
 * Whether the queue has no place for somebody with these wishes. Whoever would be paired at once
 * needs none: a full queue must not keep out those it waits for.
 * @param user their record, if they have one already
 */
export function isQueueFullFor(lobby: Lobby, wishes: Wishes, user: User | undefined): boolean {
  if (lobby.queue.tickets.size < lobby.settings.queueMax) return false;
  const draft = draftTicket(lobby.queue, user?.ref ?? 0, wishes, holdsOutUntil(lobby, wishes), lobby.now);
  // Nobody has met or blocked a newcomer.
  const partner = findPartner(lobby.queue, draft, (a, b) =>
    user === undefined ? "none" : obstacleBetween(lobby, a, b),
  );
  return partner === undefined;
}

/** Until when somebody who enters now takes only partners who share an interest. */
function holdsOutUntil(lobby: Lobby, { interests }: Wishes): number {
  return interests.length > 0 ? lobby.now + lobby.settings.widenMs : lobby.now;
}

/** Takes a waiting user out of the queue, into nowhere. */
export function leaveQueue(lobby: Lobby, step: Step, user: User): void {
  const ticket = ticketOf(lobby, user);
  if (ticket === undefined) return;
  leave(lobby.queue, ticket);
  user.place = { in: "nowhere" };
  user.awaySince = undefined;
  step.events.push({ type: "left_queue", user: user.ref });
  reconsiderKeptApart(lobby, step);
}

/**
 * Two who met lately were kept apart because of a third; the third may be no longer there.
 * Each round pairs two or ends, so this ends too.
 */
function reconsiderKeptApart(lobby: Lobby, step: Step): void {
  if (lobby.queue.keptApart.size === 0) return;
  // A snapshot, longest-waiting first: whoever stays apart is put back into the set while it is walked.
  for (const number of [...lobby.queue.keptApart].sort((a, b) => a - b)) {
    lobby.queue.keptApart.delete(number);
    const ticket = lobby.queue.tickets.get(number);
    // A successful pairing reconsiders the rest itself.
    if (ticket?.available === true && pair(lobby, step, waitingUser(lobby, ticket), ticket)) return;
  }
}

function obstacleBetween(lobby: Lobby, a: Ticket, b: Ticket): Obstacle {
  const one = waitingUser(lobby, a);
  const other = waitingUser(lobby, b);
  if (blockedEitherWay(one, other)) return "blocked";
  return one.recentPartners.includes(other.ref) || other.recentPartners.includes(one.ref) ? "recent" : "none";
}

function waitingUser(lobby: Lobby, ticket: Ticket): User {
  const user = lobby.users.get(ticket.user);
  if (user === undefined) throw new Error("a ticket names nobody");
  return user;
}

/** An index below `below` from the entry's entropy: the same on every replay. */
function pickFrom(entropy: string, below: number): number {
  let hash = 0;
  for (let i = 0; i < entropy.length; i++) hash = (Math.imul(hash, 31) + entropy.charCodeAt(i)) >>> 0;
  return hash % below;
}

/** A waiting user's place in line and how long it may take, in whole seconds; null when nothing is known. */
export function outlook(lobby: Lobby, ticket: Ticket): { position: number; waitSeconds: number | null } {
  const position = positionOf(lobby.queue, ticket);
  const [oldest] = lobby.matches;
  const span = oldest === undefined ? 0 : lobby.now - oldest;
  // One match says nothing about a rate, and a rate of long ago says nothing about now.
  const latest = lobby.matches.at(-1) ?? 0;
  if (lobby.matches.length < 2 || span <= 0 || lobby.now - latest > MATCH_RATE_AGE_MS_MAX) {
    return { position, waitSeconds: null };
  }
  // Each match takes two users off the queue.
  const usersPerMs = (2 * lobby.matches.length) / span;
  return { position, waitSeconds: Math.ceil(position / usersPerMs / 1000) };
}

/** A match rate older than this is no longer believed. */
const MATCH_RATE_AGE_MS_MAX = 600_000;
