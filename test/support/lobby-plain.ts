/**
 * Everything a lobby remembers as one text: two lobbies with the same text are the same, private parts
 * of their structures included.
 *
 * This file owns the text for tests. Making it empties the heaps: the lobby is of no use afterwards.
 */
import { TimeHeap } from "../../src/domain/heap.ts";
import type { Lobby } from "../../src/domain/state.ts";

export function emptyIntoText(lobby: Lobby): string {
  const numbers = new Map<object, number>();
  const words = (value: unknown): string => {
    if (typeof value !== "object" || value === null)
      return typeof value === "string" ? JSON.stringify(value) : `${value}`;
    // What is there twice must be there twice in the other lobby as well.
    const known = numbers.get(value);
    if (known !== undefined) return `#${known}`;
    numbers.set(value, numbers.size);
    if (value instanceof TimeHeap) return `heap(${drain(value).join()})`;
    // An array is its items, and so is everything that can be walked: a map, a set, a list of our own.
    if (Symbol.iterator in value) return `[${[...(value as Iterable<unknown>)].map(words).join()}]`;
    return `{${Object.entries(value).map(([key, one]) => `${key}:${words(one)}`)}}`;
  };
  return words(lobby);
}

function drain(heap: TimeHeap): string[] {
  const pairs: string[] = [];
  for (;;) {
    const time = heap.earliest;
    const ref = heap.pop();
    if (ref === undefined) return pairs;
    pairs.push(`${time}:${ref}`);
  }
}
