/**
 * The legacy era: the handshake and the methods of revisions 2024-11-05 to 2025-11-25.
 *
 * This file owns that vocabulary and its envelope. It must never mention what only 2026-07-28 has.
 */

import { type CapabilitySet, packCapabilities } from "./capabilities.ts";
import type { Method, MethodTable } from "./dispatch.ts";
import { LEGACY_REVISIONS, NEWEST_LEGACY } from "./era.ts";
import { invalidParams, type WireError } from "./errors.ts";
import { isObject } from "./jsonrpc.ts";
import type { Implementation, JsonObject, Revision, ServerDefinition } from "./registry.ts";
import { callTool, legacyToolResult, toolsText, toolTable } from "./tools.ts";

/** The methods a session may call once it exists. `initialize` is not among them: it makes the session. */
export function legacyMethods(server: ServerDefinition): MethodTable {
  const tools = toolTable(server.tools);
  const lists = new Map(LEGACY_REVISIONS.map((r) => [r, `{"tools":${toolsText(server.tools, r)}}`]));
  return new Map<string, Method>([
    ["ping", () => "{}"],
    [
      "tools/list",
      ({ request, revision }) => {
        // The list has one page, so no cursor was ever given out.
        if (request.params?.cursor !== undefined) return invalidParams("Unknown cursor.");
        return lists.get(revision) ?? '{"tools":[]}';
      },
    ],
    ["tools/call", (call) => callTool(tools, call, legacyToolResult)],
  ]);
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
export function initialize(server: ServerDefinition, params: JsonObject | undefined): Handshake | WireError {
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  if (typeof protocolVersion !== "string") return invalidParams("protocolVersion must be a string.");
  if (!isObject(capabilities)) return invalidParams("capabilities must be an object.");
  if (!isObject(clientInfo)) return invalidParams("clientInfo must be an object.");
  const { name, version } = clientInfo;
  if (typeof name !== "string" || typeof version !== "string") {
    return invalidParams("clientInfo needs a name and a version.");
  }
  const revision = LEGACY_REVISIONS.find((served) => served === protocolVersion) ?? NEWEST_LEGACY;
  const result: JsonObject = {
    protocolVersion: revision,
    capabilities: { tools: {} },
    serverInfo: introduce(server.info, revision),
  };
  if (server.instructions !== undefined) result.instructions = server.instructions;
  return {
    revision,
    capabilities: packCapabilities(capabilities),
    client: { name, version },
    result: JSON.stringify(result),
  };
}

/** The server's name with the fields the revision knows. */
function introduce(info: Implementation, revision: Revision): JsonObject {
  const shown: JsonObject = { name: info.name, version: info.version };
  if (info.title !== undefined && revision >= "2025-06-18") shown.title = info.title;
  if (info.description !== undefined && revision >= "2025-11-25") shown.description = info.description;
  if (info.websiteUrl !== undefined && revision >= "2025-11-25") shown.websiteUrl = info.websiteUrl;
  return shown;
}
