/**
 * Bounds of the programs that talk to a server: the bridge, the terminal client and `tail`, each with the
 * reason for its number. Units are last in the names.
 *
 * This file owns numbers only. It must never import anything but the server's own bounds.
 */
import { KEEP_ALIVE_MS, MAILBOX_EVENTS_MAX, MARKS_PER_CHAR_MAX, PAST_ROOMS_MAX, TYPING_MS_MAX } from "./limits.ts";

// --- clients --------------------------------------------------------------------------------

/** Messages a client keeps while it cannot send them: what a person writes in a tunnel. */
export const OUTBOX_MESSAGES_MAX = 100;
/** Event ids a client remembers to tell what comes twice: two full mailboxes. */
export const SEEN_EVENTS_MAX = 2 * MAILBOX_EVENTS_MAX;
/** Rooms a client remembers as over, so that a late answer does not open one again. */
export const PAST_ROOMS_SEEN_MAX = PAST_ROOMS_MAX;
/** How long a client waits for the answer of a call that holds nothing, in milliseconds. */
export const CLIENT_CALL_MS_MAX = 20_000;
/** Bytes of one answer, or of one event of a stream: a full mailbox, escaped, is half of that. */
export const CLIENT_ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Silence after which a client gives its stream up, in milliseconds: three keep-alives. */
export const CLIENT_SILENCE_MS_MAX = 3 * KEEP_ALIVE_MS;
/** First wait before a client comes back, in milliseconds; it doubles with every failure. */
export const CLIENT_RETRY_MS = 250;
/** And the longest, in milliseconds: a person watches. */
export const CLIENT_RETRY_MS_MAX = 10_000;
/** How long a client that is back waits for its stream to explain what has changed, in milliseconds. */
export const CLIENT_NEWS_MS = 3000;
/** How often a waiting client asks for its place in line, in milliseconds. */
export const CLIENT_OUTLOOK_MS = 10_000;
/** How often a client says that its user is still typing, in milliseconds: well within `TYPING_MS_MAX`. */
export const CLIENT_TYPING_MS = 4000;

// --- terminal -------------------------------------------------------------------------------

/** Marks on one character that a terminal is given: more reach into other lines. */
export const CLUSTER_MARKS_MAX = MARKS_PER_CHAR_MAX;
/** Code points of one character: a family of four with skin tones has eleven. */
export const CLUSTER_CHARS_MAX = 16;
/** Characters taken from one paste, in UTF-16 units: more than any message. */
export const PASTE_CHARS_MAX = 64 * 1024;
/** Characters of a draft: the longest message a server can be set to. */
export const DRAFT_CLUSTERS_MAX = 16_000;
/** Lines remembered for the arrow keys. */
export const DRAFT_HISTORY_MAX = 200;
/** Happenings that can be scrolled back to. */
export const TRANSCRIPT_ENTRIES_MAX = 2000;
/** Rows of the screen a draft may take. */
export const DRAFT_ROWS_MAX = 6;
/** Longest line taken from a pipe, in UTF-16 units: beyond any message. */
export const INPUT_LINE_CHARS_MAX = 64 * 1024;
/** How long a polite end of a client may take, in milliseconds: a person waits for their prompt. */
export const CLIENT_GOODBYE_MS_MAX = 2000;
/** How long `tail --again` waits after a refusal, in milliseconds. */
export const TAIL_RETRY_MS = 5000;
/** How long an escape waits for the rest of a key, in milliseconds: longer than any terminal takes, shorter than anybody notices. */
export const ESCAPE_MS = 50;
/** How long a partner counts as typing without another sign, in milliseconds. */
export const PARTNER_TYPING_MS_MAX = TYPING_MS_MAX + 2000;

// --- bridge ---------------------------------------------------------------------------------

/** How long a request waits for a server that is away, in milliseconds: a restart, not an outage. */
export const BRIDGE_PATIENCE_MS = 10_000;
/** Between two attempts to reach it, in milliseconds: doubled from the first up to the last. */
export const BRIDGE_RETRY_MS_MIN = 100;
export const BRIDGE_RETRY_MS_MAX = 3000;
/** How long a stream may be silent before it counts as lost, in milliseconds: three signs of life have failed to come. */
export const BRIDGE_SILENCE_MS_MAX = 3 * KEEP_ALIVE_MS;
/** Longest message of the server, in UTF-16 units: a full mailbox, escaped. */
export const BRIDGE_MESSAGE_CHARS_MAX = 4 * 1024 * 1024;
/** Requests under way at once; an assistant runs a few tools at a time. */
export const BRIDGE_REQUESTS_MAX = 64;
/** Pushed events whose ids are remembered, so that none is passed on twice after a reconnect. */
export const BRIDGE_EVENTS_REMEMBERED = 1000;
/** How long the end of the session may take when the client is gone, in milliseconds. */
export const BRIDGE_GOODBYE_MS_MAX = 1000;
