/**
 * Every bound of the program, each with the reason for its number. Settings an operator may change
 * are in config.ts; what stands here is fixed. Units are last in the names.
 *
 * This file owns numbers only. It must never import anything.
 */

// --- requests -------------------------------------------------------------------------------

/** Largest request body. A message of 4,000 code points is at most 48 KiB even when every character is `\u`-escaped twice. */
export const BODY_BYTES_MAX = 256 * 1024;

// --- entries --------------------------------------------------------------------------------

/** Characters of entropy in an entry: 22 of base64url carry 132 bits. */
export const ENTROPY_CHARS = 22;

/** Users whose deadline has come that one step deals with, each with a partner to be told: about 3 ms with their streams. */
export const DEADLINES_PER_STEP_MAX = 64;

// --- nodes of a cluster -------------------------------------------------------------------------

/** Nodes at a time: each applies every entry, so that more would add nothing long before. */
export const NODES_MAX = 64;
/** Between two signs of life of a node, in milliseconds. */
export const NODE_BEAT_MS = 1000;
/** A node that is silent for so long is lost, in milliseconds: four beats may fail, and its users need not wait for long. */
export const NODE_SILENT_MS = 5000;
/** Where no node was heard of for longer than this, in milliseconds, none could be: two beats of every node are missing. */
export const NODE_GAP_MS = 3000;
/** Lives of nodes remembered after their end: an entry of one that is still under way comes within seconds. */
export const ENDED_NODES_MAX = 1024;
/** Own lives of which a node remembers that they were its own: entries of no more of them can be under way. */
export const LIVES_KNOWN_MAX = 8;
/** Between the looks of two nodes whether a deadline has been dealt with, in milliseconds: longer than an entry takes. */
export const NODE_TICK_STEP_MS = 250;
/** How often a command is asked again whose node was taken for lost meanwhile. */
export const DISREGARDED_ATTEMPTS_MAX = 3;
/** How long the journal may be out of reach before whatever watches over a node is told, in milliseconds. */
export const NODE_HEALTH_MS = 3000;
/** Between two loadings of the state because it differs from the leading node's, in milliseconds. */
export const NODE_RELOAD_MS = 60_000;
/** How long an answer waits until the other nodes know what it says that they know, in milliseconds: far more than it takes. */
export const PEERS_WAIT_MS_MAX = 250;
/** How many such answers wait at a time; those beyond do not. */
export const PEERS_ASKED_MAX = 1000;
/** How long a stop may wait until the others know of it, in milliseconds. */
export const NODE_LEAVE_MS_MAX = 1000;
/** How long a command may wait for its place, in milliseconds; then whoever asked is refused. */
export const APPEND_WAIT_MS_MAX = 5000;
/** What they are told to wait, in milliseconds: Redis starts and takes over within seconds. */
export const APPEND_RETRY_MS = 2000;

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
/** Closed rooms a record keeps; a room that neither member keeps any more is `room_not_found`. */
export const PAST_ROOMS_MAX = 32;
/** Legacy sessions bound to one user at a time; the longest-bound is unbound beyond it. */
export const SESSIONS_PER_USER_MAX = 16;

// --- rooms ----------------------------------------------------------------------------------

/** `client_message_id`s remembered per participant and room, so that a retry posts nothing twice. */
export const CLIENT_MESSAGE_IDS_MAX = 100;
/** Longest `client_message_id`. A UUID is 36. */
export const CLIENT_MESSAGE_ID_CHARS_MAX = 128;

// --- transcripts ------------------------------------------------------------------------------

/** Messages of one room that are kept: an evening's conversation. */
export const TRANSCRIPT_MESSAGES_MAX = 500;
/** Bytes of one room's transcript, counted as a mailbox counts them: as much as one mailbox. */
export const TRANSCRIPT_BYTES_MAX = 256 * 1024;
/** How long a transcript is kept after its room has closed, in milliseconds: as long as its events. */
export const TRANSCRIPT_AGE_MS_MAX = 24 * 3600 * 1000;
/** Messages given at once by a look into the history, and how many if the caller does not say. */
export const HISTORY_MESSAGES_MAX = 200;
export const HISTORY_MESSAGES_DEFAULT = 50;

// --- moderation -------------------------------------------------------------------------------

