/**
 * Waiting until everything that anybody had appended by now has been applied here.
 *
 * This file owns those who wait. However many they are, one question at a time is under way.
 */
import { PENDING_COMMANDS_MAX } from "../journal-limits.ts";
import { APPEND_RETRY_MS, APPEND_WAIT_MS_MAX } from "../limits.ts";
import { JournalUnavailable } from "./journal.ts";
import { compareIds, type StreamId } from "./redis-stream.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (problem: JournalUnavailable) => void;
  /** Until this has been applied; undefined = nobody has asked yet. */
  until: StreamId | undefined;
}

export class Settling {
  readonly #waiters = new Set<Waiter>();
  #isAsking = false;
  #applied: StreamId;
  /** Gives the place of the last entry of all, or undefined if it cannot be had now. */
  readonly #ask: () => Promise<StreamId | undefined>;

  constructor(applied: StreamId, ask: () => Promise<StreamId | undefined>) {
    this.#applied = applied;
    this.#ask = ask;
  }

  wait(): Promise<void> {
    if (this.#waiters.size >= PENDING_COMMANDS_MAX) return Promise.reject(unavailable());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve: () => this.#end(waiter, timer, resolve),
        reject: (problem) => this.#end(waiter, timer, () => reject(problem)),
        until: undefined,
      };
      const timer = setTimeout(() => waiter.reject(unavailable()), APPEND_WAIT_MS_MAX);
      this.#waiters.add(waiter);
      this.askAgain();
    });
  }

  /** Everything up to this place has been applied. */
  reached(applied: StreamId): void {
    this.#applied = applied;
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) {
      if (waiter.until !== undefined && compareIds(waiter.until, applied) <= 0) waiter.resolve();
    }
  }

  /** Asks for those who have come since the last question; also when it can be asked again. */
  askAgain(): void {
    const asking = [...this.#waiters].filter(({ until }) => until === undefined);
    if (this.#isAsking || asking.length === 0) return;
    this.#isAsking = true;
    void this.#ask().then((until) => {
      this.#isAsking = false;
      if (until === undefined) return;
      for (const waiter of asking) waiter.until = until;
      this.reached(this.#applied);
      this.askAgain();
    });
  }

  close(): void {
    for (const waiter of this.#waiters) waiter.reject(unavailable());
  }

  #end(waiter: Waiter, timer: Timer, settle: () => void): void {
    if (!this.#waiters.delete(waiter)) return;
    clearTimeout(timer);
    settle();
  }
}

function unavailable(): JournalUnavailable {
  return new JournalUnavailable(APPEND_RETRY_MS, false);
}
