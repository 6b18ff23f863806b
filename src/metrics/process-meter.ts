/**
 * Figures of the process: its version, its memory, and how long its event loop keeps work waiting.
 *
 * This file owns the timer that measures the loop. It must never keep the process alive.
 */
import type { Exposition } from "./exposition.ts";
import { Histogram } from "./histogram.ts";

/** Between two looks at the event loop, in milliseconds: no stall that is longer goes unnoticed. */
const LOOK_MS = 50;
/** Upper bounds of how late a timer was, in seconds. */
const LAG_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

export class ProcessMeter {
  readonly #version: string;
  readonly #lags = new Histogram(LAG_BUCKETS_S);
  readonly #timer: Timer;
  #lookedAt = performance.now();

  constructor(version: string) {
    this.#version = version;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#lags.observe(Math.max(0, now - this.#lookedAt - LOOK_MS) / 1000);
    this.#lookedAt = now;
  }

  write(out: Exposition): void {
    const labels = { version: this.#version, runtime: `bun ${Bun.version}` };
    out.family("mcp_chat_build_info", "gauge", "Always 1; the labels say what is running.", [{ labels, value: 1 }]);
    const lags = "How late a timer was: how long the event loop kept work waiting.";
    out.family("mcp_chat_event_loop_lag_seconds", "histogram", lags, this.#lags.samples());
    out.gauge("process_resident_memory_bytes", "Resident memory size.", process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    out.counter("process_cpu_seconds_total", "User and system CPU time spent.", (user + system) / 1e6);
    const startedAt = performance.timeOrigin / 1000;
    out.gauge("process_start_time_seconds", "Start time of the process, in seconds since 1970.", startedAt);
  }
}
