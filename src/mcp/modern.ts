/**
 * The modern era (2026-07-28): self-contained requests, the checks they pass in their order, the
 * methods, and the envelope of every result.
 *
 * This file owns that vocabulary. It must never read a session: a modern request means the same on
 * any connection and on any node.
 */

import { CLIENT_CAPABILITIES } from "./capabilities.ts";
import { type Completion, complete, offersCompletion } from "./completion.ts";
import type { Method, MethodTable } from "./dispatch.ts";
import { MODERN_REVISION, MODERN_REVISIONS, VERSION_CLAIM } from "./era.ts";
import {
  headerMismatch,
  invalidEnvelope,
  modernMethodNotFound,
  modernResourceNotFound,
  unsupportedVersion,
  type WireError,
} from "./errors.ts";
import { decodeHeaderValue, type HeaderReader } from "./header-values.ts";
import { isObject, type RpcRequest } from "./jsonrpc.ts";
import { isLogLevel, LOG_LEVEL, letLog, modernWantsLog } from "./logging.ts";
import { checkParamHeaders } from "./param-headers.ts";
import type { Primitives } from "./primitives.ts";
import { getPrompt } from "./prompts.ts";
import type { JsonObject, PromptResult, ResourceReading, ToolResult } from "./registry.ts";
import { listPolicy, listResources, listTemplates, readPolicy, readResource, SHARED } from "./resources.ts";
import { serverCapabilities } from "./server-capabilities.ts";
import { hasNotices } from "./session-notices.ts";
import { offersTasks, taskMethods } from "./task-methods.ts";
import { callTool, type ToolList, toolResultText } from "./tools.ts";
import { readUpToDate } from "./up-to-date.ts";

/** Methods whose `Mcp-Name` header must repeat one of their parameters (Streamable HTTP, "Standard request headers"). */
const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

/** The methods of the era. One that this server has nothing for is absent. */
export function modernMethods({
  server,
  envelope,
  tools,
  prompts,
  listens,
  logLevels,
  events,
}: Primitives): MethodTable {
  const { resources } = server;
  // Neither depends on who asks, so any cache may share them.
  const shared = envelope.cacheable(SHARED);
  const discovered = JSON.stringify({
    supportedVersions: MODERN_REVISIONS,
    capabilities: serverCapabilities(server, prompts, MODERN_REVISION),
    instructions: server.instructions,
  });
  const discovery = shared + discovered.slice(1);
  const whole = (result: PromptResult | Completion): string => envelope.complete(result);
  const toolResult = (result: ToolResult): string =>
    result._meta === undefined ? envelope.around(toolResultText(result)) : envelope.complete(result);
  const methods = new Map<string, Method>([
    ["server/discover", () => discovery],
    ["tools/list", ({ request }) => tools.page(MODERN_REVISION, shared, request.params?.cursor)],
    ["tools/call", (call) => callTool(tools, call, toolResult)],
  ]);
  if (resources !== undefined) {
    const list = envelope.cacheable(listPolicy(resources));
    const readingText = (reading: ResourceReading): string =>
      envelope.cacheable(readPolicy(reading)) + JSON.stringify({ contents: reading.contents }).slice(1);
    methods.set("resources/list", (call) => listResources(resources, call, list));
    methods.set("resources/templates/list", (call) => listTemplates(resources, call, shared));
    methods.set("resources/read", (call) => readResource(resources, call, readingText, modernResourceNotFound));
  }
  if (prompts !== undefined) {
    methods.set("prompts/list", ({ request }) => prompts.page(MODERN_REVISION, shared, request.params?.cursor));
    methods.set("prompts/get", (call) => getPrompt(prompts, call, whole));
  }
  if (offersCompletion(prompts, resources)) {
    methods.set("completion/complete", (call) => complete(prompts, resources, call, whole));
  }
  if (hasNotices(server)) methods.set("subscriptions/listen", (call) => listens.listen(call));
  if (offersTasks(server.tools)) for (const [name, method] of taskMethods(envelope)) methods.set(name, method);
  for (const [name, method] of events?.modernMethods() ?? []) methods.set(name, method);
  if (logLevels !== undefined) letLog(methods, modernWantsLog);
  readUpToDate(methods, server);
  return methods;
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
  tools: ToolList,
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
  if (name !== params?.[namedBy]) return headerMismatch(`Mcp-Name is not params.${namedBy}.`);
  return method === "tools/call"
    ? checkParamHeaders(tools.paramHeaders(params?.name), params?.arguments, headers)
    : undefined;
}

/** The required members of `_meta` (Base protocol, "_meta"). */
function checkEnvelope(params: JsonObject | undefined): WireError | undefined {
  const meta = params?._meta;
  if (!isObject(meta)) return invalidEnvelope("_meta is required.");
  if (typeof meta[VERSION_CLAIM] !== "string") return invalidEnvelope(`_meta needs a string ${VERSION_CLAIM}.`);
  if (!isObject(meta[CLIENT_CAPABILITIES])) return invalidEnvelope(`_meta needs an object ${CLIENT_CAPABILITIES}.`);
  const logLevel = meta[LOG_LEVEL];
  return logLevel === undefined || isLogLevel(logLevel)
    ? undefined
    : invalidEnvelope(`_meta has an unknown ${LOG_LEVEL}.`);
}

function requestedVersion(params: JsonObject | undefined): string {
  const meta = params?._meta;
  const version = isObject(meta) ? meta[VERSION_CLAIM] : undefined;
  return typeof version === "string" ? version : "";
}
