/**
 * Resources, as far as both eras share them: listing them and their templates, and reading one.
 *
 * This file owns which resource fields a revision knows. It must never tell a resource that does
 * not exist from one that is not the caller's.
 */

import { CACHE_TTL_MS, URI_CHARS_MAX } from "../limits.ts";
import type { Call } from "./call.ts";
import type { Outcome } from "./dispatch.ts";
import { invalidParams, type WireError } from "./errors.ts";
import { pageAt, pageText } from "./pagination.ts";
import type {
  CachePolicy,
  Json,
  Resource,
  ResourceReading,
  Resources,
  ResourceTemplate,
  Revision,
} from "./registry.ts";
import { type Since, visible } from "./visible.ts";
import { whenReady } from "./when-ready.ts";

const FIELDS: Since<Resource> = {
  uri: "2024-11-05",
  name: "2024-11-05",
  title: "2025-06-18",
  description: "2024-11-05",
  mimeType: "2024-11-05",
  size: "2025-03-26",
  annotations: "2024-11-05",
  icons: "2025-11-25",
  _meta: "2025-06-18",
};

const TEMPLATE_FIELDS: Since<ResourceTemplate> = {
  uriTemplate: "2024-11-05",
  name: "2024-11-05",
  title: "2025-06-18",
  description: "2024-11-05",
  mimeType: "2024-11-05",
  annotations: "2024-11-05",
  icons: "2025-11-25",
  _meta: "2025-06-18",
};

/** Lists that are the same for everybody. */
export const SHARED: CachePolicy = { ttlMs: CACHE_TTL_MS, scope: "public" };
/** What is the caller's alone and may be different at once. */
const OWN: CachePolicy = { ttlMs: 0, scope: "private" };

/** How long a cache may keep the list of resources, and whose. */
export function listPolicy(resources: Resources): CachePolicy {
  return typeof resources.list === "function" ? OWN : SHARED;
}

/** How long a cache may keep what was read, and whose. */
export function readPolicy(reading: ResourceReading): CachePolicy {
  return reading.cache ?? OWN;
}

/**
 * `resources/list`.
 * @param head what the result begins with in the call's era
 */
export function listResources(resources: Resources, call: Call, head: string): Outcome | Promise<Outcome> {
  const { list } = resources;
  const { request, revision } = call;
  return whenReady(typeof list === "function" ? list(call) : list, (items): Outcome => {
    const page = pageAt(items, (resource) => resource.uri, request.params?.cursor);
    if ("code" in page) return page;
    return head + pageText("resources", page, (resource) => visible(resource, FIELDS, revision));
  });
}

/** `resources/templates/list`. */
export function listTemplates(resources: Resources, { request, revision }: Call, head: string): Outcome {
  const page = pageAt(resources.templates ?? [], (template) => template.uriTemplate, request.params?.cursor);
  if ("code" in page) return page;
  return head + pageText("resourceTemplates", page, (template) => visible(template, TEMPLATE_FIELDS, revision));
}

/** What a method that names a resource needs to know of its URI. */
export function readUri(uri: Json | undefined): { readonly uri: string } | WireError {
  if (typeof uri !== "string" || uri === "") return invalidParams("uri must be a string.");
  return uri.length > URI_CHARS_MAX ? invalidParams(`uri has at most ${URI_CHARS_MAX} characters.`) : { uri };
}

/**
 * `resources/read`.
 * @param render the reading as the era's result object, in JSON text
 * @param notFound the era's word for it
 */
export function readResource(
  resources: Resources,
  call: Call,
  render: (reading: ResourceReading, revision: Revision) => string,
  notFound: (uri: string) => WireError,
): Outcome | Promise<Outcome> {
  const named = readUri(call.request.params?.uri);
  if ("code" in named) return named;
  const { revision } = call;
  return whenReady(
    resources.read(named.uri, call),
    (reading): Outcome => (reading === undefined ? notFound(named.uri) : render(reading, revision)),
  );
}
