/**
 * Text on its way to a terminal: what could steer it is shown instead of done, what could reorder a line is
 * kept inside its own, and every character is measured.
 *
 * This file owns that boundary. The server cleans what strangers write; nothing here relies on it. It
 * must never let a control character through.
 */

import { CLUSTER_CHARS_MAX, CLUSTER_MARKS_MAX } from "../client-limits.ts";

/** One character as a person sees it. */
export interface Cluster {
  readonly text: string;
  /** Columns it takes: 0, 1 or 2. */
  readonly width: number;
}

/** Controls, separators of lines, lone surrogates, and whatever is invisible but joiners and variants of emoji. */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?!\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cf}\p{DI}]/gu;
/** The same where a line break and a tab mean something. */
const STEERING_BUT_BREAKS = /(?!\n|\t|\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Cf}\p{DI}]/gu;

const TAB = "    ";
const CONTROL_PICTURES = 0x2400;
const DELETE_PICTURE = "\u2421";

/** A character that acts, as one or more that only show: escape as U+241B, an override as `<U+202E>`. */
function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(CONTROL_PICTURES + code);
  if (code === 0x7f) return DELETE_PICTURE;
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

/** Somebody's text on one line: line breaks and tabs show as themselves. */
export function oneLine(text: string): string {
  return text.replace(STEERING, shown);
}

/** Somebody's text as lines without anything that acts. */
export function safeLines(text: string): string[] {
  return text.replace(/\r\n?/g, "\n").replace(STEERING_BUT_BREAKS, shown).replaceAll("\t", TAB).split("\n");
}

// --- measuring ----------------------------------------------------------------------------------

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const PRINTABLE_ASCII = /^[ -~]*$/;
const MARK = /\p{M}/u;
const EXTENDING = /^[\p{M}\u200c\u200d]/u;
/** Letters that stand alone, and that Bun takes for marks which follow them in Unicode. */
const MISMEASURED = /^[\u0980\u0c80\u0d3a]\p{M}*$/u;
const JOINER_AT_END = /\u200d$/;

/** The characters of a text that is safe already. */
export function clustersOf(text: string): Cluster[] {
  if (PRINTABLE_ASCII.test(text)) return Array.from(text, (character) => ({ text: character, width: 1 }));
  return Array.from(GRAPHEMES.segment(text)).flatMap(({ segment }) => measured(trimmed(segment)));
}

function measured(text: string): Cluster[] {
  const width = MISMEASURED.test(text) ? 1 : Math.min(2, Bun.stringWidth(text));
  if (width > 0) return [{ text, width }];
  // What has no width of its own would sit on the character before it, which may be somebody else's.
  if (EXTENDING.test(text)) return [{ text: `\u25cc${text}`, width: 1 }];
  return Array.from(Array.from(text, shown).join(""), (character) => ({ text: character, width: 1 }));
}

/** A tower of marks would reach into the lines above and below. */
function trimmed(segment: string): string {
  if (segment.length <= CLUSTER_MARKS_MAX) return segment;
  const kept: string[] = [];
  let marks = 0;
  for (const character of segment) {
    marks += MARK.test(character) ? 1 : 0;
    if (marks > CLUSTER_MARKS_MAX || kept.length >= CLUSTER_CHARS_MAX) break;
    kept.push(character);
  }
  // What is cut off must not join with what comes next.
  return kept.join("").replace(JOINER_AT_END, "");
}

/** Columns a safe text takes. */
export function widthOf(text: string): number {
  return clustersOf(text).reduce((sum, { width }) => sum + width, 0);
}

/** As much of a safe text as fits, with an ellipsis if something is missing. */
export function fit(text: string, columns: number): string {
  const clusters = clustersOf(text);
  if (clusters.reduce((sum, { width }) => sum + width, 0) <= columns) return clusters.map((one) => one.text).join("");
  if (columns < 1) return "";
  let used = 1;
  let kept = "";
  for (const { text: cluster, width } of clusters) {
    if (used + width > columns) break;
    used += width;
    kept += cluster;
  }
  return `${kept}\u2026`;
}

/**
 * Breaks a safe line into rows of at most `columns`, at spaces where there are any.
 * @param columns at least 2, so that every character fits
 * @param taken columns of the first row that are taken already
 */
export function wrap(line: string, columns: number, taken = 0): string[] {
  const rows: string[] = [];
  let row: Cluster[] = [];
  let used = taken;
  let breakAt = 0;
  const flush = (upTo: number): void => {
    rows.push(
      row
        .slice(0, upTo)
        .map((one) => one.text)
        .join("")
        .trimEnd(),
    );
    row = row.slice(upTo);
    used = row.reduce((sum, one) => sum + one.width, 0);
    breakAt = 0;
  };
  for (const cluster of clustersOf(line)) {
    const isSpace = cluster.text === " ";
    // The space at which a row ends needs no column.
    while (used + cluster.width > columns && !isSpace) flush(breakAt > 0 ? breakAt : row.length);
    row.push(cluster);
    used += cluster.width;
    if (isSpace) breakAt = row.length;
    if (isSpace && used > columns) flush(row.length);
  }
  if (row.length > 0 || rows.length === 0) flush(row.length);
  return rows;
}

// --- writing from right to left -----------------------------------------------------------------

/** Letters of the scripts that run from right to left, and the numbers that go with them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

/** A row so that a terminal which orders text reorders nothing around it. */
export function isolated(row: string): string {
  return RIGHT_TO_LEFT.test(row) ? FIRST_STRONG_ISOLATE + row + POP_ISOLATE : row;
}
