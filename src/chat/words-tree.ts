/**
 * The words of a list as a tree of letters, and the search for them in a folded text.
 *
 * This file owns when a stretch of letters is a word of the list. It must never look further from a
 * place than the longest word reaches, so that a search takes time in proportion to the text.
 *
 * A letter said three times or more is one that was drawn out, so `baaad` is `bad` or `baad`; twice is
 * twice, so `as` is not `ass`. Three single letters or more, all apart by the same one character, are
 * one word: `b a d`, `b.a.d`.
 */
import { type Folded, GAP } from "./words-fold.ts";
import { infoOf } from "./words-letters.ts";

/** A stretch of a text, in UTF-16 positions. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** From how many repetitions on a letter counts as drawn out. */
const DRAWN_OUT = 3;
/** From how many single letters on they count as one word spelled out. */
const SPELLED_LETTERS_MIN = 3;
/** Above every code point, so that a node and a letter make one key. */
const LETTERS = 0x11_0000;

/** How often each letter of a word is said in a row, gaps included. */
type Runs = readonly number[];

export class WordTree {
  /** Child by node and letter. Node 0 is the root. */
  readonly #children = new Map<number, number>();
  /** Words that end at a node: they differ in how often they say a letter in a row. */
  readonly #words = new Map<number, Runs[]>();
  #nodes = 1;

  /** Adds the word or phrase that a folded text is. */
  add({ codes }: Folded): void {
    let node = 0;
    const runs: number[] = [];
    for (const [at, code] of codes.entries()) {
      if (isRepetition(codes, at)) {
        runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
        continue;
      }
      const key = node * LETTERS + code;
      node = this.#children.get(key) ?? this.#nodes++;
      this.#children.set(key, node);
      runs.push(1);
    }
    const words = this.#words.get(node) ?? [];
    words.push(runs);
    this.#words.set(node, words);
  }

  /** The node that a letter leads to, if words of the list go on with it. The root is node 0. */
  child(node: number, letter: number): number | undefined {
    return this.#children.get(node * LETTERS + letter);
  }

  /** Whether a word ends at a node. */
  isEnd(node: number): boolean {
    return this.#words.has(node);
  }

  /** Finds the words of the list in a text. Only letters are in a span, never what stands between them. */
  find(folded: Folded, text: string, found: Span[]): void {
    this.#search(folded, found);
    for (const spelled of spelledOut(folded, text)) this.#search(spelled, found);
  }

  #search(folded: Folded, found: Span[]): void {
    for (let at = 0; at < folded.codes.length; at++) {
      if (folded.begins[at] === true) this.#searchFrom(folded, at, found);
    }
  }

  #searchFrom({ codes, starts, ends, finishes }: Folded, first: number, found: Span[]): void {
    // Most words are not even begun like one of the list.
    let node = this.child(0, codes[first] ?? GAP);
    if (node === undefined) return;
    const runs: number[] = [1];
    for (let at = first; at < codes.length; at++) {
      if (at > first) {
        if (isRepetition(codes, at)) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
        else {
          node = this.child(node, codes[at] ?? GAP);
          if (node === undefined) return;
          runs.push(1);
        }
      }
      if (finishes[at] !== true || isRepetition(codes, at + 1)) continue;
      if (this.#words.get(node)?.some((word) => isSaid(word, runs)) !== true) continue;
      for (let part = first; part <= at; part++) {
        if (codes[part] !== GAP) found.push({ start: starts[part] ?? 0, end: ends[part] ?? 0 });
      }
    }
  }
}

/** Whether a letter is the one before it once more. Digits and characters that are words are never. */
function isRepetition(codes: readonly number[], at: number): boolean {
  const code = codes[at];
  if (at === 0 || code === undefined || code !== codes[at - 1]) return false;
  const { isDigit, isUnspaced } = infoOf(code);
  return !isDigit && !isUnspaced;
}

/** Whether letters said so often are the word's. */
function isSaid(word: Runs, runs: readonly number[]): boolean {
  return word.every((wanted, at) => {
    const said = runs[at] ?? 0;
    return said === wanted || (said >= DRAWN_OUT && said > wanted);
  });
}

/** The words that are spelled out letter by letter, each as a text of its own. */
function spelledOut(folded: Folded, text: string): Folded[] {
  const { codes, starts, ends } = folded;
  const words: Folded[] = [];
  let singles: number[] = [];
  let between = "";
  const finish = (): void => {
    if (singles.length >= SPELLED_LETTERS_MIN) words.push(picked(folded, singles));
    singles = [];
    between = "";
  };
  for (let at = 0; at < codes.length; at++) {
    if (codes[at] === GAP) continue;
    const isSingle = (codes[at - 1] ?? GAP) === GAP && (codes[at + 1] ?? GAP) === GAP;
    const last = singles.at(-1);
    const gap = last === undefined ? "" : text.slice(ends[last] ?? 0, starts[at] ?? 0);
    const continues = isSingle && last !== undefined && gap.length === 1 && (between === "" || between === gap);
    if (!continues) finish();
    if (!isSingle) continue;
    if (continues) between = gap;
    singles.push(at);
  }
  finish();
  return words;
}

function picked({ codes, starts, ends }: Folded, places: readonly number[]): Folded {
  const letters = places.map((at) => codes[at] ?? GAP);
  return {
    codes: letters,
    starts: places.map((at) => starts[at] ?? 0),
    ends: places.map((at) => ends[at] ?? 0),
    // The rest of a drawn-out letter begins no word.
    begins: letters.map((_letter, at) => !isRepetition(letters, at)),
    finishes: letters.map(() => true),
  };
}
