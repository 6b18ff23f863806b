/**
 * Sends what this person has said: one message at a time, in order, again under the same id until the
 * server has answered.
 *
 * This file owns the attempts. What is to be sent lies in the state, which outlives a reload; here is
 * nothing to lose.
 */

import { RECONNECT_MS, RETRY_MS_MAX } from "./limits.ts";
import type { OwnLine } from "./lines.ts";
import type { Outcome } from "./mcp-client.ts";

export interface OutboxOptions {
  readonly next: () => OwnLine | undefined;
  readonly send: (line: OwnLine) => Promise<Outcome>;
  readonly onSent: (line: OwnLine, result: Outcome & { readonly kind: "ok" }) => void;
  readonly onFailed: (line: OwnLine, problem: string) => void;
  readonly onDenied: () => void;
  /** The server was not reached. */
  readonly onUnreachable: () => void;
}

/** Refusals after which the same message may be taken a little later. */
const PASSING = ["rate_limited", "unavailable"];

export class Outbox {
  readonly #options: OutboxOptions;
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** There may be something to send, or a better chance to send it: tries now. */
  wake(): void {
    if (this.#busy) return;
    clearTimeout(this.#timer);
    void this.#run();
  }

  async #run(): Promise<void> {
    const { next, send, onSent, onFailed, onDenied, onUnreachable } = this.#options;
    this.#busy = true;
    for (let line = next(); line !== undefined; line = next()) {
      const outcome = await send(line);
      if (outcome.kind === "ok") {
        this.#failures = 0;
        onSent(line, outcome);
      } else if (outcome.kind === "unreachable") {
        onUnreachable();
        this.#later(outcome.retryAfterMs);
        break;
      } else if (outcome.kind === "denied") {
        onDenied();
        break;
      } else if (outcome.kind === "refused" && PASSING.includes(outcome.code)) {
        this.#later(outcome.retryAfterMs);
        break;
      } else {
        onFailed(line, outcome.kind === "refused" ? outcome.code : problemOf(outcome.status));
      }
    }
    this.#busy = false;
  }

  #later(atLeastMs: number): void {
    const { first, max } = RECONNECT_MS;
    const backoffMs = Math.min(max, first * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.wake(), Math.min(RETRY_MS_MAX, Math.max(atLeastMs, backoffMs)));
  }
}

/** A message whose request is too large for the server is too long, whatever its characters are. */
function problemOf(status: number): string {
  return status === 413 ? "message_too_long" : "server_error";
}
