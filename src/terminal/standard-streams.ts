/**
 * The process's streams and signals as the faces use them: whole lines out, a quiet end when nobody reads
 * any more, and one polite stop before an abrupt one.
 *
 * This file owns what the faces share of the process. It must never know the chat.
 */

import { CLIENT_GOODBYE_MS_MAX } from "../client-limits.ts";

/** Exit codes. A second interrupt ends with what shells use for it. */
export const EXIT = { fine: 0, failed: 1, interrupted: 130 } as const;

/** Standard output for lines. */
export class LineOutput {
  #written: Promise<void> = Promise.resolve();
  readonly #broken = Promise.withResolvers<void>();

  constructor() {
    // Whoever reads a pipe may go at any time; that is how `head` ends a program.
    process.stdout.on("error", () => this.#broken.resolve());
  }

  /** Settles when nobody reads any more. */
  get broken(): Promise<void> {
    return this.#broken.promise;
  }

  /** Writes a line at once. */
  write(line: string): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#written = promise;
    process.stdout.write(`${line}\n`, (problem) => {
      if (problem) this.#broken.resolve();
      resolve();
    });
  }

  /** Settles when everything is written, or nobody reads it. */
  drained(): Promise<void> {
    return Promise.race([this.#written, this.#broken.promise]);
  }
}

/** Says something to the person who started the program. */
export function complain(text: string): void {
  process.stderr.write(`mcp-chat: ${text}\n`);
}

/** Calls back at every signal that asks the process to end. */
export function onEndSignals(callback: () => void): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, callback);
}

/** Waits for a polite end, but not for ever. */
export async function goodbye(polite: Promise<void>): Promise<void> {
  await Promise.race([polite.catch(() => undefined), Bun.sleep(CLIENT_GOODBYE_MS_MAX)]);
}
