/**
 * Who waits, in what order, and whose kinds fit: lists kept by what a partner could ask for, so that an
 * arrival costs the same whether ten or 100,000 wait.
 *
 * This file owns tickets and their lists. It must never choose a partner nor open a room.
 */
import { INTERESTS_SCAN_MAX } from "../limits.ts";
import { ArrivalOrder } from "./arrival-order.ts";
import { KINDS, type Kind, PARTNER_KINDS, type PartnerKind } from "./command.ts";
import type { UserRef } from "./ids.ts";
import { noteLine, noteTaken, type Pace, secondsUntilTaken, unknownPace } from "./pace.ts";
import { RankedList } from "./ranked-list.ts";

/** A place in the queue. Lower numbers came earlier. */
export interface Ticket {
  readonly number: number;
  readonly user: UserRef;
  /** Own kind and wanted kind as one number, see `classOf`. */
  readonly class: number;
  readonly interests: readonly string[];
  /** When the user entered, in milliseconds. */
  joinedAt: number;
  /** Until then the user takes nobody without a shared interest. */
  holdsOutUntil: number;
  /** Whether the user can be paired at all just now; the others keep their place and are passed over. */
  available: boolean;
  /** Whether the user takes anybody who fits; true once the holding out is over. */
  open: boolean;
  /** The number up to which an unfinished search has looked; it goes on after it. */
  searchedTo: number;
  /** Whether the search has to begin anew once it is finished, because something has changed behind it. */
  searchAgain: boolean;
}

export interface ClassLists {
  /** Available tickets. */
  readonly available: RankedList;
  /** Available tickets that take anybody who fits. */
  readonly open: RankedList;
  /** Available tickets by interest. */
  readonly byInterest: Map<string, RankedList>;
  /** How fast those of this class are taken. */
  readonly pace: Pace;
}

export interface Queue {
  readonly tickets: Map<number, Ticket>;
  readonly classes: readonly ClassLists[];
  /** Tickets whose only obstacle was that they met each other lately while others wait. */
  readonly keptApart: RankedList;
  /** Those up to this number have been looked at again since something changed; undefined = all. */
  apartSeen: number | undefined;
  /** Whether something has changed since that began. */
  apartAgain: boolean;
  /** Available tickets whose search is unfinished. */
  readonly owed: ArrivalOrder;
  nextTicket: number;
}

const WANTS = PARTNER_KINDS.length;
const CLASSES = KINDS.length * WANTS;

/** Own and wanted kind as one number below `CLASSES`. */
export function classOf(kind: Kind, wanted: PartnerKind): number {
  return KINDS.indexOf(kind) * WANTS + PARTNER_KINDS.indexOf(wanted);
}

function accepts(wanted: PartnerKind | undefined, kind: Kind | undefined): boolean {
  return wanted === "any" || wanted === kind;
}

/** Whether kinds agree in both directions. */
export function classesFit(a: number, b: number): boolean {
  return (
    accepts(PARTNER_KINDS[a % WANTS], KINDS[Math.floor(b / WANTS)]) &&
    accepts(PARTNER_KINDS[b % WANTS], KINDS[Math.floor(a / WANTS)])
  );
}

const ALL_CLASSES = Array.from({ length: CLASSES }, (_, c) => c);
/** For each class, the classes whose members may meet it. */
export const FITTING = ALL_CLASSES.map((a) => ALL_CLASSES.filter((b) => classesFit(a, b)));
/** For each class, the classes that want some partner it could have. */
const COMPETING = ALL_CLASSES.map((a) =>
  ALL_CLASSES.filter((b) => (FITTING[a] ?? []).some((c) => (FITTING[b] ?? []).includes(c))),
);

export function emptyQueue(): Queue {
  return {
    tickets: new Map(),
    classes: ALL_CLASSES.map(() => ({
      available: new RankedList(),
      open: new RankedList(),
      byInterest: new Map(),
      pace: unknownPace(),
    })),
    keptApart: new RankedList(),
    apartSeen: undefined,
    apartAgain: false,
    owed: new ArrivalOrder(),
    nextTicket: 1,
  };
}

/** What of a user decides whom they may meet. */
export interface Wishes {
  readonly kind: Kind;
  readonly partnerKind: PartnerKind;
  readonly interests: readonly string[];
}

/** The ticket a user would be given now: for trying whom they would meet. It is not in the queue. */
export function draftTicket(queue: Queue, user: UserRef, wishes: Wishes, holdsOutUntil: number, now: number): Ticket {
  return {
    number: queue.nextTicket,
    user,
    class: classOf(wishes.kind, wishes.partnerKind),
    interests: wishes.interests,
    joinedAt: now,
    holdsOutUntil,
    available: false,
    open: holdsOutUntil <= now,
    searchedTo: 0,
    searchAgain: false,
  };
}

