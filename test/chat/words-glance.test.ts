/** The glance before the search for listed words: it may never hide a word from the search. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WordList } from "../../src/chat/words.ts";
import { fold } from "../../src/chat/words-fold.ts";
import { WordGlance } from "../../src/chat/words-glance.ts";
import { WordTree } from "../../src/chat/words-tree.ts";

fc.configureGlobal({ seed: 1 });

/** Few characters, so that words meet texts, with everything that disguises a letter in ASCII. */
const LETTERS = [..."aabbillsoAISn"];
const SIGNS = [..."01|!$@45 ..--"];
const words = fc.array(
  fc
    .array(fc.constantFrom(...LETTERS, ..."15$ "), { minLength: 1, maxLength: 5 })
    .map((chars) => chars.join("").trim()),
  { minLength: 1, maxLength: 4 },
);
const texts = fc
  .array(fc.constantFrom(...LETTERS, ...SIGNS), { minLength: 1, maxLength: 24 })
  .map((chars) => chars.join(""));
/** A character beyond ASCII that is no letter: the glance passes such texts on, whatever they say. */
const BEYOND = " \u2603";

function glanceFor(listed: readonly string[]): WordGlance {
  const tree = new WordTree();
  for (const word of listed) tree.add(fold(word, "plain"));
  return new WordGlance(tree);
}

describe("a glance", () => {
  test("never changes what is found", () => {
    let hits = 0;
    fc.assert(
      fc.property(words, texts, (listed, text) => {
        const usable = listed.filter((word) => /[a-z0-9]/i.test(word));
        const list = new WordList(usable, "refuse");
        const found = !list.check(text + BEYOND).ok;
        if (found) hits++;
        expect([usable, text, !list.check(text).ok]).toEqual([usable, text, found]);
      }),
      { numRuns: 30_000 },
    );
    // Else it would say nothing of words that are there.
    expect(hits).toBeGreaterThan(2000);
  });

  test.each([
    "do you like rain and long walks?",
    "LG|000012|00000123|1234567890123|xxxxxxxx",
    "I'd say 5 of 10, at 7pm! That is $5 each.",
    "nabad, abad: inside a word it begins none",
    "badly, but no more",
    "b a",
    "kill your darlings",
  ])("sees that there is none in %p", (text) => {
    expect(glanceFor(["bad", "kill yourself", "1488"]).mayHoldWord(text)).toBe(false);
  });

  test.each(["b4d", "b a d", "b.a.d", "baaad", "8@d", "kill -- yourself", "k!ll yourself", "x1488", "(BAD)"])(
    "leaves %p to the search",
    (text) => {
      expect(glanceFor(["bad", "kill yourself", "1488"]).mayHoldWord(text)).toBe(true);
    },
  );

  test("gives up on a text made to keep it busy, and on a letter said very often", () => {
    const branching = Array.from({ length: 512 }, (_, n) =>
      n.toString(2).padStart(9, "0").replaceAll("0", "i").replaceAll("1", "l"),
    );
    expect(glanceFor(branching.map((word) => `${word}x`)).mayHoldWord("1|".repeat(500))).toBe(true);
    expect(glanceFor(["ab"]).mayHoldWord("a".repeat(100_000))).toBe(true);
  });
});
