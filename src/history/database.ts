/**
 * The door to the database, through `Bun.SQL`: one connection writes, a transaction at a time, and others
 * read. SQLite does its work in the call that asks for it, PostgreSQL somewhere else and perhaps never.
 *
 * This file owns connections and how long anything may take. It must never know a table, and never let an
 * error of the driver out: whoever asks hears `HistoryUnavailable`.
 */
import { closeSync, openSync, statSync } from "node:fs";
import { SQL } from "bun";
import {
  HISTORY_CALL_MS_MAX,
  HISTORY_CONNECT_S_MAX,
  HISTORY_LOG_BYTES,
  HISTORY_READERS_MAX,
} from "../history-limits.ts";
import { emptyLog } from "./checkpoint.ts";
import { type Dialect, POSTGRES, SQLITE } from "./dialect.ts";
import { codeOf, HistoryFault, HistoryUnavailable } from "./fault.ts";
import { databaseOf, type HistoryPlace } from "./place.ts";

export type Parameter = string | number | null;
export type Row = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows that were changed. */
  readonly count: number;
}

/** One statement, with `$1`, `$2` for its parameters. */
export type Ask = (statement: string, ...parameters: readonly Parameter[]) => Promise<Answer>;

/** How long SQLite waits for another program that writes to the file, in milliseconds: the server stands still meanwhile. */
const BUSY_MS = 50;

export class Database {
  readonly dialect: Dialect;
  readonly #writer: Connections;
  readonly #reader: Connections;
  /** Undefined if this is no file. */
  readonly #path: string | undefined;
  /** Settles when whoever writes now is done. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(place: HistoryPlace, dialect: Dialect, writer: Connections, reader: Connections) {
    this.dialect = dialect;
    this.#path = place.kind === "sqlite" ? place.path : undefined;
    this.#writer = writer;
    this.#reader = reader;
  }

  /** Opens a database, which must be there, or a file, which is made. @throws what the system or the driver says */
  static async open(place: HistoryPlace, callMs = HISTORY_CALL_MS_MAX): Promise<Database> {
    const isFile = place.kind === "sqlite";
    // What people said is nobody else's to read.
    if (isFile) closeSync(openSync(place.path, "a", 0o600));
    const dialect = isFile ? SQLITE : POSTGRES;
    const writer = isFile
      ? new Connections(fileOf(place.path, false), prepareFile, callMs)
      : new Connections(serverOf(place.url, 1), checkServer, callMs);
    const reader = isFile
      ? new Connections(fileOf(place.path, true), setPatience, callMs)
      : new Connections(serverOf(place.url, HISTORY_READERS_MAX), async () => undefined, callMs);
    const database = new Database(place, dialect, writer, reader);
    try {
      await writer.use(async () => undefined);
    } catch (problem) {
      await database.close();
      throw problem;
    }
    return database;
  }

  /**
   * Runs a transaction once those before it are done. It is done whole or not at all.
   * @param surely once it is done, not even a failing machine undoes it
   */
  write<T>(work: (ask: Ask) => Promise<T>, surely = false): Promise<T> {
    const turn = this.#turn.then(() => this.#writer.use((sql) => this.#transact(sql, work, surely)));
    this.#turn = turn.then(
      () => this.#tidyLog(),
      () => undefined,
    );
    return turn;
  }

  /** Before anything more is written: whoever writes waits for it, and nobody else. */
  async #tidyLog(): Promise<void> {
    if (this.#path === undefined || sizeOf(`${this.#path}-wal`) < HISTORY_LOG_BYTES) return;
    try {
      await emptyLog(this.#path);
    } catch (_problem) {
      // Then here, while the server waits: a log that grows for ever would be worse.
      await this.#writer.use((sql) => sql.unsafe("PRAGMA wal_checkpoint(PASSIVE)")).catch(() => undefined);
    }
  }

  async #transact<T>(sql: SQL, work: (ask: Ask) => Promise<T>, surely: boolean): Promise<T> {
    const { begin, surely: words } = this.dialect;
    if (surely && words !== undefined) await sql.unsafe(words.from);
    try {
      return await sql.begin(begin, (transaction) => work(asking(transaction, this.dialect)));
    } finally {
      if (surely && words !== undefined) await sql.unsafe(words.to);
    }
  }

  /**
   * Has a file's log emptied, which else keeps what has been erased. Nothing is written meanwhile.
   * @returns whether nothing is left in it: another program that reads the file may need it
   */
  async emptyLog(): Promise<boolean> {
    const path = this.#path;
    if (path === undefined) return true;
    const turn = this.#turn.then(async () => {
      if (sizeOf(`${path}-wal`) > 0) await emptyLog(path);
    });
    this.#turn = turn.catch(() => undefined);
    return turn.then(
      () => true,
      () => false,
    );
  }

  /** Asks something, whatever is being written. */
  read<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#reader.use((sql) => work(asking(sql, this.dialect)));
  }

  /** Gives every connection up, and leaves a file without a log. Nothing may be asked afterwards. */
  async close(): Promise<void> {
    // Another program may have the file open, and then the last connection here would not do it.
    await this.emptyLog();
    // Those that only read first: the last one removes the log, and they may not.
    await this.#reader.close();
    await this.#writer.close();
  }
}

