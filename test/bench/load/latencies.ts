/**
 * Many times, kept whole in one typed array, and their quantiles.
 *
 * This file owns the arithmetic of latencies. It must never round before it is asked to.
 */

/** Times in milliseconds, as they are reported. */
export interface Spread {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly worstMs: number;
}

const ROOM_AT_FIRST = 4096;

export class Latencies {
  #us = new Uint32Array(ROOM_AT_FIRST);
  #count = 0;

  /** @param us microseconds */
  add(us: number): void {
    if (this.#count === this.#us.length) {
      const more = new Uint32Array(this.#us.length * 2);
      more.set(this.#us);
      this.#us = more;
    }
    this.#us[this.#count++] = Math.max(0, us);
  }

  clear(): void {
    this.#count = 0;
  }

  spread(): Spread {
    const sorted = this.#us.slice(0, this.#count).sort();
    const quantileMs = (q: number): number => (sorted[Math.round(q * (sorted.length - 1))] ?? 0) / 1000;
    return {
      count: sorted.length,
      p50Ms: quantileMs(0.5),
      p99Ms: quantileMs(0.99),
      p999Ms: quantileMs(0.999),
      worstMs: quantileMs(1),
    };
  }
}
