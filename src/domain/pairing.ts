/**
 * Bringing two waiting users together: from a ticket that can be paired to an open room.
 *
 * This file owns the moment of matching. Who fits whom is the queue's; it must
 * never look at time other than the step's.
 */
import { SEARCHES_PER_STEP_MAX } from "../limits.ts";
import type { AddressKey } from "./ids.ts";
import { blockedEitherWay } from "./moderation.ts";
import {
  draftTicket,
  join,
  leave,
  leaveTogether,
  openUp,
  positionOf,
  type Queue,
  setAvailable,
  type Ticket,
  type Wishes,
  waitSecondsOf,
} from "./queue.ts";
import { openRoom } from "./room.ts";
import { findPartner, type Obstacle } from "./search.ts";
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
    setAvailable(lobby.queue, ticket, true, step.at);
    pair(lobby, step, ticket);
    seekAgain(lobby, step);
  } else if (!available && ticket.available) {
    setAvailable(lobby.queue, ticket, false, step.at);
    reconsider(lobby, step);
  }
}

/** Ends a waiting user's holding out and looks for a partner again. */
export function stopHoldingOut(lobby: Lobby, step: Step, ticket: Ticket): void {
  openUp(lobby.queue, ticket);
  pair(lobby, step, ticket);
  seekAgain(lobby, step);
}

/** Whom this user may meet has changed: looks for a partner for them, and for others whom they kept apart. */
export function seekAnew(lobby: Lobby, step: Step, user: User): void {
  const ticket = ticketOf(lobby, user);
  if (ticket?.available === true) pair(lobby, step, ticket);
  reconsider(lobby, step);
}

/** Opens a room for this user if somebody fits. Returns whether it did; what follows for others is `seekAgain`'s. */
function pair(lobby: Lobby, step: Step, ticket: Ticket, after = 0): boolean {
  const { queue } = lobby;
  const { partner, met, stoppedAt } = findPartner(
    queue,
    ticket,
    (a, b) => obstacleBetween(waitingUser(lobby, a), waitingUser(lobby, b)),
    lobby.settings.matching === "random" ? (below) => pickFrom(step.entropy, below) : undefined,
    after,
  );
  if (partner !== undefined) {
    meet(lobby, step, ticket, partner);
    return true;
  }
  if (met.length > 0) for (const apart of [ticket, ...met]) queue.keptApart.add(apart.number);
  if (stoppedAt !== undefined) {
    ticket.searchedTo = stoppedAt;
    queue.owed.add(ticket.number);
  } else if (ticket.searchAgain) {
    ticket.searchAgain = false;
    ticket.searchedTo = 0;
  } else queue.owed.delete(ticket.number);
  return false;
}

function meet(lobby: Lobby, step: Step, ticket: Ticket, partnerTicket: Ticket): void {
  const user = waitingUser(lobby, ticket);
  const partner = waitingUser(lobby, partnerTicket);
  leaveTogether(lobby.queue, ticket, partnerTicket, step.at);
  openRoom(lobby, step, partner, user);
  // Whom they kept apart is looked at from the first on: each time two fewer wait, so this ends.
  lobby.queue.apartSeen = lobby.queue.keptApart.size === 0 ? undefined : 0;
  lobby.queue.apartAgain = false;
}

/** Puts a user in the queue, or straight into a room if somebody fits. */
export function joinQueue(lobby: Lobby, step: Step, user: User): void {
  const ticket = join(lobby.queue, user.ref, user, holdsOutUntil(lobby, user), step.at);
  user.place = { in: "queue", ticket: ticket.number };
  if (!pair(lobby, step, ticket)) step.events.push({ type: "queued", user: user.ref });
  seekAgain(lobby, step);
}

/** As much of a user as decides whom they meet beside kinds and interests. */
export type Acquaintance = Pick<User, "ref" | "address" | "recentPartners" | "blocked" | "blockedAddresses">;

/** Somebody who has no record yet: they have met and blocked nobody, but others may know where they are. */
export function newcomerAt(address: AddressKey | undefined): Acquaintance {
  return { ref: 0, address, recentPartners: [], blocked: undefined, blockedAddresses: undefined };
}

