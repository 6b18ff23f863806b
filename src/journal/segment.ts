/**
 * One file of the journal: the turns of a stretch of time, in SQLite, one row and one commit a turn. A
 * segment only grows, until it is closed; when a snapshot holds what it says, it is removed as a whole.
 * Everything it ever took is in its write-ahead log: it is never checkpointed, because that would stop the
 * server for as long as the disk takes, and because it is to be removed anyway.
 *
 * This file owns the format. It must never know what an entry says.
 */
import { Database, type Statement } from "bun:sqlite";
import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { faultOf, JournalFault } from "./fault.ts";

/** How surely a turn is kept before anything of it is told: against the end of the process, or of the machine. */
export type Durability = "normal" | "full";

/** What sets our files apart from other databases: "mcpj". */
const APPLICATION_ID = 0x6d63706a;
/** Of the table and of what its rows hold. */
const FORMAT = 1;
/** Small turns fill small pages: each commit writes at least one. */
const PAGE_BYTES = 1024;
/** Beside its pages a commit writes a header for each, and the last page of the table anew. */
const COMMIT_BYTES = 2 * (PAGE_BYTES + 24);

/** What was done between two commits. */
export interface Turn {
  /** Sequence number of its first entry. */
  readonly seq: number;
  /** Of the state after it. */
  readonly mark: number;
  readonly entries: string;
}

interface TurnRow extends Turn {
  readonly sum: number;
}

export class Segment {
  readonly path: string;
  /** Sequence number of the first entry it may hold. */
  readonly first: number;
  /** Entries and bytes it has taken, as far as this process knows. */
  entries = 0;
  bytes = 0;
  readonly #database: Database;
  readonly #insert: Statement | undefined;

  private constructor(path: string, first: number, database: Database, durability: Durability | undefined) {
    this.path = path;
    this.first = first;
    this.#database = database;
    if (durability === undefined) return;
    // FULL: the log is synced before a commit is done. NORMAL: at checkpoints, and there are none.
    database.run(`PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
    database.run("PRAGMA wal_autocheckpoint = 0");
    this.#insert = database.prepare("INSERT INTO turns (seq, mark, sum, entries) VALUES (?, ?, ?, ?)");
  }

  /** Makes a new file, in place of one whose making was cut short. @throws JournalFault */
  static create(path: string, first: number, durability: Durability): Segment {
    try {
      for (const file of segmentFiles(path)) rmSync(file, { force: true });
      // Its companions take their mode from it.
      closeSync(openSync(path, "wx", 0o600));
      const database = new Database(path, { readwrite: true, strict: true });
      database.run("PRAGMA synchronous = OFF");
      database.run(`PRAGMA page_size = ${PAGE_BYTES}`);
      database.run("PRAGMA journal_mode = WAL");
      database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.run(
        "CREATE TABLE turns (seq INTEGER PRIMARY KEY, mark INTEGER NOT NULL, sum INTEGER NOT NULL, entries TEXT NOT NULL) STRICT",
      );
      // Last, so that a file without it is one whose making was cut short.
      database.run(`PRAGMA user_version = ${FORMAT}`);
      // SQLite takes a log for stray whose file is empty: the disk must have the file before it has the log.
      if (durability === "full") for (const file of [path, dirname(path)]) syncNow(file);
      return new Segment(path, first, database, durability);
    } catch (problem) {
      throw faultOf(`cannot make ${path}`, problem);
    }
  }

  /**
   * Opens a file, to go on with it or only to read it.
   * @returns undefined if its making was cut short: it holds nothing
   * @throws JournalFault
   */
  static open(path: string, first: number, durability: Durability | "read only"): Segment | undefined {
    try {
      const isWritten = durability !== "read only";
      const database = new Database(path, isWritten ? { readwrite: true, strict: true } : { readonly: true });
      const application = pragma(database, "application_id");
      const format = pragma(database, "user_version");
      if (application !== 0 && application !== APPLICATION_ID) throw new JournalFault(`${path} is not of a journal`);
      if (format > FORMAT) throw new JournalFault(`${path} was written by a newer version of mcp-chat`);
      if (format === FORMAT) return new Segment(path, first, database, isWritten ? durability : undefined);
      database.close();
      return undefined;
    } catch (problem) {
      throw faultOf(`cannot read ${path}`, problem);
    }
  }

  /** What the disk must have so that it has what was taken, in this order. */
  get durablePaths(): readonly string[] {
    return [this.path, dirname(this.path), `${this.path}-wal`];
  }

  /** Keeps a turn: when this returns, it is kept. Throws whatever the system does. */
  append({ seq, mark, entries }: Turn, count: number): void {
    if (this.#insert === undefined) throw new Error("a segment that is only read was to take a turn");
    this.#insert.run(seq, mark, sumOf(entries, mark), entries);
    this.entries += count;
    this.bytes += entries.length + COMMIT_BYTES;
  }

  /** The turns from an entry on, in their order, each found whole. @throws JournalFault */
  *turns(from: number): Generator<Turn, void, undefined> {
    try {
      const rows = this.#database
        .query<TurnRow, [number]>("SELECT seq, mark, sum, entries FROM turns WHERE seq >= ? ORDER BY seq")
        .iterate(from);
      for (const row of rows) {
        if (sumOf(row.entries, row.mark) !== row.sum) {
          throw new JournalFault(`${this.path} is damaged at entry ${row.seq}`);
        }
        this.bytes += row.entries.length + COMMIT_BYTES;
        yield row;
      }
    } catch (problem) {
      throw faultOf(`cannot read ${this.path}`, problem);
    }
  }

  /** Stops using the file. Unless it is removed, whoever closes it last has SQLite tidy it, which may take a while. */
  close(): void {
    this.#database.close();
  }
}

/** The files of a segment, in the order in which they are to be removed: as long as the last is there, so is it. */
export function segmentFiles(path: string): readonly string[] {
  return [`${path}-wal`, `${path}-shm`, path];
}

function syncNow(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function sumOf(entries: string, mark: number): number {
  return Bun.hash.crc32(entries, mark);
}

function pragma(database: Database, name: string): number {
  const row = database.query<Record<string, number>, []>(`PRAGMA ${name}`).get();
  return row?.[name] ?? 0;
}
