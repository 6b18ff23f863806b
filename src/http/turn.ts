/**
 * Handling requests that arrive together one right after the other, instead of each between reading
 * its own bytes and writing its own answer. The kernel's network code and ours push each other out
 * of the processor's caches: taking turns makes a busy server about twice as fast, and costs a lone
 * request nothing but one round of the event loop.
 *
 * This file owns that wait. It must never put requests into another order than that of their arrival.
 */

export class Turn {
  #next: Promise<void> | undefined;

  /** Resolves once everything that has arrived by now has been read; in the order of the calls. */
  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        resolve();
      });
    });
    return this.#next;
  }
}
