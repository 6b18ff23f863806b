/** Whatever comes in: never a 500, never a broken body, never anything of the inside. */

import { afterAll, expect, test } from "bun:test";
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import { modern, openSession, post, request, startServer, toolCall } from "../support/http-fixture.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

const server = startServer();
afterAll(() => server.http.stop());
const session = await openSession(server.mcp, "2025-03-26");

/** What every answer must fulfil. */
async function expectSound(response: Response): Promise<void> {
  expect(response.status).toBeLessThan(500);
  const text = await response.text();
  expect(text).not.toMatch(/hunter2|node_modules|\.ts:\d|\\n +at /);
  const type = response.headers.get("content-type") ?? "";
  if (text === "") {
    expect([202, 204]).toContain(response.status);
    return;
  }
  if (type === "text/event-stream") return;
  expect(type).toBe("application/json");
  const answers = [JSON.parse(text)].flat();
  for (const answer of answers) {
    expect(answer.id).not.toBeNull();
    if (answer.id !== undefined) JSONRPCMessageSchema.parse(answer);
    else expect(answer.error?.code ?? answer.status).toBeDefined();
  }
}

const RUNS = { numRuns: 300 };

test("arbitrary bytes", () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      await expectSound(await post(server.mcp, bytes, session));
    }),
    RUNS,
  ));

test("arbitrary JSON, in either era", () =>
  fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.boolean(), async (value, isModern) => {
      const headers = isModern ? modern(1, "tools/call").headers : session;
      await expectSound(await post(server.mcp, JSON.stringify(value), headers));
    }),
    RUNS,
  ));

const METHODS = ["initialize", "ping", "tools/list", "tools/call", "server/discover", "notifications/cancelled", "x"];
const NAMES = ["echo", "steps", "throw", "refuse", "media", "push", "nope", "__proto__"];
const member = <T>(right: fc.Arbitrary<T>) => fc.oneof({ weight: 4, arbitrary: right }, fc.jsonValue());

/** Messages that are nearly right in many ways. */
const message = fc.record(
  {
    jsonrpc: member(fc.constant("2.0")),
    id: member(fc.oneof(fc.integer(), fc.string())),
    method: member(fc.constantFrom(...METHODS)),
    params: member(
      fc.record(
        {
          name: member(fc.constantFrom(...NAMES)),
          arguments: member(fc.dictionary(fc.string(), fc.jsonValue())),
          protocolVersion: member(fc.constantFrom("2025-03-26", "2025-11-25")),
          capabilities: member(fc.constant({})),
          clientInfo: member(fc.record({ name: fc.string(), version: fc.string() })),
          requestId: fc.jsonValue(),
          cursor: fc.jsonValue(),
          _meta: member(
            fc.record(
              {
                "io.modelcontextprotocol/protocolVersion": member(fc.constant("2026-07-28")),
                "io.modelcontextprotocol/clientCapabilities": member(fc.constant({})),
                progressToken: fc.jsonValue(),
              },
              { requiredKeys: [] },
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: ["jsonrpc"] },
);

const headerText = fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, ""));
const headers = fc.record(
  {
    accept: fc.oneof(fc.constantFrom("*/*", "text/event-stream", "application/json"), headerText),
    "content-type": fc.oneof(fc.constant("application/json"), headerText),
    "mcp-session-id": fc.oneof(fc.constant(session["mcp-session-id"] ?? ""), headerText),
    "mcp-protocol-version": fc.oneof(fc.constantFrom("2025-03-26", "2026-07-28"), headerText),
    "mcp-method": fc.oneof(fc.constantFrom(...METHODS), headerText),
    "mcp-name": fc.oneof(fc.constantFrom(...NAMES), headerText),
    "last-event-id": headerText,
    authorization: headerText,
    origin: fc.oneof(fc.constant("http://localhost:1"), headerText),
    host: fc.oneof(fc.constant("localhost"), headerText),
  },
  { requiredKeys: [] },
);

test("nearly right messages with arbitrary headers", () =>
  fc.assert(
    fc.asyncProperty(fc.oneof(message, fc.array(message, { maxLength: 4 })), headers, async (body, sent) => {
      await expectSound(await post(server.mcp, body, sent as Record<string, string>));
    }),
    { numRuns: 1500 },
  ));

test("arbitrary headers on every verb and path", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "DELETE", "OPTIONS", "PUT", "PATCH", "HEAD"),
      fc.constantFrom("/mcp", "/healthz", "/", "/mcp/", "/%00", "/..%2f", "//mcp"),
      headers,
      async (method, path, sent) => {
        const chosen = { ...sent } as Record<string, string>;
        // A stream would stay open; the streams have tests of their own.
        if (method === "GET") chosen["mcp-session-id"] = "none";
        if (method === "DELETE") chosen["mcp-session-id"] = `x${chosen["mcp-session-id"]}`;
        const response = await fetch(server.http.url + path, { method, headers: chosen });
        if (method === "HEAD") expect(response.status).toBeLessThan(500);
        else await expectSound(response);
      },
    ),
    RUNS,
  ));

test("the server still serves afterwards, and holds nothing", async () => {
  await expectSound(await post(server.mcp, toolCall(1, "echo", { text: "still here" }), session));
  expect((await post(server.mcp, request(2, "ping"), session)).status).toBe(200);
  await Bun.sleep(10);
  expect(server.http.counts).toMatchObject({ held: 0, streams: 0 });
});
