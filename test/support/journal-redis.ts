/**
 * A journal of a ledger in Redis, and what has become of it.
 *
 * This file owns how such a journal is opened for a test.
 */
import type { JournalFault } from "../../src/journal/fault.ts";
import { RedisJournal, type RedisJournalOptions } from "../../src/journal/redis.ts";
import { compactRedis } from "../../src/journal/redis-compaction.ts";
import { Ledger, numbered } from "./journal-ledger.ts";

export interface OpenedRedisJournal extends AsyncDisposable {
  readonly journal: RedisJournal;
  readonly ledger: Ledger;
  readonly troubles: readonly JournalFault[];
  readonly failures: readonly JournalFault[];
  readonly notes: readonly string[];
  /** Whether something had been lost, for each time the state was loaded anew or posts were given up. */
  readonly resets: readonly boolean[];
  /** Appends a number; gives how many entries there were when it was applied. */
  append(n: number): Promise<number>;
  post(n: number): void;
}

export async function openRedisJournal(
  url: string,
  options: Partial<RedisJournalOptions> = {},
): Promise<OpenedRedisJournal> {
  const ledger = new Ledger();
  const failures: JournalFault[] = [];
  const troubles: JournalFault[] = [];
  const notes: string[] = [];
  const resets: boolean[] = [];
  const journal = await RedisJournal.open({
    url,
    replica: ledger,
    leads: () => false,
    compact: (id, mark) => compactRedis(url, id, mark, new Ledger()),
    onFailure: (fault) => failures.push(fault),
    onTrouble: (fault) => troubles.push(fault),
    onNote: (note) => notes.push(note),
    ...options,
  });
  journal.follow((entry) => ledger.apply(entry));
  journal.onReset((hasLost) => resets.push(hasLost));
  const apply: Parameters<typeof journal.follow>[0] = (entry) => ledger.apply(entry);
  return {
    journal,
    ledger,
    failures,
    troubles,
    notes,
    resets,
    append: (n) =>
      journal.append(numbered(n), (entry) => {
        ledger.apply(entry);
        return ledger.entries.length;
      }),
    post: (n) => journal.post(numbered(n), apply),
    [Symbol.asyncDispose]: () => journal.close(),
  };
}