/** Partners one user has blocked: a year of bad evenings. */
export const BLOCKS_PER_USER_MAX = 1000;
/** What somebody is told to wait who has blocked so many, in milliseconds: blocked records end every day. */
export const BLOCK_RETRY_MS = 3600 * 1000;
/** Reports kept for the operator: more than one person reads in a week; with the longest messages they are as large as all transcripts. */
export const REPORTS_MAX = 1000;
/** Messages of the room that a report keeps. */
export const REPORT_MESSAGES_MAX = 50;
/** Bans in force: each costs some hundred bytes, and every call of a user looks in the table once. */
export const BANS_MAX = 10_000;
/** Acts of the operator that are remembered; the log on stderr keeps all. */
export const AUDIT_ENTRIES_MAX = 1000;
/** Longest note of an operator, in code points. */
export const OPERATOR_NOTE_CHARS_MAX = 500;
/** Users an announcement is given to in one turn: about 2 ms. */
export const ANNOUNCE_SLICE_USERS = 500;
/** Addresses whose buckets are kept: as many as users by default. */
export const ADDRESSES_MAX = 100_000;

// --- typing ---------------------------------------------------------------------------------

/** How long somebody counts as writing after saying so, in milliseconds; also how seldom the same is told again. */
export const TYPING_MS_MAX = 10_000;
/** How often one user may say so a second, in the long run: a client says it every few seconds. */
export const TYPING_PER_S_MAX = 2;
/** And at once: begun, stopped and begun again. */
export const TYPING_BURST_MAX = 5;
/** Users who count as writing at a time, at some hundred bytes each; beyond it the longest silent one has stopped. */
export const TYPISTS_MAX = 50_000;

// --- settings ---------------------------------------------------------------------------------

/** Largest settings file, in bytes: every setting with a page of comments, many times over. */
export const CONFIG_FILE_BYTES_MAX = 64 * 1024;

// --- words that are not wanted ----------------------------------------------------------------

/** Largest word list, in bytes, and most entries: the longest lists people share have some thousand. */
export const WORDS_FILE_BYTES_MAX = 1024 * 1024;
export const WORDS_MAX = 10_000;
/** Longest word or phrase, in code points; also how far a text is looked ahead from each of its words. */
export const WORD_CHARS_MAX = 64;
/** Folded characters remembered, so that folding does not normalise one twice: more than a text mixes. */
export const FOLDED_CHARS_MAX = 8192;

// --- the operator's surface --------------------------------------------------------------------

/** Body of an operator's request, in bytes: an announcement of the longest message, escaped. */
export const ADMIN_BODY_BYTES_MAX = 256 * 1024;
/** An answer to `mcp-chat admin`, in bytes: a page of the longest reports is a tenth of it. */
export const ADMIN_ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** How long `mcp-chat admin` waits for one, in milliseconds: an announcement to everybody takes some seconds. */
export const ADMIN_PATIENCE_MS_MAX = 60_000;
/** Items of one page, and how many if the operator does not say. */
export const ADMIN_PAGE_ITEMS_MAX = 200;
export const ADMIN_PAGE_ITEMS_DEFAULT = 50;
/** Wrong tokens from one address at once; after them one every six seconds. Nobody guesses 256 bits, some choose fewer. */
export const ADMIN_FAILURES_BURST_MAX = 10;
export const ADMIN_FAILURES_PER_S_MAX = 1 / 6;

// --- mailboxes ------------------------------------------------------------------------------

/** Events one mailbox holds. */
export const MAILBOX_EVENTS_MAX = 1000;
/** Bytes one mailbox holds, counted as the UTF-16 size of its strings plus a fixed cost per event. */
export const MAILBOX_BYTES_MAX = 256 * 1024;
/** Unread events shown in one reading of the inbox; the count says how many there are. */
export const INBOX_EVENTS_MAX = 100;
/** How long an event is kept, in milliseconds. */
export const MAILBOX_AGE_MS_MAX = 24 * 3600 * 1000;
/** Events kept although they were already written to a stream or acknowledged. */
export const MAILBOX_READ_EVENTS_KEPT = 100;

// --- queue ----------------------------------------------------------------------------------

