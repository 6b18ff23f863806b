/**
 * Pairs of guests who chat while a test does something to their servers, and the account of it all.
 *
 * This file owns how a party comes, talks and ends. It must never know what happens to the servers.
 */

import { type Expectations, faultsOf } from "./cluster-account.ts";
import { Guest, type GuestOptions } from "./cluster-guest.ts";
import type { WireKind } from "./cluster-wires.ts";

/** How long guests may take to hear what they have not heard, at the end. */
const DRAIN_MS_MAX = 30_000;

type Pair = readonly [Guest, Guest];

export class Party implements AsyncDisposable {
  readonly pairs: readonly Pair[];
  #isOver = false;
  #talks: Promise<void>[] = [];

  private constructor(pairs: readonly Pair[]) {
    this.pairs = pairs;
  }

  get guests(): readonly Guest[] {
    return this.pairs.flat();
  }

  /** Brings so many pairs together; the kinds of wires are used in turn. */
  static async gather(
    url: string,
    pairs: readonly (readonly [WireKind, WireKind])[],
    options: GuestOptions = {},
  ): Promise<Party> {
    const party = new Party(
      pairs.map(([one, other], i) => [new Guest(`ann${i}`, one, options), new Guest(`bob${i}`, other, options)]),
    );
    // In small groups: a test machine may be busy.
    const waiting = [...party.pairs.entries()];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [i, [one, other]] = next;
        await one.enter(url, [`pair ${i}`]);
        await other.enter(url, [`pair ${i}`]);
        await Promise.all([one, other].map((guest) => guest.hears("a match", ({ name }) => name === "chatroom.found")));
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    return party;
  }

  /** Everybody begins to talk. */
  talk(): void {
    this.#isOver = false;
    this.#talks = this.guests.map((guest) => guest.talk(() => this.#isOver));
  }

  /** Everybody begins to talk, and meets somebody else after some messages, as many as the dice say each time. */
  mingle(messages: () => number): void {
    this.#isOver = false;
    this.#talks = this.guests.map((guest) => guest.mingle(() => this.#isOver, messages));
  }

  /** Settles when everybody has said, and been answered, so many more messages. */
  async progress(messages: number, ms = 40_000): Promise<void> {
    const goals = new Map(this.guests.map((guest) => [guest, guest.receipts.length + messages]));
    const end = performance.now() + ms;
    for (;;) {
      const late = this.guests.filter((guest) => guest.receipts.length < (goals.get(guest) ?? 0));
      if (late.length === 0) return;
      if (performance.now() > end) {
        throw new Error(`${late.map(({ name, kind }) => `${name} (${kind})`).join(", ")} cannot speak`);
      }
      await Bun.sleep(20);
    }
  }

  /** Everybody stops, what is pending is answered, everything is heard. */
  async settle(drainMs = DRAIN_MS_MAX): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#talks);
    const end = performance.now() + drainMs;
    // Ends early where something is missing: the account names it.
    while (performance.now() < end && !this.#isAllHeard()) await Bun.sleep(20);
  }

  /** Everything that is wrong, one line each. Ask after `settle`. */
  async faults(expectations: Expectations = {}): Promise<string[]> {
    await Promise.all(this.guests.map((guest) => guest.remember()));
    return faultsOf(this.guests, expectations);
  }

  /** By public id: how many streams everybody has open while nothing happens. */
  streams(): ReadonlyMap<string, number> {
    return new Map(this.guests.map(({ userId, kind }) => [userId, kind.endsWith("-wait") ? 0 : 1]));
  }

  /** Of what happened on the way, for those who read the output. */
  summary(): string {
    const again: { [why: string]: number } = {};
    for (const guest of this.guests) for (const [why, n] of guest.again) again[why] = (again[why] ?? 0) + n;
    const messages = this.guests.reduce((sum, { receipts }) => sum + receipts.length, 0);
    const events = this.guests.reduce((sum, { heard }) => sum + heard.length, 0);
    const repeats = events - this.guests.reduce((sum, g) => sum + new Set(g.heard.map((e) => e.event_id)).size, 0);
    const slowestMs = Math.round(Math.max(...this.guests.map((guest) => guest.slowestMs)));
    const truncations = this.guests.reduce((sum, guest) => sum + guest.truncations, 0);
    return JSON.stringify({ messages, events, repeats, again, slowestMs, truncations });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.guests.map((guest) => guest.close()));
  }

  #isAllHeard(): boolean {
    const heard = new Set(this.guests.flatMap((guest) => guest.heard.map(({ data }) => data.message_id)));
    return this.guests.every(({ receipts }) => receipts.every(({ messageId }) => heard.has(messageId)));
  }
}
