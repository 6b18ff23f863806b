/**
 * What stands between the history and its database, in words an operator can do something about.
 *
 * This file owns those words. None may repeat a URL, a password or anybody's text.
 */

/** The history cannot be used, found out at the start. The message is one line for the operator. */
export class HistoryFault extends Error {
  override readonly name = "HistoryFault";
}

/** The database does not do what it was asked just now. */
export class HistoryUnavailable extends Error {
  override readonly name = "HistoryUnavailable";
  /** A word for the log: a code of the system, of SQLite or of PostgreSQL. */
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(`the history is not available: ${code}`, { cause });
    this.code = code;
  }

  /** Whether it is what was asked for that it does not take, and never will (SQLSTATE classes 21 to 23). */
  get isOurs(): boolean {
    return /^2[123]...$/.test(this.code) || this.code === "SQLITE_MISMATCH" || this.code === "SQLITE_TOOBIG";
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "it is read-only",
  ENOENT: "its folder is not there",
  ENOTDIR: "its folder is not there",
  EISDIR: "it is a folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  SQLITE_FULL: "the disk is full",
  SQLITE_READONLY: "it is read-only",
  SQLITE_CANTOPEN: "no permission, or it is read-only",
  SQLITE_IOERR: "the disk does not take it",
  SQLITE_CORRUPT: "it is damaged",
  SQLITE_NOTADB: "it is no SQLite database",
  SQLITE_BUSY: "another program uses it",
  SQLITE_LOCKED: "another program uses it",
  ERR_POSTGRES_CONNECTION_REFUSED: "nothing answers there",
  ERR_POSTGRES_CONNECTION_TIMEOUT: "it does not answer",
  ERR_POSTGRES_CONNECTION_CLOSED: "it does not answer",
  timeout: "it does not answer",
  "28P01": "it does not know this user and password",
  "28000": "it does not let this user in",
  "3D000": "it has no such database",
  "42501": "this user may not do what is needed: create tables, read and write them",
};

/** The code of a failure of the system, of SQLite or of PostgreSQL: a word that holds nothing of ours. */
export function codeOf(problem: unknown): string {
  if (problem instanceof HistoryUnavailable) return problem.code;
  const { code, errno } = problem instanceof Error ? (problem as { code?: unknown; errno?: unknown }) : {};
  // Of what PostgreSQL itself says, the SQLSTATE is in `errno`.
  if (code === "ERR_POSTGRES_SERVER_ERROR" && typeof errno === "string") return errno;
  if (typeof code !== "string") return "unknown";
  // Extended codes of SQLite begin with the plain one: SQLITE_IOERR_WRITE.
  return /^SQLITE_[A-Z]+/.exec(code)?.[0] ?? code;
}

/** The fault that a failure amounts to. One that is a fault already stays as it is. */
export function faultOf(what: string, problem: unknown): HistoryFault {
  if (problem instanceof HistoryFault) return problem;
  const code = codeOf(problem);
  return new HistoryFault(`${what}: ${REASONS[code] ?? code}`, { cause: problem });
}
