/**
 * The journal's port: where a command gets its place in the order of everything that happens.
 *
 * This file owns the interface only. A journal must never know what a command means.
 */
import type { Command, Entry } from "../domain/command.ts";

export interface Journal {
  /**
   * Gives a command its time, entropy and place, and applies it there.
   * @param apply called exactly once, in the order of the journal; what it returns is the result
   * @returns the result, at once if the journal keeps nothing, else when the entry is safe
   */
  append<T>(command: Command, apply: (entry: Entry) => T): T | Promise<T>;
}

/** Draws the entropy of one entry: `ENTROPY_CHARS` base64url characters. */
export type DrawEntropy = () => string;
