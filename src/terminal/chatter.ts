/**
 * A person's side of the chat, whatever shows it: carries out what they type and tells what happens.
 *
 * This file owns the meaning of commands. It must never write to a terminal itself.
 */

import type { Conversation } from "../client/conversation.ts";
import type { Happening, Outcome, Wishes } from "../client/happening.ts";
import { HELP_LINES, understand, type Wish } from "./commands.ts";
import type { Entry } from "./entry.ts";
import { Narrator } from "./narrator.ts";

/** What shows the chat. */
export interface Display {
  show(entry: Entry): void;
  /** The fate of a message that was shown as pending. */
  settle(messageId: string, fate: "sent" | "failed"): void;
  /** The person wants to end. */
  quit(): void;
}

export class Chatter {
  readonly #conversation: Conversation;
  readonly #display: Display;
  readonly #narrator: Narrator;
  readonly #now: () => number;
  #wishes: Wishes;
  /** One at a time, in the order typed. */
  #work: Promise<void> = Promise.resolve();

  constructor(conversation: Conversation, wishes: Wishes, display: Display, now: () => number) {
    this.#conversation = conversation;
    this.#wishes = wishes;
    this.#display = display;
    this.#now = now;
    this.#narrator = new Narrator(now);
  }

  /** Joins the queue, or meets by a code. */
  start(code: string | undefined): Promise<void> {
    return this.#do(() => (code === undefined ? this.#enter() : this.#join(code)));
  }

  /** Something happened in the conversation. */
  heard(happening: Happening): void {
    if (happening.type === "sent") this.#display.settle(happening.message.id, "sent");
    if (happening.type === "unsent") this.#display.settle(happening.message.id, "failed");
    for (const entry of this.#narrator.tell(happening)) this.#display.show(entry);
  }

  /** A line was typed. Settles when it has been carried out. */
  typed(line: string): Promise<void> {
    const wish = understand(line);
    // A message is shown at once and in its place among the others, so it waits for nothing.
    if (wish.wish === "say") {
      this.#say(wish.text);
      return Promise.resolve();
    }
    return this.#do(() => this.#fulfil(wish));
  }

  #do(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);
    return this.#work;
  }

  #say(text: string): void {
    const said = this.#conversation.say(text);
    if (said === "no partner") this.#problem("Nobody is there to hear it, so nothing was sent. /next finds somebody.");
    else if (said === "too many") this.#problem("Too many messages wait to be sent. This one was not kept.");
    else this.#display.show({ voice: "own", at: this.#now(), text, messageId: said.id, fate: "pending" });
  }

  async #fulfil(wish: Exclude<Wish, { wish: "say" }>): Promise<void> {
    switch (wish.wish) {
      case "nothing":
        return;
      case "mistake":
        this.#problem(wish.message);
        return;
      case "help":
        for (const line of HELP_LINES) this.#display.show(this.#narrator.system(line));
        return;
      case "quit":
        this.#display.quit();
        return;
      case "next":
        return this.#next();
      case "leave":
        if (this.#at === "idle") this.#problem("You are neither waiting nor chatting.");
        else this.#explain(await this.#conversation.leave());
        return;
      case "block":
        this.#explain(await this.#conversation.block(), "You will not meet them again.");
        return;
      case "report": {
        const outcome = await this.#conversation.report(wish.category, wish.details);
        this.#explain(outcome, `Reported as ${wish.category}. You will not meet them again.`);
        return;
      }
      case "interests":
        this.#wishes = { ...this.#wishes, interests: wish.interests };
        return this.#renew(wish.interests.length === 0 ? "You name no interests now." : "Your interests are noted.");
      case "name":
        this.#wishes = { ...this.#wishes, name: wish.name };
        return this.#renew("Your name is noted.");
      case "code":
        return this.#join(wish.code);
    }
  }

  get #at(): "idle" | "waiting" | "chatting" {
    return this.#conversation.place.at;
  }

  async #next(): Promise<void> {
    if (this.#at === "waiting") {
      this.#problem("You are waiting already.");
      return;
    }
    if (await this.#isFree()) await this.#enter();
  }

  /** Leaves whatever there is. @returns whether that went well */
  async #isFree(): Promise<boolean> {
    const outcome = this.#at === "idle" ? undefined : await this.#conversation.leave();
    this.#explain(outcome);
    return outcome === undefined;
  }

  async #enter(): Promise<void> {
    this.#explain(await this.#conversation.enter(this.#wishes));
  }

  async #join(code: string): Promise<void> {
    if (this.#at === "chatting") {
      this.#problem("You are in a chat. /leave it first.");
      return;
    }
    if (await this.#isFree()) this.#explain(await this.#conversation.join(code, this.#wishes));
  }

  /** Whoever waits waits with their new wishes at once. */
  async #renew(text: string): Promise<void> {
    this.#display.show(
      this.#narrator.system(this.#at === "chatting" ? `${text} It counts from the next chat on.` : text),
    );
    if (this.#at === "waiting" && (await this.#isFree())) await this.#enter();
  }

  #explain(outcome: Outcome, success?: string): void {
    if (outcome !== undefined) this.#problem(outcome.message);
    else if (success !== undefined) this.#display.show(this.#narrator.system(success));
  }

  #problem(text: string): void {
    this.#display.show(this.#narrator.problem(text));
  }
}
