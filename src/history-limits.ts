/**
 * The bounds of the history, each with the reason for its number. Units are last in the names.
 *
 * This file owns numbers only. It must never import anything.
 */

/** Lines and rooms that wait to be written: what a busy server says in a minute. Beyond it the newest are left out for now. */
export const HISTORY_QUEUE_ITEMS_MAX = 50_000;
/** And their text, in bytes as a mailbox counts them. While a room remembers a line, the two share it. */
export const HISTORY_QUEUE_BYTES_MAX = 32 * 1024 * 1024;
/** Items written at once into a file, for which the process stands still: half a millisecond. */
export const HISTORY_FILE_BATCH_MAX = 64;
/** And to a server: by more it hardly gains. */
export const HISTORY_SERVER_BATCH_MAX = 512;
/** A file's log that has grown to so much is emptied, in bytes: some twenty thousand lines, and some ten milliseconds of a thread. */
export const HISTORY_LOG_BYTES = 4 * 1024 * 1024;
/** How long something may wait for more to be written with, in milliseconds. */
export const HISTORY_WAIT_MS = 200;
/** Between two attempts while the database takes nothing, in milliseconds: the first, and after many. */
export const HISTORY_RETRY_MS_MIN = 250;
export const HISTORY_RETRY_MS_MAX = 10_000;
/** Rooms of which something was left out, remembered one by one; beyond it all that the lobby still holds is written again. */
export const HISTORY_BEHIND_ROOMS_MAX = 10_000;
/** Between two batches of what is written again, in milliseconds: what is said now goes first. */
export const HISTORY_CATCH_UP_MS = 20;
/** How far back the lines of a lost node are written again by another, in milliseconds: longer than it kept any waiting. */
export const HISTORY_LOST_NODE_MS = 10 * 60 * 1000;
/** How long the database may take for one transaction or question, in milliseconds; then the connection is given up. */
export const HISTORY_CALL_MS_MAX = 5000;
/** How long it may take to connect, in whole seconds. */
export const HISTORY_CONNECT_S_MAX = 4;
/** Connections that read; one more writes. */
export const HISTORY_READERS_MAX = 4;
/** Questions of users at once; beyond it they are told to come back. */
export const HISTORY_READS_MAX = 64;
/** What somebody is told to wait when the database does not answer, in milliseconds. */
export const HISTORY_RETRY_AFTER_MS = 2000;
/** Stretches of missing messages that one answer names. */
export const HISTORY_GAPS_MAX = 20;
/** Lines that one transaction erases or lets go of: some milliseconds of a file. */
export const HISTORY_SLICE_LINES = 500;
/** Between two slices of what is too old, in milliseconds: two thousand lines a second are more than come in. */
export const HISTORY_SLICE_MS = 250;
/** Until a log that another program was reading is emptied, in milliseconds: what was erased is still in it. */
export const HISTORY_LOG_RETRY_MS = 5000;
/** Between two looks for what is too old, in milliseconds. */
export const HISTORY_SWEEP_MS = 10 * 60 * 1000;
/** Lines of an export that are read at a time: the longest are some megabytes. */
export const HISTORY_EXPORT_LINES = 100;
/** How long the last lines may take to be written when the server stops, in milliseconds; the process has 5 s in all. */
export const HISTORY_LAST_WRITE_MS_MAX = 1000;
