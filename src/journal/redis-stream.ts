/**
 * The journal as a stream of Redis: its keys, the ids of its entries, and what is asked of it.
 *
 * This file owns the spelling of both. It must never know what a turn says.
 */
import { type RedisConnection, RedisRefusal } from "./redis-connection.ts";

/** All keys begin so: the braces keep them on one machine where keys are spread over several. */
const PREFIX = "{mcp-chat}:";
export const JOURNAL_KEY = `${PREFIX}journal`;
export const SNAPSHOTS_KEY = `${PREFIX}snapshots`;
export const SESSION_KEY_KEY = `${PREFIX}session-key`;
/** Which process of Redis the nodes have last found whole. */
const PROCESS_KEY = `${PREFIX}process`;
export const CENSUS_KEY = `${PREFIX}census`;
const lockKey = (what: Exclusive): string => `${PREFIX}lock:${what}`;
export const snapshotKey = (id: StreamId): string => `${PREFIX}snapshot:${id}`;
/** Channels know no databases, so theirs is in the name. */
export const whisperChannel = (database: number): string => `${PREFIX}whispers:${database}`;

/** Place of an entry of the stream: `MILLISECONDS-NUMBER`. */
export type StreamId = string;
/** Before everything. */
export const NOWHERE: StreamId = "0-0";

/** One entry of the stream: what kind it is, and its text. */
export interface StreamEntry {
  readonly id: StreamId;
  readonly kind: string;
  readonly text: string;
}

/** Milliseconds since the epoch, by the clock of Redis. */
export function timeOf(id: StreamId): number {
  return Number.parseInt(id, 10);
}

/** Below 0 if the first comes before the second. */
export function compareIds(a: StreamId, b: StreamId): number {
  if (a === b) return 0;
  return timeOf(a) - timeOf(b) || Number(a.slice(a.indexOf("-") + 1)) - Number(b.slice(b.indexOf("-") + 1));
}

/**
 * Entries after an id, oldest first.
 * @param holdMs how long Redis may wait for the first; absent = not at all
 */
export async function readAfter(
  connection: RedisConnection,
  id: StreamId,
  countMax: number,
  holdMs?: number,
): Promise<readonly StreamEntry[]> {
  const hold = holdMs === undefined ? [] : ["BLOCK", String(holdMs)];
  const reply = await connection.send("XREAD", ["COUNT", String(countMax), ...hold, "STREAMS", JOURNAL_KEY, id]);
  return entriesOf((reply as Record<string, RawEntry[]> | null)?.[JOURNAL_KEY] ?? []);
}

/** Whether there is an entry, without its text. */
const IS_THERE = 'return #redis.call("XRANGE", KEYS[1], ARGV[1], ARGV[1])';

/**
 * The same, or undefined if the entry with that id has been removed from the stream: others that came after it
 * may have been, too.
 */
export async function readOnAfter(
  connection: RedisConnection,
  id: StreamId,
  countMax: number,
  holdMs?: number,
): Promise<readonly StreamEntry[] | undefined> {
  const [entries, isThere] = await Promise.all([
    readAfter(connection, id, countMax, holdMs),
    // Sent along and carried out next: what was removed later than that makes a false alarm at worst.
    connection.send("EVAL", [IS_THERE, "1", JOURNAL_KEY, id]),
  ]);
  return entries.length === 0 || isThere === 1 ? entries : undefined;
}

type RawEntry = readonly [id: string, fields: readonly string[] | null];

function entriesOf(raw: readonly RawEntry[]): readonly StreamEntry[] {
  return raw.map(([id, fields]) => ({ id, kind: fields?.[0] ?? "", text: fields?.[1] ?? "" }));
}

/** The latest id ever given in the stream, whether its entry is still there or not; `NOWHERE` if there is no stream. */
export async function lastIdOf(connection: RedisConnection): Promise<StreamId> {
  return String((await infoOf(connection))?.["last-generated-id"] ?? NOWHERE);
}

/** Place of the last entry that is in the stream; `NOWHERE` if there is none. */
export async function lastEntryOf(connection: RedisConnection): Promise<StreamId> {
  const last = (await infoOf(connection))?.["last-entry"] as RawEntry | null | undefined;
  return last?.[0] ?? NOWHERE;
}

async function infoOf(connection: RedisConnection): Promise<Record<string, unknown> | undefined> {
  try {
    return (await connection.send("XINFO", ["STREAM", JOURNAL_KEY])) as Record<string, unknown>;
  } catch (problem) {
    if (problem instanceof RedisRefusal && /no such key/i.test(problem.message)) return undefined;
    throw problem;
  }
}

/** Whether an entry is in the stream. */
export async function isInStream(connection: RedisConnection, id: StreamId): Promise<boolean> {
  const found = (await connection.send("XRANGE", [JOURNAL_KEY, id, id])) as readonly unknown[];
  return found.length > 0;
}

/** Tells one process of Redis from another; "" where that may not be asked. */
export async function processOf(connection: RedisConnection): Promise<string> {
  const info = await connection.send("INFO", ["server"]).catch((problem: unknown) => {
    if (problem instanceof RedisRefusal) return "";
    throw problem;
  });
  return /^run_id:(\w+)/m.exec(String(info))?.[1] ?? "";
}

/** The one that was last found whole; undefined = there was none. */
export async function lastProcessOf(connection: RedisConnection): Promise<string | undefined> {
  const known = await connection.send("GET", [PROCESS_KEY]);
  return known === null ? undefined : String(known);
}

/** Whatever this process of Redis could have lost has been brought back, or been given up. */
export async function vouchFor(connection: RedisConnection, process: string): Promise<void> {
  await connection.send("SET", [PROCESS_KEY, process]);
}

/** What only one node may be about at a time. */
type Exclusive = "mend" | "snapshot";

/** How long a lock outlives whoever holds it, in milliseconds. */
const LOCK_MS = 5000;

export async function isLocked(connection: RedisConnection, what: Exclusive): Promise<boolean> {
  return (await connection.send("EXISTS", [lockKey(what)])) === 1;
}

/** Does something, unless another node is about it. False if one is. */
export async function alone(connection: RedisConnection, what: Exclusive, work: () => Promise<void>): Promise<boolean> {
  const key = lockKey(what);
  const taken = await connection.send("SET", [key, "held", "NX", "PX", String(LOCK_MS)]);
  if (taken === null) return false;
  const holding = setInterval(() => {
    connection.send("PEXPIRE", [key, String(LOCK_MS)]).catch(() => undefined);
  }, LOCK_MS / 4);
  try {
    await work();
  } finally {
    clearInterval(holding);
    await connection.send("DEL", [key]).catch(() => undefined);
  }
  return true;
}
