/**
 * Legacy push over raw HTTP: what was sent arrives, in order and exactly once on exactly one stream,
 * whatever becomes of the connections.
 *
 * This file owns the GET stream as a client sees it. It must never import from src.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Pushed, pairUp, RawModern, RawSession, type RawStream, read } from "../support/client-raw.ts";
import { type Program, startProgram } from "../support/program.ts";

let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source", args: ["--rate-messages-per-second", "0", "--grace-seconds", "60"] });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

/** Somebody with a legacy session, in a room with somebody who only calls tools. */
async function listenerAndSpeaker(revision = "2025-11-25"): Promise<{ ann: RawSession; bob: RawModern; room: string }> {
  const ann = await RawSession.open(server.url, revision);
  const bob = new RawModern(server.url);
  return { ann, bob, room: await pairUp(ann, bob) };
}

async function say(speaker: RawModern, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) {
    const { isError, said } = await speaker.call("send_message", { message: `message ${n}` });
    if (isError) throw new Error(said);
  }
}

function words(pushed: readonly Pushed[]): string[] {
  return pushed.map(({ method, params }) => (method === "message.received" ? String(params.message) : method));
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, n) => `message ${from + n}`);
}

test("a stream opened after the messages gets them all, in order, and goes on", async () => {
  const { ann, bob } = await listenerAndSpeaker();
  await say(bob, 1, 50);
  await using stream = await ann.stream();
  expect(words(await stream.take(51))).toEqual(["chatroom.found", ...numbered(1, 50)]);
  await say(bob, 51, 60);
  expect(words(await stream.take(10))).toEqual(numbered(51, 60));
});

test("a stream opened before anything else speaks as soon as there is a user", async () => {
  const ann = await RawSession.open(server.url);
  await using stream = await ann.stream();
  expect(await stream.event()).toMatchObject({ data: "", retry: "3000" });
  const bob = new RawModern(server.url);
  await pairUp(ann, bob);
  await say(bob, 1, 3);
  const pushed = await stream.take(4);
  expect(words(pushed)).toEqual(["chatroom.found", ...numbered(1, 3)]);
  expect(new Set(pushed.map(({ id }) => id)).size).toBe(4);
  expect(new Set(pushed.map(({ params }) => params.event_id)).size).toBe(4);
});

test.each(["2024-11-05", "2025-03-26", "2025-06-18"])("%s gets no event without data", async (revision) => {
  const { ann, bob } = await listenerAndSpeaker(revision);
  await using stream = await ann.stream();
  await say(bob, 1, 2);
  for (const name of ["chatroom.found", "message.received", "message.received"]) {
    const { data } = await stream.event();
    expect(JSON.parse(data)).toMatchObject({ method: name });
  }
});

test("Last-Event-ID resumes exactly after it, from any point", async () => {
  const { ann, bob } = await listenerAndSpeaker();
  await say(bob, 1, 10);
  const first = await ann.stream();
  const opening = await first.event();
  const pushed = await first.take(11);
  await first.close();
  await say(bob, 11, 12);
  for (const [id, from] of [
    [opening.id, 0],
    [pushed[0]?.id, 1],
    [pushed[5]?.id, 6],
    [pushed[10]?.id, 11],
  ] as const) {
    await using stream = await ann.stream(id);
    const expected = ["chatroom.found", ...numbered(1, 12)].slice(from);
    expect(words(await stream.take(expected.length))).toEqual(expected);
  }
});

test("a Last-Event-ID of somebody else's stream gives nothing of theirs", async () => {
  const theirs = await listenerAndSpeaker();
  await say(theirs.bob, 1, 3);
  const stream = await theirs.ann.stream();
  const [, second] = await stream.take(4);
  await stream.close();

  const mine = await listenerAndSpeaker();
  await mine.bob.call("send_message", { message: "for me" });
  await using resumed = await mine.ann.stream(second?.id);
  const heard: string[] = [];
  while (heard.at(-1) !== "for me") heard.push(...words([await resumed.next()]));
  expect(heard).not.toContain("message 3");
  expect(heard.slice(-2)).toEqual(["chatroom.found", "for me"]);
});

test.each(["", "g.", "g.x", "nonsense", "p1.1", "g.0-0", "'; DROP TABLE", "g.1.2.3"])(
  "a Last-Event-ID of %j is refused or starts over, never fails",
  async (id) => {
    const { ann, bob } = await listenerAndSpeaker();
    await say(bob, 1, 1);
    const response = await fetch(server.url, {
      headers: { accept: "text/event-stream", ...ann.headers, "last-event-id": id },
    });
    // 204: a stream that once was and will bring nothing more.
    expect([200, 204, 400]).toContain(response.status);
    if (response.status === 400)
      expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { code: -32000 } });
    else await response.body?.cancel();
  },
);

