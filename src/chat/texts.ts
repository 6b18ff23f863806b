/**
 * Every text that a user supplies, from how it came to how it may stand: through the sanitising
 * boundary, then, if another user will see it, past the operator's word list.
 *
 * This file owns the order of the two. It must never say why in words, and never let a text through
 * that only one of them has seen.
 */
import {
  type Cleaned,
  cleanDetails,
  cleanInterests,
  cleanMessage,
  cleanName,
  holdsToken,
  type TextFault,
} from "../domain/text.ts";
import type { WordFilter } from "./words.ts";

/** Why a text may not stand. */
export type Objection = TextFault | "listed_word";

export interface Objected {
  readonly ok: false;
  readonly reason: Objection;
}

export type Passed = { readonly ok: true; readonly text: string } | Objected;

export type PassedInterests = { readonly ok: true; readonly interests: readonly string[] } | Objected;

const LISTED_WORD: Objected = { ok: false, reason: "listed_word" };

export class Texts {
  /** Longest message, in code points. */
  readonly messageCharsMax: number;
  readonly #words: WordFilter | undefined;
  readonly #cleanMessage = (text: string): Cleaned => cleanMessage(text, this.messageCharsMax);

  constructor(messageCharsMax: number, words: WordFilter | undefined) {
    this.messageCharsMax = messageCharsMax;
    this.#words = words;
  }

  message(input: string): Passed {
    return this.#pass(input, this.#cleanMessage);
  }

  name(input: string): Passed {
    return this.#pass(input, cleanName);
  }

  /** The details of a report. The worst words are what an operator has to read: the list has no say here. */
  details(input: string): Passed {
    return cleanDetails(input);
  }

  /** An interest of which only the mask is left says nothing, and is left out like a blank one. */
  interests(list: readonly string[]): PassedInterests {
    const cleaned = cleanInterests(list);
    if (!cleaned.ok || this.#words === undefined) return cleaned;
    const passed: string[] = [];
    for (const interest of cleaned.interests) {
      const checked = this.#words.check(interest);
      if (!checked.ok) return LISTED_WORD;
      if (checked.text === interest || SAYS_SOMETHING.test(checked.text)) passed.push(checked.text);
    }
    const again = cleanInterests(passed);
    return again.ok ? again : LISTED_WORD;
  }

  /** A chosen id of the right form. It cannot be masked without becoming another one. */
  userId(id: string): Passed {
    if (holdsToken(id)) return { ok: false, reason: "holds_token" };
    const checked = this.#words?.check(id);
    return checked === undefined || (checked.ok && checked.text === id) ? { ok: true, text: id } : LISTED_WORD;
  }

  #pass(input: string, clean: (text: string) => Cleaned): Passed {
    const cleaned = clean(input);
    if (this.#words === undefined || !cleaned.ok) return cleaned;
    const checked = this.#words.check(cleaned.text);
    if (!checked.ok) return LISTED_WORD;
    if (checked.text === cleaned.text) return cleaned;
    // A mask may leave nothing that can stand.
    const again = clean(checked.text);
    return again.ok ? again : LISTED_WORD;
  }
}

const SAYS_SOMETHING = /[\p{L}\p{N}]/u;
