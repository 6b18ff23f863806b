/**
 * The whole server on a data directory, killed at any moment while official clients of both eras chat in
 * pairs: seen from outside, every message is accounted for.
 *
 * This file owns the counting. What survivors do is in test/support/survivors.ts.
 */
import { expect, test } from "bun:test";
import { createServer } from "node:net";
import type { ChatEvent, Flavour } from "../support/client-flavours.ts";
import { slowTest } from "../support/client-optional.ts";
import { Random } from "../support/lobby-random.ts";
import { type Program, startProgram, temporaryFolder } from "../support/program.ts";
import { Survivor } from "../support/survivors.ts";

const PAIRS: readonly (readonly [Flavour, Flavour])[] = [
  ["v1", "v1"],
  ["v1", "v2-pinned"],
  ["v2-pinned", "v2-legacy"],
];
/** How long clients may take to hear what they have not heard, at the end. */
const DRAIN_MS_MAX = 20_000;

/** A port that is free now; the server comes back to it again and again. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

/** Kills the server so many times, at moments that a seed chooses, and checks every message at the end. */
async function outlive(kills: number, seed: number, settings: readonly string[] = []): Promise<void> {
  const random = new Random(seed);
  const data = temporaryFolder();
  const port = await freePort();
  const args = ["--data", data, "--port", String(port), "--rate-messages-per-second", "0", "--widen-seconds", "86400"];
  const start = (): Promise<Program> => startProgram({ kind: "source", args: [...args, ...settings] });
  const pairs = PAIRS.map(([one, other], i) => [new Survivor(`ann${i}`, one), new Survivor(`bob${i}`, other)] as const);
  const people = pairs.flat();

  let server = await start();
  await Promise.all(people.map((person) => person.come(server.url)));
  await Promise.all(
    pairs.map(async (pair, i) => {
      for (const person of pair) expect((await person.enter([`pair ${i}`])).isError).toBe(false);
    }),
  );
  for (let kill = 0; kill < kills; kill++) {
    let isDead = false;
    const talks = people.map((person) => person.talk(() => isDead));
    // Sometimes at once, in the middle of coming back.
    await Bun.sleep(random.pick([0, 20, 100, 300]) + random.below(100));
    server.kill("SIGKILL");
    isDead = true;
    await server.exited;
    await Promise.all(talks);
    await Promise.all(people.map((person) => person.leave()));
    server = await start();
    await Promise.all(people.map((person) => person.come(server.url)));
  }
  await Promise.all(people.map((person) => person.sendPending()));
  for (const [one, other] of pairs) {
    await drain(one, other);
    await drain(other, one);
    account(one, other);
    account(other, one);
  }
  // Non-vacuity: people spoke in every life, and answers were lost on the way.
  expect(people.every(({ acknowledged }) => acknowledged.length > kills)).toBe(true);
  expect(people.reduce((sum, { retries }) => sum + retries, 0)).toBeGreaterThan(0);
  await Promise.all(people.map((person) => person.leave()));
  expect(await server.stop()).toBe(0);
}

const messagesOf = (heard: readonly ChatEvent[]): ChatEvent[] =>
  heard.filter(({ name }) => name === "message.received");

/** Waits until somebody has heard everything that was acknowledged to their partner. */
async function drain(listener: Survivor, speaker: Survivor): Promise<void> {
  const end = performance.now() + DRAIN_MS_MAX;
  const last = speaker.acknowledged.at(-1)?.text;
  while (!messagesOf(listener.heard).some(({ data }) => data.message === last)) {
    if (performance.now() > end) throw new Error(`${listener.name} does not hear "${last}"`);
    await Bun.sleep(10);
  }
}

/** Acknowledged means delivered once, in order; nothing is invented; nobody was told that anybody has gone. */
function account(listener: Survivor, speaker: Survivor): void {
  const events = [...new Map(listener.heard.map((event) => [event.event_id, event])).values()];
  const messages = messagesOf(events);
  const texts = messages.map(({ data }) => String(data.message));
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.filter((text) => !speaker.attempted.has(text))).toEqual([]);
  const ids = new Map(messages.map(({ data }) => [data.message, data.message_id]));
  const lost = speaker.acknowledged.filter(({ text, messageId }) => ids.get(text) !== messageId);
  expect(lost).toEqual([]);
  const numbers = messages.map(({ data }) => Number(data.seq));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(texts).toEqual(speaker.acknowledged.map(({ text }) => text).slice(0, texts.length));
  expect(events.filter(({ name }) => name === "chatroom.found")).toHaveLength(1);
  expect(events.filter(({ name }) => name === "partner.disconnected")).toEqual([]);
}

test("a server killed five times under load: every message is accounted for", () => outlive(5, 1), 60_000);

slowTest(
  "a server killed fifty times under load: every message is accounted for",
  async () => {
    await outlive(40, 2);
    await outlive(10, 3, ["--durability", "full"]);
  },
  400_000,
);
