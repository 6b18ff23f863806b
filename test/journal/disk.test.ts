/**
 * The journal on disk: what is kept when, what a start finds, and what it refuses.
 *
 * This file owns stories in one process. Sudden ends of a process are in killed.test.ts.
 */

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JournalFault } from "../../src/journal/fault.ts";
import { JOURNAL_PULSE_MS } from "../../src/journal-limits.ts";
import { Ledger, numbered, type OpenedJournal, openJournal } from "../support/journal-ledger.ts";
import { temporaryFolder } from "../support/program.ts";

/** Leaves a journal as a sudden end would: nothing is tidied, only the lock is gone. */
function abandon({ journal }: OpenedJournal): void {
  journal.directory.release();
}

/** What a start finds. */
function numbersIn(path: string): number[] {
  const opened = openJournal(path);
  abandon(opened);
  return opened.ledger.numbers;
}

/** The fault of a start that is refused, as one line. */
function refusalOf(path: string, options: Parameters<typeof openJournal>[1] = {}): string {
  try {
    abandon(openJournal(path, options));
  } catch (problem) {
    expect(problem).toBeInstanceOf(JournalFault);
    const { message } = problem as JournalFault;
    expect(message).not.toContain("\n");
    return message.replaceAll(path, "FOLDER");
  }
  return "none";
}

async function keepAll(opened: OpenedJournal, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await opened.keep(n);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("what is kept", () => {
  test("is there again after a sudden end, in order, and is gone on with", async () => {
    const path = temporaryFolder();
    const first = openJournal(path);
    await keepAll(first, 1, 30);
    abandon(first);
    const second = openJournal(path);
    expect(second.ledger.entries).toEqual(first.ledger.entries);
    expect(second.journal.found.replayed).toBe(30);
    await keepAll(second, 31, 40);
    abandon(second);
    expect(numbersIn(path)).toEqual(range(1, 40));
  });

  test("is one commit a turn, before anything may be told", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    for (const n of range(1, 20)) opened.append(n);
    const safe = opened.journal.whenSafe();
    expect(safe).toBeInstanceOf(Promise);
    const rows = (): number => turnsIn(join(path, "journal-000000000000001.db"));
    expect(rows()).toBe(0);
    await safe;
    expect(rows()).toBe(1);
    opened.append(21);
    expect(opened.journal.makeSafe()).toBe(true);
    expect(rows()).toBe(2);
    expect(opened.journal.whenSafe()).toBeUndefined();
    const { commitSeconds, ...figures } = opened.journal.figures;
    expect(figures).toEqual({ entries: 21, commits: 2, tailEntries: 21 });
    expect(commitSeconds).toBeWithin(0, 1);
    abandon(opened);
  });

  test("is what was appended while another entry was applied, after it", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    const { journal, ledger } = opened;
    journal.append(numbered(1), (entry) => {
      ledger.apply(entry);
      opened.append(2);
    });
    await journal.whenSafe();
    abandon(opened);
    expect(numbersIn(path)).toEqual([1, 2]);
  });

  test("is an entry whose applying failed halfway: the replay fails in the same place", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    const { journal, ledger } = opened;
    expect(() =>
      journal.append(numbered(1), (entry) => {
        ledger.apply(entry);
        throw new Error("a bug");
      }),
    ).toThrow("a bug");
    await opened.keep(2);
    abandon(opened);
    expect(numbersIn(path)).toEqual([1, 2]);
  });

  test("is not what was left out, alone or among others", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    const { journal } = opened;
    const leaveOut = (n: number): void => journal.append(numbered(n), () => journal.leaveOut());
    leaveOut(7);
    await journal.whenSafe();
    opened.append(1);
    leaveOut(8);
    opened.append(2);
    leaveOut(9);
    await journal.whenSafe();
    await opened.keep(3);
    abandon(opened);
    expect(numbersIn(path)).toEqual([1, 2, 3]);
  });

  test("can be told nobody else: files are their owner's alone, and so is the folder that was made for them", async () => {
    const path = join(temporaryFolder(), "new", "folder");
    const opened = openJournal(path, { segmentEntriesMax: 5 });
    await keepAll(opened, 1, 12);
    opened.journal.directory.sessionKey(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(path)) expect([name, statSync(join(path, name)).mode & 0o077]).toEqual([name, 0]);
    abandon(opened);
  });

  test("goes on from the last entry's time if the clock has been set back", async () => {
    const path = temporaryFolder();
    const first = openJournal(path, { now: () => 10_000 });
    await first.keep(1);
    abandon(first);
    let clock = 4000;
    const second = openJournal(path, { now: () => clock });
    expect(second.journal.found.behindMs).toBe(6000);
    await second.keep(2);
    clock += 50;
    await second.keep(3);
    expect(second.ledger.entries.map(({ at }) => at)).toEqual([10_000, 10_000, 10_050]);
    abandon(second);
  });
});

