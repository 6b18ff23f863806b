/**
 * Recognises a session token inside a text, however it is dressed up.
 *
 * This file owns the answer to "would this give a secret away". It must never repeat what it found,
 * nor need the token to be a live one: it looks at the shape only.
 */

/** `mcpc_` and twenty characters: less than half a token, which is already nothing one writes by accident. */
const TOKEN = /mcpc_[A-Za-z0-9_-]{20}/i;

/** The low line and all that normalising turns into one. Most texts have none, and so no token. */
const LOW_LINE = /[_\uFE33\uFE34\uFE4D-\uFE4F\uFF3F]/;

/** Disguises: spaces between the characters, accents on them, invisible characters among them. */
const EACH_DISGUISE = /[\p{White_Space}\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu;

/**
 * Whether a clean text contains a session token: `mcpc_` and twenty or more base64url characters.
 *
 * White space, accents and invisible characters are passed over, letter case is ignored, and
 * full-width, mathematical, circled and other styled letters count as the letters they stand for.
 * A token with visible characters put between its own, or spelled in another alphabet, is not found.
 */
export function holdsToken(text: string): boolean {
  if (!LOW_LINE.test(text)) return false;
  // Marks go before normalising, which is slow on long runs of them, and those it brings to light go after.
  const plain = text.replace(EACH_DISGUISE, "").normalize("NFKD").replace(EACH_DISGUISE, "");
  return TOKEN.test(plain);
}
