/**
 * The lobby a second time, written from its rules and from nothing else: lists, linear scans,
 * everything computed anew whenever somebody asks. Slow and dumb on purpose, so that it is easy to
 * believe; the real lobby must agree with it after every step.
 *
 * This file owns what should happen. It must never borrow a rule from the code it checks: of that it
 * knows types, bounds and the spelling of ids only.
 */
import type { Caller, Command, Entry, LobbySettings } from "../../src/domain/command.ts";
import type { DisconnectReason, LobbyEvent, MailBody, Posted } from "../../src/domain/event.ts";
import { makeEpoch, makeId, parseCursor } from "../../src/domain/ids.ts";
import * as limits from "../../src/limits.ts";
import { dropOldMail, giveUpOldest, nextMailEnd, trim } from "./lobby-model-mail.ts";
import {
  common,
  copyPeople,
  dueOf,
  fits,
  goneAt,
  inLine,
  isConnected,
  isHere,
  isOnline,
  isOpen,
  isReachable,
  longestOffline,
  type ModelRoom,
  type ModelUser,
  metLately,
  newcomer,
  noticeWhoIsOnline,
  participant,
  partnerOf,
  Refused,
  sideOf,
} from "./lobby-model-people.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

export class LobbyModel {
  readonly settings: LobbySettings;
  now = 0;
  users: ModelUser[] = [];
  rooms: ModelRoom[] = [];
  endedSessions: string[] = [];
  #nextUser = 1;
  #nextHold = 1;
  #nextArrival = 1;

  // Of the step under way.
  #entropy = "";
  #roomsOpened = 0;
  #events: LobbyEvent[] = [];
  /** What the real lobby says has happened: looked at only where the rules leave a choice. */
  #seen: readonly LobbyEvent[] = [];

  constructor(settings: LobbySettings) {
    this.settings = settings;
  }

