/**
 * The greeter: a scripted partner for whoever waits alone, so that one person can try everything. It is
 * a user like any other, of kind agent, and its name says what it is.
 *
 * This file owns when it comes and what it says; of several nodes the leading one sends it. It must never take
 * anybody from a partner who is there, never repeat a stranger's words, and never act on them.
 */
import { randomBytes } from "../crypto.ts";
import type { Caller } from "../domain/command.ts";
import type { UserRef } from "../domain/ids.ts";
import { eventsBetween } from "../domain/mailbox.ts";
import { ticketOf } from "../domain/pairing.ts";
import type { User } from "../domain/state.ts";
import { GREETER_REPLY_MS, GREETER_WAIT_MS, GREETINGS_MAX } from "../limits.ts";
import { hashToken } from "./identity.ts";
import type { LobbyHost } from "./lobby-host.ts";
import type { Typing } from "./typing.ts";

const NAME = "Greeter (a program)";

/** What it says, in this order, one line for each message it gets. */
const SCRIPT = [
  "Hello! Nobody else is waiting just now, so you have met me: a small program with a few prepared lines. Say anything and I will go on.",
  "This is how a chat looks here: one partner at a time, and everything you write goes to them alone.",
  "While I was writing this line you may have seen that I was typing. People see the same of you.",
  "If your connection drops, come back within the grace time: I will have been told that you are away, and nothing is lost.",
  "Interests help to meet somebody who shares one. I always share yours, which is a little too easy.",
  "You can block or report a partner; both end the chat. With me that is quite safe to try.",
  "When you have seen enough, leave the chat and enter the queue again. A real person comes first whenever one is there.",
  "That was my last new line. I can still answer, but you have heard it all.",
];

/** One greeter in a room. */
interface Greeting {
  readonly ref: UserRef;
  readonly caller: Caller;
  /** Offset up to which its mailbox was read. */
  readTo: number;
  /** Index of the next line. */
  next: number;
  /** Whether a line is being typed. */
  isTyping: boolean;
  /** In which life of this process its stream was opened. */
  life: number;
}

export class Greeter {
  readonly #host: LobbyHost;
  readonly #typing: Typing;
  /** Users who began to wait, in that order, each with the time at which it is long enough. */
  readonly #waiting = new Map<UserRef, number>();
  readonly #greetings = new Map<UserRef, Greeting>();
  /** Greeters that have come for somebody and are in no room yet, or no more: nobody is to come for them. */
  readonly #coming = new Set<UserRef>();
  #isAlarmSet = false;

