/**
 * The acts of the operator outside the lobby: a line in the log and, if asked for, a file.
 *
 * This file owns the file. A line of the log never carries anybody's words, the operator's neither, nor
 * an id that a user may have chosen; the file has all of it and is its owner's alone.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import type { AuditEntry } from "../domain/state.ts";
import { auditView } from "./views.ts";

/** Where acts are reported; `Log` fits. */
export interface AuditLog {
  info(message: string, fields: Readonly<Record<string, string | number | boolean>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  error(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
}

/** Readable and writable by its owner alone. */
const FILE_MODE = 0o600;

export class AuditTrail {
  readonly #log: AuditLog;
  readonly #path: string | undefined;
  #file: number | undefined;

  /**
   * @param path where acts are appended, one JSON object a line; undefined = nowhere
   * @throws when the file cannot be opened: nothing may be done that is not written down
   */
  constructor(log: AuditLog, path: string | undefined) {
    this.#log = log;
    this.#path = path;
    this.#file = path === undefined ? undefined : openSync(path, "a", FILE_MODE);
  }

  note(entry: AuditEntry): void {
    const { number, act, done } = entry;
    this.#log.info("the operator acted", { act: act.type, number, done });
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, `${JSON.stringify(auditView(entry))}\n`);
    } catch (problem) {
      this.#log.error("an act could not be written to the audit file", { number, problem: codeOf(problem) });
    }
  }

  /** Opens the file anew, after it was moved away. If that fails, the old one stays. */
  reopen(): void {
    if (this.#path === undefined) return;
    try {
      const file = openSync(this.#path, "a", FILE_MODE);
      this.close();
      this.#file = file;
    } catch (problem) {
      this.#log.error("the audit file could not be opened anew", { problem: codeOf(problem) });
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** The system's word for what failed, without the path. */
function codeOf(problem: unknown): string {
  return problem instanceof Error && "code" in problem ? String(problem.code) : "unknown";
}
