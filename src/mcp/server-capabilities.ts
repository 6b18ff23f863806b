/**
 * What the server says it can do (Lifecycle, "Capability negotiation"; `server/discover`): exactly
 * what its definition makes it answer, and what the revision has a word for.
 *
 * This file owns that list. It must never promise what no method table holds.
 */

import { EVENTS_EXTENSION, TASKS_EXTENSION } from "./capabilities.ts";
import { offersCompletion } from "./completion.ts";
import { MODERN_REVISION } from "./era.ts";
import type { PromptList } from "./prompts.ts";
import type { JsonObject, ListKind, Revision, ServerDefinition } from "./registry.ts";
import { offersTasks } from "./task-methods.ts";

export function serverCapabilities(
  server: ServerDefinition,
  prompts: PromptList | undefined,
  revision: Revision,
): JsonObject {
  const changing = (kind: ListKind): JsonObject =>
    server.listChanges?.kinds.includes(kind) ? { listChanged: true } : {};
  const { resources } = server;
  const capabilities: JsonObject = { tools: changing("tools") };
  if (resources !== undefined) {
    const watching: JsonObject = resources.watch === undefined ? {} : { subscribe: true };
    capabilities.resources = { ...watching, ...changing("resources") };
  }
  if (prompts !== undefined) capabilities.prompts = changing("prompts");
  if (offersCompletion(prompts, resources) && revision >= "2025-03-26") capabilities.completions = {};
  if (server.logging === true) capabilities.logging = {};
  if (server.events !== undefined) {
    // Twice: as the extension it is, and by a name of its own, which is where the first clients of events look.
    capabilities.events = {};
    capabilities.extensions = { ...(capabilities.extensions as JsonObject | undefined), [EVENTS_EXTENSION]: {} };
  }
  if (revision === MODERN_REVISION && offersTasks(server.tools)) {
    capabilities.extensions = { ...(capabilities.extensions as JsonObject | undefined), [TASKS_EXTENSION]: {} };
  }
  return capabilities;
}
