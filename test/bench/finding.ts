/**
 * What a measure finds, and what it is given to find it with.
 *
 * This file owns the shapes that measures share. It must never hold a number of any of them.
 */
import type { PeerName, ServerOptions, ServerProcess } from "./server-process.ts";

/** One line of the table. */
export interface Finding {
  /** Of the measure it belongs to. */
  readonly measure: string;
  readonly title: string;
  /** What the product does, as it is read. */
  readonly product: string;
  /** What the peers do, or what it does at other sizes. */
  readonly others: string;
  /** The relation between the two. */
  readonly ratio: string;
  /** What is wanted; empty if nothing is. */
  readonly target: string;
  /** Undefined where nothing is wanted, or where this machine cannot tell. */
  readonly isMet: boolean | undefined;
  /** Everything behind it, for whoever reads the JSON. */
  readonly numbers: Readonly<Record<string, number | string | undefined>>;
}

/** How much work a run puts into being exact. */
export interface Effort {
  readonly rounds: number;
  readonly warmupMs: number;
  readonly measuredMs: number;
  /** Users of the rows with many of them, and how long their messages are measured. */
  readonly crowd: number;
  readonly crowdMs: number;
  /** Times the executable is started. */
  readonly starts: number;
  /** Sessions opened to see what they cost. */
  readonly sessions: number;
  /** How long a server is left alone before its memory is read, in milliseconds; undefined = memory is not measured. */
  readonly settleMs: number | undefined;
}

/** What a measure works with. */
export interface Bench {
  readonly effort: Effort;
  /** For files that nobody needs afterwards. */
  readonly folder: string;
  /** The product as a command line, if not from the sources. */
  readonly product: readonly string[] | undefined;
  start(peer: PeerName, settings?: ServerOptions["settings"]): Promise<ServerProcess>;
  /** Says what is being done; not part of the table. */
  progress(text: string): void;
}

/** One or more lines of the table, measured together. */
export interface Measure {
  readonly name: string;
  /** Whether a quick run includes it. */
  readonly isQuick: boolean;
  /** Whether it is left out unless it is asked for by name: nothing is wanted of its rows, and they take long. */
  readonly isAside?: boolean;
  run(bench: Bench): Promise<Finding[]>;
}

/** Users over whom messages are spread where their number does not matter, and the connections they speak over. */
export const FEW_USERS = 200;
export const CONNECTIONS = 32;

/**
 * A server that used less of its core than this was not at its limit: the load process was, or others wanted the core.
 * What it does in a second says nothing then, and its processor's time does.
 */
export const LIMIT_SHARE = 0.9;

/** The middle one; of an even number, the mean of the two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.floor(half - 0.5)] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

// --- how numbers are written --------------------------------------------------------------------

/** Thousands by commas, and as many places as help: 31,049, 12.3, 0.45. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "?";
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: places, minimumFractionDigits: 0 });
}

export const ms = (value: number): string => `${figure(value)} ms`;
export const kib = (bytes: number): string => `${figure(bytes / 1024)} KiB`;
export const times = (value: number): string => `${figure(value)} ×`;