/** Candidates taken or passed over per list when an arrival is matched, so that its cost does not grow with the queue. */
export const MATCH_SCAN_MAX = 128;
/** Candidates met lately that one search looks into: each may have to be asked whether somebody else is there. */
export const MATCH_MET_MAX = 16;
/** Searches that are taken up again at once when something has changed; the others follow in the next steps. */
export const SEARCHES_PER_STEP_MAX = 32;
/** Interests looked at when a completion is asked for: about a millisecond. */
export const INTERESTS_SCAN_MAX = 10_000;
/** Interests suggested at a time: what a person reads. */
export const COMPLETIONS_MAX = 20;
/** What a taking from the line counts when the next one comes: some fifteen of them make up the pace, known to a quarter. */
export const PACE_MEMORY = 7 / 8;
/** A line from which nobody was taken for so long has no known pace, in milliseconds. */
export const PACE_AGE_MS_MAX = 600_000;

// --- sessions -------------------------------------------------------------------------------

/** How long a legacy session lives without use, in milliseconds. */
export const SESSION_AGE_MS_MAX = 7 * 24 * 3600 * 1000;
/** Ended sessions remembered one by one; beyond it, sessions as old as the forgotten ones end too. */
export const ENDED_SESSIONS_MAX = 100_000;

// --- text -----------------------------------------------------------------------------------

/** Shortest room code, in code points: short enough to say aloud, too long to meet a stranger's by accident. */
export const ROOM_CODE_CHARS_MIN = 6;
/** Longest room code, in code points. */
export const ROOM_CODE_CHARS_MAX = 64;
/** Longest details of a report, in code points: a page for a moderator to read. */
export const REPORT_DETAILS_CHARS_MAX = 2000;
/** Combining marks one character carries. The tallest stack known from real text, a Tibetan seed syllable, has exactly eight. */
export const MARKS_PER_CHAR_MAX = 8;
/** UTF-16 units supplied per character allowed, beyond which text is too long unread. A coloured paste takes about twenty for some of its characters, never for all. */
export const SUPPLIED_UNITS_PER_CHAR_MAX = 16;

// --- protocol engine and HTTP edge ----------------------------------------------------------

/** Elements of `X-Forwarded-For` looked at: nobody stands behind more proxies, and each costs a parse. */
export const FORWARDED_HOPS_MAX = 32;
/** Peers, and values of that header, remembered as read, up to this many characters each: callers send the same ones over and over. */
export const ADDRESSES_READ_MAX = 4096;
export const ADDRESS_READ_CHARS_MAX = 64;
/** Opened session tokens kept so that a request need not decrypt: above the streams one process can hold, at about 300 bytes each. */
export const SESSIONS_OPENED_MAX = 65_536;
/** How long an opened token is kept without use, in milliseconds; up to twice that, as they are dropped by generations. */
export const SESSION_OPENED_MS = 10 * 60 * 1000;
/** Longest session token looked at, in characters: a sealed one with the longest names and subject is under 500. */
export const SESSION_TOKEN_CHARS_MAX = 512;
/** Bytes of the authenticated subject a session is bound to: longer ones must be digested by whoever authenticates. */
export const SUBJECT_BYTES_MAX = 128;
/** Bytes of a client's name and of its version that a session remembers: enough to recognise any real client. */
export const CLIENT_NAME_BYTES_MAX = 64;
/** Clients whose name and version all their sessions share one object of; the others have one each. */
export const CLIENTS_SHARED_MAX = 100;
/** Messages in one batch of revision 2025-03-26: such clients send a handful. */
export const BATCH_MESSAGES_MAX = 64;
/** Unanswered requests of one session: an assistant runs a few tools at a time. */
export const REQUESTS_IN_FLIGHT_MAX = 64;
/** How long a client may treat a list or `server/discover` as fresh, in milliseconds: an upgrade is noticed within minutes. */
export const CACHE_TTL_MS = 5 * 60 * 1000;
/** Open GET streams of one session: the delivering one and two half-dead ones their clients have given up on. */
export const SESSION_STREAMS_MAX = 3;
/** What a client is told to wait before it reconnects a stream, in milliseconds. */
export const STREAM_RETRY_MS = 3000;
/** Text pulled for one write to a stream, in UTF-16 units; also what a stalled reader can pin in memory. */
export const STREAM_WRITE_CHARS_MAX = 64 * 1024;
/** Unwritten messages of one response stream, in UTF-16 units; beyond it progress is dropped, never the answer. */
export const RESPONSE_BACKLOG_CHARS_MAX = 64 * 1024;
/** How long a stream may stay without trouble before what was written counts as read, in milliseconds. */
export const STREAM_SETTLED_MS = 30_000;
/** How finely the above is measured, in milliseconds: at most seven marks for a busy stream. */
export const STREAM_MARK_MS = 5000;
/** How long a reader may refuse to drain what was written before it is cut, in milliseconds. */
export const STREAM_STALL_MS_MAX = 30_000;
/** Between two keep-alives of one stream, in milliseconds: well under every proxy's and our own idle timeout. */
export const KEEP_ALIVE_MS = 15_000;
/** Slices into which the streams are spread for keep-alives, so that no turn writes to all of them. */
export const KEEP_ALIVE_SLICES = 60;
/** How long one turn goes on to handle requests, in milliseconds, before their answers are written: the last one may take longer. */
export const TURN_MS_MAX = 1;
/** Streams written in one turn; the others follow after the requests that have come in meanwhile. Ending 64 takes 2 ms. */
export const STREAMS_PER_TURN_MAX = 64;
/** Streams whose end is dealt with in one turn, each with a partner to be told: while thousands break, the kernel must be kept up with. */
export const STREAM_ENDS_PER_TURN_MAX = 4;
/** How long a stop waits for held answers and streams to end by themselves, in milliseconds; the process has 5 s in all. */
export const STOP_MS_MAX = 4000;
/** How long answers of held calls may be on their way before the rest is ended, in milliseconds: a part of it. */
export const RELEASE_MS_MAX = 1000;
/** How long a connection may be silent while a request comes in or an answer is awaited, in seconds. */
export const CONNECTION_IDLE_S_MAX = 60;
/** What a refused client is told to wait, in seconds: full servers empty slowly, restarts are quick. */
export const RETRY_AFTER_S = 5;
/** How long a browser may remember what cross-origin requests are allowed, in seconds. */
export const PREFLIGHT_MAX_AGE_S = 600;
/** `Accept` values remembered as parsed; clients send a handful of distinct ones. */
export const ACCEPT_VALUES_MAX = 64;

