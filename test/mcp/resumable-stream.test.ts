/** Response streams a legacy client may resume: ids, what is kept and for how long, take-over, and who may come back. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RESPONSE_BACKLOG_CHARS_MAX, RESUMABLE_MS, RESUMABLE_STREAMS_MAX, STREAM_RETRY_MS } from "../../src/limits.ts";
import { CALLER, connect, createEndpoint, type HandConnection, heldOf, jsonOf } from "../support/mcp-endpoint.ts";
import { ALL_CAPABILITIES, call, createTalkFixture, NAMED } from "../support/talk-fixture.ts";

const TOKEN = { progressToken: "t" };

function setUp(revision = "2025-11-25") {
  const fixture = createTalkFixture();
  const world = createEndpoint(fixture);
  const session = world.open(revision, CALLER, ALL_CAPABILITIES);
  return {
    ...world,
    ...fixture,
    session,
    resume: (id: string, headers = session) => world.get({ ...headers, "last-event-id": id }),
    /** Calls a tool that is held, and opens its stream. */
    async stream(name = "pause", id: string | number = 1) {
      const reply = world.post(call(id, name, {}, TOKEN), session);
      const held = fixture.held.at(-1);
      held?.context.openStream();
      const connection = connect(await heldOf(reply).reply);
      if (held === undefined) throw new Error("nothing is held");
      return { connection, ...held };
    },
  };
}

/** Ids of the frames, and the messages they carry. */
function read(connection: HandConnection): { ids: (string | undefined)[]; messages: Record<string, unknown>[] } {
  const frames = connection.frames();
  return {
    ids: frames.map((frame) => frame.id),
    messages: frames.flatMap((frame) => (frame.data ? [JSON.parse(frame.data)] : [])),
  };
}

/** The stream's part of an event id, the message's, and what names the request: nothing on an answer. */
function split(id: string | undefined): [stream: string, sequence: number, request: string | undefined] {
  const [, stream = "", sequence, request] = /^(p\d+)\.(\d+)(?:\.([\w-]+))?$/.exec(id ?? "") ?? [];
  return [stream, Number(sequence), request];
}

/** The number 1 as a request's id in event ids. */
const ONE = Buffer.from("1").toString("base64url");
const LOST = { code: -32603, message: expect.stringContaining("Call again") };

const settle = () => Bun.sleep(0);
const answered = (words: string) => ({ id: 1, result: { content: [{ text: words }] } });

describe("a response stream", () => {
  test("begins with an id and a time to wait, and numbers everything after", async () => {
    const world = setUp();
    const { connection, context, release } = await world.stream();
    context.progress({ progress: 1 });
    const [first, second] = connection.frames();
    const [stream] = split(first?.id);
    expect(first).toEqual({ id: `${stream}.0.${ONE}`, retryMs: STREAM_RETRY_MS, data: "" });
    expect(second).toMatchObject({ event: "message", id: `${stream}.1.${ONE}` });
    release("done");
    await settle();
    const { ids, messages } = read(connection);
    expect(ids).toEqual([`${stream}.2`]);
    expect(messages).toMatchObject([answered("done")]);
    expect(connection.ended).toBe(true);
  });

  test("has a name that no other of the session has", async () => {
    const world = setUp();
    const names = new Set<string>();
    for (const id of [1, 2, 3]) names.add(split((await world.stream("pause", id)).connection.frames()[0]?.id)[0]);
    expect(names.size).toBe(3);
  });

  test("of an older session has no ids, and ends with its connection", async () => {
    const world = setUp("2025-06-18");
    const { connection, context } = await world.stream();
    context.closeStream();
    context.progress({ progress: 1 });
    expect(read(connection).ids).toEqual([undefined]);
    expect(connection.ended).toBe(false);
    connection.close();
    expect(context.signal.aborted).toBe(true);
  });

  test("costs nothing that does not stream", () => {
    const world = setUp();
    expect(jsonOf(world.post(call(1, "needs_sampling"), world.session)).status).toBe(200);
    expect(jsonOf(world.post(call(2, "nothing"), world.session)).body).toMatchObject({ error: { code: -32602 } });
  });
});

