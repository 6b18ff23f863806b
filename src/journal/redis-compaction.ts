/**
 * Making a snapshot of the journal in Redis away from the nodes: another process goes the way that a new node
 * would go, as far as a given entry, and writes down where it arrives. It must arrive where the node was that
 * asked, and what it has written must give the same when it is read back.
 *
 * This file owns that way. It must never have the stream trimmed before all that is shown.
 */
import { JournalFault } from "./fault.ts";
import { RedisConnection } from "./redis-connection.ts";
import { declareWhole, latestSnapshot, loadSnapshot, writeSnapshot } from "./redis-snapshots.ts";
import { compareIds, NOWHERE, readAfter, type StreamId } from "./redis-stream.ts";
import { entriesOfTurn } from "./redis-turn.ts";
import type { Replica } from "./replica.ts";

/** Turns read at a time. */
const READ_TURNS = 512;

/**
 * Makes a snapshot of the state after an entry. To be run in a process of its own.
 * @param mark what the state must give there
 * @param replica a fresh one; it is of no use afterwards
 * @throws JournalFault, RedisGone, RedisRefusal
 */
export async function compactRedis(url: string, id: StreamId, mark: number, replica: Replica): Promise<void> {
  const connection = await RedisConnection.open(url);
  try {
    const snapshot = await latestSnapshot(connection);
    if (compareIds(snapshot, id) >= 0) return;
    if (snapshot !== NOWHERE) await loadSnapshot(connection, snapshot, replica);
    await replay(connection, snapshot, id, replica);
    if (replica.mark !== mark) throw new JournalFault(`entry ${id} in Redis does not give what it gave on the node`);
    await writeSnapshot(connection, id, replica, true);
    // Two states at a time would be one too many.
    replica.clear();
    Bun.gc(true);
    await loadSnapshot(connection, id, replica, false);
    if (!(await declareWhole(connection, id))) throw new JournalFault(`snapshot ${id} has gone from Redis`);
  } finally {
    connection.close();
  }
}

async function replay(connection: RedisConnection, from: StreamId, to: StreamId, replica: Replica): Promise<void> {
  for (let applied = from; compareIds(applied, to) < 0; ) {
    const turns = await readAfter(connection, applied, READ_TURNS);
    for (const turn of turns) {
      if (compareIds(turn.id, to) > 0) break;
      for (const entry of entriesOfTurn(turn) ?? []) replica.apply(entry);
      applied = turn.id;
    }
    const next = turns.at(-1)?.id;
    if (applied !== to && (next === undefined || compareIds(next, to) > 0)) {
      throw new JournalFault(`entry ${to} is not in Redis`);
    }
  }
}
