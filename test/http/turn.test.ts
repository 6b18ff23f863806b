/** Requests that arrive together are handled together, in the order of their arrival. */
import { expect, test } from "bun:test";
import { Turn } from "../../src/http/turn.ts";

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
