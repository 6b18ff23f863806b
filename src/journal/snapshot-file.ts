/**
 * A snapshot as a file of lines: a head, the rows as JSON, and an end that says how many there are and
 * what they hash to. That hash is the state's own: the same state gives the same one.
 *
 * This file owns the format. It must never hold more than a piece of the file in memory.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { faultOf, JournalFault } from "./fault.ts";
import type { Replica } from "./replica.ts";

/** Of head and end; what the rows are is the replica's version. */
const FORMAT = 1;
/** Bytes written or read at a time. */
const PIECE_BYTES = 1024 * 1024;

/** What a snapshot is of. */
export interface SnapshotHead {
  /** Sequence number of the last entry in it. */
  readonly seq: number;
  /** Version of its rows. */
  readonly rows: number;
}

interface HeadLine extends SnapshotHead {
  readonly snapshot: number;
}

interface EndLine {
  readonly end: { readonly rows: number; readonly sha256: string };
}

/** The file of a snapshot, in pieces to be written one after the other. */
export function* snapshotPieces(head: SnapshotHead, rows: Iterable<unknown>): Generator<Uint8Array, void, undefined> {
  const hash = new RowHash();
  let piece = lineOf({ snapshot: FORMAT, ...head } satisfies HeadLine);
  for (const row of rows) {
    const line = lineOf(row);
    hash.add(line);
    piece += line;
    if (piece.length < PIECE_BYTES) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  yield Buffer.from(piece + lineOf({ end: hash.result } satisfies EndLine));
}

/** What rows hash to. */
function hashOfRows(rows: Iterable<unknown>): string {
  const hash = new RowHash();
  for (const row of rows) hash.add(lineOf(row));
  return hash.result.sha256;
}

/**
 * Gives the rows of a snapshot to whoever takes them.
 * @param versionMax latest version of rows that can be read
 * @returns what they hash to
 * @throws JournalFault if the file is damaged, not whole or newer; whatever `take` throws says that it is damaged
 */
export function readSnapshot(path: string, versionMax: number, take: (rows: Iterable<unknown>) => void): string {
  try {
    const lines = linesOf(path);
    const first = lines.next();
    const head = first.done === true ? undefined : (JSON.parse(first.value) as Partial<HeadLine>);
    if (head?.snapshot === undefined || head.rows === undefined) throw new JournalFault(`${path} is no snapshot`);
    if (head.snapshot > FORMAT || head.rows > versionMax) {
      throw new JournalFault(`${path} was written by a newer version of mcp-chat`);
    }
    let hash: string | undefined;
    take(
      rowsOf(lines, (found) => {
        hash = found;
      }),
    );
    if (hash === undefined) throw new JournalFault(`${path} is damaged`);
    return hash;
  } catch (problem) {
    // Whatever cannot be made sense of: the text, or a state of it.
    const isSystem = problem instanceof Error && "code" in problem;
    if (problem instanceof JournalFault || isSystem) throw faultOf(`cannot read ${path}`, problem);
    throw new JournalFault(`${path} is damaged`, { cause: problem });
  }
}

/**
 * Makes sure that a snapshot gives the state it was made from: it is to replace that.
 * @param replica a fresh one
 * @throws JournalFault if it does not
 */
export function checkSnapshot(path: string, replica: Replica): void {
  const written = readSnapshot(path, replica.version, (rows) => replica.load(rows));
  if (hashOfRows(replica.rows()) !== written)
    throw new JournalFault(`${path} does not give the state it was made from`);
}

/** The rows up to the end, which must be right. */
function* rowsOf(lines: Iterable<string>, whole: (hash: string) => void): Generator<unknown, void, undefined> {
  const hash = new RowHash();
  for (const line of lines) {
    const row: unknown = JSON.parse(line);
    if (Array.isArray(row)) {
      hash.add(`${line}\n`);
      yield row;
      continue;
    }
    const { end } = row as EndLine;
    const { rows, sha256 } = hash.result;
    if (end?.rows !== rows || end.sha256 !== sha256) throw new Error("the rows are not those that were written");
    whole(sha256);
    return;
  }
}

class RowHash {
  readonly #hasher = new Bun.CryptoHasher("sha256");
  #rows = 0;

  add(line: string): void {
    this.#rows++;
    this.#hasher.update(line);
  }

  /** Whatever has been added so far. */
  get result(): EndLine["end"] {
    return { rows: this.#rows, sha256: this.#hasher.copy().digest("hex") };
  }
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function* linesOf(path: string): Generator<string, void, undefined> {
  const file = openSync(path, "r");
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    // Pieces end anywhere, in the middle of a character too.
    let rest: Buffer = Buffer.alloc(0);
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      const text = rest.length === 0 ? piece.subarray(0, read) : Buffer.concat([rest, piece.subarray(0, read)]);
      let start = 0;
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, start)) {
        yield text.toString("utf8", start, end);
        start = end + 1;
      }
      rest = Buffer.from(text.subarray(start));
    }
  } finally {
    closeSync(file);
  }
}
