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
const LINE_FEED = 10;
/** Rows, of some 200 bytes each, between two tidyings of the memory. */
const ROWS_PER_TIDYING = 250_000;

/** What a snapshot is of. */
export interface SnapshotHead {
  /** Sequence number of the last entry in it. */
  readonly seq: number;
  /** Version of its rows. */
  readonly rows: number;
  /** Whether it got its name only after it had been read back and found to give the same state. */
  readonly checked: boolean;
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
  for (const row of tidied(rows)) hash.add(lineOf(row));
  return hash.result.sha256;
}

/**
 * The same rows, with the memory tidied on the way: left alone, the runtime would let what has been used grow
 * to more than the state itself. Not for where a server waits, as each time takes some tenths of a second.
 */
export function* tidied(rows: Iterable<unknown>): Generator<unknown, void, undefined> {
  let count = 0;
  for (const row of rows) {
    yield row;
    if (++count % ROWS_PER_TIDYING === 0) Bun.gc(true);
  }
}

/**
 * Gives the rows of a snapshot to whoever takes them.
 * @param versionMax latest version of rows that can be read
 * @returns what they hash to, and whether that has been checked
 * @throws JournalFault if the file is damaged, not whole or newer; whatever `take` throws says that it is damaged
 */
function readSnapshot(
  path: string,
  versionMax: number,
  take: (rows: Iterable<unknown>) => void,
): { readonly hash: string; readonly checked: boolean } {
  try {
    const reader = new SnapshotReader(path);
    try {
      const { snapshot, rows, checked = false } = reader.head;
      if (snapshot === undefined || rows === undefined) throw new JournalFault(`${path} is no snapshot`);
      if (snapshot > FORMAT || rows > versionMax) {
        throw new JournalFault(`${path} was written by a newer version of mcp-chat`);
      }
      take(reader.rows());
      return { hash: reader.hash, checked };
    } finally {
      reader.close();
    }
  } catch (problem) {
    // Whatever cannot be made sense of: the text, or a state of it.
    const isSystem = problem instanceof Error && "code" in problem;
    if (problem instanceof JournalFault || isSystem) throw faultOf(`cannot read ${path}`, problem);
    throw new JournalFault(`${path} is damaged`, { cause: problem });
  }
}

/**
 * Has a replica become what a snapshot says, and makes sure that it gives the state it was made from: it is to
 * replace that.
 * @param trusts whether one that has been checked need not be checked again
 * @throws JournalFault if it does not
 */
export function loadSnapshot(path: string, replica: Replica, trusts: boolean): void {
  const { hash, checked } = readSnapshot(path, replica.version, (rows) => replica.load(rows));
  if (trusts && checked) return;
  if (hashOfRows(replica.rows()) !== hash) throw new JournalFault(`${path} does not give the state it was made from`);
}

/** Reads a snapshot in pieces of many rows, which costs far less than one row after the other. */
class SnapshotReader {
  readonly head: Partial<HeadLine>;
  readonly #file: number;
  readonly #piece = Buffer.alloc(PIECE_BYTES);
  /** What has been read and not been given: the beginning of a line. */
  #rest: Buffer = Buffer.alloc(0);
  #end: EndLine["end"] | undefined;
  readonly #hash = new RowHash();

  /** Opens a file and reads its first line. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
    this.#read();
    const end = this.#rest.indexOf(LINE_FEED);
    this.head = end < 0 ? {} : (JSON.parse(this.#rest.toString("utf8", 0, end)) as Partial<HeadLine>);
    this.#rest = this.#rest.subarray(end + 1);
  }

  /** What the rows hash to. @throws Error if not all of them were there */
  get hash(): string {
    const { rows, sha256 } = this.#hash.result;
    if (this.#end?.rows !== rows || this.#end.sha256 !== sha256) throw new Error("rows are missing or others");
    return sha256;
  }

  /** The rows, up to the end. Whoever takes them asks for the hash afterwards. */
  *rows(): Generator<unknown, void, undefined> {
    while (this.#end === undefined) {
      const whole = this.#rest.lastIndexOf(LINE_FEED) + 1;
      const lines = this.#rest.toString("utf8", 0, whole);
      this.#rest = this.#rest.subarray(whole);
      if (lines !== "") yield* this.#parse(lines);
      if (!this.#read()) return;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  *#parse(lines: string): Generator<unknown, void, undefined> {
    const values = JSON.parse(`[${lines.slice(0, -1).replaceAll("\n", ",")}]`) as unknown[];
    const last = values.at(-1);
    if (Array.isArray(last)) this.#hash.add(lines, values.length);
    else {
      // The end, after which nothing comes.
      values.pop();
      const start = lines.lastIndexOf("\n", lines.length - 2) + 1;
      if (start > 0) this.#hash.add(lines.slice(0, start), values.length);
      this.#end = (last as Partial<EndLine>).end;
    }
    yield* values;
  }

  /** Reads on. False at the end of the file. */
  #read(): boolean {
    const read = readSync(this.#file, this.#piece);
    this.#rest = Buffer.concat([this.#rest, this.#piece.subarray(0, read)]);
    return read > 0;
  }
}

class RowHash {
  readonly #hasher = new Bun.CryptoHasher("sha256");
  #rows = 0;

  /** @param lines of so many rows, each with its end */
  add(lines: string, rows = 1): void {
    this.#rows += rows;
    this.#hasher.update(lines);
  }

  /** Whatever has been added so far. */
  get result(): EndLine["end"] {
    return { rows: this.#rows, sha256: this.#hasher.copy().digest("hex") };
  }
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
