/**
 * What a message and an arrival cost, in things that can be counted: entries in the journal, events told to listeners,
 * readers woken, timers. Whoever makes the hot path longer, or makes one user's message touch another's, changes a number here.
 *
 * This file owns counts at the door of the chat; what an arrival looks at in the queue is counted where the queue is
 * tested. It must never own a time.
 */
import { describe, expect, test } from "bun:test";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import type { JsonObject, PushReader } from "../../src/mcp/registry.ts";
import { ChatWorld, HandClock } from "../support/chat-world.ts";

/** Three sizes, each many times the one before. */
const ROOMS = [1, 10, 100] as const;

/** What happened inside while something was done. */
interface Counts {
  entries: number;
  told: number;
  woken: number;
}

/** A chat of so many rooms, each of two sessions that listen, in which everything is counted. */
class CountedChat {
  readonly counts: Counts = { entries: 0, told: 0, woken: 0 };
  readonly clock = new HandClock();
  readonly #world: ChatWorld;
  readonly #readers: PushReader[] = [];

  private constructor() {
    const journal = createMemoryJournal(() => this.clock.now());
    this.#world = new ChatWorld(
      {},
      {
        clock: this.clock,
        journal: {
          ...journal,
          append: (command, apply) => {
            this.counts.entries++;
            return journal.append(command, apply);
          },
        },
      },
    );
    this.#world.server.host.listenToAll(() => {
      this.counts.told++;
    });
  }

  static async of(rooms: number): Promise<CountedChat> {
    const chat = new CountedChat();
    for (let user = 0; user < 2 * rooms; user++) await chat.arrive(user);
    return chat;
  }

  /** Somebody opens a stream and enters the queue. */
  async arrive(user: number): Promise<void> {
    const reader = this.#world.server.definition.push?.open(`session-${user}`, null, {
      wake: () => {
        this.counts.woken++;
      },
    });
    if (reader === undefined || reader === "malformed") throw new Error("no stream");
    this.#readers.push(reader);
    await this.call(user, "enter_queue");
  }

  async call(user: number, tool: string, args: JsonObject = {}): Promise<void> {
    const { isError, content } = await this.#world.call(tool, args, { session: `session-${user}` });
    if (isError) throw new Error(JSON.stringify(content));
  }

  /** Everything the user's stream has to say now. */
  read(user: number): number {
    return this.#readers[user]?.next(Number.POSITIVE_INFINITY).length ?? 0;
  }

  /** What happens inside while something is done. */
  async during(work: () => Promise<void>): Promise<Counts> {
    const before = { ...this.counts };
    await work();
    const { entries, told, woken } = this.counts;
    return { entries: entries - before.entries, told: told - before.told, woken: woken - before.woken };
  }
}

describe.each(ROOMS)("in a server of %i rooms", (rooms) => {
  test("a message is one entry, is told twice, and wakes the partner's stream alone", async () => {
    const chat = await CountedChat.of(rooms);
    for (let user = 0; user < 2 * rooms; user++) chat.read(user);
    const say = (): Promise<void> => chat.call(0, "send_message", { message: "hello" });
    expect(await chat.during(say)).toEqual({ entries: 1, told: 2, woken: 1 });
    const heard = Array.from({ length: 2 * rooms }, (_, user) => chat.read(user));
    expect(heard).toEqual(heard.map((_, user) => (user === 1 ? 1 : 0)));
  });

  test("an arrival who is matched is two entries, and wakes the streams of the two alone", async () => {
    const chat = await CountedChat.of(rooms);
    await chat.arrive(2 * rooms);
    const arriving = await chat.during(() => chat.arrive(2 * rooms + 1));
    // Entering, and the stream that was open before counting from now on.
    expect(arriving).toEqual({ entries: 2, told: 6, woken: 3 });
  });

  test("timers are those of the process, not of its users", async () => {
    const chat = await CountedChat.of(rooms);
    expect(chat.clock.timers).toBeLessThanOrEqual(1);
  });
});
