/**
 * What the lobby is built from: heap, ranked list, buckets, ids and cursors, each against something
 * so simple that it must be right.
 *
 * This file owns the data structures alone. It must never need a lobby.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ArrivalOrder } from "../../src/domain/arrival-order.ts";
import type { Rate } from "../../src/domain/command.ts";
import { TimeHeap } from "../../src/domain/heap.ts";
import { makeCursor, makeEpoch, makeEventId, makeId, parseCursor } from "../../src/domain/ids.ts";
import { type Bucket, blockedEitherWay, delayOf, fullAt, takeFrom } from "../../src/domain/moderation.ts";
import { RankedList } from "../../src/domain/ranked-list.ts";
import { ENTROPY_CHARS } from "../../src/limits.ts";
import { Random } from "../support/lobby-random.ts";

describe("the heap", () => {
  test("gives the earliest first, ties by reference, like a sorted array", () => {
    const push = fc.record({ time: fc.nat(20), ref: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(fc.oneof(push, fc.constant("pop" as const)), { maxLength: 200 }), (actions) => {
        const heap = new TimeHeap();
        let sorted: { time: number; ref: number }[] = [];
        for (const action of actions) {
          if (action === "pop") {
            expect(heap.pop()).toBe(sorted.shift()?.ref);
          } else {
            heap.push(action.time, action.ref);
            sorted = [...sorted, action].sort((a, b) => a.time - b.time || a.ref - b.ref);
          }
          expect(heap.size).toBe(sorted.length);
          expect(heap.earliest).toBe(sorted[0]?.time);
        }
      }),
      { seed: 1 },
    );
  });

  test("an empty heap gives nothing, again and again", () => {
    const heap = new TimeHeap();
    expect([heap.pop(), heap.pop(), heap.earliest, heap.size]).toEqual([undefined, undefined, undefined, 0]);
    heap.push(5, 1);
    expect([heap.pop(), heap.pop(), heap.size]).toEqual([1, undefined, 0]);
  });
});

describe("the ranked list", () => {
  /** Does the same to a list and to a sorted array, and compares what can be seen. */
  function act(list: RankedList, sorted: number[], action: "add" | "delete", value: number): void {
    const at = sorted.findIndex((other) => other >= value);
    const index = at === -1 ? sorted.length : at;
    const isThere = sorted[index] === value;
    expect(list.rank(value)).toBe(index);
    if (action === "add") {
      expect(list.add(value)).toBe(!isThere);
      if (!isThere) sorted.splice(index, 0, value);
    } else {
      expect(list.delete(value)).toBe(isThere);
      if (isThere) sorted.splice(index, 1);
    }
    expect(list.size).toBe(sorted.length);
    expect(list.first).toBe(sorted[0]);
  }

  test("is a sorted array, for few numbers in any order", () => {
    const action = fc.tuple(fc.constantFrom("add" as const, "delete" as const), fc.nat(30));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
        const list = new RankedList();
        const sorted: number[] = [];
        for (const [what, value] of actions) act(list, sorted, what, value);
        expect([...list]).toEqual(sorted);
      }),
      { seed: 1 },
    );
  });

  test("is a sorted array, for so many numbers that they fill several chunks", () => {
    for (const [seed, spread] of [
      [1, 3000],
      [2, 100_000],
      [3, 1500],
    ] as const) {
      const random = new Random(seed);
      const list = new RankedList();
      const sorted: number[] = [];
      // Growing in a line, then at random, then shrinking to nothing.
      for (let i = 0; i < 1300; i++) act(list, sorted, "add", i * 2);
      for (let i = 0; i < 3000; i++) act(list, sorted, random.chance(0.7) ? "add" : "delete", random.below(spread));
      expect([...list]).toEqual(sorted);
      while (sorted.length > 0) act(list, sorted, "delete", sorted[random.below(sorted.length)] ?? 0);
      expect([...list]).toEqual([]);
      act(list, sorted, "add", 7);
      expect([...list]).toEqual([7]);
    }
  });

  test("splits in the middle as well as at the end", () => {
    const list = new RankedList();
    for (let i = 0; i < 2000; i++) list.add(2000 - i);
    for (let i = 0; i < 2000; i++) list.add(i + 0.5);
    expect(list.size).toBe(4000);
    expect([...list]).toEqual([...list].sort((a, b) => a - b));
    expect([list.rank(0), list.rank(1000), list.rank(5000)]).toEqual([0, 1999, 4000]);
  });
});

