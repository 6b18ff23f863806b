/**
 * The legacy era: the handshake and the methods of revisions 2024-11-05 to 2025-11-25.
 *
 * This file owns that vocabulary and its envelope. It must never mention what only 2026-07-28 has.
 */

import type { Call } from "./call.ts";
import { type CapabilitySet, packCapabilities } from "./capabilities.ts";
import { complete, offersCompletion } from "./completion.ts";
import type { Method, MethodTable, Outcome } from "./dispatch.ts";
import { LEGACY_REVISIONS, NEWEST_LEGACY } from "./era.ts";
import { invalidParams, legacyResourceNotFound, type WireError } from "./errors.ts";
import { isObject } from "./jsonrpc.ts";
import { isLogLevel, type LogLevels, letLog } from "./logging.ts";
import type { Primitives } from "./primitives.ts";
import { getPrompt, visiblePromptResult } from "./prompts.ts";
import {
  type Implementation,
  type JsonObject,
  LOG_LEVELS,
  type PromptResult,
  type ResourceReading,
  type Revision,
} from "./registry.ts";
import { requesterOf } from "./requester.ts";
import { listResources, listTemplates, readResource, readUri } from "./resources.ts";
import { serverCapabilities } from "./server-capabilities.ts";
import type { SessionFacts } from "./session-facts.ts";
import type { SessionNotices } from "./session-notices.ts";
import { callTool, legacyToolResult } from "./tools.ts";
import { readUpToDate } from "./up-to-date.ts";
import { type Since, visible } from "./visible.ts";

/** The methods a session may call once it exists. `initialize` is not among them: it makes the session. */
export function legacyMethods(primitives: Primitives): MethodTable {
  const { server, tools, prompts, notices, logLevels, events, facts } = primitives;
  const { resources } = server;
  const methods = new Map<string, Method>([
    ["ping", () => "{}"],
    ["tools/list", ({ request, revision }) => tools.page(revision, "{", request.params?.cursor)],
    ["tools/call", (call) => callTool(tools, call, legacyToolResult)],
  ]);
  if (resources !== undefined) {
    const readingText = ({ contents }: ResourceReading): string => JSON.stringify({ contents });
    methods.set("resources/list", (call) => listResources(resources, call, "{"));
    methods.set("resources/templates/list", (call) => listTemplates(resources, call, "{"));
    methods.set("resources/read", (call) => readResource(resources, call, readingText, legacyResourceNotFound));
  }
  for (const [name, method] of events?.legacyMethods() ?? []) methods.set(name, method);
  if (resources?.watch !== undefined && notices !== undefined) {
    methods.set("resources/subscribe", (call) => subscribe(notices, facts, call));
    methods.set("resources/unsubscribe", (call) => unsubscribe(notices, facts, call));
  }
  if (prompts !== undefined) {
    const promptText = (result: PromptResult, revision: Revision): string =>
      JSON.stringify(visiblePromptResult(result, revision));
    methods.set("prompts/list", ({ request, revision }) => prompts.page(revision, "{", request.params?.cursor));
    methods.set("prompts/get", (call) => getPrompt(prompts, call, promptText));
  }
  if (offersCompletion(prompts, resources)) {
    methods.set("completion/complete", (call) => complete(prompts, resources, call, JSON.stringify));
  }
  if (logLevels !== undefined) {
    methods.set("logging/setLevel", (call) => setLevel(logLevels, facts, call));
    letLog(methods, (call, level) => logLevels.wants(call.session, level));
  }
  readUpToDate(methods, server);
  return methods;
}

/** `resources/subscribe`. */
function subscribe(notices: SessionNotices, facts: SessionFacts | undefined, call: Call): Outcome | Promise<Outcome> {
  const named = readUri(call.request.params?.uri);
  if ("code" in named) return named;
  if (call.session === undefined) return legacyResourceNotFound(named.uri);
  const requester = requesterOf(call);
  const outcome = notices.subscribe(call.session, requester, named.uri);
  if (facts === undefined || typeof outcome !== "string") return outcome;
  return facts.subscribed(requester, named.uri).then(() => outcome);
}

/** `resources/unsubscribe`. */
function unsubscribe(notices: SessionNotices, facts: SessionFacts | undefined, call: Call): Outcome | Promise<Outcome> {
  const named = readUri(call.request.params?.uri);
  if ("code" in named) return named;
  if (call.session === undefined) return "{}";
  notices.unsubscribe(call.session, named.uri);
  return facts?.unsubscribed(call.session, named.uri).then(() => "{}") ?? "{}";
}

/** `logging/setLevel`. */
function setLevel(
  levels: LogLevels,
  facts: SessionFacts | undefined,
  { session, request }: Call,
): Outcome | Promise<Outcome> {
  const level = request.params?.level;
  if (!isLogLevel(level)) return invalidParams(`level must be one of ${LOG_LEVELS.join(", ")}.`);
  if (session === undefined) return "{}";
  levels.set(session, level);
  return facts?.levelSet(session, level).then(() => "{}") ?? "{}";
}

/** What a handshake settles. */
export interface Handshake {
  readonly revision: Revision;
  readonly capabilities: CapabilitySet;
  readonly client: Implementation;
  /** The result of `initialize`, as JSON text. */
  readonly result: string;
}

/**
 * `initialize`: reads what the client offers and settles the revision (Lifecycle, "Version
 * negotiation": the client's if we serve it, else our newest of this era).
 */
export function initialize(primitives: Primitives, params: JsonObject | undefined): Handshake | WireError {
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  if (typeof protocolVersion !== "string") return invalidParams("protocolVersion must be a string.");
  if (!isObject(capabilities)) return invalidParams("capabilities must be an object.");
  if (!isObject(clientInfo)) return invalidParams("clientInfo must be an object.");
  const { name, version } = clientInfo;
  if (typeof name !== "string" || typeof version !== "string") {
    return invalidParams("clientInfo needs a name and a version.");
  }
  const revision = LEGACY_REVISIONS.find((served) => served === protocolVersion) ?? NEWEST_LEGACY;
  const { greetings } = primitives;
  const result = greetings.get(revision) ?? greet(primitives, revision);
  greetings.set(revision, result);
  return { revision, capabilities: packCapabilities(capabilities), client: { name, version }, result };
}

/** The result of `initialize`, which says the same to everybody. */
function greet({ server, prompts }: Primitives, revision: Revision): string {
  const result: Record<string, unknown> = {
    protocolVersion: revision,
    capabilities: serverCapabilities(server, prompts, revision),
    serverInfo: visible(server.info, INFO_FIELDS, revision),
  };
  if (server.instructions !== undefined) result.instructions = server.instructions;
  return JSON.stringify(result);
}

/** What the server says of itself, by the revision that knows it. */
const INFO_FIELDS: Since<Implementation> = {
  name: "2024-11-05",
  version: "2024-11-05",
  title: "2025-06-18",
  description: "2025-11-25",
  websiteUrl: "2025-11-25",
  icons: "2025-11-25",
};
