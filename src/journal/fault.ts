/**
 * What stands between a journal and its directory, in words an operator can do something about.
 *
 * This file owns those words. None may repeat anything but paths of the journal's own and numbers.
 */

/** A journal cannot be used. The message is one line for the operator. */
export class JournalFault extends Error {
  override readonly name = "JournalFault";
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "it is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  EFBIG: "the disk is full",
  ENOTDIR: "it is no folder",
  EEXIST: "it is no folder",
  EMFILE: "too many files are open",
  SQLITE_FULL: "the disk is full",
  SQLITE_READONLY: "it is read-only",
  SQLITE_CANTOPEN: "no permission, or it is read-only",
  SQLITE_IOERR: "the disk does not take it",
  SQLITE_CORRUPT: "it is damaged",
  SQLITE_NOTADB: "it is damaged",
  SQLITE_BUSY: "another program uses it",
};

/** The fault that a failure of the system or of SQLite amounts to. One that is a fault already stays as it is. */
export function faultOf(what: string, problem: unknown): JournalFault {
  if (problem instanceof JournalFault) return problem;
  return new JournalFault(`${what}: ${reasonOf(problem)}`, { cause: problem });
}

function reasonOf(problem: unknown): string {
  const code = problem instanceof Error && "code" in problem ? String(problem.code) : "";
  // Extended codes of SQLite begin with the plain one: SQLITE_IOERR_WRITE.
  const plain = /^SQLITE_[A-Z]+/.exec(code)?.[0] ?? code;
  return REASONS[plain] ?? (code === "" ? "unknown reason" : code);
}
