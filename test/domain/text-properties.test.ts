import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Cleaned,
  cleanDetails,
  cleanInterest,
  cleanInterests,
  cleanMessage,
  cleanName,
  cleanRoomCode,
} from "../../src/domain/text.ts";
import { faultsOf } from "./text-legible.ts";

const RUNS = Number(process.env.FC_RUNS ?? 3000);

/** Characters whose meeting makes trouble: each depends on, changes, hides or ends something else. */
const TROUBLE = [
  // Escape sequences, whole and in pieces.
  ..."\x1b|\x1b[|\x1b]0;|\x1bP|\x1b\\|\x07|\x9b|\x9d|\x9c|\x90|\x18|\x1b[31m|\x1b(B|m|[|]|;|\\".split("|"),
  // Line breaks and spaces.
  ..."\r \n \v \f \x85 \u2028 \u2029 \t".split(" "),
  ..." |\u00a0|\u3000|\u2000|\u2800|\u180e|\u200b".split("|"),
  // Halves of surrogate pairs, that removal might bring together.
  "\ud83d",
  "\udc4d",
  "\udb40",
  "\udc41",
  // Joiners, selectors, marks of many combining classes, composed characters that hide some.
  ..."\u200c|\u200d|\ufe00|\ufe0e|\ufe0f|\u{e0100}|\u{e01ef}|\u180b".split("|"),
  ..."\u0301|\u0308|\u0304|\u031b|\u0323|\u0316|\u0345|\u0338|\u20e3|\u3099|\u05b0|\u0f71|\u0f72|\u0327".split("|"),
  ..."a|e|i|o|u|\u01d6|\u1ec7|\u0149|\u0390|\u1fb7|\u1e9e|\u00df|\u0130|\u0131|\u03a3|\u03c3|\u03c2|\u24c2|=|\u2260".split(
    "|",
  ),
  // Scripts with joiners, and vowel signs that swallow a virama when composed.
  ..."\u0915|\u094d|\u093c|\u0937|\u0958|\u0d9a|\u0dd9|\u0dca|\u0dcf|\u0ddd|\u09c7|\u09be|\u0928|\u0627|\u0653|\u0647|\u06cc|\u1820|\u1794|\u17d2".split(
    "|",
  ),
  "\u{11099}",
  "\u{110ba}",
  // Korean in pieces, and its fillers.
  ..."\u1112|\u1161|\u11ab|\u115f|\u1160|\u3164|\uffa0|\ud55c".split("|"),
  // Emoji and their parts; ideographs and their compatibility forms.
  ..."\u{1f468}|\u{1f469}|\u2764|\u{1f44d}|\u{1f3fd}|\u{1f3f4}|\u{1f1e9}|\u{1f1ea}|#|*|1|9|\u845b|\uf900|\u{2f800}|\u3001".split(
    "|",
  ),
  ..."\u{e0067}|\u{e0062}|\u{e0065}|\u{e006e}|\u{e0067}|\u{e007f}|\u{e0041}".split("|"),
  "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
  // What is always removed.
  ..."\u202e|\u2066|\u2069|\u200e|\u061c|\u00ad|\u2060|\ufeff|\ufffc|\ufff9|\ue000|\u{f0000}|\ufdd0|\uffff|\0".split(
    "|",
  ),
  // Tokens.
  ..."mcpc_|MCPC_|abcdefghij|ABCDEFGHIJ0123456789|_|-|\uff4d\uff43\uff50\uff43\uff3f".split("|"),
];

const troublesome = fc
  .array(
    fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...TROUBLE) }, fc.string({ unit: "binary", maxLength: 3 })),
    {
      maxLength: 30,
    },
  )
  .map((parts) => parts.join(""));

/** Any sequence of UTF-16 units, well-formed or not. */
const anything = fc.oneof(
  troublesome,
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
);

const CLEANERS: readonly (readonly [string, (input: string) => Cleaned])[] = [
  ["cleanMessage", (input) => cleanMessage(input, 4000)],
  ["cleanDetails", cleanDetails],
  ["cleanName", cleanName],
  ["cleanInterest", cleanInterest],
  ["cleanRoomCode", cleanRoomCode],
];

/** Where cleaning twice once differed from cleaning once, or would if it were done a little more simply. */
const TWICE: readonly (readonly [string, string])[] = [
  ["a mark that sorts before those of a composed letter takes it apart", `\u01d6\ufe00\u031b${"\u0301".repeat(7)}`],
  ["a composed vowel sign hides a virama", "\u0d9a\u0dd9\u200b\u0dca\u200c "],
  ["a joiner stands before a mark too many", `\u0915${"\u0301".repeat(8)}\u200c\u0301x`],
  ["marks sort past a virama when a selector between them goes", "\u0915\u0301\ufe00\u094d\u200d"],
  ["a joiner stands before a selector that goes", "\u0627\u200c\u180bx"],
  ["a number sign hides a mark behind a space", "#\t\u05b4e"],
  ["a capital letter is an emoji and the small one is not", "\u24c2\ufe0f"],
];

