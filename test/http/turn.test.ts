/** Requests that arrive together are handled together, in the order of their arrival. */
import { expect, test } from "bun:test";
import { Turn } from "../../src/http/turn.ts";
import { REQUESTS_PER_TURN_MAX } from "../../src/limits.ts";

const nextRound = () => new Promise<void>((resolve) => setImmediate(resolve));

test("everybody of one round goes on at once, in the order of arrival", async () => {
  const turn = new Turn();
  const done: string[] = [];
  const arrive = (name: string) => turn.next().then(() => done.push(name));
  arrive("a");
  arrive("b");
  await Promise.resolve();
  arrive("c");
  await Promise.resolve();
  expect(done).toEqual([]);
  await nextRound();
  expect(done).toEqual(["a", "b", "c"]);
});

test("who comes later waits for the next round", async () => {
  const turn = new Turn();
  const first = turn.next();
  expect(turn.next()).toBe(first);
  await first;
  const second = turn.next();
  expect(second).not.toBe(first);
  let isOver = false;
  void second.then(() => {
    isOver = true;
  });
  await Promise.resolve();
  expect(isOver).toBe(false);
  await second;
});

test("of many that arrive together one round takes so many, in the order of arrival", async () => {
  const turn = new Turn();
  const done: number[] = [];
  const count = 2 * REQUESTS_PER_TURN_MAX + 1;
  for (let n = 0; n < count; n++) turn.next().then(() => done.push(n));
  await nextRound();
  expect(done).toHaveLength(REQUESTS_PER_TURN_MAX);
  // Who comes now is behind those who have not had their turn.
  turn.next().then(() => done.push(count));
  await nextRound();
  expect(done).toHaveLength(2 * REQUESTS_PER_TURN_MAX);
  await nextRound();
  expect(done).toEqual(Array.from({ length: count + 1 }, (_, n) => n));
});
