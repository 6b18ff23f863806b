/**
 * A binary min-heap of (time, reference) pairs. Entries are never removed from the middle: whoever
 * pops one checks it against the state and pushes a corrected one, so it holds hints, not truth.
 *
 * This file owns the heap only. It must never know what a reference refers to.
 */

/** Hints a heap may hold for each live one before it is made anew: rare enough to cost little, bounded for sure. */
const HINTS_PER_LIVE_MAX = 4;
/** So that a small heap is left alone. */
const HINTS_SPARED = 64;

export class TimeHeap {
  readonly #times: number[] = [];
  readonly #refs: number[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** The earliest time, or undefined if empty. */
  get earliest(): number | undefined {
    return this.#times[0];
  }

  /** Whether most of the hints must be stale, if no more than `live` can be right: time to make the heap anew. */
  isMostlyStale(live: number): boolean {
    return this.size > HINTS_PER_LIVE_MAX * live + HINTS_SPARED;
  }

  clear(): void {
    this.#times.length = 0;
    this.#refs.length = 0;
  }

  push(time: number, ref: number): void {
    const times = this.#times;
    const refs = this.#refs;
    let at = times.length;
    times.push(time);
    refs.push(ref);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Removes the earliest pair and gives its reference; ties go by reference. Undefined if empty. */
  pop(): number | undefined {
    const times = this.#times;
    const refs = this.#refs;
    const last = times.length - 1;
    if (last < 0) return undefined;
    this.#swap(0, last);
    times.pop();
    const ref = refs.pop();
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= last) break;
      const right = left + 1;
      const least = right < last && this.#before(right, left) ? right : left;
      if (!this.#before(least, at)) break;
      this.#swap(at, least);
      at = least;
    }
    return ref;
  }

  #before(a: number, b: number): boolean {
    const timeA = this.#times[a] ?? 0;
    const timeB = this.#times[b] ?? 0;
    return timeA < timeB || (timeA === timeB && (this.#refs[a] ?? 0) < (this.#refs[b] ?? 0));
  }

  #swap(a: number, b: number): void {
    const time = this.#times[a] ?? 0;
    const ref = this.#refs[a] ?? 0;
    this.#times[a] = this.#times[b] ?? 0;
    this.#refs[a] = this.#refs[b] ?? 0;
    this.#times[b] = time;
    this.#refs[b] = ref;
  }
}
