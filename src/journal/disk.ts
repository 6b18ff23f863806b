/**
 * The journal on disk: entries are applied at once and in order, and kept together at the end of their
 * turn, by one commit. Until then nothing of them may be told to anybody (`Safety`).
 *
 * This file owns the turn, and which file is written to. A turn that cannot be kept ends everything: what
 * was applied and not kept must never be seen. It must never wait for the disk to tidy up.
 */
import { rm } from "node:fs/promises";
import type { Command, Entry } from "../domain/command.ts";
import { JOURNAL_PULSE_MS, SEGMENT_BYTES_MAX, SEGMENT_ENTRIES_MAX, SEGMENTS_CLOSED_MAX } from "../journal-limits.ts";
import { bootName } from "./boot.ts";
import { DataDirectory } from "./directory.ts";
import { faultOf, JournalFault } from "./fault.ts";
import type { DrawEntropy, Journal, Safety } from "./journal.ts";
import { createEntropySource } from "./memory.ts";
import { MissingEntries, type Recovered, recover } from "./recovery.ts";
import type { Replica } from "./replica.ts";
import { type Durability, Segment, segmentFiles } from "./segment.ts";
import { loadSnapshot, snapshotPieces } from "./snapshot-file.ts";
import { entryText, turnText } from "./turn-text.ts";
import { Watermark } from "./watermark.ts";

export interface DiskJournalOptions {
  readonly path: string;
  readonly durability: Durability;
  /** Fresh; once the journal is open it is what the directory stands for, and what entries are applied to. */
  readonly replica: Replica;
  /** Makes another, to try whether a snapshot gives the same. */
  readonly makeReplica: () => Replica;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly draw?: DrawEntropy;
  /**
   * Makes a snapshot of the entries before this one, which are all in closed segments. It must leave this
   * process alone. Rejects if it could not.
   */
  readonly compact: (directory: DataDirectory, before: number) => Promise<void>;
  /** Called once, when a turn could not be kept: the server must end and tell nobody anything. */
  readonly onFailure: (fault: JournalFault) => void;
  /** Something went wrong that costs nothing yet. */
  readonly onTrouble: (fault: JournalFault) => void;
  /** For tests: when a segment is full. */
  readonly segmentEntriesMax?: number;
}

/** How a journal was found. */
export interface Found {
  /** Entries that were replayed, and how long the way back took, in milliseconds. */
  readonly replayed: number;
  readonly ms: number;
  /** How far the clock is behind the last entry, in milliseconds; 0 = it is not. */
  readonly behindMs: number;
  /** Files that were set aside because the disk had not kept what comes before them. */
  readonly setAside: readonly string[];
}

/** What has happened in this process's journal. */
export interface DiskFigures {
  readonly entries: number;
  readonly commits: number;
  /** What the commits took in all. */
  readonly commitSeconds: number;
  /** What a start would have to replay. */
  readonly tailEntries: number;
}

export class DiskJournal implements Journal, Safety {
  readonly pulseMs = JOURNAL_PULSE_MS;
  readonly directory: DataDirectory;
  readonly found: Found;
  /** The machine has failed since, and the disk did not have to keep everything at once; or the folder is a copy. */
  readonly mayLackEnd: boolean;
  readonly #options: DiskJournalOptions;
  readonly #draw: DrawEntropy;
  readonly #entriesMax: number;
  /** Closed ones that no snapshot holds yet, in their order. */
  #closed: Segment[];
  #segment: Segment;
  /** Sequence number of the last entry kept. */
  #seq: number;
  #snapshot: number;
  #at: number;

  // Of the turn under way.
  #texts: string[] = [];
  #count = 0;
  #applying = 0;
  #isArmed = false;
  #safe: PromiseWithResolvers<void> | undefined;

  #isBroken = false;
  #compacting: Promise<void> | undefined;
  #tidying: Promise<void> = Promise.resolve();
  readonly #watermark: Watermark;
  #watermarkAt = 0;
  readonly #counts = { entries: 0, commits: 0, commitMs: 0 };

