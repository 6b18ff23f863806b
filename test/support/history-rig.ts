/**
 * A chat with a history, in a file or on a real PostgreSQL server, and the ways tests look into it.
 *
 * This file owns how histories of tests are declared, opened and closed. It must never replace a part of them.
 */
import { test } from "bun:test";
import { join } from "node:path";
import type { LobbySettings } from "../../src/domain/command.ts";
import { type HistoryOptions, SqlHistory } from "../../src/history/history.ts";
import type { HistoryPlace } from "../../src/history/place.ts";
import type { JsonObject } from "../../src/mcp/registry.ts";
import { ChatWorld } from "./chat-world.ts";
import { testAloneWith } from "./client-optional.ts";
import { POSTGRES_PROGRAMS, PostgresServer } from "./postgres-server.ts";
import { temporaryFolder } from "./program.ts";

/** How long one test may take, in milliseconds; generous, as a test machine may be busy. */
const TEST_MS_MAX = 60_000;
const DAY_MS = 24 * 3600 * 1000;

/** Makes a place where nothing is yet. */
export type MakePlace = () => Promise<HistoryPlace>;

let server: Promise<PostgresServer> | undefined;
let databases = 0;

/** The server of the run, started with the first test that needs it, and ended with the run. */
export function postgres(): Promise<PostgresServer> {
  server ??= PostgresServer.start();
  return server;
}

const PLACES: Readonly<Record<HistoryPlace["kind"], MakePlace>> = {
  sqlite: async () => ({ kind: "sqlite", path: join(temporaryFolder(), "history.db") }),
  postgres: async () => {
    const { url } = await postgres();
    const name = `history_${++databases}`;
    await asking({ kind: "postgres", url }, `CREATE DATABASE ${name}`);
    return { kind: "postgres", url: url.replace(/\/postgres$/, `/${name}`) };
  },
};

/** Declares a test for every kind of history. That of PostgreSQL is left out where there is none, and says so. */
export function historyTest(title: string, body: (make: MakePlace, kind: HistoryPlace["kind"]) => Promise<void>): void {
  test(`sqlite: ${title}`, () => body(PLACES.sqlite, "sqlite"), TEST_MS_MAX);
  postgresTest(`postgres: ${title}`, () => body(PLACES.postgres, "postgres"));
}

/** Declares a test of PostgreSQL alone. */
export function postgresTest(title: string, body: (make: MakePlace) => Promise<void>): void {
  testAloneWith(POSTGRES_PROGRAMS, title, () => body(PLACES.postgres), TEST_MS_MAX);
}

/** Asks a database something past the history, as an operator would. */
export async function asking(
  place: HistoryPlace,
  statement: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const sql =
    place.kind === "sqlite"
      ? new Bun.SQL({ adapter: "sqlite", filename: place.path })
      : new Bun.SQL(place.url, { max: 1 });
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.close({ timeout: 0 });
  }
}

/** Everything that these tables of a database hold, as one text. */
export async function everythingIn(place: HistoryPlace, tables: readonly string[]): Promise<string> {
  const rows: unknown[] = [];
  // One after another: whoever closes a file of SQLite last has it alone for a moment.
  for (const table of tables) rows.push(await asking(place, `SELECT * FROM mcp_chat_${table}`));
  return JSON.stringify(rows);
}

/** One line of a page: `3 Ann: hi` by the user ids of the people. */
export interface Page {
  readonly lines: readonly string[];
  readonly hasMore: boolean;
  readonly missing: unknown;
  readonly refusal: string | undefined;
}

export class HistoryRig implements AsyncDisposable {
  readonly world: ChatWorld;
  readonly history: SqlHistory;
  readonly log: string[];

  private constructor(world: ChatWorld, history: SqlHistory, log: string[]) {
    this.world = world;
    this.history = history;
    this.log = log;
  }

  static async open(
    place: HistoryPlace,
    settings: Partial<LobbySettings> = {},
    options: Partial<HistoryOptions> = {},
  ): Promise<HistoryRig> {
    const log: string[] = [];
    const line = (message: string, more?: object): number => log.push(`${message} ${JSON.stringify(more ?? {})}`);
    let now = (): number => 0;
    const history = await SqlHistory.open({
      place,
      retainDays: 30,
      log: { info: line, warn: line },
      now: () => now(),
      ...options,
    });
    // Records outlive what the lobby remembers of rooms.
    const world = new ChatWorld({ retainUserMs: 20 * DAY_MS, ...settings }, { history });
    now = () => world.clock.now();
    history.record(world.server.host);
    return new HistoryRig(world, history, log);
  }

  /** Two people who meet, by the ids they choose. */
  async meet(a: string, b: string): Promise<{ readonly room: string; readonly tokens: readonly [string, string] }> {
    const first = await this.enter(a);
    const second = await this.enter(b);
    const { room_id: room } = second.room as JsonObject;
    return { room: String(room), tokens: [String(first.session_token), String(second.session_token)] };
  }

  enter(userId: string): Promise<JsonObject> {
    return this.world.ask("enter_queue", { user_id: userId, display_name: userId.toUpperCase() });
  }

  async say(token: string, message: string): Promise<JsonObject> {
    return this.world.ask("send_message", { message, session_token: token });
  }

  /** So many messages, in turns. */
  async talk(tokens: readonly [string, string], count: number, from = 1): Promise<void> {
    for (let n = from; n < from + count; n++) await this.say(tokens[n % 2 === 1 ? 0 : 1], `message ${n}`);
  }

  async read(token: string, room: string, more: JsonObject = {}): Promise<Page> {
    const answer = await this.world.ask("get_history", { room_id: room, session_token: token, ...more });
    const messages = (answer.messages ?? []) as { seq: number; from: string; message: string }[];
    return {
      lines: messages.map(({ seq, from, message }) => `${seq} ${from}: ${message}`),
      hasMore: answer.has_more === true,
      missing: answer.missing,
      refusal: (answer.error as { code: string } | undefined)?.code,
    };
  }

  /** Lets so much time pass that the lobby has let go of every room that is closed. */
  async forgetRooms(): Promise<void> {
    await this.world.clock.pass(25 * 3600 * 1000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.history.close();
    this.world.server.stop();
  }
}
