/**
 * The sanitising boundary: every string a user supplies comes through one of these functions before
 * anything else sees it. What they return is in NFC, shows all it says, and cannot steer a terminal,
 * reorder a line or hide a second message; cleaning it again changes nothing.
 *
 * This file owns the way from a supplied string to a clean one or a reason to refuse it. It must
 * never judge what words mean, do I/O, or throw. Framing a stranger's words for a model is done
 * where they are rendered: a clean text may still say "ignore your instructions".
 *
 * Lengths are in code points and measured after cleaning, so invisible characters cost the sender
 * nothing. Only a text of many times the allowed size is called too long unread.
 */

import {
  INTEREST_CHARS_MAX,
  INTERESTS_MAX,
  NAME_CHARS_MAX,
  REPORT_DETAILS_CHARS_MAX,
  ROOM_CODE_CHARS_MAX,
  ROOM_CODE_CHARS_MIN,
  SUPPLIED_UNITS_PER_CHAR_MAX,
} from "../limits.ts";
import {
  EACH_FORBIDDEN,
  EACH_RUN_OF_DEPENDENTS,
  LEADING_DEPENDENTS,
  LEADING_NUMBER_SIGNS,
  NAMING,
  NEEDS_CLEANING,
  PRINTABLE_ASCII,
  VISIBLE,
} from "./text-characters.ts";
import { settleClusters } from "./text-clusters.ts";
import { removeEscapes } from "./text-escapes.ts";
import { holdsToken } from "./text-token.ts";

export { holdsToken } from "./text-token.ts";

/** Why a text is refused; a token is named before a length, because its sender must hear of it. */
export type TextFault =
  | "empty"
  | "holds_token"
  | "too_long"
  /** A room code of fewer than six characters. */
  | "too_short"
  /** More interests than allowed, after blank ones and repetitions are gone. */
  | "too_many"
  /** A name without a letter, digit or emoji: `###` and `-----` look like parts of a frame. */
  | "only_punctuation";

export interface Unclean {
  readonly ok: false;
  readonly reason: TextFault;
}

export type Cleaned = { readonly ok: true; readonly text: string } | Unclean;

export type CleanedInterests = { readonly ok: true; readonly interests: readonly string[] } | Unclean;

/**
 * Printable ASCII with something to see in it and without `_`, which every token has, and without `%`, `&`
 * and `\`, by which one can be written: clean as it is.
 */