  private constructor(options: DiskJournalOptions, directory: DataDirectory) {
    this.#options = options;
    this.#draw = options.draw ?? createEntropySource();
    this.#entriesMax = options.segmentEntriesMax ?? SEGMENT_ENTRIES_MAX;
    this.directory = directory;
    const { replica, durability } = options;
    const start = performance.now();
    this.#watermark = new Watermark(directory.watermarkPath);
    const { seq, snapshot, replayed, segments, setAside } = this.#recover();
    if (seq < this.#watermark.found) {
      throw new JournalFault(`${directory.path}: entries ${seq + 1} to ${this.#watermark.found} are missing`);
    }
    const behindMs = Math.max(0, replica.now - options.now());
    const boot = bootName();
    const { living, isMoved } = directory;
    this.mayLackEnd = isMoved || (living !== undefined && living !== boot);
    this.found = { replayed, ms: performance.now() - start, behindMs, setAside };
    this.#seq = seq;
    this.#snapshot = snapshot;
    this.#at = replica.now;
    this.#closed = segments;
    directory.living = durability === "full" ? undefined : boot;
    directory.settleHere();
    // One whose entries are all in the snapshot is not gone on with.
    const isSpent = replayed === 0 && (segments.at(-1)?.first ?? 0) <= snapshot;
    const latest = isSpent ? undefined : segments.pop();
    this.#segment = latest ?? Segment.create(directory.segmentPath(seq + 1), seq + 1, durability);
    this.#removeOlder();
    // After many short lives there is more to replay than after a long one.
    if (this.#isFull || this.#closed.length > 0) this.#turnOver();
  }

  /**
   * A machine that fails takes with it what the disk had not kept yet, and may leave a later file behind. That
   * one is of no use, and nothing is hidden: it stays, and is named.
   */
  #recover(): Recovered & { readonly setAside: readonly string[] } {
    const { replica, durability } = this.#options;
    try {
      return { ...recover(this.directory, replica, durability), setAside: [] };
    } catch (problem) {
      const isFresh = problem instanceof MissingEntries && problem.after >= this.#watermark.found;
      if (!isFresh) throw problem;
      const setAside = this.directory.setAside(problem.segment);
      replica.clear();
      return { ...recover(this.directory, replica, durability), setAside };
    }
  }

  /**
   * Takes a directory, brings the replica to where it was, and goes on from there.
   * @throws JournalFault if anything is in the way
   */
  static open(options: DiskJournalOptions): DiskJournal {
    const directory = DataDirectory.claim(options.path);
    try {
      return new DiskJournal(options, directory);
    } catch (problem) {
      directory.release();
      throw faultOf(`cannot use ${options.path}`, problem);
    }
  }

  /** Whether nothing has ever happened here. */
  get isFresh(): boolean {
    return this.#seq === 0;
  }

