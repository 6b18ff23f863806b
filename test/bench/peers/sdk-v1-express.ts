/**
 * A peer: the official SDK v1 with Express on Node, the server most tutorials end with.
 *
 * This file owns that wiring. It is bundled for Node before it runs, and must never use anything of
 * Bun's.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { createChatServer, setSession } from "./sdk-v1-tools.ts";

const transports = new Map<string, StreamableHTTPServerTransport>();

async function openSession(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized(id) {
      transports.set(id, transport);
      setSession(id, server);
    },
  });
  const server = createChatServer(() => transport.sessionId ?? "");
  transport.onclose = () => {
    transports.delete(transport.sessionId ?? "");
    setSession(transport.sessionId ?? "", undefined);
  };
  // The SDK's own class does not fit its own interface where optional properties are exact.
  await server.connect(transport as Transport);
  return transport;
}

interface ParsedRequest extends IncomingMessage {
  readonly body: unknown;
}

const app = createMcpExpressApp();
app.all("/mcp", async (request: ParsedRequest, response: ServerResponse) => {
  const session = request.headers["mcp-session-id"];
  const transport = typeof session === "string" ? transports.get(session) : await openSession();
  if (transport === undefined) response.writeHead(404).end("no such session");
  else await transport.handleRequest(request, response, request.body);
});
const server = app.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`express listening on http://127.0.0.1:${port}/mcp\n`);
});
