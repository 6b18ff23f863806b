/**
 * Lets go of what is too old, a slice at a time and never all at once, and goes on with what an erasing that
 * was cut short has left, and with what the log of a file still holds of either.
 *
 * This file owns when that is done. It must never be in anybody's way: a slice that fails is tried again
 * with the next look.
 */
import { HISTORY_LOG_RETRY_MS, HISTORY_SLICE_MS, HISTORY_SWEEP_MS } from "../history-limits.ts";
import type { Database } from "./database.ts";
import { dropSlice, eraseSlice } from "./erasing.ts";
import { codeOf } from "./fault.ts";
import type { HistoryLog } from "./writer.ts";

/** Looks that fail in a row before the operator hears of it. */
const FAILURES_TOLD = 3;

export interface SweeperOptions {
  readonly database: Database;
  /** How long a line is kept, in milliseconds. */
  readonly retainMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: HistoryLog;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  #timer: Timer | undefined;
  #isStopped = false;
  /** In a row. */
  #failures = 0;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Begins. Of several nodes none looks at the same time as another, as good as always. */
  start(): void {
    this.#wake(HISTORY_SLICE_MS * (1 + Math.random()));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Does all there is to do, without a pause. @throws HistoryUnavailable */
  async sweep(): Promise<void> {
    for (let isDone = false; !isDone; ) isDone = await this.#slice();
    await this.#options.database.emptyLog();
  }

  /** Looks soon, as something that was erased is still in the log. */
  hurry(): void {
    this.#wake(HISTORY_LOG_RETRY_MS);
  }

  #wake(ms: number): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    let nextMs = HISTORY_SWEEP_MS;
    try {
      const isDone = await this.#slice();
      this.#failures = 0;
      if (!isDone) nextMs = HISTORY_SLICE_MS;
      else if (!(await this.#options.database.emptyLog())) nextMs = HISTORY_LOG_RETRY_MS;
    } catch (problem) {
      // Once may be an outage, of which the operator hears from whoever writes.
      if (++this.#failures === FAILURES_TOLD) {
        this.#options.log.warn("the history lets nothing old go", { problem: codeOf(problem) });
      }
    }
    this.#wake(nextMs);
  }

  /** @returns whether nothing is left to do for now */
  async #slice(): Promise<boolean> {
    const { database, retainMs, now } = this.#options;
    if (!(await eraseSlice(database))) return false;
    return dropSlice(database, now() - retainMs);
  }
}
