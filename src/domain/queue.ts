/**
 * Who waits, in what order, and who may meet whom. Every lookup goes through lists kept by what a
 * partner could ask for, so that an arrival costs the same whether ten or 100,000 wait.
 *
 * This file owns tickets, their lists and the choice of a partner. It must never open a room.
 */
import { INTERESTS_SCAN_MAX, MATCH_MET_MAX, MATCH_SCAN_MAX } from "../limits.ts";
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

interface ClassLists {
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
  return a.length === 0 || b.length === 0 ? [] : a.filter((interest) => b.includes(interest));
}

/** What a search has come to. */
export interface Finding {
  readonly partner: Ticket | undefined;
  /** Candidates whose only obstacle is that they were met lately, if nobody was found. */
  readonly met: readonly Ticket[];
  /** The number up to which it has looked, if there is more to look at than it may at once. */
  readonly stoppedAt: number | undefined;
}

/**
 * The partner for an available ticket: the longest-waiting with the most interests in common; else,
 * if neither holds out, the longest-waiting. Somebody met lately only while nobody else is there for
 * either of the two.
 * @param obstacle what stands between this ticket's user and a candidate; the same in both directions
 * @param pick index below its argument, for random matching; undefined = first in, first out
 * @param after looks at later tickets only, where an earlier search has stopped
 */
export function findPartner(
  queue: Queue,
  ticket: Ticket,
  obstacle: (a: Ticket, b: Ticket) => Obstacle,
  pick?: (below: number) => number,
  after = 0,
): Finding {
  const met = new Set<Ticket>();
  const search: Search = { queue, ticket, after, pick, mayMeetAgain: MATCH_MET_MAX, stoppedAt: undefined };
  const isFresh = (candidate: Ticket): boolean => {
    const between = obstacle(ticket, candidate);
    if (between === "recent" && !met.has(candidate)) {
      met.add(candidate);
      search.mayMeetAgain--;
    }
    return between === "none";
  };
  const fresh = searchBoth(search, isFresh);
  if (fresh !== undefined || met.size === 0) return { partner: fresh, met: [], stoppedAt: search.stoppedAt };

  const others = new Map<Ticket, boolean>([[ticket, hasOthers(queue, ticket, obstacle)]]);
  const isAlone = (one: Ticket): boolean => {
    const known = others.get(one) ?? hasOthers(queue, one, obstacle);
    others.set(one, known);
    return !known;
  };
  const { stoppedAt } = search;
  search.mayMeetAgain = MATCH_MET_MAX;
  const again = isAlone(ticket) ? searchBoth(search, (r) => met.has(r) && isAlone(r)) : undefined;
  return again === undefined
    ? { partner: undefined, met: [...met], stoppedAt }
    : { partner: again, met: [], stoppedAt };
}

/** Whether anybody is there whom this ticket's user may meet and has not met lately, among so many in each line. */
function hasOthers(queue: Queue, ticket: Ticket, obstacle: (a: Ticket, b: Ticket) => Obstacle): boolean {
  for (const c of FITTING[ticket.class] ?? []) {
    let looks = 0;
    for (const number of listsOf(queue, c).available) {
      const other = queue.tickets.get(number);
      if (other === undefined || other === ticket) continue;
      if (obstacle(ticket, other) === "none") return true;
      if (++looks >= MATCH_SCAN_MAX) break;
    }
  }
  return false;
}

/** One look for a partner. */
interface Search {
  readonly queue: Queue;
  readonly ticket: Ticket;
  readonly after: number;
  readonly pick: ((below: number) => number) | undefined;
  /** How many more who were met lately may come up before it stops; by interest and among the open ones anew. */
  mayMeetAgain: number;
  stoppedAt: number | undefined;
}

function searchBoth(search: Search, accepts: (candidate: Ticket) => boolean): Ticket | undefined {
  const byInterest = chooseByInterest(search, accepts);
  if (byInterest !== undefined || !search.ticket.open) return byInterest;
  search.mayMeetAgain = MATCH_MET_MAX;
  return chooseOpen(search, accepts);
}

/**
 * Walks a line until enough are accepted or too many passed over.
 * @param accepts called for each candidate but the searching one
 * @param wanted how many accepted candidates are enough
 */
function walk(search: Search, line: RankedList, accepts: (candidate: Ticket) => boolean, wanted: number): void {
  let accepted = 0;
  let passedOver = 0;
  for (const number of line.after(search.after)) {
    const candidate = search.queue.tickets.get(number);
    if (candidate === undefined || candidate === search.ticket) continue;
    if (accepts(candidate)) {
      if (++accepted >= wanted) return;
    } else if (++passedOver >= MATCH_SCAN_MAX || search.mayMeetAgain <= 0) {
      // Other lines may have got further; looking at some twice does no harm.
      search.stoppedAt = Math.min(search.stoppedAt ?? number, number);
      return;
    }
  }
}

function chooseByInterest(search: Search, accepts: (candidate: Ticket) => boolean): Ticket | undefined {
  const { queue, ticket } = search;
  if (ticket.interests.length === 0) return undefined;
  const common = new Map<Ticket, number>();
  for (const c of FITTING[ticket.class] ?? []) {
    const { byInterest } = listsOf(queue, c);
    if (byInterest.size === 0) continue;
    for (const interest of ticket.interests) {
      const line = byInterest.get(interest);
      if (line === undefined) continue;
      const counts = (candidate: Ticket): boolean => {
        const count = common.get(candidate);
        if (count === undefined && !accepts(candidate)) return false;
        common.set(candidate, (count ?? 0) + 1);
        return true;
      };
      walk(search, line, counts, MATCH_SCAN_MAX);
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
  return choose(best, search.pick);
}

function chooseOpen(search: Search, accepts: (candidate: Ticket) => boolean): Ticket | undefined {
  const candidates: Ticket[] = [];
  const keeps = (candidate: Ticket): boolean => {
    if (!accepts(candidate)) return false;
    candidates.push(candidate);
    return true;
  };
  for (const c of FITTING[search.ticket.class] ?? []) {
    const { open } = listsOf(search.queue, c);
    if (open.size > 0) walk(search, open, keeps, search.pick === undefined ? 1 : MATCH_SCAN_MAX);
  }
  return choose(candidates, search.pick);
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
