/**
 * What browsers are told about cross-origin use (Fetch Standard, "CORS protocol").
 *
 * This file owns those header fields. It must only be given an Origin that the guard let pass.
 */

import { PREFLIGHT_MAX_AGE_S } from "../limits.ts";

const REQUEST_HEADERS = [
  "content-type",
  "accept",
  "authorization",
  "mcp-session-id",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "last-event-id",
].join(", ");
const RESPONSE_HEADERS = "mcp-session-id, www-authenticate";

/** Lets the page of that origin read a response. */
export function allowOrigin(response: Response, origin: string): Response {
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-expose-headers", RESPONSE_HEADERS);
  response.headers.set("vary", "origin");
  return response;
}

/** The answer to OPTIONS. Without an Origin there is no page, and only the verbs are named. */
export function preflight(origin: string | null, verbs: readonly string[]): Response {
  const methods = verbs.join(", ");
  const response = new Response(null, { status: 204, headers: { allow: methods } });
  if (origin === null) return response;
  response.headers.set("access-control-allow-methods", methods);
  response.headers.set("access-control-allow-headers", REQUEST_HEADERS);
  response.headers.set("access-control-max-age", String(PREFLIGHT_MAX_AGE_S));
  return allowOrigin(response, origin);
}
