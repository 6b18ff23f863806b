/**
 * A snapshot as text: a head, the rows as JSON, one a line, and an end that says how many there are and what
 * they hash to. That hash is the state's own: the same state gives the same one.
 *
 * This file owns the format. It must never know where the text is kept, nor hold more than a piece of it.
 */
import { JournalFault } from "./fault.ts";

/** Of head and end; what the rows are is the replica's version. */
const FORMAT = 1;
/** Rows, of some 200 bytes each, between two tidyings of the memory. */
const ROWS_PER_TIDYING = 250_000;

/** What a snapshot is of. */
export interface SnapshotHead {
  /** Sequence number of the last entry in it, or its place in a stream. */
  readonly seq: number | string;
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

/** A snapshot's text, in pieces of whole lines, each a little longer than so many characters. */
export function* snapshotTexts(
  head: SnapshotHead,
  rows: Iterable<unknown>,
  pieceChars: number,
): Generator<string, void, undefined> {
  const hash = new RowHash();
  let piece = lineOf({ snapshot: FORMAT, ...head } satisfies HeadLine);
  for (const row of rows) {
    const line = lineOf(row);
    hash.add(line);
    piece += line;
    if (piece.length < pieceChars) continue;
    yield piece;
    piece = "";
  }
  yield piece + lineOf({ end: hash.result } satisfies EndLine);
}

/** What rows hash to. */
export function hashOfRows(rows: Iterable<unknown>): string {
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

/** A snapshot's text taken in piece by piece. */
export class SnapshotLines {
  readonly #name: string;
  readonly #versionMax: number;
  readonly #hash = new RowHash();
  #head: HeadLine | undefined;
  #end: EndLine["end"] | undefined;

  /**
   * @param name of the snapshot, for the operator
   * @param versionMax latest version of rows that can be read
   */
  constructor(name: string, versionMax: number) {
    this.#name = name;
    this.#versionMax = versionMax;
  }

  /** Nothing comes any more. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Of all rows, once they have been taken. @throws JournalFault if there were more, or others */
  get hash(): string {
    if (this.#head === undefined) throw new JournalFault(`${this.#name} is no snapshot`);
    const { rows, sha256 } = this.#hash.result;
    if (this.#end?.rows !== rows || this.#end.sha256 !== sha256) throw this.#damaged();
    return sha256;
  }

  /** @throws JournalFault if not all of it has been taken */
  check(): void {
    void this.hash;
  }

  /** Whether it has been read back before and found to give the state it was made from. */
  get isChecked(): boolean {
    return this.#head?.checked ?? false;
  }

  /** Whether its rows are of an older version: a state made of them gives others. */
  get isOlder(): boolean {
    return this.#head !== undefined && this.#head.rows < this.#versionMax;
  }

  /**
   * The rows of some more lines, each with its end.
   * @throws JournalFault if they are damaged, or were written by a newer version
   */
  take(lines: string): readonly unknown[] {
    const rest = this.#head === undefined ? this.#afterHead(lines) : lines;
    if (rest === "" || this.isOver) return [];
    const values = this.#parsed(`[${rest.slice(0, -1).replaceAll("\n", ",")}]`) as unknown[];
    const last = values.at(-1);
    if (Array.isArray(last)) {
      this.#hash.add(rest, values.length);
      return values;
    }
    values.pop();
    const start = rest.lastIndexOf("\n", rest.length - 2) + 1;
    if (start > 0) this.#hash.add(rest.slice(0, start), values.length);
    this.#end = (last as Partial<EndLine> | undefined)?.end;
    if (this.#end === undefined) throw this.#damaged();
    return values;
  }

  #afterHead(lines: string): string {
    const end = lines.indexOf("\n");
    const head = (end < 0 ? {} : this.#parsed(lines.slice(0, end))) as Partial<HeadLine> | null;
    const { snapshot, rows } = head ?? {};
    if (snapshot === undefined || rows === undefined) throw new JournalFault(`${this.#name} is no snapshot`);
    if (snapshot > FORMAT || rows > this.#versionMax) {
      throw new JournalFault(`${this.#name} was written by a newer version of mcp-chat`);
    }
    this.#head = head as HeadLine;
    return lines.slice(end + 1);
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (problem) {
      throw this.#damaged(problem);
    }
  }

  #damaged(cause?: unknown): JournalFault {
    return new JournalFault(`${this.#name} is damaged`, { cause });
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
