/**
 * How much of the journal comes after the last snapshot, and when the next one is made.
 *
 * This file owns the counting and the asking. It must never have two snapshots made at once, by whichever node.
 */
import { TAIL_CHARS_MAX, TAIL_ENTRIES_MAX } from "../journal-limits.ts";
import { faultOf, type JournalFault } from "./fault.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { latestSnapshot } from "./redis-snapshots.ts";
import { alone, compareIds, NOWHERE, type StreamId } from "./redis-stream.ts";

/** After one could not be made: how much more must come before the next attempt, as a part of the bound. */
const PATIENCE = 1 / 4;

export interface TailOptions {
  readonly compact: (id: StreamId, mark: number) => Promise<void>;
  readonly onTrouble: (fault: JournalFault) => void;
  readonly tailEntriesMax?: number;
}

export class Tail {
  readonly #options: TailOptions;
  readonly #entriesMax: number;
  #snapshot: StreamId = NOWHERE;
  #entries = 0;
  #chars = 0;
  /** Beyond the bound by so much, as a part of it, before the next attempt. */
  #patience = 0;
  #isMaking = false;
  snapshots = 0;
  snapshotFailures = 0;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#entriesMax = options.tailEntriesMax ?? TAIL_ENTRIES_MAX;
  }

  get entries(): number {
    return this.#entries;
  }

  /** It is time for a snapshot. */
  get isLong(): boolean {
    if (this.#isMaking) return false;
    const factor = 1 + this.#patience;
    return this.#entries >= this.#entriesMax * factor || this.#chars >= TAIL_CHARS_MAX * factor;
  }

  /** What comes next comes after this snapshot. */
  restart(snapshot: StreamId): void {
    this.#snapshot = snapshot;
    this.#entries = 0;
    this.#chars = 0;
    this.#patience = 0;
  }

  /** One more turn has been applied. */
  add(entries: number, chars: number): void {
    this.#entries += entries;
    this.#chars += chars;
  }

  /** Looks whether somebody has made one. */
  async learn(connection: RedisConnection): Promise<void> {
    const latest = await latestSnapshot(connection);
    // What has come since then is not counted; the next one comes a little later for it.
    if (compareIds(latest, this.#snapshot) > 0) this.restart(latest);
  }

  /** Has a snapshot made of the state after an entry, unless somebody has made or makes one. Never rejects. */
  async compact(connection: RedisConnection, id: StreamId, mark: number): Promise<void> {
    this.#isMaking = true;
    const before = this.#entries;
    try {
      await this.learn(connection);
      if (this.#entries < before) return;
      await alone(connection, "snapshot", async () => {
        await this.#options.compact(id, mark);
        this.snapshots++;
      });
      await this.learn(connection);
      if (this.#entries >= before) this.#patience += PATIENCE;
    } catch (problem) {
      this.snapshotFailures++;
      this.#patience += PATIENCE;
      this.#options.onTrouble(faultOf("cannot make a snapshot", problem));
    } finally {
      this.#isMaking = false;
    }
  }
}