describe("a dropped connection", () => {
  test("does not cancel; the client comes back for what it missed, and the stream ends with the answer", async () => {
    const world = setUp();
    const { connection, context, release } = await world.stream();
    context.progress({ progress: 1 });
    const { ids } = read(connection);
    connection.close();
    context.progress({ progress: 2 });
    release("done");
    await settle();
    expect(context.signal.aborted).toBe(false);
    const resumed = connect(world.resume(ids[1] ?? ""));
    const after = read(resumed);
    expect(after.messages).toMatchObject([{ params: { progress: 2 } }, answered("done")]);
    expect(after.ids.map((id) => split(id)[1])).toEqual([1, 2, 3]);
    expect(resumed.ended).toBe(true);
  });

  test("the client may come back before the answer, and as often as it likes", async () => {
    const world = setUp();
    const { connection, context, release } = await world.stream();
    let last = connection.frames().at(-1)?.id ?? "";
    connection.close();
    for (const progress of [1, 2, 3]) {
      const resumed = connect(world.resume(last));
      resumed.text();
      context.progress({ progress });
      const { ids, messages } = read(resumed);
      expect(messages).toMatchObject([{ params: { progress } }]);
      last = ids[0] ?? "";
      resumed.close();
    }
    const resumed = connect(world.resume(last));
    release("done");
    await settle();
    expect(read(resumed).messages).toMatchObject([answered("done")]);
  });

  test("a newer connection takes over a live one, and nothing goes out on both", async () => {
    const world = setUp();
    const { connection, context, release } = await world.stream();
    const id = connection.frames()[0]?.id ?? "";
    context.progress({ progress: 1 });
    const resumed = connect(world.resume(id));
    expect(connection.ended).toBe(true);
    expect(connection.messages()).toEqual([]);
    connection.close();
    release("done");
    await settle();
    expect(resumed.messages()).toMatchObject([{ params: { progress: 1 } }, answered("done")]);
    world.clock.at += RESUMABLE_MS;
    world.endpoint.sweep();
    expect(context.signal.aborted).toBe(false);
  });

  test("is a cancel after all when nobody has come back for too long", async () => {
    const world = setUp();
    const { connection, context } = await world.stream();
    const id = connection.frames()[0]?.id ?? "";
    connection.close();
    world.clock.at += RESUMABLE_MS - 1;
    world.endpoint.sweep();
    expect(context.signal.aborted).toBe(false);
    connect(world.resume(id)).close();
    world.clock.at += RESUMABLE_MS - 1;
    world.endpoint.sweep();
    expect(context.signal.aborted).toBe(false);
    world.clock.at += 1;
    world.endpoint.sweep();
    expect(context.signal.aborted).toBe(true);
    expect(world.endpoint.counts.held).toBe(0);
    expect(read(connect(world.resume(id))).messages).toEqual([{ jsonrpc: "2.0", id: 1, error: LOST }]);
  });

  test("before the stream was ever written to is no cancel either", async () => {
    const world = setUp();
    const reply = heldOf(world.post(call(1, "pause"), world.session));
    world.held[0]?.context.openStream();
    reply.disconnected();
    expect(world.held[0]?.context.signal.aborted).toBe(false);
    world.clock.at += RESUMABLE_MS;
    world.endpoint.sweep();
    expect(world.held[0]?.context.signal.aborted).toBe(true);
  });

  test("of a call that has not begun to stream is a cancel", () => {
    const world = setUp();
    heldOf(world.post(call(1, "pause"), world.session)).disconnected();
    expect(world.held[0]?.context.signal.aborted).toBe(true);
  });

  test("while the id is in flight it stays taken", async () => {
    const world = setUp();
    const { connection } = await world.stream();
    connection.close();
    expect(jsonOf(world.post(call(1, "pause"), world.session)).body).toMatchObject({ error: { code: -32600 } });
  });
});

describe("a connection the server drops", () => {
  test("tells the client to come back, and the handler goes on", async () => {
    const world = setUp();
    const reply = await heldOf(world.post(call(1, "polled"), world.session)).reply;
    const connection = connect(reply);
    expect(connection.ended).toBe(true);
    const frames = connection.frames();
    expect(frames.at(-1)).toEqual({ retryMs: STREAM_RETRY_MS });
    const id = frames[0]?.id ?? "";
    connection.close();
    world.held[0]?.release("done");
    await settle();
    const resumed = connect(world.resume(id));
    expect(resumed.messages()).toMatchObject([answered("done")]);
    expect(resumed.ended).toBe(true);
  });

  test("in the modern era stays", async () => {
    const world = setUp();
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "polled" };
    const connection = connect(await heldOf(world.post(call(1, "polled", {}, meta), headers)).reply);
    expect(connection.ended).toBe(false);
    expect(connection.frames()).toEqual([]);
    connection.close();
    expect(world.held[0]?.context.signal.aborted).toBe(true);
  });
});

