/**
 * The shape of everything the lobby remembers. Plain data: the rules are in the modules beside it,
 * and only `step` (lobby.ts) may start a change.
 *
 * This file owns the types of the state. It must never hold a rule.
 */
import type { ArrivalOrder } from "./arrival-order.ts";
import type { BanTarget, Kind, LobbySettings, OperatorAct, PartnerKind, Rated, ReportCategory } from "./command.ts";
import type { DisconnectReason, LobbyEvent, MailBody, Participant, Posted } from "./event.ts";
import type { TimeHeap } from "./heap.ts";
import type { AddressKey, CodeHash, NodeId, SessionKey, TokenHash, UserRef } from "./ids.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Bucket } from "./moderation.ts";
import type { Queue } from "./queue.ts";
import type { RankedList } from "./ranked-list.ts";

/** Where a user is. Gone means nowhere. */
export type Place =
  | { readonly in: "nowhere" }
  | { readonly in: "queue"; readonly ticket: number }
  /** Waits for the other one who knows the code. */
  | { readonly in: "meeting"; readonly code: CodeHash }
  | { readonly in: "room"; readonly room: Room };

/** A `wait` that found nothing and has not been answered yet. */
export interface Hold {
  readonly number: number;
  /** Offset after which it reads. */
  readonly from: number;
  readonly session: SessionKey | undefined;
  /** Where its caller is, if there are several nodes. */
  readonly node: NodeId | undefined;
}

/** What users say about themselves. */
export interface Description {
  displayName: string;
  kind: Kind;
  partnerKind: PartnerKind;
  interests: readonly string[];
}

/** What somebody may still do; each bucket is made with its first use. */
export type Allowances = { [R in Rated]: Bucket | undefined };

export interface User extends Description, Allowances {
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
  pastRooms: readonly string[];
  /** Where the user last called from, if addresses are told apart. */
  address: AddressKey | undefined;
  /** Partners of the last rooms and where they were, latest last. */
  readonly recentPartners: Met[];
  /** Users never to be met again and where they were when last blocked; made when the first one is. */
  blocked: Map<UserRef, AddressKey | undefined> | undefined;
  /** The addresses among them. */
  blockedAddresses: Set<AddressKey> | undefined;

  /** When the deadline heap next looks at this user; never after the user's true deadline. */
  checkAt: number;
}

/** Somebody met, by record and, if known, by where they were. */
export interface Met {
  readonly user: UserRef;
  readonly address: AddressKey | undefined;
}

export interface RoomMember {
  readonly user: UserRef;
  /** Replaced when the record ends by its own wish: then it names nobody. */
  participant: Participant;
  /** Answers by `client_message_id`, oldest first; made with the first one. */
  answers: Map<string, Posted> | undefined;
  /** The report this member has made about this room. */
  report: string | undefined;
}

export interface Room {
  readonly id: string;
  /** Its place in the order in which rooms opened. */
  readonly number: number;
  readonly members: readonly [RoomMember, RoomMember];
  readonly sharedInterests: readonly string[];
  readonly createdAt: number;
  /** Of the last message; the first message is 1. */
  seq: number;
  /** Its kept messages, oldest first; the very objects that were put into mailboxes. */
  readonly transcript: Line[];
  transcriptBytes: number;
  /** The code it was met by. */
  readonly code: CodeHash | undefined;
  closed: { readonly at: number; readonly reason: DisconnectReason } | undefined;
  /** Members whose records still remember the room; it is dropped with the last. */
  keepers: number;
}

/** One message of a transcript. */
export interface Line {
  readonly at: number;
  readonly body: Extract<MailBody, { name: "message.received" }>;
  /** See `MailEvent`. */
  readonly bytes: number;
}

/** Rooms whose transcripts hold something. */
export interface Transcripts {
  /** By number. */
  readonly rooms: Map<number, Room>;
  /** Numbers of those that are open. */
  readonly open: RankedList;
  /** Numbers of the others, in the order in which they closed. */
  readonly closed: ArrivalOrder;
}

/** What became of a code: somebody waits with it, or two have met by it. */
export type Meeting = { readonly waiter: UserRef } | { readonly room: string };

/** One reported conversation, as it was then. */
export interface Report {
  readonly id: string;
  readonly at: number;
  readonly room: string;
  readonly category: ReportCategory;
  readonly details: string | undefined;
  readonly reporter: Participant;
  readonly reported: Participant;
  /** Where the reported one was last, for a ban. */
  readonly address: AddressKey | undefined;
  readonly messages: readonly Line[];
  resolved: { readonly at: number; readonly note: string | undefined } | undefined;
}

export interface Ban {
  readonly id: string;
  /** Its place in the order in which bans were made. */
  readonly number: number;
  readonly at: number;
  readonly target: BanTarget;
  /** Of the target, if it is a user: the record meant and the address it was last at. */
  readonly user: UserRef | undefined;
  readonly address: AddressKey | undefined;
  /** Infinite = until it is lifted. */
  readonly until: number;
  readonly note: string | undefined;
}

