/**
 * The shape of everything the lobby remembers. Plain data: the rules are in the modules beside it,
 * and only `step` (lobby.ts) may start a change.
 *
 * This file owns the types of the state. It must never hold a rule.
 */
import type { Kind, LobbySettings, PartnerKind } from "./command.ts";
import type { DisconnectReason, LobbyEvent, Participant, Posted } from "./event.ts";
import type { TimeHeap } from "./heap.ts";
import type { SessionKey, TokenHash, UserRef } from "./ids.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Bucket } from "./moderation.ts";
import type { Queue } from "./queue.ts";

/** Where a user is. Gone means nowhere. */
export type Place =
  | { readonly in: "nowhere" }
  | { readonly in: "queue"; readonly ticket: number }
  | { readonly in: "room"; readonly room: Room };

/** A `wait` that found nothing and has not been answered yet. */
export interface Hold {
  readonly number: number;
  /** Offset after which it reads. */
  readonly from: number;
  readonly session: SessionKey | undefined;
}

/** What users say about themselves. */
export interface Description {
  displayName: string;
  kind: Kind;
  partnerKind: PartnerKind;
  interests: readonly string[];
}

export interface User extends Description {
  readonly ref: UserRef;
  readonly userId: string;
  readonly tokenHash: TokenHash;
  place: Place;
  readonly mailbox: Mailbox;

  /** Open streams of every kind. */
  streams: number;
  /** The held call, if one is held. */
  hold: Hold | undefined;
  lastCallAt: number;
  /** When the last stream closed, while no call has come since; undefined when not away. */
  awaySince: number | undefined;
  /** When the last stream closed, while no call has come since; also known while a call is still held. */
  streamEndedAt: number | undefined;
  /** When the user was last seen at all; the record ends `retainUserMs` later. */
  lastActivityAt: number;
  /** Since when the user is neither in queue or room nor connected; undefined while online. */
  offlineSince: number | undefined;

  /** Mailbox offset up to which some stream of this user is known to have been read. */
  streamRead: number;
  /** Legacy sessions bound to this user, longest-bound first. */
  readonly sessions: SessionKey[];
  /** Closed rooms that can still be named, oldest first. */
  readonly pastRooms: string[];
  /** Partners of the last rooms, latest last. */
  readonly recentPartners: UserRef[];
  /** Users never to be met again; made when the first one is. */
  blocked: Set<UserRef> | undefined;
  /** Messages this user may still send; made with the first one. */
  messages: Bucket | undefined;

  /** When the deadline heap next looks at this user; never after the user's true deadline. */
  checkAt: number;
}

export interface RoomMember {
  readonly user: UserRef;
  readonly participant: Participant;
  /** Answers by `client_message_id`, oldest first; made with the first one. */
  answers: Map<string, Posted> | undefined;
}

export interface Room {
  readonly id: string;
  readonly members: readonly [RoomMember, RoomMember];
  readonly sharedInterests: readonly string[];
  readonly createdAt: number;
  /** Of the last message; the first message is 1. */
  seq: number;
  closed: { readonly at: number; readonly reason: DisconnectReason } | undefined;
  /** Members whose records still remember the room; it is dropped with the last. */
  keepers: number;
}

/** A legacy session that belongs to a user. */
export interface Binding {
  readonly user: UserRef;
  /** Mailbox offset up to which this session's own reader is known to have read. */
  read: number;
}

export interface Lobby {
  readonly settings: LobbySettings;
  /** Time of the last entry, in milliseconds. */
  now: number;
  readonly users: Map<UserRef, User>;
  readonly byUserId: Map<string, UserRef>;
  readonly byToken: Map<TokenHash, UserRef>;
  readonly bindings: Map<SessionKey, Binding>;
  /** Ended sessions and when each was issued. */
  readonly endedSessions: Map<SessionKey, number>;
  /** Sessions issued before this are over: it rises when the table of ended ones is full. */
  sessionsValidFrom: number;
  readonly rooms: Map<string, Room>;
  readonly queue: Queue;
  /** Users in queue or room, with a stream or a held call. */
  online: number;
  mailboxBytes: number;
  /** When recent rooms opened, oldest first: the match rate. */
  readonly matches: number[];

  nextUser: UserRef;
  nextHold: number;

  /** Earliest time each user may need attention; one live hint a user. */
  readonly deadlines: TimeHeap;
  /** Offline users, longest-offline first: who is evicted first. */
  readonly offline: Set<UserRef>;
  /** Mailboxes by the age of their oldest event. */
  readonly mailAges: TimeHeap;
}

/** What one step works with beside the lobby: time, its entry's entropy, and what has happened so far. */
export interface Step {
  /** When what happens now happens: a deadline's own time, then the entry's. */
  at: number;
  readonly entropy: string;
  readonly events: LobbyEvent[];
  /** Rooms opened in this step; numbers their ids. */
  roomsOpened: number;
}
