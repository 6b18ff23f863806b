/**
 * The tables of the history, and how they came to be: one step a version, each in its own transaction.
 *
 * This file owns them. A step that has been released must never be changed: databases have it already.
 */
import type { Ask, Database } from "./database.ts";
import type { Dialect } from "./dialect.ts";
import { HistoryFault } from "./fault.ts";

/** The statements that lead from the version before to this one. */
export type Step = (dialect: Dialect) => readonly string[];

/**
 * Version 1. `forgotten` of a participant: 0 = no, 1 = their lines are still to be erased, 2 = they are. A line
 * without a text is one that was erased: its number shows that it was there.
 */
const tables: Step = ({ number }) => [
  `CREATE TABLE mcp_chat_rooms (
    number ${number},
    id TEXT NOT NULL UNIQUE,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    reason TEXT,
    messages BIGINT
  )`,
  "CREATE INDEX mcp_chat_rooms_age ON mcp_chat_rooms ((coalesce(closed_at, opened_at)))",
  `CREATE TABLE mcp_chat_people (
    room BIGINT NOT NULL,
    side SMALLINT NOT NULL,
    identity TEXT,
    user_id TEXT,
    display_name TEXT,
    kind TEXT,
    forgotten SMALLINT NOT NULL DEFAULT 0,
    PRIMARY KEY (room, side)
  )`,
  "CREATE INDEX mcp_chat_people_identity ON mcp_chat_people (identity) WHERE identity IS NOT NULL",
  "CREATE INDEX mcp_chat_people_user ON mcp_chat_people (user_id) WHERE user_id IS NOT NULL",
  "CREATE INDEX mcp_chat_people_forgotten ON mcp_chat_people (room, side) WHERE forgotten = 1",
  `CREATE TABLE mcp_chat_lines (
    room BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    side SMALLINT NOT NULL,
    message_id TEXT,
    text TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (room, seq)
  )`,
  "CREATE INDEX mcp_chat_lines_age ON mcp_chat_lines (at)",
  "CREATE TABLE mcp_chat_forgotten (identity TEXT PRIMARY KEY, at BIGINT NOT NULL)",
];

/** All steps; their number is the version. */
export const STEPS: readonly Step[] = [tables];

/**
 * Brings a database to the present version, from whichever it has.
 * @throws HistoryFault if that is a later one
 */
export async function upgrade(database: Database, steps: readonly Step[] = STEPS): Promise<void> {
  for (;;) {
    const isDone = await database.write((ask) => takeStep(ask, database.dialect, steps));
    if (isDone) return;
  }
}

/** @returns whether nothing was left to do */
async function takeStep(ask: Ask, dialect: Dialect, steps: readonly Step[]): Promise<boolean> {
  // Of several nodes that start at once, one does it.
  if (dialect.alone !== undefined) await ask(dialect.alone);
  await ask("CREATE TABLE IF NOT EXISTS mcp_chat_schema (version BIGINT NOT NULL)");
  const { rows } = await ask("SELECT version FROM mcp_chat_schema");
  const version = Number(rows[0]?.version ?? 0);
  if (version > steps.length) {
    throw new HistoryFault(
      `the history has version ${version}, and this mcp-chat knows up to ${steps.length}: start the newer one`,
    );
  }
  const step = steps[version];
  if (step === undefined) return true;
  for (const statement of step(dialect)) await ask(statement);
  await ask("DELETE FROM mcp_chat_schema");
  await ask("INSERT INTO mcp_chat_schema (version) VALUES ($1)", version + 1);
  return false;
}
