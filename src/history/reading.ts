/**
 * What is read: pages of one room, for somebody who was in it.
 *
 * This file owns those questions. It must never give anything to anybody by a chosen id alone: ids are
 * used again.
 */
import type { Participant } from "../domain/event.ts";
import { HISTORY_GAPS_MAX } from "../history-limits.ts";
import type { Ask } from "./database.ts";

/** A stretch of messages, by their numbers, both included. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface HistoryLine {
  readonly seq: number;
  readonly messageId: string;
  /** Who wrote it, as they were called in the room. */
  readonly from: string;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Lines of a room, oldest first. */
export interface HistoryPage {
  readonly lines: readonly HistoryLine[];
  /** Whether older ones are kept. */
  readonly hasMore: boolean;
  /** Messages among these, and after them up to where was asked for, that were never written down. */
  readonly missing: readonly Stretch[];
}

/** Who asks for what. */
export interface PageRequest {
  readonly room: string;
  readonly identity: string;
  /** Only lines with a lower number; undefined = up to the latest that is known. */
  readonly before: number | undefined;
  /** Lines at most. */
  readonly limit: number;
  /** Messages that were said in the room, if that is known otherwise. */
  readonly said: number | undefined;
}

/** A room as one of the two sees it. */
export interface HistoryRoom {
  readonly openedAt: number;
  readonly closed: { readonly at: number; readonly reason: string } | undefined;
  /** Messages in all, as far as is known. */
  readonly messages: number;
  /** What the other one was called; undefined if they are forgotten. */
  readonly partner: Participant | undefined;
}

/** A room as found for one of the two. */
interface Found extends HistoryRoom {
  readonly number: number;
  readonly side: number;
  readonly ownId: string;
}

async function find(ask: Ask, id: string, identity: string): Promise<Found | undefined> {
  const { rows } = await ask(
    `SELECT r.number, r.opened_at, r.closed_at, r.reason, me.side, me.user_id AS own_id,
       other.user_id, other.display_name, other.kind, other.forgotten,
       coalesce(r.messages, (SELECT max(seq) FROM mcp_chat_lines l WHERE l.room = r.number), 0) AS messages
     FROM mcp_chat_rooms r
     JOIN mcp_chat_people me ON me.room = r.number AND me.identity = $2
     LEFT JOIN mcp_chat_people other ON other.room = r.number AND other.side = 1 - me.side
     WHERE r.id = $1`,
    id,
    identity,
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const isKnown = row.user_id !== null && Number(row.forgotten) === 0;
  return {
    number: Number(row.number),
    side: Number(row.side),
    ownId: String(row.own_id),
    openedAt: Number(row.opened_at),
    closed: row.closed_at === null ? undefined : { at: Number(row.closed_at), reason: String(row.reason) },
    messages: Number(row.messages),
    partner: isKnown
      ? { userId: String(row.user_id), displayName: String(row.display_name), kind: kindOf(row.kind) }
      : undefined,
  };
}

/**
 * A room and a page of it; undefined if the one who asks was not in it.
 * @param keptSince what is older may be gone, and is not missed
 */
export async function readPage(
  ask: Ask,
  request: PageRequest,
  keptSince: number,
): Promise<{ readonly room: HistoryRoom; readonly page: HistoryPage } | undefined> {
  const room = await find(ask, request.room, request.identity);
  if (room === undefined) return undefined;
  const { limit } = request;
  const end = Math.min(request.before ?? Number.POSITIVE_INFINITY, Math.max(room.messages, request.said ?? 0) + 1);
  const { rows } = await ask(
    `SELECT seq, side, message_id, text, at FROM mcp_chat_lines
     WHERE room = $1 AND seq < $2 AND text IS NOT NULL AND (side = $3 OR $4 = 1)
     ORDER BY seq DESC LIMIT $5`,
    room.number,
    end,
    room.side,
    room.partner === undefined ? 0 : 1,
    limit + 1,
  );
  const hasMore = rows.length > limit;
  const lines = rows.slice(0, limit).map((row): HistoryLine => {
    const isOwn = Number(row.side) === room.side;
    return {
      seq: Number(row.seq),
      messageId: String(row.message_id),
      from: isOwn ? room.ownId : (room.partner?.userId ?? ""),
      message: String(row.text),
      at: Number(row.at),
    };
  });
  lines.reverse();
  const isWhole = room.openedAt > keptSince;
  const start = hasMore ? (lines[0]?.seq ?? 1) : isWhole ? 1 : await firstKept(ask, room.number);
  const missing = limit === 0 ? [] : await missingIn(ask, room.number, start, end);
  return { room, page: { lines, hasMore, missing } };
}

function kindOf(value: unknown): Participant["kind"] {
  return value === "human" || value === "agent" ? value : "unknown";
}

/** The lowest number that is known of a room. */
async function firstKept(ask: Ask, room: number): Promise<number> {
  const { rows } = await ask("SELECT min(seq) AS first FROM mcp_chat_lines WHERE room = $1", room);
  return Number(rows[0]?.first ?? 1);
}

/** Numbers from `start` up to, but not including, `end` of which there is nothing at all. What was erased has left its number. */
async function missingIn(ask: Ask, room: number, start: number, end: number): Promise<Stretch[]> {
  if (start >= end) return [];
  const { rows } = await ask(
    `SELECT earlier + 1 AS first, seq - 1 AS last FROM (
       SELECT seq, lag(seq, 1, CAST($2 AS BIGINT)) OVER (ORDER BY seq) AS earlier FROM (
         SELECT seq FROM mcp_chat_lines WHERE room = $1 AND seq >= $3 AND seq < $4
         UNION ALL SELECT CAST($4 AS BIGINT)
       ) known
     ) stretches WHERE seq > earlier + 1 ORDER BY seq LIMIT ${HISTORY_GAPS_MAX}`,
    room,
    start - 1,
    start,
    end,
  );
  return rows.map(({ first, last }) => ({ from: Number(first), to: Number(last) }));
}
