/**
 * Waiting for what must happen: every wait of a test has an end, and says what did not come.
 *
 * This file owns deadlines and queues of things that arrive. It must never wait for time to pass
 * where something can be awaited.
 */

/** How long anything a test awaits may take; generous, as a test machine may be busy. */
export const DEADLINE_MS = 15_000;

/** The promise, or an error that names what was awaited when the time is up. */
export async function within<T>(what: string, promise: Promise<T>, ms = DEADLINE_MS): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Things that arrive, taken one by one in their order. */
export class Arrivals<T> {
  readonly #here: T[] = [];
  readonly #takers: { resolve(item: T): void; reject(reason: Error): void }[] = [];
  #broken: Error | undefined;

  /** Those that are here by now. */
  takeAll(): T[] {
    return this.#here.splice(0);
  }

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#here.push(item);
    else taker.resolve(item);
  }

  /** Nothing will arrive any more: whoever waits, now or later, is told why. */
  fail(reason: Error): void {
    this.#broken = reason;
    for (const taker of this.#takers.splice(0)) taker.reject(reason);
  }

  /** The next one, when it comes. */
  take(): Promise<T> {
    const item = this.#here.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }
}

/** Runs `work` for every item, at most `atOnce` at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
