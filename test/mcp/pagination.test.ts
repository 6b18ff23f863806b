/** Lists in pages: every item once, whatever page is asked for first, and cursors that are checked. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CURSOR_CHARS_MAX, LIST_PAGE_ITEMS_MAX } from "../../src/limits.ts";
import { type Page, pageAt } from "../../src/mcp/pagination.ts";
import type { Json } from "../../src/mcp/registry.ts";

const self = (item: string): string => item;

function page(items: readonly string[], cursor?: Json): Page<string> {
  const found = pageAt(items, self, cursor);
  if ("code" in found) throw new Error(found.message);
  return found;
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `item ${n}`);
}

/** All items, as a client collects them. */
function collect(items: readonly string[], cursor?: string): string[] {
  const { items: here, nextCursor } = page(items, cursor);
  return nextCursor === undefined ? [...here] : [...here, ...collect(items, nextCursor)];
}

describe("pages", () => {
  test.each([0, 1, LIST_PAGE_ITEMS_MAX - 1, LIST_PAGE_ITEMS_MAX])("%d items have one page", (count) => {
    expect(page(numbered(count))).toEqual({ items: numbered(count), nextCursor: undefined });
  });

  test("more have several, and every item comes once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 * LIST_PAGE_ITEMS_MAX }), (count) => {
        expect(collect(numbered(count))).toEqual(numbered(count));
      }),
      { numRuns: 30 },
    );
    expect(page(numbered(LIST_PAGE_ITEMS_MAX + 1)).items).toHaveLength(LIST_PAGE_ITEMS_MAX);
  });

  test("an empty cursor is the beginning", () => {
    expect(page(["a"], "")).toEqual(page(["a"]));
  });

  test("a list that changed meanwhile is gone on with after the same item", () => {
    const before = numbered(LIST_PAGE_ITEMS_MAX + 10);
    const { nextCursor } = page(before);
    expect(page(["new", ...before], nextCursor).items).toEqual(before.slice(LIST_PAGE_ITEMS_MAX));
    expect(page(before.slice(5), nextCursor).items).toEqual(before.slice(LIST_PAGE_ITEMS_MAX));
    expect(page(before.slice(0, LIST_PAGE_ITEMS_MAX), nextCursor)).toEqual({ items: [], nextCursor: undefined });
  });
});

describe("cursors", () => {
  const items = numbered(LIST_PAGE_ITEMS_MAX + 10);
  const { nextCursor = "" } = page(items);

  test.each<[string, Json]>([
    ["a number", 3],
    ["null", null],
    ["an object", {}],
    ["a text that is none", "abc"],
    ["one cut short", nextCursor.slice(0, -4)],
    ["one that is too long", "A".repeat(CURSOR_CHARS_MAX + 1)],
    ["an offset without an item", Buffer.from("100.").toString("base64url")],
    ["an offset with a wrong item", Buffer.from("100.AAAAAAAAAAA").toString("base64url")],
    ["a huge offset", Buffer.from("999999999999.AAAAAAAAAAA").toString("base64url")],
  ])("%s is refused", (_what, cursor) => {
    expect(pageAt(items, self, cursor)).toMatchObject({ code: -32602 });
  });

  test("one whose item is gone is refused", () => {
    expect(pageAt(items.toSpliced(LIST_PAGE_ITEMS_MAX - 1, 1), self, nextCursor)).toMatchObject({ code: -32602 });
  });

  test("one of another list is refused", () => {
    const other = items.map((item) => `other ${item}`);
    expect(pageAt(other, self, nextCursor)).toMatchObject({ code: -32602 });
  });

  test("any text is decided", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (cursor) => {
        const found = pageAt(items, self, cursor);
        expect("code" in found || cursor === "" || cursor === nextCursor).toBe(true);
      }),
    );
  });
});