  /**
   * Applies an entry and says what should have happened; the order is right for refusals only.
   * @param seen what the real lobby says, to follow it where the rules allow more than one outcome
   */
  apply(entry: Entry, seen: readonly LobbyEvent[]): LobbyEvent[] {
    this.#entropy = entry.entropy;
    this.#roomsOpened = 0;
    this.#events = [];
    this.#seen = seen;
    this.#passTime(Math.max(this.now, entry.at));
    try {
      this.#run(entry.command);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#events.push({
        type: "refused",
        code: error.code,
        ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      });
    }
    return this.#events;
  }

  /** A second model in the same state. */
  copy(): LobbyModel {
    const copy = new LobbyModel(this.settings);
    copy.now = this.now;
    copy.endedSessions = [...this.endedSessions];
    copy.#nextUser = this.#nextUser;
    copy.#nextHold = this.#nextHold;
    copy.#nextArrival = this.#nextArrival;
    ({ users: copy.users, rooms: copy.rooms } = copyPeople(this.users, this.rooms));
    return copy;
  }

  /** When the next thing happens by itself. */
  nextChange(): number {
    return Math.min(nextMailEnd(this.users), ...this.users.map((user) => dueOf(user, this.settings)));
  }

  /** Everybody who waits, in the order of arrival. */
  queue(): ModelUser[] {
    return this.users
      .filter((user) => user.waiting !== undefined)
      .sort((a, b) => (a.waiting?.arrival ?? 0) - (b.waiting?.arrival ?? 0));
  }

  // --- time -----------------------------------------------------------------------------------

  /** Lets everything happen that is due, one thing after the other, each at its own time. */
  #passTime(until: number): void {
    for (;;) {
      const time = this.nextChange();
      if (time > until) break;
      this.now = Math.max(this.now, time);
      dropOldMail(this.users, this.now);
      // Of those whose time it is, the older record comes first.
      const user = this.users.find((one) => dueOf(one, this.settings) <= time);
      if (user !== undefined) this.#takeTurn(user);
    }
    this.now = until;
    dropOldMail(this.users, this.now);
  }

  #takeTurn(user: ModelUser): void {
    if (!isOnline(user)) {
      this.#forget(user);
      return;
    }
    if (!isConnected(user) && goneAt(user, this.settings) <= this.now) this.#leave(user, "timeout");
    if (user.waiting?.available === true && !user.waiting.open && user.waiting.opensAt <= this.now) {
      user.waiting.open = true;
      this.#seekPartner(user);
    }
    this.#notice(user);
  }

  /** The queue takes notice of a user's presence. */
  #notice(user: ModelUser): void {
    noticeWhoIsOnline(this.users, this.now);
    const { waiting } = user;
    if (waiting === undefined) return;
    const available = isReachable(user, this.now, this.settings.availableMs);
    if (available === waiting.available) return;
    waiting.available = available;
    if (available) {
      if (waiting.opensAt <= this.now) waiting.open = true;
      this.#seekPartner(user);
    } else this.#lookAgain();
    noticeWhoIsOnline(this.users, this.now);
  }

  // --- commands -------------------------------------------------------------------------------

  #run(command: Command): void {
    switch (command.type) {
      case "enter_queue":
        this.#enter(command);
        break;
      case "leave_queue":
        this.#call(command.caller, (user) => {
          if (user.waiting === undefined) throw new Refused("not_waiting");
          this.#leave(user, "left");
        });
        break;
      case "send_message":
        this.#call(command.caller, (user) => this.#send(user, command));
        break;
      case "leave_chat":
        this.#call(command.caller, (user) => {
          const room = this.#openRoomOf(user, command.room);
          this.#leave(user, "left");
          this.#events.push({ type: "left_room", user: user.ref, room: room.id });
        });
        break;
      case "look":
        this.#call(command.caller, (user) => this.#look(user));
        break;
      case "wait":
        this.#call(command.caller, (user) => this.#wait(user, command));
        break;
      case "end_wait":
        this.#endWait(command);
        break;
      case "open_stream":
      case "close_stream":
        this.#changeStream(command);
        break;
      case "end_session":
        this.#endSession(command);
        break;
      case "tick":
        this.#events.push({ type: "ticked" });
        break;
    }
    noticeWhoIsOnline(this.users, this.now);
  }

  /** Everybody the caller claims to be: must be one and the same. */
  #identify(caller: Caller): ModelUser | undefined {
    const tokens = [caller.bearer, caller.argument].filter((token) => token !== undefined);
    const named = tokens.map((token) => this.users.find((user) => user.token === token));
    if (named.includes(undefined)) throw new Refused("bad_session_token");
    const bound = this.users.find((user) => user.sessions.some(({ key }) => key === caller.session));
    const all = [...named, bound].filter((user) => user !== undefined);
    if (new Set(all).size > 1) throw new Refused("identity_conflict");
    return all[0];
  }

  #call(caller: Caller, run: (user: ModelUser) => void): void {
    const user = this.#identify(caller);
    if (user === undefined) throw new Refused("no_session");
    this.#hearFrom(user);
    try {
      run(user);
      if (caller.session !== undefined) this.#bind(user, caller.session);
    } finally {
      this.#notice(user);
    }
  }

  #hearFrom(user: ModelUser): void {
    user.lastCall = this.now;
    user.lastActivity = this.now;
    user.streamIsOver = false;
    this.#comeBack(user);
  }

  #goAway(user: ModelUser): void {
    user.awaySince = this.now;
    user.lastActivity = this.now;
    this.#tellPartner(user, "partner.away");
  }

  #comeBack(user: ModelUser): void {
    if (user.awaySince === undefined) return;
    user.awaySince = undefined;
    this.#tellPartner(user, "partner.back");
  }

  #enter(command: Of<"enter_queue">): void {
    // Whoever finds a partner at once needs no place in the line.
    const noPlaceFor = (user: ModelUser): boolean =>
      this.queue().length >= this.settings.queueMax &&
      this.#whomToTake(inLine(user, command, 0, this.now, this.settings.widenMs)).length === 0;
    if (this.#identify(command.caller) !== undefined) {
      this.#call(command.caller, (user) => {
        if (!isHere(user)) {
          if (command.userId !== undefined && command.userId !== user.userId) throw new Refused("identity_conflict");
          if (noPlaceFor(user)) throw new Refused("queue_full");
          this.#join(user, command);
        } else this.#notice(user);
        this.#events.push({ type: "entered", user: user.ref, minted: false });
      });
      return;
    }
    if (this.users.some((user) => user.userId === command.userId)) throw new Refused("user_id_taken");
    const { newToken: token, userId = makeId("user", this.#entropy, 0) } = command;
    const epoch = makeEpoch(this.#entropy);
    const user = newcomer({ ref: this.#nextUser, userId, token, epoch }, this.now, this.settings.messageBurst);
    if (noPlaceFor(user)) throw new Refused("queue_full");
    this.#makeRoomForOneMore();
    this.#nextUser++;
    this.users.push(user);
    this.#events.push({ type: "entered", user: user.ref, minted: true });
    if (command.caller.session !== undefined) this.#bind(user, command.caller.session);
    this.#join(user, command);
    this.#notice(user);
  }

  #join(user: ModelUser, said: Of<"enter_queue">): void {
    Object.assign(user, inLine(user, said, this.#nextArrival++, this.now, this.settings.widenMs));
    if (!this.#seekPartner(user)) this.#events.push({ type: "queued", user: user.ref });
  }

  #look(user: ModelUser): void {
    this.#notice(user);
    this.#events.push({ type: "seen", user: user.ref });
  }

  #send(user: ModelUser, { room: named, text, clientMessageId: id }: Of<"send_message">): void {
    if (id !== undefined) {
      const about = named === undefined ? (user.room ?? user.pastRooms.at(-1)) : this.#roomOf(user, named);
      const own = about?.answers.filter((answer) => answer.by === user.ref) ?? [];
      const earlier = own.slice(-limits.CLIENT_MESSAGE_IDS_MAX).find((answer) => answer.id === id);
      if (about !== undefined && earlier !== undefined) {
        this.#events.push({ type: "posted", user: user.ref, room: about.id, posted: earlier.posted });
        return;
      }
    }
    const room = this.#openRoomOf(user, named);
    const kinds = room.sides.map(({ kind }) => kind);
    const { loopMessagesMax, messageRate, messageBurst } = this.settings;
    if (loopMessagesMax > 0 && kinds.includes("agent") && !kinds.includes("human") && room.seq >= loopMessagesMax) {
      this.#close(room, "limit", undefined);
      throw new Refused("loop_limit");
    }
    if (messageRate > 0) {
      const grown = user.allowance + (this.now - user.allowanceAt) * messageRate;
      user.allowance = Math.min(1000 * messageBurst, grown);
      user.allowanceAt = this.now;
      if (user.allowance < 1000) throw new Refused("rate_limited", Math.ceil((1000 - user.allowance) / messageRate));
      user.allowance -= 1000;
    }
    const partner = partnerOf(user, room);
    room.seq++;
    const posted: Posted = {
      messageId: makeId("msg", this.#entropy, 0),
      seq: room.seq,
      at: this.now,
      delivery: isConnected(partner) ? "pushed" : "queued",
    };
    if (id !== undefined) room.answers.push({ by: user.ref, id, posted });
    const { messageId, seq } = posted;
    const sender = sideOf(user, room);
    this.#deliver(partner, { name: "message.received", room: room.id, messageId, seq, message: text, sender });
    this.#events.push({ type: "posted", user: user.ref, room: room.id, posted });
  }

  #wait(user: ModelUser, command: Of<"wait">): void {
    this.#notice(user);
    this.#endHold(user);
    let after = Math.max(user.acknowledged, user.returned);
    if (command.after !== undefined) {
      const cursor = parseCursor(command.after);
      if (cursor?.epoch === user.epoch) {
        after = Math.min(cursor.offset, user.head);
        user.acknowledged = Math.max(user.acknowledged, after);
        trim(user);
      } else after = -1;
    }
    if (!this.#read(user, after, command.hold)) {
      user.hold = { number: this.#nextHold++, from: after, session: command.caller.session };
      this.#events.push({ type: "holding", user: user.ref, hold: user.hold.number });
    }
  }

  /** Hands out what is kept after an offset. False if there is nothing and that is not good enough. */
  #read(user: ModelUser, after: number, onlyIfSomething: boolean): boolean {
    const oldest = user.mail[0]?.offset ?? user.head + 1;
    const from = Math.max(after, oldest - 1);
    const truncated = from !== after;
    if (onlyIfSomething && !truncated && from === user.head) return false;
    user.returned = user.head;
    this.#events.push({ type: "read", user: user.ref, from, to: user.head, truncated });
    return true;
  }

  #endWait(command: Of<"end_wait">): void {
    const user = this.users.find((one) => one.ref === command.user && one.hold?.number === command.hold);
    const hold = user?.hold;
    if (user === undefined || hold === undefined) {
      this.#events.push({ type: "ignored" });
      return;
    }
    if (command.answered) user.hold = undefined;
    else this.#endHold(user);
    if (!command.answered && user.streamIsOver && isHere(user)) this.#goAway(user);
    else this.#hearFrom(user);
    if (command.answered) this.#read(user, hold.from, false);
    this.#notice(user);
  }

  #endHold(user: ModelUser): void {
    if (user.hold === undefined) return;
    this.#events.push({ type: "hold_ended", user: user.ref, hold: user.hold.number });
    user.hold = undefined;
  }

  #changeStream(command: Of<"open_stream" | "close_stream">): void {
    const user = this.users.find((one) => one.ref === command.user);
    if (user === undefined) {
      this.#events.push({ type: "ignored" });
      return;
    }
    if (command.read !== undefined) {
      const read = Math.min(command.read, user.head);
      user.streamRead = Math.max(user.streamRead, read);
      const session = user.sessions.find(({ key }) => key === command.session);
      if (session !== undefined) session.read = Math.max(session.read, read);
    }
    if (command.type === "close_stream" && command.call === true) {
      user.streams = Math.max(0, user.streams - 1);
      this.#hearFrom(user);
      this.#notice(user);
    } else if (command.type === "close_stream") this.#closeStreams(user, 1);
    else {
      user.streams++;
      user.streamIsOver = false;
      user.lastActivity = this.now;
      user.written = user.head;
      this.#comeBack(user);
      this.#notice(user);
    }
    this.#events.push({ type: command.type === "open_stream" ? "stream_opened" : "stream_closed", user: user.ref });
  }

  #closeStreams(user: ModelUser, count: number): void {
    const closed = Math.min(count, user.streams);
    user.streams -= closed;
    user.lastActivity = this.now;
    if (closed > 0 && user.streams === 0) user.streamIsOver = true;
    if (closed > 0 && isHere(user) && !isConnected(user)) this.#goAway(user);
    this.#notice(user);
  }

  #endSession({ session, streams }: Of<"end_session">): void {
    this.#events.push({ type: "session_ended", session });
    this.endedSessions.push(session);
    const user = this.users.find((one) => one.sessions.some(({ key }) => key === session));
    if (user === undefined) return;
    this.#unbind(user, session);
    if (user.hold?.session === session) {
      this.#endHold(user);
      user.lastCall = this.now;
    }
    user.lastActivity = this.now;
    if (user.sessions.length > 0 || user.hold !== undefined || user.streams > streams)
      this.#closeStreams(user, streams);
    else {
      user.streams = 0;
      this.#leave(user, "left");
    }
  }

  // --- users ----------------------------------------------------------------------------------

  #makeRoomForOneMore(): void {
    if (this.users.length < this.settings.usersMax) return;
    const forgotten = this.#seen.filter((event) => event.type === "forgotten").map((event) => event.user);
    const longest = longestOffline(this.users);
    const user = longest.find(({ ref }) => forgotten.includes(ref)) ?? longest[0];
    if (user === undefined) throw new Refused("server_full");
    this.#forget(user);
  }

  #forget(user: ModelUser): void {
    for (const { key } of user.sessions) this.#events.push({ type: "unbound", session: key, user: user.ref });
    user.sessions = [];
    user.pastRooms = [];
    this.users = this.users.filter((one) => one !== user);
    this.#events.push({ type: "forgotten", user: user.ref });
    this.#dropForgottenRooms();
  }

  #bind(user: ModelUser, session: string): void {
    if (this.endedSessions.includes(session)) return;
    if (this.users.some((one) => one.sessions.some(({ key }) => key === session))) return;
    const [longestBound] = user.sessions;
    if (longestBound !== undefined && user.sessions.length >= limits.SESSIONS_PER_USER_MAX)
      this.#unbind(user, longestBound.key);
    user.sessions.push({ key: session, read: Math.max(user.acknowledged, user.streamRead) });
    this.#events.push({ type: "bound", session, user: user.ref });
  }

  #unbind(user: ModelUser, session: string): void {
    user.sessions = user.sessions.filter(({ key }) => key !== session);
    this.#events.push({ type: "unbound", session, user: user.ref });
  }

  // --- queue ----------------------------------------------------------------------------------

  /** Pairs a waiting user with the best who fits, if there is one. */
  #seekPartner(user: ModelUser): boolean {
    const equals = this.#whomToTake(user);
    const partner = this.settings.matching === "random" ? this.#whomTheyChose(user, equals) : equals[0];
    if (partner === undefined) return false;
    this.#openRoom(partner, user);
    return true;
  }

  /** Those who fit a user best, all equally well, longest-waiting first. */
  #whomToTake(user: ModelUser): ModelUser[] {
    const others = this.#couldMeet(user);
    const suiting = others.filter((other) => common(user, other) > 0 || (isOpen(user) && isOpen(other)));
    const strangers = suiting.filter((other) => !metLately(user, other));
    const again = suiting.filter((other) => !this.#hasStranger(user, other) && !this.#hasStranger(other, user));
    const pool = strangers.length > 0 ? strangers : again;
    const most = Math.max(...pool.map((other) => common(user, other)));
    return pool.filter((other) => common(user, other) === most);
  }

  /** Everybody available whom this user may meet, longest-waiting first. */
  #couldMeet(user: ModelUser): ModelUser[] {
    return this.queue().filter(
      (other) =>
        other.ref !== user.ref &&
        other.waiting?.available === true &&
        fits(user, other) &&
        !user.blocked.includes(other.ref) &&
        !other.blocked.includes(user.ref),
    );
  }

  #hasStranger(user: ModelUser, except: ModelUser): boolean {
    return this.#couldMeet(user).some((other) => other !== except && !metLately(user, other));
  }

  /** Any of the equals may be chosen: the one the real lobby took, if it is one of them. */
  #whomTheyChose(user: ModelUser, equals: readonly ModelUser[]): ModelUser | undefined {
    for (const event of this.#seen) {
      if (event.type !== "matched" || !event.users.includes(user.ref)) continue;
      const partner = equals.find(({ ref }) => event.users.includes(ref));
      if (partner !== undefined) return partner;
    }
    return equals[0];
  }

  /** Somebody left the line: those who were kept apart because of them may meet again. */
  #lookAgain(): void {
    for (const user of this.queue()) if (user.waiting?.available === true && this.#seekPartner(user)) return;
  }

  // --- rooms ----------------------------------------------------------------------------------

  #openRoom(found: ModelUser, seeker: ModelUser): void {
    const sharedInterests = found.interests.filter((interest) => seeker.interests.includes(interest));
    const members = [found, seeker] as const;
    const room: ModelRoom = {
      id: makeId("room", this.#entropy, this.#roomsOpened++),
      members,
      sides: [participant(found), participant(seeker)],
      closed: false,
      seq: 0,
      answers: [],
    };
    this.rooms.push(room);
    for (const user of members) {
      user.waiting = undefined;
      user.room = room;
      user.recentPartners = [...user.recentPartners, partnerOf(user, room).ref].slice(-limits.RECENT_PARTNERS_MAX);
    }
    for (const user of members) {
      const partner = sideOf(partnerOf(user, room), room);
      this.#deliver(user, { name: "chatroom.found", room: room.id, partner, sharedInterests });
    }
    this.#events.push({ type: "matched", room: room.id, users: [found.ref, seeker.ref] });
    this.#lookAgain();
  }

  /** A room this user was or is in and that is still remembered for them. */
  #roomOf(user: ModelUser, id: string): ModelRoom | undefined {
    return this.rooms.find((room) => room.id === id && room.members.includes(user));
  }

  #openRoomOf(user: ModelUser, named: string | undefined): ModelRoom {
    if (named === undefined) {
      if (user.room === undefined) throw new Refused("not_in_room");
      return user.room;
    }
    const room = this.#roomOf(user, named);
    if (room === undefined) throw new Refused("room_not_found");
    if (room.closed) throw new Refused("chat_ended");
    return room;
  }

  /** Takes a user out of wherever they are. */
  #leave(user: ModelUser, reason: "left" | "timeout"): void {
    if (user.room !== undefined) this.#close(user.room, reason, user);
    if (user.waiting === undefined) return;
    user.waiting = undefined;
    user.awaySince = undefined;
    this.#events.push({ type: "left_queue", user: user.ref });
    this.#lookAgain();
  }

  #close(room: ModelRoom, reason: DisconnectReason, by: ModelUser | undefined): void {
    room.closed = true;
    for (const user of room.members) {
      user.room = undefined;
      user.awaySince = undefined;
      user.pastRooms = [...user.pastRooms, room].slice(-limits.PAST_ROOMS_MAX);
      if (user !== by) this.#deliver(user, { name: "partner.disconnected", room: room.id, reason });
    }
    this.#events.push({ type: "room_closed", room: room.id, reason });
    this.#dropForgottenRooms();
  }

  /** A room lives on while one of the two can name it, and then for both. */
  #dropForgottenRooms(): void {
    this.rooms = this.rooms.filter((room) => !room.closed || this.users.some((user) => user.pastRooms.includes(room)));
  }

  #tellPartner(user: ModelUser, name: "partner.away" | "partner.back"): void {
    if (user.room !== undefined) this.#deliver(partnerOf(user, user.room), { name, room: user.room.id });
  }

  // --- mail -----------------------------------------------------------------------------------

  #deliver(user: ModelUser, body: MailBody): void {
    user.head++;
    user.mail.push({ offset: user.head, at: this.now, body });
    if (user.streams > 0) user.written = user.head;
    trim(user);
    this.#events.push({ type: "mail", user: user.ref });
    giveUpOldest(this.users, this.settings.mailboxBytesMax);
  }
}
