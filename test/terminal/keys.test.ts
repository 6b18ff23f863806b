/**
 * Bytes of a terminal as keys: whole, cut anywhere, and hostile.
 *
 * This file owns the promises of src/terminal/keys.ts.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Key, KeyDecoder } from "../../src/terminal/keys.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All at once, and then nothing more. */
function keysOf(text: string): Key[] {
  const decoder = new KeyDecoder();
  return [...decoder.push(bytes(text)), ...decoder.settle()];
}

/** Neighbouring texts as one, as the cut of the input decides how many there are. */
function joined(keys: readonly Key[]): Key[] {
  const all: Key[] = [];
  for (const key of keys) {
    const last = all.at(-1);
    if (key.type === "text" && last?.type === "text")
      all[all.length - 1] = { type: "text", text: last.text + key.text };
    else all.push(key);
  }
  return all;
}

const named = (key: string): Key => ({ type: "key", key }) as Key;

describe("a key", () => {
  test.each([
    ["a", { type: "text", text: "a" }],
    ["\u00e9\u65e5\u{1f44b}", { type: "text", text: "\u00e9\u65e5\u{1f44b}" }],
    ["\r", named("enter")],
    ["\n", named("newline")],
    ["\x7f", named("backspace")],
    ["\x01", named("home")],
    ["\x05", named("end")],
    ["\x0b", named("delete_line_right")],
    ["\x15", named("delete_line_left")],
    ["\x17", named("delete_word_left")],
    ["\x03", named("interrupt")],
    ["\x04", named("end_of_input")],
    ["\x1b", named("escape")],
    ["\x1b[A", named("up")],
    ["\x1bOB", named("down")],
    ["\x1b[C", named("right")],
    ["\x1b[D", named("left")],
    ["\x1b[H", named("home")],
    ["\x1bOF", named("end")],
    ["\x1b[1~", named("home")],
    ["\x1b[4~", named("end")],
    ["\x1b[3~", named("delete")],
    ["\x1b[5~", named("page_up")],
    ["\x1b[6~", named("page_down")],
    ["\x1b[1;5C", named("word_right")],
    ["\x1b[1;3D", named("word_left")],
    ["\x1b[3;5~", named("delete_word_right")],
    ["\x1bb", named("word_left")],
    ["\x1bf", named("word_right")],
    ["\x1bd", named("delete_word_right")],
    ["\x1b\x7f", named("delete_word_left")],
    ["\x1b\r", named("newline")],
    ["\x1b[200~two\r\nlines\x1b[A\x1b[201~", { type: "paste", text: "two\r\nlines\x1b[A" }],
  ])("%j", (text, key) => {
    expect(keysOf(text)).toEqual([key] as Key[]);
  });

  test.each(["\x00", "\x1b[99~", "\x1b[?1;2c", "\x1b[I", "\x1bz", "\x02\x1b[1;5Z".slice(1)])(
    "%j is none of ours and becomes no text",
    (text) => {
      expect(keysOf(text)).toEqual([]);
    },
  );

  test("an escape waits for what may follow, and is itself when nothing does", () => {
    const decoder = new KeyDecoder();
    expect(decoder.push(bytes("\x1b"))).toEqual([]);
    expect(decoder.isUndecided).toBe(true);
    expect(decoder.push(bytes("[A"))).toEqual([named("up")]);
    expect(decoder.push(bytes("\x1b"))).toEqual([]);
    expect(decoder.settle()).toEqual([named("escape")]);
    expect(decoder.isUndecided).toBe(false);
  });
});

const PIECES = fc.array(
  fc.oneof(
    fc.constantFrom("\x1b[A", "\x1bOB", "\x1b[1;5C", "\x1b[3~", "\r", "\n", "\x7f", "\x1b[200~a\nb\x1b[201~", "\x03"),
    fc.string({ unit: "grapheme", maxLength: 4 }),
  ),
  { maxLength: 12 },
);

describe("any input", () => {
  test("means the same however it is cut", () => {
    fc.assert(
      fc.property(PIECES, fc.array(fc.nat(200), { maxLength: 6 }), (pieces, cuts) => {
        const all = bytes(pieces.join(""));
        const decoder = new KeyDecoder();
        const keys: Key[] = [];
        let from = 0;
        for (const cut of [...cuts.map((n) => n % (all.length + 1)).sort((a, b) => a - b), all.length]) {
          keys.push(...decoder.push(all.subarray(from, cut)));
          from = Math.max(from, cut);
        }
        keys.push(...decoder.settle());
        expect(joined(keys)).toEqual(joined(keysOf(pieces.join(""))));
      }),
      { numRuns: 500 },
    );
  });

  test("never becomes text with a control in it, nor is kept without end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
        const decoder = new KeyDecoder();
        for (const key of [...decoder.push(input), ...decoder.settle()]) {
          if (key.type === "text") expect(key.text).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 2000 },
    );
    const decoder = new KeyDecoder();
    expect(decoder.push(bytes(`\x1b[${"1;".repeat(100)}`)).length).toBeGreaterThanOrEqual(0);
    const pasted = decoder.push(bytes(`\x1b[200~${"x".repeat(200_000)}\x1b[201~`)).at(-1);
    expect(pasted?.type === "paste" && pasted.text.length).toBe(64 * 1024);
  });
});
