/**
 * Everything a screen shows, as a value: the course of the chat, how far back it is scrolled, the draft and
 * the situation. What a key does to it is a pure function.
 *
 * This file owns that value. It must never read a clock, write a byte or know how a row looks.
 */

import { TRANSCRIPT_ENTRIES_MAX } from "../client-limits.ts";
import type { Entry } from "./entry.ts";
import type { Key } from "./keys.ts";
import { type Draft, EMPTY_DRAFT, edit, finish, textOf } from "./line-editor.ts";
import type { Situation } from "./status.ts";

export interface ScreenState {
  readonly columns: number;
  readonly rows: number;
  /** Oldest first. */
  readonly entries: readonly Entry[];
  /** Rows of the transcript below the screen; 0 = the newest is shown. */
  readonly scrolled: number;
  /** Entries that came while scrolled. */
  readonly unseen: number;
  readonly draft: Draft;
  readonly situation: Situation;
}

/** What a key asks of the outside. */
export type KeyEffect =
  | "none"
  | "typing"
  | "interrupt"
  | "end_of_input"
  | "suspend"
  | "redraw"
  | { readonly submit: string };

export function emptyScreen(columns: number, rows: number): ScreenState {
  return {
    columns,
    rows,
    entries: [],
    scrolled: 0,
    unseen: 0,
    draft: EMPTY_DRAFT,
    situation: {
      place: { at: "idle" },
      isConnected: false,
      retryAt: undefined,
      isPartnerTyping: false,
      isPartnerAway: false,
      unsent: 0,
    },
  };
}

/** Something more to show. Who has scrolled back stays where they are. */
export function addEntry(state: ScreenState, entry: Entry): ScreenState {
  const entries = [...state.entries, entry].slice(-TRANSCRIPT_ENTRIES_MAX);
  return { ...state, entries, unseen: state.scrolled > 0 ? state.unseen + 1 : 0 };
}

/** A message of one's own has arrived, or never will. */
export function settleEntry(state: ScreenState, messageId: string, fate: "sent" | "failed"): ScreenState {
  const at = state.entries.findLastIndex((entry) => entry.messageId === messageId);
  const entry = state.entries[at];
  return entry === undefined ? state : { ...state, entries: state.entries.with(at, { ...entry, fate }) };
}

/**
 * What a key does.
 * @param limits the rows of the transcript there are, and how many of them a page shows
 */
export function pressKey(
  state: ScreenState,
  key: Key,
  limits: { readonly transcriptRows: number; readonly pageRows: number },
): { readonly state: ScreenState; readonly effect: KeyEffect } {
  const plain = (effect: KeyEffect, next = state): { state: ScreenState; effect: KeyEffect } => ({
    state: next,
    effect,
  });
  if (key.type === "key") {
    switch (key.key) {
      case "enter": {
        const submit = textOf(state.draft);
        return plain({ submit }, { ...state, draft: finish(state.draft), scrolled: 0, unseen: 0 });
      }
      case "end_of_input":
        // As in shells: on an empty line the end, else the key that deletes.
        if (state.draft.clusters.length === 0) return plain("end_of_input");
        return plain("typing", { ...state, draft: edit(state.draft, { type: "key", key: "delete" }) });
      case "interrupt":
      case "suspend":
      case "redraw":
        return plain(key.key);
      case "page_up":
      case "page_down": {
        const step = Math.max(1, limits.pageRows - 1) * (key.key === "page_up" ? 1 : -1);
        const most = Math.max(0, limits.transcriptRows - limits.pageRows);
        const scrolled = Math.max(0, Math.min(most, state.scrolled + step));
        return plain("none", { ...state, scrolled, unseen: scrolled === 0 ? 0 : state.unseen });
      }
      case "escape":
        return plain("none", { ...state, scrolled: 0, unseen: 0 });
    }
  }
  const draft = edit(state.draft, key);
  const hasChanged = textOf(draft) !== textOf(state.draft);
  return plain(hasChanged ? "typing" : "none", { ...state, draft });
}