  constructor(host: LobbyHost, typing: Typing) {
    this.#host = host;
    this.#typing = typing;
    host.listen(["queued"], ({ user }) => {
      if (!this.#coming.has(user)) this.#await(user);
    });
    host.listen(["left_queue"], ({ user }) => this.#waiting.delete(user));
    host.listen(["matched"], ({ users }) => {
      for (const user of users) this.#waiting.delete(user);
    });
    host.listen(["mail"], ({ user }) => this.#read(user));
    this.#awaitAll();
  }

  /** Whoever waited before a restart waits still. */
  #awaitAll(): void {
    for (const { user } of this.#host.lobby.queue.tickets.values()) {
      if (!this.#waiting.has(user) && !this.#coming.has(user)) this.#await(user);
    }
  }

  #await(user: UserRef): void {
    this.#waiting.set(user, this.#host.alarms.now() + GREETER_WAIT_MS);
    this.#setAlarm();
  }

  /** One alarm for all: it rings for whoever has waited longest. */
  #setAlarm(): void {
    const first = this.#waiting.values().next();
    if (this.#isAlarmSet || first.done === true) return;
    this.#isAlarmSet = true;
    this.#host.alarms.set(first.value, () => {
      this.#isAlarmSet = false;
      const now = this.#host.alarms.now();
      for (const [user, at] of [...this.#waiting]) {
        if (at > now) break;
        this.#waiting.delete(user);
        // Who leads may change; until then another node looks after them.
        if (this.#host.isLeading) this.#greet(user);
        else this.#await(user);
      }
      this.#setAlarm();
    });
  }

  #greet(ref: UserRef): void {
    const user = this.#host.lobby.users.get(ref);
    const ticket = user === undefined ? undefined : ticketOf(this.#host.lobby, user);
    if (user === undefined || ticket === undefined || user.partnerKind === "human") return;
    if (!ticket.available || this.#greetings.size >= GREETINGS_MAX) {
      this.#await(ref);
      return;
    }
    const caller: Caller = { bearer: hashToken(randomBytes(32).toString("base64url")) };
    this.#enter(user, caller);
  }

  /** Comes for one user. Whoever else it meets has waited long enough too, or it goes again. */
  #enter(user: User, caller: Caller): void {
    const came = this.#host.submit(
      {
        type: "enter_queue",
        caller: {},
        newToken: caller.bearer ?? "",
        displayName: NAME,
        kind: "agent",
        interests: user.interests,
      },
      (events, lobby) => {
        const entered = events.find((event) => event.type === "entered");
        const greeter = entered === undefined ? undefined : lobby.users.get(entered.user);
        if (greeter === undefined) return undefined;
        const { ref } = greeter;
        // Before anybody hears of it.
        if (greeter.place.in === "room") {
          this.#greetings.set(ref, { ref, caller, readTo: 0, next: 0, isTyping: false, life: this.#host.life });
        } else this.#coming.add(ref);
        return ref;
      },
    );
    const settleIn = (ref: UserRef | undefined): void => {
      if (ref !== undefined) this.#settleIn(ref, caller);
    };
    // If it could not come, whoever waits goes on waiting for somebody better.
    if (came instanceof Promise) came.then(settleIn, () => this.#await(user.ref));
    else settleIn(came);
  }

  /** Stays with whom it has met; if that is nobody, it goes again. */
  #settleIn(ref: UserRef, caller: Caller): void {
    const greeting = this.#greetings.get(ref);
    if (greeting !== undefined) this.#listenIn(greeting);
    else this.#host.post({ type: "leave_queue", caller }, () => void this.#coming.delete(ref));
  }

  #listenIn(greeting: Greeting): void {
    greeting.life = this.#host.life;
    this.#host.post({ type: "open_stream", user: greeting.ref });
  }

  /**
   * Comes back to all chats: the lobby does not know any more that somebody listens there, and what has happened
   * meanwhile may not have been heard of here.
   */
  comeBack(): void {
    for (const greeting of [...this.#greetings.values()]) {
      this.#listenIn(greeting);
      this.#read(greeting.ref);
    }
    this.#awaitAll();
  }

  /** Deals with what has come into a greeter's mailbox. */
  #read(ref: UserRef): void {
    const greeting = this.#greetings.get(ref);
    if (greeting === undefined) return;
    const user = this.#host.lobby.users.get(ref);
    if (user === undefined) {
      this.#greetings.delete(ref);
      return;
    }
    const events = eventsBetween(user.mailbox, greeting.readTo, user.mailbox.head);
    greeting.readTo = user.mailbox.head;
    for (const { body } of events) {
      if (body.name === "partner.disconnected") {
        this.#greetings.delete(ref);
        this.#host.postIn(greeting.life, { type: "close_stream", user: ref });
        return;
      }
      if (body.name === "chatroom.found" || body.name === "message.received") this.#answer(greeting, user);
    }
  }

  /** Types the next line for a moment. Messages that come meanwhile are answered by the same line. */
  #answer(greeting: Greeting, user: User): void {
    if (greeting.isTyping || user.place.in !== "room") return;
    greeting.isTyping = true;
    const { room } = user.place;
    this.#typing.say(user, room, true);
    this.#host.alarms.set(this.#host.alarms.now() + GREETER_REPLY_MS, () => {
      greeting.isTyping = false;
      const text = SCRIPT[Math.min(greeting.next++, SCRIPT.length - 1)] ?? "";
      this.#host.post({ type: "send_message", caller: greeting.caller, room: room.id, text });
    });
  }
}
