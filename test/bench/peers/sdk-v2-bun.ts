/**
 * A peer: the official SDK v2 on Bun, which speaks the modern era. It knows no event streams, so
 * what a partner says travels as an update of a resource that carries it along.
 *
 * This file owns that wiring. It must never be tuned beyond what the examples do, nor below it.
 */
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { enterQueue, type Notify, sendMessage } from "./pairs.ts";

/** Above every crowd of the benchmark; the SDK's own bound is lower. */
const SUBSCRIPTIONS_MAX = 100_000;

const notify: Notify = (user, type, data) => {
  const params = { _meta: { "bench/event": { type, ...data } } };
  const update = { kind: "resource_updated" as const, uri: `chat://inbox/${user}`, params };
  handler.bus.publish(update);
};

const handler = createMcpHandler(
  ({ requestInfo }) => {
    const known = requestInfo?.headers.get("authorization")?.slice("Bearer ".length);
    const capabilities = { logging: {}, resources: { subscribe: true, listChanged: true } };
    const server = new McpServer({ name: "sdk-v2", version: "0" }, { capabilities });
    server.registerTool(
      "enter_queue",
      { description: "Waits for a partner", inputSchema: z.object({ display_name: z.string().optional() }) },
      async () => {
        const user = known ?? crypto.randomUUID();
        const text = JSON.stringify({ status: enterQueue(user, notify), session_token: user });
        return { content: [{ type: "text", text }] };
      },
    );
    server.registerTool(
      "send_message",
      { description: "Sends a message", inputSchema: z.object({ message: z.string() }) },
      async ({ message }) =>
        sendMessage(known ?? "", message, notify)
          ? { content: [{ type: "text", text: "sent" }] }
          : { content: [{ type: "text", text: "no partner" }], isError: true },
    );
    return server;
  },
  { legacy: "reject", maxSubscriptions: SUBSCRIPTIONS_MAX },
);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  development: false,
  fetch: (request) => handler.fetch(request),
});
process.stdout.write(`sdk-v2 listening on ${server.url}mcp\n`);
