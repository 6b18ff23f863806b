/**
 * What somebody typed: the bytes of a terminal as keys and pastes.
 *
 * This file owns the decoding, across any cut of the input into pieces. It must never know what a key
 * does, and never keep more than a bounded rest.
 */

import { PASTE_CHARS_MAX } from "../client-limits.ts";

export type KeyName =
  | "enter"
  | "newline"
  | "tab"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "page_up"
  | "page_down"
  | "word_left"
  | "word_right"
  | "delete_word_left"
  | "delete_word_right"
  | "delete_line_left"
  | "delete_line_right"
  | "interrupt"
  | "end_of_input"
  | "redraw"
  | "suspend"
  | "escape";

export type Key =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "paste"; readonly text: string }
  | { readonly type: "key"; readonly key: KeyName };

/** Single bytes below space, and delete. */
const CONTROLS: Readonly<Record<number, KeyName>> = {
  1: "home",
  2: "left",
  3: "interrupt",
  4: "end_of_input",
  5: "end",
  6: "right",
  8: "backspace",
  9: "tab",
  10: "newline",
  11: "delete_line_right",
  12: "redraw",
  13: "enter",
  14: "down",
  16: "up",
  21: "delete_line_left",
  23: "delete_word_left",
  26: "suspend",
  127: "backspace",
};

/** What follows ESC [ or ESC O, by its last character; parameters say which modifier was held. */
const FINALS: Readonly<Record<string, KeyName>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
};

/** What follows ESC [, by its number, when it ends with a tilde. */
const NUMBERED: Readonly<Record<string, KeyName>> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "page_up",
  6: "page_down",
  7: "home",
  8: "end",
};

/** With Alt or Ctrl. */
const MODIFIED: Partial<Record<KeyName, KeyName>> = {
  left: "word_left",
  right: "word_right",
  delete: "delete_word_right",
};

/** ESC and then a character: Alt with it. */
const ALTED: Readonly<Record<string, KeyName>> = {
  b: "word_left",
  f: "word_right",
  d: "delete_word_right",
  "\x7f": "delete_word_left",
  "\b": "delete_word_left",
  "\r": "newline",
  "\n": "newline",
};

const PASTE_BEGINS = "\x1b[200~";
const PASTE_ENDS = "\x1b[201~";
/** After the escape: [ or O, parameters, intermediates, final (ECMA-48, 5.4). */
const SEQUENCE = /^(?:\[([0-?]*)[ -/]*([@-~])|O([@-~]))/;
const UNFINISHED = /^(?:\[[0-?]*[ -/]*|O)?$/;
/** Longest unfinished sequence waited for; no key has one. */
const SEQUENCE_CHARS_MAX = 32;

export class KeyDecoder {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #paste: string | undefined;

  /** Whether an escape has come in that may be a key of its own or the beginning of one. */
  get isUndecided(): boolean {
    return this.#rest !== "";
  }

  /** Takes what has come in. */
  push(bytes: Uint8Array): Key[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    return this.#take(false);
  }

  /** Nothing more has come for a moment: an escape that waits was the key itself. */
  settle(): Key[] {
    return this.#take(true);
  }

  #take(isFinal: boolean): Key[] {
    const keys: Key[] = [];
    while (this.#rest !== "") {
      const before = this.#rest;
      const key = this.#paste === undefined ? this.#next(isFinal) : this.#pasted();
      if (key !== undefined) keys.push(key);
      if (this.#rest === before) break;
    }
    return keys;
  }

  /** The next key; what belongs to none is dropped. Nothing is taken while it is undecided. */
  #next(isFinal: boolean): Key | undefined {
    const text = this.#rest;
    if (text.startsWith("\x1b")) return this.#escaped(text, isFinal);
    const [run = ""] = /^[^\p{Cc}]+/u.exec(text) ?? [];
    if (run !== "") {
      this.#rest = text.slice(run.length);
      return { type: "text", text: run };
    }
    this.#rest = text.slice(1);
    return named(CONTROLS[text.charCodeAt(0)]);
  }

  #escaped(text: string, isFinal: boolean): Key | undefined {
    if (text.startsWith(PASTE_BEGINS)) {
      this.#rest = text.slice(PASTE_BEGINS.length);
      this.#paste = "";
      return undefined;
    }
    const [sequence, parameters = "", final = "", simple] = SEQUENCE.exec(text.slice(1)) ?? [];
    if (sequence !== undefined) {
      this.#rest = text.slice(1 + sequence.length);
      return named(keyOf(parameters, simple ?? final));
    }
    if (UNFINISHED.test(text.slice(1)) && !isFinal && text.length < SEQUENCE_CHARS_MAX) return undefined;
    if (text.length === 1) {
      this.#rest = "";
      return named("escape");
    }
    const [second = ""] = text.slice(1);
    this.#rest = text.slice(1 + second.length);
    // Escape twice is escape once; the second may begin something.
    if (second === "\x1b") {
      this.#rest = text.slice(1);
      return undefined;
    }
    return named(ALTED[second]);
  }

  /** Inside a paste nothing is a key but its end. */
  #pasted(): Key | undefined {
    const end = this.#rest.indexOf(PASTE_ENDS);
    if (end === -1) {
      // The end may be cut in two.
      const safe = Math.max(0, this.#rest.length - PASTE_ENDS.length + 1);
      this.#paste = ((this.#paste ?? "") + this.#rest.slice(0, safe)).slice(0, PASTE_CHARS_MAX);
      this.#rest = this.#rest.slice(safe);
      return undefined;
    }
    const text = ((this.#paste ?? "") + this.#rest.slice(0, end)).slice(0, PASTE_CHARS_MAX);
    this.#rest = this.#rest.slice(end + PASTE_ENDS.length);
    this.#paste = undefined;
    return { type: "paste", text };
  }
}

function keyOf(parameters: string, final: string): KeyName | undefined {
  const [number = "", modifier = "1"] = parameters.split(";");
  const key = final === "~" ? NUMBERED[number] : FINALS[final];
  if (key === undefined || modifier === "1") return key;
  return MODIFIED[key] ?? key;
}

function named(key: KeyName | undefined): Key | undefined {
  return key === undefined ? undefined : { type: "key", key };
}
