/**
 * One world from a seed: how it is set up, who lives in it, and what they do, step after step.
 *
 * This file owns the choice of commands. It must never judge an outcome: the lockstep does.
 */
import type { Caller, Command, Entry, LobbySettings } from "../../src/domain/command.ts";
import { KINDS, PARTNER_KINDS } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { makeCursor } from "../../src/domain/ids.ts";
import { nextDeadline } from "../../src/domain/lobby.ts";
import type { Lobby, User } from "../../src/domain/state.ts";
import { Random } from "../support/lobby-random.ts";

/** One thing done in a world: an entry, or a block, for which there is no command yet. */
export type Deed = Entry | { readonly block: readonly [number, number] };

type Act = Command["type"];

/** Somebody at a client. They remember what a client would, and sometimes too much. */
class Person {
  readonly name: string;
  /** The user they are; 0 before they have entered. */
  ref = 0;
  token: string | undefined;
  /** Tokens of users they were. */
  readonly oldTokens: string[] = [];
  readonly rooms: string[] = [];
  readonly cursors: string[] = [];
  readonly holds: number[] = [];
  /** What sets the present session of each of their clients apart from earlier ones. */
  readonly sessions: string[] = [];
  /** The last message with an id, to be sent again. */
  sent: Command | undefined;
  /** Open streams by session; "" is no session. */
  readonly streams = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }
}

/** What people are like in a world: how often they do what. */
type Temper = Readonly<Record<Act, number>>;

const TEMPERS: readonly [Temper, ...Temper[]] = [
  // A bit of everything.
  {
    enter_queue: 22,
    leave_queue: 4,
    send_message: 20,
    leave_chat: 6,
    look: 3,
    wait: 14,
    end_wait: 10,
    open_stream: 8,
    close_stream: 7,
    end_session: 3,
    tick: 3,
  },
  // Talkers: long conversations, full mailboxes.
  {
    enter_queue: 6,
    leave_queue: 0,
    send_message: 70,
    leave_chat: 1,
    look: 1,
    wait: 8,
    end_wait: 5,
    open_stream: 5,
    close_stream: 3,
    end_session: 1,
    tick: 1,
  },
  // Restless: in and out, again and again.
  {
    enter_queue: 45,
    leave_queue: 8,
    send_message: 4,
    leave_chat: 22,
    look: 3,
    wait: 4,
    end_wait: 2,
    open_stream: 6,
    close_stream: 6,
    end_session: 4,
    tick: 4,
  },
  // Bad lines: streams and calls break all the time.
  {
    enter_queue: 14,
    leave_queue: 1,
    send_message: 8,
    leave_chat: 2,
    look: 4,
    wait: 14,
    end_wait: 12,
    open_stream: 20,
    close_stream: 20,
    end_session: 5,
    tick: 4,
  },
];

const INTERESTS = ["tea", "go", "jazz"] as const;

export class World {
  readonly settings: LobbySettings;
  readonly #random: Random;
  readonly #people: readonly Person[];
  readonly #temper: Temper;
  readonly #hasInterests: boolean;
  readonly #hasKinds: boolean;
  readonly #jumpChance: number;
  #at = 1000;
  #made = 0;

  constructor(seed: number) {
    const random = new Random(seed);
    this.#random = random;
    const people = 2 + random.below(7);
    this.#people = Array.from({ length: people }, (_, i) => new Person(String.fromCharCode(97 + i)));
    this.#temper = random.pick(TEMPERS);
    this.#hasInterests = random.chance(0.6);
    this.#hasKinds = random.chance(0.5);
    this.#jumpChance = random.pick([0.05, 0.2, 0.4]);
    this.settings = {
      graceMs: random.pick([30, 30, 0, 7]),
      idleMs: random.pick([200, 90, 30]),
      availableMs: random.pick([90, 90, 20, 300]),
      widenMs: random.pick([10, 25, 0, 90]),
      matching: random.pick(["fifo", "fifo", "random"]),
      messageRate: random.pick([0, 0, 5, 50, 0.5]),
      messageBurst: random.pick([20, 1, 3]),
      loopMessagesMax: random.pick([0, 3, 20]),
      retainUserMs: random.pick([1000, 100_000, 250]),
      usersMax: random.pick([100, 100, 100, people, Math.max(2, people - 2)]),
      queueMax: random.pick([100, 100, 100, 100, 2, 1]),
      mailboxBytesMax: random.pick([1e9, 1e9, 3000, 700, 200]),
    };
  }

