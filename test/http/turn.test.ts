/** Requests that arrive together are handled together, in the order in which they were read, and for a bounded time. */
import { expect, test } from "bun:test";
import { Turn } from "../../src/http/turn.ts";
import { TURN_MS_MAX } from "../../src/limits.ts";

/** The next round of the event loop, behind what was asked for in this one. */
const nextRound = () => Promise.resolve().then(() => new Promise<void>((resolve) => setImmediate(resolve)));

test("everybody of one round goes on at once, in the order of arrival", async () => {
  const turn = new Turn(() => 0);
  const done: string[] = [];
  const arrive = (name: string) => turn.after(Promise.resolve(name), (read) => done.push(read));
  void arrive("a");
  void arrive("b");
  await Promise.resolve();
  void arrive("c");
  await Promise.resolve();
  expect(done).toEqual([]);
  await nextRound();
  expect(done).toEqual(["a", "b", "c"]);
});

test("who is read later waits for the next round", async () => {
  const turn = new Turn(() => 0);
  const done: string[] = [];
  let read: (name: string) => void = () => undefined;
  const reading = new Promise<string>((resolve) => {
    read = resolve;
  });
  const second = turn.after(reading, (name) => done.push(name));
  await turn.after(Promise.resolve("first"), (name) => done.push(name));
  read("second");
  await Promise.resolve();
  expect(done).toEqual(["first"]);
  expect(await second).toBe(2);
  expect(done).toEqual(["first", "second"]);
});

test("of many that arrive together one round takes what it has time for, in the order of arrival", async () => {
  let now = 0;
  const turn = new Turn(() => now);
  const done: number[] = [];
  const arrive = (n: number) =>
    turn.after(Promise.resolve(n), (read) => {
      now += TURN_MS_MAX / 4;
      done.push(read);
    });
  for (let n = 0; n < 9; n++) void arrive(n);
  await nextRound();
  expect(done).toEqual([0, 1, 2, 3]);
  // Who comes now is behind those who have not had their turn.
  void arrive(9);
  await nextRound();
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  await nextRound();
  expect(done).toEqual(Array.from({ length: 10 }, (_, n) => n));
});

test("one that takes longer than a turn has a turn of its own", async () => {
  let now = 0;
  const turn = new Turn(() => now);
  const done: number[] = [];
  for (let n = 0; n < 3; n++) {
    void turn.after(Promise.resolve(n), (read) => {
      now += 10 * TURN_MS_MAX;
      done.push(read);
    });
  }
  for (const so of [[0], [0, 1], [0, 1, 2]]) {
    await nextRound();
    expect(done).toEqual(so);
  }
});

test("what fails concerns nobody else, and answers may come later", async () => {
  const turn = new Turn(() => 0);
  const failed = turn.after(Promise.resolve(), () => {
    throw new Error("a bug");
  });
  const later = turn.after(Promise.resolve("later"), (read) => nextRound().then(() => read));
  expect(failed).rejects.toThrow("a bug");
  expect(await later).toBe("later");
});
