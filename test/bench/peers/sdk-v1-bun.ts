/**
 * A peer: the official SDK v1 with its Web-standard transport on Bun, as its examples show it.
 *
 * This file owns that wiring. It must never be tuned beyond what the examples do, nor below it.
 */
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { createChatServer, setSession } from "./sdk-v1-tools.ts";

const transports = new Map<string, WebStandardStreamableHTTPServerTransport>();

async function openSession(): Promise<WebStandardStreamableHTTPServerTransport> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized(id) {
      transports.set(id, transport);
      setSession(id, server);
    },
  });
  const server: McpServer = createChatServer(() => transport.sessionId ?? "");
  transport.onclose = () => {
    transports.delete(transport.sessionId ?? "");
    setSession(transport.sessionId ?? "", undefined);
  };
  await server.connect(transport);
  return transport;
}

async function serve(request: Request, server: Bun.Server<undefined>): Promise<Response> {
  const session = request.headers.get("mcp-session-id");
  if (request.method === "GET") server.timeout(request, 0);
  const transport = session === null ? await openSession() : transports.get(session);
  return transport?.handleRequest(request) ?? new Response("no such session", { status: 404 });
}

const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, development: false, fetch: serve });
process.stdout.write(`sdk-v1 listening on ${server.url}mcp\n`);