/** Bans that have something in common. */
export interface BanGroup {
  readonly bans: Set<Ban>;
  /** When the last of them ends. */
  until: number;
}

/** How bans are found. */
export interface BanIndex {
  readonly byUserId: Map<string, BanGroup>;
  readonly byAddress: Map<AddressKey, BanGroup>;
  readonly byNumber: Map<number, Ban>;
  /** When each ends; also of some that are no more. */
  readonly ends: TimeHeap;
  next: number;
}

/** What one address may still do. */
export interface AddressUse extends Allowances {
  readonly number: number;
  readonly address: AddressKey;
}

/** Addresses that may not do everything just now, and perhaps more. */
export interface AddressBook {
  readonly byAddress: Map<AddressKey, AddressUse>;
  readonly byNumber: Map<number, AddressUse>;
  /** When each may do everything again, or earlier: one hint each. */
  readonly restored: TimeHeap;
  next: number;
}

/** One act of the operator. */
export interface AuditEntry {
  /** From 1 without gaps. */
  readonly number: number;
  readonly at: number;
  readonly act: OperatorAct;
  /** Whether what it named was there. */
  readonly done: boolean;
}

/** A legacy session that belongs to a user. */
export interface Binding {
  readonly user: UserRef;
  /** Mailbox offset up to which this session's own reader is known to have read. */
  read: number;
  /** Its open streams, on all nodes. */
  streams: number;
}

/** One life of a node of a cluster, from its joining until it is lost or leaves. */
export interface LobbyNode {
  readonly id: NodeId;
  /** Its place in the order of joining. */
  readonly number: number;
  /** The latest rules it knows. */
  readonly rules: number;
  /** Number of its latest entry. */
  n: number;
  /** Time of its latest entry. */
  heardAt: number;
  /** What is open there, by user. */
  readonly attached: Map<UserRef, Attachment>;
}

/** What one user has open at one node. */
export interface Attachment {
  /** Streams of every kind. */
  streams: number;
  /** Those of them that are of a session, by session; made with the first one. */
  sessions: Map<SessionKey, number> | undefined;
  /** Whether their held call is there. */
  holds: boolean;
}

export interface Lobby {
  /** Replaced by a restart only. */
  settings: LobbySettings;
  /** How many users there were at the last restart, and how many waited: a smaller bound turns nobody out. */
  inherited: { readonly users: number; readonly waiting: number };
  /** Time of the last entry, in milliseconds. */
  now: number;
  readonly users: Map<UserRef, User>;
  /** The same users in rising order, to go on from any of them. */
  readonly userOrder: RankedList;
  readonly byUserId: Map<string, UserRef>;
  readonly byToken: Map<TokenHash, UserRef>;
  readonly bindings: Map<SessionKey, Binding>;
  /** Ended sessions and when each was issued. */
  readonly endedSessions: Map<SessionKey, number>;
  /** Sessions issued before this are over: it rises when the table of ended ones is full. */
  sessionsValidFrom: number;
  readonly rooms: Map<string, Room>;
  /** What codes are in use for. */
  readonly meetings: Map<CodeHash, Meeting>;
  readonly queue: Queue;
  /** Users in queue or room, with a stream or a held call. */
  online: number;
  mailboxBytes: number;
  readonly transcripts: Transcripts;
  transcriptBytes: number;
  /** In the order of their making. */
  readonly reports: Map<string, Report>;
  /** In the order of their making; only those in force. */
  readonly bans: Map<string, Ban>;
  readonly banned: BanIndex;
  readonly addresses: AddressBook;
  /** The latest acts of the operator, oldest first. */
  readonly audit: AuditEntry[];

  /** The nodes of a cluster, in the order of joining; empty where one process is alone. */
  readonly nodes: Map<NodeId, LobbyNode>;
  /** Nodes that were lost or have left, whose users' connections are being closed. */
  readonly closing: LobbyNode[];
  /** Lives of nodes that are over, oldest first: none of them comes back. */
  readonly endedNodes: Set<NodeId>;
  /** The rules that hold in the cluster: all its nodes know them. 0 = there never was one. */
  rules: number;

  nextNode: number;
  nextUser: UserRef;
  nextHold: number;
  nextRoom: number;
  nextAct: number;

  /** Earliest time each user may need attention; one live hint a user. */
  readonly deadlines: TimeHeap;
  /** Offline users, longest-offline first: who is evicted first. */
  readonly offline: ArrivalOrder;
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
  /** Who calls from another address than before, until what follows from it has been done. */
  moved: User | undefined;
  /** The node whose entry it is, if it is one's. */
  node: LobbyNode | undefined;
}
