/**
 * How an application says that one of its lists has changed.
 *
 * This file owns the spreading of that word to every engine that serves the application. It must
 * never know what changed.
 */

import type { ListChanges, ListKind } from "./registry.ts";

export class ListAnnouncer implements ListChanges {
  readonly kinds: readonly ListKind[];
  readonly #listeners = new Set<(kind: ListKind) => void>();

  /** @param kinds the lists that ever change */
  constructor(kinds: readonly ListKind[]) {
    this.kinds = kinds;
  }

  listen(changed: (kind: ListKind) => void): () => void {
    const listener = (kind: ListKind): void => changed(kind);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Tells everybody, after the definition's list is already the new one.
   * @throws RangeError if the kind is not among those declared: no client would be listening
   */
  announce(kind: ListKind): void {
    if (!this.kinds.includes(kind)) throw new RangeError(`the list of ${kind} was declared never to change`);
    for (const listener of [...this.#listeners]) listener(kind);
  }
}
