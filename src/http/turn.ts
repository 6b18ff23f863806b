/**
 * Handling requests that arrive together one right after the other, instead of each between reading
 * its own bytes and writing its own answer. The kernel's network code and ours push each other out
 * of the processor's caches: taking turns makes a busy server about twice as fast, and costs a lone
 * request nothing but one round of the event loop.
 *
 * This file owns that wait and its bound: however many arrive together, nobody else waits for all of them.
 * It must never put requests into another order than that of their arrival.
 */

import { REQUESTS_PER_TURN_MAX } from "../limits.ts";

export class Turn {
  /** The turn of the latest request, and how many share it. */
  #latest: Promise<void> | undefined;
  #sharing = 0;
  /** What begins the turns that have not begun, the next one first. */
  readonly #waiting: (() => void)[] = [];

  /** Resolves once everything that has arrived by now has been read; in the order of the calls. */
  next(): Promise<void> {
    if (this.#latest === undefined || this.#sharing === REQUESTS_PER_TURN_MAX) {
      this.#latest = new Promise((resolve) => {
        if (this.#waiting.push(resolve) === 1) setImmediate(this.#begin);
      });
      this.#sharing = 0;
    }
    this.#sharing++;
    return this.#latest;
  }

  readonly #begin = (): void => {
    const begin = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#latest = undefined;
    else setImmediate(this.#begin);
    begin?.();
  };
}
