/**
 * The lines of a conversation: what they are, how they are kept in order and within bounds, and how
 * they read as plain text.
 *
 * This file owns the list. It must never decide what happens.
 */
import { LINES_MAX } from "./limits.ts";

/** What the page itself has to say in a conversation. Its wording is elsewhere. */
export type Notice =
  | "met"
  | "away"
  | "back"
  | "left"
  | "timeout"
  | "closed"
  | "moderation"
  | "limit"
  | "server"
  | "you_left"
  | "you_blocked"
  | "you_reported"
  /** Found closed after a break. */
  | "found_over"
  /** The server does not know this person any more. */
  | "forgotten"
  /** Events are missing. */
  | "gap"
  | "announcement";

export interface PartnerLine {
  readonly from: "partner";
  /** The message's id. */
  readonly key: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Number of the message in its room. */
  readonly seq: number;
}

export interface OwnLine {
  readonly from: "me";
  /** The `client_message_id`, the same for every attempt to send it. */
  readonly key: string;
  readonly text: string;
  readonly at: number;
  /** `held`: the server has it, and the partner was not connected. */
  readonly delivery: "sending" | "sent" | "held" | "failed";
  /** Why it failed: the code of a refusal, or `over`. */
  readonly problem?: string;
  readonly seq?: number;
}

export interface SystemLine {
  readonly from: "system";
  readonly key: string;
  readonly notice: Notice;
  readonly at: number;
  /** What the operator says, for an announcement. */
  readonly words?: string;
}

export type Line = PartnerLine | OwnLine | SystemLine;

interface WithLines {
  readonly lines: readonly Line[];
  readonly shortened: boolean;
}

/** With the line at the end; the oldest goes if there are too many. */
export function appendLine<S extends WithLines>(state: S, line: Line): S {
  return bounded(state, [...state.lines, line]);
}

/** With a message at the place its number gives it, for one that comes late. */
export function placeInOrder<S extends WithLines>(state: S, line: PartnerLine): S {
  const { lines } = state;
  let at = lines.findIndex((one) => one.from !== "system" && one.seq !== undefined && one.seq > line.seq);
  if (at === -1) at = lines.findLastIndex((one) => one.from !== "system") + 1;
  // Nothing was said yet: after the notice that begins the conversation.
  if (at === 0 && lines.length > 0 && lines[0]?.from === "system") at = 1;
  return bounded(state, [...lines.slice(0, at), line, ...lines.slice(at)]);
}

/** With this person's line of that key changed. */
export function updateOwn<S extends WithLines>(state: S, key: string, change: (line: OwnLine) => OwnLine): S {
  const at = state.lines.findIndex((line) => line.from === "me" && line.key === key);
  const line = state.lines[at];
  if (line?.from !== "me") return state;
  return { ...state, lines: state.lines.with(at, change(line)) };
}

function bounded<S extends WithLines>(state: S, lines: readonly Line[]): S {
  if (lines.length <= LINES_MAX) return { ...state, lines };
  return { ...state, lines: lines.slice(-LINES_MAX), shortened: true };
}
