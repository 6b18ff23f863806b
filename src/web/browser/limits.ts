/**
 * Every bound and every span of time of the page, each with its reason. Units are last in the names.
 *
 * This file owns numbers only. It must never import anything: what lies in this folder runs in the browser.
 */

/** Lines of a conversation kept in the page; older ones are dropped, and the page says so. */
export const LINES_MAX = 500;
/** Characters of a conversation kept over a reload: browsers keep about 5 million for a tab in all. */
export const STORED_CHARS_MAX = 1_000_000;
/** Messages that wait to be sent: the server remembers the ids of the last 100, so that a repeated one is not posted twice. */
export const UNSENT_MAX = 50;
/** Rooms remembered as over, so that a repeated event opens none of them again. */
export const PAST_ROOMS_MAX = 16;
/** Interests a person may name; the server takes no more. */
export const INTERESTS_MAX = 10;
/** Suggestions shown at a time: two lines of them on a telephone. */
export const SUGGESTIONS_MAX = 8;

/** How long a request may take, in milliseconds: on a bad line it is better to ask again. */
export const REQUEST_MS_MAX = 15_000;
/** How long the stream may be silent, in milliseconds. The server speaks every 15 s; twice that is dead (MCP Events, "Heartbeat"). */
export const SILENCE_MS_MAX = 35_000;
/** After a break in which timers stood still, a stream silent for this long is looked at at once, in milliseconds. */
export const DOUBT_MS = 17_000;
/** The first and the longest wait before another try to connect, in milliseconds. */
export const RECONNECT_MS = { first: 500, max: 10_000 } as const;
/** Characters of one unfinished event: the longest message is far below it. */
export const FRAME_CHARS_MAX = 1_000_000;
/** Between two looks at the queue, in milliseconds. */
export const QUEUE_LOOK_MS = 10_000;
/** A refused message is tried again after what the server says, but not later than this, in milliseconds. */
export const RETRY_MS_MAX = 30_000;

/** Between two notices that this person is typing, in milliseconds: the server passes on one in three seconds. */
export const TYPING_EVERY_MS = 3000;
/** Without a key for this long, this person has stopped typing, in milliseconds. */
export const TYPING_PAUSE_MS = 4000;
/** Without another notice for this long, the partner has stopped typing, in milliseconds. The server repeats it every 10 s. */
export const TYPING_SHOWN_MS = 12_000;
/** Between the last key and the question for suggestions, in milliseconds. */
export const SUGGEST_PAUSE_MS = 250;

/** How long a reloaded page waits for its former self to let go of the name it holds, in milliseconds. */
export const CLAIM_MS_MAX = 1500;
