/**
 * Who is writing at this moment, told to the partner's open streams and to nothing else: it is in no
 * mailbox, has no position and is no part of the lobby's state.
 *
 * This file owns the table of those who write, when each counts as having stopped, and how often one
 * may say so. Of several nodes each has the whole table, and tells those whose streams are at it. It must never
 * hold a timer per user, nor tell anybody but the partner.
 */
import { randomBytes } from "../crypto.ts";
import type { UserRef } from "../domain/ids.ts";
import { sidesOf } from "../domain/room.ts";
import type { Room, User } from "../domain/state.ts";
import { TYPING_BURST_MAX, TYPING_MS_MAX, TYPING_PER_S_MAX, TYPISTS_MAX } from "../limits.ts";
import { isObject } from "../mcp/jsonrpc.ts";
import type { Json, JsonObject, Peers } from "../mcp/registry.ts";
import { TokenBuckets } from "../mcp/token-buckets.ts";
import type { LobbyHost } from "./lobby-host.ts";

/** What a partner is told. */
export interface TypingNotice {
  /** The same for every stream it goes out on. */
  readonly id: string;
  readonly room: string;
  readonly typing: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Those who have streams open. A stream that cannot take a notice now keeps the latest one at most. */
export interface TypingReaders {
  tell(reader: UserRef, notice: TypingNotice): void;
}

/** Ids of the notices that somebody writes and that they have stopped, the same on every node. */
interface NoticeIds {
  readonly starts: string;
  readonly stops: string;
}

interface Typist {
  readonly user: UserRef;
  readonly partner: UserRef;
  readonly room: string;
  /** When they count as having stopped, unless they say again that they write. */
  until: number;
  /** When the partner was last told, and by which notice. */
  toldAt: number;
  ids: NoticeIds;
}

/** What nodes tell each other about. */
const TOPIC = "typing";
const ID_CHARS_MAX = 64;

export class Typing {
  readonly #host: LobbyHost;
  readonly #readers: readonly TypingReaders[];
  readonly #peers: Peers | undefined;
  readonly #rates = new TokenBuckets(TYPING_PER_S_MAX, TYPING_BURST_MAX, TYPISTS_MAX);
  /** By user, in the order of `until`. */
  readonly #typists = new Map<UserRef, Typist>();
  readonly #idPrefix = `typing_${randomBytes(6).toString("base64url")}.`;
  #notices = 0;
  #isAlarmSet = false;

