/**
 * What a transport is told to send for one posted message, as plain values.
 *
 * This file owns the vocabulary between dispatcher and transport. It must never do the sending.
 */

import { errorText, type WireError } from "./errors.ts";
import type { FrameSource } from "./frame-source.ts";
import type { RequestId } from "./jsonrpc.ts";
import type { MessageSource } from "./message-source.ts";

/** One JSON text and the status it has as a whole HTTP answer. */
export interface JsonReply {
  readonly kind: "json";
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Reply =
  | JsonReply
  /** The answer will come, after other messages, as the last frame of an event stream. */
  | { readonly kind: "stream"; readonly source: FrameSource }
  /** Messages over a long time. `closed` is to be called once the connection that carries them is over. */
  | { readonly kind: "messages"; readonly source: MessageSource; closed(): void }
  /** Taken, and nothing is to be said: notifications, responses, cancelled requests (HTTP 202). */
  | { readonly kind: "accepted" }
  /** Done, and there is nothing to say (HTTP 204). */
  | { readonly kind: "done" };

export const ACCEPTED: Reply = { kind: "accepted" };
export const DONE: Reply = { kind: "done" };

/** An answer that is not there yet. */
export interface HeldReply {
  readonly kind: "held";
  /** Never rejects. */
  readonly reply: Promise<Reply>;
  /** To be called if the connection drops before `reply` came; harmless later. */
  disconnected(): void;
}

export function jsonReply(body: string): JsonReply {
  return { kind: "json", status: 200, body };
}

/** @param id the id of the request refused, if it could be read */
export function errorReply(error: WireError, id: RequestId | undefined): JsonReply {
  const reply: JsonReply = { kind: "json", status: error.status, body: errorText(id, error) };
  return error.headers === undefined ? reply : { ...reply, headers: error.headers };
}
