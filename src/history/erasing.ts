/**
 * What is taken out again: everything of somebody who wishes to be forgotten, and what is older than is
 * kept. Both in slices, so that nobody waits long for one.
 *
 * This file owns those slices. Whoever is forgotten is so from the first of them on: what is written of
 * them later is written without their words and name.
 */
import { HISTORY_SLICE_LINES } from "../history-limits.ts";
import type { Ask, Database } from "./database.ts";

/**
 * Notes that somebody is forgotten: from now on nothing of theirs is read or written. Their lines remain to
 * be erased (`eraseSlice`).
 * @param at milliseconds since the epoch
 */
export async function forget(database: Database, identity: string, at: number): Promise<void> {
  const { alone } = database.dialect;
  await database.write(async (ask) => {
    // Whoever began to write before does not know of this yet.
    if (alone !== undefined) await ask(alone);
    await ask(
      "INSERT INTO mcp_chat_forgotten (identity, at) VALUES ($1, $2) ON CONFLICT (identity) DO NOTHING",
      identity,
      at,
    );
    await ask(
      `UPDATE mcp_chat_people SET identity = NULL, user_id = NULL, display_name = NULL, kind = NULL, forgotten = 1
       WHERE identity = $1`,
      identity,
    );
  }, true);
}

export async function isForgotten(ask: Ask, identity: string): Promise<boolean> {
  const { rows } = await ask("SELECT 1 AS found FROM mcp_chat_forgotten WHERE identity = $1", identity);
  return rows.length > 0;
}

/** Erases some lines of those who are forgotten. @returns whether none are left */
export function eraseSlice(database: Database): Promise<boolean> {
  return database.write(async (ask) => {
    const { rows } = await ask("SELECT room, side FROM mcp_chat_people WHERE forgotten = 1 LIMIT 1");
    const [person] = rows;
    if (person === undefined) return true;
    const [room, side] = [Number(person.room), Number(person.side)];
    const { count } = await ask(
      `UPDATE mcp_chat_lines SET text = NULL, message_id = NULL WHERE room = $1 AND seq IN (
         SELECT seq FROM mcp_chat_lines WHERE room = $1 AND side = $2 AND text IS NOT NULL LIMIT ${HISTORY_SLICE_LINES}
       )`,
      room,
      side,
    );
    if (count < HISTORY_SLICE_LINES) {
      await ask("UPDATE mcp_chat_people SET forgotten = 2 WHERE room = $1 AND side = $2", room, side);
    }
    return false;
  }, true);
}

/**
 * Lets go of some of what is older.
 * @param before milliseconds since the epoch
 * @returns whether nothing older is left
 */
export function dropSlice(database: Database, before: number): Promise<boolean> {
  return database.write(async (ask) => {
    const lines = await ask(
      `DELETE FROM mcp_chat_lines WHERE (room, seq) IN (
         SELECT room, seq FROM mcp_chat_lines WHERE at < $1 ORDER BY at LIMIT ${HISTORY_SLICE_LINES}
       )`,
      before,
    );
    if (lines.count >= HISTORY_SLICE_LINES) return false;
    const rooms = await ask(
      `SELECT number FROM mcp_chat_rooms r WHERE coalesce(closed_at, opened_at) < $1
         AND NOT EXISTS (SELECT 1 FROM mcp_chat_lines l WHERE l.room = r.number)
       ORDER BY coalesce(closed_at, opened_at) LIMIT ${HISTORY_SLICE_LINES}`,
      before,
    );
    const numbers = JSON.stringify(rooms.rows.map(({ number }) => [Number(number)]));
    const these = `(SELECT CAST(value->>0 AS BIGINT) FROM ${database.dialect.rows("$1")})`;
    await ask(`DELETE FROM mcp_chat_people WHERE room IN ${these}`, numbers);
    await ask(`DELETE FROM mcp_chat_rooms WHERE number IN ${these}`, numbers);
    const forgotten = await ask(
      `DELETE FROM mcp_chat_forgotten WHERE identity IN (
         SELECT identity FROM mcp_chat_forgotten WHERE at < $1 LIMIT ${HISTORY_SLICE_LINES}
       )`,
      before,
    );
    return rooms.rows.length < HISTORY_SLICE_LINES && forgotten.count < HISTORY_SLICE_LINES;
  });
}
