/**
 * Who waits, in what order, and who may meet whom. Every lookup goes through lists kept by what a
 * partner could ask for, so that an arrival costs the same whether ten or 100,000 wait.
 *
 * This file owns tickets, their lists and the choice of a partner. It must never open a room.
 */
import { INTERESTS_SCAN_MAX, MATCH_SCAN_MAX } from "../limits.ts";
import { KINDS, type Kind, PARTNER_KINDS, type PartnerKind } from "./command.ts";
import type { UserRef } from "./ids.ts";
import { RankedList } from "./ranked-list.ts";

/** A place in the queue. Lower numbers came earlier. */
export interface Ticket {
  readonly number: number;
  readonly user: UserRef;
  /** Own kind and wanted kind as one number, see `classOf`. */
  readonly class: number;
  readonly interests: readonly string[];
  /** Until then the user takes nobody without a shared interest. */
  readonly holdsOutUntil: number;
  /** Whether the user can be paired at all just now; the others keep their place and are passed over. */
  available: boolean;
  /** Whether the user takes anybody who fits; true once the holding out is over. */
  open: boolean;
}

interface ClassLists {
  /** Available tickets. */
  readonly available: RankedList;
  /** Available tickets that take anybody who fits. */
  readonly open: RankedList;
  /** Available tickets by interest. */
  readonly byInterest: Map<string, RankedList>;
}

export interface Queue {
  readonly tickets: Map<number, Ticket>;
  readonly classes: readonly ClassLists[];
  /** Tickets, and perhaps more, whose only obstacle was that they met each other lately while others wait. */
  readonly keptApart: Set<number>;
  nextTicket: number;
}

/** What stands between two waiting users beside their kinds and interests. */
export type Obstacle = "none" | "recent" | "blocked";

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
const FITTING = ALL_CLASSES.map((a) => ALL_CLASSES.filter((b) => classesFit(a, b)));
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
    })),
    keptApart: new Set(),
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
    holdsOutUntil,
    available: false,
    open: holdsOutUntil <= now,
  };
}

/** Adds a user at the end of the queue, available. The caller looks for a partner next. */
export function join(queue: Queue, user: UserRef, wishes: Wishes, holdsOutUntil: number, now: number): Ticket {
  const ticket = draftTicket(queue, user, wishes, holdsOutUntil, now);
  queue.nextTicket++;
  queue.tickets.set(ticket.number, ticket);
  setAvailable(queue, ticket, true);
  return ticket;
}

/** Takes a ticket out of the queue. */
export function leave(queue: Queue, ticket: Ticket): void {
  setAvailable(queue, ticket, false);
  queue.tickets.delete(ticket.number);
}

/** Puts a ticket among those that can be paired, at its old place, or takes it out. */
export function setAvailable(queue: Queue, ticket: Ticket, available: boolean): void {
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
  }
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
  return a.length === 0 || b.length === 0 ? [] : a.filter((interest) => b.includes(interest));
}

/**
 * The partner for an available ticket: the longest-waiting with the most interests in common; else,
 * if neither holds out, the longest-waiting. Somebody met lately only while nobody else is there for
 * either of the two.
 * @param obstacle what stands between this ticket's user and a candidate
 * @param pick index below its argument, for random matching; undefined = first in, first out
 */
export function findPartner(
  queue: Queue,
  ticket: Ticket,
  obstacle: (a: Ticket, b: Ticket) => Obstacle,
  pick?: (below: number) => number,
): Ticket | undefined {
  const search = (consider: (candidate: Ticket) => boolean): Ticket | undefined =>
    chooseByInterest(queue, ticket, consider, pick) ??
    (ticket.open ? chooseOpen(queue, ticket, consider, pick) : undefined);
  let recents: Set<Ticket> | undefined;
  const fresh = search((candidate) => {
    if (candidate === ticket) return false;
    const between = obstacle(ticket, candidate);
    if (between === "recent") {
      recents ??= new Set();
      recents.add(candidate);
    }
    return between === "none";
  });
  if (fresh !== undefined || recents === undefined) return fresh;
  const met = recents;
  const again = search(
    (r) => met.has(r) && !othersFor(queue, ticket, r, obstacle) && !othersFor(queue, r, ticket, obstacle),
  );
  if (again === undefined) for (const apart of [ticket, ...met]) queue.keptApart.add(apart.number);
  return again;
}

/** Whether anybody but `except` is there whom this ticket's user may meet and has not met lately. */
function othersFor(
  queue: Queue,
  ticket: Ticket,
  except: Ticket,
  obstacle: (a: Ticket, b: Ticket) => Obstacle,
): boolean {
  for (const c of FITTING[ticket.class] ?? []) {
    for (const number of listsOf(queue, c).available) {
      const other = queue.tickets.get(number);
      if (other === undefined || other === ticket || other === except) continue;
      if (obstacle(ticket, other) === "none") return true;
    }
  }
  return false;
}

function chooseByInterest(
  queue: Queue,
  ticket: Ticket,
  consider: (candidate: Ticket) => boolean,
  pick?: (below: number) => number,
): Ticket | undefined {
  if (ticket.interests.length === 0) return undefined;
  const common = new Map<Ticket, number>();
  for (const c of FITTING[ticket.class] ?? []) {
    const { byInterest } = listsOf(queue, c);
    if (byInterest.size === 0) continue;
    for (const interest of ticket.interests) {
      let seen = 0;
      for (const number of byInterest.get(interest) ?? []) {
        const candidate = queue.tickets.get(number);
        if (candidate === undefined) continue;
        const count = common.get(candidate);
        if (count === undefined && !consider(candidate)) continue;
        common.set(candidate, (count ?? 0) + 1);
        if (++seen >= MATCH_SCAN_MAX) break;
      }
    }
  }
  let best: Ticket[] = [];
  let most = 0;
  for (const [candidate, count] of common) {
    if (count < most) continue;
    if (count > most) best = [];
    most = count;
    best.push(candidate);
  }
  return choose(best, pick);
}

function chooseOpen(
  queue: Queue,
  ticket: Ticket,
  consider: (candidate: Ticket) => boolean,
  pick?: (below: number) => number,
): Ticket | undefined {
  const candidates: Ticket[] = [];
  for (const c of FITTING[ticket.class] ?? []) {
    let wanted = pick === undefined ? 1 : MATCH_SCAN_MAX;
    for (const number of listsOf(queue, c).open) {
      const candidate = queue.tickets.get(number);
      if (candidate === undefined || !consider(candidate)) continue;
      candidates.push(candidate);
      if (--wanted === 0) break;
    }
  }
  return choose(candidates, pick);
}

/** The earliest of the candidates, or a random one; sorted first, so that the choice is the same everywhere. */
function choose(candidates: Ticket[], pick?: (below: number) => number): Ticket | undefined {
  if (candidates.length < 2) return candidates[0];
  candidates.sort((a, b) => a.number - b.number);
  return candidates[pick === undefined ? 0 : pick(candidates.length)];
}

function listsOf(queue: Queue, c: number): ClassLists {
  const lists = queue.classes[c];
  if (lists === undefined) throw new Error(`no queue class ${c}`);
  return lists;
}