describe.each(TWICE)("%s", (_, input) => {
  test.each(CLEANERS)("%s agrees with itself", (_, clean) => {
    const once = clean(input);
    if (once.ok) expect(clean(once.text)).toEqual(once);
  });
});

describe.each(CLEANERS)("%s", (name, clean) => {
  test("leaves what it has cleaned as it is", () => {
    fc.assert(
      fc.property(anything, (input) => {
        const once = clean(input);
        if (once.ok) expect(clean(once.text)).toEqual(once);
      }),
      { numRuns: RUNS },
    );
  });

  test("lets nothing forbidden through", () => {
    fc.assert(
      fc.property(anything, (input) => {
        const cleaned = clean(input);
        if (!cleaned.ok) return;
        expect(faultsOf(cleaned.text)).toEqual([]);
        expect(cleaned.text.isWellFormed()).toBe(true);
        if (name === "cleanMessage" || name === "cleanDetails") return;
        expect(cleaned.text).not.toMatch(/[^\S ]| {2}|^ | $|^\p{M}/u);
      }),
      { numRuns: RUNS },
    );
  });
});

test("printable ASCII passes cleanMessage unchanged", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\t\n -~]{0,200}$/), (input) => {
      fc.pre(/\S/.test(input) && !/m.?c.?p.?c/i.test(input.replace(/[^A-Za-z0-9_-]/g, "")));
      expect(cleanMessage(input, 200)).toEqual({ ok: true, text: input });
    }),
  );
});

test("a token is found wherever it stands and whatever invisible characters are put into it", () => {
  const token = fc.stringMatching(/^mcpc_[A-Za-z0-9_-]{20,43}$/);
  const invisible = fc.constantFrom(
    "",
    " ",
    "\n",
    "\t",
    "\u200b",
    "\u200d",
    "\ufe0f",
    "\u00ad",
    "\x1b[1m",
    "\u202e",
    "\u{e0041}",
    "\ud800",
  );
  fc.assert(
    fc.property(
      troublesome,
      token,
      fc.array(invisible, { minLength: 48, maxLength: 48 }),
      (before, secret, between) => {
        // An escape sequence left open before the token would take part of it away.
        const lead = before.replace(/\p{Cc}/gu, "");
        const dressed = [...secret].map((letter, index) => letter + between[index]).join("");
        expect(cleanMessage(`${lead} ${dressed}`, 4000)).toEqual({ ok: false, reason: "holds_token" });
      },
    ),
  );
});

test("a token is found whatever signs stand between its characters and however its low line is written", () => {
  const lowLine = fc.constantFrom("_", "\\_", "&#95;", "&#x5f;", "&lowbar;", "%5F", "\\x5f", "\uff3f");
  const sign = fc.constantFrom("", ".", "*", ",", "`", "|", " ", "~", "/", "\u2022", "\u{1f980}", "\u3001");
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9_-]{20,43}$/),
      lowLine,
      fc.array(sign, { minLength: 47, maxLength: 47 }),
      (rest, line, signs) => {
        const dressed = ["m", "c", "p", "c", line, ...rest]
          .map((piece, index) => piece + (signs[index] ?? ""))
          .join("");
        expect(cleanMessage(`It is ${dressed} and nothing else.`, 4000)).toEqual({ ok: false, reason: "holds_token" });
      },
    ),
  );
});

test("words that begin like the prefix are no token", () => {
  const word = fc.constantFrom(
    ..."mcp chat client server snake_case R&B 95% 5f under_bar \\alpha Claude code".split(" "),
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
      const text = words.join(" ");
      expect(cleanMessage(text, 4000)).toEqual({ ok: true, text });
    }),
    { numRuns: RUNS },
  );
});

test("cleanInterests leaves what it has cleaned as it is, within bounds and without repetition", () => {
  fc.assert(
    fc.property(fc.array(troublesome, { maxLength: 12 }), (list) => {
      const once = cleanInterests(list);
      if (!once.ok) return;
      expect(cleanInterests(once.interests)).toEqual(once);
      expect(new Set(once.interests).size).toBe(once.interests.length);
      expect(once.interests.length).toBeLessThanOrEqual(10);
    }),
    { numRuns: RUNS },
  );
});
