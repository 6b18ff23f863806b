/**
 * The two tools of the chat on the official SDK v1, for both of its HTTP transports.
 *
 * This file owns the server object of a session and who hears of what. It must never open a port.
 */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
import { enterQueue, type Notify, sendMessage } from "./pairs.ts";

const servers = new Map<string, McpServer>();

/** The session that a server object belongs to has its id now, or none any more. */
export function setSession(session: string, server: McpServer | undefined): void {
  if (server === undefined) servers.delete(session);
  else servers.set(session, server);
}

const notify: Notify = (session, type, data) => {
  const params = { level: "info" as const, logger: "chat", data: { type, ...data } };
  // Somebody who has gone hears nothing; that is what this peer does about it.
  servers
    .get(session)
    ?.server.notification({ method: "notifications/message", params })
    .catch(() => undefined);
};

/** @param sessionOf asked when a tool is called, as the session has no id before */
export function createChatServer(sessionOf: () => string): McpServer {
  const server = new McpServer({ name: "sdk-v1", version: "0" }, { capabilities: { logging: {} } });
  server.registerTool(
    "enter_queue",
    { description: "Waits for a partner", inputSchema: { display_name: z.string().optional() } },
    async () => ({ content: [{ type: "text", text: enterQueue(sessionOf(), notify) }] }),
  );
  server.registerTool(
    "send_message",
    { description: "Sends a message", inputSchema: { message: z.string() } },
    async ({ message }) =>
      sendMessage(sessionOf(), message, notify)
        ? { content: [{ type: "text", text: "sent" }] }
        : { content: [{ type: "text", text: "no partner" }], isError: true },
  );
  return server;
}