const PLAIN_MESSAGE = /^[\t\n ]*[!-$'-[\]^`-~][\t\n -$'-[\]^`-~]*$/;
const EACH_LINE_BREAK = /\r\n?|[\v\f\u0085\u2028\u2029]/g;
const EACH_SPACE_RUN = /[\p{White_Space}\u2800]+/gu;

/**
 * Cleans a message of up to `charsMax` code points. Line breaks of every kind become `\n`; white
 * space is kept, at the ends too. A message without a visible character is `empty`.
 */
export function cleanMessage(input: string, charsMax: number): Cleaned {
  // Most messages are these, and come back as the same string object.
  if (input.length <= charsMax && PLAIN_MESSAGE.test(input)) return { ok: true, text: input };
  if (isHopelesslyLong(input, charsMax)) return unclean("too_long");
  // Judging the company of dependent characters takes longest, and no text gets shorter by it than without any.
  const bare = input.length > charsMax ? measured(bareOf(input), charsMax) : undefined;
  return bare?.ok === false ? bare : measured(tidy(input), charsMax);
}

/** Cleans the details of a report, which follow the rules of a message. */
export function cleanDetails(input: string): Cleaned {
  return cleanMessage(input, REPORT_DETAILS_CHARS_MAX);
}

/**
 * Cleans a display name: one line that begins with a visible character, single spaces, none at the
 * ends. Words are not judged, so `System:` is a name; a name must hold a letter, digit or emoji, so
 * `---` and `<|>` are not.
 */
export function cleanName(input: string): Cleaned {
  if (isHopelesslyLong(input, NAME_CHARS_MAX)) return unclean("too_long");
  const name = tidyLine(input);
  const cleaned = measured(name, NAME_CHARS_MAX);
  return cleaned.ok && !NAMING.test(name) ? unclean("only_punctuation") : cleaned;
}

/** Cleans one interest to the tag it is compared by: one line, case-folded, leading `#` dropped. */
export function cleanInterest(input: string): Cleaned {
  if (isHopelesslyLong(input, INTEREST_CHARS_MAX)) return unclean("too_long");
  return measured(tidyFolded(input).replace(LEADING_NUMBER_SIGNS, ""), INTEREST_CHARS_MAX);
}

/**
 * Cleans a list of interests, in order and each once. Blank ones are left out rather than refused;
 * any other fault of one is the fault of the list, as is a token dealt out over several.
 */
export function cleanInterests(list: readonly string[]): CleanedInterests {
  const interests = new Set<string>();
  for (const input of list) {
    const cleaned = cleanInterest(input);
    if (cleaned.ok) interests.add(cleaned.text);
    else if (cleaned.reason !== "empty") return cleaned;
    if (interests.size > INTERESTS_MAX) return unclean("too_many");
  }
  if (holdsToken([...interests].join(""))) return unclean("holds_token");
  return { ok: true, interests: [...interests] };
}

/** Cleans the code two people agreed on to meet: one line, case-folded, so that it can be said aloud. */
export function cleanRoomCode(input: string): Cleaned {
  if (isHopelesslyLong(input, ROOM_CODE_CHARS_MAX)) return unclean("too_long");
  const code = tidyFolded(input);
  const cleaned = measured(code, ROOM_CODE_CHARS_MAX);
  return cleaned.ok && !isLongerThan(code, ROOM_CODE_CHARS_MIN - 1) ? unclean("too_short") : cleaned;
}

/** The text with everything removed or replaced that has no place in any, in NFC. */
function tidy(input: string): string {
  if (PRINTABLE_ASCII.test(input)) return input;
  // Without marks no run of them can be long, so normalising is linear.
  if (!NEEDS_CLEANING.test(input)) return input.normalize("NFC");

  // Clusters last, when nothing removable stands between a base and its marks.
  return settleClusters(withoutForbidden(input));
}

/** Escape sequences go first, while the controls that delimit them are there; line breaks before the other controls go. */
function withoutForbidden(input: string): string {
  return removeEscapes(input).replace(EACH_LINE_BREAK, "\n").replace(EACH_FORBIDDEN, "");
}

/** What is left of a text in any case: the characters that depend on no other. */
function bareOf(input: string): string {
  return withoutForbidden(input).replace(EACH_RUN_OF_DEPENDENTS, "").normalize("NFC");
}

/** The same on one line. A mark at its beginning would sit on whatever is printed before it. */
function tidyLine(input: string): string {
  return tidy(input).replace(EACH_SPACE_RUN, " ").replace(LEADING_DEPENDENTS, "").trimEnd();
}

/** The same, indifferent to case. Folding can undo what tidying has done (Ⓜ️ has no small emoji), hence twice. */
function tidyFolded(input: string): string {
  return tidyLine(foldCase(tidyLine(input)));
}

/**
 * Lower case by way of upper case, which is where ß meets ss and ς meets σ. The first step is for
 * the capital ẞ, whose own upper case it is.
 */
function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase();
}

function measured(text: string, charsMax: number): Cleaned {
  if (!VISIBLE.test(text)) return unclean("empty");
  if (holdsToken(text)) return unclean("holds_token");
  if (isLongerThan(text, charsMax)) return unclean("too_long");
  return { ok: true, text };
}

function isHopelesslyLong(input: string, charsMax: number): boolean {
  return input.length > charsMax * SUPPLIED_UNITS_PER_CHAR_MAX;
}

function isLongerThan(text: string, charsMax: number): boolean {
  // A code point is one or two UTF-16 units, so most lengths need no counting.
  if (text.length <= charsMax) return false;
  if (text.length > charsMax * 2) return true;
  return [...text].length > charsMax;
}

function unclean(reason: TextFault): Unclean {
  return { ok: false, reason };
}
