/** What nodes tell each other: lost whispers are said again, nobody waits for long, and nothing stays behind. */
import { expect, test } from "bun:test";
import { AlarmClock } from "../../src/chat/alarm-clock.ts";
import { NodePeers } from "../../src/chat/peers.ts";
import { PEERS_ASKED_MAX, PEERS_WAIT_MS_MAX } from "../../src/limits.ts";
import type { Json } from "../../src/mcp/registry.ts";
import { HandClock, settled } from "../support/chat-world.ts";
import { SharedMemory } from "../support/shared-journal.ts";

/** Two or more nodes that only whisper. */
function setUp(count = 2) {
  const clock = new HandClock();
  const shared = new SharedMemory(1, () => clock.now());
  const nodes = Array.from({ length: count }, () => {
    const journal = shared.open();
    const heard: Json[] = [];
    const bugs: unknown[] = [];
    const onBug = (bug: unknown): void => void bugs.push(bug);
    const peers = new NodePeers(journal, new AlarmClock(clock), () => count - 1, onBug);
    peers.listen((_topic, message) => void heard.push(message));
    return { journal, peers, heard, bugs };
  });
  const [one, ...others] = nodes;
  if (one === undefined) throw new Error("no node");
  return { clock, shared, one, others };
}

/** Lets whispers arrive, and their answers. */
async function calm(): Promise<void> {
  for (let rounds = 0; rounds < 6; rounds++) await new Promise((resolve) => setImmediate(resolve));
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  void promise.then(() => {
    is = true;
  });
  await settled();
  return is;
}

test("who asks goes on when all others have heard", async () => {
  const { one, others } = setUp(3);
  const asked = one.peers.ask("t", { n: 1 });
  expect(await isSettled(asked)).toBe(false);
  await calm();
  expect(await isSettled(asked)).toBe(true);
  expect(others.map(({ heard }) => heard)).toEqual([[{ n: 1 }], [{ n: 1 }]]);
  expect(one.heard).toEqual([]);
});

test("a question is taken in when whoever listens is done with it", async () => {
  const { one, others } = setUp();
  const done = Promise.withResolvers<void>();
  others[0]?.peers.listen(() => done.promise);
  const asked = one.peers.ask("t", 1);
  await calm();
  expect(await isSettled(asked)).toBe(false);
  done.resolve();
  await calm();
  expect(await isSettled(asked)).toBe(true);
});

test("what was lost is said again, and nobody waits for it", async () => {
  const { clock, shared, one, others } = setUp();
  shared.down();
  const asked = one.peers.ask("t", "lost");
  await calm();
  await clock.pass(PEERS_WAIT_MS_MAX);
  expect(await isSettled(asked)).toBe(true);
  shared.up();
  await clock.pass(1000);
  await calm();
  expect(others[0]?.heard).toEqual(["lost"]);
  await clock.pass(60_000);
  await calm();
  // It was heard, so it is not said a third time.
  expect(others[0]?.heard).toEqual(["lost"]);
  expect(clock.timers).toBe(0);
});

test("somebody who never answers costs three whispers, and a full table nothing but the asking", async () => {
  const { clock, one, others } = setUp();
  const [silent] = others;
  silent?.journal.kill();
  const asked = Array.from({ length: PEERS_ASKED_MAX + 1 }, (_, n) => one.peers.ask("t", n));
  expect(await isSettled(asked.at(-1) ?? Promise.reject(new Error("nothing")))).toBe(true);
  expect(await isSettled(asked[0] ?? Promise.reject(new Error("nothing")))).toBe(false);
  await clock.pass(10_000);
  await Promise.all(asked);
  expect(clock.timers).toBe(0);
});

test("a listener that fails is a bug to be heard of, and not the end of the process", async () => {
  const { one, others } = setUp();
  const bug = new Error("a bug");
  others[0]?.peers.listen(() => {
    throw bug;
  });
  one.peers.tell("t", 1);
  void one.peers.ask("t", 2);
  await calm();
  expect(others[0]?.bugs).toEqual([bug, bug]);
});

test("one that is alone waits for nobody", async () => {
  const { one } = setUp(1);
  expect(await isSettled(one.peers.ask("t", 1))).toBe(true);
});
