/**
 * JSON-RPC batches, which exist in revision 2025-03-26 only: several messages posted as one, whose
 * answers come together.
 *
 * This file owns what a batch may hold and how its answers are put together. It must never know a
 * method beyond `initialize`, which no batch may carry.
 */

import { BATCH_MESSAGES_MAX } from "../limits.ts";
import { invalidRequest } from "./errors.ts";
import { decode, type RpcMessage, type RpcRequest } from "./jsonrpc.ts";
import type { Revision } from "./registry.ts";
import { ACCEPTED, errorReply, type HeldReply, jsonReply, type Reply } from "./reply.ts";

export const EMPTY_BATCH = invalidRequest("a batch must not be empty.");

/** What becomes of the messages of a batch, one by one and in their order. */
export interface BatchParts {
  request(request: RpcRequest): Reply | HeldReply;
  /** A notification or a response. */
  other(message: Exclude<RpcMessage, RpcRequest>): void;
}

/**
 * Runs a batch. Nothing of it happens unless all of it is well-formed.
 * @param revision what the session has negotiated
 */
export function runBatch(items: readonly unknown[], revision: Revision, parts: BatchParts): Reply | HeldReply {
  const refuse = (problem: string): Reply => errorReply(invalidRequest(problem), undefined);
  if (revision !== "2025-03-26") return refuse("batches do not exist in this revision.");
  if (items.length === 0) return errorReply(EMPTY_BATCH, undefined);
  if (items.length > BATCH_MESSAGES_MAX) return refuse(`a batch has at most ${BATCH_MESSAGES_MAX} messages.`);
  const messages: RpcMessage[] = [];
  for (const item of items) {
    const message = decode(item);
    if (message.kind === "invalid" || message.kind === "batch") return refuse("a batch holds only messages.");
    if (message.kind === "request" && message.method === "initialize") {
      return refuse("initialize must not be part of a batch.");
    }
    messages.push(message);
  }
  const replies: (Reply | HeldReply)[] = [];
  for (const message of messages) {
    if (message.kind === "request") replies.push(parts.request(message));
    else parts.other(message);
  }
  const held = replies.filter((reply) => reply.kind === "held");
  if (held.length === 0) return together(replies.filter((reply) => reply.kind !== "held"));
  return {
    kind: "held",
    reply: Promise.all(replies.map((r) => (r.kind === "held" ? r.reply : r))).then(together),
    disconnected: () => {
      for (const reply of held) reply.disconnected();
    },
  };
}

/** The answers of a batch as one. */
function together(replies: readonly Reply[]): Reply {
  const bodies = replies.flatMap((reply) => (reply.kind === "json" ? [reply.body] : []));
  return bodies.length === 0 ? ACCEPTED : jsonReply(`[${bodies.join(",")}]`);
}
