/**
 * The folder in which everything lies that outlives the process: who may use it, and what its files are
 * called.
 *
 * This file owns names, modes and the lock. Nobody but the server's own user may read what lies here, and
 * two servers must never write here at once.
 */
import { Database } from "bun:sqlite";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { faultOf, JournalFault } from "./fault.ts";
import { segmentFiles } from "./segment.ts";

/** Bytes of the key that seals sessions. */
const KEY_BYTES = 32;
/** So that names sort as their numbers do. */
const SEQ_DIGITS = 15;

const LOCK = "lock";
const KEY = "session.key";
const WATERMARK = "reached";
const LIVING = "living";
const PLACE = "place";

export class DataDirectory {
  readonly path: string;
  #lock: Database | undefined;

  /** A folder that is only looked at, by somebody who does not hold its lock. */
  constructor(path: string) {
    this.path = path;
  }

  /**
   * Takes a folder for this process alone, and makes it if it is not there.
   * @throws JournalFault if that cannot be, in words for the operator
   */
  static claim(path: string): DataDirectory {
    const directory = new DataDirectory(path);
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      directory.#claim();
    } catch (problem) {
      throw faultOf(`cannot use ${path}`, problem);
    }
    directory.#removeUnfinished();
    return directory;
  }

  /** Gives the folder free. The end of the process does the same, however it comes. */
  release(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }

  /**
   * The key that seals sessions: drawn once, so that sessions outlive the process.
   * @param mayDraw whether there can be no sessions yet that it would have sealed
   * @throws JournalFault
   */
  sessionKey(mayDraw: boolean): Uint8Array {
    const path = join(this.path, KEY);
    try {
      if (!existsSync(path) && !mayDraw) throw new JournalFault(`${path} is missing: no session could go on`);
      if (!existsSync(path)) this.writeWhole(KEY, [crypto.getRandomValues(Buffer.alloc(KEY_BYTES))]);
      const key = readFileSync(path);
      if (key.length !== KEY_BYTES) throw new JournalFault(`${path} is damaged: it has ${key.length} bytes, not 32`);
      return new Uint8Array(key);
    } catch (problem) {
      throw faultOf(`cannot use ${path}`, problem);
    }
  }

  // --- its files --------------------------------------------------------------------------------

  /** First sequence numbers of the segments, rising. */
  get segments(): readonly number[] {
    return this.#numbered(/^journal-(\d{15})\.db$/);
  }

  /** Last sequence numbers of the snapshots that are whole, rising. */
  get snapshots(): readonly number[] {
    return this.#numbered(/^snapshot-(\d{15})\.jsonl$/);
  }

  segmentPath(first: number): string {
    return join(this.path, `journal-${digits(first)}.db`);
  }

  get watermarkPath(): string {
    return join(this.path, WATERMARK);
  }

  snapshotPath(seq: number): string {
    return join(this.path, snapshotName(seq));
  }

  /** On which start of the machine a server was here that has not said that the disk has everything. */
  get living(): string | undefined {
    const path = join(this.path, LIVING);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }

  /** Notes the same of this server; undefined = the disk has everything. Throws whatever the system does. */
  set living(boot: string | undefined) {
    if (boot === undefined) rmSync(join(this.path, LIVING), { force: true });
    else this.writeWhole(LIVING, [Buffer.from(boot)]);
  }

  /**
   * Whether the folder was put here from elsewhere, such as a backup, since a server last was in it: then what it
   * says may be older than what has been told. A copy, and whatever else puts files back, gives them another number
   * or another time of change, which nobody can choose.
   */
  get isMoved(): boolean {
    const path = join(this.path, PLACE);
    return existsSync(path) && readFileSync(path, "utf8") !== this.#place;
  }

  /** Notes that it belongs here. Throws whatever the system does. */
  settleHere(): void {
    this.writeWhole(PLACE, [Buffer.from(this.#place)]);
  }

  /** By a file that is made once and never written to. */
  get #place(): string {
    const { dev, ino, ctimeMs } = statSync(join(this.path, LOCK));
    return `${dev} ${ino} ${ctimeMs}`;
  }

  /**
   * Takes the segments from one on out of the journal, and keeps them beside it: they follow on entries that are
   * not there. Throws whatever the system does.
   * @returns the names they have now
   */
  setAside(first: number): readonly string[] {
    const files = this.segments.filter((one) => one >= first).flatMap((one) => segmentFiles(this.segmentPath(one)));
    const there = files.filter((file) => existsSync(file));
    for (const file of there) renameSync(file, `${file}.aside`);
    return there.map((file) => `${basename(file)}.aside`);
  }

  /**
   * Writes a snapshot so that it is there whole or not at all. Throws whatever the system does.
   * @param check looks at the file before it counts, and throws if it must not
   */
  writeSnapshot(seq: number, chunks: Iterable<Uint8Array>, check?: (path: string) => void): void {
    this.writeWhole(snapshotName(seq), chunks, check);
  }

  /** Writes a file under another name first, and gives it its own once the disk has it. */
  writeWhole(name: string, chunks: Iterable<Uint8Array>, check?: (path: string) => void): void {
    const unfinished = join(this.path, `${name}.${process.pid}.tmp`);
    try {
      synced(openSync(unfinished, "w", 0o600), (file) => {
        for (const chunk of chunks) writeAll(file, chunk);
      });
      check?.(unfinished);
      renameSync(unfinished, join(this.path, name));
    } catch (problem) {
      rmSync(unfinished, { force: true });
      throw problem;
    }
    // The name is the folder's to keep.
    synced(openSync(this.path, "r"), () => undefined);
  }

  // --- the lock ---------------------------------------------------------------------------------

  /** A write transaction that never ends: the system frees it with the process, and never before. */
  #claim(): void {
    const path = join(this.path, LOCK);
    closeSync(openSync(path, "a", 0o600));
    const lock = new Database(path, { readwrite: true });
    try {
      lock.run("PRAGMA busy_timeout = 0");
      lock.run("BEGIN EXCLUSIVE");
    } catch (problem) {
      lock.close();
      const isTaken = problem instanceof Error && "code" in problem && String(problem.code).startsWith("SQLITE_BUSY");
      if (isTaken) throw new JournalFault(`another mcp-chat uses ${this.path}`);
      throw problem;
    }
    this.#lock = lock;
  }

  /** What a process that died was writing. */
  #removeUnfinished(): void {
    for (const name of readdirSync(this.path)) {
      if (name.endsWith(".tmp")) rmSync(join(this.path, name), { force: true });
    }
  }

  #numbered(pattern: RegExp): readonly number[] {
    const numbers = readdirSync(this.path).flatMap((name) => pattern.exec(name)?.[1] ?? []);
    return numbers.map(Number).sort((a, b) => a - b);
  }
}

function snapshotName(seq: number): string {
  return `snapshot-${digits(seq)}.jsonl`;
}

function digits(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, "0");
}

/** Does something with an open file, has the disk keep it, and closes it. */
function synced(file: number, write: (file: number) => void): void {
  try {
    write(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.length; ) written += writeSync(file, chunk, written);
}
