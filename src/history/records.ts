/**
 * What is written down: rooms with the two who were in them, and lines. Writing the same again changes
 * nothing, whoever does it and however late.
 *
 * This file owns that writing. It must never write anything of somebody who was forgotten.
 */
import type { Line } from "../domain/state.ts";
import type { Ask } from "./database.ts";
import type { Dialect } from "./dialect.ts";

/** One of the two in a room, as they were when it opened. */
export interface PersonRecord {
  /** Who it was, beyond a chosen id that others may have later; undefined if that is not known any more. */
  readonly identity: string | undefined;
  /** Empty if they have been forgotten. */
  readonly userId: string;
  readonly displayName: string;
  readonly kind: string;
}

export interface RoomRecord {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  readonly people: readonly [PersonRecord, PersonRecord];
  readonly closed: { readonly at: number; readonly reason: string; readonly messages: number } | undefined;
}

/** Which of the two: their place among a room's members. */
export type Side = 0 | 1;

/** One thing to be written. A line is the lobby's own object: it is never copied. */
export type Item =
  | { readonly type: "room"; readonly room: RoomRecord }
  | { readonly type: "line"; readonly line: Line; readonly side: Side };

/** Writes items, in a transaction of their own. A line of a room that is not known is left out. */
export async function writeItems(ask: Ask, dialect: Dialect, items: readonly Item[]): Promise<void> {
  if (dialect.together !== undefined) await ask(dialect.together);
  const rooms = new Map<string, RoomRecord>();
  const lines = new Map<string, readonly (string | number)[]>();
  for (const item of items) {
    // The later one of the same room knows more.
    if (item.type === "room") rooms.set(item.room.id, item.room);
    else lines.set(`${item.line.body.room} ${item.line.body.seq}`, lineRow(item.line, item.side));
  }
  if (rooms.size > 0) {
    await ask(writeRooms(dialect), JSON.stringify([...rooms.values()].map(roomRow)));
    await ask(writePeople(dialect), JSON.stringify([...rooms.values()].flatMap(peopleRows)));
  }
  if (lines.size > 0) await ask(writeLines(dialect), JSON.stringify([...lines.values()]));
}

function roomRow({ id, openedAt, closed }: RoomRecord): readonly (string | number | null)[] {
  return [id, openedAt, closed?.at ?? null, closed?.reason ?? null, closed?.messages ?? null];
}

function peopleRows({ id, people }: RoomRecord): (readonly (string | number | null)[])[] {
  return people.map(({ identity, userId, displayName, kind }, side) => {
    // Of somebody who was forgotten meanwhile nothing is left but that there was somebody.
    const isKnown = userId !== "";
    return [id, side, identity ?? null, isKnown ? userId : null, isKnown ? displayName : null, isKnown ? kind : null];
  });
}

function lineRow({ at, body }: Line, side: Side): readonly (string | number)[] {
  return [body.room, body.seq, side, body.messageId, body.message, at];
}

const writeRooms = ({ rows }: Dialect): string => `
  INSERT INTO mcp_chat_rooms (id, opened_at, closed_at, reason, messages)
  SELECT value->>0, CAST(value->>1 AS BIGINT), CAST(value->>2 AS BIGINT), value->>3, CAST(value->>4 AS BIGINT)
  FROM ${rows("$1")} WHERE true
  ON CONFLICT (id) DO UPDATE
  SET closed_at = excluded.closed_at, reason = excluded.reason, messages = excluded.messages
  WHERE excluded.closed_at > coalesce(mcp_chat_rooms.closed_at, 0)`;

const writePeople = ({ rows }: Dialect): string => `
  INSERT INTO mcp_chat_people (room, side, identity, user_id, display_name, kind, forgotten)
  SELECT r.number, p.side,
    CASE WHEN f.identity IS NULL THEN p.identity END,
    CASE WHEN f.identity IS NULL THEN p.user_id END,
    CASE WHEN f.identity IS NULL THEN p.display_name END,
    CASE WHEN f.identity IS NULL THEN p.kind END,
    CASE WHEN f.identity IS NULL AND p.user_id IS NOT NULL THEN 0 ELSE 2 END
  FROM (
    SELECT value->>0 AS room, CAST(value->>1 AS SMALLINT) AS side, value->>2 AS identity,
      value->>3 AS user_id, value->>4 AS display_name, value->>5 AS kind
    FROM ${rows("$1")}
  ) p
  JOIN mcp_chat_rooms r ON r.id = p.room
  LEFT JOIN mcp_chat_forgotten f ON f.identity = p.identity
  WHERE true
  ON CONFLICT (room, side) DO NOTHING`;

/** A journal that has lost its end gives numbers a second time: the later message is the one that was said. */
const writeLines = ({ rows }: Dialect): string => `
  INSERT INTO mcp_chat_lines (room, seq, side, message_id, text, at)
  SELECT r.number, l.seq, l.side,
    CASE WHEN p.forgotten = 0 THEN l.message_id END,
    CASE WHEN p.forgotten = 0 THEN l.text END,
    l.at
  FROM (
    SELECT value->>0 AS room, CAST(value->>1 AS BIGINT) AS seq, CAST(value->>2 AS SMALLINT) AS side,
      value->>3 AS message_id, value->>4 AS text, CAST(value->>5 AS BIGINT) AS at
    FROM ${rows("$1")}
  ) l
  JOIN mcp_chat_rooms r ON r.id = l.room
  JOIN mcp_chat_people p ON p.room = r.number AND p.side = l.side
  WHERE true
  ON CONFLICT (room, seq) DO UPDATE
  SET side = excluded.side, message_id = excluded.message_id, text = excluded.text, at = excluded.at
  WHERE mcp_chat_lines.message_id <> excluded.message_id AND mcp_chat_lines.at <= excluded.at`;
