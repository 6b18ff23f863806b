/**
 * An ordered set of positive numbers: who came first, with removal from anywhere. The order of a `Set`
 * does the same, but its first one costs a walk over everything that was removed before it.
 *
 * This file owns the data structure only. It must never know what the numbers mean.
 */

/** Slots a line may have beside twice those in use, so that a short line is left alone. */
const SLOTS_SPARED = 64;
const REMOVED = 0;

export class ArrivalOrder {
  readonly #places = new Map<number, number>();
  #slots: number[] = [];
  /** The first slot in use, or the end of the line. */
  #head = 0;

  get size(): number {
    return this.#places.size;
  }

  /** Slots in memory, in use or not: what this costs. */
  get slots(): number {
    return this.#slots.length;
  }

  /** Who came first of those that are there, or undefined if nobody is. */
  get first(): number | undefined {
    return this.#slots[this.#head];
  }

  has(value: number): boolean {
    return this.#places.has(value);
  }

  /** Adds a number at the end; false if it is there already. */
  add(value: number): boolean {
    if (this.#places.has(value)) return false;
    this.#places.set(value, this.#slots.length);
    this.#slots.push(value);
    return true;
  }

  /** Removes a number; false if it is not there. */
  delete(value: number): boolean {
    const place = this.#places.get(value);
    if (place === undefined) return false;
    this.#places.delete(value);
    this.#slots[place] = REMOVED;
    // Every slot is passed once, whoever removes: a removal is constant in the long run.
    while (this.#slots[this.#head] === REMOVED) this.#head++;
    if (this.#slots.length > 2 * this.size + SLOTS_SPARED) this.#closeUp();
    return true;
  }

  /** The numbers in the order of their coming. The order must not change while they are walked. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let i = this.#head; i < this.#slots.length; i++) {
      const value = this.#slots[i];
      if (value !== undefined && value !== REMOVED) yield value;
    }
  }

  #closeUp(): void {
    this.#slots = this.#slots.filter((value) => value !== REMOVED);
    this.#head = 0;
    this.#slots.forEach((value, place) => {
      this.#places.set(value, place);
    });
  }
}
