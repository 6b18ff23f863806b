/**
 * One timer for everything that must happen later: alarms wait in a heap and the timer sleeps until
 * the earliest, so that ten thousand held calls cost one timer.
 *
 * This file owns the process's only long-lived timer of the chat. It must never know what it wakes.
 */
import { TimeHeap } from "../domain/heap.ts";

/** How time is read and waited for; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `delayMs`; returns how to call it off. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Longest delay a timer of the platform takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), DELAY_MS_MAX));
    return () => clearTimeout(timer);
  },
};

export class AlarmClock {
  readonly #clock: Clock;
  readonly #heap = new TimeHeap();
  readonly #alarms = new Map<number, () => void>();
  #next = 1;
  #armedFor = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Calls back once at `at` (milliseconds since the epoch) or soon after. Returns the number to cancel it by. */
  set(at: number, callback: () => void): number {
    const alarm = this.#next++;
    this.#alarms.set(alarm, callback);
    this.#heap.push(at, alarm);
    this.#arm();
    return alarm;
  }

  /** Calls an alarm off. Its place in the heap is skipped when its time comes. */
  cancel(alarm: number): void {
    this.#alarms.delete(alarm);
  }

  /** Calls everything off. */
  stop(): void {
    this.#alarms.clear();
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    const earliest = this.#heap.earliest;
    if (earliest === undefined || earliest >= this.#armedFor) return;
    this.#disarm?.();
    this.#armedFor = earliest;
    this.#disarm = this.#clock.after(earliest - this.#clock.now(), () => this.#ring());
  }

  #ring(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#disarm = undefined;
    const now = this.#clock.now();
    const firstNew = this.#next;
    const due: number[] = [];
    for (
      let earliest = this.#heap.earliest;
      earliest !== undefined && earliest <= now;
      earliest = this.#heap.earliest
    ) {
      const alarm = this.#heap.pop() ?? 0;
      if (alarm >= firstNew) {
        // Set by one that has just rung: it is for the next turn, after what has come in meanwhile.
        due.push(alarm);
        continue;
      }
      const callback = this.#alarms.get(alarm);
      this.#alarms.delete(alarm);
      callback?.();
    }
    for (const alarm of due) this.#heap.push(now, alarm);
    this.#arm();
  }
}
