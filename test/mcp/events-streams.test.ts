/** MCP Events over time: what a stream says and in which order, and how long a poll is held. */

import { describe, expect, test } from "bun:test";
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import { EVENT_STREAMS_PER_PRINCIPAL_MAX } from "../../src/limits.ts";
import type { Caller } from "../../src/mcp/call.ts";
import { NOT_ACCEPTABLE_GET } from "../../src/mcp/errors.ts";
import { MessageFrames } from "../../src/mcp/message-source.ts";
import type { JsonObject } from "../../src/mcp/registry.ts";
import type { HeldReply, Reply } from "../../src/mcp/reply.ts";
import { createEventFixture } from "../support/event-fixture.ts";
import { CALLER, createEndpoint, HandConnection, heldOf, jsonOf } from "../support/mcp-endpoint.ts";

const NS = "io.modelcontextprotocol/";
const ID = `${NS}subscriptionId`;

function world() {
  const fixture = createEventFixture();
  const endpoint = createEndpoint(fixture);
  const ask = (method: string, params: unknown, { id = 1 as string | number, caller = {} as Partial<Caller> } = {}) => {
    const _meta = { [`${NS}protocolVersion`]: "2026-07-28", [`${NS}clientCapabilities`]: {} };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
    const body = { jsonrpc: "2.0", id, method, params: { ...(params as object), _meta } };
    return endpoint.post(body, headers, { ...CALLER, bearer: "ann", ...caller });
  };
  const stream = (params: JsonObject = {}, options: Parameters<typeof ask>[2] = {}) =>
    connect(ask("events/stream", { name: "note", ...params }, options));
  return { ...endpoint, events: fixture.events, ask, stream };
}

function connect(reply: Reply | HeldReply): HandConnection {
  if (reply.kind !== "messages") throw new Error(`a ${reply.kind} reply where messages were expected`);
  return new HandConnection(new MessageFrames(reply.source, () => reply.closed()));
}

interface Said {
  readonly method?: string;
  readonly params?: JsonObject;
  readonly result?: JsonObject;
}

/** Everything new, each message checked; notifications by their last word with what tells them apart. */
function hear(connection: HandConnection): string[] {
  return (connection.messages() as Said[]).map((message) => {
    JSONRPCMessageSchema.parse(message);
    if (message.result !== undefined) return "result";
    const { params = {} } = message;
    const word = message.method?.replace("notifications/events/", "") ?? "";
    if (word === "event") return `event ${(params.data as JsonObject).text}`;
    if (word === "active") return `active ${params.cursor}${params.truncated === true ? " truncated" : ""}`;
    return word === "heartbeat" ? `heartbeat ${params.cursor}` : word;
  });
}

