/**
 * Everything that is kept, or a part of it, as lines of JSON for the operator: each room, and after it what
 * was said in it.
 *
 * This file owns those lines and the way through the tables: a page at a time, so that it needs no more
 * memory for more. It must never show an identity.
 */
import { HISTORY_EXPORT_LINES } from "../history-limits.ts";
import type { Database, Row } from "./database.ts";

/** What is wanted; everything that is named must hold. */
export interface ExportFilter {
  readonly room?: string;
  /** Rooms in which somebody had this id: who has it now may be somebody else. */
  readonly user?: string;
  /** What was said, and rooms that were open, since then; milliseconds since the epoch. */
  readonly since?: number;
}

/** Rooms read at a time. */
const ROOMS = 50;

/** The lines, each with its line break, some at a time. @throws HistoryUnavailable */
export async function* exportLines(database: Database, filter: ExportFilter): AsyncGenerator<string, void, undefined> {
  for (let after = 0; ; ) {
    const { rows } = await database.read((ask) =>
      ask(
        `SELECT number, id, opened_at, closed_at, reason, messages FROM mcp_chat_rooms r
         WHERE number > $1 AND ($2 = '' OR id = $2) AND (closed_at IS NULL OR closed_at >= $3)
           AND ($4 = '' OR EXISTS (SELECT 1 FROM mcp_chat_people p WHERE p.room = r.number AND p.user_id = $4))
         ORDER BY number LIMIT ${ROOMS}`,
        after,
        filter.room ?? "",
        filter.since ?? 0,
        filter.user ?? "",
      ),
    );
    for (const room of rows) yield* exportRoom(database, room, filter.since ?? 0);
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROOMS) return;
    after = Number(last.number);
  }
}

async function* exportRoom(database: Database, room: Row, since: number): AsyncGenerator<string, void, undefined> {
  const number = Number(room.number);
  const people = await database.read((ask) =>
    ask("SELECT side, user_id, display_name, kind FROM mcp_chat_people WHERE room = $1 ORDER BY side", number),
  );
  const names = new Map(people.rows.map((person) => [Number(person.side), person.user_id]));
  yield line({
    type: "room",
    room_id: room.id,
    opened_at: timeOf(room.opened_at),
    closed_at: timeOf(room.closed_at),
    reason: room.reason,
    messages: room.messages === null ? null : Number(room.messages),
    participants: people.rows.map(({ user_id, display_name, kind }) => ({ user_id, display_name, kind })),
  });
  for (let after = 0; ; ) {
    const { rows } = await database.read((ask) =>
      ask(
        `SELECT seq, side, message_id, text, at FROM mcp_chat_lines
         WHERE room = $1 AND seq > $2 AND text IS NOT NULL AND at >= $3
         ORDER BY seq LIMIT ${HISTORY_EXPORT_LINES}`,
        number,
        after,
        since,
      ),
    );
    const texts = rows.map((row) =>
      line({
        type: "message",
        room_id: room.id,
        seq: Number(row.seq),
        message_id: row.message_id,
        from: names.get(Number(row.side)) ?? null,
        message: row.text,
        timestamp: timeOf(row.at),
      }),
    );
    if (texts.length > 0) yield texts.join("");
    const last = rows.at(-1);
    if (last === undefined || rows.length < HISTORY_EXPORT_LINES) return;
    after = Number(last.seq);
  }
}

function line(value: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(value)}\n`;
}

function timeOf(at: unknown): string | null {
  return at === null || at === undefined ? null : new Date(Number(at)).toISOString();
}
