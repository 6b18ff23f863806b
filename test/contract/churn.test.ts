/**
 * Connections that break all the time while people talk: whoever says where they were gets exactly
 * what came after it, whoever does not gets everything at least once.
 *
 * This file owns broken connections in the middle of things. It must never import from src.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { z } from "zod";
import { modernRequest, pairUp, RawModern, RawSession } from "../support/client-raw.ts";
import { httpText, RawSocket } from "../support/client-socket.ts";
import { type Program, startProgram } from "../support/program.ts";

const PAIRS = 20;
const MESSAGES = 60;
const TEST_MS_MAX = 60_000;

let server: Program;
beforeAll(async () => {
  const args = "--rate-messages-per-second 0 --loop-messages-max 0 --grace-seconds 600".split(" ");
  server = await startProgram({ kind: "source", args });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  expect(server.stderr).not.toContain("error");
});

const EXPECTED = Array.from({ length: MESSAGES }, (_, n) => `message ${n}`);

async function speak(speaker: RawModern): Promise<void> {
  for (const message of EXPECTED) {
    const { isError, said } = await speaker.call("send_message", { message });
    if (isError) throw new Error(said);
  }
}

/** How much is read between two breaks: the same in every run, different from one listener to the next. */
function* portions(seed: number): Generator<number, never> {
  for (let n = seed + 1; ; n = (n * 48_271) % 2_147_483_647) yield n % 7;
}

interface Heard {
  readonly id: string;
  readonly text: string;
}

/** Listens on streams that each break after a few events. @returns all that was heard, repetitions too */
async function listenBrokenly(session: RawSession, seed: number, resumes: boolean): Promise<Heard[]> {
  const heard: Heard[] = [];
  let lastEventId: string | undefined;
  for (const portion of portions(seed)) {
    await using stream = await session.stream(resumes ? lastEventId : undefined);
    // Without a position a stream starts over, so that a fixed portion would never come to the end.
    const count = resumes ? portion : portion * 20;
    for (let n = 0; n < count; n++) {
      const { id, method, params } = await stream.next();
      lastEventId = id;
      if (method !== "message.received") continue;
      heard.push({ id: String(params.event_id), text: String(params.message) });
      if (params.message === EXPECTED.at(-1)) return heard;
    }
  }
  throw new Error("portions never end");
}

async function chat(resumes: boolean, seed: number): Promise<Heard[]> {
  const [ann, bob] = [await RawSession.open(server.url), new RawModern(server.url)];
  await meet(ann, bob);
  const [heard] = await Promise.all([listenBrokenly(ann, seed, resumes), speak(bob)]);
  return heard;
}

/** Pairs form one at a time, as `pairUp` wants the queue for itself. */
let meeting = Promise.resolve<unknown>(undefined);
function meet(a: RawSession | RawModern, b: RawModern): Promise<unknown> {
  meeting = meeting.then(() => pairUp(a, b));
  return meeting;
}

const SEEDS = Array.from({ length: PAIRS }, (_, n) => n);

test(
  "streams that break and resume with Last-Event-ID give everything exactly once",
  async () => {
    for (const heard of await Promise.all(SEEDS.map((seed) => chat(true, seed)))) {
      expect(heard.map(({ text }) => text)).toEqual(EXPECTED);
    }
  },
  TEST_MS_MAX,
);

test(
  "streams that break and start over give everything, and repetitions have the same id",
  async () => {
    for (const heard of await Promise.all(SEEDS.map((seed) => chat(false, seed)))) {
      const byId = new Map(heard.map(({ id, text }) => [id, text]));
      expect([...byId.values()]).toEqual(EXPECTED);
    }
  },
  TEST_MS_MAX,
);

const waited = z.object({
  events: z.array(z.object({ name: z.string(), data: z.looseObject({}) })),
  cursor: z.string(),
  truncated: z.literal(false),
});

test(
  "calls that are cut off while they are held take nothing with them",
  async () => {
    const listen = async (seed: number): Promise<string[]> => {
      const [ann, bob] = [new RawModern(server.url), new RawModern(server.url)];
      await meet(ann, bob);
      const speaking = speak(bob);
      const heard: string[] = [];
      // Nobody can tell an answer that was read from one that was written to a dead connection: who names a cursor is safe.
      let after = String((await ann.call("chat_status")).structured.cursor);
      for (const portion of portions(seed)) {
        for (let n = 0; n < portion; n++) await cutWait(ann, after, n % 2 === 0);
        const { structured } = await ann.call("wait_for_message", { timeout_seconds: 5, after });
        const { events, cursor } = waited.parse(structured);
        after = cursor;
        for (const { name, data } of events) if (name === "message.received") heard.push(String(data.message));
        if (heard.at(-1) === EXPECTED.at(-1)) break;
      }
      await speaking;
      return heard;
    };
    for (const heard of await Promise.all(SEEDS.map(listen))) expect(heard).toEqual(EXPECTED);
  },
  TEST_MS_MAX,
);

/** Calls `wait_for_message` and resets the connection at once, or when the server has begun to answer. */
async function cutWait(caller: RawModern, after: string, atOnce: boolean): Promise<void> {
  // So long that a held call begins its event stream at once.
  const args = { timeout_seconds: 300, session_token: caller.token, after };
  const { body, headers } = modernRequest(1, "tools/call", { name: "wait_for_message", arguments: args });
  await using socket = await RawSocket.open(server.port);
  const accept = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  socket.write(httpText("POST /mcp HTTP/1.1", { ...headers, ...accept }, JSON.stringify(body)));
  if (!atOnce) await socket.until((text) => text !== "");
  socket.reset();
  await socket.over;
}
