/**
 * Bounds of the journals, on disk and in Redis, each with the reason for its number. Units are last in the names.
 *
 * This file owns numbers only. It must never import anything.
 */

// --- journal on disk ------------------------------------------------------------------------

/** Entries of one file of the journal: replayed in about a second. */
export const SEGMENT_ENTRIES_MAX = 200_000;
/** And its bytes, about: reached first where most turns have a single entry, as each costs two kilobytes of log. */
export const SEGMENT_BYTES_MAX = 256 * 1024 * 1024;
/** Full files that wait for a snapshot, which is made while the next is filled; beyond it the server stands still for one. */
export const SEGMENTS_CLOSED_MAX = 8;
/** Between two signs of life in the journal, in milliseconds: so exactly is the end of a killed server known. */
export const JOURNAL_PULSE_MS = 5000;
/** How long a snapshot may take when the server stops, in milliseconds: the process has 5 s in all. */
export const LAST_SNAPSHOT_MS_MAX = 2000;

// --- journal in Redis -----------------------------------------------------------------------

/** Commands on their way to Redis and back, and their text: what a node takes in for some seconds. What nobody waits for may be twice as many. */
export const PENDING_COMMANDS_MAX = 20_000;
export const PENDING_CHARS_MAX = 32 * 1024 * 1024;
/** Commands of one turn, and their text: a turn is parsed and applied in a few milliseconds. */
export const TURN_COMMANDS_MAX = 256;
export const TURN_CHARS_MAX = 64 * 1024;
/** Turns on their way at once. What comes meanwhile shares the next one, so that a busy node makes few. */
export const TURNS_UNDER_WAY_MAX = 4;
/** Turns read at once, at most, and the text aimed at: adapted to what came last. */
export const READ_TURNS_MAX = 1024;
export const READ_CHARS = 256 * 1024;
/** How long entries are applied without a break for requests, in milliseconds. */
export const APPLY_MS_MAX = 5;
/** How long Redis holds a read that finds nothing, in milliseconds: a sign of life. */
export const READ_HOLD_MS = 1000;
/** How long a connection may owe an answer, in milliseconds, before it counts as dead. */
export const REDIS_SILENT_MS_MAX = 3000;
/** How long it may take to connect, in milliseconds, and at the start of the program in all. */
export const REDIS_CONNECT_MS_MAX = 2000;
export const REDIS_START_MS_MAX = 10_000;
/** Between two attempts, in milliseconds. */
export const REDIS_RETRY_MS = 250;
/** Text of the latest turns that is remembered, should Redis lose them: far more than its last second. */
export const RECENT_CHARS_MAX = 16 * 1024 * 1024;
/** After Redis has lost something: how long all nodes have to say how far each has come, in milliseconds. */
export const LOSS_CENSUS_MS = 1000;
/** Entries, and their text, that come after the last snapshot before the next is made: replayed in seconds. */
export const TAIL_ENTRIES_MAX = 200_000;
export const TAIL_CHARS_MAX = 64 * 1024 * 1024;
/** One piece of a snapshot, about, in characters: Redis is not held up by one. */
export const SNAPSHOT_PIECE_CHARS = 256 * 1024;
/** Longest whisper, in characters, and whispers on their way: a name and two ids; what is more is lost. */
export const WHISPER_CHARS_MAX = 2048;
export const WHISPERS_MAX = 1000;
