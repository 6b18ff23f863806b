/**
 * A journal's replica that is nothing but the list of what it was told: whatever is lost, doubled or out
 * of order shows at once.
 *
 * This file owns that list and how a journal on disk is opened for a test.
 */
import type { Command, Entry } from "../../src/domain/command.ts";
import { compact } from "../../src/journal/compaction.ts";
import { DiskJournal, type DiskJournalOptions } from "../../src/journal/disk.ts";
import type { JournalFault } from "../../src/journal/fault.ts";
import type { Replica } from "../../src/journal/replica.ts";

/** A command that carries a number. */
export function numbered(n: number): Command {
  return { type: "end_wait", user: n, hold: 0, answered: true };
}

export class Ledger implements Replica {
  version = 1;
  readonly entries: Entry[] = [];
  /** Fails at this number, as a bug would. */
  poison = -1;

  /** What was told, by number; -1 for a sign of life. */
  get numbers(): number[] {
    return this.entries.map(({ command }) => (command.type === "end_wait" ? command.user : -1));
  }

  get now(): number {
    return this.entries.at(-1)?.at ?? 0;
  }

  get mark(): number {
    return Bun.hash.crc32(this.numbers.join()) ^ this.entries.length;
  }

  clear(): void {
    this.entries.length = 0;
  }

  load(rows: Iterable<unknown>): void {
    this.clear();
    for (const row of rows) {
      const [at, entropy, command, origin] = row as [number, string, Command, Entry["origin"]];
      this.entries.push({ at, entropy, command, ...(origin === undefined ? {} : { origin }) });
    }
  }

  apply(entry: Entry): void {
    this.entries.push(entry);
  }

  *rows(): Generator<unknown> {
    for (const { at, entropy, command, origin } of this.entries) {
      yield origin === undefined ? [at, entropy, command] : [at, entropy, command, origin];
    }
  }
}

/** A journal of a ledger, and what has become of it. */
export interface OpenedJournal {
  readonly journal: DiskJournal;
  readonly ledger: Ledger;
  readonly failures: JournalFault[];
  readonly troubles: JournalFault[];
  /** Appends a number. Returns what applying it gave: how many entries there are now. */
  append(n: number): number;
  /** Appends a number and waits until it is kept. */
  keep(n: number): Promise<void>;
}

/** Opens a journal on disk that compacts in this process, as far as it does. */
export function openJournal(path: string, options: Partial<DiskJournalOptions> = {}): OpenedJournal {
  const ledger = new Ledger();
  const failures: JournalFault[] = [];
  const troubles: JournalFault[] = [];
  const journal = DiskJournal.open({
    path,
    durability: "normal",
    replica: ledger,
    makeReplica: () => new Ledger(),
    now: Date.now,
    compact: async (_directory, before) => compact(path, before, new Ledger()),
    onFailure: (fault) => failures.push(fault),
    onTrouble: (fault) => troubles.push(fault),
    ...options,
  });
  const append = (n: number): number =>
    journal.append(numbered(n), (entry) => {
      ledger.apply(entry);
      return ledger.entries.length;
    });
  return {
    journal,
    ledger,
    failures,
    troubles,
    append,
    async keep(n) {
      append(n);
      await journal.whenSafe();
    },
  };
}
