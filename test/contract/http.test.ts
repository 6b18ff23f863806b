/**
 * What the endpoint says to requests of all sorts, row by row: status, JSON-RPC code, headers.
 *
 * This file owns the status table as seen from outside. It must never import from src.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type HeaderFields,
  type Json,
  modernRequest,
  post,
  RawModern,
  RawSession,
  read,
} from "../support/client-raw.ts";
import { exchange, httpText, RawSocket } from "../support/client-socket.ts";
import { type Program, startProgram } from "../support/program.ts";

let server: Program;
let session: RawSession;
beforeAll(async () => {
  server = await startProgram({ kind: "source" });
  session = await RawSession.open(server.url);
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  expect(server.stderr).not.toContain("error");
});

const PING = { jsonrpc: "2.0", id: 7, method: "ping" };

/** Title, body, status, JSON-RPC code (0 = a result, undefined = no body), and headers beside the session's. */
type Row = readonly [title: string, body: unknown, status: number, code: number | undefined, headers?: HeaderFields];

const LEGACY: readonly Row[] = [
  ["ping", PING, 200, 0],
  ["a text id", { ...PING, id: "\u00e9\u{1f44b}" }, 200, 0],
  ["id 0", { ...PING, id: 0 }, 200, 0],
  ["a negative id", { ...PING, id: -1 }, 200, 0],
  ["an empty id", { ...PING, id: "" }, 200, 0],
  ["a long id", { ...PING, id: "x".repeat(10_000) }, 200, 0],
  ["tools/list", { ...PING, method: "tools/list" }, 200, 0],
  ["an unknown tool", { ...PING, method: "tools/call", params: { name: "nonsense", arguments: {} } }, 200, -32602],
  ["a tool named like a property", { ...PING, method: "tools/call", params: { name: "__proto__" } }, 200, -32602],
  ["a call without a name", { ...PING, method: "tools/call", params: {} }, 200, -32602],
  ["a call without params", { ...PING, method: "tools/call" }, 200, -32602],
  ["an unknown method", { ...PING, method: "nonsense" }, 200, -32601],
  ["a method named like a property", { ...PING, method: "constructor" }, 200, -32601],
  ["a modern method", { ...PING, method: "server/discover" }, 200, -32601],
  ["a notification", { jsonrpc: "2.0", method: "notifications/initialized" }, 202, undefined],
  ["an unknown notification", { jsonrpc: "2.0", method: "nonsense" }, 202, undefined],
  ["a cancellation of nothing", { jsonrpc: "2.0", method: "notifications/cancelled", params: {} }, 202, undefined],
  ["a response to nothing", { jsonrpc: "2.0", id: 1, result: {} }, 202, undefined],
  ["an error to nothing", { jsonrpc: "2.0", id: 1, error: { code: 1, message: "x" } }, 202, undefined],
  ["no JSON", "{nonsense", 400, -32700],
  ["nothing", " ", 400, -32700],
  ["half a message", '{"jsonrpc":"2.0","id":1,"method":"pi', 400, -32700],
  ["no UTF-8", new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 400, -32600],
  ["null", "null", 400, -32600],
  ["a number", "5", 400, -32600],
  ["a text", '"ping"', 400, -32600],
  ["an empty object", {}, 400, -32600],
  ["an empty batch", [], 400, -32600],
  ["a batch", [PING], 400, -32600],
  ["id null", { ...PING, id: null }, 400, -32600],
  ["id 1.5", { ...PING, id: 1.5 }, 400, -32600],
  ["id true", { ...PING, id: true }, 400, -32600],
  ["an object as id", { ...PING, id: {} }, 400, -32600],
  ["an id that loses digits", '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', 400, -32600],
  ["JSON-RPC 1.0", { ...PING, jsonrpc: "1.0" }, 400, -32600],
  ["no jsonrpc", { id: 1, method: "ping" }, 400, -32600],
  ["a number as method", { ...PING, method: 5 }, 400, -32600],
  ["an array as params", { ...PING, params: [] }, 400, -32600],
  ["params null", { ...PING, params: null }, 400, -32600],
  ["result and error", { jsonrpc: "2.0", id: 1, result: {}, error: { code: 1, message: "x" } }, 400, -32600],
  ["initialize again", { ...PING, method: "initialize", params: {} }, 400, -32600],
  ["no session", PING, 400, -32000, { "mcp-session-id": "" }],
  ["a forged session", PING, 404, -32001, { "mcp-session-id": "nonsense" }],
  ["a random session", PING, 404, -32001, { "mcp-session-id": "A".repeat(150) }],
  ["an endless session", PING, 404, -32001, { "mcp-session-id": "A".repeat(4000) }],
  ["an older version header", PING, 200, 0, { "mcp-protocol-version": "2024-11-05" }],
  ["an unknown version header", PING, 400, -32000, { "mcp-protocol-version": "1999-01-01" }],
  ["a modern version header without _meta", PING, 400, -32602, { "mcp-protocol-version": "2026-07-28" }],
  ["plain text", PING, 415, -32000, { "content-type": "text/plain" }],
  ["almost JSON", PING, 415, -32000, { "content-type": "application/jsonl" }],
  ["JSON with a charset", PING, 200, 0, { "content-type": "Application/JSON; charset=utf-8" }],
  ["Accept: JSON only", PING, 200, 0, { accept: "application/json" }],
  ["Accept: anything", PING, 200, 0, { accept: "*/*" }],
  ["Accept: a stream only", PING, 200, 0, { accept: "text/event-stream" }],
  ["Accept: a page", PING, 406, -32000, { accept: "text/html" }],
  ["Accept: not this", PING, 406, -32000, { accept: "application/json;q=0, text/html" }],
  ["a local page", PING, 200, 0, { origin: "http://localhost:3000" }],
  ["a strange page", PING, 403, -32000, { origin: "http://evil.example" }],
  ["a page that starts like a local one", PING, 403, -32000, { origin: "http://localhost.evil.example" }],
  ["a page without an origin", PING, 403, -32000, { origin: "null" }],
];

