/** The whole status table of the endpoint, one cell per row, against a real server. */

import { afterAll, expect, test } from "bun:test";
import { BODY_BYTES_MAX } from "../../src/limits.ts";
import { type Sheet, testSheet, withHeaders } from "../support/http-cells.ts";
import { modern, openSession, POST_HEADERS, post, request, startServer, toolCall } from "../support/http-fixture.ts";

const server = startServer();
afterAll(() => server.http.stop());

const session = await openSession(server.mcp);
const batching = await openSession(server.mcp, "2025-03-26");
const ended = await openSession(server.mcp);
await fetch(server.mcp, { method: "DELETE", headers: ended });

const PING = request("p", "ping");
const BAD_BYTES = new Uint8Array([0x7b, 0xff, 0xfe]);
const SUPPORTED = "2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25";

const SHEET: Sheet = {
  served: [
    {
      name: "a legacy request",
      body: PING,
      headers: session,
      status: 200,
      id: "p",
      answers: { "content-type": "application/json" },
    },
    {
      name: "a legacy request that fails in the method",
      body: request(1, "nope"),
      headers: session,
      status: 200,
      code: -32601,
      id: 1,
    },
    { name: "a tool with a bug", body: toolCall(1, "throw"), headers: session, status: 200, code: -32603, id: 1 },
    { name: "a modern request", ...modern(1, "tools/list"), status: 200, id: 1, answers: { "mcp-session-id": null } },
    {
      name: "a modern request with a session header",
      ...withHeaders(modern(1, "tools/list"), { "mcp-session-id": "x" }),
      status: 200,
      id: 1,
      answers: { "mcp-session-id": null },
    },
    {
      name: "a notification",
      body: { jsonrpc: "2.0", method: "notifications/initialized" },
      headers: session,
      status: 202,
      empty: true,
    },
    { name: "a response", body: { jsonrpc: "2.0", id: "s1", result: {} }, headers: session, status: 202, empty: true },
    {
      name: "a modern notification",
      body: { jsonrpc: "2.0", method: "n" },
      headers: { "mcp-protocol-version": "2026-07-28" },
      status: 202,
      empty: true,
    },
    {
      name: "a batch of notifications",
      body: [{ jsonrpc: "2.0", method: "n" }],
      headers: batching,
      status: 202,
      empty: true,
    },
  ],
  "400": [
    { name: "no body", body: "", headers: session, status: 400, code: -32700 },
    { name: "no JSON", body: "{", headers: session, status: 400, code: -32700 },
    { name: "bytes that are no text", body: BAD_BYTES, headers: session, status: 400, code: -32700 },
    { name: "JSON that is no message", body: "5", headers: session, status: 400, code: -32600 },
    {
      name: "jsonrpc 1.0",
      body: { jsonrpc: "1.0", id: "a", method: "ping" },
      headers: session,
      status: 400,
      code: -32600,
      id: "a",
    },
    {
      name: "a null id",
      body: { jsonrpc: "2.0", id: null, method: "ping" },
      headers: session,
      status: 400,
      code: -32600,
    },
    {
      name: "a fractional id",
      body: { jsonrpc: "2.0", id: 1.5, method: "ping" },
      headers: session,
      status: 400,
      code: -32600,
    },
    {
      name: "an object id",
      body: { jsonrpc: "2.0", id: {}, method: "ping" },
      headers: session,
      status: 400,
      code: -32600,
    },
    {
      name: "a boolean id",
      body: { jsonrpc: "2.0", id: true, method: "ping" },
      headers: session,
      status: 400,
      code: -32600,
    },
    {
      name: "params that are an array",
      body: { jsonrpc: "2.0", id: 4, method: "ping", params: [] },
      headers: session,
      status: 400,
      code: -32600,
      id: 4,
    },
    { name: "a batch where there are none", body: [PING], headers: session, status: 400, code: -32600 },
    { name: "an empty batch", body: [], headers: batching, status: 400, code: -32600 },
    { name: "an empty batch of no session", body: [], status: 400, code: -32600 },
    {
      name: "a batch with a modern header",
      body: [PING],
      headers: { "mcp-protocol-version": "2026-07-28" },
      status: 400,
      code: -32600,
    },
    {
      name: "a batch with a modern claim",
      body: [modern(1, "tools/list").body],
      headers: batching,
      status: 400,
      code: -32600,
    },
    {
      name: "a second initialize",
      body: request(1, "initialize", {}),
      headers: session,
      status: 400,
      code: -32600,
      id: 1,
    },
    { name: "a POST without a session", body: PING, status: 400, code: -32000, id: "p" },
    { name: "a GET without a session", method: "GET", status: 400, code: -32000 },
    { name: "a DELETE without a session", method: "DELETE", status: 400, code: -32000 },
    {
      name: "a version nobody serves",
      body: PING,
      headers: { ...session, "mcp-protocol-version": "2020-01-01" },
      status: 400,
      code: -32000,
      id: "p",
      says: SUPPORTED,
    },
    {
      name: "such a version on GET",
      method: "GET",
      headers: { ...session, "mcp-protocol-version": "2020-01-01" },
      status: 400,
      code: -32000,
    },
    {
      name: "a malformed Last-Event-ID",
      method: "GET",
      headers: { ...session, "last-event-id": "nonsense" },
      status: 400,
      code: -32000,
    },
    {
      name: "modern without _meta",
      body: request(1, "tools/list"),
      headers: modern(1, "tools/list").headers,
      status: 400,
      code: -32602,
      id: 1,
    },
    {
      name: "modern without its version header",
      ...withHeaders(modern(1, "tools/list"), { "mcp-protocol-version": "" }),
      status: 400,
      code: -32020,
      id: 1,
    },
    {
      name: "modern of an unknown version",
      ...withHeaders(modern(1, "tools/list", {}, { "io.modelcontextprotocol/protocolVersion": "2027-01-01" }), {
        "mcp-protocol-version": "2027-01-01",
      }),
      status: 400,
      code: -32022,
      id: 1,
    },
    {
      name: "modern without its name header",
      ...withHeaders(modern(1, "tools/call", { name: "echo" }), { "mcp-name": "" }),
      status: 400,
      code: -32020,
      id: 1,
    },
  ],
  "403": [
    { name: "a foreign Host", body: PING, headers: { ...session, host: "evil.example" }, status: 403, code: -32000 },
    {
      name: "a Host that begins like ours",
      body: PING,
      headers: { ...session, host: "localhost.evil.example" },
      status: 403,
      code: -32000,
    },
    {
      name: "a foreign Origin on POST",
      body: PING,
      headers: { ...session, origin: "http://evil.example" },
      status: 403,
      code: -32000,
      answers: { "access-control-allow-origin": null },
    },
    {
      name: "a foreign Origin on GET",
      method: "GET",
      headers: { ...session, origin: "http://evil.example" },
      status: 403,
      code: -32000,
    },
    {
      name: "a foreign Origin on DELETE",
      method: "DELETE",
      headers: { ...session, origin: "http://evil.example" },
      status: 403,
      code: -32000,
    },
    {
      name: "a foreign Origin on OPTIONS",
      method: "OPTIONS",
      headers: { origin: "http://evil.example" },
      status: 403,
      code: -32000,
    },
    { name: "the Origin null", body: PING, headers: { ...session, origin: "null" }, status: 403, code: -32000 },
    {
      name: "an Origin that hides a host",
      body: PING,
      headers: { ...session, origin: "http://localhost@evil.example" },
      status: 403,
      code: -32000,
    },
    {
      name: "a foreign Host elsewhere",
      method: "GET",
      url: `${server.http.url}/page`,
      headers: { host: "evil.example" },
      status: 403,
      code: -32000,
    },
  ],
  "404": [
    {
      name: "a forged session on POST",
      body: PING,
      headers: { "mcp-session-id": "forged" },
      status: 404,
      code: -32001,
      id: "p",
    },
    {
      name: "a forged session on GET",
      method: "GET",
      headers: { "mcp-session-id": "forged" },
      status: 404,
      code: -32001,
    },
    {
      name: "a forged session on DELETE",
      method: "DELETE",
      headers: { "mcp-session-id": "forged" },
      status: 404,
      code: -32001,
    },
    { name: "an ended session on POST", body: PING, headers: ended, status: 404, code: -32001, id: "p" },
    { name: "an ended session on GET", method: "GET", headers: ended, status: 404, code: -32001 },
    { name: "an ended session on DELETE", method: "DELETE", headers: ended, status: 404, code: -32001 },
    {
      name: "a notification in an ended session",
      body: { jsonrpc: "2.0", method: "n" },
      headers: ended,
      status: 404,
      code: -32001,
    },
    { name: "a modern method that does not exist", ...modern(1, "ping"), status: 404, code: -32601, id: 1 },
    { name: "initialize with a modern claim", ...modern(1, "initialize"), status: 404, code: -32601, id: 1 },
    { name: "another path", url: `${server.http.url}/nope`, body: PING, status: 404, code: -32000 },
    { name: "the endpoint with a slash", url: `${server.mcp}/`, body: PING, status: 404, code: -32000 },
  ],
  "405": [
    {
      name: "PUT",
      method: "PUT",
      body: PING,
      headers: session,
      status: 405,
      code: -32000,
      answers: { allow: "POST, GET, DELETE" },
    },
    {
      name: "PATCH",
      method: "PATCH",
      body: PING,
      headers: session,
      status: 405,
      code: -32000,
      answers: { allow: "POST, GET, DELETE" },
    },
    {
      name: "a modern GET",
      method: "GET",
      headers: { "mcp-protocol-version": "2026-07-28" },
      status: 405,
      code: -32000,
      answers: { allow: "POST" },
    },
    {
      name: "a modern DELETE",
      method: "DELETE",
      headers: { ...session, "mcp-protocol-version": "2026-07-28" },
      status: 405,
      code: -32000,
      answers: { allow: "POST" },
    },
  ],
  "406": [
    { name: "POST for a picture", body: PING, headers: { ...session, accept: "image/png" }, status: 406, code: -32000 },
    {
      name: "POST with everything refused",
      body: PING,
      headers: { ...session, accept: "*/*;q=0" },
      status: 406,
      code: -32000,
    },
    {
      name: "GET for JSON",
      method: "GET",
      headers: { ...session, accept: "application/json" },
      status: 406,
      code: -32000,
    },
    {
      name: "GET with the stream refused",
      method: "GET",
      headers: { ...session, accept: "*/*, text/event-stream;q=0" },
      status: 406,
      code: -32000,
    },
    { name: "POST for anything", body: PING, headers: { ...session, accept: "*/*" }, status: 200, id: "p" },
    {
      name: "POST for JSON only",
      body: PING,
      headers: { ...session, accept: "application/json" },
      status: 200,
      id: "p",
    },
  ],
  "413": [
    {
      name: "a body that says it is too large",
      body: `"${"x".repeat(BODY_BYTES_MAX)}"`,
      headers: session,
      status: 413,
      code: -32000,
    },
    { name: "a body of megabytes", body: "x".repeat(20 * 1024 * 1024), headers: session, status: 413, code: -32000 },
    {
      name: "a body at the bound",
      body: JSON.stringify(PING).padEnd(BODY_BYTES_MAX),
      headers: session,
      status: 200,
      id: "p",
    },
  ],
  "415": [
    {
      name: "no media type",
      body: new Uint8Array([0x7b, 0x7d]),
      headers: { ...session, "content-type": "" },
      status: 415,
      code: -32000,
    },
    {
      name: "plain text",
      body: PING,
      headers: { ...session, "content-type": "text/plain" },
      status: 415,
      code: -32000,
    },
    {
      name: "a type that begins like JSON",
      body: PING,
      headers: { ...session, "content-type": "application/json-seq" },
      status: 415,
      code: -32000,
    },
    {
      name: "JSON with a charset",
      body: PING,
      headers: { ...session, "content-type": "Application/JSON; charset=utf-8" },
      status: 200,
      id: "p",
    },
  ],
};

