/**
 * The history: what was said, for longer than the lobby remembers it.
 *
 * This file owns what others may ask of it, and who is who in it. It must never hold a message up: what is
 * written is written behind the chat, and only who asks for something old waits for the database.
 */

import type { TokenHash } from "../domain/ids.ts";
import { HISTORY_LAST_WRITE_MS_MAX, HISTORY_READS_MAX } from "../history-limits.ts";
import { Database } from "./database.ts";
import { eraseSlice, forget, isForgotten } from "./erasing.ts";
import { type ExportFilter, exportLines } from "./exporting.ts";
import { faultOf, HistoryUnavailable } from "./fault.ts";
import { type HistoryPlace, nameOf } from "./place.ts";
import { type HistoryPage, type HistoryRoom, type PageRequest, readPage } from "./reading.ts";
import { identityOf, type LobbySource, Recorder } from "./recorder.ts";
import { type Step, upgrade } from "./schema.ts";
import { Sweeper } from "./sweeper.ts";
import { type HistoryFigures, type HistoryLog, HistoryWriter } from "./writer.ts";

/** What users may ask of a history. Rejects with `HistoryUnavailable` while the database does not answer. */
export interface History {
  /** For how many days a line is kept. */
  readonly retainDays: number;
  /** A page of a room for whoever has this token; undefined if they were not in it. */
  page(
    token: TokenHash,
    request: Omit<PageRequest, "identity">,
  ): Promise<{ readonly room: HistoryRoom; readonly page: HistoryPage } | undefined>;
  /** Erases everything of somebody, and writes nothing more of them. Once it resolves, nothing undoes it. */
  forget(token: TokenHash): Promise<void>;
  /** Whether that has been done. */
  isForgotten(token: TokenHash): Promise<boolean>;
}

export interface HistoryOptions {
  readonly place: HistoryPlace;
  readonly retainDays: number;
  readonly log: HistoryLog;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number;
  /** For tests: other steps of the schema, and how long a call may take. */
  readonly steps?: readonly Step[];
  readonly callMs?: number;
}

const DAY_MS = 24 * 3600 * 1000;

export class SqlHistory implements History {
  readonly retainDays: number;
  readonly #database: Database;
  readonly #writer: HistoryWriter;
  readonly #sweeper: Sweeper;
  readonly #now: () => number;
  #recorder: Recorder | undefined;
  #reads = 0;

  private constructor(database: Database, options: HistoryOptions) {
    const { retainDays, log, now = Date.now } = options;
    this.retainDays = retainDays;
    this.#database = database;
    this.#now = now;
    this.#writer = new HistoryWriter(database, log);
    this.#sweeper = new Sweeper({ database, retainMs: retainDays * DAY_MS, now, log });
  }

  /** Opens a history and brings it to the present version. @throws HistoryFault in words for the operator */
  static async open(options: HistoryOptions): Promise<SqlHistory> {
    const { place, callMs, steps } = options;
    const what = `cannot use the history ${place.kind === "sqlite" ? "at" : "in"} ${nameOf(place)}`;
    let database: Database | undefined;
    try {
      database = await Database.open(place, callMs);
      await upgrade(database, steps);
    } catch (problem) {
      await database?.close();
      throw faultOf(what, problem);
    }
    const history = new SqlHistory(database, options);
    history.#sweeper.start();
    return history;
  }

  /** Begins to write down what happens. */
  record(source: LobbySource): void {
    this.#recorder = new Recorder(source, this.#writer);
  }

  /**
   * Has written again what the lobby holds, as not all of it may be written.
   * @param lastMs of rooms in which something has happened in so many milliseconds; default: of all
   */
  catchUp(lastMs = Number.POSITIVE_INFINITY): void {
    this.#recorder?.catchUp(lastMs);
  }

  get figures(): HistoryFigures {
    return this.#writer.figures;
  }

  page(token: TokenHash, request: Omit<PageRequest, "identity">): ReturnType<History["page"]> {
    return this.#read(async () => {
      // What waits may be what is asked for. If it cannot be written, it is missing for now.
      await this.#writer.flush().catch(() => undefined);
      const keptSince = this.#now() - this.retainDays * DAY_MS;
      return this.#database.read((ask) => readPage(ask, { ...request, identity: identityOf(token) }, keptSince));
    });
  }

  async forget(token: TokenHash): Promise<void> {
    await forget(this.#database, identityOf(token), this.#now());
    // What waits leaves its numbers, as else it would seem to be lost.
    await this.#writer.flush().catch(() => undefined);
    // Also what others have left; nothing of this can be read any more, but it is still there.
    for (let isDone = false; !isDone; ) isDone = await eraseSlice(this.#database);
    if (!(await this.#database.emptyLog())) this.#sweeper.hurry();
  }

  isForgotten(token: TokenHash): Promise<boolean> {
    return this.#read(() => this.#database.read((ask) => isForgotten(ask, identityOf(token))));
  }

  /** The history as lines of JSON, some at a time. */
  async *export(filter: ExportFilter): AsyncGenerator<string, void, undefined> {
    await this.#writer.flush().catch(() => undefined);
    yield* exportLines(this.#database, filter);
  }

  /** Resolves when everything that has happened is written. @throws HistoryUnavailable */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Resolves when what is written again is written too. @throws HistoryUnavailable */
  idle(): Promise<void> {
    return this.#writer.idle();
  }

  /** Lets go of everything that is too old now. @throws HistoryUnavailable */
  sweep(): Promise<void> {
    return this.#sweeper.sweep();
  }

  /** Writes what is left, if there is time, and closes. */
  async close(): Promise<void> {
    this.#sweeper.stop();
    await this.#writer.close(HISTORY_LAST_WRITE_MS_MAX);
    await this.#database.close();
  }

  async #read<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#reads >= HISTORY_READS_MAX) throw new HistoryUnavailable("too many questions");
    this.#reads++;
    try {
      return await ask();
    } finally {
      this.#reads--;
    }
  }
}
