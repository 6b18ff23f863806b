/**
 * The seam between a long-lived answer and the connection it is written to: messages as they come,
 * then perhaps the result. The connection pulls, so what waits is bounded by what the source keeps.
 *
 * This file owns that interface and how such an answer travels as an event stream. It must never
 * know which messages they are.
 */

import type { FrameSource, Outlet } from "./frame-source.ts";
import { encodeComment, encodeMessage } from "./sse.ts";

/** A request's answer that goes on for long, the same on every transport. */
export interface MessageSource {
  /** The connection is ready. Called once, before the first `next`, which follows at once. */
  attach(outlet: Outlet): void;
  /**
   * The messages to write now, each a JSON text on one line: about `maxChars` UTF-16 units in all, more
   * only if a single message is longer; empty when there is nothing. The first time it is never empty.
   */
  next(maxChars: number): readonly string[];
  /** A message to write when nothing has been said for a while; "" for none, undefined if a mere sign of life will do. */
  heartbeat(): string | undefined;
  /** The server ends it: what is left is said, then the result, then `outlet.end()`. */
  stop(): void;
  /** The client has cancelled the request: nothing more is said, no result either, only `outlet.end()`. */
  cancel(): void;
  /** The connection is over, whoever ended it: everything is freed. Called exactly once. */
  closed(): void;
}

/** The `_meta` member with which every message of such an answer says whose it is: the id of the request. */
export const SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId";

const KEEP_ALIVE = encodeComment("ka");

/** Such an answer as an event stream. */
export class MessageFrames implements FrameSource {
  /** A source says itself when something is missing, so its stream goes on. */
  readonly overrun = false;
  readonly #source: MessageSource;
  readonly #closed: () => void;

  /** @param closed called once the connection is over; it is to tell the source */
  constructor(source: MessageSource, closed: () => void) {
    this.#source = source;
    this.#closed = closed;
  }

  attach(outlet: Outlet): void {
    this.#source.attach(outlet);
  }

  pull(maxChars: number): string {
    let frames = "";
    for (const json of this.#source.next(maxChars)) frames += encodeMessage(json);
    return frames;
  }

  keepAlive(): string {
    const message = this.#source.heartbeat();
    if (message === undefined) return KEEP_ALIVE;
    return message === "" ? "" : encodeMessage(message);
  }

  closed(): void {
    this.#closed();
  }
}
