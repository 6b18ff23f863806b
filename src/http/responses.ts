/**
 * Replies as the runtime's responses.
 *
 * This file owns their status and headers. It must never look at a request.
 */

import { errorText, type WireError } from "../mcp/errors.ts";
import type { JsonReply, Reply } from "../mcp/reply.ts";
import { encodeMessage } from "../mcp/sse.ts";

export const JSON_HEADERS = { "content-type": "application/json" };
const SSE_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};
// Responses copy what they are given; copying a Headers object is cheaper than reading a plain one each time.
const OK_JSON = { headers: new Headers(JSON_HEADERS) };
const OK_SSE = { headers: new Headers(SSE_HEADERS) };
// `Server.timeout` stays with the connection after its response (Bun issue 33611), so the connection ends with the stream.
const OK_SSE_LAST = { headers: new Headers({ ...SSE_HEADERS, connection: "close" }) };

export function okJson(body: string): Response {
  return new Response(body, OK_JSON);
}

export function jsonResponse({ status, body, headers }: JsonReply): Response {
  if (status === 200 && headers === undefined) return okJson(body);
  return new Response(body, { status, headers: { ...JSON_HEADERS, ...headers } });
}

/** An answer for a client that takes event streams only: one event. Errors that are no 200 stay JSON. */
export function soleEventResponse(reply: JsonReply): Response {
  if (reply.status !== 200) return jsonResponse(reply);
  const init = reply.headers === undefined ? OK_SSE : { headers: { ...SSE_HEADERS, ...reply.headers } };
  return new Response(encodeMessage(reply.body), init);
}

/** @param isLast whether the connection ends with the stream */
export function streamResponse(body: ReadableStream, isLast: boolean): Response {
  return new Response(body, isLast ? OK_SSE_LAST : OK_SSE);
}

/** A reply that is no stream. */
export function plainResponse(reply: Reply): Response {
  if (reply.kind === "json") return jsonResponse(reply);
  return new Response(null, { status: reply.kind === "done" ? 204 : 202 });
}

export function refusal(error: WireError): Response {
  return new Response(errorText(undefined, error), {
    status: error.status,
    headers: { ...JSON_HEADERS, ...error.headers },
  });
}
