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

export class ResponseStream implements FrameSource {
  readonly overrun = false;
  readonly #gone: () => void;
  #outlet: Outlet | undefined;
  #waiting = "";
  #opened = false;
  #finished = false;

  /** @param gone called when the connection is over, also after a regular end */
  constructor(gone: () => void) {
    this.#gone = gone;
  }

  /** Sends a message before the answer. It is dropped if the reader is far behind: such messages are advisory. */
  send(json: string): void {
    if (this.#finished || this.#waiting.length > RESPONSE_BACKLOG_CHARS_MAX) return;
    this.#waiting += encodeMessage(json);
    this.#outlet?.wake();
  }

  /** Sends the answer, if there is one, and ends the stream. */
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
