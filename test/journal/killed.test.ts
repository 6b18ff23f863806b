/**
 * Processes that end without warning, and disks that are full: what was said to be safe is there.
 *
 * This file owns ends of the journal's own process; what clients see of them is in survivors.test.ts.
 */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openJournal } from "../support/journal-ledger.ts";
import { Random } from "../support/lobby-random.ts";
import { CHECKOUT, run, temporaryFolder } from "../support/program.ts";

const WRITER = join(CHECKOUT, "test/support/journal-writer.ts");
/** Small enough that segments are full, snapshots made and old files removed at the moment of an end, too. */
const SEGMENT_ENTRIES = 40;

/** Lets a writer live for a moment. @returns the last entry it said was safe, and how many it found */
async function lifeOfWriter(path: string, ms: number): Promise<{ readonly found: number; readonly safe: number }> {
  const child = Bun.spawn([process.execPath, WRITER, path, String(SEGMENT_ENTRIES)], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  let said = "";
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  const read = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    if (!done) said += decoder.decode(value, { stream: true });
    return !done;
  };
  while (!said.includes("safe ")) if (!(await read())) throw new Error(`a writer ended by itself: ${said}`);
  const killed = Bun.sleep(ms).then(() => child.kill("SIGKILL"));
  while (await read());
  await Promise.all([killed, child.exited]);
  const safe = [...said.matchAll(/safe (\d+)\n/g)].at(-1)?.[1];
  return { found: Number(/found (\d+)\n/.exec(said)?.[1]), safe: Number(safe) };
}

test("a journal that is killed again and again has everything that was said to be safe, in order", async () => {
  const path = temporaryFolder();
  const random = new Random(7);
  let safe = 0;
  for (let life = 0; life < 12; life++) {
    const { found, safe: last } = await lifeOfWriter(path, random.below(60));
    expect(found).toBeGreaterThanOrEqual(safe);
    expect(last).toBeGreaterThan(found);
    safe = last;
  }
  const { ledger, journal } = openJournal(path);
  journal.directory.release();
  expect(ledger.entries.length).toBeGreaterThanOrEqual(safe);
  expect(ledger.numbers).toEqual(ledger.entries.map((_, i) => i + 1));
  expect(safe).toBeGreaterThan(4 * SEGMENT_ENTRIES);
  expect(journal.directory.snapshots.length).toBeGreaterThan(0);
}, 60_000);

test("a disk that is full ends the process, with one line; what was safe is there when there is room again", async () => {
  const path = temporaryFolder();
  // No file may grow beyond 64 KiB; a write beyond that fails as on a full disk.
  const shell = `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`;
  const { code, stdout, stderr } = await run(["bash", "-c", shell, process.execPath, WRITER, path, "100000"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^the journal cannot be written: the disk (?:is full|does not take it)\n$/);
  const safe = Number([...stdout.matchAll(/safe (\d+)\n/g)].at(-1)?.[1]);
  expect(safe).toBeGreaterThan(10);
  const { ledger, journal } = openJournal(path);
  journal.directory.release();
  expect(ledger.numbers).toEqual(ledger.entries.map((_, i) => i + 1));
  expect(ledger.entries.length).toBe(safe);
}, 30_000);

test("where a snapshot cannot be written, the server goes on without", async () => {
  const path = temporaryFolder();
  const opened = openJournal(path, { segmentEntriesMax: 10 });
  // A folder in its place, as the simplest thing that is in the way.
  mkdirSync(`${opened.journal.directory.snapshotPath(10)}.${process.pid}.tmp`);
  for (let n = 1; n <= 25; n++) await opened.keep(n);
  await opened.journal.idle();
  expect(opened.troubles).toHaveLength(1);
  expect(opened.journal.directory.snapshots).toEqual([20]);
  opened.journal.directory.release();
  expect(readdirSync(path)).toContain("snapshot-000000000000020.jsonl");
});
