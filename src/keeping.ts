/**
 * What outlives the process: the journal of a data directory, the lobby it stands for, and the key that
 * seals sessions.
 *
 * This file owns how these belong together. It must never end the process: it says why it should.
 */
import { type Clock, systemClock } from "./chat/alarm-clock.ts";
import { LobbyReplica } from "./chat/lobby-replica.ts";
import { COMPACT_COMMAND } from "./cli.ts";
import { type CompactCommand, compact, compactElsewhere } from "./journal/compaction.ts";
import { DiskJournal } from "./journal/disk.ts";
import type { Durability } from "./journal/segment.ts";
import { LAST_SNAPSHOT_MS_MAX } from "./limits.ts";
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
    compact: compactElsewhere(compactCommand),
    onFailure,
    onTrouble: (problem) => log.warn(problem.message),
  });
  const { replayed, ms, behindMs } = journal.found;
  if (replayed > 0) log.info("the journal has been replayed", { entries: replayed, ms: Math.round(ms) });
  if (behindMs > 0) log.warn("the clock is behind the journal, which goes on from its own time", { ms: behindMs });
  return {
    journal,
    replica,
    sessionKey: journal.directory.sessionKey(),
    clock: { now: journal.now, after: systemClock.after },
    close() {
      const end = performance.now() + LAST_SNAPSHOT_MS_MAX;
      journal.close(() => performance.now() > end);
    },
  };
}

/** What `COMPACT_COMMAND` does. @throws JournalFault */
export function compactHere([path = "", before]: readonly string[]): void {
  compact(path, before === undefined ? undefined : Number(before), new LobbyReplica());
}

/** The executable is its own program; from sources the runtime is told which. */
const compactCommand: CompactCommand = (path, before) => {
  const isExecutable = /^(?:\/\$bunfs|[A-Z]:[\\/]~BUN)[\\/]/.test(Bun.main);
  return [process.execPath, ...(isExecutable ? [] : [Bun.main]), COMPACT_COMMAND, path, String(before)];
};