describe("a stream", () => {
  test("says that it is active, then what happens, in order, and nothing of other types", () => {
    const { events, stream } = world();
    events.add("note", { text: "before" });
    const open = stream();
    expect(hear(open)).toEqual(["active m.1"]);
    events.add("note", { text: "a" });
    events.add("polled", { text: "other" });
    events.add("note", { text: "b" });
    expect(open.woken).toBeGreaterThan(0);
    expect(hear(open)).toEqual(["event a", "event b"]);
    expect(open.text()).toBe("");
  });

  test("is active before any event even if there is a backlog", () => {
    const { events, stream } = world();
    for (const text of ["a", "b", "c"]) events.add("note", { text });
    expect(hear(stream({ cursor: "m.1" }))).toEqual(["active m.1", "event b", "event c"]);
  });

  test.each([7, "7", "a \u2028 b"])("carries the request's id %p as it came on every message", (id) => {
    const { events, stream, endpoint } = world();
    const open = stream({}, { id });
    events.add("note", { text: "a" });
    expect(open.source.keepAlive()).toBe("");
    const said = open.messages() as Said[];
    said.push(JSON.parse(open.source.keepAlive().split("data: ")[1] ?? "null"));
    endpoint.stop();
    said.push(...(open.messages() as Said[]));
    expect(said.map(({ method, result }) => method ?? (result === undefined ? "?" : "result"))).toEqual([
      "notifications/events/active",
      "notifications/events/event",
      "notifications/events/heartbeat",
      "result",
    ]);
    for (const { params, result } of said) expect((params ?? result)?._meta).toMatchObject({ [ID]: id });
    expect(said.at(-1)).toMatchObject({ id, result: { resultType: "complete" } });
  });

  test("an event carries id, name, time, data and its own cursor", () => {
    const { events, stream } = world();
    const open = stream();
    hear(open);
    events.add("note", { text: "a" });
    const timestamp = "2026-01-01T00:00:00.000Z";
    expect(open.messages()).toEqual([
      {
        jsonrpc: "2.0",
        method: "notifications/events/event",
        params: { eventId: "evt_1", name: "note", timestamp, data: { text: "a" }, cursor: "m.1", _meta: { [ID]: 1 } },
      },
    ]);
  });

  test("shows that it lives by messages, never by comments, with the position it has come to", () => {
    const { events, stream } = world();
    const open = stream();
    expect(hear(open)).toEqual(["active m.0"]);
    events.add("polled");
    expect(open.text()).toBe("");
    const beat = open.source.keepAlive();
    expect(beat).toStartWith("event: message\ndata: {");
    expect(JSON.parse(beat.split("data: ")[1] ?? "")).toEqual({
      jsonrpc: "2.0",
      method: "notifications/events/heartbeat",
      params: { cursor: "m.1", _meta: { [ID]: 1 } },
    });
  });

  test("of a type that keeps nothing has no cursor anywhere", () => {
    const { stream } = world();
    const open = stream({ name: "live", cursor: "anything" });
    expect(hear(open)).toEqual(["active null"]);
    expect(open.source.keepAlive()).toContain('"cursor":null');
  });

  test("that starts after a gap says so, and one that meets one says so again and goes on", () => {
    const { events, stream } = world();
    for (const text of ["a", "b"]) events.add("note", { text });
    events.drop();
    events.add("note", { text: "c" });
    const open = stream({ cursor: "m.0" });
    expect(hear(open)).toEqual(["active m.2 truncated", "event c"]);
    events.add("note", { text: "d" });
    events.drop();
    events.add("note", { text: "e" });
    expect(hear(open)).toEqual(["active m.4 truncated", "event e"]);
    expect(open.ended).toBe(false);
  });

  test("is as fast as its reader: a backlog comes by about as much as is asked for", () => {
    const { events, stream } = world();
    for (let i = 0; i < 50; i++) events.add("note", { text: "x".repeat(1000) });
    const open = stream({ cursor: "m.0" });
    const first = open.source.pull(3000);
    expect(first.length).toBeLessThan(6000);
    expect(open.messages()).toHaveLength(50 + 1 - (first.match(/^data: /gm)?.length ?? 0));
  });

  test("of an access that is withdrawn ends with the reason and the result", () => {
    const { events, stream } = world();
    const open = stream();
    hear(open);
    events.end("ann", { name: "Forbidden", data: { reason: "revoked" } });
    const said = open.messages();
    expect(said).toEqual([
      {
        jsonrpc: "2.0",
        method: "notifications/events/terminated",
        params: { error: { code: -32012, message: "Forbidden", data: { reason: "revoked" } }, _meta: { [ID]: 1 } },
      },
      expect.objectContaining({ id: 1, result: expect.objectContaining({ resultType: "complete" }) }),
    ]);
    expect(open.ended).toBe(true);
    open.close();
    expect(events.readers.size).toBe(0);
  });

  test("ends with the result when the server stops, with nothing after it", () => {
    const { events, stream, endpoint } = world();
    const open = stream();
    expect(hear(open)).toEqual(["active m.0"]);
    endpoint.stop();
    events.add("note", { text: "late" });
    expect(hear(open)).toEqual(["result"]);
    expect(open.ended).toBe(true);
    expect(open.text() + open.source.keepAlive()).not.toContain("late");
  });

  test("that its client drops frees everything and says nothing more", () => {
    const { events, stream, endpoint } = world();
    const open = stream();
    hear(open);
    expect(endpoint.counts.held).toBe(1);
    open.close();
    expect(events.readers.size).toBe(0);
    expect(endpoint.counts.held).toBe(0);
    events.add("note", { text: "late" });
    expect(open.text()).toBe("");
    endpoint.stop();
  });

  test("has a number of its own that a principal may not exceed", () => {
    const { ask, stream, events } = world();
    const open = Array.from({ length: EVENT_STREAMS_PER_PRINCIPAL_MAX }, () => stream());
    const full = { limit: "streams", max: EVENT_STREAMS_PER_PRINCIPAL_MAX };
    expect(jsonOf(ask("events/stream", { name: "note" }))).toMatchObject({
      status: 200,
      body: { error: { code: -32013, message: "ResourceExhausted", data: full } },
    });
    expect(hear(stream({}, { caller: { bearer: "bob" } }))).toEqual(["active m.0"]);
    open.pop()?.close();
    expect(hear(stream())).toEqual(["active m.0"]);
    expect(events.readers.size).toBe(EVENT_STREAMS_PER_PRINCIPAL_MAX + 1);
  });

  test("needs a client that takes event streams", () => {
    const { ask, events } = world();
    const caller = { canStream: false, streamRefusal: NOT_ACCEPTABLE_GET };
    expect(jsonOf(ask("events/stream", { name: "note" }, { caller })).status).toBe(406);
    expect(events.opened).toBe(0);
  });
});

