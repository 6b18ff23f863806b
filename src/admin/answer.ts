/**
 * What the operator's surface answers: JSON, and one shape for everything that went wrong.
 *
 * This file owns those shapes and their HTTP statuses. It must never put a user's words into an error.
 */
import { ADMIN_BODY_BYTES_MAX } from "../limits.ts";
import type { JsonObject } from "../mcp/registry.ts";

/** Why a request of the operator was not done. */
export interface AdminError {
  readonly status: number;
  readonly code: string;
  /** One sentence that says what to do next. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route gives: a body, or lines, or why there is none. */
export type Outcome =
  | { readonly ok: true; readonly body: JsonObject }
  /** Lines of JSON, as many as there are. */
  | { readonly ok: true; readonly flow: ReadableStream<Uint8Array> }
  | { readonly ok: false; readonly error: AdminError };

const LINES = "application/x-ndjson; charset=utf-8";
const HEADERS = { "content-type": "application/json", "cache-control": "no-store" };

export function respond(outcome: Outcome): Response {
  if ("flow" in outcome) return new Response(outcome.flow, { headers: { ...HEADERS, "content-type": LINES } });
  if (outcome.ok) return new Response(JSON.stringify(outcome.body), { headers: HEADERS });
  const { status, code, message, headers } = outcome.error;
  return new Response(JSON.stringify({ error: { code, message } }), { status, headers: { ...HEADERS, ...headers } });
}

export function done(body: JsonObject): Outcome {
  return { ok: true, body };
}

export function failed(error: AdminError): Outcome {
  return { ok: false, error };
}

export const UNAUTHORIZED: AdminError = {
  status: 401,
  code: "unauthorized",
  message: "Send the admin token as Authorization: Bearer.",
  headers: { "www-authenticate": 'Bearer realm="mcp-chat admin"' },
};

/** RFC 6750, section 3.1: a token came, and it is not good. */
export const BAD_TOKEN: AdminError = {
  ...UNAUTHORIZED,
  message: "This is not the admin token.",
  headers: { "www-authenticate": 'Bearer realm="mcp-chat admin", error="invalid_token"' },
};

export function tooManyFailures(retryAfterMs: number): AdminError {
  return {
    status: 429,
    code: "too_many_failures",
    message: "Too many wrong tokens came from your address. Wait, then try again.",
    headers: { "retry-after": String(Math.ceil(retryAfterMs / 1000)) },
  };
}

/** @param what "route", "report", "ban" ... */
export function notFound(what: string): AdminError {
  return { status: 404, code: "not_found", message: `There is no such ${what}.` };
}

export function methodNotAllowed(allowed: readonly string[]): AdminError {
  return {
    status: 405,
    code: "method_not_allowed",
    message: `Use ${allowed.join(" or ")} here.`,
    headers: { allow: allowed.join(", ") },
  };
}

/** @param problem names what is wrong and what is allowed, never what was sent */
export function badInput(problem: string): AdminError {
  return { status: 400, code: "bad_input", message: problem };
}

export const NOT_JSON: AdminError = {
  status: 415,
  code: "not_json",
  message: "Send the body as application/json.",
};

export const BODY_TOO_LARGE: AdminError = {
  status: 413,
  code: "too_large",
  message: `The body may have up to ${ADMIN_BODY_BYTES_MAX} bytes.`,
};

export const ANNOUNCING: AdminError = {
  status: 409,
  code: "announcing",
  message: "An announcement is still going out. Try again in a moment.",
  headers: { "retry-after": "1" },
};

/** The journal cannot be reached, or did not answer: it may have been done all the same. */
export function unavailable(retryAfterMs: number): AdminError {
  return {
    status: 503,
    code: "unavailable",
    message: "The server cannot tell just now whether this was done. Look, then try again.",
    headers: { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  };
}

export const INTERNAL: AdminError = { status: 500, code: "internal", message: "This failed unexpectedly." };
