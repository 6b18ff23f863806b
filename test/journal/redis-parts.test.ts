/**
 * Parts of the journal in Redis that need no Redis: the clock, and the memory of the latest turns.
 */
import { describe, expect, test } from "bun:test";
import { RedisClock } from "../../src/journal/redis-clock.ts";
import { RecentTurns } from "../../src/journal/redis-recent.ts";
import { compareIds } from "../../src/journal/redis-stream.ts";
import { RECENT_CHARS_MAX } from "../../src/journal-limits.ts";
import { Random } from "../support/lobby-random.ts";

describe("the clock of Redis", () => {
  test("is never ahead, and behind by no more than the quickest way took lately", () => {
    const random = new Random(7);
    let local = 1000;
    const clock = new RedisClock(() => local);
    for (let i = 0; i < 2000; i++) {
      const offset = 1_700_000_000_000 + i / 1000;
      const askedAt = local;
      local += random.below(40);
      const time = Math.floor(local + offset);
      local += 2 + random.below(60);
      clock.heard(time, askedAt);
      expect(clock.now()).toBeLessThanOrEqual(local + offset);
      if (i > 100) expect(clock.now()).toBeGreaterThan(local + offset - 15);
    }
  });

  test("goes back when that of Redis does, so that nobody waits for a time that is over", () => {
    let local = 0;
    const clock = new RedisClock(() => local);
    clock.heard(1_000_000, 0);
    local = 60_000;
    expect(clock.now()).toBe(1_060_000);
    // Redis gives no entry an earlier time than the last one: it stands still until it has caught up.
    clock.heard(1_000_500, 59_990);
    expect(clock.now()).toBe(1_000_500);
  });

  test("is the machine's own before anything is known", () => {
    expect(Math.abs(new RedisClock().now() - Date.now())).toBeLessThan(1000);
  });
});

test("ids are ordered by time and then by number, not as text", () => {
  const ids = ["0-0", "5-2", "5-10", "5-18446744073709551615", "10-0", "1700000000000-0"];
  expect(ids.toReversed().toSorted(compareIds)).toEqual(ids);
  expect(compareIds("5-2", "5-2")).toBe(0);
});

describe("the latest turns", () => {
  const turn = (n: number, chars = 1) => ({ id: `${n}-0`, kind: "turn1", text: "x".repeat(chars) });

  test("are given back from any place that is remembered, and else not at all", () => {
    const recent = new RecentTurns();
    recent.restart("3-0");
    for (let n = 4; n < 10; n++) recent.add(turn(n));
    expect(recent.after("3-0")?.map(({ id }) => id)).toEqual(["4-0", "5-0", "6-0", "7-0", "8-0", "9-0"]);
    expect(recent.after("7-0")?.map(({ id }) => id)).toEqual(["8-0", "9-0"]);
    expect(recent.after("9-0")).toEqual([]);
    for (const unknown of ["2-0", "0-0", "7-1", "12-0"]) expect(recent.after(unknown)).toBeUndefined();
  });

  test("are forgotten from the oldest on, and what is left is whole", () => {
    const recent = new RecentTurns();
    recent.restart("0-0");
    const chars = RECENT_CHARS_MAX / 4096;
    for (let n = 1; n <= 20_000; n++) recent.add(turn(n, chars));
    const first = 20_000 - 4096;
    expect(recent.after(`${first - 1}-0`)).toBeUndefined();
    const rest = recent.after(`${first}-0`) ?? [];
    expect(rest).toHaveLength(4096);
    expect(rest.every(({ text }) => text.length === chars)).toBe(true);
  });
});
