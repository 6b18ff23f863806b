/**
 * Numbers appended to a journal from several nodes while things break, and what became of each.
 *
 * This file owns the account. It must never take a node's word for another's.
 */
import type { Entry } from "../../src/domain/command.ts";
import { JournalUnavailable } from "../../src/journal/journal.ts";
import type { OpenedRedisJournal } from "./journal-redis.ts";
import type { Random } from "./lobby-random.ts";

export class Account {
  readonly done = new Set<number>();
  /** Refused: surely not done, or perhaps. */
  readonly refused = new Set<number>();
  readonly uncertain = new Set<number>();
  #n = 0;

  /** Appends one number after the other, with breaks. Ends when it is told to. */
  async write(node: OpenedRedisJournal, random: Random, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const n = ++this.#n;
      try {
        await node.append(n);
        this.done.add(n);
      } catch (problem) {
        if (!(problem instanceof JournalUnavailable)) throw problem;
        (problem.uncertain ? this.uncertain : this.refused).add(n);
      }
      if (random.chance(0.3)) await Bun.sleep(random.below(4));
    }
  }

  /** What is wrong with what one node has applied, a line each. */
  faultsOf(entries: readonly Entry[]): string[] {
    const counts = new Map<number, number>();
    for (const { command } of withoutRepeats(entries)) {
      const n = command.type === "end_wait" ? command.user : 0;
      counts.set(n, (counts.get(n) ?? 0) + 1);
    }
    return [
      ...[...counts].flatMap(([n, count]) => (count > 1 ? [`${n} was done ${count} times`] : [])),
      ...[...this.done].flatMap((n) => (counts.has(n) ? [] : [`${n} was answered and is lost`])),
      ...[...this.refused].flatMap((n) => (counts.has(n) ? [`${n} was refused and was done`] : [])),
      ...[...counts.keys()].flatMap((n) =>
        this.done.has(n) || this.uncertain.has(n) ? [] : [`nobody knows where ${n} comes from`],
      ),
    ];
  }
}

/** The entries that count: those of a node with a number it has gone past do not, as the lobby has it. */
function withoutRepeats(entries: readonly Entry[]): Entry[] {
  const last = new Map<string, number>();
  return entries.filter(({ origin }) => {
    if (origin === undefined || origin.n <= (last.get(origin.node) ?? 0)) return false;
    last.set(origin.node, origin.n);
    return true;
  });
}

/** Where two nodes have applied something else first; undefined = nowhere. */
export function differenceOf(one: readonly Entry[], other: readonly Entry[]): string | undefined {
  const texts = [one, other].map((entries) => entries.map((entry) => JSON.stringify(entry)));
  const length = Math.max(one.length, other.length);
  for (let i = 0; i < length; i++) {
    if (texts[0]?.[i] !== texts[1]?.[i]) return `entry ${i}: ${texts[0]?.[i]} and ${texts[1]?.[i]}`;
  }
  return undefined;
}
