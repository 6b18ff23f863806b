/**
 * Waiting for a server that is away: how often it is tried again and when that is given up.
 *
 * This file owns those delays. It must never send anything itself.
 */

import { BRIDGE_RETRY_MS_MAX, BRIDGE_RETRY_MS_MIN } from "../client-limits.ts";

/** Time as the bridge sees it. */
export interface Clock {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
      if (signal.aborted) done();
      else signal.addEventListener("abort", done, { once: true });
    });
  },
};

/** Delays that double, for one thing that is being tried. */
export class Backoff {
  readonly #clock: Clock;
  readonly #until: number;
  #ms = BRIDGE_RETRY_MS_MIN;

  /** @param patienceMs after which trying is over; infinite for what is kept up as long as the client is there */
  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#until = clock.now() + patienceMs;
  }

  /** What was begun then is over: if it lasted, the next failure is a first one again. */
  resetAfter(begunAt: number): void {
    if (this.#clock.now() - begunAt >= BRIDGE_RETRY_MS_MAX) this.#ms = BRIDGE_RETRY_MS_MIN;
  }

  /** Waits before the next attempt. @returns false if there is to be none */
  async wait(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#clock.now() + this.#ms > this.#until) return false;
    await this.#clock.sleep(this.#ms, signal);
    this.#ms = Math.min(BRIDGE_RETRY_MS_MAX, 2 * this.#ms);
    return !signal.aborted;
  }
}
