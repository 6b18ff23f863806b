/**
 * How often the partner is told that something is being typed: at the first key, again while it goes on,
 * and when it stops.
 *
 * This file owns that rhythm. It must never send anything itself.
 */

import { CLIENT_TYPING_MS } from "../client-limits.ts";
import type { Clock } from "./clock.ts";

export class TypingSign {
  readonly #clock: Clock;
  readonly #say: (typing: boolean) => void;
  /** When it was last said that something is being typed; undefined = not since it stopped. */
  #saidAt: number | undefined;
  #cancelStop: () => void = () => undefined;

  constructor(clock: Clock, say: (typing: boolean) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  /** A key was pressed; `isTyping` is false when the draft is empty. */
  note(isTyping: boolean): void {
    if (!isTyping) {
      this.#stopped();
      return;
    }
    const now = this.#clock.now();
    if (this.#saidAt === undefined || now - this.#saidAt >= CLIENT_TYPING_MS) {
      this.#saidAt = now;
      this.#say(true);
    }
    this.#cancelStop();
    this.#cancelStop = this.#clock.after(CLIENT_TYPING_MS, () => this.#stopped());
  }

  /** Forgets everything without a word, as when the message itself says that the typing is over. */
  stop(): void {
    this.#cancelStop();
    this.#saidAt = undefined;
  }

  #stopped(): void {
    const wasSaid = this.#saidAt !== undefined;
    this.stop();
    if (wasSaid) this.#say(false);
  }
}
