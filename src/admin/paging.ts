/**
 * Long lists in pages, latest first.
 *
 * This file owns cursors: positions in an order that only grows at its end. It must never skip or repeat
 * an item because others have come or gone between two pages.
 */
import { ADMIN_PAGE_ITEMS_DEFAULT, ADMIN_PAGE_ITEMS_MAX } from "../limits.ts";
import type { JsonObject } from "../mcp/registry.ts";
import { type AdminError, badInput } from "./answer.ts";

export interface PageRequest {
  readonly limit: number;
  /** Only items with a lower position; undefined = from the latest. */
  readonly before: number | undefined;
}

/** Reads `limit` and `cursor`. Other parameters must have been taken out. */
export function readPageRequest(parameters: URLSearchParams): PageRequest | AdminError {
  const limit = parameters.get("limit");
  const cursor = parameters.get("cursor");
  const known = [...parameters.keys()].every((key) => key === "limit" || key === "cursor");
  if (!known) return badInput("There is an unknown parameter; known: limit, cursor.");
  const wanted = limit === null ? ADMIN_PAGE_ITEMS_DEFAULT : readNumber(limit);
  if (wanted === undefined || wanted < 1 || wanted > ADMIN_PAGE_ITEMS_MAX) {
    return badInput(`limit must be a whole number from 1 to ${ADMIN_PAGE_ITEMS_MAX}.`);
  }
  const before = cursor === null ? undefined : readNumber(cursor);
  if (cursor !== null && before === undefined) return badInput("cursor must be one that next_cursor gave.");
  return { limit: wanted, before };
}

function readNumber(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

/**
 * One page of items, with `next_cursor` if more follow.
 * @param items in their order, positions rising
 */
export function pageOf<T>(
  name: string,
  items: readonly T[],
  { limit, before = Number.POSITIVE_INFINITY }: PageRequest,
  position: (item: T) => number,
  view: (item: T) => JsonObject,
): JsonObject {
  const end = items.findLastIndex((item) => position(item) < before) + 1;
  const start = Math.max(0, end - limit);
  const shown = items.slice(start, end).reverse();
  const last = shown.at(-1);
  return {
    [name]: shown.map(view),
    next_cursor: start === 0 || last === undefined ? null : String(position(last)),
  };
}