testSheet(SHEET, server.mcp);

test("DELETE answers 204 and ends the session for every verb", async () => {
  const headers = await openSession(server.mcp);
  expect((await fetch(server.mcp, { method: "DELETE", headers })).status).toBe(204);
  expect((await post(server.mcp, PING, headers)).status).toBe(404);
});

test("a client that takes event streams only gets the answer as one event", async () => {
  for (const accept of ["text/event-stream", "text/*"]) {
    const response = await post(server.mcp, PING, { ...session, accept });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toBe('event: message\ndata: {"jsonrpc":"2.0","id":"p","result":{}}\n\n');
  }
});

test("a missing Accept admits everything", async () => {
  const { status, body } = await rawPost(server.http.port, session, "");
  expect({ status, body }).toEqual({ status: 200, body: '{"jsonrpc":"2.0","id":"p","result":{}}' });
});

test("a chunked body is counted while it is read", async () => {
  const piece = new Uint8Array(64 * 1024).fill(0x20);
  const chunked = (pieces: number): ReadableStream => {
    let left = pieces;
    return new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(piece);
        else {
          controller.enqueue(Buffer.from(JSON.stringify(PING)));
          controller.close();
        }
      },
    });
  };
  const send = (pieces: number) =>
    fetch(server.mcp, { method: "POST", headers: { ...POST_HEADERS, ...session }, body: chunked(pieces) });
  expect(await (await send(3)).json()).toEqual({ jsonrpc: "2.0", id: "p", result: {} });
  const refused = await send(64);
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({ error: { code: -32000 } });
});

/** A POST of PING over a bare socket, where no client adds headers of its own. */
async function rawPost(port: number, headers: Record<string, string>, more: string) {
  const body = JSON.stringify(PING);
  const head = Object.entries({ ...headers, "content-type": "application/json", "content-length": String(body.length) })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const text = await new Promise<string>((resolve, reject) => {
    let got = "";
    void Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => {
          socket.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${head}${more}\r\n${body}`);
        },
        data: (_socket, data) => {
          got += data.toString();
        },
        close: () => resolve(got),
        error: (_socket, error) => reject(error),
      },
    });
  });
  const [start = "", ...rest] = text.split("\r\n\r\n");
  return { status: Number(start.split(" ")[1]), body: rest.join("\r\n\r\n") };
}
