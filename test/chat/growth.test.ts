/**
 * What must not grow with the number of people: the work of a message, of a tick and of a departure.
 *
 * This file owns counts, never times: it is as right on a slow machine as on a fast one.
 */
import { describe, expect, test } from "bun:test";
import { createChatServer } from "../../src/chat/server.ts";
import type { Command, Entry } from "../../src/domain/command.ts";
import type { User } from "../../src/domain/state.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import type { PushReader } from "../../src/mcp/registry.ts";
import { HandClock, LOBBY_SETTINGS } from "../support/chat-world.ts";

const SIZES = [10, 100, 1000] as const;

/** So many pairs, each person with a session and an open stream, and everything counted that is done for them. */
class Crowd {
  /** Records of users looked up, streams woken, commands applied. */
  lookups = 0;
  wakes = 0;
  steps = 0;
  readonly #clock = new HandClock();
  readonly #readers: PushReader[] = [];
  readonly #server: ReturnType<typeof createChatServer>;

  constructor(pairs: number) {
    const journal = createMemoryJournal(() => this.#clock.now());
    this.#server = createChatServer({
      version: "0.0.0",
      lobby: { ...LOBBY_SETTINGS, usersMax: 10_000, queueMax: 10_000 },
      messageCharsMax: 4000,
      journal: {
        append: <T>(command: Command, apply: (entry: Entry) => T) => {
          this.steps++;
          return journal.append(command, apply);
        },
      },
      clock: this.#clock,
    });
    const { users } = this.#server.host.lobby;
    const get = users.get.bind(users);
    users.get = (ref): User | undefined => {
      this.lookups++;
      return get(ref);
    };
    for (let i = 0; i < 2 * pairs; i++) this.#enter(`s${i}`);
  }

  #enter(session: string): void {
    this.do({ type: "enter_queue", caller: { session }, newToken: `hash of ${session}` });
    const reader = this.#server.definition.push?.open(session, null, { wake: () => this.wakes++ });
    if (reader === undefined || reader === "malformed") throw new Error("no reader");
    reader.next(65_536);
    this.#readers.push(reader);
  }

  do(command: Command): void {
    this.#server.host.post(command);
  }

  /** Closes the stream of the one who came at that place. */
  drop(index: number): void {
    this.#readers[index]?.close(undefined);
  }

  /** What was counted while something was done. */
  count(work: () => void): { lookups: number; wakes: number; steps: number } {
    const before = { lookups: this.lookups, wakes: this.wakes, steps: this.steps };
    work();
    return {
      lookups: this.lookups - before.lookups,
      wakes: this.wakes - before.wakes,
      steps: this.steps - before.steps,
    };
  }
}

const SCENES: Readonly<Record<string, { work: (crowd: Crowd) => void; wakes: number; steps: number }>> = {
  "a message": {
    work: (crowd) => crowd.do({ type: "send_message", caller: { session: "s4" }, text: "hello" }),
    wakes: 1,
    steps: 1,
  },
  "a tick with nothing due": { work: (crowd) => crowd.do({ type: "tick" }), wakes: 0, steps: 1 },
  "a lost connection": { work: (crowd) => crowd.drop(5), wakes: 1, steps: 1 },
  "a departure": {
    work: (crowd) => crowd.do({ type: "leave_chat", caller: { session: "s7" } }),
    wakes: 1,
    steps: 1,
  },
};

describe("does not grow with the number of rooms", () => {
  test.each(Object.entries(SCENES))("%s", (_, { work, wakes, steps }) => {
    const counts = SIZES.map((pairs) => {
      const crowd = new Crowd(pairs);
      return crowd.count(() => work(crowd));
    });
    const [least] = counts;
    for (const count of counts) expect(count).toEqual({ lookups: least?.lookups ?? -1, wakes, steps });
    expect(least?.lookups).toBeLessThan(30);
  });
});
