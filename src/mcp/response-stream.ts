/**
 * The event stream of one POST: messages that precede the answer, then the answer, then the end.
 *
 * This file owns the order of those frames and the bound on what waits to be written. It must
 * never drop the answer.
 */

import { RESPONSE_BACKLOG_CHARS_MAX } from "../limits.ts";
import type { FrameSource, Outlet } from "./frame-source.ts";
import { encodeComment, encodeMessage } from "./sse.ts";

const OPENING = encodeComment("ok");
const KEEP_ALIVE = encodeComment("ka");

/**
 * How long a message matters: `progress` until there is newer, a `question` until it is answered, a
 * `notice` as long as there is room for it, the `answer` to the end.
 */
export type MessageKind = "progress" | "question" | "notice" | "answer";

/** What a call sends before and as its answer, whether its client can resume it or not. */
export interface AnswerStream {
  /** The stream on the connection of the request itself. */
  readonly source: FrameSource;
  /** Sends a message before the answer. Progress and notices are dropped if the reader is far behind. */
  send(json: string, kind: MessageKind): void;
  /** Takes back a question that has been answered: it must not be asked again. */
  withdraw(json: string): void;
  /** Sends the answer, if there is one, and ends the stream. */
  finish(json: string | undefined): void;
  /** Drops the connection and tells the client to come back, if it can. */
  closeConnection(): void;
  /** The connection of the request is gone. @returns whether the client can still come back for the answer */
  survivesDisconnect(): boolean;
}

export class ResponseStream implements FrameSource, AnswerStream {
  readonly overrun = false;
  readonly source = this;
  readonly #gone: () => void;
  #outlet: Outlet | undefined;
  #waiting = "";
  #opened = false;
  #finished = false;

  /** @param gone called when the connection is over, also after a regular end */
  constructor(gone: () => void) {
    this.#gone = gone;
  }

  send(json: string, kind: MessageKind): void {
    if (this.#finished || (kind !== "question" && this.#waiting.length > RESPONSE_BACKLOG_CHARS_MAX)) return;
    this.#waiting += encodeMessage(json);
    this.#outlet?.wake();
  }

  withdraw(): void {
    // Nothing is said twice on this stream.
  }

  closeConnection(): void {
    // Nobody could come back.
  }

  survivesDisconnect(): boolean {
    return false;
  }

  finish(json: string | undefined): void {
    if (this.#finished) return;
    this.#finished = true;
    if (json !== undefined) this.#waiting += encodeMessage(json);
    this.#outlet?.end();
  }

  attach(outlet: Outlet): void {
    this.#outlet = outlet;
    if (this.#finished) outlet.end();
  }

  pull(): string {
    const frames = this.#waiting;
    this.#waiting = "";
    if (this.#opened || frames !== "") {
      this.#opened = true;
      return frames;
    }
    this.#opened = true;
    return OPENING;
  }

  keepAlive(): string {
    return KEEP_ALIVE;
  }

  closed(): void {
    this.#outlet = undefined;
    this.#gone();
  }
}
