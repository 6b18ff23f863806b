/**
 * The account: what everybody was told was sent, held against what everybody heard.
 *
 * This file owns what counts as a fault. It must never know how anything was sent or heard, nor ask a server.
 */

import type { ChatEvent } from "./client-flavours.ts";

/** A message that was answered with success. */
export interface Receipt {
  readonly room: string;
  readonly text: string;
  readonly messageId: string;
  readonly seq: number;
}

/** A line of `get_history`. */
export interface HistoryLine {
  readonly seq: number;
  readonly messageId: string;
  readonly from: string;
  readonly text: string;
}

/** Everything one person did and heard. */
export interface Witness {
  readonly name: string;
  readonly userId: string;
  /** In the order of the answers. */
  readonly receipts: readonly Receipt[];
  /** Every text that was sent at least once, answered or not. */
  readonly attempted: ReadonlySet<string>;
  /** Every event heard, as often as it came. */
  readonly heard: readonly ChatEvent[];
  /** Rooms that they left of their own accord. */
  readonly left: ReadonlySet<string>;
  /** How often they were told that they read from later on than they asked for. */
  readonly truncations: number;
  /** Whatever nobody should meet with: refusals that make no sense, sessions that are lost. */
  readonly troubles: readonly string[];
  /** By room: what the server says was said, asked at the end. */
  readonly histories: ReadonlyMap<string, readonly HistoryLine[]>;
}

export interface Expectations {
  /** Chats may end (`partner.disconnected`). Otherwise everybody is still there at the end. */
  readonly mayEnd?: boolean;
  /**
   * What was acknowledged may be lost, if whoever did not hear it was told that something is missing. Their
   * events are then told anew under new ids, and numbers are given again.
   */
  readonly mayLoseIfTold?: boolean;
}

/** What is wrong, one line each; empty if every message is accounted for. */
export function faultsOf(witnesses: readonly Witness[], expectations: Expectations = {}): string[] {
  const byId = new Map(witnesses.map((witness) => [witness.userId, witness]));
  return witnesses.flatMap((witness) => [
    ...witness.troubles.map((trouble) => `${witness.name}: ${trouble}`),
    ...new Listener(witness, byId, expectations).faults(),
    ...(expectations.mayLoseIfTold ? [] : receiptFaults(witness)),
  ]);
}

/** A receipt is a promise: no number and no text is promised twice, and later ones have later numbers. */
function receiptFaults({ name, receipts }: Witness): string[] {
  const faults: string[] = [];
  const last = new Map<string, number>();
  for (const { room, text, seq } of receipts) {
    if (seq <= (last.get(room) ?? 0)) faults.push(`${name} was given seq ${seq} for "${text}" after a later one`);
    last.set(room, seq);
  }
  return faults;
}

/** What one person heard, gone through in order. */
class Listener {
  readonly #me: Witness;
  readonly #people: ReadonlyMap<string, Witness>;
  readonly #expectations: Expectations;
  readonly #faults: string[] = [];
  /** By room: who the partner there is, as `chatroom.found` said. */
  readonly #partners = new Map<string, Witness>();
  readonly #ended = new Set<string>();
  readonly #away = new Set<string>();
  /** By room: what was heard there, in the order in which it came first. */
  readonly #messages = new Map<string, ChatEvent[]>();

  constructor(me: Witness, people: ReadonlyMap<string, Witness>, expectations: Expectations) {
    this.#me = me;
    this.#people = people;
    this.#expectations = expectations;
  }

