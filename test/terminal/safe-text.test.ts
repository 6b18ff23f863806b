/**
 * Strangers' text on a terminal: nothing acts, everything is measured, rows fit.
 *
 * This file owns the promises of src/terminal/safe-text.ts. Attacks are the ones the server's own boundary
 * is tested with, as the client does not rely on it.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clustersOf, fit, isolated, oneLine, safeLines, widthOf, wrap } from "../../src/terminal/safe-text.ts";

/** Whatever a terminal obeys or a line is reordered by. */
const ACTING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0001}-\u{e007f}]/u;
const ANY_TEXT = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        "\x1b[2J",
        "\x1b]0;x\x07",
        "\u202e",
        "\x9b31m",
        "a ",
        "\u65e5",
        "\u{1f468}\u200d\u{1f469}",
        "\u0301",
        "\n",
        "\t",
      ),
    )
    .map((parts) => parts.join("")),
);

describe("what could act", () => {
  test.each([
    ["\x1b[2J", "\u241b[2J"],
    ["\x9b2J", "<U+009B>2J"],
    ["\x7f", "\u2421"],
    ["a\u202eb", "a<U+202E>b"],
    ["a\u200bb", "a<U+200B>b"],
    ["a\ufff9b", "a<U+FFF9>b"],
    ["a\ud800b", "a<U+D800>b"],
    ["a\u{e0041}b", "a<U+E0041>b"],
    ["\r\n", "\u240d\u240a"],
    ["\u{1f468}\u200d\u{1f469}", "\u{1f468}\u200d\u{1f469}"],
  ])("%j shows as %j", (text, shown) => {
    expect(oneLine(text)).toBe(shown);
  });

  test("never gets through, on one line or several", () => {
    fc.assert(
      fc.property(ANY_TEXT, (text) => {
        expect(oneLine(text)).not.toMatch(ACTING);
        for (const line of safeLines(text)) expect(line).not.toMatch(ACTING);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("measure", () => {
  test.each([
    ["abc", 3],
    ["\u65e5\u672c", 4],
    ["e\u0301", 1],
    ["\u{1f468}\u200d\u{1f469}\u200d\u{1f467}", 2],
    ["\u{1f1e9}\u{1f1ea}", 2],
    ["\u2764\ufe0f", 2],
    ["\ud55c", 2],
    ["\u0980\u0c80\u0d3a", 3],
    ["\u0c80\u0301", 1],
  ])("%j takes %d columns", (text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });

  test("a mark without a base gets one, and a tower of marks ends", () => {
    expect(clustersOf("\u0301")).toEqual([{ text: "\u25cc\u0301", width: 1 }]);
    expect(clustersOf(`a${"\u0301".repeat(50)}`)[0]?.text.length).toBeLessThanOrEqual(9);
  });
});

describe("wrapping", () => {
  test.each<[string, number, string[]]>([
    ["", 10, [""]],
    ["one two three", 8, ["one two", "three"]],
    ["one two", 7, ["one two"]],
    ["onetwothree", 4, ["onet", "woth", "ree"]],
    ["\u65e5\u672c\u8a9e", 4, ["\u65e5\u672c", "\u8a9e"]],
    ["a   b", 3, ["a", "b"]],
  ])("%j in %d columns", (line, columns, rows) => {
    expect(wrap(line, columns)).toEqual(rows);
  });

  test("fits, and loses nothing but spaces at the ends of rows", () => {
    fc.assert(
      fc.property(ANY_TEXT.map(oneLine), fc.integer({ min: 2, max: 30 }), fc.nat(30), (line, columns, taken) => {
        const rows = wrap(line, columns, Math.min(taken, columns));
        expect(rows.every((row) => widthOf(row) <= columns)).toBe(true);
        expect(widthOf(rows[0] ?? "")).toBeLessThanOrEqual(Math.max(0, columns - taken));
        const squeezed = (text: string): string => text.replace(/\s/g, "");
        // What was cut off or given a base is so before it is wrapped, too.
        expect(squeezed(rows.join(""))).toBe(
          squeezed(
            clustersOf(line)
              .map(({ text }) => text)
              .join(""),
          ),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test("what is too long for one row ends with an ellipsis, within it", () => {
    expect(fit("abcdef", 4)).toBe("abc\u2026");
    expect(fit("\u65e5\u672c\u8a9e", 4)).toBe("\u65e5\u2026");
    fc.assert(
      fc.property(ANY_TEXT.map(oneLine), fc.nat(20), (text, n) => expect(widthOf(fit(text, n))).toBeLessThanOrEqual(n)),
    );
  });
});

test("only what runs from right to left is isolated, and closed again", () => {
  expect(isolated("hello")).toBe("hello");
  expect(isolated("\u05e9\u05dc\u05d5\u05dd")).toBe("\u2068\u05e9\u05dc\u05d5\u05dd\u2069");
  expect(isolated(oneLine("\u0645\u2069\u202e"))).toBe("\u2068\u0645<U+2069><U+202E>\u2069");
});