  /** Entries that would have to be replayed if the process ended now, and what they take on the disk, in bytes. */
  get tail(): { readonly entries: number; readonly bytes: number; readonly segments: number } {
    const segments = [...this.#closed, this.#segment];
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    return { entries: this.#seq - this.#snapshot, bytes, segments: segments.length };
  }

  /** For those who watch: counted from the start of the process. */
  get figures(): DiskFigures {
    const { entries, commits, commitMs } = this.#counts;
    return { entries, commits, commitSeconds: commitMs / 1000, tailEntries: this.#seq - this.#snapshot };
  }

  /** Settles when nothing goes on beside the turns: no snapshot is made and nothing removed. */
  async idle(): Promise<void> {
    await this.#compacting;
    await this.#tidying;
  }

  /** Milliseconds since the epoch; if the clock was set back while nobody lived, it goes on from the last entry. */
  readonly now = (): number => this.#options.now() + this.found.behindMs;

  append<T>(command: Command, apply: (entry: Entry) => T): T {
    // Before whatever is told of this turn: that is written in this turn too, after what stands in line now.
    if (!this.#isArmed) {
      this.#isArmed = true;
      queueMicrotask(this.#commit);
    }
    this.#at = Math.max(this.#at, this.now());
    const entry = { at: this.#at, entropy: this.#draw(), command };
    // Before it is applied, as applying it may append others, and kept even if that fails: it has begun.
    this.#applying = this.#texts.push(entryText(entry)) - 1;
    this.#count++;
    return apply(entry);
  }

  readonly leaveOut = (): void => {
    if (this.#texts[this.#applying] === "") return;
    this.#texts[this.#applying] = "";
    this.#count--;
  };

  whenSafe(): Promise<void> | undefined {
    if (this.#texts.length === 0 && !this.#isBroken) return undefined;
    this.#safe ??= Promise.withResolvers();
    return this.#safe.promise;
  }

  makeSafe(): boolean {
    if (this.#texts.length > 0) this.#commit();
    return !this.#isBroken;
  }

  /**
   * Keeps what there is, and makes a snapshot if there is time, so that the next start is a short one and
   * may be that of another version. Nothing may be appended afterwards.
   * @param isTimeUp asked again and again while the snapshot is made
   */
  close(isTimeUp: () => boolean): void {
    if (!this.makeSafe()) return;
    try {
      // Whoever reads it first, at the next start, removes what it holds.
      if (this.#seq > this.#snapshot) this.#writeSnapshot(untilTimeIsUp(this.#options.replica.rows(), isTimeUp));
      this.directory.living = undefined;
    } catch (problem) {
      this.#options.onTrouble(faultOf("cannot make a snapshot", problem));
    }
    this.#watermark.close();
    this.directory.release();
  }

  // --- turns ------------------------------------------------------------------------------------

  /** Bound once: it runs in every turn. */
  readonly #commit = (): void => {
    this.#isArmed = false;
    if (this.#isBroken) return;
    const texts = this.#texts;
    const count = this.#count;
    this.#texts = [];
    this.#count = 0;
    if (count > 0) {
      const kept = count === texts.length ? texts : texts.filter((text) => text !== "");
      const turn = { seq: this.#seq + 1, mark: this.#options.replica.mark, entries: turnText(kept) };
      const start = performance.now();
      try {
        this.#segment.append(turn, count);
      } catch (problem) {
        this.#isBroken = true;
        this.#options.onFailure(faultOf("the journal cannot be written", problem));
        return;
      }
      this.#counts.commitMs += performance.now() - start;
      this.#counts.commits++;
      this.#counts.entries += count;
      this.#seq += count;
      if (this.#isFull) this.#turnOver();
      if (this.#at >= this.#watermarkAt) this.#raiseWatermark();
    }
    this.#safe?.resolve();
    this.#safe = undefined;
  };

  #raiseWatermark(): void {
    this.#watermarkAt = this.#at + JOURNAL_PULSE_MS;
    // A log is not longer than what comes after the last snapshot: those before are synced or gone.
    const paths = [...this.#closed, this.#segment].flatMap(({ durablePaths }) => durablePaths);
    void this.#watermark.raise(this.#seq, paths);
  }

  // --- segments and snapshots -------------------------------------------------------------------

  get #isFull(): boolean {
    return this.#segment.entries >= this.#entriesMax || this.#segment.bytes >= SEGMENT_BYTES_MAX;
  }

  /** Goes on in a new segment, and has those before it made into a snapshot. */
  #turnOver(): void {
    try {
      if (this.#segment.entries > 0) {
        const next = Segment.create(this.directory.segmentPath(this.#seq + 1), this.#seq + 1, this.#options.durability);
        this.#closed.push(this.#segment);
        this.#segment = next;
      }
      // Compaction has failed so often that a start would take too long: better to stand still once.
      if (this.#closed.length > SEGMENTS_CLOSED_MAX) {
        const { replica, makeReplica } = this.#options;
        this.#writeSnapshot(replica.rows(), (file) => loadSnapshot(file, makeReplica(), false));
        this.#removeOlder();
      }
    } catch (problem) {
      this.#options.onTrouble(faultOf("the journal cannot go on in a new file yet", problem));
      return;
    }
    this.#compacting ??= this.#compact().finally(() => {
      this.#compacting = undefined;
    });
  }

  async #compact(): Promise<void> {
    while (this.#closed.length > 0) {
      const { first } = this.#segment;
      const [oldest] = this.#closed;
      try {
        await this.#options.compact(this.directory, first);
        this.#removeOlder();
        const isMade = this.#snapshot >= first - 1 && this.#closed[0] !== oldest;
        if (!isMade) throw new JournalFault("cannot make a snapshot: it has not been made");
      } catch (problem) {
        // The next full segment brings the next attempt.
        this.#options.onTrouble(faultOf("cannot make a snapshot", problem));
        return;
      }
    }
  }

  /** Makes a snapshot of the present state here and now. */
  #writeSnapshot(rows: Iterable<unknown>, check?: (path: string) => void): void {
    const seq = this.#seq;
    const pieces = snapshotPieces({ seq, rows: this.#options.replica.version, checked: check !== undefined }, rows);
    this.directory.writeSnapshot(seq, pieces, check);
  }

  /** Removes what the latest snapshot holds. It has been read by somebody, so it is whole. */
  #removeOlder(): void {
    const { snapshots, segments } = this.directory;
    const latest = snapshots.at(-1) ?? 0;
    this.#snapshot = latest;
    const older = snapshots.filter((seq) => seq < latest).map((seq) => this.directory.snapshotPath(seq));
    // The last one of them may still be written to.
    const held = segments.filter((_, i) => (segments[i + 1] ?? Number.POSITIVE_INFINITY) <= latest + 1);
    const logs = held.flatMap((first) => segmentFiles(this.directory.segmentPath(first)));
    const open = this.#closed.filter(({ first }) => held.includes(first));
    this.#closed = this.#closed.filter(({ first }) => !held.includes(first));
    this.#tidying = this.#tidy([...older, ...logs], open, this.#tidying);
  }

  /** A large file takes the disk a while to remove, so nobody waits for it. What stays is removed next time. */
  async #tidy(paths: readonly string[], open: readonly Segment[], before: Promise<void>): Promise<void> {
    await before;
    for (const path of paths) await rm(path, { force: true }).catch(() => undefined);
    // Only now, or SQLite would tidy first.
    for (const segment of open) segment.close();
  }
}

function* untilTimeIsUp<T>(rows: Iterable<T>, isTimeUp: () => boolean): Generator<T, void, undefined> {
  for (const row of rows) {
    if (isTimeUp()) throw new JournalFault("cannot make a snapshot: there was no time for it");
    yield row;
  }
}
