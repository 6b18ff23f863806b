/**
 * An ordered set of numbers that knows ranks: the queue's line of ticket numbers. Kept as sorted
 * chunks, so that appending is constant and everything else costs a search among a few hundred
 * chunks even with 100,000 waiting.
 *
 * This file owns the data structure only. It must never know what the numbers mean.
 */

/** Splitting at this size keeps both the chunk list and one chunk's shifts short at 100,000 entries. */
const CHUNK_ENTRIES_MAX = 512;

export class RankedList {
  #chunks: number[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The least number, or undefined if empty. */
  get first(): number | undefined {
    return this.#chunks[0]?.[0];
  }

  /** Adds a number; false if it is there already. */
  add(value: number): boolean {
    const chunks = this.#chunks;
    if (chunks.length === 0) {
      chunks.push([value]);
      this.#size = 1;
      return true;
    }
    const which = this.#chunkOf(value);
    const chunk = chunks[which] as number[];
    const at = lowerBound(chunk, value);
    if (chunk[at] === value) return false;
    if (at === chunk.length) chunk.push(value);
    else chunk.splice(at, 0, value);
    this.#size++;
    // A line grows at its end: a full last chunk is left full, others are split in the middle.
    if (chunk.length > CHUNK_ENTRIES_MAX) {
      const keep = which === chunks.length - 1 && at === chunk.length - 1 ? CHUNK_ENTRIES_MAX : chunk.length >> 1;
      chunks.splice(which + 1, 0, chunk.splice(keep));
    }
    return true;
  }

  /** Removes a number; false if it is not there. */
  delete(value: number): boolean {
    const which = this.#chunkOf(value);
    const chunk = this.#chunks[which];
    if (chunk === undefined) return false;
    const at = lowerBound(chunk, value);
    if (chunk[at] !== value) return false;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(which, 1);
    this.#size--;
    return true;
  }

  /** How many numbers are less than `value`. */
  rank(value: number): number {
    const which = this.#chunkOf(value);
    const chunk = this.#chunks[which];
    if (chunk === undefined) return 0;
    if (which === this.#chunks.length - 1) return this.#size - chunk.length + lowerBound(chunk, value);
    let before = 0;
    for (let i = 0; i < which; i++) before += this.#chunks[i]?.length ?? 0;
    return before + lowerBound(chunk, value);
  }

  /** The numbers in rising order. The list must not change while they are walked. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  /** The numbers above `value`, in rising order. The list must not change while they are walked. */
  *after(value: number): Generator<number, void, undefined> {
    for (let which = this.#chunkOf(value); which < this.#chunks.length; which++) {
      const chunk = this.#chunks[which] as number[];
      for (let at = lowerBound(chunk, value + 1); at < chunk.length; at++) yield chunk[at] as number;
    }
  }

  /** The last chunk whose first number is not above `value`; the first chunk if there is none. */
  #chunkOf(value: number): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((chunks[middle]?.[0] ?? 0) <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The first index whose entry is not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
