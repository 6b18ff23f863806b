/**
 * How far a stream's reader has surely read: what was written a while ago, and nothing has gone
 * wrong since. Kept without a timer, as a few marks that are looked at only when asked.
 *
 * This file owns that bookkeeping. It must never claim more than the marks prove.
 */

import { STREAM_MARK_MS, STREAM_SETTLED_MS } from "../limits.ts";

/** Everything up to `position` was written by `writtenAt` (milliseconds). */
interface Mark {
  readonly position: string;
  readonly writtenAt: number;
}

export class SettledPosition {
  // The newest mark is in this object itself: most streams never have another one at the same time.
  #since = Number.NEGATIVE_INFINITY;
  #position = "";
  #writtenAt = Number.POSITIVE_INFINITY;
  /** Those before it, oldest first, none yet settled when last looked at. */
  #older: Mark[] | undefined;
  #settled: string | undefined;

  /** Everything up to `position` has been handed to the connection. */
  written(position: string, now: number): void {
    if (now - this.#since >= STREAM_MARK_MS) {
      this.#advance(now);
      if (this.#hasMark) {
        this.#older ??= [];
        this.#older.push({ position: this.#position, writtenAt: this.#writtenAt });
      }
      this.#since = now;
    }
    this.#position = position;
    this.#writtenAt = now;
  }

  /** The reader stopped draining: what is not settled by now has to prove itself anew. */
  disturbed(now: number): void {
    this.#advance(now);
    this.#older = undefined;
    this.#clear();
  }

  /** The position that counts as read, if any. */
  at(now: number): string | undefined {
    this.#advance(now);
    return this.#settled;
  }

  get #hasMark(): boolean {
    return this.#writtenAt !== Number.POSITIVE_INFINITY;
  }

  #clear(): void {
    this.#since = Number.NEGATIVE_INFINITY;
    this.#position = "";
    this.#writtenAt = Number.POSITIVE_INFINITY;
  }

  #advance(now: number): void {
    const older = this.#older;
    for (let first = older?.[0]; first !== undefined; first = older?.[0]) {
      if (now - first.writtenAt < STREAM_SETTLED_MS) return;
      this.#settled = first.position;
      older?.shift();
    }
    this.#older = undefined;
    if (!this.#hasMark || now - this.#writtenAt < STREAM_SETTLED_MS) return;
    this.#settled = this.#position;
    this.#clear();
  }
}
