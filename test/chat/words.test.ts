/** The word list: what it finds through which disguises, what it leaves alone, and what it costs. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseWords, WordList } from "../../src/chat/words.ts";
import { cleanMessage } from "../../src/domain/text.ts";
import { WORD_CHARS_MAX, WORDS_FILE_BYTES_MAX, WORDS_MAX } from "../../src/limits.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

const WORDS = [
  "bad",
  "ass",
  "kill yourself",
  "illness",
  "1488",
  "плохой",
  "坏蛋",
  "グズ",
  "नीच",
  "straße",
  "a$$hat",
  "don't",
];
const masking = new WordList(WORDS, "mask");
const refusing = new WordList(WORDS, "refuse");

function masked(text: string): string {
  const checked = masking.check(text);
  return checked.ok ? checked.text : "refused";
}

describe("a word of the list", () => {
  const cells: [text: string, shown: string][] = [
    ["you are bad", "you are ***"],
    ["BAD!", "***!"],
    ["(bad)", "(***)"],
    ["bad's", "***'s"],
    ["bad_word", "***_word"],
    ["bad123", "***123"],
    // Other forms of the same letters.
    ["Bád", "***"],
    ["ba\u0301d".normalize("NFD"), "****"],
    ["ｂａｄ", "***"],
    ["𝐛𝐚𝐝", "***"],
    ["ⓑⓐⓓ", "***"],
    ["🅱🅰🅳", "***"],
    ["ʙᴀᴅ", "***"],
    ["STRASSE", "*******"],
    ["don’t", "***’*"],
    // Letters of other alphabets, and signs for letters.
    ["bаd", "***"],
    ["βad", "***"],
    ["b4d", "***"],
    ["8@d", "***"],
    ["@$$", "***"],
    ["i11ness", "*******"],
    ["!llness", "!llness"],
    ["k!ll yourself", "**** ********"],
    ["asshat and a$$hat", "****** and ******"],
    // Drawn out and spelled out.
    ["baaaad", "******"],
    ["assss", "*****"],
    ["b a d", "* * *"],
    ["so b.a.d, really", "so *.*.*, really"],
    ["B-A-D", "*-*-*"],
    ["I b a d y", "I * * * y"],
    ["a s s", "* * *"],
    ["b 4 d", "* * *"],
    // Phrases over any gap.
    ["Kill  yourself", "****  ********"],
    ["kill\nyourself", "****\n********"],
    // Scripts without gaps, and numbers.
    ["你是坏蛋吗", "你是**吗"],
    ["このグズめ", "この**め"],
    ["तुम नीच हो", "तुम ***** हो".replace("*****", "*".repeat("नीच".length))],
    ["Плохой человек", "****** человек"],
    ["1488!", "****!"],
  ];
  test.each(cells)("%j is shown as %j", (text, shown) => {
    expect(masked(text)).toBe(shown);
    expect(refusing.check(text).ok).toBe(shown === text);
  });
});

describe("what is left alone", () => {
  test.each([
    "badminton, a badge, Baden, imbad",
    "class, bass, assassin, as",
    "god is good, a baad sheep",
    "kill the lights, yourself",
    "skill yourself",
    "14888 and 148 and 11488",
    "b ad, ba d, b  a  d, b,a d",
    "a, s, s",
    "хорошо, плохо",
    "нож и сор",
    "5 apples, 4 pears, 3 plums; 1st, 2nd; $100; me@example.org",
    "का कि की",
    "ga ka",
    "don t",
    "",
    "👋🏽 😀",
  ])("%j", (text) => {
    const expected = text === "don t" ? "*** *" : text;
    expect(masked(text)).toBe(expected);
  });
});

describe("any text", () => {
  const piece = fc.constantFrom(
    ..."abdiklns4@!$1. -_*'",
    "bad",
    "kill",
    "yourself",
    "坏",
    "蛋",
    "а",
    "ж",
    "\u0301",
    "𝐛",
    "👋🏽",
    "ﬁ",
    "ß",
    "\n",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(piece, { maxLength: 40 }).map((parts) => parts.join("")),
  );
  /** As it comes here: through the sanitising boundary. */
  const clean = text.map((raw) => cleanMessage(raw, 4000)).map((cleaned) => (cleaned.ok ? cleaned.text : ""));

  test("is passed as it is, or masked letter by letter so that nothing is found any more, or refused", () => {
    fc.assert(
      fc.property(clean, (given) => {
        const checked = masking.check(given);
        expect(refusing.check(given).ok).toBe(checked.ok && checked.text === given);
        if (!checked.ok) return;
        expect([...checked.text]).toHaveLength([...given].length);
        for (const [at, char] of [...checked.text].entries()) {
          if (char !== [...given][at]) expect(char).toBe("*");
        }
        expect(masking.check(checked.text)).toEqual(checked);
        expect(refusing.check(checked.text).ok).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("with a word of the list in the middle of it has it found", () => {
    const surroundings = fc.array(fc.constantFrom("well ", "so. ", "(", "\n", "… ", "猫", "12 "), { maxLength: 6 });
    fc.assert(
      fc.property(surroundings, surroundings, fc.constantFrom(...WORDS), (before, after, word) => {
        const given = `${before.join("")}${word}${after.map((part) => ` ${part}`).join("")}`;
        expect([given, refusing.check(given).ok]).toEqual([given, false]);
      }),
    );
  });
});

describe("cost", () => {
  const list = Array.from(
    { length: WORDS_MAX - 4 },
    (_, nth) => `w${nth.toString(26).replace(/\d/g, (d) => "qrstuvwxyz".charAt(Number(d)))}`,
  );
  list.push("a b ".repeat(15), "ab ".repeat(20), `${"a".repeat(60)}b`, "bad");
  const big = new WordList(list, "mask");
  const hostile: [name: string, unit: string][] = [
    ["one letter", "a"],
    ["spelled out", "a "],
    ["almost the longest entry, spelled out", "a b "],
    ["almost the longest phrase", "ab "],
    ["signs", "a1!"],
    ["two alphabets", "аa "],
    ["ideographs", "猫"],
    ["accents", "a\u0301"],
    ["hits", "bad "],
  ];
  test.each(hostile)("grows no faster than the text: %s", (_name, unit) => {
    /** Of as much text in pieces of a length, in microseconds of the processor: other programs do not count. */
    const costOf = (length: number): number => {
      const given = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      const before = process.cpuUsage();
      for (let chars = 0; chars < 32_000; chars += length) big.check(given);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    // Linear is as much, quadratic sixteen times; a measure below the clock's grain is allowed for, and a bad moment.
    let ratio = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 5 && ratio > 4; attempt++) {
      const short = costOf(1000);
      ratio = costOf(16_000) / Math.max(short, 10_000);
    }
    expect(ratio).toBeLessThan(4);
  });
});

describe("a file", () => {
  test("has one word or phrase a line; comments and blank lines say nothing", () => {
    expect(parseWords("\uFEFF# ours\r\nbad\r\n\r\n  kill yourself  \n#x\nC#\n")).toEqual({
      ok: true,
      words: ["bad", "kill yourself", "C#"],
    });
    expect(parseWords("")).toEqual({ ok: true, words: [] });
  });

  test.each([
    ["fine\n!!!", "line 2 has no letter"],
    [`${"x".repeat(WORD_CHARS_MAX + 1)}`, "line 1 has more than 64 characters"],
    ["bad\uFFFD", "line 1 is not UTF-8"],
    ["x\n".repeat(WORDS_MAX + 1), "it has more than 10000 words"],
    ["#".repeat(WORDS_FILE_BYTES_MAX + 1), "it is larger than 1048576 bytes"],
  ])("is refused without a word of it: %#", (file, problem) => {
    expect(parseWords(file)).toEqual({ ok: false, problem });
  });

  test("that is read anew takes the place of the old one", () => {
    const list = new WordList(["bad"], "refuse");
    list.replace(["good"]);
    expect([list.check("bad").ok, list.check("good").ok]).toEqual([true, false]);
  });
});