/**
 * Whether the queue has no place for somebody with these wishes. Whoever would be paired at once
 * needs none: a full queue must not keep out those it waits for.
 */
export function isQueueFullFor(lobby: Lobby, wishes: Wishes, who: Acquaintance): boolean {
  if (lobby.queue.tickets.size < lobby.settings.queueMax) return false;
  const draft = draftTicket(lobby.queue, who.ref, wishes, holdsOutUntil(lobby, wishes), lobby.now);
  const person = (ticket: Ticket): Acquaintance => (ticket === draft ? who : waitingUser(lobby, ticket));
  const { partner } = findPartner(lobby.queue, draft, (a, b) => obstacleBetween(person(a), person(b)));
  return partner === undefined;
}

/** Until when somebody who enters now takes only partners who share an interest. */
function holdsOutUntil(lobby: Lobby, { interests }: Wishes): number {
  return interests.length > 0 ? lobby.now + lobby.settings.widenMs : lobby.now;
}

/** Has a waiting user be passed over from now on, who is about to be taken out together with others. */
export function passOver(lobby: Lobby, step: Step, user: User): void {
  const ticket = ticketOf(lobby, user);
  if (ticket !== undefined) setAvailable(lobby.queue, ticket, false, step.at);
}

/** Takes a waiting user out of the queue, into nowhere. */
export function leaveQueue(lobby: Lobby, step: Step, user: User): void {
  const ticket = ticketOf(lobby, user);
  if (ticket === undefined) return;
  leave(lobby.queue, ticket, step.at);
  user.place = { in: "nowhere" };
  user.awaySince = undefined;
  step.events.push({ type: "left_queue", user: user.ref });
  reconsider(lobby, step);
}

/** Two who met lately were kept apart because of a third, and something about a third has changed. */
export function reconsider(lobby: Lobby, step: Step): void {
  const { queue } = lobby;
  if (queue.keptApart.size === 0) return;
  if (queue.apartSeen === undefined) queue.apartSeen = 0;
  else queue.apartAgain = true;
  seekAgain(lobby, step);
}

/**
 * Takes up searches that something has made necessary: of those kept apart first, the longest-waiting
 * first, then those that are unfinished. So many at a time; `isSeeking` says whether more are to come.
 */
export function seekAgain(lobby: Lobby, step: Step): void {
  const { queue } = lobby;
  for (let searches = 0; searches < SEARCHES_PER_STEP_MAX && isSeeking(lobby); searches++) {
    const apart = nextApart(queue);
    const number = apart ?? queue.owed.first;
    const ticket = queue.tickets.get(number ?? 0);
    if (ticket === undefined) continue;
    if (apart === undefined) pair(lobby, step, ticket, ticket.searchedTo);
    // An unfinished search goes on where it is, or it would never come to its end.
    else if (queue.owed.has(apart)) ticket.searchAgain = true;
    else {
      queue.keptApart.delete(apart);
      pair(lobby, step, ticket);
    }
  }
}

/** Whether searches are to be taken up again: the next step is due now. */
export function isSeeking({ queue }: Lobby): boolean {
  return queue.apartSeen !== undefined || queue.owed.size > 0;
}

/** The next of those kept apart that are to be looked at again. */
function nextApart(queue: Queue): number | undefined {
  if (queue.apartSeen === undefined) return undefined;
  const [next] = queue.keptApart.after(queue.apartSeen);
  if (next === undefined && queue.apartAgain) queue.apartSeen = 0;
  else queue.apartSeen = next;
  if (next === undefined) queue.apartAgain = false;
  return next;
}

function obstacleBetween(one: Acquaintance, other: Acquaintance): Obstacle {
  if (blockedEitherWay(one, other)) return "blocked";
  return hasMet(one, other) || hasMet(other, one) ? "recent" : "none";
}

/** Whether the other, or somebody who was where the other is, is among one's last partners. */
export function hasMet({ recentPartners }: Acquaintance, other: Acquaintance): boolean {
  for (const met of recentPartners) {
    if (met.user === other.ref || (met.address !== undefined && met.address === other.address)) return true;
  }
  return false;
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
  return { position: positionOf(lobby.queue, ticket), waitSeconds: waitSecondsOf(lobby.queue, ticket, lobby.now) };
}
