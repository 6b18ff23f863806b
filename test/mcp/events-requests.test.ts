/**
 * MCP Events, request by request: what each rule of the extension makes of it, on one line each.
 *
 * This file owns the table of single requests. Streams and held polls are looked at beside it.
 */

import { describe, expect, test } from "bun:test";
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { EVENT_POLLS_BURST_MAX } from "../../src/limits.ts";
import type { JsonObject } from "../../src/mcp/registry.ts";
import { createEventFixture } from "../support/event-fixture.ts";
import { CALLER, createEndpoint, jsonOf } from "../support/mcp-endpoint.ts";

const NS = "io.modelcontextprotocol/";
const EXTENSION = `${NS}events`;

type Profile = "undeclared" | "declared" | "legacy";

interface Asked {
  readonly method: string;
  readonly params?: JsonObject;
  readonly bearer?: string | null;
  readonly as?: Profile;
}

function world() {
  const fixture = createEventFixture();
  const endpoint = createEndpoint(fixture);
  const { events } = fixture;
  // What has happened before any request.
  for (const [name, text] of [
    ["note", "a"],
    ["polled", "b"],
    ["note", "c"],
    ["note", "d"],
  ] as const) {
    events.add(name, { text });
  }
  const ask = ({ method, params = {}, bearer = "ann", as = "undeclared" }: Asked) => {
    const caller = bearer === null ? CALLER : { ...CALLER, bearer };
    if (as === "legacy") {
      return jsonOf(endpoint.post({ jsonrpc: "2.0", id: 1, method, params }, endpoint.open(), caller));
    }
    const extensions = as === "declared" ? { [EXTENSION]: {} } : {};
    const _meta = { [`${NS}protocolVersion`]: "2026-07-28", [`${NS}clientCapabilities`]: { extensions } };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
    return jsonOf(endpoint.post({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }, headers, caller));
  };
  return { ...endpoint, events, ask };
}

interface Row extends Asked {
  readonly rule: string;
  readonly error?: { code: number; message?: string; data?: JsonObject };
  readonly result?: JsonObject;
  /** Members the result must not have. */
  readonly lacks?: readonly string[];
  readonly status?: number;
}

const poll = (rule: string, params: JsonObject, more: Partial<Row>): Row => ({
  rule,
  method: "events/poll",
  params: { name: "note", ...params },
  ...more,
});
const badParam = (field: string): Partial<Row> => ({
  error: { code: -32602, message: "InvalidParams", data: { field, reason: expect.any(String) } },
});
const UNSUPPORTED = (value: string): JsonObject => ({ feature: "deliveryMode", value });
const NO_PRINCIPAL = { reason: "authentication_required" };

let deep: JsonObject = {};
for (let level = 0; level < 16; level++) deep = { only: deep };

