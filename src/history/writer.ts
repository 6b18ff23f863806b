/**
 * The writing behind the chat: what waits is written in batches, again and again while the database takes
 * nothing, and nobody ever waits for it but whoever asks to.
 *
 * This file owns the one loop that writes, its patience, and what the operator hears of an outage. It must
 * never throw into whoever hands it something.
 */
import {
  HISTORY_BEHIND_ROOMS_MAX,
  HISTORY_CATCH_UP_MS,
  HISTORY_RETRY_MS_MAX,
  HISTORY_RETRY_MS_MIN,
  HISTORY_WAIT_MS,
} from "../history-limits.ts";
import type { Database } from "./database.ts";
import { HistoryUnavailable } from "./fault.ts";
import { WriteQueue } from "./queue.ts";
import { type Item, writeItems } from "./records.ts";

/** Where the operator hears of it; `Log` fits. */
export interface HistoryLog {
  info(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
}

/** What somebody else still holds of rooms that are not all written: `rooms` undefined = of every room. */
export type Remaining = (rooms: ReadonlySet<string> | undefined) => Iterator<Item>;

/** What is counted, since the start but for the first three. */
export interface HistoryFigures {
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly isDown: boolean;
  /** Lines and rooms written, also again. */
  readonly written: number;
  /** What did not fit and was left out; some of it may have been written later. */
  readonly leftOut: number;
  /** What the database would never take. */
  readonly refused: number;
  readonly failures: number;
}

interface Outage {
  readonly since: number;
  readonly leftOut: number;
}

export class HistoryWriter {
  readonly #database: Database;
  readonly #log: HistoryLog;
  readonly #queue = new WriteQueue();
  /** Gives what is to be written again; set by whoever holds it. */
  remaining: Remaining = () => [][Symbol.iterator]();

  #backlog: Iterator<Item> | undefined;
  /** Taken off the backlog and not written yet. */
  #carried: readonly Item[] = [];
  /** Rooms of which something was left out; undefined = too many to be named. */
  #behind: Set<string> | undefined = new Set();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #outage: Outage | undefined;
  #retryMs = HISTORY_RETRY_MS_MIN;
  #batchMax: number;
  #isClosed = false;
  /** Off the queue so far. */
  #taken = 0;
  #written = 0;
  #leftOut = 0;
  #refused = 0;
  #failures = 0;

  constructor(database: Database, log: HistoryLog) {
    this.#database = database;
    this.#log = log;
    this.#batchMax = database.dialect.batchMax;
  }

  get figures(): HistoryFigures {
    return {
      waiting: this.#queue.size,
      waitingBytes: this.#queue.bytes,
      isDown: this.#outage !== undefined,
      written: this.#written,
      leftOut: this.#leftOut,
      refused: this.#refused,
      failures: this.#failures,
    };
  }

  /** Has something written soon. */
  add(item: Item): void {
    if (!this.#queue.push(item)) {
      this.#leaveOut(item);
      return;
    }
    if (this.#timer === undefined && this.#running === undefined) this.#wake(HISTORY_WAIT_MS);
  }

  /** Has what is still held elsewhere written again, when there is nothing newer to write. */
  catchUp(items: Iterator<Item>): void {
    const earlier = this.#backlog;
    this.#backlog = earlier === undefined ? items : both(earlier, items);
    if (this.#timer === undefined && this.#running === undefined) this.#wake(HISTORY_WAIT_MS);
  }

  /** Resolves when everything added before is written. @throws HistoryUnavailable if it cannot be just now */
  async flush(): Promise<void> {
    for (const target = this.#taken + this.#queue.size; this.#taken < target; ) {
      this.#run();
      await this.#running;
      if (this.#outage !== undefined || this.#isClosed) throw new HistoryUnavailable("outage");
    }
  }

  /** Resolves when nothing at all is left to write, neither new nor again. @throws HistoryUnavailable */
  async idle(): Promise<void> {
    while (this.#queue.size > 0 || this.#backlog !== undefined || this.#carried.length > 0) {
      this.#run();
      await this.#running;
      if (this.#outage !== undefined || this.#isClosed) throw new HistoryUnavailable("outage");
    }
  }

  /** Writes what it can until then, and nothing more. @param ms how long that may take */
  async close(ms: number): Promise<void> {
    const isLate = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
    const isWritten = this.flush().catch(() => undefined);
    await Promise.race([isWritten, isLate]);
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#queue.size > 0) this.#log.warn("some of the history could not be written", { items: this.#queue.size });
  }

  // --- the loop ---------------------------------------------------------------------------------

  #wake(ms: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), ms);
    // Nothing of this keeps a process alive that has stopped.
    this.#timer.unref();
  }

  #run(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#writeNext().finally(() => {
      this.#running = undefined;
      this.#goOn();
    });
  }