describe("a held poll", () => {
  const poll = { name: "note", timeoutMs: 20_000 };
  const answer = async (held: HeldReply) => (jsonOf(await held.reply).body as { result: JsonObject }).result;

  test("answers as soon as something of its type happens", async () => {
    const { ask, events } = world();
    const held = heldOf(ask("events/poll", poll));
    events.add("polled");
    expect(events.readers.size).toBe(1);
    events.add("note", { text: "a" });
    expect(await answer(held)).toMatchObject({ events: [{ data: { text: "a" } }], cursor: "m.2", truncated: false });
    expect([events.readers.size, events.held]).toEqual([0, 1]);
  });

  test("is not held if there is something, or something was lost", () => {
    const { ask, events } = world();
    events.add("note");
    expect(jsonOf(ask("events/poll", { ...poll, cursor: "m.0" })).body).toHaveProperty("result");
    expect(jsonOf(ask("events/poll", { ...poll, cursor: "?" })).body).toMatchObject({ result: { truncated: true } });
    expect(events.held).toBe(0);
  });

  test("answers empty when its time is up, with a cursor that has moved on", async () => {
    const { ask, events } = world();
    const held = heldOf(ask("events/poll", { ...poll, timeoutMs: 5 }));
    events.add("polled");
    expect(await answer(held)).toMatchObject({ events: [], cursor: "m.1", hasMore: false });
  });

  test("answers empty when the server is about to stop", async () => {
    const { ask, endpoint, events } = world();
    const held = heldOf(ask("events/poll", poll));
    endpoint.release();
    expect(await answer(held)).toMatchObject({ events: [], hasMore: false });
    expect(events.readers.size).toBe(0);
  });

  test("answers empty when a newer one of the same principal and type is held", async () => {
    const { ask, events } = world();
    const first = heldOf(ask("events/poll", poll));
    const others = [
      heldOf(ask("events/poll", { ...poll, name: "polled" })),
      heldOf(ask("events/poll", poll, { caller: { bearer: "bob" } })),
    ];
    expect(events.readers.size).toBe(3);
    const second = heldOf(ask("events/poll", poll));
    expect(await answer(first)).toMatchObject({ events: [] });
    expect(events.readers.size).toBe(3);
    events.add("note", { text: "a" });
    expect(await answer(second)).toMatchObject({ events: [{ data: { text: "a" } }] });
    for (const other of others) other.disconnected();
  });

  test("is given up with its connection", async () => {
    const { ask, events, endpoint } = world();
    const held = heldOf(ask("events/poll", poll));
    held.disconnected();
    expect((await held.reply).kind).toBe("accepted");
    expect([events.readers.size, endpoint.counts.held]).toEqual([0, 0]);
  });

  test("says why when the access is withdrawn", async () => {
    const { ask, events } = world();
    const held = heldOf(ask("events/poll", poll));
    events.end("ann", { name: "Forbidden", data: { reason: "revoked" } });
    expect(jsonOf(await held.reply).body).toMatchObject({ error: { code: -32012, data: { reason: "revoked" } } });
    expect(events.readers.size).toBe(0);
  });
});

test("whatever the parameters: one clear answer, and nothing left open", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom("note", "live", "polled", "m.0", "", null, 0, 1, -1, 1e300));
  const params = fc.record(
    { name: value, arguments: value, cursor: value, maxAgeMs: value, maxEvents: value, delivery: value },
    { requiredKeys: [] },
  );
  const methods = ["events/list", "events/poll", "events/stream", "events/subscribe", "events/unsubscribe"];
  fc.assert(
    fc.property(fc.constantFrom(...methods), params, (method, given) => {
      const { ask, events, logged } = world();
      const reply = ask(method, given);
      if (reply.kind === "messages") connect(reply).close();
      else {
        const { status, body } = jsonOf(reply);
        JSONRPCMessageSchema.parse(body);
        expect(status).toBe(200);
        expect(body).not.toMatchObject({ error: { code: -32603 } });
      }
      expect(events.readers.size).toBe(0);
      expect(logged).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
