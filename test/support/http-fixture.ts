/**
 * A real server on a free port around the fixture definition, and short ways to talk to it.
 *
 * This file owns the helpers with which tests speak raw HTTP. It must never hide a status, a header
 * or a body from them.
 */

import { createHttpServer, type HttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { createFixture, type Fixture } from "./mcp-fixture.ts";

export const SESSION_KEY = new Uint8Array(32).fill(7);

export interface TestServer extends Fixture {
  readonly http: HttpServer;
  /** URL of the endpoint. */
  readonly mcp: string;
  /** What was logged. */
  readonly logged: string[];
}

/** Starts a server. Whoever starts it stops it. */
export function startServer(options: Partial<HttpServerOptions> = {}, fixture: Fixture = createFixture()): TestServer {
  const logged: string[] = [];
  const http = createHttpServer({
    host: "127.0.0.1",
    port: 0,
    definition: fixture.definition,
    sessionKey: SESSION_KEY,
    allowedHosts: [],
    allowedOrigins: [],
    accessToken: undefined,
    isLiveUserToken: () => false,
    streamsMax: 1000,
    log: { error: (message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`) },
    ...options,
  });
  return { ...fixture, http, mcp: `${http.url}/mcp`, logged };
}

export const POST_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

/** POSTs a value as JSON, or a text or bytes as they are. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  return fetch(url, {
    method: "POST",
    body: raw ? body : JSON.stringify(body),
    headers: { ...POST_HEADERS, ...headers },
  });
}

export function request(id: string | number, method: string, params?: unknown): Record<string, unknown> {
  return params === undefined ? { jsonrpc: "2.0", id, method } : { jsonrpc: "2.0", id, method, params };
}

export function toolCall(id: string | number, name: string, args: Record<string, unknown> = {}) {
  return request(id, "tools/call", { name, arguments: args });
}

/** Opens a legacy session. @returns the header that names it */
export async function openSession(url: string, revision = "2025-11-25"): Promise<Record<string, string>> {
  const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: "test", version: "1" } };
  const response = await post(url, request("init", "initialize", params));
  const token = response.headers.get("mcp-session-id");
  if (token === null) throw new Error(`no session: ${response.status} ${await response.text()}`);
  return { "mcp-session-id": token };
}

const META = "io.modelcontextprotocol";

/** A modern request and its headers. `change` edits the request's `_meta` before it is sent. */
export function modern(
  id: string | number,
  method: string,
  params: Record<string, unknown> = {},
  meta: Record<string, unknown> = {},
): { body: Record<string, unknown>; headers: Record<string, string> } {
  const _meta = { [`${META}/protocolVersion`]: "2026-07-28", [`${META}/clientCapabilities`]: {}, ...meta };
  const headers: Record<string, string> = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
  if (typeof params.name === "string") headers["mcp-name"] = params.name;
  return { body: request(id, method, { ...params, _meta }), headers };
}
