/**
 * Every error the wire can carry: JSON-RPC code, HTTP status, words. A closed catalogue.
 *
 * This file owns all JSON-RPC error codes and all HTTP error statuses; no other file names one. It
 * must never quote what a caller sent beyond a method or tool name, nor anything of the inside.
 */

import { BODY_BYTES_MAX, LISTENS_PER_PRINCIPAL_MAX, RETRY_AFTER_S, WATCHED_RESOURCES_MAX } from "../limits.ts";
import type { EventFault, EventFaultName } from "./event-provider.ts";
import { idText, type RequestId, type RpcInvalid } from "./jsonrpc.ts";
import type { JsonObject } from "./registry.ts";

/** One entry of the catalogue, ready to be sent by any transport. */
export interface WireError {
  readonly code: number;
  /** HTTP status if the error is the whole HTTP answer; on a stream and on stdio it is not used. */
  readonly status: number;
  readonly message: string;
  readonly data?: JsonObject;
  /** HTTP header fields that belong to the status. */
  readonly headers?: Readonly<Record<string, string>>;
}

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
/** Refused by the transport, before or beside JSON-RPC. The official SDKs use these two for the same cases. */
const TRANSPORT_REFUSED = -32000;
const SESSION_NOT_FOUND = -32001;
/** Legacy only: 2026-07-28 forbids it. */
const RESOURCE_NOT_FOUND = -32002;
const HEADER_MISMATCH = -32020;
const MISSING_CAPABILITY = -32021;
const UNSUPPORTED_VERSION = -32022;

/** An error object as JSON text in a response. Without a readable id the member is left out: null fits no MCP schema. */
export function errorText(id: RequestId | undefined, error: WireError): string {
  const member = `"error":${errorObject(error)}`;
  return id === undefined ? `{"jsonrpc":"2.0",${member}}` : `{"jsonrpc":"2.0","id":${idText(id)},${member}}`;
}

/** An error object alone, as JSON text. */
export function errorObject({ code, message, data }: WireError): string {
  const rest = data === undefined ? "" : `,"data":${JSON.stringify(data)}`;
  return `{"code":${code},"message":${JSON.stringify(message)}${rest}}`;
}

/** A name from the wire as it may stand in a message. */
function quoted(name: string): string {
  return name.length <= 128 ? name : `${name.slice(0, 128)}...`;
}

// --- JSON-RPC itself ------------------------------------------------------------------------

/** What `decode` found wrong. */
export function unreadable(found: RpcInvalid): WireError {
  if (found.fault === "json") return { code: PARSE_ERROR, status: 400, message: `Parse error: ${found.problem}` };
  return invalidRequest(found.problem);
}

export function invalidRequest(problem: string): WireError {
  return { code: INVALID_REQUEST, status: 400, message: `Invalid Request: ${problem}` };
}

/** Wrong parameters, found by the method itself: the exchange as such succeeded, in both eras. */
export function invalidParams(problem: string): WireError {
  return { code: INVALID_PARAMS, status: 200, message: `Invalid params: ${problem}` };
}

/** An unexpected exception. What it was stays in the log. */
export const INTERNAL: WireError = { code: INTERNAL_ERROR, status: 200, message: "Internal error" };

/** A legacy client learns of an unknown method in an ordinary response. */
export function legacyMethodNotFound(method: string): WireError {
  return { code: METHOD_NOT_FOUND, status: 200, message: `Method not found: ${quoted(method)}` };
}

/** No such resource, or none for this caller: both look the same. */
export function legacyResourceNotFound(uri: string): WireError {
  return { code: RESOURCE_NOT_FOUND, status: 200, message: "Resource not found", data: { uri } };
}

export const TOO_MANY_WATCHED: WireError = {
  code: TRANSPORT_REFUSED,
  status: 429,
  message: `Too many subscriptions: at most ${WATCHED_RESOURCES_MAX}`,
};

// --- modern era (2026-07-28) ----------------------------------------------------------------

/** 2026-07-28, Streamable HTTP: an unimplemented method is 404 with a JSON-RPC body. */
export function modernMethodNotFound(method: string): WireError {
  return { code: METHOD_NOT_FOUND, status: 404, message: `Method not found: ${quoted(method)}` };
}

/** A required member of the request's `_meta` is missing or malformed. */
export function invalidEnvelope(problem: string): WireError {
  return { code: INVALID_PARAMS, status: 400, message: `Invalid params: ${problem}` };
}

/** 2026-07-28, Resources, "Error handling". */
export function modernResourceNotFound(uri: string): WireError {
  return { code: INVALID_PARAMS, status: 200, message: "Resource not found", data: { uri } };
}

export const TOO_MANY_LISTENS: WireError = {
  code: TRANSPORT_REFUSED,
  status: 429,
  message: `Too many open subscriptions: at most ${LISTENS_PER_PRINCIPAL_MAX}`,
  headers: { "retry-after": String(RETRY_AFTER_S) },
};

/** A header that must mirror the body does not. */
export function headerMismatch(problem: string): WireError {
  return { code: HEADER_MISMATCH, status: 400, message: `Header mismatch: ${problem}` };
}

export function unsupportedVersion(supported: readonly string[], requested: string): WireError {
  const data = { supported: [...supported], requested: quoted(requested) };
  return { code: UNSUPPORTED_VERSION, status: 400, message: "Unsupported protocol version", data };
}

/** @param required what the client would have to declare, in the shape of ClientCapabilities */
export function missingCapability(required: JsonObject): WireError {
  const data = { requiredCapabilities: required };
  return { code: MISSING_CAPABILITY, status: 400, message: "Missing required client capability", data };
}

// --- legacy sessions ------------------------------------------------------------------------

