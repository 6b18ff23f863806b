/**
 * What a step costs, counted instead of timed: every look into one of the lobby's tables and every
 * number taken from one of its lists.
 *
 * This file owns the counting. The product knows nothing of it: tables are exchanged for counting ones,
 * lists are watched while something is counted.
 */
import { ArrivalOrder } from "../../src/domain/arrival-order.ts";
import { RankedList } from "../../src/domain/ranked-list.ts";
import type { Lobby } from "../../src/domain/state.ts";

/** Looks since the counting began. */
let looks = 0;

class CountingMap<K, V> extends Map<K, V> {
  override get(key: K): V | undefined {
    looks++;
    return super.get(key);
  }
  override has(key: K): boolean {
    looks++;
    return super.has(key);
  }
  override *entries(): MapIterator<[K, V]> {
    yield* counted(super.entries());
  }
  override *keys(): MapIterator<K> {
    yield* counted(super.keys());
  }
  override *values(): MapIterator<V> {
    yield* counted(super.values());
  }
  override [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }
}

function* counted<T>(items: Iterable<T>): Generator<T, undefined, unknown> {
  for (const item of items) {
    looks++;
    yield item;
  }
}

/** Exchanges the tables of a lobby, and those of its parts, for counting ones. */
export function makeCounting(lobby: Lobby): Lobby {
  for (const part of [lobby, lobby.queue, lobby.transcripts, lobby.banned, lobby.addresses]) {
    for (const [name, value] of Object.entries(part))
      if (value instanceof Map) Object.assign(part, { [name]: new CountingMap(value) });
  }
  return lobby;
}

/** How many looks something takes. */
export function countLooks(run: () => void): number {
  const restore = [
    watch(RankedList.prototype, Symbol.iterator),
    watch(RankedList.prototype, "after"),
    watch(ArrivalOrder.prototype, Symbol.iterator),
  ];
  looks = 0;
  try {
    run();
  } finally {
    for (const one of restore) one();
  }
  return looks;
}

/** Counts what a generator method yields. @returns what ends it */
function watch<N extends string | symbol>(
  type: Record<N, (...args: never[]) => Iterable<number>>,
  name: N,
): () => void {
  const original = type[name];
  type[name] = function (this: unknown, ...args: never[]): Generator<number, undefined, unknown> {
    return counted(original.apply(this, args));
  };
  return () => {
    type[name] = original;
  };
}
