/**
 * Every bound of the program, each with the reason for its number. Settings an operator may change
 * are in config.ts; what stands here is fixed. Units are last in the names.
 *
 * This file owns numbers only. It must never import anything.
 */

// --- requests -------------------------------------------------------------------------------

/** Largest request body. A message of 4,000 code points is at most 48 KiB even when every character is `\u`-escaped twice. */
export const BODY_BYTES_MAX = 256 * 1024;

// --- users ----------------------------------------------------------------------------------

/** Longest chosen user id. */
export const USER_ID_CHARS_MAX = 64;
/** Longest display name, in code points: one line on a narrow screen. */
export const NAME_CHARS_MAX = 40;
/** Most interests of one user: enough to describe a person, few enough that an arrival stays cheap. */
export const INTERESTS_MAX = 10;
/** Longest interest, in code points: a tag, not a sentence. */
export const INTEREST_CHARS_MAX = 32;
/** Partners a user does not meet again while others wait. */
export const RECENT_PARTNERS_MAX = 3;
/** Closed rooms a user can still name and be told `chat_ended`; older ones are `room_not_found`. */
export const PAST_ROOMS_MAX = 32;
/** Legacy sessions bound to one user at a time; the longest-bound is unbound beyond it. */
export const SESSIONS_PER_USER_MAX = 16;

// --- rooms ----------------------------------------------------------------------------------

/** `client_message_id`s remembered per participant and room, so that a retry posts nothing twice. */
export const CLIENT_MESSAGE_IDS_MAX = 100;
/** Longest `client_message_id`. A UUID is 36. */
export const CLIENT_MESSAGE_ID_CHARS_MAX = 128;

// --- mailboxes ------------------------------------------------------------------------------

/** Events one mailbox holds. */
export const MAILBOX_EVENTS_MAX = 1000;
/** Bytes one mailbox holds, counted as the UTF-16 size of its strings plus a fixed cost per event. */
export const MAILBOX_BYTES_MAX = 256 * 1024;
/** How long an event is kept, in milliseconds. */
export const MAILBOX_AGE_MS_MAX = 24 * 3600 * 1000;
/** Events kept although they were already written to a stream or acknowledged. */
export const MAILBOX_READ_EVENTS_KEPT = 100;

// --- queue ----------------------------------------------------------------------------------

/** Candidates looked at per list when an arrival is matched, so that its cost does not grow with the queue. */
export const MATCH_SCAN_MAX = 128;
/** Recent matches that make up the match rate. */
export const MATCH_RATE_SAMPLES = 32;

// --- sessions -------------------------------------------------------------------------------

/** How long a legacy session lives without use, in milliseconds. */
export const SESSION_AGE_MS_MAX = 7 * 24 * 3600 * 1000;
/** Ended sessions remembered one by one; beyond it, sessions as old as the forgotten ones end too. */
export const ENDED_SESSIONS_MAX = 100_000;
