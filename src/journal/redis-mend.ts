/**
 * What is done when Redis has lost what the nodes have applied: its last second when it was killed without
 * writing every entry at once, everything when it keeps nothing or was emptied. The nodes hold the truth:
 * whoever has come farthest writes down again what is missing, or if that is too much, the state itself.
 *
 * This file owns who does that, and how. It must never write over what has come into the stream since.
 */
import { LOSS_CENSUS_MS } from "../journal-limits.ts";
import { type RedisConnection, RedisRefusal } from "./redis-connection.ts";
import type { RecentTurns } from "./redis-recent.ts";
import { declareWhole, latestSnapshot, writeSnapshot } from "./redis-snapshots.ts";
import {
  alone,
  CENSUS_KEY,
  compareIds,
  isInStream,
  isLocked,
  JOURNAL_KEY,
  lastIdOf,
  NOWHERE,
  type StreamEntry,
  type StreamId,
  timeOf,
} from "./redis-stream.ts";
import { ANCHOR_KIND } from "./redis-turn.ts";
import type { Replica } from "./replica.ts";

/** How a node stands to the stream. */
export type Standing =
  /** What it has applied last is there: it reads on. */
  | "here"
  /** A snapshot holds that and more, and it is not there any more. */
  | "behind"
  /** It is not there, and nothing holds it. */
  | "lost";

/** Between two looks whether somebody else has mended the stream, in milliseconds. */
const LOOK_MS = 50;
/** How long the farthest node may take to begin, in milliseconds, before the others go on without it. */
const FARTHEST_MS_MAX = 5000;
const CENSUS_AGE_MS = 60_000;
/** Entries brought back at a time. */
const BROUGHT_AT_ONCE = 256;

/** @param applied what this node has applied last */
export async function standingOf(connection: RedisConnection, applied: StreamId): Promise<Standing> {
  if (applied === NOWHERE || (await isInStream(connection, applied))) return "here";
  return compareIds(await latestSnapshot(connection), applied) >= 0 ? "behind" : "lost";
}

/**
 * Brings back what Redis has lost, or waits until another node has. To be called while nothing is applied.
 * @returns how this node stands then; "lost" = the others went on without what it had applied
 */
export async function mend(
  connection: RedisConnection,
  applied: StreamId,
  recent: RecentTurns,
  replica: Replica,
): Promise<Standing> {
  const me = `${sortable(applied)} ${crypto.randomUUID()}`;
  try {
    for (let start = 0; ; ) {
      const isNew = (await connection.send("ZADD", [CENSUS_KEY, "0", me])) === 1;
      if (isNew) {
        // The first time, or all was lost once more. All nodes find Redis again within this time, and none
        // writes before it has looked whether anything is lost.
        await connection.send("PEXPIRE", [CENSUS_KEY, String(CENSUS_AGE_MS)]);
        start = performance.now();
        await Bun.sleep(LOSS_CENSUS_MS);
      }
      // In this order: whoever brings back more than this node has brings back that first.
      const isBeyond = compareIds(await lastIdOf(connection), applied) > 0;
      if ((await standingOf(connection, applied)) !== "lost") break;
      if (isBeyond) return "lost";
      if ((await farthestOf(connection)) === me || performance.now() - start > FARTHEST_MS_MAX) {
        await alone(connection, "mend", async () => {
          if ((await standingOf(connection, applied)) !== "lost") return;
          await bringBack(connection, applied, recent, replica);
        });
      }
      await Bun.sleep(LOOK_MS);
    }
  } finally {
    await connection.send("ZREM", [CENSUS_KEY, me]).catch(() => undefined);
  }
  await whileMending(connection);
  return standingOf(connection, applied);
}

/** Waits until nobody is bringing anything back, or about to: what came into the stream meanwhile would be in the way. */
export async function whileMending(connection: RedisConnection): Promise<void> {
  const start = performance.now();
  for (;;) {
    const [farthest = ""] = ((await farthestOf(connection)) ?? "").split(" ");
    const isAwaited = farthest > sortable(await lastIdOf(connection)) && performance.now() - start < FARTHEST_MS_MAX;
    if (!isAwaited && !(await isLocked(connection, "mend"))) return;
    await Bun.sleep(LOOK_MS);
  }
}

async function farthestOf(connection: RedisConnection): Promise<string | undefined> {
  return ((await connection.send("ZRANGE", [CENSUS_KEY, "-1", "-1"])) as string[])[0];
}

async function bringBack(
  connection: RedisConnection,
  applied: StreamId,
  recent: RecentTurns,
  replica: Replica,
): Promise<void> {
  const end = await lastIdOf(connection);
  const missing = recent.after(end);
  try {
    if (missing === undefined) {
      await writeSnapshot(connection, applied, replica, false);
      await declareWhole(connection, applied, ANCHOR_KIND);
      return;
    }
    // Only the first may begin a stream: where all is lost again meanwhile, no stream may begin in the middle.
    const [first] = missing;
    if (end === NOWHERE && first !== undefined) await addAt(connection, first);
    for (let i = end === NOWHERE ? 1 : 0; i < missing.length; i += BROUGHT_AT_ONCE) {
      const some = missing.slice(i, i + BROUGHT_AT_ONCE);
      await Promise.all(some.map((turn) => addAt(connection, turn, "NOMKSTREAM")));
    }
  } catch (problem) {
    // Something has come in between, which shows at the next look.
    if (!(problem instanceof RedisRefusal && /equal or smaller/.test(problem.message))) throw problem;
  }
}

/** Adds an entry in its old place. */
async function addAt(connection: RedisConnection, { id, kind, text }: StreamEntry, ...how: string[]): Promise<void> {
  await connection.send("XADD", [JOURNAL_KEY, ...how, id, kind, text]);
}

/** A place such that the texts of places sort as they do. */
function sortable(id: StreamId): string {
  const number = id.slice(id.indexOf("-") + 1);
  return `${String(timeOf(id)).padStart(15, "0")}-${number.padStart(20, "0")}`;
}
