/**
 * Moving what a file's log has taken into the file itself, which ends with waiting for the disk: done by a
 * thread of its own, so that the server does not stand still for it.
 *
 * This file owns that thread, which lives as long as one such move. Nobody else may write meanwhile, or the
 * log would never be at its end.
 */
import { HISTORY_CALL_MS_MAX } from "../history-limits.ts";

/** How long the thread waits for another program that reads the file, in milliseconds. */
const PATIENCE_MS = 500;

/** All that the thread does. It is text, so that an executable of one file has it too. */
const THREAD = `
import { Database } from "bun:sqlite";
self.onmessage = ({ data: path }) => {
  const file = new Database(path, { readwrite: true });
  try {
    file.run("PRAGMA busy_timeout = ${PATIENCE_MS}");
    file.run("PRAGMA synchronous = NORMAL");
    postMessage(file.query("PRAGMA wal_checkpoint(TRUNCATE)").get().busy === 0);
  } finally {
    file.close();
  }
};`;

/** Empties the log of a file. @throws Error if it could not be emptied */
export async function emptyLog(path: string): Promise<void> {
  const { promise: outcome, resolve, reject } = Promise.withResolvers<void>();
  const url = URL.createObjectURL(new Blob([THREAD], { type: "text/javascript" }));
  const thread = new Worker(url, { ref: false });
  const timer = setTimeout(() => reject(new Error("the log was not emptied in time")), HISTORY_CALL_MS_MAX);
  try {
    thread.onmessage = ({ data: isEmpty }) => (isEmpty === true ? resolve() : reject(new Error("the log is in use")));
    thread.onerror = () => reject(new Error("the log could not be emptied"));
    thread.postMessage(path);
    await outcome;
  } finally {
    clearTimeout(timer);
    thread.terminate();
    URL.revokeObjectURL(url);
  }
}
