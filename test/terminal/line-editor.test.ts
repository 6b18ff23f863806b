/**
 * Editing a line: every key against a plain text with a cursor in it, and any sequence of keys.
 *
 * This file owns the promises of src/terminal/line-editor.ts. A cursor is written as `|`.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Key, KeyName } from "../../src/terminal/keys.ts";
import { type Draft, EMPTY_DRAFT, edit, finish, layOutDraft, textOf } from "../../src/terminal/line-editor.ts";
import { widthOf } from "../../src/terminal/safe-text.ts";

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const split = (text: string): string[] => Array.from(GRAPHEMES.segment(text), ({ segment }) => segment);

function draftOf(written: string): Draft {
  const [before = "", after = ""] = written.split("|");
  return { ...EMPTY_DRAFT, clusters: [...split(before), ...split(after)], cursor: split(before).length };
}

function shown({ clusters, cursor }: Draft): string {
  return `${clusters.slice(0, cursor).join("")}|${clusters.slice(cursor).join("")}`;
}

const key = (name: KeyName): Key => ({ type: "key", key: name });
const text = (written: string): Key => ({ type: "text", text: written });

const FAMILY = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}";

describe("a key", () => {
  test.each<[string, KeyName, string]>([
    ["ab|c", "left", "a|bc"],
    ["|abc", "left", "|abc"],
    ["ab|c", "right", "abc|"],
    ["abc|", "right", "abc|"],
    ["one two|", "word_left", "one |two"],
    ["one |two", "word_left", "|one two"],
    ["|one two", "word_right", "one| two"],
    ["one two|", "home", "|one two"],
    ["|one two", "end", "one two|"],
    ["one\ntw|o", "home", "one\n|two"],
    ["on|e\ntwo", "end", "one|\ntwo"],
    ["abc|", "backspace", "ab|"],
    ["|abc", "backspace", "|abc"],
    [`a${FAMILY}|b`, "backspace", "a|b"],
    ["e\u0301|", "backspace", "|"],
    ["a|bc", "delete", "a|c"],
    ["abc|", "delete", "abc|"],
    ["say it-all now|", "delete_word_left", "say it-all |"],
    ["say it-all |", "delete_word_left", "say |"],
    ["say |it now", "delete_word_right", "say | now"],
    ["one t|wo", "delete_line_left", "|wo"],
    ["one t|wo", "delete_line_right", "one t|"],
    ["a|b", "newline", "a\n|b"],
    ["a|b", "page_up", "a|b"],
  ])("%j %s %j", (before, name, after) => {
    expect(shown(edit(draftOf(before), key(name)))).toBe(after);
  });
});

describe("text", () => {
  test("goes in at the cursor, and joins what it belongs to", () => {
    expect(shown(edit(draftOf("a|c"), text("b")))).toBe("ab|c");
    const accented = edit(draftOf("e|"), text("\u0301"));
    expect(accented).toMatchObject({ clusters: ["e\u0301"], cursor: 1 });
  });

  test("pasted keeps its lines and loses everything that acts", () => {
    const pasted = edit(EMPTY_DRAFT, { type: "paste", text: "one\r\ntwo\rthree\x1b[31m\x07\x00" });
    expect(textOf(pasted)).toBe("one\ntwo\nthree[31m");
  });

  test("beyond the bound is not taken", () => {
    const full = edit(EMPTY_DRAFT, { type: "paste", text: "x".repeat(16_000) });
    expect(textOf(edit(full, text("y")))).toBe(textOf(full));
  });
});

describe("the past", () => {
  test("comes back with the arrows, and what was being written after it", () => {
    const first = finish(edit(EMPTY_DRAFT, text("one")));
    const second = finish(edit(first, text("two")));
    const draft = edit(second, text("thr"));
    const keys: KeyName[] = ["up", "up", "up", "down", "down", "down"];
    let current = draft;
    const seen = keys.map((name) => {
      current = edit(current, key(name));
      return textOf(current);
    });
    expect(seen).toEqual(["two", "one", "one", "two", "thr", "thr"]);
  });

  test("holds no blank lines, no line twice in a row, and no more than the bound", () => {
    const lines = [" ", "a", "a", ...Array.from({ length: 300 }, (_, n) => `${n}`)];
    const draft = lines.reduce((all, line) => finish(edit(all, text(line))), EMPTY_DRAFT);
    expect(draft.history).toHaveLength(200);
    expect(finish(edit(finish(edit(EMPTY_DRAFT, text("a"))), text("a"))).history).toEqual(["a"]);
  });
});

const NAMES: KeyName[] = [
  "left",
  "right",
  "home",
  "end",
  "up",
  "down",
  "backspace",
  "delete",
  "word_left",
  "word_right",
  "newline",
  "delete_word_left",
  "delete_word_right",
  "delete_line_left",
  "delete_line_right",
];
const KEYS = fc.array(
  fc.oneof(
    fc.constantFrom(...NAMES).map(key),
    fc.string({ unit: "grapheme", maxLength: 5 }).map(text),
    fc.constantFrom("\u65e5\u672c", FAMILY, "\u0301", "\u{1f1e9}\u{1f1ea}", "\t", "a b").map(text),
  ),
  { maxLength: 30 },
);

describe("a character that is shown as more than a row holds", () => {
  test("is broken, and the cursor stands behind its end", () => {
    expect(layOutDraft(draftOf("a\u1161|"), 5)).toEqual({
      rows: ["a<U+1", "161>"],
      cursorRow: 1,
      cursorColumn: 4,
    });
  });
});

describe("any keys", () => {
  test("leave a cursor within the text, whole characters, and rows that fit with the cursor on them", () => {
    fc.assert(
      fc.property(KEYS, fc.integer({ min: 3, max: 40 }), (keys, columns) => {
        const draft = keys.reduce(edit, EMPTY_DRAFT);
        expect(draft.cursor).toBeGreaterThanOrEqual(0);
        expect(draft.cursor).toBeLessThanOrEqual(draft.clusters.length);
        expect(draft.clusters).toEqual(split(textOf(draft)));
        const { rows, cursorRow, cursorColumn } = layOutDraft(draft, Math.max(columns, 5));
        expect(rows.every((row) => widthOf(row) <= Math.max(columns, 5))).toBe(true);
        expect(cursorRow).toBeLessThan(rows.length);
        expect(cursorColumn).toBeLessThan(Math.max(columns, 5));
      }),
      { numRuns: 1000 },
    );
  });

  test("what moves the cursor changes no text", () => {
    const moves = fc.constantFrom<KeyName>("left", "right", "home", "end", "word_left", "word_right");
    fc.assert(
      fc.property(KEYS, fc.array(moves, { maxLength: 10 }), (keys, steps) => {
        const draft = keys.reduce(edit, EMPTY_DRAFT);
        expect(textOf(steps.map(key).reduce(edit, draft))).toBe(textOf(draft));
      }),
    );
  });
});
