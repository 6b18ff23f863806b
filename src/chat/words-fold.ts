/**
 * A text as the word list compares it: its letters in their plainest form, gaps between words, and for
 * every letter the place it came from.
 *
 * This file owns what is one word and how its signs are taken. It must never change the text it reads,
 * and it takes time in proportion to it, whatever it holds.
 *
 * A disguised reading takes digits and signs inside words for letters, and letters of other alphabets for
 * those they look like, unless the text is plainly written in that alphabet.
 */
import { type CharInfo, EITHER, infoOf } from "./words-letters.ts";

/** How signs are taken: `plain` as themselves; else as letters, with `1 ! |` for an i or for an l. */
export type Reading = "plain" | "i" | "l";

/** Letters and gaps in their order; one entry each in every array. */
export interface Folded {
  /** Folded code points; `GAP` between words. */
  readonly codes: number[];
  /** Where each came from: UTF-16 positions of the text. */
  readonly starts: number[];
  readonly ends: number[];
  /** Whether a word may begin with it, and end with it. */
  readonly begins: boolean[];
  readonly finishes: boolean[];
}

/** Stands for any gap between two words. */
export const GAP = 0x20;

const NO_ALPHABETS: ReadonlySet<string> = new Set();
const ASCII_ONLY = /^[\0-\x7f]*$/;
const MAY_BE_DISGUISED = /[@$!|]|[a-z][0-9]|[0-9][a-z]|\b[0-9]\b/i;

/** The readings worth comparing: a text without signs and foreign letters has one. */
export function readingsOf(text: string): readonly Reading[] {
  if (ASCII_ONLY.test(text) && !MAY_BE_DISGUISED.test(text)) return ["plain"];
  let readings: readonly Reading[] = ["plain"];
  for (let at = 0, code = 0; at < text.length; at += lengthOf(code)) {
    code = codeAt(text, at);
    const { alike } = infoOf(code);
    if (alike === EITHER) return ["plain", "i", "l"];
    if (alike !== undefined) readings = ["plain", "i"];
  }
  return readings;
}

/** Folds a text. */
export function fold(text: string, reading: Reading): Folded {
  const word = new WordReader(reading, reading === "plain" ? NO_ALPHABETS : plainAlphabets(text));
  let before: CharInfo | undefined;
  for (let at = 0, code = 0; at < text.length; at += lengthOf(code)) {
    code = codeAt(text, at);
    const info = infoOf(code);
    const end = at + lengthOf(code);
    const isLetter = info.letters.length > 0 || info.isAccent;
    if (isLetter || (reading !== "plain" && isSignForLetter(info, before, text, end))) word.take(info, at, end);
    else word.finish();
    before = info;
  }
  word.finish();
  return word.folded;
}

function codeAt(text: string, at: number): number {
  return text.codePointAt(at) ?? 0;
}

function lengthOf(code: number): number {
  return code > 0xffff ? 2 : 1;
}

/** Whether a sign stands where a letter would. */
function isSignForLetter({ sign }: CharInfo, before: CharInfo | undefined, text: string, next: number): boolean {
  if (sign === undefined) return false;
  const isAfter = before !== undefined && isLetterLike(before);
  if (sign === "beside" && isAfter) return true;
  if (sign === "between" && !isAfter) return false;
  return next < text.length && isLetterLike(infoOf(codeAt(text, next)));
}

function isLetterLike({ letters, sign }: CharInfo): boolean {
  return letters.length > 0 || sign === "beside";
}

/** The alphabets the text is plainly written in: it has letters of theirs that look like no Latin one. */
function plainAlphabets(text: string): ReadonlySet<string> {
  const plain = new Set<string>();
  for (let at = 0, code = 0; at < text.length; at += lengthOf(code)) {
    code = codeAt(text, at);
    const { alphabet, alike } = infoOf(code);
    if (alphabet !== undefined && alike === undefined) plain.add(alphabet);
  }
  return plain;
}

/** Collects the characters of one word, and decides what its signs are when all of it is there. */
class WordReader {
  readonly folded: Folded = { codes: [], starts: [], ends: [], begins: [], finishes: [] };
  readonly #reading: Reading;
  /** Alphabets whose letters are what they seem. */
  readonly #plainly: ReadonlySet<string>;
  readonly #infos: CharInfo[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  constructor(reading: Reading, plainly: ReadonlySet<string>) {
    this.#reading = reading;
    this.#plainly = plainly;
  }

  take(info: CharInfo, start: number, end: number): void {
    if (info.isAccent) {
      // An accent on its own belongs to the letter before it.
      if (this.#ends.length > 0) this.#ends[this.#ends.length - 1] = end;
      return;
    }
    this.#infos.push(info);
    this.#starts.push(start);
    this.#ends.push(end);
  }

  finish(): void {
    const infos = this.#infos;
    if (infos.length === 0) return;
    const { codes } = this.folded;
    if (codes.length > 0) this.#put(GAP, this.#starts[0] ?? 0, this.#starts[0] ?? 0, false);
    const isDisguised = this.#reading !== "plain" && !isNumber(infos);
    const isMixed = isDisguised && isMixedWord(infos);
    let before: CharInfo | undefined;
    let at = 0;
    for (const info of infos) {
      const start = this.#starts[at] ?? 0;
      const end = this.#ends[at] ?? 0;
      const alike = isDisguised ? this.#alike(info, isMixed) : undefined;
      let isEdge = before === undefined || isEdgeBetween(before, info, alike === undefined);
      if (alike !== undefined) this.#put(alike, start, end, isEdge);
      else {
        for (const code of info.letters) {
          this.#put(code, start, end, isEdge);
          isEdge = false;
        }
      }
      before = info;
      at++;
    }
    this.folded.finishes[codes.length - 1] = true;
    infos.length = 0;
    this.#starts.length = 0;
    this.#ends.length = 0;
  }

  /** The letter a character of this word is meant for, if not itself. */
  #alike({ alike, alphabet }: CharInfo, isMixed: boolean): number | undefined {
    if (alike === undefined) return undefined;
    if (alphabet !== undefined) return isMixed || !this.#plainly.has(alphabet) ? alike : undefined;
    return alike === EITHER ? this.#reading.charCodeAt(0) : alike;
  }

  #put(code: number, start: number, end: number, isEdge: boolean): void {
    const { codes, starts, ends, begins, finishes } = this.folded;
    if (codes.length > 0 && (isEdge || code === GAP)) finishes[codes.length - 1] = true;
    codes.push(code);
    starts.push(start);
    ends.push(end);
    begins.push(isEdge);
    finishes.push(false);
  }
}

/** A number stays one; a lone digit may be a letter of a word that is spelled out. */
function isNumber(infos: readonly CharInfo[]): boolean {
  return infos.length > 1 && infos.every(({ isDigit }) => isDigit);
}

function isMixedWord(infos: readonly CharInfo[]): boolean {
  return infos.some(({ isLatin }) => isLatin) && infos.some(({ alphabet }) => alphabet !== undefined);
}

/** Words begin and end between letters and digits as well, and anywhere in scripts without gaps. */
function isEdgeBetween(before: CharInfo, info: CharInfo, isPlain: boolean): boolean {
  return before.isUnspaced || info.isUnspaced || (isPlain && before.isDigit !== info.isDigit);
}
