/**
 * What nodes tell each other beside the journal: it may be lost, and comes in no order with anything. Who asks
 * instead of telling learns that it has arrived, unless somebody stays silent.
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
  missing: number;
  done(): void;
}

export class NodePeers implements Peers {
  readonly #journal: SharedJournal;
  readonly #alarms: AlarmClock;
  readonly #others: () => number;
  readonly #listeners: ((topic: string, message: Json) => void | Promise<void>)[] = [];
  readonly #asked = new Map<string, Asked>();
  #last = 0;

  /** @param others how many nodes there are beside this one */
  constructor(journal: SharedJournal, alarms: AlarmClock, others: () => number) {
    this.#journal = journal;
    this.#alarms = alarms;
    this.#others = others;
    journal.onWhisper((topic, message) => this.#hear(topic, message as Json));
  }

  tell(topic: string, message: Json): void {
    this.#journal.whisper(topic, message as Whisper);
  }

  ask(topic: string, message: Json): Promise<void> {
    const missing = this.#others();
    if (missing === 0 || this.#asked.size >= PEERS_ASKED_MAX) {
      this.tell(topic, message);
      return Promise.resolve();
    }
    const id = `${this.#journal.node}.${++this.#last}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = (): void => {
      this.#alarms.cancel(alarm);
      this.#asked.delete(id);
      resolve();
    };
    const alarm = this.#alarms.set(this.#alarms.now() + PEERS_WAIT_MS_MAX, done);
    this.#asked.set(id, { missing, done });
    this.tell(ASK, { id, topic, message });
    return promise;
  }

  listen(listener: (topic: string, message: Json) => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  #hear(topic: string, message: Json): void {
    if (topic === ASK && isObject(message)) void this.#answer(message);
    else if (topic === HEARD) this.#heard(message);
    else void this.#handOn(topic, message);
  }

  async #answer({ id, topic, message }: JsonObject): Promise<void> {
    if (typeof id !== "string" || typeof topic !== "string" || message === undefined) return;
    await this.#handOn(topic, message);
    this.tell(HEARD, id);
  }

  async #handOn(topic: string, message: Json): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener(topic, message)));
  }

  #heard(id: Json): void {
    const asked = typeof id === "string" ? this.#asked.get(id) : undefined;
    if (asked !== undefined && --asked.missing === 0) asked.done();
  }
}
