/**
 * The page's MCP client: what goes over the wire, how every way to fail reads, how a stream is put
 * together again from its pieces, and when the feed and the outbox try once more.
 *
 * This file owns the answers of a server, made by hand. Against the real one they are in the browser tests.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Feed } from "../../src/web/browser/feed.ts";
import type { JsonObject } from "../../src/web/browser/json.ts";
import { FRAME_CHARS_MAX } from "../../src/web/browser/limits.ts";
import type { OwnLine } from "../../src/web/browser/lines.ts";
import { McpClient, type Outcome } from "../../src/web/browser/mcp-client.ts";
import { Outbox } from "../../src/web/browser/outbox.ts";
import { SseReader } from "../../src/web/browser/sse-reader.ts";

/** A client whose server answers like this. Requests are noted. */
function clientOf(answer: (call: JsonObject & { readonly id: number }) => Response | Promise<Response>) {
  const sent: { readonly headers: Headers; readonly body: JsonObject }[] = [];
  const client = new McpClient({
    endpoint: "http://localhost/mcp",
    clientInfo: { name: "test", version: "1" },
    fetch: async (_url, init) => {
      const body = JSON.parse(String(init.body));
      sent.push({ headers: new Headers(init.headers), body });
      return answer(body);
    },
  });
  return { client, sent };
}

const json = (value: unknown, init: ResponseInit = {}): Response =>
  new Response(JSON.stringify(value), { headers: { "content-type": "application/json" }, ...init });
const sse = (text: string): Response => new Response(text, { headers: { "content-type": "text/event-stream" } });

