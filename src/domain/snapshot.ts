/**
 * A lobby as rows of plain JSON: everything that decides what happens next, and nothing that follows
 * from it. Objects that are shared stand in a row of their own and are named by their place among those
 * of their kind, so that a lobby made of the rows shares them again. The same state gives the same rows,
 * whatever way has led to it.
 *
 * This file owns the shape of the rows. A change of it is a new version, which a reader must know.
 */
import type { LobbySettings, Rated } from "./command.ts";
import type { AuditEntry, Ban, LobbyNode, Place, Report, User } from "./state.ts";

/** Of the rows; raised with every change that an older reader would misunderstand. Older ones are read by older-rows.ts. */
export const SNAPSHOT_VERSION = 2;

/** A room by its number, or by its id if no record keeps it any more. */
export type RoomName = number | string;
/** The place of a shared object among those of its kind, from 0. */
export type SharedNumber = number;
/** Stands for interests where there are none. */
export const NO_INTERESTS = -1;
/** What may still be done: thousandths of tokens, and when that was true. */
export type FrozenBucket = readonly [milliTokens: number, at: number];
export type FrozenAllowances = { readonly [R in Rated]?: FrozenBucket };

/** What a mailbox is told, in short. */
export type FrozenBody =
  | readonly ["found", RoomName, partner: SharedNumber, sharedInterests: SharedNumber]
  | readonly ["gone", RoomName, reason: string]
  | readonly ["away" | "back", RoomName]
  | readonly ["all", announcement: SharedNumber];

/** One event of a mailbox: a shared line, or what only this mailbox was told and when. */
export type FrozenMail = SharedNumber | readonly [at: number, ...body: FrozenBody];

export interface FrozenLobby {
  /** Of all rows. */
  readonly version: typeof SNAPSHOT_VERSION;
  readonly settings: LobbySettings;
  readonly inherited: { readonly users: number; readonly waiting: number };
  readonly now: number;
  readonly sessionsValidFrom: number;
  readonly nextUser: number;
  readonly nextHold: number;
  readonly nextRoom: number;
  readonly nextAct: number;
  readonly nextTicket: number;
  readonly nextBan: number;
  readonly nextAddress: number;
  readonly nextNode: number;
  readonly rules: number;
  readonly apartSeen?: number | undefined;
  readonly apartAgain: boolean;
}

export interface FrozenMember {
  readonly user: number;
  readonly participant: SharedNumber;
  readonly answers?: readonly (readonly [id: string, messageId: string, seq: number, at: number, delivery: string])[];
  readonly report?: string | undefined;
}

export interface FrozenRoom {
  readonly id: string;
  readonly number: number;
  readonly members: readonly [FrozenMember, FrozenMember];
  readonly sharedInterests: SharedNumber;
  readonly createdAt: number;
  readonly seq: number;
  readonly code?: string | undefined;
  readonly closed?: { readonly at: number; readonly reason: string } | undefined;
}

export interface FrozenTicket {
  readonly number: number;
  readonly joinedAt: number;
  readonly holdsOutUntil: number;
  readonly available: boolean;
  readonly open: boolean;
  readonly searchedTo: number;
  readonly searchAgain: boolean;
}

/** Where a user is; a room by its number. */
export type FrozenPlace =
  | { readonly in: "queue"; readonly ticket: FrozenTicket }
  | Extract<Place, { in: "meeting" }>
  | { readonly in: "room"; readonly room: number };

export interface FrozenUser
  extends FrozenAllowances,
    Pick<
      User,
      "ref" | "userId" | "tokenHash" | "displayName" | "kind" | "partnerKind" | "streams" | "lastCallAt" | "streamRead"
    > {
  readonly interests: SharedNumber;
  /** Absent = nowhere. */
  readonly place?: FrozenPlace | undefined;
  readonly mailbox: readonly [epoch: string, head: number, acknowledged: number, returned: number, written: number];
  readonly mail: readonly FrozenMail[];
  readonly hold?: FrozenHold | undefined;
  readonly awaySince?: number | undefined;
  readonly streamEndedAt?: number | undefined;
  readonly lastActivityAt: number;
  readonly offlineSince?: number | undefined;
  readonly sessions: readonly (readonly [key: string, read: number, streams: number])[];
  readonly pastRooms: readonly number[];
  readonly address?: string | undefined;
  readonly recentPartners: readonly FrozenMet[];
  readonly blocked?: readonly FrozenMet[];
}

export interface FrozenHold {
  readonly number: number;
  readonly from: number;
  readonly session?: string | undefined;
  readonly node?: string | undefined;
}

export type FrozenMet = readonly [user: number, address?: string];

export interface FrozenNode extends Pick<LobbyNode, "id" | "number" | "rules" | "n" | "heardAt"> {
  /** 1 = its life is over, and what users had open there is being closed. */
  readonly closing: 0 | 1;
}

export type FrozenSessionStreams = readonly [session: string, streams: number];

export interface FrozenReport
  extends Omit<Report, "reporter" | "reported" | "messages" | "details" | "address" | "resolved"> {
  readonly details?: string | undefined;
  readonly address?: string | undefined;
  readonly reporter: SharedNumber;
  readonly reported: SharedNumber;
  readonly messages: readonly SharedNumber[];
  readonly resolved?: { readonly at: number; readonly note?: string | undefined } | undefined;
}

export interface FrozenBan extends Omit<Ban, "user" | "address" | "until" | "note"> {
  readonly user?: number | undefined;
  readonly address?: string | undefined;
  /** Absent = until it is lifted. */
  readonly until?: number | undefined;
  readonly note?: string | undefined;
}

export type SnapshotRow =
  | readonly ["lobby", FrozenLobby]
  | readonly ["participant", userId: string, displayName: string, kind: string]
  | readonly ["interests", ...interests: string[]]
  | readonly ["announcement", message: string]
  | readonly ["room", FrozenRoom]
  /** A message; `kept` = the next one in its room's transcript. */
  | readonly [
      "line",
      kept: 0 | 1,
      RoomName,
      sender: SharedNumber,
      at: number,
      offset: number,
      seq: number,
      messageId: string,
      message: string,
    ]
  /** Numbers of the closed rooms with a transcript, in the order of their closing. */
  | readonly ["closed", ...rooms: number[]]
  | readonly ["user", FrozenUser]
  /** Users in the order in which they went offline. */
  | readonly ["offline", ...users: number[]]
  | readonly ["ended", session: string, issuedAt: number]
  | readonly ["node", FrozenNode]
  /** What a user has open at the node that was named last; `sessions` = how many of the streams are of which. */
  | readonly ["attached", user: number, streams: number, holds: 0 | 1, ...sessions: FrozenSessionStreams[]]
  /** Lives of nodes that are over, oldest first. */
  | readonly ["lives", ...nodes: string[]]
  | readonly [
      "pace",
      class_: number,
      taken: number,
      stoodMs: number,
      takings: number,
      latestAt: number,
      since: number | null,
    ]
  | readonly ["apart", ...tickets: number[]]
  | readonly ["owed", ...tickets: number[]]
  | readonly ["report", FrozenReport]
  | readonly ["ban", FrozenBan]
  | readonly ["act", AuditEntry]
  | readonly ["address", number: number, address: string, FrozenAllowances];