// --- talking back to a client ---------------------------------------------------------------

/** Questions put to the client at once by one handler: a form, a choice and a folder, several times over. */
export const INPUTS_MAX = 16;
/** Rounds of questions one modern request may go through; the official clients stop at ten as well. */
export const INPUT_ROUNDS_MAX = 10;
/** How deep the arguments of a call that asks, and a client's answers, may be nested: nobody writes such forms, and recursion has an end. */
export const INPUT_DEPTH_MAX = 64;
/** How long a question waits for its answer, in milliseconds: people answer them. */
export const INPUT_MS_MAX = 10 * 60 * 1000;
/** Longest sealed `requestState`, in characters: with the answers of the last round it has to fit into a request body. */
export const REQUEST_STATE_CHARS_MAX = 64 * 1024;
/** How long a response stream whose connection is gone can still be resumed, in milliseconds: ten attempts of a client that waits as told. */
export const RESUMABLE_MS = 30_000;
/** Longest request id inside event ids, in base64url: clients count or draw UUIDs; of others only the resumption is poorer. */
export const EVENT_ID_REQUEST_CHARS_MAX = 128;
/** Longest call inside event ids, sealed: a wait with its cursor and a token takes a third; a long message is not carried along. */
export const EVENT_ID_CALL_CHARS_MAX = 1024;
/** Response streams without a connection that are kept for resumption; beyond it the oldest is given up. */
export const RESUMABLE_STREAMS_MAX = 4096;
/** Their messages in all, in UTF-16 units; beyond it the oldest is given up. */
export const RESUMABLE_CHARS_MAX = 16 * 1024 * 1024;

// --- tasks ----------------------------------------------------------------------------------

/** Tasks kept, running or finished: at a few kilobytes each they are a small part of the memory. */
export const TASKS_MAX = 1000;
/** Of these, tasks of one authenticated caller. Who is not authenticated shares only the bound above. */
export const TASKS_PER_PRINCIPAL_MAX = 50;
/** How long a task is kept from its creation unless its tool says otherwise, in milliseconds: a client may return after lunch. */
export const TASK_TTL_MS = 3600 * 1000;
/** Longest time a tool may ask for, in milliseconds. */
export const TASK_TTL_MS_MAX = 24 * 3600 * 1000;
/** What a client is told to wait between two looks at a task unless its tool says otherwise, in milliseconds. */
export const TASK_POLL_MS = 1000;
/** How often expired tasks are looked for, in milliseconds; a request for one finds it gone at once. */
export const TASK_SWEEP_MS = 10_000;
/** Rounds of questions one task may ask. */
export const TASK_INPUTS_MAX = 100;