describe("coming back", () => {
  test("with an id nobody made is refused", async () => {
    const world = setUp();
    const { connection } = await world.stream();
    const [stream] = split(connection.frames()[0]?.id);
    for (const id of [
      "p",
      "p.",
      "p1",
      `${stream}.`,
      `${stream}.x`,
      `${stream}.1.1`,
      `${stream}.-1`,
      ` ${stream}.1x`,
      `p${"9".repeat(99)}.1`,
    ]) {
      expect(jsonOf(world.resume(id))).toMatchObject({ status: 400, body: { error: { code: -32000 } } });
    }
  });

  test("for a stream of another session, or of none, gives nothing", async () => {
    const world = setUp();
    const { connection } = await world.stream();
    const id = connection.frames()[0]?.id ?? "";
    expect(world.resume(id, world.open())).toEqual({ kind: "done" });
    expect(world.resume("p1.1")).toEqual({ kind: "done" });
    expect(connection.ended).toBe(false);
  });

  test("for an answer that nobody has any more gives an error in its place, once", () => {
    const world = setUp();
    for (const id of [1, 0, -7, "a", "\u00e9 \u{1f44b}", "", "1"]) {
      const named = Buffer.from(JSON.stringify(id)).toString("base64url");
      const resumed = connect(world.resume(`p123.4.${named}`));
      expect(resumed.ended).toBe(true);
      const { ids, messages } = read(resumed);
      expect(messages).toEqual([{ jsonrpc: "2.0", id, error: LOST }]);
      // Clients that take an error for no answer come back once more.
      expect(ids).toEqual(["p123.5"]);
      expect(world.resume("p123.5")).toEqual({ kind: "done" });
    }
  });

  test("for an answer whose request cannot be named gives nothing", async () => {
    const world = setUp();
    const { connection } = await world.stream("pause", "x".repeat(200));
    const id = connection.frames()[0]?.id ?? "";
    expect(split(id)[2]).toBeUndefined();
    connection.close();
    expect(setUp().resume(id)).toEqual({ kind: "done" });
  });

  test("for a call that was cancelled gives nothing, although nobody knows it any more", async () => {
    const world = setUp();
    const { connection } = await world.stream("pause", 5);
    const id = connection.frames()[0]?.id ?? "";
    const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 5 } };
    world.post(cancelled, world.session);
    connection.close();
    expect(world.resume(id)).toEqual({ kind: "done" });
    expect(connect(world.resume(id, world.open())).messages()).toMatchObject([{ id: 5, error: LOST }]);
  });

  test("after the answer gives nothing, so that the client stops; before it, the answer again", async () => {
    const world = setUp();
    const { connection, release } = await world.stream();
    release("done");
    await settle();
    const { ids } = read(connection);
    connection.close();
    expect(world.resume(ids.at(-1) ?? "")).toEqual({ kind: "done" });
    expect(connect(world.resume(ids[0] ?? "")).messages()).toMatchObject([answered("done")]);
  });

  test("after a cancel or the end of the session gives nothing", async () => {
    const world = setUp();
    const { connection, context } = await world.stream();
    const id = connection.frames()[0]?.id ?? "";
    context.progress({ progress: 1 });
    world.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }, world.session);
    expect(connection.ended).toBe(true);
    expect(context.signal.aborted).toBe(true);
    expect(world.resume(id)).toEqual({ kind: "done" });

    const other = await world.stream("pause", 2);
    await world.endpoint.delete(new Headers(world.session), CALLER);
    expect(other.context.signal.aborted).toBe(true);
    expect(jsonOf(world.resume(other.connection.frames()[0]?.id ?? "")).status).toBe(404);
  });

  test("a question is asked again only while it is open", async () => {
    const world = setUp();
    const connection = connect(await heldOf(world.post(call(1, "rounds"), world.session)).reply);
    const { ids, messages } = read(connection);
    connection.close();
    const again = connect(world.resume(ids[0] ?? ""));
    expect(again.messages()).toEqual(messages);
    again.close();
    world.post({ jsonrpc: "2.0", id: messages[0]?.id, result: NAMED }, world.session);
    await settle();
    const next = connect(world.resume(ids[0] ?? "")).messages();
    expect(next).toMatchObject([{ method: "elicitation/create", params: { message: "And now?" } }]);
  });
});

