/**
 * What may be asked of the lobby, and the entry that carries it. Commands are plain values that
 * survive JSON: they are what a journal stores and what every replay applies again.
 *
 * This file owns their shapes. A command never carries a secret, only hashes, and every text in it
 * has passed the sanitising boundary.
 */
import type { SessionKey, TokenHash, UserRef } from "./ids.ts";

/** One thing that happened to the lobby, with the time and the randomness it happened with. */
export interface Entry {
  /** Milliseconds since the epoch; never before the previous entry's. */
  readonly at: number;
  /** `ENTROPY_CHARS` base64url characters, fresh for each entry. */
  readonly entropy: string;
  readonly command: Command;
}

/** Everything a request showed of who is calling. All that is live must name the same user. */
export interface Caller {
  /** Hash of an `Authorization: Bearer mcpc_…` token. */
  readonly bearer?: TokenHash;
  /** Hash of the `session_token` argument. */
  readonly argument?: TokenHash;
  /** The legacy MCP session the call came in. */
  readonly session?: SessionKey;
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
      readonly type: "send_message";
      readonly caller: Caller;
      readonly room?: string;
      readonly text: string;
      readonly clientMessageId?: string;
    }
  | { readonly type: "leave_chat"; readonly caller: Caller; readonly room?: string }
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
      /** How many open streams of that session end with it. */
      readonly streams: number;
    }
  | { readonly type: "tick" };

/** What the operator may set about the rules. Durations in milliseconds. */
export interface LobbySettings {
  readonly graceMs: number;
  readonly idleMs: number;
  readonly availableMs: number;
  readonly widenMs: number;
  readonly matching: "fifo" | "random";
  /** Messages a second and user; 0 = no limit. */
  readonly messageRate: number;
  readonly messageBurst: number;
  /** Messages in a room without a human and with an agent before it closes; 0 = no limit. */
  readonly loopMessagesMax: number;
  readonly retainUserMs: number;
  readonly usersMax: number;
  readonly queueMax: number;
  readonly mailboxBytesMax: number;
}