describe("the order of arrivals", () => {
  test("is that of a set, whatever is removed", () => {
    const random = new Random(7);
    const order = new ArrivalOrder();
    const set = new Set<number>();
    for (let i = 0; i < 20_000; i++) {
      const value = 1 + random.below(i < 10_000 ? 400 : 20);
      if (random.chance(0.55)) {
        expect(order.add(value)).toBe(!set.has(value));
        set.add(value);
      } else expect(order.delete(value)).toBe(set.delete(value));
      expect(order.first).toBe([...set][0]);
      expect([order.size, order.has(value)]).toEqual([set.size, set.has(value)]);
      if (i % 100 === 0) expect([...order]).toEqual([...set]);
    }
  });

  test("holds no more slots than twice its numbers and some, wherever they are removed", () => {
    for (const removed of ["first", "last"] as const) {
      const order = new ArrivalOrder();
      for (let i = 1; i <= 100_000; i++) order.add(i);
      for (let i = 1; i < 100_000; i++) {
        order.delete(removed === "first" ? i : 100_001 - i);
        if (order.slots > 2 * order.size + 64) throw new Error(`${order.slots} slots for ${order.size}`);
      }
      expect([...order]).toEqual([removed === "first" ? 100_000 : 1]);
    }
  });
});

describe("buckets", () => {
  /** Takes a token, as who asks first. Returns the delay and the bucket afterwards. */
  function take(bucket: Bucket | undefined, rate: Rate, times: number, now: number): [number, Bucket | undefined] {
    const delay = delayOf(bucket, rate, times, now);
    return delay === 0 ? [0, takeFrom(bucket, rate, times, now)] : [delay, bucket];
  }

  const bursts = fc.integer({ min: 1, max: 20 });
  const shares = fc.constantFrom(1, 2, 20);
  const pauses = fc.array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(2000)), { maxLength: 60 });

  test("R8: never less than nothing, and the time told is enough but not a millisecond too much", () => {
    const rates = fc.constantFrom(1, 2, 3, 5, 7, 50, 1000, 0.5, 0.25, 10 / 60, 10 / 3600);
    fc.assert(
      fc.property(rates, bursts, shares, pauses, (perSecond, burst, times, waits) => {
        const rate = { perSecond, burst };
        let bucket: Bucket | undefined;
        let now = 0;
        let taken = 0;
        for (const wait of waits) {
          now += wait;
          const [delay, after] = take(bucket, rate, times, now);
          bucket = after;
          expect(bucket?.milliTokens).toBeGreaterThanOrEqual(0);
          if (delay === 0) taken++;
          else {
            expect(delayOf(bucket, rate, times, now + delay - 1)).toBeGreaterThan(0);
            expect(delayOf(bucket, rate, times, now + delay)).toBe(0);
          }
        }
        expect(taken).toBeLessThanOrEqual((burst + (now / 1000) * perSecond) * times);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("R8: any rate an operator may write: the time told is enough", () => {
    const rates = fc.double({ min: 0.0001, max: 1000, noNaN: true });
    fc.assert(
      fc.property(rates, shares, fc.array(fc.nat(3000)), (perSecond, times, waits) => {
        const rate = { perSecond, burst: 1 };
        let bucket: Bucket | undefined;
        let now = 0;
        for (const wait of waits) {
          now += wait;
          const [delay, after] = take(bucket, rate, times, now);
          bucket = after;
          if (delay > 0) expect(delayOf(bucket, rate, times, now + delay)).toBe(0);
        }
      }),
      { seed: 1 },
    );
  });

  test("L4: a bucket says when it is full again, and is, and was not a moment before", () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 0.5, 4), bursts, shares, pauses, (perSecond, burst, times, waits) => {
        const rate = { perSecond, burst };
        let bucket: Bucket | undefined;
        let now = 0;
        for (const wait of waits) {
          now += wait;
          [, bucket] = take(bucket, rate, times, now);
        }
        const full = fullAt(bucket, rate, times);
        const tokensAt = (time: number): number => {
          let left = bucket === undefined ? undefined : { ...bucket };
          let tokens = 0;
          for (; delayOf(left, rate, times, time) === 0; tokens++) left = takeFrom(left, rate, times, time);
          return tokens;
        };
        expect(tokensAt(Math.ceil(full))).toBe(burst * times);
        if (bucket !== undefined) expect(tokensAt(Math.ceil(full) - 1)).toBeLessThan(burst * times);
      }),
      { seed: 1 },
    );
  });

  test("Q8: a block counts in both directions", () => {
    const [ann, bob] = [
      { ref: 1, address: undefined, blocked: new Map([[2, undefined]]), blockedAddresses: undefined },
      { ref: 2, address: undefined, blocked: undefined, blockedAddresses: undefined },
    ];
    expect(blockedEitherWay(ann, bob)).toBe(true);
    expect(blockedEitherWay(bob, ann)).toBe(true);
    expect(blockedEitherWay(bob, { ...ann, ref: 3 })).toBe(true);
    expect(blockedEitherWay({ ...bob, ref: 4 }, ann)).toBe(false);
  });
});

