/** One answer per request, at once where it can be; none for a cancelled one; bugs stay inside. */

import { describe, expect, test } from "bun:test";
import { REQUESTS_IN_FLIGHT_MAX } from "../../src/limits.ts";
import type { CallContext } from "../../src/mcp/registry.ts";
import { CALLER, connect, createEndpoint, heldOf, jsonOf } from "../support/mcp-endpoint.ts";

const call = (id: string | number, name: string, args: object = {}, meta?: object) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args, ...(meta && { _meta: meta }) },
});
const cancelled = (requestId: unknown) => ({
  jsonrpc: "2.0",
  method: "notifications/cancelled",
  params: { requestId, reason: "changed my mind" },
});

/** In the newest revision whose response streams cannot be resumed: there a connection is all there is. */
function setUp(revision = "2025-06-18") {
  const world = createEndpoint();
  return { ...world, session: world.open(revision) };
}

describe("an answer that is there at once", () => {
  test("is given at once, without a promise", () => {
    const world = setUp();
    const { body } = jsonOf(world.post(call(7, "echo", { text: "hi" }), world.session));
    expect(body).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: { content: [{ type: "text", text: "hi" }], structuredContent: { text: "hi" } },
    });
    expect(world.endpoint.counts.held).toBe(0);
  });

  test("has its id echoed with its type", () => {
    const world = setUp();
    for (const id of [0, -1, 2 ** 53 - 1, "", "1", "\u2028\n\ud800"]) {
      expect(jsonOf(world.post(call(id, "echo"), world.session)).body).toMatchObject({ id });
    }
  });

  test("a refusal is a result", () => {
    const world = setUp();
    expect(jsonOf(world.post(call(1, "refuse"), world.session))).toMatchObject({
      status: 200,
      body: { result: { isError: true, _meta: { "example.test/why": "rules" } } },
    });
  });

  test("messages sent before it make a stream, in their order, the answer last", () => {
    const world = setUp();
    const connection = connect(world.post(call(1, "steps", {}, { progressToken: 0 }), world.session));
    expect(connection.ended).toBe(true);
    const steps = [1, 2, 3].map((progress) => ({
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { progressToken: 0, progress, total: 3, message: `step ${progress}` },
    }));
    expect(connection.messages()).toEqual([
      ...steps,
      { jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "stepped" }] } },
    ]);
  });

  test("nobody who sent no token is sent progress, nor anybody who takes no stream", () => {
    const world = setUp();
    expect(jsonOf(world.post(call(1, "steps"), world.session)).status).toBe(200);
    const plain = { ...CALLER, canStream: false };
    expect(jsonOf(world.post(call(2, "steps", {}, { progressToken: "t" }), world.session, plain)).status).toBe(200);
    expect(jsonOf(world.post(call(3, "steps", {}, { progressToken: { a: 1 } }), world.session)).status).toBe(200);
  });

  test("progress has no message before 2025-03-26", () => {
    const world = setUp("2024-11-05");
    const [first] = connect(world.post(call(1, "steps", {}, { progressToken: "t" }), world.session)).messages();
    expect(first).toMatchObject({ params: { progressToken: "t", progress: 1, total: 3 } });
    expect(first).not.toHaveProperty("params.message");
  });
});