describe("segments and snapshots", () => {
  test("a full segment is made into a snapshot, and what it holds is removed", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path, { segmentEntriesMax: 10 });
    await keepAll(opened, 1, 35);
    await opened.journal.idle();
    expect(opened.troubles).toEqual([]);
    expect(opened.journal.directory.snapshots).toEqual([30]);
    expect(opened.journal.directory.segments).toEqual([31]);
    expect(opened.journal.tail).toMatchObject({ entries: 5, segments: 1 });
    abandon(opened);
    expect(numbersIn(path)).toEqual(range(1, 35));
  });

  test("while a snapshot is made elsewhere, entries are kept as ever, and it may come late", async () => {
    const path = temporaryFolder();
    const made = Promise.withResolvers<void>();
    const asked: number[] = [];
    const opened = openJournal(path, {
      segmentEntriesMax: 10,
      compact: (_directory, before) => {
        asked.push(before);
        return made.promise;
      },
    });
    await keepAll(opened, 1, 45);
    expect(asked).toEqual([11]);
    expect(opened.journal.directory.segments).toEqual([1, 11, 21, 31, 41]);
    abandon(opened);
    expect(numbersIn(path)).toEqual(range(1, 45));
  });

  test("a snapshot that cannot be made costs nothing: the next full segment brings the next attempt", async () => {
    const path = temporaryFolder();
    let attempts = 0;
    const opened = openJournal(path, {
      segmentEntriesMax: 10,
      compact: async () => {
        attempts++;
        throw new JournalFault("no luck");
      },
    });
    await keepAll(opened, 1, 25);
    await opened.journal.idle();
    expect(attempts).toBe(2);
    expect(opened.troubles.map(({ message }) => message)).toEqual(["no luck", "no luck"]);
    expect(opened.failures).toEqual([]);
    abandon(opened);
    expect(numbersIn(path)).toEqual(range(1, 25));
  });

  test("if none can be made for long, one is made on the spot, so that a start stays short", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path, { segmentEntriesMax: 10, compact: () => Promise.reject(new Error("never")) });
    await keepAll(opened, 1, 125);
    expect(opened.journal.directory.snapshots.length).toBeGreaterThan(0);
    expect(opened.journal.tail.entries).toBeLessThan(100);
    abandon(opened);
    expect(numbersIn(path)).toEqual(range(1, 125));
  });

  test("a polite end makes a snapshot, from which the next start begins with an empty segment", async () => {
    const path = temporaryFolder();
    const first = openJournal(path);
    await keepAll(first, 1, 12);
    first.journal.close(() => false);
    const second = openJournal(path);
    await second.journal.idle();
    expect(second.journal.found.replayed).toBe(0);
    expect(second.ledger.numbers).toEqual(range(1, 12));
    expect([second.journal.directory.snapshots, second.journal.directory.segments]).toEqual([[12], [13]]);
    await keepAll(second, 13, 14);
    second.journal.close(() => false);
    expect(numbersIn(path)).toEqual(range(1, 14));
  });

  test("a start that nothing follows, and another one", async () => {
    const path = temporaryFolder();
    const first = openJournal(path);
    await keepAll(first, 1, 3);
    first.journal.close(() => false);
    for (let start = 0; start < 3; start++) {
      const opened = openJournal(path);
      await opened.journal.idle();
      abandon(opened);
    }
    const last = openJournal(path);
    await keepAll(last, 4, 5);
    abandon(last);
    expect(numbersIn(path)).toEqual(range(1, 5));
  });

  test("an end without time for a snapshot leaves everything as it was", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    await keepAll(opened, 1, 12);
    opened.journal.close(() => true);
    expect(opened.troubles.map(({ message }) => message)).toEqual(["cannot make a snapshot: there was no time for it"]);
    expect(readdirSync(path).filter((name) => name.includes("snapshot"))).toEqual([]);
    expect(numbersIn(path)).toEqual(range(1, 12));
  });

  test("what a process died over while writing a snapshot is removed and not taken for one", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    await keepAll(opened, 1, 3);
    abandon(opened);
    writeFileSync(join(path, "snapshot-000000000000003.jsonl.4711.tmp"), "half of it");
    expect(numbersIn(path)).toEqual(range(1, 3));
    expect(readdirSync(path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("a segment whose making was cut short is made anew", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path, { segmentEntriesMax: 10 });
    await keepAll(opened, 1, 10);
    await opened.journal.idle();
    abandon(opened);
    const unfinished = opened.journal.directory.segmentPath(11);
    for (const end of ["-wal", "-shm"]) rmSync(unfinished + end, { force: true });
    rmSync(unfinished);
    writeFileSync(unfinished, "");
    const again = openJournal(path);
    await again.keep(11);
    abandon(again);
    expect(numbersIn(path)).toEqual(range(1, 11));
  });
});