describe("ids and cursors", () => {
  const epoch = fc.stringMatching(/^[A-Za-z0-9_-]{8}$/);

  test("M1: a cursor says what was put into it", () => {
    fc.assert(
      fc.property(epoch, fc.nat(2 ** 31), (name, offset) => {
        expect(parseCursor(makeCursor(name, offset))).toEqual({ epoch: name, offset });
      }),
      { seed: 1 },
    );
  });

  test("M7: whatever text comes as a cursor, reading it does not throw, and only our own spelling counts", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string().map((end) => `c1.${end}`),
      fc.tuple(epoch, fc.string()).map(([name, end]) => `c1.${name}.${end}`),
    );
    fc.assert(
      fc.property(text, (cursor) => {
        const parsed = parseCursor(cursor);
        if (parsed !== undefined) expect(makeCursor(parsed.epoch, parsed.offset)).toBe(cursor);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test("M1: event ids follow from the position, and no two are the same", () => {
    const ids = new Set<string>();
    for (let offset = 0; offset < 5000; offset++) ids.add(makeEventId("epoch___", offset));
    for (let offset = 36 ** 4 - 100; offset < 36 ** 4 + 100; offset++) ids.add(makeEventId("epoch___", offset));
    expect(ids.size).toBe(5200);
    expect(makeEventId("epoch___", 7)).toBe(makeEventId("epoch___", 7));
  });

  test("R1: ids of one entry differ among each other and from those of other entries", () => {
    const entropies = ["a", "b"].map((c) => c.repeat(ENTROPY_CHARS));
    const ids = entropies.flatMap((entropy) => Array.from({ length: 100 }, (_, n) => makeId("room", entropy, n)));
    expect(new Set(ids).size).toBe(200);
    expect(makeEpoch("abcdefghijkl")).toBe("abcdefgh");
  });
});

describe("the randomness of these tests", () => {
  test("is the same for a seed, different for neighbours, and even", () => {
    const draw = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 8 }, () => random.next());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(new Set([0, 1, 2, 3, -1, 2 ** 31].flatMap(draw)).size).toBe(48);
    const counts = new Array<number>(10).fill(0);
    const random = new Random(5);
    for (let i = 0; i < 100_000; i++) {
      const n = random.below(10);
      counts[n] = (counts[n] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});
