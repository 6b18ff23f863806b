/**
 * The people and rooms of the model, and what can be said of two of them by looking.
 *
 * This file owns plain facts. It must never change anybody but for since when they are offline.
 */
import {
  type Command,
  KINDS,
  type Kind,
  type LobbySettings,
  PARTNER_KINDS,
  type PartnerKind,
} from "../../src/domain/command.ts";
import type { DisconnectReason, MailEvent, Participant, Posted } from "../../src/domain/event.ts";
import type { RefusalCode } from "../../src/domain/refusal.ts";
import type { Line } from "../../src/domain/state.ts";
import { type Allowances, copyAllowances } from "./lobby-model-limits.ts";

export interface ModelRoom {
  readonly id: string;
  /** The one who was found, then the one who looked. */
  readonly members: readonly [ModelUser, ModelUser];
  sides: readonly [Participant, Participant];
  readonly sharedInterests: readonly string[];
  /** The code they met by. */
  readonly code: string | undefined;
  readonly openedAt: number;
  /** When, as which room of all, and why. */
  closed: { readonly at: number; readonly order: number; readonly reason: DisconnectReason } | undefined;
  seq: number;
  /** What is kept of what was said, oldest first. */
  lines: Line[];
  /** Every answer ever given to a message that carried an id of its sender's. */
  readonly answers: { readonly by: number; readonly id: string; readonly posted: Posted }[];
}

export interface Waiting {
  /** Place in the order of arrival. */
  readonly arrival: number;
  readonly opensAt: number;
  /** Whether they take anybody who fits. */
  open: boolean;
  /** Whether they can be paired. */
  available: boolean;
  /** Where the queue believes them to be. */
  address: string | undefined;
}

/** Somebody met or blocked, and where they were then. */
export interface ModelMet {
  readonly ref: number;
  readonly address: string | undefined;
}

/** What something open of somebody's belongs to. */
export interface ModelLine {
  readonly session: string | undefined;
  readonly node: string | undefined;
}

export interface ModelUser {
  readonly ref: number;
  readonly userId: string;
  readonly token: string;
  epoch: string;
  name: string;
  kind: Kind;
  wants: PartnerKind;
  interests: readonly string[];
  waiting: Waiting | undefined;
  /** The code of the meeting they wait for. */
  code: string | undefined;
  room: ModelRoom | undefined;
  /** Where they last called from. */
  address: string | undefined;
  /** In the order in which they were opened. */
  streams: readonly ModelLine[];
  hold: (ModelLine & { readonly number: number; readonly from: number }) | undefined;
  lastCall: number;
  lastActivity: number;
  awaySince: number | undefined;
  /** No stream is open any more, and no call has come since the last one closed. */
  streamIsOver: boolean;
  offlineSince: number | undefined;
  /** What is kept, oldest first. */
  mail: MailEvent[];
  head: number;
  acknowledged: number;
  returned: number;
  written: number;
  streamRead: number;
  sessions: { readonly key: string; read: number }[];
  pastRooms: ModelRoom[];
  recentPartners: ModelMet[];
  blocked: ModelMet[];
  allowances: Allowances;
}

// --- about users and rooms ----------------------------------------------------------------------

