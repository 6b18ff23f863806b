/**
 * A histogram of fixed buckets: how often a value was at most so large.
 *
 * This file owns the counting. It must never allocate when a value is observed.
 */
import type { Sample } from "./exposition.ts";

export class Histogram {
  readonly #bounds: readonly number[];
  /** Values in each bucket alone, the last one without an upper bound. */
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds upper bounds of the buckets, rising; a last one of infinity is added */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let at = 0;
    while (value > (this.#bounds[at] ?? Number.POSITIVE_INFINITY)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  /** Each bucket counts what is in those below it as well. */
  samples(): Sample[] {
    let count = 0;
    const buckets = this.#counts.map((inBucket, at) => {
      count += inBucket;
      const bound = this.#bounds[at];
      return { suffix: "_bucket", labels: { le: bound === undefined ? "+Inf" : String(bound) }, value: count };
    });
    return [...buckets, { suffix: "_sum", value: this.#sum }, { suffix: "_count", value: count }];
  }
}
