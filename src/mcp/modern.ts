/**
 * The modern era (2026-07-28): self-contained requests, the checks they pass in their order, the
 * methods, and the envelope of every result.
 *
 * This file owns that vocabulary. It must never read a session: a modern request means the same on
 * any connection and on any node.
 */

import { CACHE_TTL_MS } from "../limits.ts";
import type { Method, MethodTable } from "./dispatch.ts";
import { MODERN_REVISION, MODERN_REVISIONS, VERSION_CLAIM } from "./era.ts";
import {
  headerMismatch,
  invalidEnvelope,
  invalidParams,
  modernMethodNotFound,
  unsupportedVersion,
  type WireError,
} from "./errors.ts";
import { isObject, type RpcRequest } from "./jsonrpc.ts";
import type { JsonObject, ServerDefinition, ToolResult } from "./registry.ts";
import { callTool, toolsText, toolTable } from "./tools.ts";

const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL = "io.modelcontextprotocol/logLevel";
const SERVER_INFO = "io.modelcontextprotocol/serverInfo";
const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** Methods whose `Mcp-Name` header must repeat one of their parameters (Streamable HTTP, "Standard request headers"). */
const NAMED_BY: ReadonlyMap<string, string> = new Map([["tools/call", "name"]]);

export function modernMethods(server: ServerDefinition): MethodTable {
  const tools = toolTable(server.tools);
  const meta = `"_meta":${JSON.stringify({ [SERVER_INFO]: server.info })}`;
  const head = `{"resultType":"complete",${meta}`;
  // Neither depends on who asks, so any cache may share them.
  const cacheable = `"ttlMs":${CACHE_TTL_MS},"cacheScope":"public"`;
  const discovered = JSON.stringify({
    supportedVersions: MODERN_REVISIONS,
    capabilities: { tools: {} },
    instructions: server.instructions,
  });
  const discovery = `${head},${cacheable},${discovered.slice(1)}`;
  const list = `${head},${cacheable},"tools":${toolsText(server.tools, MODERN_REVISION)}}`;
  const toolResult = (result: ToolResult): string => {
    if (result._meta === undefined) return `${head},${JSON.stringify(result).slice(1)}`;
    const merged: JsonObject = { ...result._meta, [SERVER_INFO]: { ...server.info } };
    return JSON.stringify({ resultType: "complete", ...result, _meta: merged });
  };
  return new Map<string, Method>([
    ["server/discover", () => discovery],
    ["tools/list", ({ request }) => (request.params?.cursor === undefined ? list : invalidParams("Unknown cursor."))],
    ["tools/call", (call) => callTool(tools, call, toolResult)],
  ]);
}

/** Where header fields are read; `Headers` is one. */
export interface HeaderReader {
  get(name: string): string | null;
}

/**
 * Checks a modern request in the order that clients and the conformance suite rely on: an earlier
 * fault hides a later one.
 * @param headers undefined where the transport has none (stdio): what they would repeat is in the body
 * @returns the first fault, or undefined if the method may run
 */
export function checkModernRequest(
  request: RpcRequest,
  headers: HeaderReader | undefined,
  methods: MethodTable,
): WireError | undefined {
  const { method, params } = request;
  const envelopeFault = checkEnvelope(params);
  if (envelopeFault !== undefined) return envelopeFault;

  const version = requestedVersion(params);
  if (headers !== undefined && headers.get("mcp-protocol-version") !== version) {
    return headerMismatch(`MCP-Protocol-Version is not what _meta names.`);
  }
  if (!MODERN_REVISIONS.includes(version)) return unsupportedVersion(MODERN_REVISIONS, version);
  if (headers !== undefined && headers.get("mcp-method") !== method)
    return headerMismatch("Mcp-Method is not the method.");
  if (!methods.has(method)) return modernMethodNotFound(method);

  const namedBy = NAMED_BY.get(method);
  if (namedBy === undefined || headers === undefined) return undefined;
  const name = decodeHeaderValue(headers.get("mcp-name"));
  if (name === undefined) return headerMismatch("Mcp-Name is missing or not encoded properly.");
  return name === params?.[namedBy] ? undefined : headerMismatch(`Mcp-Name is not params.${namedBy}.`);
}

/** The required members of `_meta` (Base protocol, "_meta"). */
function checkEnvelope(params: JsonObject | undefined): WireError | undefined {
  const meta = params?._meta;
  if (!isObject(meta)) return invalidEnvelope("_meta is required.");
  if (typeof meta[VERSION_CLAIM] !== "string") return invalidEnvelope(`_meta needs a string ${VERSION_CLAIM}.`);
  if (!isObject(meta[CLIENT_CAPABILITIES])) return invalidEnvelope(`_meta needs an object ${CLIENT_CAPABILITIES}.`);
  const logLevel = meta[LOG_LEVEL];
  if (logLevel !== undefined && !(typeof logLevel === "string" && LOG_LEVELS.includes(logLevel))) {
    return invalidEnvelope(`_meta has an unknown ${LOG_LEVEL}.`);
  }
  return undefined;
}

function requestedVersion(params: JsonObject | undefined): string {
  const meta = params?._meta;
  const version = isObject(meta) ? meta[VERSION_CLAIM] : undefined;
  return typeof version === "string" ? version : "";
}

const ENCODED_START = "=?base64?";
const ENCODED_END = "?=";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads a header value that may be encoded (Streamable HTTP, "Value encoding"): standard base64 of
 * UTF-8 between exact markers. Anything without both markers is literal.
 * @returns undefined if the header is absent or its encoding is malformed
 */
export function decodeHeaderValue(value: string | null): string | undefined {
  if (value === null) return undefined;
  if (!value.startsWith(ENCODED_START) || !value.endsWith(ENCODED_END)) return value;
  if (value.length < ENCODED_START.length + ENCODED_END.length) return value;
  const encoded = value.slice(ENCODED_START.length, -ENCODED_END.length);
  if (!BASE64.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (_notUtf8) {
    return undefined;
  }
}
