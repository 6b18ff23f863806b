/**
 * A conversation whose happenings a test awaits one by one.
 *
 * This file owns the listening side of tests of src/client. It must never replace any of it.
 */

import { systemClock } from "../../src/client/clock.ts";
import { Conversation, type ConversationOptions } from "../../src/client/conversation.ts";
import type { Happening, Wishes } from "../../src/client/happening.ts";
import { within } from "./client-deadline.ts";

export const WISHES: Wishes = { name: undefined, interests: [], kind: "human", partnerKind: "any" };

export class Talker implements AsyncDisposable {
  readonly conversation: Conversation;
  /** Everything told so far. */
  readonly heard: Happening[] = [];
  #read = 0;
  #wake: () => void = () => undefined;

  constructor(endpoint: string, options: Partial<ConversationOptions> = {}) {
    this.conversation = new Conversation(
      { endpoint, accessToken: undefined, client: { name: "test", version: "1" }, clock: systemClock, ...options },
      (happening) => {
        this.heard.push(happening);
        this.#wake();
      },
    );
  }

  /** Connects and joins the queue. */
  static async enter(endpoint: string, wishes: Partial<Wishes> = {}): Promise<Talker> {
    const talker = new Talker(endpoint);
    await talker.connect();
    const refusal = await talker.conversation.enter({ ...WISHES, ...wishes });
    if (refusal !== undefined) throw new Error(`refused: ${refusal.code}`);
    return talker;
  }

  async connect(): Promise<void> {
    const fault = await this.conversation.open();
    if (fault !== undefined) throw new Error(fault.message);
    await this.next("connected");
  }

  /** The next happening of this type that was not awaited yet; those before it are passed over. */
  async next<Type extends Happening["type"]>(
    type: Type,
    fits: (happening: Extract<Happening, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<Happening, { type: Type }>> {
    const isIt = (one: Happening): one is Extract<Happening, { type: Type }> =>
      one.type === type && fits(one as Extract<Happening, { type: Type }>);
    const find = async (): Promise<Extract<Happening, { type: Type }>> => {
      for (;;) {
        while (this.#read < this.heard.length) {
          const one = this.heard[this.#read];
          this.#read += 1;
          if (one !== undefined && isIt(one)) return one;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    return within(type, find());
  }

  /** Waits until the user chats. */
  async met(): Promise<void> {
    if (this.conversation.place.at === "chatting") return;
    await this.next("place", ({ place }) => place.at === "chatting");
  }

  /** The latest session token. */
  get token(): string {
    return this.heard.findLast((one) => one.type === "token")?.token ?? "";
  }

  /** What the partner has said, in order. */
  get words(): string[] {
    return this.heard.flatMap((one) =>
      one.type === "event" && one.event.name === "message.received" ? [one.event.message] : [],
    );
  }

  async hears(word: string): Promise<void> {
    await this.next("event", ({ event }) => event.name === "message.received" && event.message === word);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.conversation.close(false);
  }
}
