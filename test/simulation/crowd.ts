/**
 * A crowd: thousands of people over hours, each with a nature of their own. They come by the queue or
 * with a friend, talk, break off, lose their lines, come back, block and go to bed.
 *
 * This file owns what the crowd does and when. It must never judge what becomes of it.
 */
import type { Command, Entry, Kind, PartnerKind } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { TimeHeap } from "../../src/domain/heap.ts";
import type { Lobby, User } from "../../src/domain/state.ts";
import { Random } from "../support/lobby-random.ts";

const INTERESTS = ["tea", "go", "jazz", "chess", "cats", "film", "bread", "maps", "rain", "soup"] as const;
const MINUTE_MS = 60_000;

/** How somebody is connected: with a stream, by calls that are held, or by calls alone. */
type Line = "stream" | "held calls" | "calls";

interface Person {
  readonly number: number;
  readonly line: Line;
  readonly kind: Kind;
  readonly wants: PartnerKind;
  readonly interests: readonly string[];
  readonly address: string | undefined;
  /** The code they share with a friend, if they have one. */
  readonly code: string | undefined;
  ref: number;
  token: string;
  tokens: number;
  /** Number of the held call; 0 = none. */
  held: number;
  /** When they act next. */
  nextAt: number;
}

export class Crowd {
  readonly #random: Random;
  readonly #people: readonly Person[];
  readonly #byRef = new Map<number, Person>();
  readonly #turns = new TimeHeap();
  #now = 0;

  constructor(seed: number, size: number) {
    this.#random = new Random(seed);
    this.#people = Array.from({ length: size }, (_, number) => this.#makePerson(number, size));
    for (const person of this.#people) this.#plan(person, this.#random.below(60 * MINUTE_MS));
  }

  /** What somebody does next. */
  next(lobby: Lobby): Entry {
    for (;;) {
      const at = this.#turns.earliest ?? 0;
      const person = this.#people[this.#turns.pop() ?? -1];
      if (person === undefined) throw new Error("nobody is left");
      // They have changed their plans since.
      if (person.nextAt !== at) continue;
      this.#now = at;
      const user = lobby.users.get(person.ref);
      const command = this.#act(person, user);
      this.#plan(person, at + 1 + this.#pauseOf(user));
      if (command !== undefined) return { at, entropy: this.#random.entropy(), command };
    }
  }

  tick(at: number): Entry {
    return { at, entropy: this.#random.entropy(), command: { type: "tick" } };
  }

  #plan(person: Person, at: number): void {
    person.nextAt = at;
    this.#turns.push(at, person.number);
  }

  learn({ command }: Entry, events: readonly LobbyEvent[]): void {
    for (const event of events) {
      if (event.type === "entered" && event.minted && "newToken" in command) {
        const person = this.#people[Number(command.newToken.split("-")[0])];
        if (person === undefined) continue;
        person.ref = event.user;
        person.token = command.newToken;
        this.#byRef.set(event.user, person);
      }
      if (event.type === "holding") this.#setHeld(event.user, event.hold);
      if (event.type === "hold_ended" || event.type === "read") this.#setHeld(event.user, 0);
      if (event.type === "forgotten") this.#byRef.delete(event.user);
      // News wakes people up: they look at their client soon.
      if (event.type === "matched") for (const ref of event.users) this.#wake(ref);
    }
  }

  #wake(ref: number): void {
    const person = this.#byRef.get(ref);
    if (person !== undefined && person.held !== 0) this.#plan(person, this.#now + 1 + this.#random.below(500));
  }

  #setHeld(ref: number, hold: number): void {
    const person = this.#byRef.get(ref);
    if (person !== undefined) person.held = hold;
  }

  #makePerson(number: number, size: number): Person {
    const random = this.#random;
    return {
      number,
      line: random.pick(["stream", "stream", "held calls", "calls"]),
      // More want a human than there are humans, so that lines grow long.
      kind: random.chance(0.3) ? "human" : random.pick(["agent", "agent", "unknown"]),
      wants: random.chance(0.6) ? "any" : random.pick(["human", "human", "human", "agent"]),
      interests: random.chance(0.5) ? INTERESTS.filter(() => random.chance(0.15)) : [],
      address: random.chance(0.9) ? `address-${random.below(Math.ceil(size * 0.7))}` : undefined,
      // Friends are neighbours in number.
      code: number % 20 < 2 ? `code-${Math.floor(number / 2)}` : undefined,
      ref: 0,
      token: "",
      tokens: 0,
      held: 0,
      nextAt: 0,
    };
  }

  /** Milliseconds until somebody acts again: busy while chatting, long asleep when nowhere. */
  #pauseOf(user: User | undefined): number {
    const mean = user === undefined || user.place.in === "nowhere" ? 12 : user.place.in === "room" ? 1 : 0.7;
    return Math.ceil(-Math.log(1 - this.#random.below(1000) / 1000) * mean * MINUTE_MS);
  }

  #act(person: Person, user: User | undefined): Command | undefined {
    if (user === undefined) return this.#comeIn(person, user);
    if (person.held !== 0) return this.#endHeld(person);
    switch (user.place.in) {
      case "nowhere":
        return this.#comeIn(person, user);
      case "queue":
      case "meeting":
        if (this.#random.chance(0.05)) return { type: "leave_queue", caller: callerOf(person) };
        return this.#keepLine(person, user);
      case "room":
        return this.#chat(person, user);
    }
  }

  #comeIn(person: Person, user: User | undefined): Command | undefined {
    const random = this.#random;
    // Who comes back opens their client first; who goes to bed closes it.
    if (user !== undefined && user.streams > 0 && random.chance(0.5)) return { type: "close_stream", user: user.ref };
    if (user !== undefined && random.chance(0.2)) return { type: "look", caller: callerOf(person) };
    const caller = user === undefined ? addressOf(person) : callerOf(person);
    const newToken = `${person.number}-${person.tokens++}`;
    if (person.code !== undefined && random.chance(0.5))
      return { type: "join_room", caller, newToken, code: person.code, kind: person.kind };
    return {
      type: "enter_queue",
      caller,
      newToken,
      interests: person.interests,
      kind: person.kind,
      partnerKind: person.wants,
    };
  }

  #chat(person: Person, user: User): Command | undefined {
    const random = this.#random;
    const caller = callerOf(person);
    if (random.chance(0.25)) return { type: "leave_chat", caller };
    if (random.chance(0.03)) return { type: "block_partner", caller };
    if (random.chance(0.01)) return { type: "report_partner", caller, category: "spam" };
    if (random.chance(0.6)) return { type: "send_message", caller, text: "Hello there." };
    return this.#keepLine(person, user);
  }

  /** Opens a line that is not there, and loses it at times. */
  #keepLine(person: Person, user: User): Command | undefined {
    const isFlaky = this.#random.chance(0.15);
    if (person.line === "calls") return isFlaky ? undefined : { type: "look", caller: callerOf(person) };
    if (person.line === "held calls") return { type: "wait", caller: callerOf(person), hold: true };
    if (user.streams === 0) return { type: "open_stream", user: user.ref };
    return isFlaky ? { type: "close_stream", user: user.ref } : undefined;
  }

  #endHeld(person: Person): Command {
    return { type: "end_wait", user: person.ref, hold: person.held, answered: this.#random.chance(0.9) };
  }
}

function callerOf(person: Person): { bearer: string; address?: string } {
  return { bearer: person.token, ...addressOf(person) };
}

function addressOf({ address }: Person): { address?: string } {
  return address === undefined ? {} : { address };
}
