/**
 * Snapshots in Redis: each a list of pieces, and a sorted set that names those that are whole. What the latest
 * one holds need not stay in the stream.
 *
 * This file owns their writing, reading and removing, and the trimming of the stream. It must never trim what
 * no whole snapshot holds.
 */
import { SNAPSHOT_PIECE_CHARS } from "../journal-limits.ts";
import { JournalFault } from "./fault.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { compareIds, JOURNAL_KEY, NOWHERE, SNAPSHOTS_KEY, type StreamId, snapshotKey, timeOf } from "./redis-stream.ts";
import type { Replica } from "./replica.ts";
import { hashOfRows, SnapshotLines, snapshotTexts, tidied } from "./snapshot-text.ts";

/** Pieces read at a time. */
const PIECES_AT_ONCE = 8;
/** Entries of the stream that Redis removes at once: it answers nobody meanwhile. */
const TRIMMED_AT_ONCE = 10_000;
/** How long the pieces of one that is not whole yet are kept, in milliseconds: its writer may be dead. */
const UNFINISHED_MS = 3600 * 1000;

/** The latest whole snapshot is of the state after this entry; `NOWHERE` = there is none. */
export async function latestSnapshot(connection: RedisConnection): Promise<StreamId> {
  return (await wholeSnapshots(connection)).at(-1) ?? NOWHERE;
}

/** All that are whole, oldest first. Scores say milliseconds only, and the set orders what they leave open by text. */
async function wholeSnapshots(connection: RedisConnection): Promise<readonly StreamId[]> {
  const ids = (await connection.send("ZRANGE", [SNAPSHOTS_KEY, "0", "-1"])) as StreamId[];
  return ids.toSorted(compareIds);
}

/**
 * Has a fresh replica become what the latest snapshot says, if there is one.
 * @returns its place
 * @throws JournalFault if it is damaged or newer; RedisGone, RedisRefusal
 */
export async function loadLatest(connection: RedisConnection, replica: Replica): Promise<StreamId> {
  for (;;) {
    const id = await latestSnapshot(connection);
    if (id === NOWHERE) return id;
    try {
      await loadSnapshot(connection, id, replica);
      return id;
    } catch (problem) {
      // It may have been removed meanwhile, for a later one.
      if (!(problem instanceof JournalFault) || (await latestSnapshot(connection)) === id) throw problem;
    }
  }
}

/**
 * Has a replica become what a snapshot says.
 * @throws JournalFault if it is damaged, not whole or newer; RedisGone, RedisRefusal
 */
export async function loadSnapshot(
  connection: RedisConnection,
  id: StreamId,
  replica: Replica,
  trusts = true,
): Promise<void> {
  const name = `snapshot ${id} in Redis`;
  const pieces = await readPieces(connection, id);
  const lines = new SnapshotLines(name, replica.version);
  try {
    replica.load(rowsOf(pieces, lines));
  } catch (problem) {
    throw problem instanceof JournalFault ? problem : new JournalFault(`${name} is damaged`, { cause: problem });
  }
  if (lines.isOlder || (trusts && lines.isChecked)) return;
  if (hashOfRows(replica.rows()) !== lines.hash) {
    throw new JournalFault(`${name} does not give the state it was made from`);
  }
}

async function readPieces(connection: RedisConnection, id: StreamId): Promise<string[]> {
  const pieces: string[] = [];
  for (;;) {
    const range = [String(pieces.length), String(pieces.length + PIECES_AT_ONCE - 1)];
    const some = (await connection.send("LRANGE", [snapshotKey(id), ...range])) as string[];
    pieces.push(...some);
    if (some.length < PIECES_AT_ONCE) return pieces;
  }
}

function* rowsOf(pieces: string[], lines: SnapshotLines): Generator<unknown, void, undefined> {
  for (let i = 0; i < pieces.length; i++) {
    yield* lines.take(pieces[i] ?? "");
    // What has been taken need not be there twice.
    pieces[i] = "";
  }
  // Nobody may take for a state what is not all of it.
  lines.check();
}

/**
 * Writes down a state, which must not change meanwhile, without holding up this process: there are breaks.
 * It counts once `declareWhole` has been called.
 */
export async function writeSnapshot(
  connection: RedisConnection,
  id: StreamId,
  replica: Replica,
  checked: boolean,
): Promise<void> {
  const key = snapshotKey(id);
  await connection.send("UNLINK", [key]);
  const rows = checked ? tidied(replica.rows()) : replica.rows();
  for (const piece of snapshotTexts({ seq: id, rows: replica.version, checked }, rows, SNAPSHOT_PIECE_CHARS)) {
    const pieces = await connection.send("RPUSH", [key, piece]);
    if (pieces === 1) await connection.send("PEXPIRE", [key, String(UNFINISHED_MS)]);
  }
}

/**
 * All or nothing, as Redis may be emptied at any moment: a snapshot that is named is there, and so is the entry
 * that it follows on.
 */
const DECLARE = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
if ARGV[3] ~= "" then redis.call("XADD", KEYS[3], ARGV[2], ARGV[3], "") end
redis.call("PERSIST", KEYS[1])
redis.call("ZADD", KEYS[2], ARGV[1], ARGV[2])
return 1`;

/**
 * From now on a snapshot counts, and what is older than the one before it goes.
 * @param anchor kind of an entry to be added at the snapshot's place, where there is none
 * @returns false if the snapshot has gone
 * @throws RedisRefusal if something has come after the anchor's place
 */
export async function declareWhole(connection: RedisConnection, id: StreamId, anchor = ""): Promise<boolean> {
  const keys = [snapshotKey(id), SNAPSHOTS_KEY, JOURNAL_KEY];
  const declared = await connection.send("EVAL", [DECLARE, "3", ...keys, String(timeOf(id)), id, anchor]);
  if (declared !== 1) return false;
  const whole = await wholeSnapshots(connection);
  // Somebody may be about to read the one before.
  for (const old of whole.slice(0, -2)) {
    await connection.send("ZREM", [SNAPSHOTS_KEY, old]);
    await connection.send("UNLINK", [snapshotKey(old)]);
  }
  await trim(connection, whole.at(-1) ?? NOWHERE);
  return true;
}

/** Removes from the stream what comes before an entry, a little at a time. */
async function trim(connection: RedisConnection, id: StreamId): Promise<void> {
  const some = [JOURNAL_KEY, "MINID", "~", id, "LIMIT", String(TRIMMED_AT_ONCE)];
  while (Number(await connection.send("XTRIM", some)) > 0);
}
