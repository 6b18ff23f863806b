/**
 * Words of strangers on the operator's terminal: shown as what they are, and never obeyed.
 *
 * This file owns that. Nothing it returns can move a cursor, reverse a line or hide a character.
 */

/** Controls, formatting and other invisible characters, line separators, and spaces that are no plain space. */
const EACH_UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** One line: whatever cannot be seen stands as `\u{...}`. */
export function visibleLine(text: string): string {
  return text.replace(EACH_UNSEEN, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Several lines, each behind a mark, so that none passes for one of ours. */
export function visibleBlock(text: string): string[] {
  return text.split("\n").map((line) => `  | ${visibleLine(line)}`);
}