  #goOn(): void {
    if (this.#outage !== undefined) this.#wake(this.#retryMs);
    else if (this.#queue.size >= this.#batchMax) this.#wake(0);
    else if (this.#queue.size > 0) this.#wake(HISTORY_WAIT_MS);
    else if (this.#backlog !== undefined || this.#carried.length > 0) this.#wake(HISTORY_CATCH_UP_MS);
  }

  /** Writes one batch: of what is new, else of what is written again. */
  async #writeNext(): Promise<void> {
    const isNew = this.#queue.size > 0;
    const items = isNew ? this.#queue.peek(this.#batchMax) : this.#carry();
    if (items.length === 0) return;
    try {
      await this.#database.write((ask) => writeItems(ask, this.#database.dialect, items));
    } catch (problem) {
      this.#fail(problem, items, isNew);
      return;
    }
    this.#done(items.length, isNew);
    this.#written += items.length;
    this.#batchMax = Math.min(this.#database.dialect.batchMax, 2 * this.#batchMax);
    this.#recover();
  }

  #carry(): readonly Item[] {
    if (this.#carried.length > 0) return this.#carried.slice(0, this.#batchMax);
    const items: Item[] = [];
    while (items.length < this.#batchMax && this.#backlog !== undefined) {
      const next = this.#backlog.next();
      if (next.done === true) this.#backlog = undefined;
      else items.push(next.value);
    }
    this.#carried = items;
    return items;
  }

  #done(count: number, isNew: boolean): void {
    if (isNew) {
      this.#queue.drop(count);
      this.#taken += count;
    } else this.#carried = this.#carried.slice(count);
  }

  #fail(problem: unknown, items: readonly Item[], isNew: boolean): void {
    this.#failures++;
    if (problem instanceof HistoryUnavailable && problem.isOurs) {
      // One of them is what it does not take: it is found by halves.
      if (items.length === 1) {
        this.#done(1, isNew);
        this.#refused++;
        this.#log.warn("the history refuses something for good", { problem: problem.code });
      }
      this.#batchMax = Math.max(1, items.length >> 1);
      return;
    }
    const code = problem instanceof HistoryUnavailable ? problem.code : "unknown";
    if (this.#outage === undefined) {
      this.#outage = { since: performance.now(), leftOut: this.#leftOut };
      this.#log.warn("the history cannot be written; the chat goes on", { problem: code });
    } else {
      this.#retryMs = Math.min(HISTORY_RETRY_MS_MAX, 2 * this.#retryMs);
    }
  }

  // --- what is left out -------------------------------------------------------------------------

  #leaveOut(item: Item): void {
    this.#leftOut++;
    if (this.#behind === undefined) return;
    if (this.#behind.size >= HISTORY_BEHIND_ROOMS_MAX) this.#behind = undefined;
    else this.#behind.add(item.type === "room" ? item.room.id : item.line.body.room);
  }

  #recover(): void {
    if (this.#outage !== undefined) {
      const { since, leftOut } = this.#outage;
      const seconds = Math.round((performance.now() - since) / 1000);
      this.#log.info("the history is written again", { seconds, left_out: this.#leftOut - leftOut });
      this.#outage = undefined;
      this.#retryMs = HISTORY_RETRY_MS_MIN;
    }
    // Not before there is room again, or as much would be left out meanwhile.
    if (this.#behind?.size === 0 || this.#queue.size > 0) return;
    const behind = this.#behind;
    this.#behind = new Set();
    this.catchUp(this.remaining(behind));
  }
}

function* both(first: Iterator<Item>, second: Iterator<Item>): Generator<Item, void, undefined> {
  for (const items of [first, second]) {
    for (let next = items.next(); next.done !== true; next = items.next()) yield next.value;
  }
}
