/**
 * The few words in which SQLite and PostgreSQL differ; every statement is the same for both.
 *
 * This file owns those words, and how rows are handed over: as one parameter of JSON, so that there is one
 * prepared statement however many rows there are.
 */

import { HISTORY_FILE_BATCH_MAX, HISTORY_SERVER_BATCH_MAX } from "../history-limits.ts";

export interface Dialect {
  readonly kind: "sqlite" | "postgres";
  /** Rows that are written at once. */
  readonly batchMax: number;
  /** A table with one column `value`, a row of JSON each, out of a parameter. */
  rows(parameter: string): string;
  /** A key that the database draws. */
  readonly number: string;
  /** How a transaction that writes begins. */
  readonly begin: string;
  /** Has a transaction wait while another holds `alone`; undefined where only one writes at a time anyway. */
  readonly together: string | undefined;
  /** Has a transaction wait until no other runs, and others wait for it. */
  readonly alone: string | undefined;
  /** What to say before and after a transaction that not even a failing machine may undo; undefined = none is undone. */
  readonly surely: { readonly from: string; readonly to: string } | undefined;
}

export const SQLITE: Dialect = {
  kind: "sqlite",
  batchMax: HISTORY_FILE_BATCH_MAX,
  rows: (parameter) => `json_each(${parameter})`,
  number: "INTEGER PRIMARY KEY",
  begin: "immediate",
  together: undefined,
  alone: undefined,
  surely: { from: "PRAGMA synchronous = FULL", to: "PRAGMA synchronous = NORMAL" },
};

/** Of the advisory lock: "mcph". */
const LOCK = 0x6d637068;

export const POSTGRES: Dialect = {
  kind: "postgres",
  batchMax: HISTORY_SERVER_BATCH_MAX,
  // By way of text: what the client sees to be JSON it would make JSON of once more.
  rows: (parameter) => `json_array_elements(CAST(CAST(${parameter} AS TEXT) AS JSON)) AS t(value)`,
  number: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
  begin: "isolation level read committed",
  together: `SELECT pg_advisory_xact_lock_shared(${LOCK})`,
  alone: `SELECT pg_advisory_xact_lock(${LOCK})`,
  surely: undefined,
};
