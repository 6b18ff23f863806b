/**
 * Pairs of people who chat through official clients while their server is killed and started again: they
 * come back with what they have, and send again what was not answered.
 *
 * This file owns what they do and what they remember. It must never look into the server.
 */
import {
  type ChatClient,
  type ChatEvent,
  connect,
  type Flavour,
  type Identity,
  type Outcome,
} from "./client-flavours.ts";

/** A message that the server has answered. */
export interface Acknowledged {
  readonly text: string;
  readonly messageId: string;
  readonly seq: number;
}

/** Somebody with one partner for the whole story. */
export class Survivor {
  readonly name: string;
  readonly flavour: Flavour;
  readonly acknowledged: Acknowledged[] = [];
  /** Every event heard, once for each time it came. */
  readonly heard: ChatEvent[] = [];
  /** Texts that were sent at least once, answered or not. */
  readonly attempted = new Set<string>();
  /** How often a message had to be sent again. */
  retries = 0;
  #client: ChatClient | undefined;
  #identity: Identity | undefined;
  /** Number of the next message; it is sent until it is answered. */
  #next = 1;
  #isOver = false;
  #listening: Promise<void> = Promise.resolve();

  constructor(name: string, flavour: Flavour) {
    this.name = name;
    this.flavour = flavour;
  }

  /** Comes for the first time, or comes back by its session if it has one, else by its token. */
  async come(url: string): Promise<void> {
    const as = this.#identity;
    const by = as?.session === undefined ? "token" : "session";
    const client = await connect(this.flavour, url, as === undefined ? undefined : { as, by });
    this.#client = client;
    this.#isOver = false;
    this.#listening = this.#listen(client);
  }

  async enter(interests: readonly string[]): Promise<Outcome> {
    if (this.#client === undefined) throw new Error(`${this.name} is not there`);
    return this.#client.enter({ display_name: this.name, interests });
  }

  /** Sends one message after the other until told to stop, or until the server is gone. */
  async talk(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      try {
        await this.#sendNext();
      } catch (_serverIsGone) {
        return;
      }
    }
  }

  /** Sends what has not been answered yet. */
  async sendPending(): Promise<void> {
    if (this.attempted.has(this.#textOf(this.#next))) await this.#sendNext();
  }

  /** The server is gone: remembers who it is, and goes. */
  async leave(): Promise<void> {
    this.#isOver = true;
    this.#identity = await this.#client?.identity();
    await this.#client?.close().catch(() => undefined);
    // What still arrived has been heard; what has not will come again.
    await Promise.race([this.#listening, Bun.sleep(20)]);
    this.#client = undefined;
  }

  async #sendNext(): Promise<void> {
    const text = this.#textOf(this.#next);
    if (this.attempted.has(text)) this.retries++;
    this.attempted.add(text);
    const outcome = await this.#client?.send(text, `${this.name}-${this.#next}`);
    if (outcome === undefined) return;
    if (outcome.isError) throw new Error(`${this.name} was refused: ${JSON.stringify(outcome.structuredContent)}`);
    const { message_id, seq } = outcome.structuredContent;
    this.acknowledged.push({ text, messageId: String(message_id), seq: Number(seq) });
    this.#next++;
  }

  #textOf(number: number): string {
    return `${this.name} says ${number}`;
  }

  async #listen(client: ChatClient): Promise<void> {
    try {
      while (!this.#isOver) this.heard.push(await client.hear());
    } catch (_serverIsGone) {
      // It comes back with what it has heard.
    }
  }
}
