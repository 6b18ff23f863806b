/** A server that is none, or means harm: nothing but protocol messages reaches the client, and memory stays bounded. */

import { afterEach, expect, test } from "bun:test";
import { startBridge } from "../../src/bridge/bridge.ts";
import { BRIDGE_MESSAGE_CHARS_MAX } from "../../src/client-limits.ts";
import { StdioPipe } from "../support/stdio-pipe.ts";

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(true)));
});

const SSE = { "content-type": "text/event-stream" };
const JSON_TYPE = { "content-type": "application/json" };

/** A bridge to a server that answers every request like this. */
function bridgeTo(answer: (request: Request) => Response): StdioPipe {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  servers.push(server);
  return new StdioPipe((ends) => startBridge({ url: new URL("/mcp", server.url), ...ends }));
}

/** A body that goes on for ever, and says how much of it was taken. */
function endless(piece: string, taken: { chars: number }): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      taken.chars += piece.length;
      controller.enqueue(new TextEncoder().encode(piece));
    },
  });
}

test.each([
  ["a page of HTML", () => new Response("<html>hello</html>", { headers: { "content-type": "text/html" } })],
  ["broken JSON", () => new Response('{"jsonrpc":"2.0","id":1,"result":{}}\n}garbage{', { headers: JSON_TYPE })],
  ["an event that is no message", () => new Response("data: not json\n\n", { headers: SSE })],
  ["a value that is no message", () => new Response("[1,2", { headers: JSON_TYPE })],
])("%s is answered with an error, asked once, and not passed on", async (_what, answer) => {
  let asked = 0;
  const pipe = bridgeTo(() => {
    asked++;
    return answer();
  });
  const { error } = await pipe.callModern("server/discover");
  expect(error?.message).toContain("no MCP server");
  const legacy = await pipe.call("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {} });
  expect(legacy.error?.message).toContain("no MCP server");
  expect(asked).toBe(2);
  expect(pipe.rest()).toEqual([]);
  await pipe.server.stop();
});

test.each([
  ["a JSON body", JSON_TYPE, "x".repeat(65_536)],
  ["an event", SSE, `data: ${"x".repeat(65_536)}\n`],
])("%s without end is given up at the bound", async (_what, headers, piece) => {
  const taken = { chars: 0 };
  const pipe = bridgeTo(() => new Response(endless(piece, taken), { headers }));
  const { error } = await pipe.callModern("server/discover");
  expect(error?.message).toContain("too long");
  // Beside what was read, the sockets between the two have taken some.
  expect(taken.chars).toBeLessThan(16 * BRIDGE_MESSAGE_CHARS_MAX);
  await pipe.server.stop();
});

test("a stream that ends at once is asked for less and less often", async () => {
  const opened: number[] = [];
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      // Lets the sockets work: the time of this test is not theirs.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      if (request.method === "GET") {
        opened.push(now);
        return new Response('id: 1\ndata: {"jsonrpc":"2.0","method":"x"}\n\n', { headers: SSE });
      }
      if (request.method === "DELETE") return new Response(null, { status: 204 });
      const { id } = (await request.json()) as { id?: number };
      if (id === undefined) return new Response(null, { status: 202 });
      const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "x", version: "1" } };
      return Response.json({ jsonrpc: "2.0", id, result }, { headers: { "mcp-session-id": "s" } });
    },
  });
  servers.push(server);
  const pipe = new StdioPipe((ends) => startBridge({ url: new URL("/mcp", server.url), clock, ...ends }));
  await pipe.initialize();
  while (opened.length < 9) await pipe.said();
  const pauses = opened.slice(1, 9).map((at, i) => at - (opened[i] ?? 0));
  expect(pauses).toEqual([100, 200, 400, 800, 1600, 3000, 3000, 3000]);
  await pipe.server.stop();
});
