/** MCP over a pair of pipes, message by message: both eras on one connection, order, cancellation, the end. */

import { describe, expect, test } from "bun:test";
import { BODY_BYTES_MAX } from "../../src/limits.ts";
import { ListAnnouncer } from "../../src/mcp/list-changes.ts";
import { createEventFixture } from "../support/event-fixture.ts";
import { until } from "../support/http-stream.ts";
import { type Said, StdioPipe } from "../support/stdio-pipe.ts";

const ID = "io.modelcontextprotocol/subscriptionId";

function world(options?: ConstructorParameters<typeof StdioPipe>[1]) {
  const fixture = createEventFixture();
  const lists = new ListAnnouncer(["tools", "prompts"]);
  const definition = { ...fixture.definition, listChanges: lists };
  return { ...fixture, lists, pipe: new StdioPipe(definition, { bearer: "ann", ...options }) };
}

/** Whose subscription a message belongs to. */
const tagOf = ({ params = {} }: Said) => (params._meta as Record<string, unknown>)[ID];
const words = (said: Said) => said.method ?? (said.error === undefined ? "result" : String(said.error.code));
const tool = (name: string, args: object = {}) => ({ name, arguments: args });

describe("the legacy era", () => {
  test("a session: handshake, lists, calls, ping", async () => {
    const { pipe } = world();
    expect((await pipe.initialize()).result).toMatchObject({ protocolVersion: "2025-11-25" });
    expect((await pipe.call("tools/list")).result).toHaveProperty("tools");
    expect((await pipe.call("tools/call", tool("echo", { text: "hi" }))).result).toMatchObject({
      structuredContent: { text: "hi" },
    });
    expect((await pipe.call("ping")).result).toEqual({});
    expect((await pipe.call("no/such")).error?.code).toBe(-32601);
  });

  test("nothing but a ping is answered before the handshake, and there is one handshake", async () => {
    const { pipe, seen } = world();
    expect((await pipe.call("tools/call", tool("echo"))).error?.code).toBe(-32600);
    expect((await pipe.call("server/discover")).error?.code).toBe(-32600);
    expect((await pipe.call("ping")).result).toEqual({});
    expect((await pipe.call("initialize", {})).error?.code).toBe(-32602);
    await pipe.initialize();
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } };
    expect((await pipe.call("initialize", params)).error?.code).toBe(-32600);
    expect(seen).toEqual([]);
  });

  test("what the server pushes comes once the client is ready, in order", async () => {
    const { pipe, push, seen, lists } = world();
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } };
    await pipe.call("initialize", params);
    await pipe.call("tools/call", tool("echo"));
    const session = seen[0]?.session ?? "";
    push.push(session, "fixture.pushed", { n: 1 });
    expect((await pipe.call("ping")).result).toEqual({});
    expect(push.readers).toHaveLength(0);
    pipe.notify("notifications/initialized");
    pipe.notify("notifications/initialized");
    push.push(session, "fixture.pushed", { n: 2 });
    expect((await pipe.said()).params).toEqual({ n: 1 });
    expect((await pipe.said()).params).toEqual({ n: 2 });
    push.push(session, "fixture.pushed", { n: 3 });
    expect((await pipe.said()).params).toEqual({ n: 3 });
    lists.announce("tools");
    expect((await pipe.said()).method).toBe("notifications/tools/list_changed");
    expect(push.readers).toHaveLength(1);
  });

  test("a batch is answered as one, in the one revision that has batches", async () => {
    const { pipe } = world();
    await pipe.initialize("2025-03-26");
    const one = { jsonrpc: "2.0", id: "a", method: "ping" };
    pipe.send([one, { jsonrpc: "2.0", method: "notifications/x" }, { ...one, id: "b", method: "no/such" }]);
    const answers = (await pipe.said()) as unknown as Said[];
    expect(answers.map(({ id }) => id)).toEqual(["a", "b"]);
    pipe.send([]);
    expect((await pipe.said()).error?.code).toBe(-32600);
    const newer = world().pipe;
    await newer.initialize();
    newer.send([one]);
    expect((await newer.said()).error?.code).toBe(-32600);
  });
});

