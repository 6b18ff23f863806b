/**
 * From the rows of a snapshot back to a lobby, with everything made anew that follows from them:
 * indexes, orders, counts and deadlines.
 *
 * This file owns that making. It trusts its rows: whoever kept them knows whether they are whole. A throw
 * means that they are not those of a lobby.
 */
import { enlistBan } from "./bans.ts";
import { addressesOf } from "./blocks.ts";
import { RATED } from "./command.ts";
import type { DisconnectReason, MailBody, MailEvent, Participant, Posted } from "./event.ts";
import { createLobby } from "./lobby.ts";
import { bytesOf, emptyMailbox } from "./mailbox.ts";
import type { Bucket } from "./moderation.ts";
import { keepAge } from "./post-office.ts";
import { isConnected, scheduleAll } from "./presence.ts";
import { classOf, setAvailable, type Ticket } from "./queue.ts";
import { orderAddresses } from "./rates.ts";
import {
  type FrozenAllowances,
  type FrozenBody,
  type FrozenHold,
  type FrozenLobby,
  type FrozenMail,
  type FrozenMember,
  type FrozenNode,
  type FrozenReport,
  type FrozenRoom,
  type FrozenTicket,
  type FrozenUser,
  NO_INTERESTS,
  type RoomName,
  type SharedNumber,
  type SnapshotRow,
} from "./snapshot.ts";
import type { Allowances, Hold, Line, Lobby, LobbyNode, Place, Room, RoomMember, User } from "./state.ts";
import { UNDESCRIBED } from "./users.ts";

/** A line that may be in a mailbox as well. */
type SharedLine = MailEvent & Line;
type RowOf<K extends SnapshotRow[0]> = Extract<SnapshotRow, readonly [K, ...unknown[]]>;

/**
 * The lobby that gave these rows, with the settings it had.
 * @throws Error if the rows are not those of a lobby
 */
export function thaw(rows: Iterable<SnapshotRow>): Lobby {
  let thawing: Thawing | undefined;
  for (const row of rows) {
    if (row[0] === "lobby" && thawing === undefined) thawing = new Thawing(row[1]);
    else if (thawing === undefined) throw new Error("a snapshot does not begin with its lobby");
    else thawing.take(row);
  }
  if (thawing === undefined) throw new Error("a snapshot is empty");
  return thawing.finish();
}

class Thawing {
  readonly #lobby: Lobby;
  readonly #rooms = new Map<number, Room>();
  readonly #tickets: { readonly ticket: Ticket; readonly available: boolean }[] = [];
  readonly #participants: Participant[] = [];
  readonly #interests: (readonly string[])[] = [];
  readonly #announcements: MailBody[] = [];
  readonly #lines: SharedLine[] = [];
  readonly #paces: RowOf<"pace">[] = [];
  #latestNode: LobbyNode | undefined;

  constructor(frozen: FrozenLobby) {
    const lobby = createLobby(frozen.settings);
    const { inherited, now, sessionsValidFrom, nextUser, nextHold, nextRoom, nextAct, nextNode, rules } = frozen;
    Object.assign(lobby, { inherited, now, sessionsValidFrom, nextUser, nextHold, nextRoom, nextAct, nextNode, rules });
    lobby.queue.nextTicket = frozen.nextTicket;
    lobby.queue.apartSeen = frozen.apartSeen;
    lobby.queue.apartAgain = frozen.apartAgain;
    lobby.banned.next = frozen.nextBan;
    lobby.addresses.next = frozen.nextAddress;
    this.#lobby = lobby;
  }

  take(row: SnapshotRow): void {
    const lobby = this.#lobby;
    switch (row[0]) {
      case "lobby":
        throw new Error("a snapshot holds two lobbies");
      case "participant":
        this.#participants.push({ userId: row[1], displayName: row[2], kind: row[3] as Participant["kind"] });
        return;
      case "interests":
        this.#interests.push(row.slice(1));
        return;
      case "announcement":
        this.#announcements.push({ name: "server.announcement", message: row[1] });
        return;
      case "room":
        this.#room(row[1]);
        return;
      case "line":
        this.#line(row);
        return;
      case "closed":
        for (const number of row.slice(1) as number[]) lobby.transcripts.closed.add(number);
        return;
      case "user":
        this.#user(row[1]);
        return;
      case "offline":
        for (const ref of row.slice(1) as number[]) lobby.offline.add(ref);
        return;
      case "ended":
        lobby.endedSessions.set(row[1], row[2]);
        return;
      case "node":
        this.#node(row[1]);
        return;
      case "attached":
        this.#attach(row);
        return;
      case "lives":
        for (const id of row.slice(1)) lobby.endedNodes.add(id);
        return;
      case "pace":
        this.#paces.push(row);
        return;
      case "apart":
        this.#standUp();
        for (const number of row.slice(1) as number[]) lobby.queue.keptApart.add(number);
        return;
      case "owed":
        for (const number of row.slice(1) as number[]) lobby.queue.owed.add(number);
        return;
      case "report":
        this.#report(row[1]);
        return;
      case "ban": {
        const { user, address, until = Number.POSITIVE_INFINITY, note, ...ban } = row[1];
        enlistBan(lobby, { ...ban, user, address, until, note });
        return;
      }
      case "act":
        lobby.audit.push(row[1]);
        return;
      case "address": {
        const use = { number: row[1], address: row[2], ...allowancesOf(row[3]) };
        lobby.addresses.byAddress.set(use.address, use);
        lobby.addresses.byNumber.set(use.number, use);
        return;
      }
    }
  }