  /** What happens next. */
  next(lobby: Lobby): Deed {
    const random = this.#random;
    if (random.chance(0.01)) {
      const [one, other] = [random.any(this.#people)?.ref ?? 0, random.any(this.#people)?.ref ?? 0];
      if (mayBlock(lobby, one, other)) return { block: [one, other] };
    }
    const due = nextDeadline(lobby) ?? 0;
    // The moment before the next deadline, when nothing may have changed.
    if (random.chance(0.04) && due - 1 > this.#at) {
      this.#at = due - 1;
      return { at: due - 1, entropy: random.entropy(), command: { type: "tick" } };
    }
    const command = this.#command(lobby);
    const entry = { at: this.#time(lobby), entropy: random.entropy(), command };
    this.#at = Math.max(this.#at, entry.at);
    return entry;
  }

  /** Lets people know what has become of an entry. */
  learn(entry: Entry, events: readonly LobbyEvent[], lobby: Lobby): void {
    for (const event of events) {
      if (event.type === "entered" && event.minted && entry.command.type === "enter_queue") {
        const { newToken } = entry.command;
        const person = this.#people.find(({ name }) => newToken.startsWith(`${name}-`));
        if (person !== undefined) becomeUser(person, event.user, newToken);
      }
      if (event.type === "matched") {
        for (const user of event.users) this.#byRef(user)?.rooms.push(event.room);
      }
      if (event.type === "holding") this.#byRef(event.user)?.holds.push(event.hold);
      if (event.type === "read") {
        const epoch = lobby.users.get(event.user)?.mailbox.epoch;
        if (epoch !== undefined) this.#byRef(event.user)?.cursors.push(makeCursor(epoch, event.to));
      }
    }
  }

  #byRef(ref: number): Person | undefined {
    return this.#people.find((person) => person.ref === ref);
  }

  /** Mostly now or a little later; at times just around the next deadline, far ahead, or back. */
  #time(lobby: Lobby): number {
    const random = this.#random;
    if (random.chance(0.02)) return this.#at - random.below(500);
    if (!random.chance(this.#jumpChance)) return this.#at + random.below(4);
    const due = nextDeadline(lobby);
    if (due !== undefined && random.chance(0.7)) return Math.max(this.#at, due + random.pick([-1, 0, 0, 1]));
    if (random.chance(0.03)) return this.#at + 24 * 3600 * 1000;
    return this.#at + random.below(random.pick([40, 400]));
  }

  #command(lobby: Lobby): Command {
    const random = this.#random;
    const person = random.pick(this.#people as readonly [Person, ...Person[]]);
    // Who is nowhere mostly wants somewhere, or too little would happen.
    const isNowhere = (lobby.users.get(person.ref)?.place.in ?? "nowhere") === "nowhere";
    const type = isNowhere && random.chance(0.5) ? "enter_queue" : random.weighted(this.#temper);
    const place = random.below(random.chance(0.05) ? 18 : 2);
    const session = `${person.name}${place}${person.sessions[place] ?? ""}`;
    switch (type) {
      case "enter_queue":
        return this.#enter(person, session, lobby);
      case "leave_queue":
      case "look":
        return { type, caller: this.#caller(person, session) };
      case "leave_chat":
        return { type, caller: this.#caller(person, session), ...this.#namedRoom(person) };
      case "send_message":
        return this.#send(person, session);
      case "wait": {
        const after = random.chance(0.3) ? this.#cursor(person, lobby) : undefined;
        const caller = this.#caller(person, session);
        return { type, caller, hold: random.chance(0.7), ...(after === undefined ? {} : { after }) };
      }
      case "end_wait": {
        const hold = random.chance(0.8) ? person.holds.at(-1) : random.any(person.holds);
        return { type, user: person.ref, hold: hold ?? 0, answered: random.chance(0.7) };
      }
      case "open_stream":
        person.streams.set(session, (person.streams.get(session) ?? 0) + 1);
        return { type, user: person.ref, ...this.#streamPosition(session, lobby, person) };
      case "close_stream":
        return this.#closeStream(person, lobby);
      case "end_session": {
        const streams = person.streams.get(session) ?? 0;
        person.streams.delete(session);
        // Mostly the client has a new session next time; else it goes on with the one that has ended.
        if (random.chance(0.8)) person.sessions[place] = `.${this.#made++}`;
        return { type, session, issuedAt: this.#at - random.below(1000), streams };
      }
      case "tick":
        return { type };
    }
  }

  #enter(person: Person, session: string, lobby: Lobby): Command {
    const random = this.#random;
    const isKnown = lobby.users.has(person.ref);
    const caller = isKnown || random.chance(0.05) ? this.#caller(person, session) : { session };
    const userId = random.chance(0.1) ? random.pick(["ann", "bob", "cat"]) : undefined;
    const interests = INTERESTS.filter(() => random.chance(0.4));
    return {
      type: "enter_queue",
      caller: random.chance(0.5) || !("session" in caller) ? caller : { ...caller, session },
      newToken: `${person.name}-${this.#made++}`,
      ...(userId === undefined ? {} : { userId }),
      ...(random.chance(0.2) ? { displayName: `${person.name}${this.#made}` } : {}),
      ...(this.#hasInterests && random.chance(0.7) ? { interests } : {}),
      ...(this.#hasKinds && random.chance(0.7) ? { kind: random.pick(KINDS) } : {}),
      ...(this.#hasKinds && random.chance(0.3) ? { partnerKind: random.pick(PARTNER_KINDS) } : {}),
    };
  }

  /** Mostly the token, often a session too, rarely somebody else's or a dead one. */
  #caller(person: Person, session: string): Caller {
    const random = this.#random;
    if (random.chance(0.03)) return {};
    const token = random.chance(0.02) ? (random.any(person.oldTokens) ?? "forged") : person.token;
    const strange = random.chance(0.02) ? random.any(this.#people)?.token : undefined;
    return {
      ...(token !== undefined && random.chance(0.9) ? { bearer: token } : {}),
      ...(strange === undefined ? {} : { argument: strange }),
      ...(random.chance(0.5) ? { session } : {}),
    };
  }

  #namedRoom(person: Person): { room?: string } {
    if (!this.#random.chance(0.15)) return {};
    const someone = this.#random.chance(0.2) ? this.#random.any(this.#people) : person;
    return { room: this.#random.any(someone?.rooms ?? []) ?? "room_of_nobody" };
  }

  #send(person: Person, session: string): Command {
    const random = this.#random;
    // A retry of the last call that carried an id.
    if (person.sent !== undefined && random.chance(0.12)) return person.sent;
    const command: Command = {
      type: "send_message",
      caller: this.#caller(person, session),
      text: "x".repeat(random.below(12)),
      ...this.#namedRoom(person),
      ...(random.chance(0.4) ? { clientMessageId: `m${random.below(1000)}` } : {}),
    };
    if (command.clientMessageId !== undefined) person.sent = command;
    return command;
  }

  #cursor(person: Person, lobby: Lobby): string | undefined {
    const random = this.#random;
    if (random.chance(0.1)) return random.pick(["", "c1.AAAAAAAA.3", "c1..", "c2.AAAAAAAA.1"]);
    const mailbox = lobby.users.get(person.ref)?.mailbox;
    if (mailbox === undefined || random.chance(0.3)) return random.any(person.cursors);
    return makeCursor(mailbox.epoch, Math.max(0, mailbox.head + 1 - random.below(6)));
  }

  #streamPosition(session: string, lobby: Lobby, person: Person): { session?: string; read?: number } {
    const head = lobby.users.get(person.ref)?.mailbox.head ?? 0;
    return this.#random.chance(0.4)
      ? { session, read: this.#random.below(head + 2) }
      : this.#random.chance(0.5)
        ? { session }
        : {};
  }

  #closeStream(person: Person, lobby: Lobby): Command {
    const open = [...person.streams].filter(([, count]) => count > 0);
    const session = this.#random.any(open)?.[0];
    if (session !== undefined) person.streams.set(session, (person.streams.get(session) ?? 1) - 1);
    // Once in a while a stream is closed that nobody has open.
    const position = this.#streamPosition(session ?? "", lobby, person);
    const call = this.#random.chance(0.2) ? { call: true as const } : {};
    return { type: "close_stream", user: person.ref, ...position, ...call };
  }
}

function becomeUser(person: Person, ref: number, token: string): void {
  if (person.token !== undefined) person.oldTokens.push(person.token);
  person.ref = ref;
  person.token = token;
  person.rooms.length = 0;
  person.streams.clear();
}

/**
 * Blocks are set from outside, so they come where nothing has to follow from them at once: not between
 * two who share a room, nor while both wait.
 */
function mayBlock(lobby: Lobby, one: number, other: number): boolean {
  const [a, b] = [lobby.users.get(one), lobby.users.get(other)];
  if (a === undefined || b === undefined || a === b) return false;
  return !(a.place.in === "queue" && b.place.in === "queue") && !sharesRoom(a, b);
}

function sharesRoom(a: User, b: User): boolean {
  return a.place.in === "room" && b.place.in === "room" && a.place.room === b.place.room;
}
