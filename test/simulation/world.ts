/**
 * One world from a seed: how it is set up, who lives in it, and what they do, step after step.
 *
 * This file owns the choice of commands. It must never judge an outcome: the lockstep does.
 */
import type { Caller, Command, Entry, LobbySettings } from "../../src/domain/command.ts";
import { KINDS, PARTNER_KINDS, REPORT_CATEGORIES } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { makeCursor } from "../../src/domain/ids.ts";
import { nextDeadline } from "../../src/domain/lobby.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { Random } from "../support/lobby-random.ts";
import type { Rates } from "../support/lobby-rates.ts";
import { Nodes } from "./nodes.ts";
import { Operator } from "./operator.ts";

/** What people and the operator do; a restart is nobody's deed, and what nodes do is their own. */
type Act = Exclude<Command["type"], "join_node" | "beat_node" | "leave_node" | "rewind">;

/** Where a stream was opened: in which session, if in any, and at which node, if there are nodes. */
interface OpenStream {
  readonly session: string | undefined;
  readonly node: string | undefined;
}

/** Somebody at a client. They remember what a client would, and sometimes too much. */
class Person {
  readonly name: string;
  /** Where they call from. */
  address: string | undefined;
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
  /** Open streams. */
  streams: readonly OpenStream[] = [];

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
    forget_me: 1,
    look: 3,
    wait: 14,
    end_wait: 10,
    open_stream: 8,
    close_stream: 7,
    end_session: 3,
    join_room: 8,
    block_partner: 3,
    report_partner: 3,
    operate: 6,
    tick: 3,
    restart: 1,
  },
  // Talkers: long conversations, full mailboxes.
  {
    enter_queue: 6,
    leave_queue: 0,
    send_message: 70,
    leave_chat: 1,
    forget_me: 1,
    look: 1,
    wait: 8,
    end_wait: 5,
    open_stream: 5,
    close_stream: 3,
    end_session: 1,
    join_room: 1,
    block_partner: 1,
    report_partner: 2,
    operate: 1,
    tick: 1,
    restart: 1,
  },
  // Restless: in and out, again and again.
  {
    enter_queue: 45,
    leave_queue: 8,
    send_message: 4,
    leave_chat: 22,
    forget_me: 1,
    look: 3,
    wait: 4,
    end_wait: 2,
    open_stream: 6,
    close_stream: 6,
    end_session: 4,
    join_room: 12,
    block_partner: 8,
    report_partner: 4,
    operate: 2,
    tick: 4,
    restart: 2,
  },
  // Unpleasant: blocks, reports, and an operator who is busy.
  {
    enter_queue: 25,
    leave_queue: 2,
    send_message: 12,
    leave_chat: 4,
    forget_me: 0,
    look: 4,
    wait: 5,
    end_wait: 3,
    open_stream: 5,
    close_stream: 4,
    end_session: 2,
    join_room: 12,
    block_partner: 10,
    report_partner: 10,
    operate: 20,
    tick: 3,
    restart: 1,
  },
  // Friends: they meet by codes and nowhere else.
  {
    enter_queue: 3,
    leave_queue: 6,
    send_message: 14,
    leave_chat: 10,
    forget_me: 1,
    look: 2,
    wait: 6,
    end_wait: 4,
    open_stream: 8,
    close_stream: 8,
    end_session: 3,
    join_room: 40,
    block_partner: 2,
    report_partner: 1,
    operate: 2,
    tick: 3,
    restart: 2,
  },
  // Bad lines: streams and calls break all the time.
  {
    enter_queue: 14,
    leave_queue: 1,
    send_message: 8,
    leave_chat: 2,
    forget_me: 1,
    look: 4,
    wait: 14,
    end_wait: 12,
    open_stream: 20,
    close_stream: 20,
    end_session: 5,
    join_room: 8,
    block_partner: 1,
    report_partner: 1,
    operate: 1,
    tick: 4,
    restart: 3,
  },
];

const INTERESTS = ["tea", "go", "jazz"] as const;
const CODES = ["oak", "elm", "ash"] as const;
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::", "192.0.2.9"] as const;

export class World {
  /** What the lobby was set to at last. */
  settings: LobbySettings;
  readonly #random: Random;
  readonly #people: readonly Person[];
  readonly #temper: Temper;
  readonly #operator: Operator;
  readonly #addresses: readonly string[];
  readonly #moveChance: number;
  readonly #textCharsMax: number;
  readonly #hasInterests: boolean;
  readonly #hasKinds: boolean;
  readonly #jumpChance: number;
  readonly #nodes: Nodes;
  /** Where the next command has to come from, if that matters. */
  #node: string | undefined;
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
    const addresses = ADDRESSES.slice(0, random.pick([0, 1, 2, 4, 4]));
    this.#moveChance = random.pick([0, 0.02, 0.2]);
    for (const person of this.#people) person.address = random.chance(0.8) ? random.any(addresses) : undefined;
    this.#operator = new Operator(random, addresses);
    this.#addresses = addresses;
    // Few worlds have long texts, as comparing those takes its time.
    this.#textCharsMax = random.pick([12, 12, 12, 12, 12, 12, 12, 90_000]);
    this.settings = randomSettings(random, people);
    this.#nodes = new Nodes(random);
  }

