/**
 * A screen's state laid out: which text stands in which row, in what style, and where the cursor is.
 *
 * This file owns the layout as a pure function. Every row begins with a mark that only this file sets, so
 * that no stranger's line can look like one of ours. It must never emit a control character.
 */

import { DRAFT_ROWS_MAX } from "../client-limits.ts";
import type { Entry } from "./entry.ts";
import { layOutDraft } from "./line-editor.ts";
import { fit, isolated, oneLine, safeLines, widthOf, wrap } from "./safe-text.ts";
import type { ScreenState } from "./screen-state.ts";
import { describeSituation } from "./status.ts";

export type Style = "plain" | "faint" | "system" | "problem" | "stranger" | "own" | "status";

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Row = readonly Span[];

export interface Frame {
  /** As many as the screen has. */
  readonly rows: readonly Row[];
  /** Zero-based. */
  readonly cursor: { readonly row: number; readonly column: number };
  /** Rows of the whole transcript, and those of it a page shows. */
  readonly transcriptRows: number;
  readonly pageRows: number;
}

/** Below this the time of day is left out. */
const COLUMNS_FOR_TIME = 60;
/** Below these there is nothing sensible to show. */
const COLUMNS_MIN = 8;
const ROWS_MIN = 4;
const NAME_COLUMNS_MAX = 20;
const PROMPT = "> ";

const LABEL_ENDS = ": ";
const STRANGER_MARK = "\u2503 ";
const MARKS = { system: "* ", problem: "! " };
const OWN_MARKS = { pending: "\u2026 ", sent: "> ", failed: "\u2717 " };

/** Lays out a screen. @param now milliseconds since the epoch */
export function layOut(state: ScreenState, now: number): Frame {
  const columns = Math.max(COLUMNS_MIN, state.columns);
  const rows = Math.max(ROWS_MIN, state.rows);
  const draft = layOutDraft(state.draft, columns - PROMPT.length);
  const draftRows = Math.min(draft.rows.length, DRAFT_ROWS_MAX, Math.max(1, Math.floor(rows / 3)));
  const firstRow = Math.min(Math.max(0, draft.cursorRow - draftRows + 1), draft.rows.length - draftRows);
  const pageRows = rows - draftRows - 1;

  const transcript = state.entries.map((entry) => layOutEntry(entry, columns));
  const transcriptRows = transcript.reduce((sum, one) => sum + one.length, 0);
  const page = pageOf(transcript, pageRows, Math.min(state.scrolled, Math.max(0, transcriptRows - pageRows)));
  const blank = Array.from({ length: pageRows - page.length }, (): Row => []);
  const prompt = draft.rows.slice(firstRow, firstRow + draftRows).map((text, at): Row => {
    const mark = at + firstRow === 0 ? PROMPT : "  ";
    return [
      { text: mark, style: "own" },
      { text, style: "plain" },
    ];
  });
  return {
    rows: [...page, ...blank, statusRow(state, columns, now), ...prompt],
    cursor: { row: pageRows + 1 + draft.cursorRow - firstRow, column: PROMPT.length + draft.cursorColumn },
    transcriptRows,
    pageRows,
  };
}

/** The rows on the page: the newest, or as many further up as scrolled. */
function pageOf(transcript: readonly (readonly Row[])[], pageRows: number, scrolled: number): Row[] {
  const rows: Row[] = [];
  let below = scrolled;
  for (let at = transcript.length - 1; at >= 0 && rows.length < pageRows; at -= 1) {
    const entry = transcript[at] ?? [];
    const visible = below > 0 ? entry.slice(0, Math.max(0, entry.length - below)) : entry;
    below = Math.max(0, below - entry.length);
    rows.unshift(...visible);
  }
  return rows.slice(-pageRows);
}

// --- entries --------------------------------------------------------------------------------------

/** Laid out once for each width: an entry never changes. */
const laidOut = new WeakMap<Entry, { readonly columns: number; readonly rows: readonly Row[] }>();

function layOutEntry(entry: Entry, columns: number): readonly Row[] {
  const known = laidOut.get(entry);
  if (known?.columns === columns) return known.rows;
  const rows = entryRows(entry, columns);
  laidOut.set(entry, { columns, rows });
  return rows;
}

function entryRows(entry: Entry, columns: number): Row[] {
  const time = columns < COLUMNS_FOR_TIME ? "" : `${timeOfDay(entry.at)} `;
  const width = columns - time.length - 2;
  const label = labelOf(entry, width);
  const [first = "", ...others] = safeLines(entry.text);
  // What does not fit beside a long name begins below it.
  const beside = label === "" ? 0 : widthOf(label) + LABEL_ENDS.length;
  const texts = [...wrap(first, width, beside), ...others.flatMap((line) => wrap(line, width))];
  return texts.map((text, at): Row => {
    const gutter: Row = [
      { text: at === 0 ? time : " ".repeat(time.length), style: "faint" },
      { text: markOf(entry, at), style: entry.voice },
    ];
    const name: Row = at === 0 && label !== "" ? [{ text: isolated(label) + LABEL_ENDS, style: "stranger" }] : [];
    return [...gutter, ...name, { text: isolated(text), style: bodyStyle(entry) }];
  });
}

function labelOf({ voice, name }: Entry, width: number): string {
  if (voice !== "stranger" || name === undefined) return "";
  return fit(oneLine(name), Math.min(NAME_COLUMNS_MAX, width - LABEL_ENDS.length));
}

/** A stranger's mark stands in every row, so that none of theirs begins with anything else. */
function markOf({ voice, fate = "sent" }: Entry, row: number): string {
  if (voice === "stranger") return STRANGER_MARK;
  if (row > 0) return "  ";
  return voice === "own" ? OWN_MARKS[fate] : MARKS[voice];
}

function bodyStyle({ voice, fate }: Entry): Style {
  if (voice === "own") return fate === "pending" ? "faint" : "plain";
  return voice === "stranger" ? "plain" : voice;
}

function timeOfDay(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
}

// --- the status line ------------------------------------------------------------------------------

const RULE = "\u2500";

function statusRow({ situation, unseen, scrolled }: ScreenState, columns: number, now: number): Row {
  const { parts, name } = describeSituation(situation, now);
  const back = scrolled > 0 ? [unseen > 0 ? `${unseen} new below` : "scrolled back"] : [];
  const all = [...back, ...parts];
  let said = "";
  for (const part of all) {
    const next = said === "" ? part : `${said} \u00b7 ${part}`;
    // What does not fit is left out, the least important first.
    if (said !== "" && widthOf(next) > columns - 6) break;
    said = next;
  }
  const head = `${RULE}${RULE} ${fit(said, columns - 6)} `;
  // The name is the stranger's: it comes last and is marked as in the transcript.
  const room = columns - widthOf(head) - 4;
  const shown = name === undefined || room < 4 ? "" : fit(oneLine(name), Math.min(room, NAME_COLUMNS_MAX));
  const tail: Row =
    shown === ""
      ? []
      : [
          { text: STRANGER_MARK, style: "stranger" },
          { text: `${isolated(shown)} `, style: "plain" },
        ];
  const used = widthOf(head) + (shown === "" ? 0 : widthOf(shown) + 3);
  return [
    { text: head, style: "status" },
    ...tail,
    { text: RULE.repeat(Math.max(0, columns - used)), style: "status" },
  ];
}
