/**
 * From a lobby to the rows of its snapshot, in an order that depends on nothing but the state.
 *
 * This file owns what is essential. It must never write a heap's hints or an index: those are made anew.
 */
import { RATED, type Rated } from "./command.ts";
import type { MailBody, MailEvent } from "./event.ts";
import type { unknownPace } from "./pace.ts";
import { ticketOf } from "./pairing.ts";
import {
  type FrozenAllowances,
  type FrozenBan,
  type FrozenBody,
  type FrozenBucket,
  type FrozenMail,
  type FrozenMember,
  type FrozenMet,
  type FrozenPlace,
  type FrozenRoom,
  type FrozenUser,
  NO_INTERESTS,
  type RoomName,
  type SharedNumber,
  SNAPSHOT_VERSION,
  type SnapshotRow,
} from "./snapshot.ts";
import type { Allowances, Ban, Line, Lobby, LobbyNode, Report, Room, RoomMember, User } from "./state.ts";

type Message = Extract<MailBody, { name: "message.received" }>;
type Shared = Extract<SnapshotRow, readonly ["participant" | "interests" | "announcement" | "line", ...unknown[]]>;

/** The rows of a lobby's snapshot. The lobby must not change while they are walked. */
export function* freeze(lobby: Lobby): Generator<SnapshotRow, void, undefined> {
  const freezer = new Freezer(lobby);
  yield freezer.head();
  for (const room of lobby.rooms.values()) yield* freezer.room(room);
  yield ["closed", ...lobby.transcripts.closed];
  for (const user of lobby.users.values()) yield* freezer.user(user);
  yield ["offline", ...lobby.offline];
  for (const [session, issuedAt] of lobby.endedSessions) yield ["ended", session, issuedAt];
  for (const node of lobby.nodes.values()) yield* frozenNode(node, 0);
  for (const node of lobby.closing) yield* frozenNode(node, 1);
  if (lobby.endedNodes.size > 0) yield ["lives", ...lobby.endedNodes];
  yield* freezer.queue();
  for (const report of lobby.reports.values()) yield* freezer.report(report);
  for (const ban of lobby.bans.values()) yield ["ban", frozenBan(ban)];
  for (const act of lobby.audit) yield ["act", act];
  for (const number of [...lobby.addresses.byNumber.keys()].sort((a, b) => a - b)) {
    const use = lobby.addresses.byNumber.get(number);
    if (use !== undefined) yield ["address", number, use.address, frozenAllowances(use)];
  }
}

/** What is shared and has been written. Whoever needs something new has its row written first. */
class Freezer {
  readonly #lobby: Lobby;
  /** By identity: the number of each among those of its kind. */
  readonly #numbers = new Map<object, SharedNumber>();
  readonly #counts: Record<Shared[0], number> = { participant: 0, interests: 0, announcement: 0, line: 0 };
  /** Rows that must come before the one being made. */
  #due: Shared[] = [];

  constructor(lobby: Lobby) {
    this.#lobby = lobby;
  }

  head(): SnapshotRow {
    const { settings, inherited, now, sessionsValidFrom, nextUser, nextHold, nextRoom, nextAct } = this.#lobby;
    const { queue, banned, addresses, nextNode, rules } = this.#lobby;
    return [
      "lobby",
      {
        version: SNAPSHOT_VERSION,
        settings,
        inherited,
        now,
        sessionsValidFrom,
        nextUser,
        nextHold,
        nextRoom,
        nextAct,
        nextTicket: queue.nextTicket,
        nextBan: banned.next,
        nextAddress: addresses.next,
        nextNode,
        rules,
        apartSeen: queue.apartSeen,
        apartAgain: queue.apartAgain,
      },
    ];
  }

  *room(room: Room): Generator<SnapshotRow> {
    const { id, number, createdAt, seq, code, closed } = room;
    const frozen: FrozenRoom = {
      id,
      number,
      members: [this.#member(room.members[0]), this.#member(room.members[1])],
      sharedInterests: this.#interests(room.sharedInterests),
      createdAt,
      seq,
      code,
      closed,
    };
    yield* this.#take();
    yield ["room", frozen];
    for (const line of room.transcript) this.#line(line, 1);
    yield* this.#take();
  }

  *user(user: User): Generator<SnapshotRow> {
    const { mailbox, hold } = user;
    const frozen: FrozenUser = {
      ref: user.ref,
      userId: user.userId,
      tokenHash: user.tokenHash,
      displayName: user.displayName,
      kind: user.kind,
      partnerKind: user.partnerKind,
      interests: this.#interests(user.interests),
      place: this.#place(user),
      mailbox: [mailbox.epoch, mailbox.head, mailbox.acknowledged, mailbox.returned, mailbox.written],
      mail: mailbox.events.map((event) => this.#mail(event)),
      streams: user.streams,
      hold,
      lastCallAt: user.lastCallAt,
      awaySince: user.awaySince,
      streamEndedAt: user.streamEndedAt,
      lastActivityAt: user.lastActivityAt,
      offlineSince: user.offlineSince,
      streamRead: user.streamRead,
      sessions: user.sessions.map((session) => {
        const { read = 0, streams = 0 } = this.#lobby.bindings.get(session) ?? {};
        return [session, read, streams];
      }),
      pastRooms: user.pastRooms.map((id) => this.#numberOf(id)),
      address: user.address,
      recentPartners: user.recentPartners.map((met) => frozenMet(met.user, met.address)),
      ...(user.blocked === undefined ? {} : { blocked: [...user.blocked].map((met) => frozenMet(...met)) }),
      ...frozenAllowances(user),
    };
    yield* this.#take();
    yield ["user", frozen];
  }

  *queue(): Generator<SnapshotRow> {
    const { queue } = this.#lobby;
    for (const [c, { pace }] of queue.classes.entries()) {
      const { taken, stoodMs, takings, latestAt, since } = pace;
      if (!isUnknown(pace)) yield ["pace", c, taken, stoodMs, takings, latestAt, since ?? null];
    }
    yield ["apart", ...queue.keptApart];
    yield ["owed", ...queue.owed];
  }

  *report(report: Report): Generator<SnapshotRow> {
    const { id, at, room, category, details, address, resolved } = report;
    const reporter = this.#participant(report.reporter);
    const reported = this.#participant(report.reported);
    const messages = report.messages.map((line) => this.#line(line, 0));
    const frozen = { id, at, room, category, details, reporter, reported, address, messages, resolved };
    yield* this.#take();
    yield ["report", frozen];
  }

  // --- what is shared -------------------------------------------------------------------------

  *#take(): Generator<SnapshotRow> {
    yield* this.#due;
    this.#due = [];
  }

  /** The number of something shared; `row` is written if it is met for the first time. */
  #share(thing: object, kind: Shared[0], row: () => Shared): SharedNumber {
    const known = this.#numbers.get(thing);
    if (known !== undefined) return known;
    const made = row();
    const number = this.#counts[kind]++;
    this.#numbers.set(thing, number);
    this.#due.push(made);
    return number;
  }

  #participant(one: Message["sender"]): SharedNumber {
    return this.#share(one, "participant", () => ["participant", one.userId, one.displayName, one.kind]);
  }

  #interests(interests: readonly string[]): SharedNumber {
    if (interests.length === 0) return NO_INTERESTS;
    return this.#share(interests, "interests", () => ["interests", ...interests]);
  }