describe("a turn that cannot be kept", () => {
  test("ends everything: it is never safe, and nothing after it is either", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    await opened.keep(1);
    dropTable(join(path, "journal-000000000000001.db"));
    opened.append(2);
    const told = opened.journal.whenSafe()?.then(() => "told");
    expect(opened.journal.makeSafe()).toBe(false);
    expect(opened.failures.map(({ message }) => message)).toEqual([
      expect.stringContaining("the journal cannot be written"),
    ]);
    opened.append(3);
    expect(opened.journal.makeSafe()).toBe(false);
    expect(await Promise.race([told, Bun.sleep(20).then(() => "not told")])).toBe("not told");
    const later = opened.journal.whenSafe()?.then(() => "told");
    expect(await Promise.race([later, Bun.sleep(20).then(() => "not told")])).toBe("not told");
    expect(opened.failures).toHaveLength(1);
    abandon(opened);
  });
});

describe("the end of a journal", () => {
  /** As if the machine had been started anew meanwhile. */
  const restartMachine = (path: string): void => writeFileSync(join(path, "living"), "an earlier start");

  test("may be missing if the machine failed while a server was there", async () => {
    const path = temporaryFolder();
    const first = openJournal(path);
    expect(first.journal.mayLackEnd).toBe(false);
    await keepAll(first, 1, 3);
    abandon(first);
    restartMachine(path);
    const second = openJournal(path);
    expect(second.journal.mayLackEnd).toBe(true);
    abandon(second);
  });

  test("may be missing from a copy, as of a backup that was put back; not from a folder that was moved whole", async () => {
    const path = join(temporaryFolder(), "data");
    const first = openJournal(path);
    await keepAll(first, 1, 3);
    first.journal.close(() => false);
    const moved = `${path}-moved`;
    renameSync(path, moved);
    const second = openJournal(moved);
    expect(second.journal.mayLackEnd).toBe(false);
    second.journal.close(() => false);
    cpSync(moved, path, { recursive: true, preserveTimestamps: true });
    const third = openJournal(path);
    expect(third.journal.mayLackEnd).toBe(true);
    third.journal.close(() => false);
    const fourth = openJournal(path);
    expect(fourth.journal.mayLackEnd).toBe(false);
    abandon(fourth);
  });

  test("is there if only the process failed, or it had everything synced, or left politely", async () => {
    const path = temporaryFolder();
    abandon(openJournal(path));
    const second = openJournal(path);
    expect(second.journal.mayLackEnd).toBe(false);
    await keepAll(second, 1, 3);
    second.journal.close(() => false);
    expect(readdirSync(path)).not.toContain("living");
    const third = openJournal(path, { durability: "full" });
    await keepAll(third, 4, 6);
    abandon(third);
    expect(readdirSync(path)).not.toContain("living");
  });

  test("is not known to be there after an end without time for a snapshot", async () => {
    const path = temporaryFolder();
    const first = openJournal(path);
    await keepAll(first, 1, 3);
    first.journal.close(() => true);
    expect(readdirSync(path)).toContain("living");
  });
});