/** What may happen between a server that speaks and a client whose network is bad. */
const step = fc.constantFrom("speak", "speak", "read", "lose", "drop", "come back");

test("whatever is lost on the way, every message arrives once and in order, the answer last", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = setUp();
      const { connection: first, context, release } = await world.stream();
      let last = first.frames()[0]?.id ?? "";
      let connection: HandConnection | undefined = first;
      const heard: unknown[] = [];
      let spoken = 0;
      const drop = (): void => {
        connection?.close();
        connection = undefined;
      };
      const listen = (): void => {
        for (const frame of connection?.frames() ?? []) {
          last = frame.id ?? last;
          const message = frame.data ? JSON.parse(frame.data) : undefined;
          if (message !== undefined) heard.push(message.params?.data ?? message.result.content[0].text);
        }
      };
      for (const now of steps) {
        if (now === "speak") context.log("info", ++spoken);
        else if (now === "read") listen();
        else if (now === "drop") drop();
        else if (now === "come back") {
          // The server may not know yet that the old connection is dead.
          connection = connect(world.resume(last));
        } else {
          connection?.text();
          drop();
        }
      }
      release("done");
      await settle();
      const reply = world.resume(last);
      if (reply.kind === "stream") connection = connect(reply);
      listen();
      expect(heard).toEqual([...Array.from({ length: spoken }, (_, index) => index + 1), "done"]);
    }),
  );
});

describe("what is kept", () => {
  test("progress only as far as it is the latest that was not yet written", async () => {
    const world = setUp();
    const { connection, context } = await world.stream();
    const [first] = connection.frames();
    for (const progress of [1, 2, 3]) {
      context.progress({ progress });
      connection.text();
    }
    connection.close();
    for (const progress of [4, 5]) context.progress({ progress });
    const { messages, ids } = read(connect(world.resume(first?.id ?? "")));
    expect(messages.map(({ params }) => (params as { progress: number }).progress)).toEqual([4, 5]);
    expect(ids.map((id) => split(id)[1])).toEqual([0, 4, 5]);
  });

  test("no more than its bound, but the answer always", async () => {
    const world = setUp();
    const { connection, context, release } = await world.stream();
    const [first] = connection.frames();
    connection.close();
    const message = "x".repeat(1000);
    for (let progress = 1; progress <= 200; progress++) context.progress({ progress, message });
    release("done");
    await settle();
    const text = connect(world.resume(first?.id ?? "")).text();
    expect(text.length).toBeLessThan(RESPONSE_BACKLOG_CHARS_MAX * 1.5);
    expect(text).toContain("done");
  });

  test("what a reader keeps up with is never dropped, however much it becomes", async () => {
    const world = setUp();
    const { connection, context } = await world.stream();
    connection.text();
    const message = "x".repeat(1000);
    for (let progress = 1; progress <= 200; progress++) {
      context.progress({ progress, message });
      expect(connection.messages()).toMatchObject([{ params: { progress } }]);
    }
  });

  test("no more streams than their bound: the one without a connection for longest goes first", async () => {
    const world = setUp();
    const sessions = Array.from({ length: RESUMABLE_STREAMS_MAX / 64 + 1 }, () => world.open());
    let count = 0;
    for (const session of sessions) {
      for (let id = 0; id < 64 && count <= RESUMABLE_STREAMS_MAX; id++, count++) {
        const reply = heldOf(world.post(call(id, "pause"), session));
        world.held.at(-1)?.context.openStream();
        connect(await reply.reply).close();
      }
    }
    const aborted = world.held.filter(({ context }) => context.signal.aborted);
    expect(count).toBe(RESUMABLE_STREAMS_MAX + 1);
    expect(aborted).toEqual(world.held.slice(0, 1));
  });
});