describe("the modern era", () => {
  test("needs no handshake and no headers", async () => {
    const { pipe } = world();
    expect((await pipe.callModern("server/discover")).result).toMatchObject({ supportedVersions: ["2026-07-28"] });
    expect((await pipe.callModern("tools/call", tool("echo", { text: "hi" }))).result).toMatchObject({
      resultType: "complete",
      structuredContent: { text: "hi" },
    });
  });

  test("checks what every request carries", async () => {
    const { pipe } = world();
    const meta = { "io.modelcontextprotocol/protocolVersion": "2027-01-01" };
    expect((await pipe.call("tools/list", { _meta: meta })).error?.code).toBe(-32602);
    const whole = { ...meta, "io.modelcontextprotocol/clientCapabilities": {} };
    expect((await pipe.call("tools/list", { _meta: whole })).error?.code).toBe(-32022);
    expect((await pipe.callModern("initialize")).error?.code).toBe(-32601);
    pipe.send([{ jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: whole } }]);
    expect((await pipe.said()).error?.code).toBe(-32600);
  });

  test("and a legacy session take turns on one connection", async () => {
    const { pipe, seen } = world();
    await pipe.callModern("tools/call", tool("echo"));
    await pipe.initialize();
    await pipe.callModern("tools/call", tool("echo"));
    await pipe.call("tools/call", tool("echo"));
    expect(seen.map(({ era, session }) => [era, session !== undefined])).toEqual([
      ["modern", false],
      ["modern", false],
      ["legacy", true],
    ]);
    expect(seen.every(({ transport, canStream }) => transport === "stdio" && canStream)).toBe(true);
  });

  test("several subscriptions share the pipe, each message tagged with its own", async () => {
    const { pipe, lists, events } = world();
    pipe.askModern("subscriptions/listen", { notifications: { toolsListChanged: true } }, "tools");
    pipe.askModern("subscriptions/listen", { notifications: { promptsListChanged: true } }, 2);
    pipe.askModern("events/stream", { name: "note" }, "2");
    for (const id of ["tools", 2, "2"]) expect(tagOf(await pipe.said())).toBe(id);
    lists.announce("prompts");
    events.add("note", { text: "a" });
    lists.announce("tools");
    const said = [await pipe.said(), await pipe.said(), await pipe.said()];
    expect(said.map((one) => [one.method, tagOf(one)]).sort()).toEqual([
      ["notifications/events/event", "2"],
      ["notifications/prompts/list_changed", 2],
      ["notifications/tools/list_changed", "tools"],
    ]);
    // One is cancelled; the others go on.
    pipe.notify("notifications/cancelled", { requestId: "2" });
    expect((await pipe.callModern("server/discover")).result).toBeDefined();
    expect(events.readers.size).toBe(0);
    events.add("note", { text: "late" });
    lists.announce("tools");
    expect((await pipe.said()).method).toBe("notifications/tools/list_changed");
    expect(pipe.rest()).toEqual([]);
  });

  test("an event stream shows that it lives; a listen stream needs no sign on a pipe", async () => {
    const { pipe } = world({ keepAliveMs: 5 });
    pipe.askModern("subscriptions/listen", { notifications: { toolsListChanged: true } }, "l");
    await pipe.said();
    pipe.askModern("events/stream", { name: "note", cursor: null }, "s");
    const said = [await pipe.said(), await pipe.said(), await pipe.said()];
    expect(said.map(words)).toEqual(["active", "heartbeat", "heartbeat"].map((word) => `notifications/events/${word}`));
    pipe.end();
    await pipe.server.done;
  });
});