  #line(line: Line, kept: 0 | 1): SharedNumber {
    return this.#share(line, "line", () => {
      const { room, sender, seq, messageId, message } = line.body;
      const name = this.#roomName(room);
      // Whether it is in a mailbox too, and where, its offset says.
      const offset = "offset" in line && typeof line.offset === "number" ? line.offset : 0;
      return ["line", kept, name, this.#participant(sender), line.at, offset, seq, messageId, message];
    });
  }

  #mail(event: MailEvent): FrozenMail {
    const { body } = event;
    if (body.name === "message.received") return this.#line(event as Line, 0);
    return [event.at, ...this.#body(body)];
  }

  #body(body: Exclude<MailBody, Message>): FrozenBody {
    switch (body.name) {
      case "chatroom.found": {
        const room = this.#roomName(body.room);
        return ["found", room, this.#participant(body.partner), this.#interests(body.sharedInterests)];
      }
      case "partner.disconnected":
        return ["gone", this.#roomName(body.room), body.reason];
      case "partner.away":
        return ["away", this.#roomName(body.room)];
      case "partner.back":
        return ["back", this.#roomName(body.room)];
      case "server.announcement":
        return ["all", this.#share(body, "announcement", () => ["announcement", body.message])];
    }
  }

  // --- rooms and places -----------------------------------------------------------------------

  #member({ user, participant, answers, report }: RoomMember): FrozenMember {
    const frozen = { user, participant: this.#participant(participant), report };
    if (answers === undefined) return frozen;
    return {
      ...frozen,
      answers: [...answers].map(
        ([id, { messageId, seq, at, delivery }]) => [id, messageId, seq, at, delivery] as const,
      ),
    };
  }

  #place(user: User): FrozenPlace | undefined {
    const { place } = user;
    switch (place.in) {
      case "nowhere":
        return undefined;
      case "meeting":
        return place;
      case "room":
        return { in: "room", room: place.room.number };
      case "queue": {
        const ticket = ticketOf(this.#lobby, user);
        if (ticket === undefined) throw new Error("a waiting user has no ticket");
        const { number, joinedAt, holdsOutUntil, available, open, searchedTo, searchAgain } = ticket;
        return { in: "queue", ticket: { number, joinedAt, holdsOutUntil, available, open, searchedTo, searchAgain } };
      }
    }
  }

  #roomName(id: string): RoomName {
    return this.#lobby.rooms.get(id)?.number ?? id;
  }

  #numberOf(id: string): number {
    const number = this.#lobby.rooms.get(id)?.number;
    if (number === undefined) throw new Error("a past room is not there");
    return number;
  }
}

function* frozenNode({ id, number, rules, n, heardAt, attached }: LobbyNode, closing: 0 | 1): Generator<SnapshotRow> {
  yield ["node", { id, number, rules, n, heardAt, closing }];
  for (const [ref, { streams, sessions, holds }] of attached) {
    yield ["attached", ref, streams, holds ? 1 : 0, ...(sessions ?? [])];
  }
}

function frozenMet(user: number, address: string | undefined): FrozenMet {
  return address === undefined ? [user] : [user, address];
}

function frozenBan({ id, number, at, target, user, address, until, note }: Ban): FrozenBan {
  return { id, number, at, target, user, address, until: Number.isFinite(until) ? until : undefined, note };
}

function frozenAllowances(allowances: Allowances): FrozenAllowances {
  const frozen: Partial<Record<Rated, FrozenBucket>> = {};
  for (const rated of RATED) {
    const bucket = allowances[rated];
    if (bucket !== undefined) frozen[rated] = [bucket.milliTokens, bucket.at];
  }
  return frozen;
}

function isUnknown(pace: ReturnType<typeof unknownPace>): boolean {
  return pace.takings === 0 && pace.stoodMs === 0 && pace.since === undefined;
}