/** A refusal on its way to the end of its step; no `Error`, as it needs no stack and comes often. */
export class Refused {
  readonly code: RefusalCode;
  readonly retryAfterMs: number | undefined;
  constructor(code: RefusalCode, retryAfterMs?: number) {
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export function isConnected(user: ModelUser): boolean {
  return user.streams.length > 0 || user.hold !== undefined;
}

export function isOnline(user: ModelUser): boolean {
  return isConnected(user) || isHere(user);
}

/** Whether somebody who meets this user now would meet more than a ghost. */
export function isReachable(user: ModelUser, now: number, availableMs: number): boolean {
  return isConnected(user) || (user.awaySince === undefined && now < user.lastCall + availableMs);
}

/** When somebody unconnected in queue or room counts as gone. */
export function goneAt({ awaySince, lastCall }: ModelUser, { graceMs, idleMs }: LobbySettings): number {
  return awaySince === undefined ? lastCall + idleMs : awaySince + graceMs;
}

/** Those who are offline the longest, all equally long. */
export function longestOffline(users: readonly ModelUser[]): ModelUser[] {
  const offline = users.filter((user) => user.offlineSince !== undefined);
  const since = Math.min(...offline.map((user) => user.offlineSince ?? 0));
  return offline.filter((user) => user.offlineSince === since);
}

/** When something about this user changes by itself. */
export function dueOf(user: ModelUser, settings: LobbySettings): number {
  const { availableMs, retainUserMs } = settings;
  const times: number[] = [];
  if (isConnected(user)) {
    // No clock of presence runs.
  } else if (isHere(user)) {
    times.push(goneAt(user, settings));
    if (user.waiting?.available === true) times.push(user.lastCall + availableMs);
  } else times.push(user.lastActivity + retainUserMs);
  if (user.waiting?.available === true && !user.waiting.open) times.push(user.waiting.opensAt);
  return Math.min(...times);
}

/** Place in line among available users who could meet some partner this user could meet. */
export function positionOf(user: ModelUser, users: readonly ModelUser[]): number {
  const rivals = users.filter(
    (other) =>
      other.waiting?.available === true &&
      other.waiting.arrival < (user.waiting?.arrival ?? 0) &&
      EVERY_SORT.some((one) => fits(user, one) && fits(other, one)),
  );
  return rivals.length + 1;
}

export function isOpen(user: ModelUser): boolean {
  return user.waiting?.open === true;
}

type Sort = Pick<ModelUser, "kind" | "wants">;
const EVERY_SORT = KINDS.flatMap((kind) => PARTNER_KINDS.map((wants): Sort => ({ kind, wants })));

export function fits(a: Sort, b: Sort): boolean {
  return (a.wants === "any" || a.wants === b.kind) && (b.wants === "any" || b.wants === a.kind);
}

export function common(a: ModelUser, b: ModelUser): number {
  return a.interests.filter((interest) => b.interests.includes(interest)).length;
}

export function metLately(a: ModelUser, b: ModelUser): boolean {
  return a.recentPartners.some((met) => isOrWasWith(b, met)) || b.recentPartners.some((met) => isOrWasWith(a, met));
}

export function areBlocked(a: ModelUser, b: ModelUser): boolean {
  return a.blocked.some((met) => isOrWasWith(b, met)) || b.blocked.some((met) => isOrWasWith(a, met));
}

/** Whether somebody is the one who was met, or comes from where that one was. */
function isOrWasWith(user: ModelUser, met: ModelMet): boolean {
  return user.ref === met.ref || (met.address !== undefined && user.address === met.address);
}

export function participant({ userId, name, kind }: ModelUser): Participant {
  return { userId, displayName: name, kind };
}

export function partnerOf(user: ModelUser, { members: [a, b] }: ModelRoom): ModelUser {
  return a === user ? b : a;
}

export function sideOf(user: ModelUser, room: ModelRoom): Participant {
  return room.sides[room.members[0] === user ? 0 : 1];
}

/** The same people in the same rooms, a second time. */
export function copyPeople(
  users: readonly ModelUser[],
  rooms: readonly ModelRoom[],
): { users: ModelUser[]; rooms: ModelRoom[] } {
  const twins = users.map((user) => ({
    ...user,
    waiting: user.waiting === undefined ? undefined : { ...user.waiting },
    mail: [...user.mail],
    sessions: user.sessions.map((session) => ({ ...session })),
    blocked: [...user.blocked],
    allowances: copyAllowances(user.allowances),
  }));
  // One who is forgotten lives on in the rooms of others, but nobody looks at them there.
  const twinOf = (user: ModelUser): ModelUser => twins.find(({ ref }) => ref === user.ref) ?? user;
  const roomTwins = rooms.map(
    (room): ModelRoom => ({
      ...room,
      members: [twinOf(room.members[0]), twinOf(room.members[1])],
      answers: [...room.answers],
      lines: [...room.lines],
    }),
  );
  const roomTwinOf = (room: ModelRoom): ModelRoom => roomTwins.find(({ id }) => id === room.id) ?? room;
  for (const user of twins) {
    user.room = user.room === undefined ? undefined : roomTwinOf(user.room);
    user.pastRooms = user.pastRooms.map(roomTwinOf);
  }
  return { users: twins, rooms: roomTwins };
}

/** Somebody who has just come, nowhere yet. */
export function newcomer(
  who: Pick<ModelUser, "ref" | "userId" | "token" | "epoch">,
  now: number,
  address: string | undefined,
): ModelUser {
  return {
    ...who,
    name: "Stranger",
    kind: "unknown",
    wants: "any",
    interests: [],
    waiting: undefined,
    code: undefined,
    room: undefined,
    address,
    streams: [],
    hold: undefined,
    lastCall: now,
    lastActivity: now,
    awaySince: undefined,
    streamIsOver: false,
    offlineSince: undefined,
    mail: [],
    head: 0,
    acknowledged: 0,
    returned: 0,
    written: 0,
    streamRead: 0,
    sessions: [],
    pastRooms: [],
    recentPartners: [],
    blocked: [],
    allowances: new Map(),
  };
}

/** The user as they would stand in line with what they say, without putting them there. */
export function inLine(
  user: ModelUser,
  said: Extract<Command, { type: "enter_queue" }>,
  arrival: number,
  now: number,
  widenMs: number,
): ModelUser {
  const interests = said.interests ?? user.interests;
  const open = interests.length === 0 || widenMs === 0;
  return {
    ...user,
    name: said.displayName ?? user.name,
    kind: said.kind ?? user.kind,
    wants: said.partnerKind ?? user.wants,
    interests,
    waiting: { arrival, opensAt: open ? now : now + widenMs, open, available: true, address: user.address },
  };
}

/** Whether a user waits, in the queue or for a code, or is in a room. */
export function isHere(user: ModelUser): boolean {
  return user.waiting !== undefined || user.code !== undefined || user.room !== undefined;
}

/** Notes who has come online and who has gone offline. */
export function noticeWhoIsOnline(users: readonly ModelUser[], now: number): void {
  for (const user of users) {
    if (isOnline(user)) user.offlineSince = undefined;
    else user.offlineSince ??= now;
  }
}
