/**
 * What waits to be written, first come first served, bounded by count and bytes.
 *
 * This file owns the bound. What does not fit is left out, the newest of all: the lobby still holds that for
 * a while, and it can be written later.
 */
import { HISTORY_QUEUE_BYTES_MAX, HISTORY_QUEUE_ITEMS_MAX } from "../history-limits.ts";
import type { Item } from "./records.ts";

/** What one costs beside its text: the object, its slot and a line's own. */
const ITEM_BYTES = 256;

export class WriteQueue {
  #items: Item[] = [];
  /** Place of the first that is still there. */
  #first = 0;
  #bytes = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns whether it fits */
  push(item: Item): boolean {
    const bytes = bytesOf(item);
    if (this.size >= HISTORY_QUEUE_ITEMS_MAX || this.#bytes + bytes > HISTORY_QUEUE_BYTES_MAX) return false;
    this.#items.push(item);
    this.#bytes += bytes;
    return true;
  }

  /** Those at the front, which stay there until they are dropped. */
  peek(count: number): readonly Item[] {
    return this.#items.slice(this.#first, this.#first + count);
  }

  /** Lets go of those at the front. */
  drop(count: number): void {
    const end = Math.min(this.#items.length, this.#first + count);
    for (let at = this.#first; at < end; at++) {
      const item = this.#items[at];
      if (item !== undefined) this.#bytes -= bytesOf(item);
    }
    this.#first = end;
    // Not in every batch, as the rest is moved; and what was let go of is not held for long.
    if (this.#first < 1024 && this.size > 0) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }
}

function bytesOf(item: Item): number {
  return item.type === "line" ? ITEM_BYTES + 2 * item.line.body.message.length : 4 * ITEM_BYTES;
}
