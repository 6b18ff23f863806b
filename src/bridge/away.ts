/**
 * What the client is told while the server cannot be reached: for a tool the refusal a model can act
 * on, for everything else an error.
 *
 * This file owns the wording. It must never name more of the server than its origin.
 */

import { BRIDGE_RETRY_MS_MAX } from "../client-limits.ts";
import { errorText, upstreamFailed, type WireError } from "../mcp/errors.ts";
import { type RpcRequest, resultText } from "../mcp/jsonrpc.ts";
import type { Era } from "../mcp/registry.ts";

/**
 * The answer to a request that cannot be answered.
 * @param nothingDone whether the request cannot have reached the server
 */
export function awayAnswer(request: RpcRequest, era: Era, server: string, nothingDone: boolean): string {
  const happened = nothingDone
    ? `The chat server at ${server} cannot be reached; nothing was done.`
    : `The connection to the chat server at ${server} was lost before it answered, so this may or may not have been done.`;
  if (request.method !== "tools/call") return errorText(request.id, upstreamFailed(happened));
  const next = nothingDone ? "Try again in a few seconds." : "Call chat_status to see where you are.";
  const structuredContent = {
    error: { code: "unavailable", message: `${happened} ${next}`, retry_after_ms: BRIDGE_RETRY_MS_MAX },
  };
  const result = {
    ...(era === "modern" ? { resultType: "complete" } : {}),
    content: [{ type: "text", text: JSON.stringify(structuredContent) }],
    structuredContent,
    isError: true,
  };
  return resultText(request.id, JSON.stringify(result));
}

/** What came in place of an answer. Whatever it was, it is not passed on. */
export function unreadableAnswer(server: string): WireError {
  return upstreamFailed(`What answers at ${server} is no MCP server, or its answer is too long.`);
}
