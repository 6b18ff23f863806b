/** The count of how often somebody does something: bursts, the long run, and what is forgotten. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { TokenBuckets } from "../../src/mcp/token-buckets.ts";

test("a burst, then so many a second, each caller for themselves", () => {
  const buckets = new TokenBuckets(2, 3);
  expect([0, 0, 0].map(() => buckets.take("a", 0))).toEqual([0, 0, 0]);
  expect(buckets.take("a", 0)).toBe(500);
  expect(buckets.take("a", 200)).toBe(300);
  expect(buckets.take("b", 200)).toBe(0);
  expect(buckets.take("a", 500)).toBe(0);
  expect(buckets.take("a", 500)).toBe(500);
});

test("who waits as told is served, and nobody is ever served more often than allowed", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(2000)), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (taken) => {
      const buckets = new TokenBuckets(2, 3);
      const served = new Map<string, number[]>();
      let now = 0;
      for (const [key, passed] of taken) {
        now += passed;
        const wait = buckets.take(key, now);
        const at = wait === 0 ? now : now + wait;
        if (wait > 0) expect(buckets.take(key, at)).toBe(0);
        now = at;
        const times = served.get(key) ?? [];
        times.push(now);
        served.set(key, times);
        const window = times.filter((time) => time > now - 5000).length;
        expect(window).toBeLessThanOrEqual(3 + 5 * 2);
      }
    }),
  );
});

test("looking takes nothing, and tells what taking would", () => {
  const buckets = new TokenBuckets(2, 1);
  expect([buckets.delay("a", 0), buckets.delay("a", 0), buckets.size]).toEqual([0, 0, 0]);
  buckets.take("a", 0);
  expect([buckets.delay("a", 0), buckets.delay("a", 300), buckets.delay("b", 0)]).toEqual([500, 200, 0]);
  expect([buckets.delay("a", 500), buckets.take("a", 500)]).toEqual([0, 0]);
});

test("callers made at will are bounded: the longest-unused one is forgotten", () => {
  const buckets = new TokenBuckets(0.001, 2, 3);
  for (const key of ["a", "b", "a", "c", "d", "e"]) buckets.take(key, 0);
  expect(buckets.size).toBe(3);
  expect([buckets.delay("a", 0), buckets.take("c", 0), buckets.take("c", 0)]).toEqual([0, 0, 1_000_000]);
});

test("those who have not called for a while are forgotten", () => {
  const buckets = new TokenBuckets(2, 10);
  for (let i = 0; i < 1000; i++) buckets.take(`user ${i}`, i);
  expect(buckets.size).toBe(1000);
  buckets.take("late", 10_000);
  expect(buckets.size).toBe(1);
});