describe("requests on their way", () => {
  test.each(["legacy", "modern"] as const)("are cancelled in the %s era, and never answered", async (era) => {
    const { pipe, held } = world();
    if (era === "legacy") await pipe.initialize();
    const ask = era === "legacy" ? pipe.ask.bind(pipe) : pipe.askModern.bind(pipe);
    ask("tools/call", tool("hold"), "long");
    await until(() => held.length === 1);
    ask("tools/call", tool("hold"), "long");
    expect((await pipe.said()).error?.code).toBe(-32600);
    pipe.notify("notifications/cancelled", { requestId: "long" });
    await until(() => held[0]?.context.signal.aborted === true);
    held[0]?.release("too late");
    ask("tools/call", tool("hold"), "long");
    await until(() => held.length === 2);
    held[1]?.release("in time");
    expect(await pipe.said()).toMatchObject({ id: "long", result: { content: [{ text: "in time" }] } });
    pipe.notify("notifications/cancelled", { requestId: "unknown" });
    pipe.notify("notifications/cancelled");
    expect((await pipe.callModern("server/discover")).result).toBeDefined();
  });

  test("report progress before their answer", async () => {
    const { pipe } = world();
    await pipe.initialize();
    pipe.ask("tools/call", { ...tool("steps"), _meta: { progressToken: "t" } });
    const said = [await pipe.said(), await pipe.said(), await pipe.said(), await pipe.said()];
    expect(said.map(words)).toEqual([...Array(3).fill("notifications/progress"), "result"]);
  });

  test("a bug is an answer without details", async () => {
    const { pipe } = world();
    const { error } = await pipe.callModern("tools/call", tool("throw"));
    expect(error).toEqual({ code: -32603, message: "Internal error" });
    expect(pipe.logged.join()).not.toContain("hunter2");
  });
});

describe("lines that are no message", () => {
  test.each([
    ["no JSON", "{nonsense\n", -32700],
    ["no UTF-8", Uint8Array.of(0x22, 0xff, 0x22, 10), -32700],
    ["no object", "7\n", -32600],
    ["too long", `"${"x".repeat(BODY_BYTES_MAX)}"\n`, -32600],
  ] as const)("%s: an error without an id, and it goes on", async (_what, line, code) => {
    const { pipe } = world();
    if (typeof line === "string") pipe.text(line);
    else pipe.bytes(line);
    const said = await pipe.said();
    expect(said.error?.code).toBe(code);
    expect(said).not.toHaveProperty("id");
    expect((await pipe.callModern("server/discover")).result).toBeDefined();
  });

  test("a bad message whose id is readable is answered with it", async () => {
    const { pipe } = world();
    pipe.send({ jsonrpc: "1.0", id: 5, method: "ping" });
    expect(await pipe.said()).toMatchObject({ id: 5, error: { code: -32600 } });
  });

  test("responses, errors without an id and blank lines are never answered", async () => {
    const { pipe } = world();
    pipe.text("\n \r\n");
    pipe.send({ jsonrpc: "2.0", id: 1, result: {} });
    pipe.send({ jsonrpc: "2.0", error: { code: -32700, message: "x" } });
    pipe.notify("notifications/whatever");
    expect((await pipe.callModern("server/discover")).result).toBeDefined();
    expect(pipe.rest()).toEqual([]);
  });

  test("the longest line there may be is read, however it is cut", async () => {
    const { pipe } = world();
    const frame = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping", params: { pad: "" } });
    const line = frame.replace('""', `"${"x".repeat(BODY_BYTES_MAX - frame.length)}"`);
    for (let at = 0; at < line.length; at += 10_000) pipe.text(line.slice(at, at + 10_000));
    pipe.text("\r\n");
    expect(await pipe.said()).toMatchObject({ id: 1, result: {} });
  });
});

