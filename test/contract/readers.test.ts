/**
 * Readers that do not read, and readers to whom nothing is said.
 *
 * This file owns what a bad connection may cost the server and the others. It must never import from
 * src.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { slowTest } from "../support/client-optional.ts";
import {
  type HeaderFields,
  type Json,
  modernRequest,
  pairUp,
  post,
  RawModern,
  RawSession,
} from "../support/client-raw.ts";
import { httpText, RawSocket } from "../support/client-socket.ts";
import { type Program, startProgram } from "../support/program.ts";

let server: Program;
beforeAll(async () => {
  const args = "--rate-messages-per-second 0 --loop-messages-max 0 --grace-seconds 600".split(" ");
  server = await startProgram({ kind: "source", args });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

const MIB = 2 ** 20;

/** Memory of the server's process in bytes, where the system shows it. */
function memory(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** A stream whose reader takes nothing after the head of the response. */
async function stalledStream(session: RawSession): Promise<RawSocket> {
  const socket = await RawSocket.open(server.port);
  socket.write(httpText("GET /mcp HTTP/1.1", { ...session.headers, accept: "text/event-stream" }));
  await socket.until((text) => text.includes("\r\n\r\n"));
  socket.pause();
  return socket;
}

test("a reader that stalls is cut before it costs memory, and later resumes with what is kept", async () => {
  const [ann, bob] = [await RawSession.open(server.url), new RawModern(server.url)];
  await using _stalled = await stalledStream(ann);
  await pairUp(ann, bob);
  const before = memory();
  // Four bytes each: 16 kB a message, 48 MB in all, far beyond what the kernel keeps for a connection.
  const long = "\u{1f40c}".repeat(3990);
  let sent = 0;
  let delivery: unknown = "pushed";
  while (delivery === "pushed" && sent < 3000) {
    const { structured, isError } = await bob.call("send_message", { message: `${++sent} ${long}` });
    expect(isError).toBe(false);
    delivery = structured.delivery;
  }
  expect(delivery).toBe("queued");
  const { structured } = await bob.call("wait_for_message", { timeout_seconds: 5 });
  expect(structured.events).toMatchObject([{ name: "chatroom.found" }, { name: "partner.away" }]);
  for (let n = 0; n < 200; n++) await bob.call("send_message", { message: `${++sent} ${long}` });
  expect(memory() - before).toBeLessThan(150 * MIB);

  await using stream = await ann.stream();
  expect(await stream.next()).toMatchObject({
    method: "notifications/resources/updated",
    params: { uri: "chat://inbox" },
  });
  const numbers: number[] = [];
  while (numbers.at(-1) !== sent) numbers.push(Number.parseInt(String((await stream.next()).params.message), 10));
  expect(numbers.length).toBeGreaterThan(3);
  expect(numbers).toEqual(numbers.map((_, n) => sent - numbers.length + 1 + n));
}, 60_000);

test("a hundred stalled readers cost less than what they were sent, and nobody else waits for them", async () => {
  const long = "\u{1f40c}".repeat(3990);
  const stalled: RawSocket[] = [];
  const speakers: RawModern[] = [];
  for (let n = 0; n < 100; n++) {
    const [ann, bob] = [await RawSession.open(server.url), new RawModern(server.url)];
    stalled.push(await stalledStream(ann));
    await pairUp(ann, bob);
    speakers.push(bob);
  }
  const before = memory();
  for (let round = 0; round < 20; round++) {
    await Promise.all(speakers.map((bob) => bob.call("send_message", { message: `${round} ${long}` })));
  }
  expect(memory() - before).toBeLessThan(200 * MIB);
  const [ann, bob] = [await RawSession.open(server.url), new RawModern(server.url)];
  await using stream = await ann.stream();
  await pairUp(ann, bob);
  await stream.take(1);
  const asked = performance.now();
  await bob.call("send_message", { message: "quick" });
  expect(await stream.next()).toMatchObject({ params: { message: "quick" } });
  expect(performance.now() - asked).toBeLessThan(1000);
  for (const socket of stalled) {
    socket.reset();
    await socket.over;
  }
}, 60_000);

const QUIET_MS = 65_000;

slowTest(
  "a quiet stream outlives a minute",
  async () => {
    const [ann, bob] = [await RawSession.open(server.url), new RawModern(server.url)];
    await using stream = await ann.stream();
    await pairUp(ann, bob);
    await stream.take(1);
    // Waits for time to pass, as that is what is tested: connections are idle for longer than any timeout of a minute.
    await Bun.sleep(QUIET_MS);
    await bob.call("send_message", { message: "still there?" });
    expect(await stream.next()).toMatchObject({ params: { message: "still there?" } });
  },
  QUIET_MS + 30_000,
);

slowTest(
  "a call held for a patient client outlives a minute, with and without progress; a plain one is answered before",
  async () => {
    const patient = { "io.modelcontextprotocol/clientInfo": { name: "claude-code", version: "1" } };
    const [plain, quiet, shown] = await Promise.all([
      heldCall({ accept: "application/json" }, patient),
      heldCall({}, patient),
      heldCall({}, { ...patient, progressToken: "p" }),
    ]);
    for (const text of [plain, quiet, shown]) expect(text).toContain('"timed_out":true');
    expect(plain).toStartWith("{");
    expect(quiet).not.toContain("notifications/progress");
    expect(shown.match(/"method":"notifications\/progress"/g)?.length).toBeGreaterThanOrEqual(6);
  },
  QUIET_MS + 30_000,
);

/** Waits as somebody new, for as long as the server lets a client of this `_meta` wait. @returns the body of the answer */
async function heldCall(headers: HeaderFields, meta: Json): Promise<string> {
  const caller = new RawModern(server.url);
  await caller.call("enter_queue", { kind: "human", partner_kind: "agent" });
  const args = { session_token: caller.token, timeout_seconds: QUIET_MS / 1000 };
  const params = { name: "wait_for_message", arguments: args };
  const request = modernRequest("held", "tools/call", params);
  const envelope = z.object({ params: z.object({ _meta: z.record(z.string(), z.unknown()) }) }).parse(request.body);
  const body = { ...request.body, params: { ...params, _meta: { ...envelope.params._meta, ...meta } } };
  return (await post(server.url, body, { ...request.headers, ...headers })).text;
}
