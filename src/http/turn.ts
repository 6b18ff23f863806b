/**
 * Doing what requests that arrive together ask for right one after the other, instead of each between reading its
 * own bytes and writing its own answer. The kernel's network code and ours push each other out of the
 * processor's caches: taking turns makes a busy server about twice as fast, and costs a lone request nothing but
 * one round of the event loop.
 *
 * This file owns that wait and its bound: however many arrive together, nobody else waits for all of them.
 * It must never put requests into another order than that in which they were read.
 */

import { TURN_MS_MAX } from "../limits.ts";

export class Turn {
  readonly #now: () => number;
  /** What is to be done, the next one first. */
  #waiting: (() => void)[] = [];

  /** @param now milliseconds since any time */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Does work with what was read, in the turn after it is there, once everything that has arrived by then is read.
   * @param reading never rejects
   * @returns what `work` gives; rejects with what it throws
   */
  after<T, R>(reading: Promise<T>, work: (read: T) => R | Promise<R>): Promise<R> {
    // One promise for a whole request: each more of them would cost as much as a look into a table.
    return new Promise((resolve, reject) => {
      void reading.then((read) => {
        const waiting = this.#waiting.push(() => {
          try {
            resolve(work(read));
          } catch (bug) {
            reject(bug);
          }
        });
        if (waiting === 1) setImmediate(this.#begin);
      });
    });
  }

  /** Bound once: this runs for nearly every request. */
  readonly #begin = (): void => {
    const all = this.#waiting;
    const until = this.#now() + TURN_MS_MAX;
    let done = 0;
    do all[done++]?.();
    while (done < all.length && this.#now() < until);
    // What comes while this runs is for the next turn, and behind whoever has not had theirs.
    this.#waiting = all.slice(done);
    if (this.#waiting.length > 0) setImmediate(this.#begin);
  };
}