  finish(): Lobby {
    const lobby = this.#lobby;
    orderAddresses(lobby);
    scheduleAll(lobby);
    return lobby;
  }

  // --- nodes --------------------------------------------------------------------------------------

  #node({ closing, ...frozen }: FrozenNode): void {
    const node: LobbyNode = { ...frozen, attached: new Map() };
    if (closing === 1) this.#lobby.closing.push(node);
    else this.#lobby.nodes.set(node.id, node);
    this.#latestNode = node;
  }

  #attach([, user, streams, holds, ...sessions]: RowOf<"attached">): void {
    const { attached } = this.#latestNode ?? {};
    if (attached === undefined) throw new Error("a snapshot attaches users to no node");
    const counts = sessions.length === 0 ? undefined : new Map(sessions);
    attached.set(user, { streams, sessions: counts, holds: holds === 1 });
  }

  // --- rooms and what was said ------------------------------------------------------------------

  #room({ id, number, members, sharedInterests, createdAt, seq, code, closed }: FrozenRoom): void {
    const room: Room = {
      id,
      number,
      members: [this.#member(members[0]), this.#member(members[1])],
      sharedInterests: this.#interestsNumbered(sharedInterests),
      createdAt,
      seq,
      transcript: [],
      transcriptBytes: 0,
      code,
      closed: closed === undefined ? undefined : { at: closed.at, reason: closed.reason as DisconnectReason },
      // Of a closed room its members' records tell.
      keepers: closed === undefined ? 2 : 0,
    };
    this.#rooms.set(number, room);
    this.#lobby.rooms.set(id, room);
    if (code !== undefined && closed === undefined) this.#lobby.meetings.set(code, { room: id });
  }

  #member({ user, participant, answers, report }: FrozenMember): RoomMember {
    const known = answers?.map(([id, messageId, seq, at, delivery]): [string, Posted] => {
      return [id, { messageId, seq, at, delivery: delivery as Posted["delivery"] }];
    });
    const map = known === undefined ? undefined : new Map(known);
    return { user, participant: at(this.#participants, participant), answers: map, report };
  }

  #line([, kept, name, sender, time, offset, seq, messageId, message]: RowOf<"line">): void {
    const room = this.#roomId(name);
    const from = at(this.#participants, sender);
    const body = { name: "message.received", room, messageId, seq, message, sender: from } as const;
    const line: SharedLine = { offset, at: time, body, bytes: bytesOf(body) };
    this.#lines.push(line);
    if (kept === 0) return;
    const home = this.#roomNumbered(name);
    const { transcripts } = this.#lobby;
    if (home.transcript.length === 0) {
      transcripts.rooms.set(home.number, home);
      if (home.closed === undefined) transcripts.open.add(home.number);
    }
    home.transcript.push(line);
    home.transcriptBytes += line.bytes;
    this.#lobby.transcriptBytes += line.bytes;
  }

  #interestsNumbered(number: SharedNumber): readonly string[] {
    return number === NO_INTERESTS ? UNDESCRIBED.interests : at(this.#interests, number);
  }

  #roomId(name: RoomName): string {
    return typeof name === "string" ? name : this.#roomNumbered(name).id;
  }

  #roomNumbered(number: RoomName): Room {
    const room = this.#rooms.get(Number(number));
    if (room === undefined) throw new Error("a snapshot names a room that is not in it");
    return room;
  }

  #report({ reporter, reported, messages, details, address, resolved, ...report }: FrozenReport): void {
    this.#lobby.reports.set(report.id, {
      ...report,
      details,
      address,
      resolved: resolved === undefined ? undefined : { at: resolved.at, note: resolved.note },
      reporter: at(this.#participants, reporter),
      reported: at(this.#participants, reported),
      messages: messages.map((number) => at(this.#lines, number)),
    });
  }

  // --- users ------------------------------------------------------------------------------------

  #user(frozen: FrozenUser): void {
    const lobby = this.#lobby;
    const { ref, hold, sessions, blocked } = frozen;
    const [epoch, head, acknowledged, returned, written] = frozen.mailbox;
    const mailbox = Object.assign(emptyMailbox(epoch), { head, acknowledged, returned, written });
    if (frozen.mail.length > 0) {
      const first = head - frozen.mail.length + 1;
      mailbox.events = frozen.mail.map((mail, i) => this.#mail(mail, first + i));
      for (const { bytes } of mailbox.events) mailbox.bytes += bytes;
    }
    const blocks = blocked === undefined ? undefined : new Map(blocked.map(([other, address]) => [other, address]));
    const user: User = {
      ref,
      userId: frozen.userId,
      tokenHash: frozen.tokenHash,
      displayName: frozen.displayName,
      kind: frozen.kind,
      partnerKind: frozen.partnerKind,
      interests: this.#interestsNumbered(frozen.interests),
      place: { in: "nowhere" },
      mailbox,
      streams: frozen.streams,
      hold: hold === undefined ? undefined : holdOf(hold),
      lastCallAt: frozen.lastCallAt,
      awaySince: frozen.awaySince,
      streamEndedAt: frozen.streamEndedAt,
      lastActivityAt: frozen.lastActivityAt,
      offlineSince: frozen.offlineSince,
      streamRead: frozen.streamRead,
      sessions: sessions.map(([key]) => key),
      pastRooms: frozen.pastRooms.map((number) => this.#pastRoom(number)),
      recentPartners: frozen.recentPartners.map(([other, address]) => ({ user: other, address })),
      address: frozen.address,
      blocked: blocks,
      blockedAddresses: blocks === undefined ? undefined : addressesOf(blocks),
      ...allowancesOf(frozen),
      checkAt: Number.POSITIVE_INFINITY,
    };
    user.place = this.#place(user, frozen);
    lobby.users.set(ref, user);
    lobby.userOrder.add(ref);
    lobby.byUserId.set(user.userId, ref);
    lobby.byToken.set(user.tokenHash, ref);
    for (const [key, read, streams] of sessions) lobby.bindings.set(key, { user: ref, read, streams });
    lobby.mailboxBytes += mailbox.bytes;
    keepAge(lobby, user);
    if (isConnected(user) || user.place.in !== "nowhere") lobby.online++;
  }

  #pastRoom(number: number): string {
    const room = this.#roomNumbered(number);
    room.keepers++;
    return room.id;
  }

  #place(user: User, { place }: FrozenUser): Place {
    if (place === undefined) return { in: "nowhere" };
    if (place.in === "room") return { in: "room", room: this.#roomNumbered(place.room) };
    if (place.in === "meeting") {
      this.#lobby.meetings.set(place.code, { waiter: user.ref });
      return place;
    }
    this.#ticket(user, place.ticket);
    return { in: "queue", ticket: place.ticket.number };
  }

  #ticket({ ref, kind, partnerKind, interests }: User, { available, ...frozen }: FrozenTicket): void {
    const ticket = { user: ref, class: classOf(kind, partnerKind), interests, ...frozen, available: false };
    this.#tickets.push({ ticket, available });
  }

  #mail(frozen: FrozenMail, offset: number): MailEvent {
    if (typeof frozen === "number") return at(this.#lines, frozen);
    const [time, ...rest] = frozen;
    const body = this.#body(rest);
    return { offset, at: time, body, bytes: bytesOf(body) };
  }

  #body(body: FrozenBody): MailBody {
    switch (body[0]) {
      case "found": {
        const [, room, partner, shared] = body;
        const sharedInterests = this.#interestsNumbered(shared);
        return {
          name: "chatroom.found",
          room: this.#roomId(room),
          partner: at(this.#participants, partner),
          sharedInterests,
        };
      }
      case "gone":
        return { name: "partner.disconnected", room: this.#roomId(body[1]), reason: body[2] as DisconnectReason };
      case "away":
        return { name: "partner.away", room: this.#roomId(body[1]) };
      case "back":
        return { name: "partner.back", room: this.#roomId(body[1]) };
      case "all":
        return at(this.#announcements, body[1]);
    }
  }

  // --- the queue --------------------------------------------------------------------------------

  /** Puts everybody back into their line, in its order, and the pace of each line as it was. */
  #standUp(): void {
    const { queue, now } = this.#lobby;
    this.#tickets.sort((a, b) => a.ticket.number - b.ticket.number);
    for (const { ticket, available } of this.#tickets) {
      queue.tickets.set(ticket.number, ticket);
      setAvailable(queue, ticket, available, now);
    }
    for (const [, c, taken, stoodMs, takings, latestAt, since] of this.#paces) {
      const pace = queue.classes[c]?.pace;
      if (pace !== undefined) Object.assign(pace, { taken, stoodMs, takings, latestAt, since: since ?? undefined });
    }
  }
}

function holdOf({ number, from, session, node }: FrozenHold): Hold {
  return { number, from, session, node };
}

function at<T>(shared: readonly T[], number: number): T {
  const found = shared[number];
  if (found === undefined) throw new Error("a snapshot names something that is not in it");
  return found;
}

function allowancesOf(frozen: FrozenAllowances): Allowances {
  const allowances: Allowances = { messages: undefined, entries: undefined, joins: undefined, reports: undefined };
  for (const rated of RATED) {
    const bucket = frozen[rated];
    if (bucket !== undefined) allowances[rated] = { milliTokens: bucket[0], at: bucket[1] } satisfies Bucket;
  }
  return allowances;
}