describe("an answer that takes its time", () => {
  test("is held as JSON until it is there", async () => {
    const world = setUp();
    const { reply } = heldOf(world.post(call(1, "hold"), world.session));
    expect(world.endpoint.counts.held).toBe(1);
    world.held[0]?.release("done");
    expect(jsonOf(await reply).body).toMatchObject({ id: 1, result: { content: [{ text: "done" }] } });
    expect(world.endpoint.counts.held).toBe(0);
  });

  test("becomes a stream when the tool opens one, at once or later", async () => {
    const world = setUp();
    const early = connect(await heldOf(world.post(call(1, "hold", { stream: true }), world.session)).reply);
    expect(early.text()).toBe(": ok\n\n");
    const pending = heldOf(world.post(call(2, "hold", {}, { progressToken: "p" }), world.session)).reply;
    world.held[1]?.context.progress({ progress: 0.5 });
    const late = connect(await pending);
    expect(late.messages()).toMatchObject([{ method: "notifications/progress", params: { progress: 0.5 } }]);
    for (const held of world.held) held.release("done");
    await Bun.sleep(0);
    expect(early.messages()).toMatchObject([{ id: 1 }]);
    expect(late.messages()).toMatchObject([{ id: 2 }]);
    expect([early.ended, late.ended]).toEqual([true, true]);
  });

  test("a reader far behind misses progress, never the answer", async () => {
    const world = setUp();
    const connection = connect(
      await heldOf(world.post(call(1, "hold", { stream: true }, { progressToken: 1 }), world.session)).reply,
    );
    for (let progress = 1; progress <= 5000; progress++) world.held[0]?.context.progress({ progress });
    world.held[0]?.release("done");
    await Bun.sleep(0);
    const messages = connection.messages();
    expect(messages.length).toBeLessThan(1000);
    expect(messages.at(-1)).toMatchObject({ id: 1, result: {} });
  });

  test("nothing follows the answer", async () => {
    const world = setUp();
    const reply = heldOf(world.post(call(1, "hold", { stream: true }, { progressToken: 1 }), world.session)).reply;
    const connection = connect(await reply);
    const context = world.held[0]?.context;
    world.held[0]?.release("done");
    await Bun.sleep(0);
    connection.text();
    context?.progress({ progress: 9 });
    context?.openStream();
    expect(connection.text()).toBe("");
  });
});

describe("nobody waits any more", () => {
  test("cancelled: the signal aborts and no response goes out", async () => {
    const world = setUp();
    const { reply } = heldOf(world.post(call("a", "hold"), world.session));
    expect(world.post(cancelled("a"), world.session)).toEqual({ kind: "accepted" });
    expect(await reply).toEqual({ kind: "accepted" });
    expect(world.held[0]?.context.signal.aborted).toBe(true);
    world.held[0]?.release("too late");
    expect(world.endpoint.counts.held).toBe(0);
  });

  test("cancelled on a stream: it ends without a response", async () => {
    const world = setUp();
    const connection = connect(await heldOf(world.post(call(1, "hold", { stream: true }), world.session)).reply);
    world.post(cancelled(1), world.session);
    world.held[0]?.release("too late");
    await Bun.sleep(0);
    expect(connection.ended).toBe(true);
    expect(connection.messages()).toEqual([]);
  });

  test("ids that are unknown, finished, of the other type or of another session are ignored", async () => {
    const world = setUp();
    const other = world.open();
    const { reply } = heldOf(world.post(call(1, "hold"), world.session));
    for (const id of ["1", 2, null, {}, undefined]) world.post(cancelled(id), world.session);
    world.post(cancelled(1), other);
    world.held[0]?.release("done");
    expect(jsonOf(await reply).status).toBe(200);
    expect(world.held[0]?.context.signal.aborted).toBe(false);
    expect(world.post(cancelled(1), world.session)).toEqual({ kind: "accepted" });
  });

  test("the connection drops before the answer: the signal aborts", async () => {
    const world = setUp();
    const held = heldOf(world.post(call(1, "hold"), world.session));
    held.disconnected();
    expect(await held.reply).toEqual({ kind: "accepted" });
    expect(world.held[0]?.context.signal.aborted).toBe(true);
    expect(world.endpoint.counts.held).toBe(0);
  });

  test("the stream drops before the answer: the signal aborts", async () => {
    const world = setUp();
    const connection = connect(await heldOf(world.post(call(1, "hold", { stream: true }), world.session)).reply);
    connection.close();
    expect(world.held[0]?.context.signal.aborted).toBe(true);
    world.held[0]?.release("too late");
  });

  test("the session ends: what it waits for is abandoned, other sessions' is not", async () => {
    const world = setUp();
    const other = world.open();
    const mine = heldOf(world.post(call(1, "hold"), world.session));
    heldOf(world.post(call(1, "hold"), other));
    world.endpoint.delete(new Headers(world.session), CALLER);
    expect(await mine.reply).toEqual({ kind: "accepted" });
    expect(world.held.map((held) => held.context.signal.aborted)).toEqual([true, false]);
  });

  test("a regular end aborts nothing", async () => {
    const world = setUp();
    const held = heldOf(world.post(call(1, "hold"), world.session));
    const signal = world.held[0]?.context.signal;
    world.held[0]?.release("done");
    await held.reply;
    held.disconnected();
    expect(signal?.aborted).toBe(false);
  });

  test("a stop answers what is held, in either form", async () => {
    const world = setUp();
    const plain = heldOf(world.post(call(1, "hold"), world.session)).reply;
    const stream = connect(await heldOf(world.post(call(2, "hold", { stream: true }), world.session)).reply);
    world.endpoint.stop();
    expect(jsonOf(await plain)).toMatchObject({ status: 503, body: { id: 1, error: { code: -32603 } } });
    expect(stream.messages()).toMatchObject([{ id: 2, error: { code: -32603 } }]);
    expect(world.held.every((held) => held.context.signal.aborted)).toBe(true);
  });
});