function expectJsonRpc(text: string, code: number | undefined): void {
  if (code === undefined) {
    expect(text).toBe("");
    return;
  }
  const message = JSON.parse(text);
  expect(message.jsonrpc).toBe("2.0");
  expect(message.error?.code ?? 0).toBe(code);
  expect(message.id).not.toBeNull();
  expect(text).not.toMatch(/\/src\/|node_modules|\n {4}at /);
}

test.each(LEGACY)("legacy, %s", async (_title, body, status, code, headers = {}) => {
  const sent = { ...session.headers, ...headers };
  const answer = await post(server.url, body, sent["mcp-session-id"] === "" ? {} : sent);
  expect(answer.status).toBe(status);
  expectJsonRpc(answer.messages.length > 0 ? JSON.stringify(answer.message) : answer.text, code);
  const id = typeof body === "object" && body !== null && "method" in body && "id" in body ? body.id : undefined;
  if (code !== undefined && id !== undefined && status !== 403 && status !== 415 && status !== 406) {
    const isGood = typeof id === "string" || Number.isInteger(id);
    expect(answer.message.id).toEqual(isGood ? id : undefined);
  }
});

test("a session that differs in one character is none", async () => {
  const token = session.headers["mcp-session-id"] ?? "";
  for (const at of [0, 20, token.length - 1]) {
    const other = token[at] === "A" ? "B" : "A";
    const forged = token.slice(0, at) + other + token.slice(at + 1);
    expect((await post(server.url, PING, { "mcp-session-id": forged })).status).toBe(404);
  }
});

test("batches exist in 2025-03-26, and only there", async () => {
  const batching = await RawSession.open(server.url, "2025-03-26");
  const both = await batching.post([
    PING,
    { jsonrpc: "2.0", method: "x" },
    { ...PING, id: "b" },
    { ...PING, id: 9, method: "x" },
  ]);
  expect(both.status).toBe(200);
  const answers: Json[] = JSON.parse(both.text);
  expect(answers.map(({ id }) => id)).toEqual([7, "b", 9]);
  expect((await batching.post([{ jsonrpc: "2.0", method: "x" }])).status).toBe(202);
  expect((await batching.post([])).status).toBe(400);
  expect((await batching.post([PING, 5])).status).toBe(400);
  expect((await batching.post([PING, [PING]])).status).toBe(400);
  expect((await batching.post(Array.from({ length: 1000 }, (_, id) => ({ ...PING, id })))).status).toBe(400);
});

