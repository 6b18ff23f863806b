/**
 * Lists in pages (Pagination): a cursor names how many items were given and the last of them, so any
 * node can go on, and a list that changed meanwhile is gone on with after that very item.
 *
 * This file owns the form of cursors. It must never keep anything per client.
 */

import { sha256 } from "../crypto.ts";
import { CURSOR_CHARS_MAX, LIST_PAGE_ITEMS_MAX } from "../limits.ts";
import { invalidParams, type WireError } from "./errors.ts";
import type { Json } from "./registry.ts";

const BAD_CURSOR = invalidParams("Unknown cursor.");

export interface Page<T> {
  readonly items: readonly T[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

/**
 * The page a cursor asks for.
 * @param keyOf what tells an item from all others of the list
 * @param cursor `params.cursor`; "" is the beginning, as some clients send it
 * @returns an error (-32602) if this list never gave that cursor, or its place in the list is gone
 */
export function pageAt<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  cursor: Json | undefined,
): Page<T> | WireError {
  const start = cursor === undefined || cursor === "" ? 0 : placeOf(items, keyOf, cursor);
  if (start === undefined) return BAD_CURSOR;
  const end = start + LIST_PAGE_ITEMS_MAX;
  const last = items[end - 1];
  const nextCursor = end < items.length && last !== undefined ? makeCursor(end, keyOf(last)) : undefined;
  return { items: items.slice(start, end), nextCursor };
}

/** A page as the rest of a result object: the list, its cursor, the closing brace. */
export function pageText<T>(member: string, page: Page<T>, show: (item: T) => unknown): string {
  const next = page.nextCursor === undefined ? "" : `,"nextCursor":${JSON.stringify(page.nextCursor)}`;
  return `"${member}":${JSON.stringify(page.items.map(show))}${next}}`;
}

function makeCursor(given: number, lastKey: string): string {
  return Buffer.from(`${given}.${digest(lastKey)}`).toString("base64url");
}

/** Index of the first item after the cursor. */
function placeOf<T>(items: readonly T[], keyOf: (item: T) => string, cursor: Json): number | undefined {
  if (typeof cursor !== "string" || cursor.length > CURSOR_CHARS_MAX) return undefined;
  const [, given, last] = /^(\d{1,9})\.([\w-]{11})$/.exec(Buffer.from(cursor, "base64url").toString("latin1")) ?? [];
  if (given === undefined || last === undefined) return undefined;
  const before = items[Number(given) - 1];
  if (before !== undefined && digest(keyOf(before)) === last) return Number(given);
  const index = items.findIndex((item) => digest(keyOf(item)) === last);
  return index === -1 ? undefined : index + 1;
}

function digest(key: string): string {
  return sha256(key).slice(0, 11);
}
