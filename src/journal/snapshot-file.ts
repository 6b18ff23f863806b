/**
 * A snapshot's text in a file.
 *
 * This file owns the reading and writing of it. It must never hold more than a piece of the file in memory.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { faultOf, JournalFault } from "./fault.ts";
import type { Replica } from "./replica.ts";
import { hashOfRows, type SnapshotHead, SnapshotLines, snapshotTexts } from "./snapshot-text.ts";

/** Bytes written or read at a time, about. */
const PIECE_BYTES = 1024 * 1024;
const LINE_FEED = 10;

/** The file of a snapshot, in pieces to be written one after the other. */
export function* snapshotPieces(head: SnapshotHead, rows: Iterable<unknown>): Generator<Uint8Array, void, undefined> {
  for (const text of snapshotTexts(head, rows, PIECE_BYTES)) yield Buffer.from(text);
}

/**
 * Has a replica become what a snapshot says, and makes sure that it gives the state it was made from: it is to
 * replace that.
 * @param trusts whether one that has been checked need not be checked again
 * @throws JournalFault if the file is damaged, not whole or newer, or if it does not
 */
export function loadSnapshot(path: string, replica: Replica, trusts: boolean): void {
  const lines = new SnapshotLines(path, replica.version);
  try {
    replica.load(rowsOf(path, lines));
  } catch (problem) {
    // Whatever cannot be made sense of: the text, or a state of it.
    const isSystem = problem instanceof Error && "code" in problem;
    if (problem instanceof JournalFault || isSystem) throw faultOf(`cannot read ${path}`, problem);
    throw new JournalFault(`${path} is damaged`, { cause: problem });
  }
  if (lines.isOlder || (trusts && lines.isChecked)) return;
  if (hashOfRows(replica.rows()) !== lines.hash) {
    throw new JournalFault(`${path} does not give the state it was made from`);
  }
}

/** The rows of a file, read in pieces of many, which costs far less than one row after the other. */
function* rowsOf(path: string, lines: SnapshotLines): Generator<unknown, void, undefined> {
  const file = openSync(path, "r");
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    /** What has been read and not been given: the beginning of a line. */
    let rest: Buffer = Buffer.alloc(0);
    for (let read = readSync(file, piece); read > 0 && !lines.isOver; read = readSync(file, piece)) {
      rest = Buffer.concat([rest, piece.subarray(0, read)]);
      const whole = rest.lastIndexOf(LINE_FEED) + 1;
      const text = rest.toString("utf8", 0, whole);
      rest = rest.subarray(whole);
      if (text !== "") yield* lines.take(text);
    }
    // Nobody may take for a state what is not all of it.
    lines.check();
  } finally {
    closeSync(file);
  }
}
