/**
 * What was said in a room, from the lobby and from the history as one: the lobby has the latest messages, the
 * history those it has let go of, and rooms it knows no more.
 *
 * This file owns where the one ends and the other begins. It must never wait for the history if the lobby
 * has all that is asked for.
 */
import type { Refusal } from "../domain/refusal.ts";
import type { Lobby, User } from "../domain/state.ts";
import { readTranscript, type TranscriptPage } from "../domain/transcript.ts";
import type { History } from "../history/history.ts";
import type { HistoryLine, HistoryRoom, Stretch } from "../history/reading.ts";
import { HISTORY_RETRY_AFTER_MS } from "../history-limits.ts";
import { Unavailable } from "../mcp/unavailable.ts";
import { type LineView, lineView, timestampOf } from "./render.ts";

/** What is asked for: lines of a room before one of them, so many at most. */
export interface ConversationRequest {
  readonly room: string;
  readonly before: number | undefined;
  readonly limit: number;
}

/** Lines of a room, oldest first. */
export interface Conversation {
  readonly lines: readonly LineView[];
  /** Whether older ones are kept. */
  readonly hasMore: boolean;
  /** Messages that were said and never written down. */
  readonly missing: readonly Stretch[];
  /** The room, if the lobby knows it no more. */
  readonly former: HistoryRoom | undefined;
}

/** Reads for a user; what needs the history comes later, and rejects with `Unavailable` while that does not answer. */
export function readConversation(
  history: History | undefined,
  lobby: Lobby,
  user: User,
  request: ConversationRequest,
): Conversation | Refusal | Promise<Conversation | Refusal> {
  const { room, before, limit } = request;
  const latest = readTranscript(lobby, user, room, before, limit);
  if ("type" in latest) {
    if (history === undefined) return latest;
    const asked = history.page(user.tokenHash, { room, before, limit, said: undefined });
    return asked.then(
      (found) => (found === undefined ? latest : conversationOf(found.page, [], found.room)),
      (problem: unknown) => rejectUnavailable(problem, false),
    );
  }
  const lines = latest.lines.map(lineView);
  const isAll = latest.hasMore || latest.keptFrom === 1 || (before ?? 2) <= 1;
  if (history === undefined || isAll) return { lines, hasMore: latest.hasMore, missing: [], former: undefined };
  return readEarlier(history, user, request, latest, lines);
}

/** The lobby has some of it, or none, and knows of nothing before. */
async function readEarlier(
  history: History,
  user: User,
  { room, before = Number.POSITIVE_INFINITY, limit }: ConversationRequest,
  { keptFrom, said }: TranscriptPage,
  lines: readonly LineView[],
): Promise<Conversation> {
  const rest = { room, before: Math.min(before, keptFrom), limit: limit - lines.length, said };
  try {
    const found = await history.page(user.tokenHash, rest);
    return conversationOf(found?.page ?? { lines: [], hasMore: false, missing: [] }, lines, undefined);
  } catch (problem) {
    // What is here is given; who wants more finds out with the next call.
    if (lines.length > 0 && isUnavailable(problem)) return { lines, hasMore: true, missing: [], former: undefined };
    return rejectUnavailable(problem, false);
  }
}

function conversationOf(
  page: {
    readonly lines: readonly HistoryLine[];
    readonly hasMore: boolean;
    readonly missing: readonly Stretch[];
  },
  latest: readonly LineView[],
  former: HistoryRoom | undefined,
): Conversation {
  return { lines: [...page.lines.map(earlierView), ...latest], hasMore: page.hasMore, missing: page.missing, former };
}

function earlierView({ seq, messageId, from, message, at }: HistoryLine): LineView {
  return { seq, message_id: messageId, from, message, timestamp: timestampOf(at) };
}

/** In words: which messages could not be kept. Empty if none is missing. */
export function describeMissing(missing: readonly Stretch[]): string {
  if (missing.length === 0) return "";
  const which = missing.map(({ from, to }) => (from === to ? String(from) : `${from} to ${to}`)).join(", ");
  return `Not kept, though they were said: message ${which}. `;
}

/** Goes on with something that is rejected so if the history does not answer. */
export function rejectUnavailable(problem: unknown, isUncertain: boolean): never {
  if (isUnavailable(problem)) throw new Unavailable(HISTORY_RETRY_AFTER_MS, isUncertain);
  throw problem;
}

/** By its name: of the history only types are known here. */
function isUnavailable(problem: unknown): boolean {
  return problem instanceof Error && problem.name === "HistoryUnavailable";
}
