/**
 * A glance at a text that mostly proves that no word of the list is in it: folding it in all its readings
 * costs as much as everything else that is done for a message.
 *
 * This file owns that proof. It must never miss a word that the closer look would find: it takes every
 * character for whatever it may be in any reading, and where it loses count it says "perhaps".
 */
import { GAP } from "./words-fold.ts";
import { EITHER, infoOf } from "./words-letters.ts";
import type { WordTree } from "./words-tree.ts";

const ASCII_ONLY = /^[\0-\x7f]*$/;
const ASCII = 0x80;
const SPACE = 0x20;
const ROOT = 0;

/** Steps taken for a text and from one place in it before the closer look is cheaper. The second also bounds recursion. */
const STEPS_PER_CHAR_MAX = 8;
const STEPS_FROM_PLACE_MAX = 256;

export class WordGlance {
  readonly #tree: WordTree;
  /** By ASCII code: whether a word of the list may begin with it. */
  readonly #mayBegin: Uint8Array;
  /** Steps left for the text, and how many of them must be left when the search from one place ends. */
  #steps = 0;
  #stepsSpared = 0;

  /** @param tree complete */
  constructor(tree: WordTree) {
    this.#tree = tree;
    this.#mayBegin = Uint8Array.from({ length: ASCII }, (_, code) =>
      meaningsOf(code).some((letter) => tree.child(ROOT, letter) !== undefined) ? 1 : 0,
    );
  }

  /** Whether a word of the list may be in a text; false is sure, true is not. */
  mayHoldWord(text: string): boolean {
    if (!ASCII_ONLY.test(text)) return true;
    this.#steps = text.length * STEPS_PER_CHAR_MAX;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#mayBegin[code] !== 1) continue;
      // Words begin anywhere but between two letters.
      if (isLetter(code) && at > 0 && isLetter(text.charCodeAt(at - 1))) continue;
      this.#stepsSpared = Math.max(0, this.#steps - STEPS_FROM_PLACE_MAX);
      if (this.#leadsToWord(ROOT, SPACE, text, at)) return true;
    }
    return false;
  }

  /** Whether, with `letter` behind it, what stands at a place may go on to a word below that node. */
  #leadsToWord(node: number, letter: number, text: string, at: number): boolean {
    const code = text.charCodeAt(at);
    for (const next of meaningsOf(code)) {
      // A letter that is said once more says nothing new, see the tree.
      const child = next === letter && !isDigit(next) ? node : this.#tree.child(node, next);
      if (child !== undefined && this.#mayEndOrGoOn(child, next, text, at + 1)) return true;
    }
    return false;
  }

  /** The same right behind that letter: at the end of a word, within it, or between letters that spell it out. */
  #mayEndOrGoOn(node: number, letter: number, text: string, at: number): boolean {
    if (--this.#steps < this.#stepsSpared) return true;
    const isLast = at >= text.length;
    const code = isLast ? SPACE : text.charCodeAt(at);
    if (this.#tree.isEnd(node) && !(isLetter(code) && isLetter(text.charCodeAt(at - 1)))) return true;
    if (isLast) return false;
    if (this.#leadsToWord(node, letter, text, at)) return true;
    if (isLetter(code) || isDigit(code) || at + 1 >= text.length) return false;
    return this.#leadsToWord(node, letter, text, at + 1) || this.#mayGoOnAfterGap(node, text, at + 1);
  }

  /** The same where the next word of a phrase may begin. */
  #mayGoOnAfterGap(node: number, text: string, first: number): boolean {
    const phrase = this.#tree.child(node, GAP);
    if (phrase === undefined) return false;
    for (let at = first; at < text.length; at++) {
      if (--this.#steps < this.#stepsSpared || this.#leadsToWord(phrase, GAP, text, at)) return true;
      const code = text.charCodeAt(at);
      if (isLetter(code) || isDigit(code)) return false;
    }
    return false;
  }
}

const known: (readonly number[] | undefined)[] = [];

/** The letters that an ASCII character may stand for in any reading, as code points. */
function meaningsOf(code: number): readonly number[] {
  const meanings = known[code] ?? describe(code);
  known[code] = meanings;
  return meanings;
}

function describe(code: number): readonly number[] {
  const { letters, alike } = infoOf(code);
  if (alike === undefined) return letters;
  return alike === EITHER ? [...letters, ..."il".split("").map((letter) => letter.charCodeAt(0))] : [...letters, alike];
}

/** Whether an ASCII character is a letter in every reading. */
function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
