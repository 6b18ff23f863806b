/**
 * Making a snapshot away from the server: another process goes the way back that a start would go, as far
 * as the closed segments lead, and writes down where it arrives. As the same entries give the same state,
 * it arrives where the server was. The server does not stop for it, and nothing is removed before the
 * snapshot has been read back and found to be the same.
 *
 * This file owns both ends: the one that asks and the one that does it.
 */
import { existsSync } from "node:fs";
import { setPriority } from "node:os";
import { DataDirectory } from "./directory.ts";
import { faultOf, JournalFault } from "./fault.ts";
import { recover } from "./recovery.ts";
import type { Replica } from "./replica.ts";
import { loadSnapshot, snapshotPieces } from "./snapshot-file.ts";
import { tidied } from "./snapshot-text.ts";

/**
 * Makes a snapshot of what the segments before an entry hold, beside a server that goes on after them. To be
 * run in a process of its own.
 * @param before undefined = of everything, where no server is
 * @param replica a fresh one; it is of no use afterwards
 * @throws JournalFault
 */
export function compact(path: string, before: number | undefined, replica: Replica): void {
  // Claiming it would make it.
  if (!existsSync(path)) throw new JournalFault(`there is no folder ${path}`);
  const directory = before === undefined ? DataDirectory.claim(path) : new DataDirectory(path);
  const { seq, snapshot, segments } = recover(directory, replica, "read only", before);
  for (const segment of segments) segment.close();
  if (before !== undefined && seq + 1 !== before) {
    throw new JournalFault(`${path}: entries ${seq + 1} to ${before - 1} are missing`);
  }
  if (seq > snapshot) writeSnapshot(directory, seq, replica);
  directory.release();
}

function writeSnapshot(directory: DataDirectory, seq: number, replica: Replica): void {
  const pieces = snapshotPieces({ seq, rows: replica.version, checked: true }, tidied(replica.rows()));
  try {
    directory.writeSnapshot(seq, pieces, (file) => {
      // Two states at a time would be one too many.
      replica.clear();
      Bun.gc(true);
      loadSnapshot(file, replica, false);
    });
  } catch (problem) {
    throw faultOf(`cannot write to ${directory.path}`, problem);
  }
}

/** How a process that compacts is started: the program, and what makes it do that. */
export type CompactCommand = (path: string, before: number) => readonly string[];

/** Has a process of its own do it, at low priority. Rejects with a fault if it fails. */
export function compactElsewhere(command: CompactCommand): (directory: DataDirectory, before: number) => Promise<void> {
  return ({ path }, before) => runAside(command(path, before), {});
}

/**
 * Runs a process that makes a snapshot, at low priority. It may outlive this one and does no harm then: what it
 * reads stays as it is or is gone, and what it writes is true.
 * @param env what else it is told: of this process's variables it gets none, as they are none of its business
 * @throws JournalFault if it fails, in its own words
 */
export async function runAside(command: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  child.unref();
  yieldTo(child.pid);
  const [code, said] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0) throw new JournalFault(`cannot make a snapshot: ${firstLine(said) || `exit code ${code}`}`);
}

/** A quarter of what the server gets where both want the same processor: less, and it would never come to its end. */
const NICE = 5;

/** Lets everything else go first: nobody waits for a snapshot. */
function yieldTo(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch (_ended) {
    // It was quicker than this.
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.slice(0, 500) ?? "";
}
