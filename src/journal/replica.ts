/**
 * What a journal rebuilds from what it has kept, as far as it has to know it: something that takes rows
 * and entries and is the same afterwards, wherever that happens.
 *
 * This file owns the interface only.
 */
import type { Entry } from "../domain/command.ts";

export interface Replica {
  /** Version of the rows; rows of a later one cannot be read. */
  readonly version: number;
  /** Time of the last entry, in milliseconds; 0 before the first. */
  readonly now: number;
  /** A number of 32 bits that tells states apart: a replay that has gone astray has another one. */
  readonly mark: number;
  /** Becomes as it was before everything. */
  clear(): void;
  /** Becomes what a snapshot's rows say, whatever it was. Throws if they make no sense. */
  load(rows: Iterable<unknown>): void;
  /** Applies the next entry. What happened to it when it was made happens again, a bug included. */
  apply(entry: Entry): void;
  /** Everything as rows of JSON, the same for the same state. */
  rows(): Iterable<unknown>;
}
