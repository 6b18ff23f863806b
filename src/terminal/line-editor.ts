/**
 * The line somebody writes: its characters, the cursor between them, and what was written before.
 *
 * This file owns editing as pure functions from a draft and a key to a draft. It must never know a screen
 * or what becomes of a finished line.
 */

import { DRAFT_CLUSTERS_MAX, DRAFT_HISTORY_MAX } from "../client-limits.ts";
import type { Key, KeyName } from "./keys.ts";
import { type Cluster, clustersOf } from "./safe-text.ts";

/** What is being written. */
export interface Draft {
  /** The text itself, character by character as a person counts; may hold line breaks. */
  readonly clusters: readonly string[];
  /** The cursor stands before this character. */
  readonly cursor: number;
  /** Lines sent before, oldest first. */
  readonly history: readonly string[];
  /** Which of them is shown; `history.length` = none. */
  readonly shown: number;
  /** What was being written when one of them was called up. */
  readonly kept: string;
}

export const EMPTY_DRAFT: Draft = { clusters: [], cursor: 0, history: [], shown: 0, kept: "" };

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const UNWANTED = /[^\P{Cc}\n\t]|\p{Cs}/gu;

export function textOf(draft: Draft): string {
  return draft.clusters.join("");
}

/** What a key makes of a draft. Keys that are not the editor's change nothing. */
export function edit(draft: Draft, key: Key): Draft {
  if (key.type !== "key") return insert(draft, key.text);
  return EDITS[key.key]?.(draft) ?? draft;
}

/** The draft is done with: it is remembered and a new one begins. */
export function finish(draft: Draft): Draft {
  const text = textOf(draft);
  const isNews = text.trim() !== "" && draft.history.at(-1) !== text;
  const history = isNews ? [...draft.history, text].slice(-DRAFT_HISTORY_MAX) : draft.history;
  return { clusters: [], cursor: 0, history, shown: history.length, kept: "" };
}

function insert(draft: Draft, text: string): Draft {
  const clean = text.replace(/\r\n?/g, "\n").replace(UNWANTED, "");
  // What is inserted may join with the character before it, as a combining mark does.
  const before = draft.clusters.slice(0, draft.cursor).join("") + clean;
  const after = draft.clusters.slice(draft.cursor).join("");
  const left = segments(before);
  const clusters = segments(before + after);
  if (clusters.length > DRAFT_CLUSTERS_MAX) return draft;
  return { ...draft, clusters, cursor: Math.min(left.length, clusters.length) };
}

function segments(text: string): string[] {
  return Array.from(GRAPHEMES.segment(text), ({ segment }) => segment);
}

type Edit = (draft: Draft) => Draft;

const isWord = (cluster: string | undefined): boolean => cluster !== undefined && /[\p{L}\p{N}\p{M}_]/u.test(cluster);

function wordLeft({ clusters, cursor }: Draft): number {
  let at = cursor;
  while (at > 0 && !isWord(clusters[at - 1])) at -= 1;
  while (at > 0 && isWord(clusters[at - 1])) at -= 1;
  return at;
}

function wordRight({ clusters, cursor }: Draft): number {
  let at = cursor;
  while (at < clusters.length && !isWord(clusters[at])) at += 1;
  while (at < clusters.length && isWord(clusters[at])) at += 1;
  return at;
}

/** As shells do: back to white space. */
function shellWordLeft({ clusters, cursor }: Draft): number {
  let at = cursor;
  while (at > 0 && /\s/.test(clusters[at - 1] ?? "")) at -= 1;
  while (at > 0 && !/\s/.test(clusters[at - 1] ?? "")) at -= 1;
  return at;
}

function lineStart({ clusters, cursor }: Draft): number {
  return clusters.lastIndexOf("\n", cursor - 1) + 1;
}

function lineEnd({ clusters, cursor }: Draft): number {
  const end = clusters.indexOf("\n", cursor);
  return end === -1 ? clusters.length : end;
}

function moved(draft: Draft, cursor: number): Draft {
  return { ...draft, cursor: Math.max(0, Math.min(cursor, draft.clusters.length)) };
}

function cut(draft: Draft, from: number, to: number): Draft {
  const clusters = segments([...draft.clusters.slice(0, from), ...draft.clusters.slice(to)].join(""));
  return { ...draft, clusters, cursor: Math.min(Math.max(0, from), clusters.length) };
}

/** Calls up another line of the past, or what was being written before. */
function recall(draft: Draft, shown: number): Draft {
  if (shown < 0 || shown > draft.history.length) return draft;
  const kept = draft.shown === draft.history.length ? textOf(draft) : draft.kept;
  const clusters = segments(draft.history[shown] ?? kept);
  return { ...draft, clusters, cursor: clusters.length, shown, kept };
}

const EDITS: Partial<Record<KeyName, Edit>> = {
  newline: (draft) => insert(draft, "\n"),
  left: (draft) => moved(draft, draft.cursor - 1),
  right: (draft) => moved(draft, draft.cursor + 1),
  home: (draft) => moved(draft, lineStart(draft)),
  end: (draft) => moved(draft, lineEnd(draft)),
  word_left: (draft) => moved(draft, wordLeft(draft)),
  word_right: (draft) => moved(draft, wordRight(draft)),
  backspace: (draft) => (draft.cursor === 0 ? draft : cut(draft, draft.cursor - 1, draft.cursor)),
  delete: (draft) => cut(draft, draft.cursor, draft.cursor + 1),
  delete_word_left: (draft) => cut(draft, shellWordLeft(draft), draft.cursor),
  delete_word_right: (draft) => cut(draft, draft.cursor, wordRight(draft)),
  delete_line_left: (draft) => cut(draft, lineStart(draft), draft.cursor),
  delete_line_right: (draft) => cut(draft, draft.cursor, lineEnd(draft)),
  up: (draft) => recall(draft, draft.shown - 1),
  down: (draft) => recall(draft, draft.shown + 1),
};

// --- on a screen ----------------------------------------------------------------------------------

/** A draft as rows, and where among them the cursor stands. */
export interface DraftRows {
  readonly rows: readonly string[];
  /** Zero-based. */
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

/**
 * Breaks a draft into rows at its line breaks and at the edge.
 * @param columns at least 3: a wide character and the cursor
 */
export function layOutDraft(draft: Draft, columns: number): DraftRows {
  const rows: string[] = [];
  let row = "";
  let used = 0;
  let cursorRow = 0;
  let cursorColumn = 0;
  const next = (): void => {
    rows.push(row);
    row = "";
    used = 0;
  };
  for (const [at, cluster] of [...draft.clusters, ""].entries()) {
    const shown: readonly Cluster[] = cluster === "\t" ? clustersOf("    ") : clustersOf(cluster.replace(/\n/g, ""));
    // The cursor after the last character needs a column too.
    if (used + (shown[0]?.width ?? 1) > columns) next();
    if (at === draft.cursor) [cursorRow, cursorColumn] = [rows.length, used];
    // What is shown in place of a character may be longer than a row.
    for (const { text, width } of shown) {
      if (used + width > columns) next();
      row += text;
      used += width;
    }
    if (cluster === "\n") next();
  }
  rows.push(row);
  return { rows, cursorRow, cursorColumn };
}
