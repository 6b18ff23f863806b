/**
 * How far the disk is known to have the journal: a number beside it, written now and then, after the disk
 * was told to keep everything up to there. A start that finds less has lost something and must say so;
 * and a machine that fails takes no more with it than came after the last of these.
 *
 * This file owns that number. It must never wait for the disk: the server goes on meanwhile.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";

/** So that it is always as long: it is written in one piece, over the last. */
const DIGITS = 15;

export class Watermark {
  readonly #file: number;
  readonly #found: number;
  #written: number;
  #isBusy = false;

  /** @param path of its own file, made if it is not there. Throws whatever the system does. */
  constructor(path: string) {
    this.#found = existsSync(path) ? Number(readFileSync(path, "utf8")) || 0 : 0;
    this.#written = this.#found;
    this.#file = openSync(path, existsSync(path) ? "r+" : "wx+", 0o600);
  }

  /** What it said when it was opened: entries up to here were there; 0 = nothing is known. */
  get found(): number {
    return this.#found;
  }

  /**
   * Has the disk keep some files, and then notes that it has everything up to an entry. Does nothing while it
   * is about it already. Never rejects: a disk that cannot do it is noticed by whoever writes to it.
   */
  async raise(seq: number, paths: readonly string[]): Promise<void> {
    if (this.#isBusy || seq <= this.#written) return;
    this.#isBusy = true;
    try {
      for (const path of paths) await sync(path);
      writeSync(this.#file, String(seq).padStart(DIGITS, "0"), 0);
      this.#written = seq;
    } catch (_disk) {
      // The mark stays where it is, which is true.
    } finally {
      this.#isBusy = false;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