  /** @param peers the other nodes, if there are any */
  constructor(host: LobbyHost, readers: readonly TypingReaders[], peers?: Peers) {
    this.#host = host;
    this.#readers = readers;
    this.#peers = peers;
    peers?.listen((topic, message) => {
      if (topic !== TOPIC || !isObject(message) || this.#hearPeer(message)) return undefined;
      // The whisper may have overtaken the entry that makes the room. Should that not come, nothing is lost.
      return host.upToDate()?.then(
        () => void this.#hearPeer(message),
        () => undefined,
      );
    });
    host.listen(["posted"], ({ user }) => this.#stop(user, host.lobby.now));
    host.listen(["room_closed"], ({ room }) => {
      for (const { user } of host.lobby.rooms.get(room)?.members ?? []) this.#stop(user, host.lobby.now);
    });
    host.listen(["stream_closed", "hold_ended", "unbound"], ({ user }) => {
      if (host.lobby.users.get(user)?.awaySince !== undefined) this.#stop(user, host.lobby.now);
    });
  }

  /** How many are writing. */
  get size(): number {
    return this.#typists.size;
  }

  /**
   * Notes that a member of an open room writes, or has stopped.
   * @returns 0, or in how many milliseconds they may say so again (nothing is noted then)
   */
  say(user: User, room: Room, typing: boolean): number {
    const now = this.#host.alarms.now();
    const delayMs = this.#rates.take(String(user.ref), now);
    if (delayMs > 0) return delayMs;
    if (typing) {
      const ids = this.#start(user, room, now, undefined);
      if (ids !== undefined)
        this.#peers?.tell(TOPIC, { user: user.ref, at: now, room: room.id, seq: room.seq, ...ids });
    } else {
      this.#stop(user.ref, now);
      this.#peers?.tell(TOPIC, { user: user.ref, at: now });
    }
    return 0;
  }

  /** Somebody writes, or has stopped, at another node. @returns whether it was of somebody and somewhere known here */
  #hearPeer({ user: ref, at, room: id, seq, starts, stops }: JsonObject): boolean {
    const user = typeof ref === "number" ? this.#host.lobby.users.get(ref) : undefined;
    if (user === undefined || typeof at !== "number") return false;
    if (id === undefined) {
      this.#stop(user.ref, at);
      return true;
    }
    const room = typeof id === "string" ? this.#host.lobby.rooms.get(id) : undefined;
    if (room === undefined || room.closed !== undefined) return room !== undefined;
    // What they were writing may be here before the word that they do.
    if (typeof seq === "number" && hasSpokenSince(room, user, seq)) return true;
    if (isNoticeId(starts) && isNoticeId(stops)) this.#start(user, room, at, { starts, stops });
    return true;
  }

  /**
   * @param now when they said so, in milliseconds
   * @param given ids of the notices, if they said so at another node
   * @returns the ids by which it is known, unless nobody is to be told
   */
  #start(user: User, room: Room, now: number, given: NoticeIds | undefined): NoticeIds | undefined {
    const partner = sidesOf(room, user)?.other.user;
    if (partner === undefined) return undefined;
    const known = this.#typists.get(user.ref);
    const isKnown = known?.room === room.id;
    const isOld =
      !isKnown || (given === undefined ? now - known.toldAt >= TYPING_MS_MAX : known.ids.starts !== given.starts);
    const ids = isOld ? (given ?? this.#newIds()) : known.ids;
    const typist = isKnown ? known : { user: user.ref, partner, room: room.id, until: 0, toldAt: 0, ids };
    typist.until = now + TYPING_MS_MAX;
    // Who says so again moves to the end, where the latest belong.
    this.#typists.delete(user.ref);
    this.#typists.set(user.ref, typist);
    if (isOld) {
      typist.toldAt = now;
      typist.ids = ids;
      this.#tell(typist, true, now);
    }
    if (this.#typists.size > TYPISTS_MAX) this.#stopFirst(now);
    this.#setAlarm();
    return ids;
  }

  #newIds(): NoticeIds {
    const next = (): string => `${this.#idPrefix}${(++this.#notices).toString(36)}`;
    return { starts: next(), stops: next() };
  }

  /** @param at since when they count as having stopped, in milliseconds: the same on every node */
  #stop(user: UserRef, at: number): void {
    const typist = this.#typists.get(user);
    if (typist === undefined) return;
    this.#typists.delete(user);
    this.#tell(typist, false, at);
  }

  #stopFirst(now: number): void {
    const first = this.#typists.keys().next();
    if (first.done === false) this.#stop(first.value, now);
  }

  #tell({ partner, room, ids }: Typist, typing: boolean, at: number): void {
    const notice: TypingNotice = { id: typing ? ids.starts : ids.stops, room, typing, at };
    for (const readers of this.#readers) readers.tell(partner, notice);
  }

  /** Writing ends with what was written, and with whatever takes the writer or the room away. */
  /** One alarm for all: it rings for the first, and is set anew for whoever is first then. */
  #setAlarm(): void {
    const first = this.#typists.values().next();
    if (this.#isAlarmSet || first.done === true) return;
    this.#isAlarmSet = true;
    this.#host.alarms.set(first.value.until, () => {
      this.#isAlarmSet = false;
      const now = this.#host.alarms.now();
      for (const typist of this.#typists.values()) {
        if (typist.until > now) break;
        this.#stop(typist.user, typist.until);
      }
      this.#setAlarm();
    });
  }
}

/** Whether a member has said something after that message of the room, as far as it is kept. */
function hasSpokenSince({ transcript }: Room, { userId }: User, seq: number): boolean {
  const line = transcript.findLast(({ body }) => body.seq <= seq || body.sender.userId === userId);
  return line !== undefined && line.body.seq > seq;
}

function isNoticeId(value: Json | undefined): value is string {
  return typeof value === "string" && value.length <= ID_CHARS_MAX;
}
