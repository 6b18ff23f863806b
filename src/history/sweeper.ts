/**
 * Lets go of what is too old, a slice at a time and never all at once, and goes on with what an erasing that
 * was cut short has left.
 *
 * This file owns when that is done. It must never be in anybody's way: a slice that fails is tried again
 * with the next look.
 */
import { HISTORY_SLICE_MS, HISTORY_SWEEP_MS } from "../history-limits.ts";
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
  }

  #wake(ms: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#look(), ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    let isDone = true;
    try {
      isDone = await this.#slice();
      this.#failures = 0;
    } catch (problem) {
      // Once may be an outage, of which the operator hears from whoever writes.
      if (++this.#failures === FAILURES_TOLD) {
        this.#options.log.warn("the history lets nothing old go", { problem: codeOf(problem) });
      }
    }
    this.#wake(isDone ? HISTORY_SWEEP_MS : HISTORY_SLICE_MS);
  }

  /** @returns whether nothing is left to do for now */
  async #slice(): Promise<boolean> {
    const { database, retainMs, now } = this.#options;
    if (!(await eraseSlice(database))) return false;
    return dropSlice(database, now() - retainMs);
  }
}