/**
 * Connections that are given up and made anew when something takes too long: nothing else ends a hanging one.
 * What was asked on it may be done all the same.
 */
class Connections {
  readonly #options: SQL.Options;
  readonly #prepare: (sql: SQL) => Promise<void>;
  readonly #callMs: number;
  #sql: SQL | undefined;
  #prepared: Promise<void> = Promise.resolve();

  constructor(options: SQL.Options, prepare: (sql: SQL) => Promise<void>, callMs: number) {
    this.#options = options;
    this.#prepare = prepare;
    this.#callMs = callMs;
  }

  async use<T>(work: (sql: SQL) => Promise<T>): Promise<T> {
    if (this.#sql === undefined) {
      this.#sql = new SQL(this.#options);
      this.#prepared = this.#prepare(this.#sql);
    }
    const sql = this.#sql;
    const prepared = this.#prepared;
    const { promise: isLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new HistoryUnavailable("timeout"));
      if (this.#sql === sql) this.#sql = undefined;
      void abandon(sql);
    }, this.#callMs);
    try {
      return await Promise.race([prepared.then(() => work(sql)), isLate]);
    } catch (problem) {
      // A server is connected to anew by itself; a file must be opened anew, as it may be another one.
      if (this.#sql === sql && (this.#options.adapter === "sqlite" || problem instanceof HistoryFault))
        await this.close();
      throw problem instanceof HistoryFault ? problem : new HistoryUnavailable(codeOf(problem), problem);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    const sql = this.#sql;
    this.#sql = undefined;
    if (sql !== undefined) await abandon(sql);
  }
}

async function abandon(sql: SQL): Promise<void> {
  try {
    await sql.close({ timeout: 0 });
  } catch (_closedAlready) {
    // That is what was wanted.
  }
}

function asking(sql: Pick<SQL, "unsafe">, { kind }: Dialect): Ask {
  return async (statement, ...parameters) => {
    // To SQLite `$2` is a name like any other, and the first name it meets is the first parameter.
    const spelt = kind === "sqlite" ? statement.replace(/\$(?=\d)/g, "?") : statement;
    const rows = await sql.unsafe(spelt, [...parameters]);
    return { rows, count: rows.count ?? 0 };
  };
}

// --- SQLite ---------------------------------------------------------------------------------------

function fileOf(filename: string, readonly: boolean): SQL.Options {
  return { adapter: "sqlite", filename, ...(readonly ? { readonly } : {}) };
}

async function setPatience(sql: SQL): Promise<void> {
  await sql.unsafe(`PRAGMA busy_timeout = ${BUSY_MS}`);
}

async function prepareFile(sql: SQL): Promise<void> {
  await setPatience(sql);
  await sql.unsafe("PRAGMA journal_mode = WAL");
  await sql.unsafe("PRAGMA synchronous = NORMAL");
  // See `emptyLog`.
  await sql.unsafe("PRAGMA wal_autocheckpoint = 0");
  // What is erased is overwritten.
  await sql.unsafe("PRAGMA secure_delete = ON");
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

// --- PostgreSQL -----------------------------------------------------------------------------------

function serverOf(url: string, max: number): SQL.Options {
  const parsed = URL.parse(url);
  const database = parsed === null ? undefined : databaseOf(parsed);
  return {
    url,
    adapter: "postgres",
    max,
    connectionTimeout: HISTORY_CONNECT_S_MAX,
    connection: { application_name: "mcp-chat" },
    // Else a variable of the environment would win over what the URL says.
    ...(database === undefined ? {} : { database }),
  };
}

async function checkServer(sql: SQL): Promise<void> {
  const [encoding] = await sql.unsafe("SHOW server_encoding");
  if (encoding?.server_encoding !== "UTF8") {
    throw new HistoryFault("the database must have the encoding UTF8: what people write has every character");
  }
}