const ROWS: readonly Row[] = [
  // discovery
  {
    rule: "the capability is advertised by its own name and as an extension",
    method: "server/discover",
    result: { capabilities: expect.objectContaining({ events: {}, extensions: { [EXTENSION]: {} } }) },
  },
  // list
  {
    rule: "the list is open to everybody",
    method: "events/list",
    bearer: null,
    result: { resultType: "complete", events: expect.any(Array) },
  },
  { rule: "the list has no next page", method: "events/list", lacks: ["nextCursor"] },
  { rule: "the list is not cacheable", method: "events/list", lacks: ["ttlMs", "cacheScope"] },
  {
    rule: "a list cursor nobody gave out is refused",
    method: "events/list",
    params: { cursor: "x" },
    ...badParam("cursor"),
  },
  {
    rule: "legacy sessions list too, without the modern envelope",
    method: "events/list",
    as: "legacy",
    result: { events: expect.any(Array) },
    lacks: ["resultType"],
  },
  // poll: answers
  poll(
    "from now: nothing, and a fresh cursor",
    { cursor: null },
    {
      result: { resultType: "complete", events: [], cursor: "m.4", truncated: false, hasMore: false, nextPollMs: 2000 },
    },
  ),
  poll("no cursor is the same as null", {}, { result: { events: [], cursor: "m.4" } }),
  poll("null arguments are the same as none", { arguments: null }, { result: { events: [] } }),
  poll(
    "from a cursor: strictly after it, in order, without what is of other types",
    { cursor: "m.1" },
    {
      result: {
        events: [expect.objectContaining({ data: { text: "c" } }), expect.objectContaining({ data: { text: "d" } })],
        cursor: "m.4",
        hasMore: false,
      },
    },
  ),
  poll(
    "a polled occurrence has no cursor of its own",
    { cursor: "m.3" },
    {
      result: {
        events: [{ eventId: "evt_4", name: "note", timestamp: "2026-01-01T00:00:00.000Z", data: { text: "d" } }],
      },
    },
  ),
  poll(
    "maxEvents cuts: an intermediate cursor, and more",
    { cursor: "m.0", maxEvents: 1 },
    { result: { events: [expect.objectContaining({ data: { text: "a" } })], cursor: "m.2", hasMore: true } },
  ),
  poll(
    "maxEvents beyond the most there is gives that",
    { cursor: "m.0", maxEvents: 100_000 },
    { result: { hasMore: false } },
  ),
  poll(
    "a cursor that means nothing starts now, and says so",
    { cursor: "garbage" },
    { result: { events: [], cursor: "m.4", truncated: true } },
  ),
  poll("the longest cursor is looked at", { cursor: "x".repeat(256) }, { result: { truncated: true } }),
  poll(
    "a longer timeout than there is, is shortened, not refused",
    { cursor: "m.0", timeoutMs: 10_000_000 },
    { result: { events: expect.any(Array) } },
  ),
  poll(
    "an empty poll advances the cursor past other types",
    { name: "polled", cursor: "m.2" },
    { result: { events: [], cursor: "m.4" } },
  ),
  poll(
    "legacy sessions poll, without the modern envelope",
    { cursor: "m.3" },
    { as: "legacy", result: { cursor: "m.4" }, lacks: ["resultType"] },
  ),
  // poll: parameters
  poll("a name is required", { name: null }, badParam("name")),
  poll("a name is text", { name: 7 }, badParam("name")),
  poll("arguments are an object", { arguments: [] }, badParam("arguments")),
  poll("arguments fit the type", { arguments: { other: 1 } }, badParam("arguments")),
  poll("arguments are small", { arguments: { only: "x".repeat(4100) } }, badParam("arguments")),
  poll("arguments are flat", { arguments: deep }, badParam("arguments")),
  poll(
    "arguments with a dangerous name are refused",
    { arguments: { only: JSON.parse('{"__proto__":1}') } },
    badParam("arguments"),
  ),
  poll("parameters are small", { padding: "x".repeat(65_536) }, badParam("params")),
  poll("a cursor is text or null", { cursor: 1 }, badParam("cursor")),
  poll("a cursor is short", { cursor: "x".repeat(257) }, badParam("cursor")),
  poll("maxAgeMs is whole", { maxAgeMs: 1.5 }, badParam("maxAgeMs")),
  poll("maxAgeMs is not negative", { maxAgeMs: -1 }, badParam("maxAgeMs")),
  poll("maxEvents is at least one", { maxEvents: 0 }, badParam("maxEvents")),
  poll("maxEvents is a number", { maxEvents: "5" }, badParam("maxEvents")),
  poll("timeoutMs is not negative", { timeoutMs: -5 }, badParam("timeoutMs")),
  // refusals, and their order
  poll("an unknown type", { name: "gone" }, { error: { code: -32011, message: "NotFound", data: { kind: "event" } } }),
  poll("a name is never looked up beyond the table", { name: "constructor" }, { error: { code: -32011 } }),
  poll(
    "a type that cannot be polled",
    { name: "live" },
    { error: { code: -32014, message: "Unsupported", data: UNSUPPORTED("poll") } },
  ),
  poll("nobody known", {}, { bearer: null, error: { code: -32012, message: "Forbidden", data: NO_PRINCIPAL } }),
  poll("the name comes before authorization", { name: "gone" }, { bearer: null, error: { code: -32011 } }),
  poll("the mode comes before the arguments", { name: "live", arguments: [] }, { error: { code: -32014 } }),
  poll("the arguments come before authorization", { arguments: [] }, { bearer: null, ...badParam("arguments") }),
  // numbers
  poll(
    "a client that declares the extension gets the SEP's number",
    { name: "gone" },
    { as: "declared", error: { code: -32023, message: "NotFound", data: { kind: "event" } } },
  ),
  poll(
    "the same of Forbidden",
    {},
    { as: "declared", bearer: null, error: { code: -32024, message: "Forbidden", data: NO_PRINCIPAL } },
  ),
  poll(
    "the same of Unsupported",
    { name: "live" },
    { as: "declared", error: { code: -32026, message: "Unsupported" } },
  ),
  poll("invalid parameters have one number", { name: 1 }, { as: "declared", ...badParam("name") }),
  poll("legacy sessions get the sketch's number", { name: "gone" }, { as: "legacy", error: { code: -32011 } }),
  // stream, before it is one
  {
    rule: "a stream of an unknown type is refused as JSON",
    method: "events/stream",
    params: { name: "gone" },
    error: { code: -32011 },
  },
  {
    rule: "a type that cannot be pushed",
    method: "events/stream",
    params: { name: "polled" },
    error: { code: -32014, data: UNSUPPORTED("push") },
  },
  {
    rule: "a stream for nobody known",
    method: "events/stream",
    params: { name: "note" },
    bearer: null,
    error: { code: -32012, data: NO_PRINCIPAL },
  },
  {
    rule: "legacy sessions have no stream",
    method: "events/stream",
    params: { name: "note" },
    as: "legacy",
    error: { code: -32601 },
  },
  // webhooks
  {
    rule: "webhooks are not offered",
    method: "events/subscribe",
    params: { name: "note", delivery: { mode: "webhook", url: "https://a.example", secret: "x" } },
    error: { code: -32014, message: "Unsupported", data: UNSUPPORTED("webhook") },
  },
  {
    rule: "to subscribe to an unknown type",
    method: "events/subscribe",
    params: { name: "gone" },
    error: { code: -32011 },
  },
  {
    rule: "to unsubscribe from nothing is done already, in the sketch",
    method: "events/unsubscribe",
    params: { name: "note", delivery: { url: "https://a.example" } },
    result: { resultType: "complete" },
  },
  {
    rule: "and not found, in the SEP",
    method: "events/unsubscribe",
    params: { name: "note" },
    as: "declared",
    error: { code: -32023, data: { kind: "subscription" } },
  },
  {
    rule: "to unsubscribe takes somebody known",
    method: "events/unsubscribe",
    params: { name: "note" },
    bearer: null,
    error: { code: -32012 },
  },
  { rule: "to unsubscribe takes a name", method: "events/unsubscribe", ...badParam("name") },
  // the base protocol
  {
    rule: "a method of the extension that does not exist",
    method: "events/nothing",
    status: 404,
    error: { code: -32601 },
  },
];

