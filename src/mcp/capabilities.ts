/**
 * Which client capabilities the engine acts on, in a form small enough to seal into a session.
 *
 * This file owns the mapping between the specification's ClientCapabilities object and a set of
 * bits. It must never renumber a bit: sessions sealed by an older build carry them.
 */

import { isObject } from "./jsonrpc.ts";
import type { ClientFeature, JsonObject } from "./registry.ts";

/** A set of the bits below, at most 16 of them. */
export type CapabilitySet = number;

export const CAPABILITY = {
  roots: 1,
  sampling: 2,
  elicitationForm: 4,
  elicitationUrl: 8,
  samplingTools: 16,
  uiExtension: 32,
  tasksExtension: 64,
} as const satisfies Readonly<Record<ClientFeature, number>>;

/** The `_meta` member with which every modern request declares what its client can do. */
export const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

const UI_EXTENSION = "io.modelcontextprotocol/ui";
export const EVENTS_EXTENSION = "io.modelcontextprotocol/events";
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** Reads ClientCapabilities. What is unknown or malformed counts as not declared. */
export function packCapabilities(declared: JsonObject): CapabilitySet {
  const { roots, sampling, elicitation, extensions } = declared;
  let set: CapabilitySet = 0;
  if (isObject(roots)) set |= CAPABILITY.roots;
  if (isObject(sampling)) {
    set |= CAPABILITY.sampling;
    if (isObject(sampling.tools)) set |= CAPABILITY.samplingTools;
  }
  if (isObject(elicitation)) {
    // 2025-11-25, Elicitation, "Capabilities": an empty object means form mode only.
    if (isObject(elicitation.url)) set |= CAPABILITY.elicitationUrl;
    if (isObject(elicitation.form) || !isObject(elicitation.url)) set |= CAPABILITY.elicitationForm;
  }
  if (isObject(extensions)) {
    if (isObject(extensions[UI_EXTENSION])) set |= CAPABILITY.uiExtension;
    if (isObject(extensions[TASKS_EXTENSION])) set |= CAPABILITY.tasksExtension;
  }
  return set;
}

/** A feature as a client would declare it. */
const DECLARATIONS: Readonly<Record<ClientFeature, JsonObject>> = {
  roots: { roots: {} },
  sampling: { sampling: {} },
  samplingTools: { sampling: { tools: {} } },
  elicitationForm: { elicitation: {} },
  elicitationUrl: { elicitation: { url: {} } },
  uiExtension: { extensions: { [UI_EXTENSION]: {} } },
  tasksExtension: { extensions: { [TASKS_EXTENSION]: {} } },
};

/** ClientCapabilities that declare these features and nothing else. */
export function declarationOf(features: Iterable<ClientFeature>): JsonObject {
  const declared: JsonObject = {};
  for (const feature of features) {
    for (const [name, value] of Object.entries(DECLARATIONS[feature])) {
      const already = declared[name];
      declared[name] = isObject(already) && isObject(value) ? { ...already, ...value } : value;
    }
  }
  return declared;
}
