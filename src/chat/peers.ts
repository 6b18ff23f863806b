/**
 * What nodes tell each other beside the journal: it may be lost, and comes in no order with anything. What is asked
 * instead of told is said again as long as somebody stays silent, for a while.
 *
 * This file owns the questions that are open. It must never make anybody wait for long.
 */
import type { SharedJournal, Whisper } from "../journal/journal.ts";
import { PEERS_ASKED_MAX, PEERS_WAIT_MS_MAX } from "../limits.ts";
import { isObject } from "../mcp/jsonrpc.ts";
import type { Json, JsonObject, Peers } from "../mcp/registry.ts";
import type { AlarmClock } from "./alarm-clock.ts";

const ASK = "ask";
const HEARD = "heard";

/** A question that not all have answered. */
interface Asked {
  readonly heardBy: Set<Json>;
  /** Called for each node that has heard it. */
  heard(): void;
}

/** After how long it is said again, in milliseconds, and whoever waits for an answer goes on without. */
const AGAIN_MS = [PEERS_WAIT_MS_MAX, 1000, 3000];

export class NodePeers implements Peers {
  readonly #journal: SharedJournal;
  readonly #alarms: AlarmClock;
  readonly #others: () => number;
  readonly #onBug: (bug: unknown) => void;
  readonly #listeners: ((topic: string, message: Json) => void | Promise<void>)[] = [];
  readonly #asked = new Map<string, Asked>();
  #last = 0;

  /**
   * @param others how many nodes there are beside this one
   * @param onBug hears of a listener that has failed
   */
  constructor(journal: SharedJournal, alarms: AlarmClock, others: () => number, onBug: (bug: unknown) => void) {
    this.#journal = journal;
    this.#alarms = alarms;
    this.#others = others;
    this.#onBug = onBug;
    journal.onWhisper((topic, message) => {
      this.#hear(topic, message as Json).catch(this.#onBug);
    });
  }

  tell(topic: string, message: Json): void {
    this.#journal.whisper(topic, message as Whisper);
  }

  ask(topic: string, message: Json): Promise<void> {
    const others = this.#others();
    if (others === 0 || this.#asked.size >= PEERS_ASKED_MAX) {
      this.tell(topic, message);
      return Promise.resolve();
    }
    const id = `${this.#journal.node}.${++this.#last}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const heardBy = new Set<Json>();
    let alarm = 0;
    const end = (): void => {
      this.#alarms.cancel(alarm);
      this.#asked.delete(id);
      resolve();
    };
    const say = (times: number): void => {
      this.tell(ASK, { id, topic, message });
      alarm = this.#alarms.set(this.#alarms.now() + (AGAIN_MS[times] ?? 0), () => {
        resolve();
        if (times + 1 < AGAIN_MS.length) say(times + 1);
        else end();
      });
    };
    this.#asked.set(id, { heardBy, heard: () => (heardBy.size >= others ? end() : undefined) });
    say(0);
    return promise;
  }

  listen(listener: (topic: string, message: Json) => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  async #hear(topic: string, message: Json): Promise<void> {
    if (topic === ASK && isObject(message)) await this.#answer(message);
    else if (topic === HEARD && isObject(message)) this.#heard(message);
    else await this.#handOn(topic, message);
  }

  async #answer({ id, topic, message }: JsonObject): Promise<void> {
    if (typeof id !== "string" || typeof topic !== "string" || message === undefined) return;
    await this.#handOn(topic, message);
    this.tell(HEARD, { id, by: this.#journal.node });
  }

  async #handOn(topic: string, message: Json): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener(topic, message)));
  }

  #heard({ id, by }: JsonObject): void {
    const asked = typeof id === "string" ? this.#asked.get(id) : undefined;
    if (by !== undefined) asked?.heardBy.add(by);
    asked?.heard();
  }
}
