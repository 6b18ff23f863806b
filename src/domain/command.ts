/**
 * What may be asked of the lobby, and the entry that carries it. Commands are plain values that
 * survive JSON: they are what a journal stores and what every replay applies again.
 *
 * This file owns their shapes. A command never carries a secret, only hashes, and every text in it
 * has passed the sanitising boundary.
 */
import type { AddressKey, CodeHash, NodeId, SessionKey, TokenHash, UserRef } from "./ids.ts";

/** One thing that happened to the lobby, with the time and the randomness it happened with. */
export interface Entry {
  /** Milliseconds since the epoch; never before the previous entry's. */
  readonly at: number;
  /** `ENTROPY_CHARS` base64url characters, fresh for each entry. */
  readonly entropy: string;
  readonly command: Command;
  /** Who appended it, where several nodes do; absent where one process alone orders entries. */
  readonly origin?: Origin;
}

/** Where an entry comes from. */
export interface Origin {
  readonly node: NodeId;
  /** Rises with every entry of that life of the node: one that does not has been here before. */
  readonly n: number;
}

/** Everything a request showed of who is calling. All that is live must name the same user. */
export interface Caller {
  /** Hash of an `Authorization: Bearer mcpc_…` token. */
  readonly bearer?: TokenHash;
  /** Hash of the `session_token` argument. */
  readonly argument?: TokenHash;
  /** The legacy MCP session the call came in. */
  readonly session?: SessionKey;
  /** Where the call came from, if addresses are told apart here. It identifies nobody. */
  readonly address?: AddressKey;
}

export const KINDS = ["human", "agent", "unknown"] as const;
/** What a user says they are; `unknown` is one who did not say. */
export type Kind = (typeof KINDS)[number];

export const PARTNER_KINDS = ["any", "human", "agent"] as const;
/** Whom a user wants to meet. */
export type PartnerKind = (typeof PARTNER_KINDS)[number];

export type Command =
  | {
      readonly type: "enter_queue";
      readonly caller: Caller;
      /** Hash of the token the edge drew in case a user is made. */
      readonly newToken: TokenHash;
      readonly userId?: string;
      readonly displayName?: string;
      readonly interests?: readonly string[];
      readonly kind?: Kind;
      readonly partnerKind?: PartnerKind;
    }
  | { readonly type: "leave_queue"; readonly caller: Caller }
  | {
      readonly type: "join_room";
      readonly caller: Caller;
      /** Hash of the token the edge drew in case a user is made. */
      readonly newToken: TokenHash;
      /** Hash of the code both have agreed on. */
      readonly code: CodeHash;
      readonly displayName?: string;
      readonly kind?: Kind;
    }
  | {
      readonly type: "send_message";
      readonly caller: Caller;
      readonly room?: string;
      readonly text: string;
      readonly clientMessageId?: string;
    }
  | { readonly type: "leave_chat"; readonly caller: Caller; readonly room?: string }
  | { readonly type: "forget_me"; readonly caller: Caller }
  | { readonly type: "block_partner"; readonly caller: Caller; readonly room?: string }
  | {
      readonly type: "report_partner";
      readonly caller: Caller;
      readonly room?: string;
      readonly category: ReportCategory;
      readonly details?: string;
    }
  | { readonly type: "look"; readonly caller: Caller }
  | {
      readonly type: "wait";
      readonly caller: Caller;
      /** Acknowledges everything up to this cursor and reads after it; absent = after what was read last. */
      readonly after?: string;
      /** Whether to hold when there is nothing to read. */
      readonly hold: boolean;
    }
  | {
      readonly type: "end_wait";
      readonly user: UserRef;
      readonly hold: number;
      /** False when the caller is gone: nothing is handed out then, and nothing counts as returned. */
      readonly answered: boolean;
    }
  | {
      readonly type: "open_stream";
      readonly user: UserRef;
      readonly session?: SessionKey;
      /** Offset up to which the stream's client has shown to have read. */
      readonly read?: number;
      /** A call that is held like a stream: the same, but for its end. */
      readonly call?: true;
    }
  | {
      readonly type: "close_stream";
      readonly user: UserRef;
      readonly session?: SessionKey;
      /** Offset up to which the stream's reader is known to have read. */
      readonly read?: number;
      /** It was a held call, whose end counts as a call. */
      readonly call?: true;
    }
  | {
      readonly type: "end_session";
      readonly session: SessionKey;
      /** When the session was issued, in milliseconds. */
      readonly issuedAt: number;
    }
  | { readonly type: "operate"; readonly act: OperatorAct }
  | { readonly type: "tick" }
  | {
      /** A server takes up what a journal has kept: the first entry of its time. */
      readonly type: "restart";
      /** What it is set to; holds until the next restart, so that a replay follows the same rules. */
      readonly settings: LobbySettings;
    }
  | {
      /** A node of a cluster makes itself known: the first entry of every life of it. */
      readonly type: "join_node";
      /** What it is set to; holds from now on, for all nodes. */
      readonly settings: LobbySettings;
      /** The latest rules it knows: its `RULES_VERSION`. */
      readonly rules: number;
    }
  | {
      /** A node is alive, every `NODE_BEAT_MS`. */
      readonly type: "beat_node";
      /** The sender's `markOf` right after its own entry `n`, for the others to compare. The lobby does not look at it. */
      readonly mark?: { readonly n: number; readonly mark: number };
    }
  /** A node stops: whoever was connected to it is not any more. */
  | { readonly type: "leave_node" }
  /** What orders the entries has lost its latest ones: positions that readers hold may name what never happened. */
  | { readonly type: "rewind" };

