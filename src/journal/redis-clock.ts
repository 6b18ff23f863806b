/**
 * The clock of Redis, which gives entries their times, as it is known from here: an entry that has arrived is
 * older than now, and one that was written is younger than its writing.
 *
 * This file owns the estimate. It must never be ahead of that clock for long: a deadline that is waited for by
 * it has come when its entry gets its place.
 */

/** How long what was learned holds, in milliseconds: clocks drift apart by less than a millisecond meanwhile. */
const MEMORY_MS = 10_000;

export class RedisClock {
  readonly #local: () => number;
  /** Redis is ahead of the local count by this at least: as learned in the time before the last, and since. */
  #before = Number.NEGATIVE_INFINITY;
  #least = Number.NEGATIVE_INFINITY;
  #turnedAt = Number.NEGATIVE_INFINITY;

  /** @param local milliseconds, whatever they count from, never set back */
  constructor(local: () => number = () => performance.now()) {
    this.#local = local;
  }

  /** Milliseconds since the epoch. Before anything is known, the machine's own. */
  now(): number {
    const ahead = Math.max(this.#before, this.#least);
    return ahead === Number.NEGATIVE_INFINITY ? Date.now() : Math.floor(this.#local() + ahead);
  }

  /**
   * Something has come from Redis that it gave this time.
   * @param askedAt when it was asked for, by the local count, if that was here: it is not older
   */
  heard(time: number, askedAt?: number): void {
    const local = this.#local();
    if (local - this.#turnedAt > MEMORY_MS) {
      this.#turnedAt = local;
      this.#before = this.#least;
      this.#least = Number.NEGATIVE_INFINITY;
    }
    this.#least = Math.max(this.#least, time - local);
    if (askedAt === undefined || Math.max(this.#before, this.#least) <= time + 1 - askedAt) return;
    // Its clock was set back, or stands still until it has caught up with its own entries.
    this.#before = Number.NEGATIVE_INFINITY;
    this.#least = time - local;
  }
}
