import { describe, expect, test } from "bun:test";
import { cleanInterests, cleanMessage, holdsToken } from "../../src/domain/text.ts";

const UNITS = 256 * 1024;

/** Each is repeated up to the size of the largest request, and would keep a careless pattern busy for minutes. */
const PIECES: readonly (readonly [string, string])[] = [
  ["escapes", "\x1b"],
  ["CSI introducers", "\x1b["],
  ["parameters without end", "1;"],
  ["OSC introducers that nothing terminates", "\x1b]0;"],
  ["eight-bit OSC introducers", "\x9d0;"],
  ["DCS with bells for terminators", "\x1bPx\x07"],
  ["half a terminator", "\x1b]x\x1b"],
  ["intermediates", " "],
  ["carriage returns", "\r"],
  ["spaces and zero-width spaces", " \u200b"],
  ["marks of one class", "\u0301"],
  ["marks to be sorted", "\u0301\u0316"],
  ["marks to be sorted, in sevens", "a\u0301\u0316\u0301\u0316\u0301\u0316\u0301"],
  ["marks to be sorted, held apart by joiners", "\u0301\u200d\u0316\u200c"],
  ["marks to be sorted, held apart by selectors", "\u0301\ufe00\u0316"],
  ["marks to be sorted, held apart by zero-width spaces", "\u0301\u200b\u0316\u200b"],
  ["joiners", "\u200d"],
  ["selectors", "\ufe0f"],
  ["supplementary selectors", "\u{e0100}"],
  ["tags", "\u{e0067}"],
  ["unfinished flags", "\u{1f3f4}\u{e0067}\u{e0062}"],
  ["a flag of joiners", "\u{1f3f4}\u200d"],
  ["families without end", "\u{1f468}\u200d"],
  ["viramas", "\u0915\u094d\u200d"],
  ["lone surrogates", "\ud800"],
  ["jamo", "\u1112\u1161\u11ab"],
  ["composed syllables", "\ud55c"],
  ["letters with three marks", "\u1f82"],
  ["the longest expansion", "\ufdfa_"],
  ["half-width voicing marks", "_\uff9e\uff9f"],
  ["token prefixes", "mcpc_"],
  ["nearly tokens", "mcpc_0123456789012345678."],
  ["prefixes that go nowhere", "m.c.p.c&"],
  ["letters and signs", "m&&&&c....p&&&&"],
  ["an escape without end", "mcpc&#0000"],
  ["number signs", "#"],
  ["number signs and marks", "# \u0301"],
];

/** Generous for a busy machine: honest work takes a tenth of it, and quadratic work a hundred times as long. */
const MS_MAX = 2000;

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

describe("256 KiB of anything are read in linear time", () => {
  test.each(PIECES)("%s", (_, piece) => {
    const text = piece.repeat(UNITS / piece.length);
    for (const input of [text, `a${text}`, `\x1b]${text}`, `${text}mcpc_\u00e9`]) {
      // So long a limit that the text is not refused unread.
      expect(timed(() => cleanMessage(input, UNITS))).toBeLessThan(MS_MAX);
      expect(timed(() => holdsToken(input))).toBeLessThan(MS_MAX);
    }
    const list = [piece.repeat(500 / piece.length), ...Array.from({ length: 5000 }, () => piece)];
    expect(timed(() => cleanInterests(list))).toBeLessThan(MS_MAX);
  });
});

test("a text far over the limit is refused without being read", () => {
  const input = "\u0301\u0316".repeat(UNITS);
  expect(timed(() => cleanMessage(input, 4000))).toBeLessThan(50);
});
