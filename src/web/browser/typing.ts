/**
 * Tells the partner that this person is typing, seldom enough to be cheap.
 *
 * This file owns the rhythm. Nothing waits for an answer: a lost notice is no loss.
 */
import { TYPING_EVERY_MS, TYPING_PAUSE_MS } from "./limits.ts";

export class TypingNotices {
  readonly #tell: (typing: boolean) => void;
  #toldAt = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (typing: boolean) => void) {
    this.#tell = tell;
  }

  /** The text of the composer has changed. */
  typed(isEmpty: boolean): void {
    clearTimeout(this.#pause);
    if (isEmpty) {
      this.#stop();
      return;
    }
    const now = Date.now();
    if (now - this.#toldAt >= TYPING_EVERY_MS) {
      this.#toldAt = now;
      this.#tell(true);
    }
    this.#pause = setTimeout(() => this.#stop(), TYPING_PAUSE_MS);
  }

  /** The message was sent, or the chat is over: the partner need not be told. */
  reset(): void {
    clearTimeout(this.#pause);
    this.#toldAt = 0;
  }

  #stop(): void {
    if (this.#toldAt === 0) return;
    this.#toldAt = 0;
    this.#tell(false);
  }
}
