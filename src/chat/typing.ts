/**
 * Who is writing at this moment, told to the partner's open streams and to nothing else: it is in no
 * mailbox, has no position and is no part of the lobby's state.
 *
 * This file owns the table of those who write, when each counts as having stopped, and how often one
 * may say so. It must never hold a timer per user, nor tell anybody but the partner.
 */
import { randomBytes } from "../crypto.ts";
import type { LobbyEvent } from "../domain/event.ts";
import type { UserRef } from "../domain/ids.ts";
import { sidesOf } from "../domain/room.ts";
import type { Room, User } from "../domain/state.ts";
import { TYPING_BURST_MAX, TYPING_MS_MAX, TYPING_PER_S_MAX, TYPISTS_MAX } from "../limits.ts";
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

interface Typist {
  readonly user: UserRef;
  readonly partner: UserRef;
  readonly room: string;
  /** When they count as having stopped, unless they say again that they write. */
  until: number;
  /** When the partner was last told. */
  toldAt: number;
}

export class Typing {
  readonly #host: LobbyHost;
  readonly #readers: readonly TypingReaders[];
  readonly #rates = new TokenBuckets(TYPING_PER_S_MAX, TYPING_BURST_MAX, TYPISTS_MAX);
  /** By user, in the order of `until`. */
  readonly #typists = new Map<UserRef, Typist>();
  readonly #idPrefix = `typing_${randomBytes(6).toString("base64url")}.`;
  #notices = 0;
  #isAlarmSet = false;

  constructor(host: LobbyHost, readers: readonly TypingReaders[]) {
    this.#host = host;
    this.#readers = readers;
    host.listen((event) => {
      // Most of the time nobody writes, and what happens is none of this file's concern.
      if (this.#typists.size > 0) this.#hear(event);
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
    if (typing) this.#start(user, room, now);
    else this.#stop(user.ref);
    return 0;
  }

  #start(user: User, room: Room, now: number): void {
    const partner = sidesOf(room, user)?.other.user;
    if (partner === undefined) return;
    const known = this.#typists.get(user.ref);
    const typist =
      known?.room === room.id
        ? known
        : { user: user.ref, partner, room: room.id, until: 0, toldAt: Number.NEGATIVE_INFINITY };
    typist.until = now + TYPING_MS_MAX;
    // Who says so again moves to the end, where the latest belong.
    this.#typists.delete(user.ref);
    this.#typists.set(user.ref, typist);
    if (now - typist.toldAt >= TYPING_MS_MAX) {
      typist.toldAt = now;
      this.#tell(typist, true);
    }
    if (this.#typists.size > TYPISTS_MAX) this.#stopFirst();
    this.#setAlarm();
  }

  #stop(user: UserRef): void {
    const typist = this.#typists.get(user);
    if (typist === undefined) return;
    this.#typists.delete(user);
    this.#tell(typist, false);
  }

  #stopFirst(): void {
    const first = this.#typists.keys().next();
    if (first.done === false) this.#stop(first.value);
  }

  #tell({ partner, room }: Typist, typing: boolean): void {
    const id = `${this.#idPrefix}${(++this.#notices).toString(36)}`;
    const notice: TypingNotice = { id, room, typing, at: this.#host.alarms.now() };
    for (const readers of this.#readers) readers.tell(partner, notice);
  }

  /** Writing ends with what was written, and with whatever takes the writer or the room away. */
  #hear(event: LobbyEvent): void {
    switch (event.type) {
      case "posted":
        this.#stop(event.user);
        return;
      case "room_closed":
        for (const { user } of this.#host.lobby.rooms.get(event.room)?.members ?? []) this.#stop(user);
        return;
      case "stream_closed":
      case "hold_ended":
      case "unbound":
        if (this.#host.lobby.users.get(event.user)?.awaySince !== undefined) this.#stop(event.user);
        return;
    }
  }

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
        this.#stop(typist.user);
      }
      this.#setAlarm();
    });
  }
}
