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
   * @returns the result, at once if entries are applied before they are kept, else when the entry has its place.
   *   Where it is kept later, nothing that follows from it may leave the process before `Safety` says so.
   */
  append<T>(command: Command, apply: (entry: Entry) => T): T | Promise<T>;

  /**
   * For `apply` to say that its entry has changed nothing but the time, so that it need not be kept.
   * Absent where nothing is kept.
   */
  readonly leaveOut?: () => void;

  /** How often a tick is wanted at least, in milliseconds, so that it is known until when the server lived. */
  readonly pulseMs?: number;
}

/** What stands between a turn and the telling of it. */
export interface Safety {
  /** When everything done so far is kept; undefined if it is already. If it never will be, this never resolves. */
  whenSafe(): Promise<void> | undefined;
  /** Has everything done so far kept now. False: it cannot be, and nothing may be told any more. */
  makeSafe(): boolean;
}

/** Draws the entropy of one entry: `ENTROPY_CHARS` base64url characters. */
export type DrawEntropy = () => string;