test("of two streams the newer delivers; when it closes, the other goes on", async () => {
  const { ann, bob } = await listenerAndSpeaker();
  await using older = await ann.stream();
  expect(words(await older.take(1))).toEqual(["chatroom.found"]);
  const newer = await ann.stream();
  await say(bob, 1, 20);
  const onNewer = await collectUntil(newer, "message 20");
  await newer.close();
  await say(bob, 21, 40);
  const onOlder = await collectUntil(older, "message 40");

  // What the newer stream wrote may not have been read before it closed: it may come again, but only whole events, in order.
  const fresh = onOlder.filter((word) => !onNewer.includes(word));
  expect([...onNewer.filter((word) => word !== "chatroom.found"), ...fresh]).toEqual(numbered(1, 40));
  expect(older.drain()).toEqual([]);
});

test("while both are open, each message goes out on exactly one stream", async () => {
  const { ann, bob } = await listenerAndSpeaker();
  await using one = await ann.stream();
  await one.take(1);
  await using two = await ann.stream();
  await using three = await ann.stream();
  await say(bob, 1, 30);
  expect((await collectUntil(three, "message 30")).filter((word) => word !== "chatroom.found")).toEqual(
    numbered(1, 30),
  );
  // A round trip after the last message: whatever was to be written elsewhere would be there by now.
  await ann.call("chat_status");
  expect(words([...one.drain(), ...two.drain()]).filter((word) => word !== "chatroom.found")).toEqual([]);
});

async function collectUntil(stream: RawStream, last: string): Promise<string[]> {
  const heard: string[] = [];
  while (heard.at(-1) !== last) heard.push(...words([await stream.next()]));
  return heard;
}

test("many streams of one session: the oldest are ended, the newest delivers", async () => {
  const { ann, bob } = await listenerAndSpeaker();
  const streams: RawStream[] = [];
  // More than three servers that are one would let a session have.
  for (let n = 0; n < 12; n++) streams.push(await ann.stream());
  expect(await streams[0]?.over).toBe("end");
  await say(bob, 1, 1);
  const newest = streams.at(-1);
  if (newest === undefined) throw new Error("no stream");
  expect(await collectUntil(newest, "message 1")).toEqual(["chatroom.found", "message 1"]);
  await Promise.all(streams.map((stream) => stream.close()));
});

test("each session of a user gets its own copy of every event", async () => {
  const { ann, bob } = await listenerAndSpeaker();
  const token = String((await ann.call("enter_queue")).structured.session_token);
  expect(token).toBe("undefined");
  const user = await RawSession.open(server.url);
  const entered = await user.call("enter_queue");
  const other = await RawSession.open(server.url);
  await other.call("chat_status", { session_token: entered.structured.session_token });
  const partner = new RawModern(server.url);
  await partner.call("enter_queue");
  await using one = await user.stream();
  await using two = await other.stream();
  await say(partner, 1, 5);
  const expected = ["chatroom.found", ...numbered(1, 5)];
  expect(words(await one.take(6))).toEqual(expected);
  expect(words(await two.take(6))).toEqual(expected);
  await bob.call("leave_chat");
});

test("away, back within the grace time, and the end of the session", async () => {
  const [ann, bob] = [await RawSession.open(server.url), await RawSession.open(server.url)];
  const streams = [await ann.stream(), await bob.stream()] as const;
  await pairUp(ann, bob);
  await streams[0].take(1);
  await streams[1].take(1);
  await streams[0].close();
  expect(await streams[1].next()).toMatchObject({ method: "partner.away" });
  expect((await bob.call("send_message", { message: "hm" })).structured).toMatchObject({ delivery: "queued" });
  await using again = await ann.stream();
  expect(await streams[1].next()).toMatchObject({ method: "partner.back" });
  expect((await bob.call("send_message", { message: "ah" })).structured).toMatchObject({ delivery: "pushed" });
  expect((await collectUntil(again, "ah")).slice(-2)).toEqual(["hm", "ah"]);

  expect((await ann.end()).status).toBe(204);
  expect(await again.over).toBe("end");
  expect(await streams[1].next()).toMatchObject({ method: "partner.disconnected", params: { reason: "left" } });
  for (const answer of [
    await ann.end(),
    await ann.request("ping"),
    await read(fetch(server.url, { headers: ann.headers })),
  ]) {
    expect(answer.status).toBe(404);
  }
  await streams[1].close();
});

test("a wait and a stream of the same user: both get it", async () => {
  const { ann, bob } = await listenerAndSpeaker();
  await ann.call("wait_for_message");
  await using stream = await ann.stream();
  const waited = ann.call("wait_for_message", { timeout_seconds: 10 });
  await say(bob, 1, 1);
  expect((await waited).structured).toMatchObject({ events: [{ data: { message: "message 1" } }] });
  expect((await collectUntil(stream, "message 1")).at(-1)).toBe("message 1");
});