  /** Whether there are nodes. */
  get isCluster(): boolean {
    return this.#nodes.exist;
  }

  /** The latest time of anything that has happened. */
  get now(): number {
    return this.#at;
  }

  /** What happens next. */
  next(lobby: Lobby): Entry {
    const random = this.#random;
    const due = nextDeadline(lobby) ?? 0;
    // The moment before the next deadline, when nothing may have changed.
    if (random.chance(0.04) && due - 1 > this.#at) {
      this.#at = due - 1;
      return { at: due - 1, entropy: random.entropy(), command: { type: "tick" } };
    }
    const told = this.#nodes.next(this.settings, () => randomSettings(random, this.#people.length));
    if (told?.command.type === "join_node") this.settings = told.command.settings;
    const command = told?.command ?? this.#command(lobby);
    const origin = told?.origin ?? (command.type === "restart" ? undefined : this.#nodes.originOf(this.#node));
    const entry = { at: this.#time(lobby), entropy: random.entropy(), command, ...(origin && { origin }) };
    this.#node = undefined;
    this.#nodes.note(entry);
    this.#at = Math.max(this.#at, entry.at);
    return entry;
  }

  /** Lets people know what has become of an entry. */
  learn(entry: Entry, events: readonly LobbyEvent[], lobby: Lobby): void {
    const { command } = entry;
    // Nobody's stream has outlived it, though not everybody has noticed.
    if (command.type === "restart")
      for (const person of this.#people) if (this.#random.chance(0.8)) person.streams = [];
    this.#nodes.learn(events);
    this.#operator.learn(command.type === "operate" ? command.act : undefined, events);
    for (const event of events) {
      if (event.type === "entered" && event.minted && "newToken" in command) {
        const { newToken } = command;
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
    if (this.#nodes.exist && random.chance(0.3)) return this.#at + this.#nodes.leap();
    return this.#at + random.below(random.pick([40, 400]));
  }

  #command(lobby: Lobby): Command {
    const random = this.#random;
    const person = random.pick(this.#people as readonly [Person, ...Person[]]);
    // Who is nowhere mostly wants somewhere, or too little would happen.
    const isNowhere = (lobby.users.get(person.ref)?.place.in ?? "nowhere") === "nowhere";
    const wanted = random.weighted(this.#temper);
    const type = isNowhere && wanted !== "join_room" && random.chance(0.5) ? this.#wayIn() : wanted;
    if (random.chance(this.#moveChance)) person.address = random.any(this.#addresses);
    const place = random.below(random.chance(0.05) ? 18 : 2);
    const session = `${person.name}${place}${person.sessions[place] ?? ""}`;
    switch (type) {
      case "enter_queue":
        return this.#enter(person, session, lobby);
      case "leave_queue":
      case "forget_me":
      case "look":
        return { type, caller: this.#caller(person, session) };
      case "join_room":
        return this.#join(person, session, lobby);
      case "block_partner":
        return { type, caller: this.#caller(person, session), ...this.#namedRoom(person) };
      case "report_partner":
        return {
          type,
          caller: this.#caller(person, session),
          ...this.#namedRoom(person),
          category: random.pick(REPORT_CATEGORIES),
          ...(random.chance(0.5) ? { details: "z".repeat(random.below(9)) } : {}),
        };
      case "operate":
        return { type, act: this.#operator.next(lobby, this.#at) };
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
        return this.#openStream(person, session, lobby);
      case "close_stream":
        return this.#closeStream(person, lobby);
      case "end_session": {
        person.streams = person.streams.filter((stream) => stream.session !== session);
        // Mostly the client has a new session next time; else it goes on with the one that has ended.
        if (random.chance(0.8)) person.sessions[place] = `.${this.#made++}`;
        return { type, session, issuedAt: this.#at - random.below(1000) };
      }
      case "tick":
        return { type };
      case "restart":
        // Mostly it is set to what it was, and at times to something else.
        if (random.chance(0.3)) this.settings = randomSettings(random, this.#people.length);
        return { type, settings: this.settings };
    }
  }

  /** How those come in who want to be somewhere: as they mostly do in this world. */
  #wayIn(): "enter_queue" | "join_room" {
    const { enter_queue, join_room } = this.#temper;
    return this.#random.weighted({ enter_queue, join_room });
  }

  /** As themselves if they are somebody, else as nobody yet. */
  #comer(person: Person, session: string, lobby: Lobby): Caller {
    const isKnown = lobby.users.has(person.ref);
    if (isKnown || this.#random.chance(0.05)) return this.#caller(person, session);
    return { session, ...addressOf(person) };
  }

  #join(person: Person, session: string, lobby: Lobby): Command {
    const random = this.#random;
    return {
      type: "join_room",
      caller: this.#comer(person, session, lobby),
      newToken: `${person.name}-${this.#made++}`,
      code: random.pick(CODES),
      ...(random.chance(0.2) ? { displayName: `${person.name}${this.#made}` } : {}),
      ...(this.#hasKinds && random.chance(0.5) ? { kind: random.pick(KINDS) } : {}),
    };
  }

  #enter(person: Person, session: string, lobby: Lobby): Command {
    const random = this.#random;
    const caller = this.#comer(person, session, lobby);
    const userId = random.chance(0.2) ? random.pick(["ann", "bob", "cat"]) : undefined;
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
    if (random.chance(0.03)) return addressOf(person);
    const token = random.chance(0.02) ? (random.any(person.oldTokens) ?? "forged") : person.token;
    const strange = random.chance(0.02) ? random.any(this.#people)?.token : undefined;
    return {
      ...(token !== undefined && random.chance(0.9) ? { bearer: token } : {}),
      ...(strange === undefined ? {} : { argument: strange }),
      ...(random.chance(0.5) ? { session } : {}),
      ...addressOf(person),
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
      text: "x".repeat(random.below(this.#textCharsMax)),
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

  #streamPosition(lobby: Lobby, person: Person): { read?: number } {
    const head = lobby.users.get(person.ref)?.mailbox.head ?? 0;
    return this.#random.chance(0.4) ? { read: this.#random.below(head + 2) } : {};
  }

  /** Mostly in a session that is theirs, or in none; now and then in one that is not, or not yet. */
  #openStream(person: Person, present: string, lobby: Lobby): Command {
    const random = this.#random;
    const own = random.chance(0.8) ? random.any(lobby.users.get(person.ref)?.sessions ?? []) : present;
    const session = random.chance(0.6) ? own : undefined;
    this.#node = this.#nodes.any();
    person.streams = [...person.streams, { session, node: this.#node }];
    const of = session === undefined ? {} : { session };
    return { type: "open_stream", user: person.ref, ...of, ...this.#streamPosition(lobby, person) };
  }

  #closeStream(person: Person, lobby: Lobby): Command {
    const random = this.#random;
    const stream = random.any(person.streams);
    person.streams = person.streams.filter((one) => one !== stream);
    // Once in a while a stream is closed that nobody has open, or somewhere else.
    const session = random.chance(0.9) ? stream?.session : random.any(lobby.users.get(person.ref)?.sessions ?? []);
    this.#node = random.chance(0.9) ? stream?.node : undefined;
    const of = session === undefined ? {} : { session };
    const call = random.chance(0.2) ? { call: true as const } : {};
    return { type: "close_stream", user: person.ref, ...of, ...this.#streamPosition(lobby, person), ...call };
  }
}

function randomSettings(random: Random, people: number): LobbySettings {
  return {
    graceMs: random.pick([30, 30, 0, 7]),
    idleMs: random.pick([200, 90, 30]),
    availableMs: random.pick([90, 90, 20, 300]),
    widenMs: random.pick([10, 25, 0, 90]),
    matching: random.pick(["fifo", "fifo", "random"]),
    rates: {
      messages: { perSecond: random.pick([0, 0, 5, 50, 0.5]), burst: random.pick([20, 1, 3]) },
      entries: { perSecond: random.pick([0, 0, 20, 4]), burst: random.pick([10, 1, 3]) },
      joins: { perSecond: random.pick([0, 0, 20, 2]), burst: random.pick([10, 1, 3]) },
      reports: { perSecond: random.pick([0, 0.5, 0.0625]), burst: random.pick([3, 1]) },
    } satisfies Rates,
    usersPerAddress: random.pick([0, 1, 2, 3]),
    loopMessagesMax: random.pick([0, 3, 20]),
    retainUserMs: random.pick([1000, 100_000, 250, 3 * 24 * 3600 * 1000]),
    usersMax: random.pick([100, 100, 100, people, Math.max(2, people - 2)]),
    queueMax: random.pick([100, 100, 100, 100, 2, 1]),
    mailboxBytesMax: random.pick([1e9, 1e9, 3000, 700, 200]),
    transcriptBytesMax: random.pick([1e9, 1e9, 3000, 700, 200]),
  };
}

function becomeUser(person: Person, ref: number, token: string): void {
  if (person.token !== undefined) person.oldTokens.push(person.token);
  person.ref = ref;
  person.token = token;
  person.rooms.length = 0;
  person.streams = [];
}

function addressOf({ address }: Person): { address?: string } {
  return address === undefined ? {} : { address };
}