// --- lists, subscriptions, logging -----------------------------------------------------------

/** Items of one page of a list: most servers have one page, and a page fits any message bound. */
export const LIST_PAGE_ITEMS_MAX = 100;
/** Longest cursor looked at; ours have under 32 characters. */
export const CURSOR_CHARS_MAX = 64;
/** Longest resource URI taken: what browsers and proxies bear. */
export const URI_CHARS_MAX = 2048;
/** Suggestions in one answer: the specification's bound. */
export const COMPLETION_VALUES_MAX = 100;
/** Resources watched by one legacy session, and by one listen stream: a client watches what it shows. */
export const WATCHED_RESOURCES_MAX = 64;
/** Legacy sessions without a stream whose subscriptions are kept; the one longest without loses them beyond it. */
export const IDLE_OUTBOXES_MAX = 65_536;
/** Legacy sessions whose log level is remembered; the longest-set is forgotten beyond it. */
export const LOG_LEVELS_KEPT_MAX = 65_536;
/** Open listen streams of one principal: a person's clients and their reconnects. */
export const LISTENS_PER_PRINCIPAL_MAX = 16;
/** How long a notice already written is said again on a new stream, in milliseconds: a dead one is noticed by then. */
export const NOTICE_UNSETTLED_MS = STREAM_SETTLED_MS + STREAM_STALL_MS_MAX;

// --- events ---------------------------------------------------------------------------------

/** Longest parameters of an events request, in bytes: a name, a cursor and a few filters. */
export const EVENT_PARAMS_BYTES_MAX = 64 * 1024;
/** Longest arguments of an event type, in bytes: they are compared and kept as the identity of a subscription. */
export const EVENT_ARGUMENTS_BYTES_MAX = 4 * 1024;
/** How deep arguments may nest. */
export const EVENT_ARGUMENTS_DEPTH_MAX = 16;
/** Longest cursor looked at, in characters; ours have under 30. */
export const EVENT_CURSOR_CHARS_MAX = 256;
/** Occurrences in a poll's answer if the client does not say. */
export const EVENTS_PER_POLL = 50;
/** Most occurrences in a poll's answer; with the longest messages these are some hundred kilobytes. */
export const EVENTS_PER_POLL_MAX = 100;
/** Longest hold of a poll, in milliseconds: clients and proxies give up after 30 s. */
export const EVENT_POLL_HOLD_MS_MAX = 25_000;
/** Polls of one principal a second, in the long run: more often than anybody reads. */
export const EVENT_POLLS_PER_S_MAX = 2;
/** And at once: a client with every type, or one that fetches a full mailbox. */
export const EVENT_POLLS_BURST_MAX = 10;
/** Open event streams of one principal: every type on two connections. */
export const EVENT_STREAMS_PER_PRINCIPAL_MAX = 16;

// --- stdio ----------------------------------------------------------------------------------

/** Unwritten answers, in UTF-16 units, beyond which no more requests are read from the pipe. */
export const PIPE_BACKLOG_CHARS_MAX = 256 * 1024;
/** After the end of the input: how long answers that are on their way may take, in milliseconds. */
export const PIPE_FINISH_MS_MAX = 500;
/** And how long a client may take to read them, in milliseconds. */
export const PIPE_DRAIN_MS_MAX = 1500;

// --- greeter --------------------------------------------------------------------------------

/** How long somebody waits alone before the greeter comes, in milliseconds. */
export const GREETER_WAIT_MS = 5000;
/** How long it types a line, in milliseconds: long enough to be seen typing. */
export const GREETER_REPLY_MS = 1200;
/** Chats of the greeter at once; beyond it people wait for each other. */
export const GREETINGS_MAX = 100;

// --- held calls -----------------------------------------------------------------------------

/** Longest hold a caller may ask for, in seconds. */
export const HOLD_SECONDS_MAX = 300;
/** Longest hold without a stream, in seconds: both SDK clients give up after 60. */
export const HOLD_PLAIN_SECONDS_MAX = 50;
/** Holds up to this may stay silent, in seconds; longer ones open a stream at once. */
export const HOLD_QUIET_SECONDS_MAX = 20;