describe("a machine that fails between two files", () => {
  test("has lost the end of one: what follows it is set aside and named, and the journal goes on", async () => {
    const path = await filled({ compact: async () => undefined });
    cutOff(join(path, "journal-000000000000021.db"), 28);
    const opened = openJournal(path, { segmentEntriesMax: 10 });
    expect(opened.ledger.numbers).toEqual(range(1, 27));
    expect(opened.journal.found.setAside).toContain("journal-000000000000031.db.aside");
    await keepAll(opened, 100, 105);
    await opened.journal.idle();
    abandon(opened);
    expect(numbersIn(path)).toEqual([...range(1, 27), ...range(100, 105)]);
  });

  test("has lost all of one", async () => {
    const path = await filled({ compact: async () => undefined });
    const segment = join(path, "journal-000000000000021.db");
    for (const end of ["-wal", "-shm"]) rmSync(segment + end, { force: true });
    writeFileSync(segment, "");
    expect(numbersIn(path)).toEqual(range(1, 20));
  });

  test("and has not lost what the disk was known to have: that is refused", async () => {
    const path = await filled({ compact: async () => undefined });
    cutOff(join(path, "journal-000000000000021.db"), 28);
    writeFileSync(join(path, "reached"), String(28).padStart(15, "0"));
    expect(refusalOf(path)).toBe("FOLDER: entries 28 to 30 are missing");
    expect(readdirSync(path).filter((name) => name.endsWith(".aside"))).toEqual([]);
  });
});