export const REPORT_CATEGORIES = [
  "spam",
  "harassment",
  "hate",
  "sexual",
  "self_harm",
  "scam",
  "prompt_injection",
  "minor_safety",
  "other",
] as const;
/** What a report is about. */
export type ReportCategory = (typeof REPORT_CATEGORIES)[number];

/** Whom a ban keeps out. */
export type BanTarget =
  | { readonly kind: "user"; readonly userId: string }
  | { readonly kind: "address"; readonly address: AddressKey };

/** What the operator does. Each is kept in the audit log. */
export type OperatorAct =
  | {
      readonly type: "ban";
      readonly target: BanTarget;
      /** When it ends, in milliseconds since the epoch; absent = never. */
      readonly until?: number;
      /** The operator's own words, for operators. */
      readonly note?: string;
    }
  | { readonly type: "unban"; readonly ban: string }
  /** Out of queue, meeting and room; they may come back. */
  | { readonly type: "kick"; readonly userId: string }
  | { readonly type: "close_room"; readonly room: string }
  | { readonly type: "resolve_report"; readonly report: string; readonly note?: string }
  | {
      /** Tells online users something, a slice of them at a time so that no turn writes to all. */
      readonly type: "announce";
      readonly text: string;
      /** The slice begins after this user; 0 = the first slice, which alone is kept in the audit log. */
      readonly after: UserRef;
      /** Users looked at in this slice. */
      readonly count: number;
    };

/** How fast something may be done; `perSecond` 0 = no limit. */
export interface Rate {
  readonly perSecond: number;
  /** How often at once, from 1. */
  readonly burst: number;
}

/** What costs something and is therefore limited, for each user and for each address. */
export const RATED = ["messages", "entries", "joins", "reports"] as const;
export type Rated = (typeof RATED)[number];

/** What the operator may set about the rules. Durations in milliseconds. */
export interface LobbySettings {
  readonly graceMs: number;
  readonly idleMs: number;
  readonly availableMs: number;
  readonly widenMs: number;
  readonly matching: "fifo" | "random";
  /** What one user may do. */
  readonly rates: Readonly<Record<Rated, Rate>>;
  /** One address may do as much as so many users; 0 = addresses are not limited. */
  readonly usersPerAddress: number;
  /** Messages in a room without a human and with an agent before it closes; 0 = no limit. */
  readonly loopMessagesMax: number;
  readonly retainUserMs: number;
  readonly usersMax: number;
  readonly queueMax: number;
  readonly mailboxBytesMax: number;
  /** All transcripts together, in bytes as a mailbox counts them. */
  readonly transcriptBytesMax: number;
}