describe("modern", () => {
  const list = modernRequest(1, "tools/list");
  const call = modernRequest(1, "tools/call", { name: "chat_status", arguments: {} });
  const claim = "io.modelcontextprotocol/protocolVersion";
  const withMeta = (_meta: unknown): Json => ({ jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta } });
  const capabilities = { "io.modelcontextprotocol/clientCapabilities": {} };
  const rows: readonly (readonly [string, unknown, HeaderFields, number, number])[] = [
    ["a list", list.body, list.headers, 200, 0],
    ["a call", call.body, call.headers, 200, 0],
    ["a session it does not need", list.body, { ...list.headers, "mcp-session-id": "nonsense" }, 200, 0],
    ["no capabilities", withMeta({ [claim]: "2026-07-28" }), list.headers, 400, -32602],
    ["a version that is no text", withMeta({ [claim]: 5, ...capabilities }), list.headers, 400, -32602],
    [
      "a version not served",
      withMeta({ [claim]: "2027-01-01", ...capabilities }),
      { ...list.headers, "mcp-protocol-version": "2027-01-01" },
      400,
      -32022,
    ],
    [
      "a legacy version",
      withMeta({ [claim]: "2025-11-25", ...capabilities }),
      { ...list.headers, "mcp-protocol-version": "2025-11-25" },
      400,
      -32022,
    ],
    ["no version header", list.body, { "mcp-method": "tools/list" }, 400, -32020],
    ["another version header", list.body, { ...list.headers, "mcp-protocol-version": "2025-11-25" }, 400, -32020],
    ["no method header", list.body, { "mcp-protocol-version": "2026-07-28" }, 400, -32020],
    ["another method header", list.body, { ...list.headers, "mcp-method": "tools/call" }, 400, -32020],
    ["no name header", call.body, { ...call.headers, "mcp-name": "" }, 400, -32020],
    ["another name header", call.body, { ...call.headers, "mcp-name": "leave_chat" }, 400, -32020],
    ["an encoded name header", call.body, { ...call.headers, "mcp-name": `=?base64?${btoa("chat_status")}?=` }, 200, 0],
    ["a badly encoded name header", call.body, { ...call.headers, "mcp-name": "=?base64?chat_status?=" }, 400, -32020],
    ["initialize", ...claimed("initialize"), 404, -32601],
    ["ping", ...claimed("ping"), 404, -32601],
    ["an unknown method", ...claimed("nonsense"), 404, -32601],
    ["an unknown tool", ...claimed("tools/call", { name: "nonsense", arguments: {} }), 200, -32602],
    ["a batch", [list.body], list.headers, 400, -32600],
  ];

  function claimed(method: string, params: Json = {}): readonly [Json, HeaderFields] {
    const { body, headers } = modernRequest(1, method, params);
    return [body, headers];
  }

  test.each(rows)("%s", async (_title, body, headers, status, code) => {
    const answer = await post(server.url, body, headers);
    expect(answer.status).toBe(status);
    expectJsonRpc(answer.text, code);
    expect(answer.headers.get("mcp-session-id")).toBeNull();
    if (code === -32022) expect(answer.message.error).toMatchObject({ data: { supported: ["2026-07-28"] } });
  });
});