describe("a start is refused, in one line,", () => {
  test("while another server uses the folder", () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    expect(refusalOf(path)).toBe("another mcp-chat uses FOLDER");
    abandon(opened);
    expect(refusalOf(path)).toBe("none");
  });

  test("if the folder is a file, or cannot be made", () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "");
    expect(refusalOf(path)).toBe("cannot use FOLDER: it is no folder");
    expect(refusalOf(join(path, "below"))).toBe(
      "cannot use FOLDER/below: it is no folder".replace("FOLDER/below", "FOLDER"),
    );
  });

  test("if a file of the journal has been damaged, wherever", async () => {
    const path = await filled();
    const segment = join(path, "journal-000000000000031.db");
    expect(refusalOf(path)).toBe("none");

    const database = new Database(segment, { readwrite: true });
    database.run("UPDATE turns SET entries = replace(entries, '\"user\":32', '\"user\":99') WHERE seq = 32");
    expect(refusalOf(path)).toBe("FOLDER/journal-000000000000031.db is damaged at entry 32");
    database.run("DELETE FROM turns WHERE seq = 32");
    expect(refusalOf(path)).toBe("FOLDER: entries 32 to 32 are missing");
    database.close();
    for (const end of ["-wal", "-shm"]) rmSync(segment + end, { force: true });
    writeFileSync(segment, "This is no database. ".repeat(200));
    expect(refusalOf(path)).toBe("cannot read FOLDER/journal-000000000000031.db: it is damaged");
  });

  test("if the end of the journal is gone, and with it what the disk was known to have", async () => {
    const path = temporaryFolder();
    let clock = 1000;
    const opened = openJournal(path, { now: () => clock });
    const mark = join(path, "reached");
    for (const n of [1, 2]) {
      await opened.keep(n);
      while (readFileSync(mark, "utf8") !== `00000000000000${n}`) await Bun.sleep(1);
      clock += JOURNAL_PULSE_MS;
    }
    await opened.keep(3);
    abandon(opened);
    // Somebody copies the files that look like databases.
    const copy = temporaryFolder();
    for (const name of ["journal-000000000000001.db", "reached"]) copyFileSync(join(path, name), join(copy, name));
    expect(refusalOf(copy)).toBe("FOLDER: entries 1 to 2 are missing");
  });

  test("if a snapshot has been damaged, cut short or taken away", async () => {
    const path = await filled();
    const snapshot = join(path, "snapshot-000000000000030.jsonl");
    const text = readFileSync(snapshot, "utf8");
    const damages: readonly (readonly [string, string])[] = [
      [text.replace('"user":7', '"user":8'), "is damaged"],
      [text.slice(0, text.length / 2), "is damaged"],
      [text.split("\n").slice(0, -2).join("\n"), "is damaged"],
      ["", "is no snapshot"],
      ["{}\n", "is no snapshot"],
      ["\0\0\0\n", "is damaged"],
    ];
    for (const [damaged, said] of damages) {
      writeFileSync(snapshot, damaged);
      expect(refusalOf(path)).toBe(`FOLDER/snapshot-000000000000030.jsonl ${said}`);
    }
    writeFileSync(snapshot, text);
    expect(refusalOf(path)).toBe("none");
    rmSync(snapshot);
    expect(refusalOf(path)).toBe("FOLDER: entries 1 to 30 are missing");
  });

  test("if a newer version has written there", async () => {
    const path = await filled();
    const newer = new Ledger();
    newer.version = 2;
    const opened = openJournal(path, { replica: newer });
    opened.journal.append(numbered(0), (entry) => newer.apply(entry));
    opened.journal.close(() => false);
    expect(refusalOf(path)).toMatch(/^FOLDER\/snapshot-\d+.jsonl was written by a newer version of mcp-chat$/);

    const other = await filled();
    const database = new Database(join(other, "journal-000000000000031.db"), { readwrite: true });
    database.run("PRAGMA user_version = 99");
    database.close();
    expect(refusalOf(other)).toBe("FOLDER/journal-000000000000031.db was written by a newer version of mcp-chat");
  });

  test("if the entries do not give what they gave", async () => {
    const path = await filled();
    class Forgetful extends Ledger {
      override get mark(): number {
        return this.entries.length === 33 ? 0 : super.mark;
      }
    }
    expect(refusalOf(path, { replica: new Forgetful() })).toStartWith("FOLDER: entry 33 does not give what it gave; ");
  });

  test("if the key of the sessions is damaged", async () => {
    const path = temporaryFolder();
    const opened = openJournal(path);
    const key = opened.journal.directory.sessionKey(true);
    expect(key).toHaveLength(32);
    expect(opened.journal.directory.sessionKey(true)).toEqual(key);
    writeFileSync(join(path, "session.key"), "short");
    expect(() => opened.journal.directory.sessionKey(true)).toThrow("is damaged: it has 5 bytes, not 32");
    abandon(opened);
  });
});

/** A folder with a snapshot of 30 entries and 5 more. */
async function filled(options: Parameters<typeof openJournal>[1] = {}): Promise<string> {
  const path = temporaryFolder();
  const opened = openJournal(path, { segmentEntriesMax: 10, ...options });
  await keepAll(opened, 1, 35);
  await opened.journal.idle();
  abandon(opened);
  return path;
}

/** A file as a disk leaves it that had not everything yet: the entries from one on are not there. */
function cutOff(path: string, from: number): void {
  const database = new Database(path, { readwrite: true });
  database.run("DELETE FROM turns WHERE seq >= ?", [from]);
  database.close();
}

function turnsIn(path: string): number {
  const database = new Database(path, { readonly: true });
  const row = database.query<{ n: number }, []>("SELECT count(*) AS n FROM turns").get();
  database.close();
  return row?.n ?? 0;
}

function dropTable(path: string): void {
  const database = new Database(path, { readwrite: true });
  database.run("DROP TABLE turns");
  database.close();
}
