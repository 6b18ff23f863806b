/**
 * How far a stream's reader has surely read: what was written a while ago, and nothing has gone
 * wrong since. Kept without a timer, as a few marks that are looked at only when asked.
 *
 * This file owns that bookkeeping. It must never claim more than the marks prove.
 */

import { STREAM_MARK_MS, STREAM_SETTLED_MS } from "../limits.ts";

/** Everything up to `position` was written by `writtenAt` (milliseconds); opened at `since`. */
interface Mark {
  readonly since: number;
  position: string;
  writtenAt: number;
}

export class SettledPosition {
  #settled: string | undefined;
  /** Oldest first, none yet settled when last looked at. */
  readonly #marks: Mark[] = [];

  /** Everything up to `position` has been handed to the connection. */
  written(position: string, now: number): void {
    const last = this.#marks[this.#marks.length - 1];
    if (last !== undefined && now - last.since < STREAM_MARK_MS) {
      last.position = position;
      last.writtenAt = now;
      return;
    }
    this.#advance(now);
    this.#marks.push({ since: now, position, writtenAt: now });
  }

  /** The reader stopped draining: what is not settled by now has to prove itself anew. */
  disturbed(now: number): void {
    this.#advance(now);
    this.#marks.length = 0;
  }

  /** The position that counts as read, if any. */
  at(now: number): string | undefined {
    this.#advance(now);
    return this.#settled;
  }

  #advance(now: number): void {
    for (let first = this.#marks[0]; first !== undefined; first = this.#marks[0]) {
      if (now - first.writtenAt < STREAM_SETTLED_MS) return;
      this.#settled = first.position;
      this.#marks.shift();
    }
  }
}
