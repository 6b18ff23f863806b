/**
 * The search for a partner: who of those who wait suits somebody best, found by looking at so many and no
 * more, however many there are.
 *
 * This file owns that choice. It must never change the queue nor open a room.
 */
import { MATCH_MET_MAX, MATCH_SCAN_MAX } from "../limits.ts";
import { FITTING, listsOf, type Queue, type Ticket } from "./queue.ts";
import type { RankedList } from "./ranked-list.ts";

/** What stands between two waiting users beside their kinds and interests. */
export type Obstacle = "none" | "recent" | "blocked";

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

/** The best candidates by interest so far: one, or all that fit equally well where one of them is picked. */
interface Best {
  common: number;
  tickets: Ticket[];
}

/** One of the lines that are walked together. */
interface Walk {
  readonly numbers: Iterator<number>;
  /** The number it has come to; infinite = it goes no further. */
  head: number;
  looks: number;
}

function chooseByInterest(search: Search, accepts: (candidate: Ticket) => boolean): Ticket | undefined {
  const { queue, ticket } = search;
  const best: Best = { common: 0, tickets: [] };
  if (ticket.interests.length === 0) return undefined;
  for (const c of FITTING[ticket.class] ?? []) {
    const { byInterest } = listsOf(queue, c);
    if (byInterest.size === 0) continue;
    const walks: Walk[] = [];
    for (const interest of ticket.interests) {
      const line = byInterest.get(interest);
      if (line !== undefined) walks.push({ numbers: line.after(search.after), head: 0, looks: 0 });
    }
    for (const walk of walks) goOn(walk);
    walkTogether(search, walks, accepts, best);
  }
  return choose(best.tickets, search.pick);
}

/**
 * Walks the lines of several interests together, from the longest-waiting on: who stands in so many of
 * them has so many in common. Only who would be better than the best is looked at closer.
 */
function walkTogether(search: Search, walks: Walk[], accepts: (candidate: Ticket) => boolean, best: Best): void {
  for (;;) {
    let number = Number.POSITIVE_INFINITY;
    let common = 0;
    let open = 0;
    for (const { head } of walks) {
      if (head < number) {
        number = head;
        common = 0;
      }
      if (head === number) common++;
      if (head !== Number.POSITIVE_INFINITY) open++;
    }
    // Nobody further on can stand in more lines than go on.
    if (open === 0 || !isBetter(search, best, open, number)) return;
    let isOver = false;
    const candidate = isBetter(search, best, common, number) ? search.queue.tickets.get(number) : undefined;
    if (candidate !== undefined && candidate !== search.ticket) {
      if (accepts(candidate)) note(search, best, candidate, common);
      else isOver = search.mayMeetAgain <= 0;
    }
    for (const walk of walks) {
      if (walk.head !== number) continue;
      if (++walk.looks < MATCH_SCAN_MAX && !isOver) goOn(walk);
      else {
        walk.head = Number.POSITIVE_INFINITY;
        // Other lines may have got further; looking at some twice does no harm.
        search.stoppedAt = Math.min(search.stoppedAt ?? number, number);
      }
    }
  }
}

/** Whether somebody with so much in common would be better than the best: has more, or as much and has waited longer. */
function isBetter({ pick }: Search, { common, tickets }: Best, candidateCommon: number, number: number): boolean {
  if (candidateCommon !== common) return candidateCommon > common;
  return pick !== undefined || number < (tickets[0]?.number ?? Number.POSITIVE_INFINITY);
}

/** Notes somebody who is better than the best, or as good where one is picked. */
function note({ pick }: Search, best: Best, candidate: Ticket, common: number): void {
  if (pick === undefined || common > best.common) best.tickets = [];
  best.common = common;
  best.tickets.push(candidate);
}

function goOn(walk: Walk): void {
  const { done, value } = walk.numbers.next();
  walk.head = done === true ? Number.POSITIVE_INFINITY : value;
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