describe("a request", () => {
  test("carries everything the era asks for, and the credential", async () => {
    const { client, sent } = clientOf(({ id }) =>
      json({ jsonrpc: "2.0", id, result: { structuredContent: { a: 1 } } }),
    );
    client.credential = "mcpc_x";
    expect(await client.callTool("chat_status", { b: 2 })).toEqual({ kind: "ok", value: { a: 1 } });
    const [{ headers, body } = { headers: new Headers(), body: {} }] = sent;
    expect(Object.fromEntries(headers)).toEqual({
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "chat_status",
      authorization: "Bearer mcpc_x",
    });
    expect(body).toMatchObject({
      jsonrpc: "2.0",
      method: "tools/call",
      params: {
        name: "chat_status",
        arguments: { b: 2 },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    });
  });

  test("takes its answer from an event stream too", async () => {
    const { client } = clientOf(({ id }) =>
      sse(`data: {"method":"notifications/progress"}\n\ndata: ${JSON.stringify({ id, result: { x: 1 } })}\n\n`),
    );
    expect(await client.request("tools/list", {})).toEqual({ kind: "ok", value: { x: 1 } });
  });

  const refusal = { error: { code: "rate_limited", message: "You are too fast.", retry_after_ms: 700 } };
  test.each<[string, (id: number) => Response, Outcome]>([
    [
      "a refusal",
      (id) => json({ id, result: { isError: true, structuredContent: refusal } }),
      { kind: "refused", code: "rate_limited", message: "You are too fast.", retryAfterMs: 700 },
    ],
    ["401", () => json({ error: { code: -32000 } }, { status: 401 }), { kind: "denied" }],
    [
      "Forbidden",
      (id) => json({ id, error: { code: -32012, message: "Forbidden", data: { reason: "user_ended" } } }),
      { kind: "denied" },
    ],
    [
      "503",
      () => json({}, { status: 503, headers: { "retry-after": "5" } }),
      { kind: "unreachable", retryAfterMs: 5000 },
    ],
    ["429", () => json({}, { status: 429 }), { kind: "unreachable", retryAfterMs: 0 }],
    [
      "413",
      () => json({ error: { message: "too large" } }, { status: 413 }),
      { kind: "failed", status: 413, message: "too large" },
    ],
    ["500 without a body", () => new Response("oops", { status: 500 }), { kind: "failed", status: 500, message: "" }],
    [
      "an error",
      (id) => json({ id, error: { code: -32603, message: "Internal error" } }),
      { kind: "failed", status: 200, message: "Internal error" },
    ],
    ["somebody else's answer", () => json({ id: 99, result: {} }), { kind: "failed", status: 200, message: "" }],
    ["no JSON", () => json(undefined), { kind: "failed", status: 200, message: "" }],
  ])("%s is an outcome", async (_what, answer, outcome) => {
    const { client } = clientOf(({ id }) => answer(id));
    expect(await client.callTool("x", {})).toEqual(outcome);
  });

  test("that gets no answer is an outcome", async () => {
    const { client } = clientOf(() => Promise.reject(new TypeError("network")));
    expect(await client.callTool("x", {})).toEqual({ kind: "unreachable", retryAfterMs: 0 });
    expect(await client.stream({}, () => undefined, new AbortController().signal)).toMatchObject({
      kind: "unreachable",
    });
  });
});

describe("an event stream", () => {
  const STREAM = `: hello\n\nevent: message\nid: 1\ndata: {"a":1}\n\ndata:two\r\ndata: lines\r\n\r\ndata: é🙂\r\rdata: unfinished`;
  const EVENTS = ['{"a":1}', "two\nlines", "é🙂"];

  test("reads the same in whatever pieces it comes", () => {
    const cuts = fc.array(fc.integer({ min: 0, max: STREAM.length }), { maxLength: 8 });
    fc.assert(
      fc.property(cuts, (at) => {
        const reader = new SseReader();
        const borders = [0, ...at.sort((a, b) => a - b), STREAM.length];
        const pieces = borders.slice(1).map((end, n) => STREAM.slice(borders[n], end));
        expect(pieces.flatMap((piece) => reader.push(piece) ?? ["too long"])).toEqual(EVENTS);
      }),
    );
  });

  test("with an event that never ends is given up", () => {
    const reader = new SseReader();
    expect(reader.push(`data: ${"x".repeat(FRAME_CHARS_MAX / 2)}`)).toEqual([]);
    expect(reader.push("x".repeat(FRAME_CHARS_MAX))).toBeUndefined();
  });
});

describe("the feed", () => {
  const frame = (method: string, params: JsonObject): string =>
    `data: ${JSON.stringify({ jsonrpc: "2.0", method: `notifications/events/${method}`, params })}\n\n`;
  const occurrence = (n: number): string =>
    frame("event", { data: { name: "message.received", data: { n } }, cursor: `c${n}` });

  test("goes on behind the last event after a break, and tells of gaps", async () => {
    const streams = [
      frame("active", { cursor: "c0", truncated: false }) + occurrence(1) + occurrence(2),
      frame("active", { cursor: "c2", truncated: true }) + occurrence(3) + frame("heartbeat", { cursor: "c4" }),
    ];
    const { client, sent } = clientOf(() => sse(streams.shift() ?? ""));
    const told: unknown[] = [];
    let cursor: string | undefined;
    const over = Promise.withResolvers<void>();
    const feed = new Feed({
      client,
      prepare: async () => (streams.length === 0 ? "stop" : "go"),
      cursor: () => cursor,
      onEvent: (_name, data) => told.push(data.n),
      onRead: (read) => {
        cursor = read;
      },
      onMissed: () => told.push("gap"),
      onDenied: () => undefined,
      onConnection: (connection) => {
        told.push(connection);
        if (connection === "off") over.resolve();
      },
    });
    feed.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    feed.nudge();
    await new Promise((resolve) => setTimeout(resolve, 20));
    feed.nudge();
    await over.promise;
    expect(told).toEqual(["connecting", "open", 1, 2, "lost", "open", "gap", 3, "lost", "off"]);
    expect(sent.map(({ body }) => (body.params as JsonObject).cursor)).toEqual([null, "c2"]);
    expect(cursor).toBe("c4");
  });

  test("that is stopped and started while it prepares goes on once", async () => {
    const opened = Promise.withResolvers<void>();
    const { client, sent } = clientOf(() => {
      opened.resolve();
      return new Promise<Response>(() => undefined);
    });
    let preparations = 0;
    const feed = new Feed({
      client,
      prepare: async () => {
        if (++preparations > 1) return "go";
        // As when the server has forgotten this person, who then arrives anew.
        feed.stop();
        feed.start();
        return "stop";
      },
      cursor: () => undefined,
      onEvent: () => undefined,
      onRead: () => undefined,
      onMissed: () => undefined,
      onDenied: () => undefined,
      onConnection: () => undefined,
    });
    feed.start();
    await opened.promise;
    expect([preparations, sent.length]).toEqual([2, 1]);
    feed.stop();
  });
});

describe("the outbox", () => {
  const line = (key: string): OwnLine => ({ from: "me", key, text: key, at: 0, delivery: "sending" });

  async function run(answers: Outcome[]): Promise<string[]> {
    const waiting = [line("a"), line("b")];
    const told: string[] = [];
    const done = Promise.withResolvers<void>();
    const settle = (what: string) => {
      told.push(what);
      waiting.shift();
      if (waiting.length === 0) done.resolve();
    };
    const outbox = new Outbox({
      next: () => waiting[0],
      send: async ({ key }) => {
        told.push(`send ${key}`);
        return answers.shift() ?? { kind: "ok", value: {} };
      },
      onSent: ({ key }) => settle(`sent ${key}`),
      onFailed: ({ key }, problem) => settle(`${problem} ${key}`),
      onDenied: () => done.resolve(),
      onUnreachable: () => told.push("unreachable"),
    });
    outbox.wake();
    outbox.wake();
    await done.promise;
    return told;
  }

  test("sends one at a time, in order", async () => {
    expect(await run([])).toEqual(["send a", "sent a", "send b", "sent b"]);
  });

  test("tries again what passes, and goes on behind what does not", async () => {
    expect(await run([{ kind: "refused", code: "rate_limited", message: "", retryAfterMs: 1 }])).toEqual([
      "send a",
      "send a",
      "sent a",
      "send b",
      "sent b",
    ]);
    expect(await run([{ kind: "unreachable", retryAfterMs: 0 }])).toEqual([
      "send a",
      "unreachable",
      "send a",
      "sent a",
      "send b",
      "sent b",
    ]);
    expect(await run([{ kind: "refused", code: "message_refused", message: "", retryAfterMs: 0 }])).toEqual([
      "send a",
      "message_refused a",
      "send b",
      "sent b",
    ]);
    expect(await run([{ kind: "failed", status: 413, message: "" }])).toEqual([
      "send a",
      "message_too_long a",
      "send b",
      "sent b",
    ]);
  });

  test("stops where the credential is nobody's", async () => {
    expect(await run([{ kind: "denied" }])).toEqual(["send a"]);
  });
});