describe("ids in flight", () => {
  test("the same id twice is refused, and the first is answered all the same", async () => {
    const world = setUp();
    const { reply } = heldOf(world.post(call(1, "hold"), world.session));
    expect(jsonOf(world.post(call(1, "echo"), world.session))).toMatchObject({
      status: 400,
      body: { id: 1, error: { code: -32600 } },
    });
    expect(jsonOf(world.post(call("1", "echo"), world.session)).status).toBe(200);
    world.held[0]?.release("first");
    expect(jsonOf(await reply).body).toMatchObject({ result: { content: [{ text: "first" }] } });
    expect(jsonOf(world.post(call(1, "echo"), world.session)).status).toBe(200);
  });

  test("other sessions and modern requests may use it at the same time", () => {
    const world = setUp();
    heldOf(world.post(call(1, "hold"), world.session));
    heldOf(world.post(call(1, "hold"), world.open()));
    expect(world.endpoint.counts.held).toBe(2);
  });

  test("a session has a bounded number of them", () => {
    const world = setUp();
    for (let id = 0; id < REQUESTS_IN_FLIGHT_MAX; id++) heldOf(world.post(call(id, "hold"), world.session));
    expect(jsonOf(world.post(call("more", "hold"), world.session))).toMatchObject({
      status: 429,
      body: { id: "more" },
    });
  });
});

describe("bugs", () => {
  test("a throw answers -32603 and is logged without what it says", () => {
    const world = setUp();
    const reply = world.post(call(1, "throw"), world.session);
    expect(jsonOf(reply)).toEqual({
      status: 200,
      body: { jsonrpc: "2.0", id: 1, error: { code: -32603, message: "Internal error" } },
    });
    expect(world.logged).toHaveLength(1);
    expect(world.logged[0]).toContain("TypeError");
    expect(world.logged[0]).not.toContain("hunter2");
  });

  test("so does a rejection, as JSON and on a stream", async () => {
    const world = setUp();
    const plain = heldOf(world.post(call(1, "hold"), world.session)).reply;
    const stream = connect(await heldOf(world.post(call(2, "hold", { stream: true }), world.session)).reply);
    for (const held of world.held) held.fail(new Error("/etc/hunter2"));
    expect(jsonOf(await plain).body).toMatchObject({ id: 1, error: { code: -32603, message: "Internal error" } });
    await Bun.sleep(0);
    expect(stream.messages()).toMatchObject([{ id: 2, error: { code: -32603 } }]);
    expect(world.logged.join()).not.toContain("hunter2");
  });
});

describe("what a tool knows of its caller", () => {
  test("a legacy call", () => {
    const world = setUp("2025-06-18");
    world.post(call(1, "echo"), world.session, { ...CALLER, bearer: "b" });
    const seen = world.seen[0] as CallContext;
    expect(seen).toMatchObject({
      era: "legacy",
      revision: "2025-06-18",
      transport: "http",
      bearer: "b",
      canStream: true,
    });
    expect(seen.client).toEqual({ name: "test", version: "1" });
    expect(seen.session).toMatch(/^[\w-]{22}$/);
    expect(seen.wantsProgress).toBe(false);
  });

  test("the session key is not the token, and stays the same", () => {
    const world = setUp();
    world.post(call(1, "echo"), world.session);
    world.post(call(2, "echo"), world.session);
    const keys = world.seen.map((context) => context.session ?? "");
    expect(new Set(keys).size).toBe(1);
    expect(world.session["mcp-session-id"]).not.toContain(keys[0] ?? "?");
  });
});