describe("verbs and paths", () => {
  const stream = { accept: "text/event-stream" };
  const rows: readonly (readonly [string, string, HeaderFields, number])[] = [
    ["PUT", "/mcp", {}, 405],
    ["PATCH", "/mcp", {}, 405],
    ["GET", "/mcp", stream, 400],
    ["GET", "/mcp", { ...stream, "mcp-session-id": "nonsense" }, 404],
    ["GET", "/mcp", { ...stream, "mcp-protocol-version": "2026-07-28" }, 405],
    ["GET", "/mcp", { accept: "application/json" }, 406],
    ["DELETE", "/mcp", {}, 400],
    ["DELETE", "/mcp", { "mcp-session-id": "nonsense" }, 404],
    ["GET", "/nonsense", {}, 404],
    ["POST", "/mcp/", {}, 404],
    ["POST", "/MCP", {}, 404],
    ["GET", "/../../etc/passwd", {}, 404],
    ["GET", "/healthz", {}, 200],
  ];
  test.each(rows)("%s %s %j", async (method, path, headers, status) => {
    const answer = await read(fetch(server.origin + path, { method, headers }));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toStartWith("application/json");
    if (status === 405) expect(answer.headers.get("allow")).toContain("POST");
  });

  test("OPTIONS tells a page what it may do", async () => {
    const origin = "http://localhost:6274";
    const answer = await read(
      fetch(server.url, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } }),
    );
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-allow-headers")).toContain("mcp-session-id");
    const strange = await read(fetch(server.url, { method: "OPTIONS", headers: { origin: "http://evil.example" } }));
    expect(strange.status).toBe(403);
  });

  test.each(["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "0.0.0.0"])(
    "Host %j is refused",
    async (host) => {
      const text = httpText("GET /mcp HTTP/1.1", { host, connection: "close" });
      expect(await exchange(server.port, text)).toStartWith("HTTP/1.1 403 ");
    },
  );

  test("healthz", async () => {
    const { message } = await read(fetch(`${server.origin}/healthz`));
    expect(message).toMatchObject({ status: "ok", online: 0, waiting: 0 });
  });
});

describe("large bodies", () => {
  const LIMIT = 256 * 1024;
  /** Just as long as is allowed, and of a method nobody offers, so that it costs nothing. */
  const padded = (bytes: number): string => {
    const head = '{"jsonrpc":"2.0","id":1,"method":"x","params":{"p":"';
    return `${head}${"x".repeat(bytes - head.length - 3)}"}}`;
  };

  test("up to the limit they are read", async () => {
    expect((await session.post(padded(LIMIT))).status).toBe(200);
  });

  test("declared: refused before they are sent", async () => {
    const headers = { ...session.headers, "content-type": "application/json", "content-length": String(10 * LIMIT) };
    await using socket = await RawSocket.open(server.port);
    socket.write(httpText("POST /mcp HTTP/1.1", headers));
    const answer = await socket.until((text) => text.includes("\r\n\r\n{"));
    expect(answer).toStartWith("HTTP/1.1 413 ");
    expect(answer).toContain('"error"');
  });

  test("one byte over the limit", async () => {
    const answer = await session.post(padded(LIMIT + 1));
    expect(answer.status).toBe(413);
    expectJsonRpc(answer.text, -32000);
  });

  test("chunked: counted while they are read", async () => {
    await using socket = await RawSocket.open(server.port);
    const headers = { ...session.headers, "content-type": "application/json", "transfer-encoding": "chunked" };
    socket.write(httpText("POST /mcp HTTP/1.1", headers));
    const chunk = `${(16_384).toString(16)}\r\n${" ".repeat(16_384)}\r\n`;
    for (let sent = 0; sent <= LIMIT; sent += 16_384) socket.write(chunk);
    expect(await socket.until((text) => text.includes("\r\n\r\n{"))).toStartWith("HTTP/1.1 413 ");
  });

  test("chunked and small: served", async () => {
    const body = JSON.stringify(PING);
    const chunks = [...body].map((character) => `1\r\n${character}\r\n`).join("");
    const headers = {
      ...session.headers,
      "content-type": "application/json",
      "transfer-encoding": "chunked",
      connection: "close",
    };
    const answer = await exchange(server.port, `${httpText("POST /mcp HTTP/1.1", headers)}${chunks}0\r\n\r\n`);
    expect(answer).toContain('{"jsonrpc":"2.0","id":7,"result":{}}');
  });

  test("deeply nested JSON is an answer like any other", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const body = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":${deep}}}`;
    expect([200, 400]).toContain((await session.post(body)).status);
    expect((await session.post(PING)).status).toBe(200);
  });
});

test("a duplicate id in flight is refused, and the first request is answered", async () => {
  const own = await RawSession.open(server.url);
  await own.call("enter_queue", { partner_kind: "agent", kind: "human" });
  const wait = {
    jsonrpc: "2.0",
    id: "same",
    method: "tools/call",
    params: { name: "wait_for_message", arguments: { timeout_seconds: 1 } },
  };
  const [one, other] = await Promise.all([own.post(wait), own.post(wait)]);
  expect([one.status, other.status].sort()).toEqual([200, 400]);
  await own.call("leave_queue");
  expect((await new RawModern(server.url).request("tools/list")).status).toBe(200);
});