/** Adds a user at the end of the queue, available. The caller looks for a partner next. */
export function join(queue: Queue, user: UserRef, wishes: Wishes, holdsOutUntil: number, now: number): Ticket {
  const ticket = draftTicket(queue, user, wishes, holdsOutUntil, now);
  queue.nextTicket++;
  queue.tickets.set(ticket.number, ticket);
  setAvailable(queue, ticket, true, now);
  return ticket;
}

/** Takes a ticket out of the queue. */
export function leave(queue: Queue, ticket: Ticket, now: number): void {
  setAvailable(queue, ticket, false, now);
  queue.tickets.delete(ticket.number);
}

/** Puts a ticket among those that can be paired, at its old place, or takes it out. */
export function setAvailable(queue: Queue, ticket: Ticket, available: boolean, now: number): void {
  if (ticket.available === available) return;
  ticket.available = available;
  const lists = listsOf(queue, ticket.class);
  if (available) {
    lists.available.add(ticket.number);
    if (ticket.open) lists.open.add(ticket.number);
    for (const interest of ticket.interests) {
      const line = lists.byInterest.get(interest);
      if (line !== undefined) line.add(ticket.number);
      else {
        const fresh = new RankedList();
        fresh.add(ticket.number);
        lists.byInterest.set(interest, fresh);
      }
    }
  } else {
    lists.available.delete(ticket.number);
    lists.open.delete(ticket.number);
    for (const interest of ticket.interests) {
      const line = lists.byInterest.get(interest);
      line?.delete(ticket.number);
      if (line?.size === 0) lists.byInterest.delete(interest);
    }
    queue.keptApart.delete(ticket.number);
    queue.owed.delete(ticket.number);
  }
  noteLine(lists.pace, lists.available.size > 0, now);
}

/** Takes two out of the queue who meet; whoever waited for it says something about the pace of their line. */
export function leaveTogether(queue: Queue, seeker: Ticket, found: Ticket, now: number): void {
  noteTaken(listsOf(queue, found.class).pace, now);
  if (seeker.joinedAt < now) noteTaken(listsOf(queue, seeker.class).pace, now);
  leave(queue, seeker, now);
  leave(queue, found, now);
}

/** Ends a ticket's holding out. */
export function openUp(queue: Queue, ticket: Ticket): void {
  if (ticket.open) return;
  ticket.open = true;
  if (ticket.available) listsOf(queue, ticket.class).open.add(ticket.number);
}

/**
 * Place in line among those who compete for the same partners and can be paired: 1 = next.
 * The ticket itself must be available.
 */
export function positionOf(queue: Queue, ticket: Ticket): number {
  let ahead = 0;
  for (const c of COMPETING[ticket.class] ?? []) ahead += listsOf(queue, c).available.rank(ticket.number);
  return ahead + 1;
}

/**
 * Whole seconds a user may have to wait, or null if nothing is known: by their place among their own
 * class, as others compete for the same partners and yet are taken at another pace.
 * The ticket must be available.
 */
export function waitSecondsOf(queue: Queue, ticket: Ticket, now: number): number | null {
  const { available, pace } = listsOf(queue, ticket.class);
  return secondsUntilTaken(pace, available.rank(ticket.number) + 1, now);
}

/**
 * Interests of those who can be paired now, the most frequent first, that begin with `start`.
 * @param max how many at most
 */
export function popularInterests(queue: Queue, start: string, max: number): readonly string[] {
  const counts = new Map<string, number>();
  let seen = 0;
  for (const { byInterest } of queue.classes) {
    for (const [interest, line] of byInterest) {
      if (++seen > INTERESTS_SCAN_MAX) break;
      if (interest.startsWith(start)) counts.set(interest, (counts.get(interest) ?? 0) + line.size);
    }
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, max)
    .map(([interest]) => interest);
}

/** Interests of `b` that `a` has too, in a's order. */
export function sharedInterests(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.length === 0 || b.length === 0 ? NO_INTERESTS : a.filter((interest) => b.includes(interest));
}

const NO_INTERESTS: readonly string[] = Object.freeze([]);

/** The lists of a class. */
export function listsOf(queue: Queue, c: number): ClassLists {
  const lists = queue.classes[c];
  if (lists === undefined) throw new Error(`no queue class ${c}`);
  return lists;
}
