/**
 * Recognises a session token inside a text, however it is dressed up.
 *
 * This file owns the answer to "would this give a secret away". It must never repeat what it found,
 * nor need the token to be a live one: it looks at the shape only.
 */

/** The low line and all that normalising turns into one, and what escapes of it begin with: no token without any. */
const LOW_LINE_OR_ESCAPE = /[_\uFE33\uFE34\uFE4D-\uFE4F\uFF3F%\uFE6A\uFF05&\uFE60\uFF06\\\uFE68\uFF3C]/;

/** Has a text no other characters, normalising changes nothing. */
const ASCII = /^\p{ASCII}*$/v;

/** The prefix in ASCII, whatever stands between its letters. Each run between is looked at once. */
const SPREAD_PREFIX = /m[^A-Za-z0-9]*c[^A-Za-z0-9]*p[^A-Za-z0-9]*c/i;

/** Disguises: spaces between the characters, accents on them, invisible characters among them. */
const EACH_DISGUISE = /[\p{White_Space}\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu;

/** Letters of other alphabets, and small capitals, that look like those of the prefix, after normalising. */
const LOOKS_LIKE_M = "\u041C\u043C\u039C\u03BC\u1D0D";
const LOOKS_LIKE_C = "\u0421\u0441\u03A3\u03C2\u1D04";
const LOOKS_LIKE_P = "\u0420\u0440\u03A1\u03C1\u1D18";

/** Everything that is no part of a token: punctuation, emoji, letters of other alphabets. */
const EACH_OTHER = new RegExp(`[^A-Za-z0-9_${LOOKS_LIKE_M}${LOOKS_LIKE_C}${LOOKS_LIKE_P}-]+`, "gu");

const PREFIX = `[m${LOOKS_LIKE_M}][c${LOOKS_LIKE_C}][p${LOOKS_LIKE_P}][c${LOOKS_LIKE_C}]`;

/** The low line, and what is left of `&#95;`, `&#x5f;`, `&lowbar;`, `&UnderBar;`, `%5F`, `\x5f` and `\u005f`. */
const LOW_LINE = "(?:_|0*95|[ux]?0*5f|lowbar|underbar)";

/**
 * The prefix and twenty characters, less than half a token, which is already nothing one writes by
 * accident; or the prefix spelled with a hyphen or low line after each character.
 */
const TOKEN = new RegExp(`${PREFIX}${LOW_LINE}[A-Za-z0-9_-]{20}|m([_-])c\\1p\\1c\\1_\\1`, "iu");

/**
 * Whether a clean text contains a session token: `mcpc_` and twenty or more base64url characters.
 *
 * White space, accents, invisible characters, punctuation and emoji are passed over, letter case is
 * ignored, and full-width, mathematical, circled and other styled letters count as the letters they
 * stand for. The prefix may be spelled with look-alike letters and its low line as an escape of HTML,
 * Markdown or a URL. A token with letters or digits put between its own, written backwards or in
 * another encoding is not found.
 */
export function holdsToken(text: string): boolean {
  if (!LOW_LINE_OR_ESCAPE.test(text)) return false;
  if (ASCII.test(text)) return SPREAD_PREFIX.test(text) && TOKEN.test(text.replace(EACH_OTHER, ""));
  // Marks go before normalising, which is slow on long runs of them, and those it brings to light go after.
  return TOKEN.test(text.replace(EACH_DISGUISE, "").normalize("NFKD").replace(EACH_OTHER, ""));
}