export const SESSION_REQUIRED: WireError = {
  code: TRANSPORT_REFUSED,
  status: 400,
  message: "Bad Request: Mcp-Session-Id header is required",
};

/** Unknown, forged, expired, ended, or somebody else's: all look the same. */
export const SESSION_UNKNOWN: WireError = { code: SESSION_NOT_FOUND, status: 404, message: "Session not found" };

export function unsupportedVersionHeader(supported: readonly string[]): WireError {
  const message = `Bad Request: Unsupported protocol version (supported: ${supported.join(", ")})`;
  return { code: TRANSPORT_REFUSED, status: 400, message };
}

export const BAD_EVENT_ID: WireError = {
  code: TRANSPORT_REFUSED,
  status: 400,
  message: "Bad Request: Last-Event-ID is not one of this server's",
};

/** Said on a stream that is resumed where nobody knows it: its client would wait in vain. */
export const ANSWER_LOST: WireError = {
  code: INTERNAL_ERROR,
  status: 200,
  message: "The answer was lost with the server that was to give it, or nobody came back for it in time. Call again.",
};

export const TOO_MANY_IN_FLIGHT: WireError = {
  code: TRANSPORT_REFUSED,
  status: 429,
  message: "Too many unanswered requests in this session",
  headers: { "retry-after": String(RETRY_AFTER_S) },
};

// --- MCP Events (SEP-3415) ------------------------------------------------------------------

/** Whose numbers: of the sketch, which clients began with, or of the SEP, whose range the base reserves for it. */
export type EventErrorProfile = "sketch" | "sep";

const EVENT_CODES: Readonly<Record<EventFaultName, Readonly<Record<EventErrorProfile, number>>>> = {
  InvalidParams: { sketch: INVALID_PARAMS, sep: INVALID_PARAMS },
  NotFound: { sketch: -32011, sep: -32023 },
  Forbidden: { sketch: -32012, sep: -32024 },
  ResourceExhausted: { sketch: -32013, sep: -32025 },
  Unsupported: { sketch: -32014, sep: -32026 },
  CallbackEndpointError: { sketch: -32015, sep: -32027 },
};

/** Name and data are the same under both numbers, so that clients can go by them. */
export function eventError({ name, data }: EventFault, profile: EventErrorProfile): WireError {
  return { code: EVENT_CODES[name][profile], status: 200, message: name, data };
}

// --- the stdio edge -------------------------------------------------------------------------

/** Clients that try the modern era first take any error here as "legacy: initialize". */
export const NOT_INITIALIZED = invalidRequest(
  "initialize first, or name a protocol version in _meta (2026-07-28 and later).",
);

export const LINE_TOO_LONG = invalidRequest(`a line has at most ${BODY_BYTES_MAX} bytes.`);
export const LINE_NOT_TEXT: WireError = {
  code: PARSE_ERROR,
  status: 400,
  message: "Parse error: The line is not UTF-8.",
};

// --- a bridge to another server -------------------------------------------------------------

/** The server behind the bridge did not answer, or not in a way that can be passed on. */
export function upstreamFailed(problem: string): WireError {
  return { code: INTERNAL_ERROR, status: 502, message: problem };
}

// --- the HTTP edge --------------------------------------------------------------------------

function refused(status: number, message: string, headers?: Readonly<Record<string, string>>): WireError {
  const error = { code: TRANSPORT_REFUSED, status, message };
  return headers === undefined ? error : { ...error, headers };
}

export const HOST_REFUSED = refused(403, "Forbidden: Host is not allowed");
export const ORIGIN_REFUSED = refused(403, "Forbidden: Origin is not allowed");
export const NOT_FOUND = refused(404, "Not found");
export const NOT_ACCEPTABLE_POST = refused(
  406,
  "Not Acceptable: Accept must admit application/json or text/event-stream",
);
export const NOT_ACCEPTABLE_GET = refused(406, "Not Acceptable: Accept must admit text/event-stream");
export const NOT_JSON = refused(415, "Unsupported Media Type: Content-Type must be application/json");
export const BODY_TOO_LARGE = refused(413, "Payload Too Large");
export const STREAMS_PER_ADDRESS = refused(429, "Too many open streams from your address", {
  "retry-after": String(RETRY_AFTER_S),
});
export const STREAMS_FULL = refused(503, "Too many open streams", { "retry-after": String(RETRY_AFTER_S) });

/** More `initialize` from one address than it may do. */
export function tooManySessions(retryAfterMs: number): WireError {
  return refused(429, "Too many new sessions from your address", {
    "retry-after": String(Math.ceil(retryAfterMs / 1000)),
  });
}

/** A standard code, because in either era the request itself may be under way when this is said. */
export const STOPPING: WireError = {
  code: INTERNAL_ERROR,
  status: 503,
  message: "Server is stopping",
  headers: { "retry-after": String(RETRY_AFTER_S) },
};

/** Other servers are better off for it. */
export const CUT_OFF = refused(503, "This server is cut off from the others", { "retry-after": String(RETRY_AFTER_S) });

/** What would have to be kept or known first cannot be reached at this moment. */
export function unavailable(retryAfterMs: number): WireError {
  return {
    code: INTERNAL_ERROR,
    status: 503,
    message: "The server cannot do this just now",
    headers: { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  };
}

export const UNAUTHENTICATED = refused(401, "Unauthorized", { "www-authenticate": "Bearer" });
/** RFC 6750, section 3.1: a token came, and it is not good. */
export const BAD_TOKEN = refused(401, "Unauthorized", { "www-authenticate": 'Bearer error="invalid_token"' });

export function verbNotOffered(offered: readonly string[]): WireError {
  return refused(405, "Method Not Allowed", { allow: offered.join(", ") });
}