describe("one request", () => {
  test.each(ROWS.map((row) => [row.rule, row] as const))("%s", (_rule, row) => {
    const { ask, events } = world();
    const { status, body } = ask(row);
    JSONRPCMessageSchema.parse(body);
    expect(status).toBe(row.status ?? 200);
    if (row.error !== undefined) expect(body).toMatchObject({ jsonrpc: "2.0", id: 1, error: row.error });
    else expect(body).toMatchObject({ jsonrpc: "2.0", id: 1, result: row.result ?? {} });
    for (const member of row.lacks ?? []) expect(body).not.toHaveProperty(["result", member]);
    expect(events.readers.size).toBe(0);
  });
});

describe("limits of a principal", () => {
  test("polls: a burst, then so many a second; others are not concerned", () => {
    const { ask, clock } = world();
    const asked = { method: "events/poll", params: { name: "note" } };
    for (let i = 0; i < EVENT_POLLS_BURST_MAX; i++) expect(ask(asked).body).toHaveProperty("result");
    expect(ask(asked).body).toMatchObject({
      error: { code: -32013, message: "ResourceExhausted", data: { limit: "polls", retryAfterMs: 500 } },
    });
    expect(ask({ ...asked, as: "declared" }).body).toMatchObject({ error: { code: -32025 } });
    expect(ask({ ...asked, bearer: "bob" }).body).toHaveProperty("result");
    clock.at += 500;
    expect(ask(asked).body).toHaveProperty("result");
    expect(ask(asked).body).toHaveProperty("error");
  });
});

describe("the numbers of errors", () => {
  test.each([
    ["sketch", "declared", -32011],
    ["sep", "undeclared", -32023],
    ["sep", "legacy", -32023],
  ] as const)("as the operator says: %s for a client %s", (codes, as, code) => {
    const { ask, events } = world();
    events.errorCodes = codes;
    expect(ask({ method: "events/poll", params: { name: "gone" }, as }).body).toMatchObject({ error: { code } });
  });
});

test("a server without events has none of the methods and advertises nothing", () => {
  const { post, open } = createEndpoint();
  const reply = post({ jsonrpc: "2.0", id: 1, method: "events/list" }, open());
  expect(jsonOf(reply).body).toMatchObject({ error: { code: -32601 } });
  const _meta = { [`${NS}protocolVersion`]: "2026-07-28", [`${NS}clientCapabilities`]: {} };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover" };
  const found = post({ jsonrpc: "2.0", id: 1, method: "server/discover", params: { _meta } }, headers);
  expect(JSON.stringify(jsonOf(found).body)).not.toContain("events");
});