describe("the end of the input", () => {
  test("nothing happens before the first message, and an end at once is an end", async () => {
    const { pipe, push, events, ledger } = world();
    pipe.end();
    await pipe.server.done;
    expect([pipe.writes, push.readers, events.opened, ledger.ended.size, pipe.logged]).toEqual([[], [], 0, 0, []]);
  });

  test("what can be answered is, the last line even without its end; then the session ends", async () => {
    const { pipe, ledger, push } = world();
    await pipe.initialize();
    pipe.text('{"jsonrpc":"2.0","id":"last","method":"ping"}');
    pipe.end();
    await pipe.server.done;
    expect(pipe.rest().map(({ id }) => id)).toEqual(["last"]);
    expect(ledger.ended.size).toBe(1);
    expect(push.readers.every(({ closed }) => closed)).toBe(true);
  });

  test("held requests are released if the application can, else told that the server stops", async () => {
    const { pipe, held } = world({ release: () => held[0]?.release("released") });
    pipe.askModern("tools/call", tool("hold"), "a");
    pipe.askModern("tools/call", tool("hold"), "b");
    await until(() => held.length === 2);
    pipe.end();
    await pipe.server.done;
    expect(pipe.rest()).toMatchObject([
      { id: "a", result: {} },
      { id: "b", error: {} },
    ]);
    expect(held[1]?.context.signal.aborted).toBe(true);
  });

  test("subscriptions end with their results", async () => {
    const { pipe, events } = world();
    pipe.askModern("events/stream", { name: "note" }, "s");
    pipe.askModern("subscriptions/listen", { notifications: { toolsListChanged: true } }, "l");
    await pipe.said();
    await pipe.said();
    pipe.end();
    await pipe.server.done;
    expect(pipe.rest().map(({ id, result }) => [id, result?._meta])).toEqual([
      ["s", expect.objectContaining({ [ID]: "s" })],
      ["l", expect.objectContaining({ [ID]: "l" })],
    ]);
    expect(events.readers.size).toBe(0);
  });

  test("a stop is the same, though the input goes on", async () => {
    const { pipe } = world();
    pipe.askModern("events/stream", { name: "note" }, "s");
    await pipe.said();
    await pipe.server.stop();
    expect(pipe.rest().map(({ id }) => id)).toEqual(["s"]);
    pipe.askModern("server/discover");
    expect(pipe.rest()).toEqual([]);
  });

  test("a client that has gone is an end, whatever is left to say", async () => {
    const { pipe, events } = world();
    pipe.askModern("events/stream", { name: "note" }, "s");
    await pipe.said();
    pipe.break();
    events.add("note");
    await pipe.server.done;
    expect(events.readers.size).toBe(0);
  });

  test("a client that does not read is not waited for", async () => {
    const { pipe } = world();
    pipe.stall();
    pipe.askModern("server/discover");
    pipe.end();
    const before = performance.now();
    await pipe.server.done;
    expect(performance.now() - before).toBeLessThan(4000);
  });
});

describe("a client that reads slowly", () => {
  test("is asked for no more than fits: reading goes on when it does", async () => {
    const { pipe, seen } = world();
    pipe.stall();
    const text = "x".repeat(10_000);
    for (let i = 0; i < 200; i++) pipe.askModern("tools/call", tool("echo", { text }), i);
    await until(() => seen.length > 10);
    await Bun.sleep(20);
    const taken = seen.length;
    expect(taken).toBeLessThan(60);
    pipe.resume();
    for (let i = 0; i < 200; i++) expect((await pipe.said()).id).toBe(i);
  });

  test("finds events where it left off, and loses no answer to them", async () => {
    const { pipe, events } = world();
    pipe.askModern("events/stream", { name: "note" }, "s");
    await pipe.said();
    pipe.stall();
    for (let i = 0; i < 500; i++) events.add("note", { text: "x".repeat(1000) });
    pipe.askModern("server/discover", {}, "d");
    await until(() => pipe.writes.length > 1);
    expect(pipe.writes.join("").length).toBeLessThan(300_000);
    pipe.resume();
    const heard: unknown[] = [];
    let answeredAfter = -1;
    while (heard.length < 500) {
      const said = await pipe.said();
      if (said.id === "d") answeredAfter = heard.length;
      else heard.push(said.params?.cursor);
    }
    expect(heard).toEqual(heard.map((_, index) => `m.${index + 1}`));
    expect(answeredAfter).toBeLessThan(200);
  });
});
