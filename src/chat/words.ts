/**
 * The operator's word list, as the chat asks it: which words may not be said, found through the
 * usual disguises.
 *
 * This file owns the list and what becomes of a text that has one of its words. It must never see a
 * text that has not passed the sanitising boundary, never judge more than whole words, and take time
 * in proportion to the text, whatever is in it.
 */
import { WORD_CHARS_MAX, WORDS_FILE_BYTES_MAX, WORDS_MAX } from "../limits.ts";
import { type Folded, fold, readingsOf } from "./words-fold.ts";
import { WordGlance } from "./words-glance.ts";
import { type Span, WordTree } from "./words-tree.ts";

/** What a word list says of one clean text: let it pass, perhaps with words masked, or refuse it. */
export interface WordFilter {
  check(text: string): { readonly ok: true; readonly text: string } | { readonly ok: false };
}

/** A list as it was written, or what is wrong with it: one line without a word of the list. */
export type ParsedWords =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly problem: string };

export type WordsAction = "refuse" | "mask";

/** Masking one word can bring another to light, in texts made for that; they are refused. */
const MASK_ROUNDS_MAX = 4;

const SIGNS = /[@$€!|]/;

/** Reads a list: one word or phrase a line; blank lines, and those that begin with `#`, say nothing. */
export function parseWords(file: string): ParsedWords {
  if (Buffer.byteLength(file) > WORDS_FILE_BYTES_MAX) {
    return { ok: false, problem: `it is larger than ${WORDS_FILE_BYTES_MAX} bytes` };
  }
  const words: string[] = [];
  for (const [at, line] of file
    .replace(/^\uFEFF/, "")
    .split(/\r\n?|\n/)
    .entries()) {
    const word = line.trim();
    if (word === "" || word.startsWith("#")) continue;
    const problem = findProblem(word);
    if (problem !== undefined) return { ok: false, problem: `line ${at + 1} ${problem}` };
    words.push(word);
    if (words.length > WORDS_MAX) return { ok: false, problem: `it has more than ${WORDS_MAX} words` };
  }
  return { ok: true, words };
}

function findProblem(word: string): string | undefined {
  if ([...word].length > WORD_CHARS_MAX) return `has more than ${WORD_CHARS_MAX} characters`;
  if (word.includes("\uFFFD")) return "is not UTF-8";
  return foldEntry(word).codes.length === 0 ? "has no letter" : undefined;
}

/** A list entry is taken as it is written, unless it is written with signs for letters. */
function foldEntry(word: string): Folded {
  return fold(word, SIGNS.test(word) ? "i" : "plain");
}

/** A list in force. It can be replaced while it is asked. */
export class WordList implements WordFilter {
  readonly #action: WordsAction;
  #tree: WordTree;
  #glance: WordGlance;

  /** @param words as `parseWords` gave them */
  constructor(words: readonly string[], action: WordsAction) {
    this.#action = action;
    this.#tree = compile(words);
    this.#glance = new WordGlance(this.#tree);
  }

  replace(words: readonly string[]): void {
    this.#tree = compile(words);
    this.#glance = new WordGlance(this.#tree);
  }

  check(text: string): { readonly ok: true; readonly text: string } | { readonly ok: false } {
    if (!this.#glance.mayHoldWord(text)) return { ok: true, text };
    let passed = text;
    for (let round = 0; round < MASK_ROUNDS_MAX; round++) {
      const found = this.#find(passed);
      if (found.length === 0) return { ok: true, text: passed };
      if (this.#action === "refuse") return { ok: false };
      passed = mask(passed, found);
    }
    return { ok: false };
  }

  /** Where listed words are; the first is enough for a refusal. */
  #find(text: string): readonly Span[] {
    const found: Span[] = [];
    for (const reading of readingsOf(text)) {
      this.#tree.find(fold(text, reading), text, found);
      if (this.#action === "refuse" && found.length > 0) break;
    }
    return found;
  }
}

function compile(words: readonly string[]): WordTree {
  const tree = new WordTree();
  for (const word of words) tree.add(foldEntry(word));
  return tree;
}

/** The text with an asterisk for each letter of the spans. */
function mask(text: string, spans: readonly Span[]): string {
  const isMasked = new Uint8Array(text.length);
  for (const { start, end } of spans) isMasked.fill(1, start, end);
  let masked = "";
  for (let at = 0; at < text.length; ) {
    const length = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    masked += isMasked[at] === 1 ? "*" : text.slice(at, at + length);
    at += length;
  }
  return masked;
}
