/**
 * What outlives the process: the journal of a data directory, the lobby it stands for, and the key that
 * seals sessions.
 *
 * This file owns how these belong together. It must never end the process: it says why it should.
 */
import { type Clock, systemClock } from "./chat/alarm-clock.ts";
import { LobbyReplica } from "./chat/lobby-replica.ts";
import { COMPACT_COMMAND, COMPACT_SHARED } from "./cli.ts";
import { compact, compactElsewhere, runAside } from "./journal/compaction.ts";
import { DiskJournal } from "./journal/disk.ts";
import { RedisJournal } from "./journal/redis.ts";
import { compactRedis } from "./journal/redis-compaction.ts";
import type { Durability } from "./journal/segment.ts";
import { LAST_SNAPSHOT_MS_MAX } from "./journal-limits.ts";
import type { Log } from "./log.ts";

export interface Keeping {
  readonly journal: DiskJournal;
  readonly replica: LobbyReplica;
  readonly sessionKey: Uint8Array;
  /** Goes on from the last entry, if the system's clock is behind it. */
  readonly clock: Clock;
  /** Keeps the rest. Nothing may be submitted afterwards. */
  close(): void;
}

/**
 * Opens a data directory.
 * @param onFailure called once, when something could not be kept: nobody may be told anything any more
 * @throws JournalFault if anything is in the way, in words for the operator
 */
export function openKeeping(
  path: string,
  durability: Durability,
  log: Log,
  onFailure: (problem: Error) => void,
): Keeping {
  const replica = new LobbyReplica();
  const journal = DiskJournal.open({
    path,
    durability,
    replica,
    makeReplica: () => new LobbyReplica(),
    now: systemClock.now,
    compact: compactElsewhere((folder, before) => compactCommand(folder, String(before))),
    onFailure,
    onTrouble: (problem) => log.warn(problem.message),
  });
  const { replayed, ms, behindMs, setAside } = journal.found;
  if (setAside.length > 0) {
    log.warn("the machine ended before the disk had kept everything: what was said last is lost", {
      aside: setAside.join(" "),
    });
  }
  if (replayed > 0) log.info("the journal has been replayed", { entries: replayed, ms: Math.round(ms) });
  if (behindMs > 0) log.warn("the clock is behind the journal, which goes on from its own time", { ms: behindMs });
  return {
    journal,
    replica,
    sessionKey: journal.directory.sessionKey(journal.isFresh),
    clock: { now: journal.now, after: systemClock.after },
    close() {
      const end = performance.now() + LAST_SNAPSHOT_MS_MAX;
      journal.close(() => performance.now() > end);
    },
  };
}

/** What several nodes share: the journal, the lobby as it has come to this one, and the key that seals sessions. */
export interface SharedKeeping {
  readonly journal: RedisJournal;
  /** Holds another lobby after each reset of the journal. */
  readonly replica: LobbyReplica;
  readonly sessionKey: Uint8Array;
  /** That of Redis. */
  readonly clock: Clock;
  /** Writes what was posted. Nothing may be submitted afterwards. */
  close(): Promise<void>;
}

/**
 * Finds Redis and comes to where the other nodes are.
 * @param onFailure called once, when this node cannot go on
 * @throws JournalFault if anything is in the way, in words for the operator
 */
export async function openSharedKeeping(
  url: string,
  log: Log,
  onFailure: (problem: Error) => void,
): Promise<SharedKeeping> {
  const replica = new LobbyReplica();
  const start = performance.now();
  const journal: RedisJournal = await RedisJournal.open({
    url,
    replica,
    leads: () => replica.leader === journal.node,
    compact: (id, mark) => runAside(compactCommand(COMPACT_SHARED, id, String(mark)), { [REDIS_VARIABLE]: url }),
    onFailure,
    onTrouble: (problem) => log.warn(problem.message),
    onNote: (line) => log.info(line),
  });
  const { entries } = journal.figures;
  if (entries > 0) log.info("the journal has been replayed", { entries, ms: Math.round(performance.now() - start) });
  return {
    journal,
    replica,
    sessionKey: journal.sessionKey,
    clock: { now: journal.now, after: systemClock.after },
    close: () => journal.close(),
  };
}

/** Arguments can be read by others. */
const REDIS_VARIABLE = "MCP_CHAT_REDIS";

/** What `COMPACT_COMMAND` does. @throws JournalFault */
export async function compactHere([path = "", ...rest]: readonly string[]): Promise<void> {
  if (path === COMPACT_SHARED) {
    const [id = "", mark] = rest;
    await compactRedis(process.env[REDIS_VARIABLE] ?? "", id, Number(mark), new LobbyReplica());
    return;
  }
  const [before] = rest;
  compact(path, before === undefined ? undefined : Number(before), new LobbyReplica());
}

/** The executable is its own program; from sources the runtime is told which. */
function compactCommand(...what: readonly string[]): readonly string[] {
  const isExecutable = /^(?:\/\$bunfs|[A-Z]:[\\/]~BUN)[\\/]/.test(Bun.main);
  return [process.execPath, ...(isExecutable ? [] : [Bun.main]), COMPACT_COMMAND, ...what];
}
