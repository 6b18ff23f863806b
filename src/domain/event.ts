/**
 * What may have happened in one step, and what a mailbox holds. `LobbyEvent`s tell the host what to
 * answer and whom to wake; `MailEvent`s are what users are told, in the order of their mailbox.
 *
 * This file owns their shapes. It must never carry wording or wire formats.
 */
import type { Kind, OperatorAct } from "./command.ts";
import type { NodeId, SessionKey, UserRef } from "./ids.ts";
import type { Refusal } from "./refusal.ts";

/** A participant as the partner sees them, as they were when the room opened. */
export interface Participant {
  readonly userId: string;
  readonly displayName: string;
  readonly kind: Kind;
}

export type DisconnectReason = "left" | "timeout" | "blocked" | "moderation" | "limit" | "server";

/** What a user is told. */
export type MailBody =
  | {
      readonly name: "chatroom.found";
      readonly room: string;
      readonly partner: Participant;
      readonly sharedInterests: readonly string[];
    }
  | {
      readonly name: "message.received";
      readonly room: string;
      readonly messageId: string;
      readonly seq: number;
      readonly message: string;
      readonly sender: Participant;
    }
  | { readonly name: "partner.disconnected"; readonly room: string; readonly reason: DisconnectReason }
  | { readonly name: "partner.away"; readonly room: string }
  | { readonly name: "partner.back"; readonly room: string }
  /** The operator's words to everybody. */
  | { readonly name: "server.announcement"; readonly message: string };

/** One event in a mailbox. */
export interface MailEvent {
  /** Position in the mailbox, from 1 without gaps. */
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly body: MailBody;
  /** What it counts for, see `bytesOf`: kept, because whoever drops an old event would have to fetch all of it. */
  readonly bytes: number;
}

/** How a message met its reader: a stream or held call was open, or it waits in the mailbox. */
export type Delivery = "pushed" | "queued";

/** The lasting outcome of posting one message: a repeated call is answered with it again. */
export interface Posted {
  readonly messageId: string;
  readonly seq: number;
  readonly at: number;
  readonly delivery: Delivery;
}

export type LobbyEvent =
  | Refusal
  | { readonly type: "entered"; readonly user: UserRef; readonly minted: boolean }
  | { readonly type: "queued"; readonly user: UserRef }
  | { readonly type: "matched"; readonly room: string; readonly users: readonly [UserRef, UserRef] }
  | { readonly type: "left_queue"; readonly user: UserRef }
  /** Waits for the other one who knows the code. */
  | { readonly type: "meeting"; readonly user: UserRef }
  | { readonly type: "left_meeting"; readonly user: UserRef }
  | { readonly type: "blocked"; readonly user: UserRef; readonly room: string }
  | { readonly type: "reported"; readonly user: UserRef; readonly report: string }
  | { readonly type: "posted"; readonly user: UserRef; readonly room: string; readonly posted: Posted }
  | { readonly type: "left_room"; readonly user: UserRef; readonly room: string }
  | { readonly type: "room_closed"; readonly room: string; readonly reason: DisconnectReason }
  | { readonly type: "seen"; readonly user: UserRef }
  /** The events in (from, to] are handed to the caller. */
  | {
      readonly type: "read";
      readonly user: UserRef;
      readonly from: number;
      readonly to: number;
      readonly truncated: boolean;
    }
  /** Nothing to read yet: the call is held under this number until its mailbox grows. */
  | { readonly type: "holding"; readonly user: UserRef; readonly hold: number }
  /** The held call must return empty: a newer one has taken its place, or it was over already. */
  | { readonly type: "hold_ended"; readonly user: UserRef; readonly hold: number }
  | { readonly type: "mail"; readonly user: UserRef }
  | { readonly type: "bound"; readonly session: SessionKey; readonly user: UserRef }
  /** Its streams have closed with it, on every node. */
  | { readonly type: "unbound"; readonly session: SessionKey; readonly user: UserRef }
  | StreamChange<"stream_opened">
  | StreamChange<"stream_closed">
  | { readonly type: "session_ended"; readonly session: SessionKey }
  | { readonly type: "forgotten"; readonly user: UserRef }
  /** A command about a user or hold that is no more. */
  | { readonly type: "ignored" }
  /** What the operator asked for is done; `id` names the ban it made, if it made one. */
  | { readonly type: "operated"; readonly act: OperatorAct["type"]; readonly id?: string }
  /** Where the next slice of an announcement begins; 0 = everybody has been told. */
  | { readonly type: "announced"; readonly told: number; readonly next: UserRef }
  /** What the operator named is not there. */
  | { readonly type: "operated_nothing"; readonly act: OperatorAct["type"] }
  | { readonly type: "ticked" }
  | { readonly type: "restarted" }
  | { readonly type: "node_joined" | "node_left" | "node_refused"; readonly node: NodeId }
  /** It was silent for too long: whoever was connected to it is not any more. */
  | { readonly type: "node_lost"; readonly node: NodeId }
  /** Nothing was done: the node is none of the cluster's any more or not yet, or the entry has been here before. */
  | { readonly type: "disregarded"; readonly because: "not_joined" | "repeated" }
  /** Every mailbox has begun another life. */
  | { readonly type: "rewound" };

/** A stream of a user was opened or closed, in that session if it is one of a session, at that node of a cluster. */
interface StreamChange<T extends string> {
  readonly type: T;
  readonly user: UserRef;
  readonly session?: SessionKey;
  readonly node?: NodeId;
}

export type LobbyEventType = LobbyEvent["type"];

/** The events of some types. */
export type LobbyEventOf<T extends LobbyEventType> = LobbyEvent & { readonly type: T };