  faults(): string[] {
    for (const event of this.#toldOnce(this.#firstCopies())) this.#hear(event);
    for (const [room, partner] of this.#partners) this.#compare(room, partner);
    this.#compareEnds();
    for (const [room, lines] of this.#me.histories) this.#compareHistory(room, lines);
    return this.#faults;
  }

  #fault(what: string): void {
    this.#faults.push(`${this.#me.name} ${what}`);
  }

  /** An event that comes again has the same id, and is the same in everything else. */
  #firstCopies(): ChatEvent[] {
    const copies = new Map<string, ChatEvent>();
    for (const event of this.#me.heard) {
      const first = copies.get(event.event_id);
      if (first === undefined) copies.set(event.event_id, event);
      else if (!Bun.deepEquals(first, event)) {
        this.#fault(`heard two different events ${event.event_id}: ${JSON.stringify([first, event])}`);
      }
    }
    return [...copies.values()];
  }

  /** Where everything may be told anew, a message or a room that is known already is passed over. */
  #toldOnce(events: ChatEvent[]): ChatEvent[] {
    if (!this.#expectations.mayLoseIfTold || this.#me.truncations === 0) return events;
    const told = new Map(events.map((event) => [toldAs(event), event]));
    return [...told.values()];
  }

  #hear(event: ChatEvent): void {
    const room = event.data.room_id;
    if (event.name !== "chatroom.found" && !this.#partners.has(room) && this.#me.truncations === 0) {
      this.#fault(`heard ${event.name} of room ${room} before it was found`);
    }
    if (this.#ended.has(room)) this.#fault(`heard ${event.name} of room ${room} after its end`);
    switch (event.name) {
      case "chatroom.found":
        this.#find(room, event);
        break;
      case "message.received":
        this.#messages.set(room, [...(this.#messages.get(room) ?? []), event]);
        break;
      case "partner.away":
        if (this.#away.has(room)) this.#fault(`was told twice that the partner in ${room} is away`);
        this.#away.add(room);
        break;
      case "partner.back":
        if (!this.#away.delete(room)) this.#fault(`was told that the partner in ${room} is back, who was not away`);
        break;
      case "partner.disconnected":
        this.#ended.add(room);
        if (!this.#expectations.mayEnd) this.#fault(`lost the partner in ${room}: ${event.data.reason}`);
        if (event.data.reason === "timeout") this.#fault(`lost the partner in ${room}: timeout`);
    }
  }

  #find(room: string, { data }: ChatEvent): void {
    if (this.#partners.has(room)) this.#fault(`found room ${room} twice`);
    const partner = this.#people.get(userIdOf(data.partner));
    if (partner === undefined) this.#fault(`met somebody unknown in ${room}`);
    else this.#partners.set(room, partner);
  }

  #compare(room: string, partner: Witness): void {
    const messages = this.#messages.get(room) ?? [];
    let last = 0;
    const texts = new Set<string>();
    const ids = new Set<string>();
    for (const { data } of messages) {
      const text = String(data.message);
      const [seq, id] = [Number(data.seq), String(data.message_id)];
      if (userIdOf(data.sender) !== partner.userId) this.#fault(`heard "${text}" from a stranger`);
      if (!partner.attempted.has(text)) this.#fault(`heard "${text}", which ${partner.name} never sent`);
      const isDoubled = ids.has(id) || (texts.has(text) && !this.#expectations.mayLoseIfTold);
      if (isDoubled) this.#fault(`heard "${text}" twice, as different events`);
      if (seq <= last && !this.#expectations.mayLoseIfTold) this.#fault(`heard "${text}" (${seq}) after ${last}`);
      texts.add(text);
      ids.add(id);
      last = seq;
    }
    const heard = new Map(messages.map(({ data }) => [String(data.message), data]));
    for (const receipt of partner.receipts) {
      if (receipt.room !== room) continue;
      const data = heard.get(receipt.text);
      if (data === undefined) {
        const isTold = this.#expectations.mayLoseIfTold && this.#me.truncations > 0;
        if (!isTold) this.#fault(`never heard "${receipt.text}", which was acknowledged to ${partner.name}`);
      } else if (data.message_id !== receipt.messageId || data.seq !== receipt.seq) {
        // Heard, lost, and sent again: the same words with another number.
        if (this.#expectations.mayLoseIfTold) continue;
        this.#fault(`heard "${receipt.text}" as ${data.seq}, acknowledged as ${receipt.seq}`);
      }
    }
  }

  /** Whoever was left is told so, once; nobody is told so who was not. */
  #compareEnds(): void {
    for (const [room, partner] of this.#partners) {
      const isTold = this.#ended.has(room);
      const isLeft = partner.left.has(room);
      if (isLeft && !isTold && !this.#me.left.has(room)) this.#fault(`was not told that ${partner.name} left ${room}`);
      if (isTold && !isLeft) this.#fault(`was told that ${partner.name} left ${room}, who did not`);
    }
  }

  /** What the server remembers is what was acknowledged, without a gap. */
  #compareHistory(room: string, lines: readonly HistoryLine[]): void {
    const partner = this.#partners.get(room);
    if (partner === undefined) return;
    const first = lines[0]?.seq ?? 1;
    if (lines.some(({ seq }, i) => seq !== first + i)) this.#fault(`has a history of ${room} with gaps`);
    const bySeq = new Map(lines.map((line) => [line.seq, line]));
    for (const person of [this.#me, partner]) {
      for (const receipt of person.receipts) {
        if (receipt.room !== room || receipt.seq < first) continue;
        const line = bySeq.get(receipt.seq);
        const isSo = line?.messageId === receipt.messageId && line.from === person.userId && line.text === receipt.text;
        if (!isSo && !this.#expectations.mayLoseIfTold) this.#fault(`has a history without "${receipt.text}"`);
      }
    }
    for (const { from, text } of lines) {
      const speaker = from === this.#me.userId ? this.#me : from === partner.userId ? partner : undefined;
      if (!speaker?.attempted.has(text)) this.#fault(`has a history with "${text}", which nobody sent`);
    }
  }
}

/** By what an event is known that may be told under another id. */
function toldAs({ event_id, name, data }: ChatEvent): string {
  if (name === "message.received") return `message ${data.message_id}`;
  return name === "chatroom.found" ? `room ${data.room_id}` : event_id;
}

function userIdOf(person: unknown): string {
  const id = typeof person === "object" && person !== null && "user_id" in person ? person.user_id : undefined;
  return String(id);
}
