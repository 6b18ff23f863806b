/**
 * How often each of many callers may do something: so many at once, so many a second in the long run.
 *
 * This file owns that count. It keeps only callers whose bucket is not full, so its size follows
 * from the rate of calls and not from the number of callers there ever were; where callers are made at
 * will, a bound on their number goes before, at the price of the longest-unused one's memory.
 */

interface Bucket {
  tokens: number;
  /** When `tokens` was right, in milliseconds. */
  at: number;
}

export class TokenBuckets {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #keysMax: number;
  /** Longest-unused first. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param keysMax callers remembered at most */
  constructor(perSecond: number, burst: number, keysMax = Number.POSITIVE_INFINITY) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#keysMax = keysMax;
  }

  /** Callers remembered at this moment. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes one if there is one.
   * @param now milliseconds; a clock set back gives nothing and takes nothing
   * @returns 0, or in how many milliseconds there will be one
   */
  take(key: string, now: number): number {
    this.#forgetFull(now);
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, now - bucket.at) * this.#perMs);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forgetOldest();
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.#perMs);
    bucket.tokens--;
    return 0;
  }

  /** In how many milliseconds there will be one; 0 = now. Takes nothing. */
  delay(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    const tokens = bucket.tokens + Math.max(0, now - bucket.at) * this.#perMs;
    return tokens < 1 ? Math.ceil((1 - tokens) / this.#perMs) : 0;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= this.#keysMax) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }

  /** Drops buckets unused for so long that they are full again whatever was taken. */
  #forgetFull(now: number): void {
    const fullSince = now - this.#burst / this.#perMs;
    for (const [key, bucket] of this.#buckets) {
      if (bucket.at > fullSince) return;
      this.#buckets.delete(key);
    }
  }
}
