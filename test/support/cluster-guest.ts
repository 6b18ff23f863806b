/**
 * Somebody who chats in a cluster and does not give up: what was not answered is sent again, in the same words
 * and under the same id.
 *
 * This file owns what a guest does and remembers for the account. It must never look into a server.
 */

import { z } from "zod";
import type { ChatEvent } from "./client-flavours.ts";
import type { Json } from "./client-raw.ts";
import type { HistoryLine, Receipt, Witness } from "./cluster-account.ts";
import { type Answered, type Ear, openWire, refusalOf, type Wire, type WireKind } from "./cluster-wires.ts";

/** Pause before a call is made again. */
const AGAIN_MS = 50;
/** Longest pause, whatever the server asks for: a test has no hour. */
const AGAIN_MS_MAX = 1000;
/** How long a guest insists on one thing. */
const INSIST_MS_MAX = 45_000;

const enteredSchema = z.object({
  status: z.enum(["waiting", "matched"]),
  user_id: z.string(),
  session_token: z.string().optional(),
});
const statusSchema = z.object({
  status: z.enum(["idle", "waiting", "chatting"]),
  cursor: z.string(),
  room: z.object({ room_id: z.string() }).optional(),
});
const sentSchema = z.object({ success: z.literal(true), message_id: z.string(), seq: z.number() });
const historySchema = z.object({
  messages: z.array(z.object({ seq: z.number(), message_id: z.string(), from: z.string(), message: z.string() })),
  has_more: z.boolean(),
});
const retrySchema = z.object({ error: z.object({ retry_after_ms: z.number().optional() }) });

export interface GuestOptions {
  /** Pause between two messages. */
  readonly pauseMs?: number;
  /** Put behind each text. */
  readonly padding?: string;
  /** Sends without `client_message_id`: what is not answered is not sent again. */
  readonly isIdless?: boolean;
}

export class Guest implements Witness, Ear {
  readonly name: string;
  readonly kind: WireKind;
  readonly receipts: Receipt[] = [];
  readonly attempted = new Set<string>();
  readonly heard: ChatEvent[] = [];
  readonly troubles: string[] = [];
  readonly histories = new Map<string, readonly HistoryLine[]>();
  readonly left = new Set<string>();
  truncations = 0;
  userId = "";
  /** The secret of this user; a test may go on with it elsewhere. */
  token = "";
  /** Where the guest chats, or chatted last. */
  room = "";
  /** Calls that were made again, by what was wrong: a code, or `broken`. */
  readonly again = new Map<string, number>();
  /** Longest time from the first attempt at something to its answer. */
  slowestMs = 0;
  readonly #options: GuestOptions;
  #wire: Wire | undefined;
  #said = 0;
  /** A message that is not answered yet. */
  #pending: { readonly text: string; readonly id: string; readonly room: string } | undefined;
  #onHeard: () => void = () => undefined;

  constructor(name: string, kind: WireKind, options: GuestOptions = {}) {
    this.name = name;
    this.kind = kind;
    this.#options = options;
  }

  onEvent(event: ChatEvent): void {
    this.heard.push(event);
    if (event.name === "chatroom.found") this.room = event.data.room_id;
    this.#onHeard();
  }

  onTruncated(): void {
    this.truncations++;
  }

  onTrouble(what: string): void {
    if (this.troubles.length < 5) this.troubles.push(what);
  }

  /** Comes, and waits for a partner who shares an interest. To be done while nothing is lost: nobody could know who it was. */
  async enter(url: string, interests: readonly string[]): Promise<void> {
    this.#wire = await openWire(this.kind, url, this);
    const { structured } = await this.#wire.call("enter_queue", { display_name: this.name, interests });
    const entered = enteredSchema.parse(structured);
    this.userId = entered.user_id;
    this.token = entered.session_token ?? "";
    const { structured: status } = await this.#wire.call("chat_status", { session_token: this.token });
    this.#wire.listen(this.token, statusSchema.parse(status).cursor);
  }

  /** Settles when an event like this has been heard. */
  async hears(what: string, isIt: (event: ChatEvent) => boolean, ms = 20_000): Promise<ChatEvent> {
    const end = performance.now() + ms;
    for (;;) {
      const event = this.heard.find(isIt);
      if (event !== undefined) return event;
      const left = end - performance.now();
      if (left <= 0) throw new Error(`${this.name} (${this.kind}) never hears ${what}`);
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#onHeard = resolve;
        }),
        Bun.sleep(Math.min(left, 500)),
      ]);
    }
  }

  /** Sends one message after the other until told to stop. */
  async talk(isOver: () => boolean): Promise<void> {
    const { pauseMs = 0 } = this.#options;
    while (!isOver()) {
      if (!(await this.say())) return;
      if (pauseMs > 0) await Bun.sleep(pauseMs * (0.5 + Math.random()));
    }
  }

  /** Talks, leaves, and meets somebody else, again and again until told to stop. */
  async mingle(isOver: () => boolean, messages: () => number): Promise<void> {
    const { pauseMs = 0 } = this.#options;
    while (!isOver()) {
      let isChatting = true;
      for (let left = messages(); left > 0 && isChatting && !isOver(); left--) {
        isChatting = await this.say();
        await Bun.sleep(pauseMs * (0.5 + Math.random()));
      }
      if (isOver()) return;
      const { room } = this;
      if (isChatting) {
        this.left.add(room);
        const code = refusalOf(await this.call("leave_chat", { room_id: room }));
        if (code !== undefined && code !== "chat_ended") this.onTrouble(`cannot leave: ${code}`);
      }
      await this.call("enter_queue", { interests: [] });
      while (this.room === room && !isOver()) await Bun.sleep(AGAIN_MS);
    }
  }

  /** Sends the next message, or the one that was not answered, until it is answered. @returns whether it was taken */
  async say(): Promise<boolean> {
    const pending = this.#pending ?? this.#next();
    this.#pending = pending;
    this.attempted.add(pending.text);
    const { text, id, room } = pending;
    const { isIdless = false } = this.#options;
    const args = { room_id: room, message: text, ...(isIdless ? {} : { client_message_id: id }) };
    const answered = isIdless ? await this.#once("send_message", args) : await this.call("send_message", args);
    this.#pending = undefined;
    if (answered === undefined) return true;
    const sent = sentSchema.safeParse(answered.structured);
    if (sent.success) {
      this.receipts.push({ room, text, messageId: sent.data.message_id, seq: sent.data.seq });
      return true;
    }
    if (refusalOf(answered) !== "chat_ended") this.onTrouble(`was refused: ${JSON.stringify(answered.structured)}`);
    return false;
  }

  /** Calls a tool until it is answered with anything but `unavailable`. */
  async call(tool: string, args: Json = {}): Promise<Answered> {
    const begin = performance.now();
    for (;;) {
      const answered = await this.#once(tool, args);
      if (answered !== undefined) {
        this.slowestMs = Math.max(this.slowestMs, performance.now() - begin);
        return answered;
      }
      if (performance.now() - begin > INSIST_MS_MAX)
        throw new Error(`${this.name} (${this.kind}) gets no answer to ${tool}`);
    }
  }

  /** Reads what the server remembers of the last room, for the account. */
  async remember(): Promise<void> {
    const lines: HistoryLine[] = [];
    for (;;) {
      const [first] = lines;
      const before = first === undefined ? {} : { before: first.seq };
      const { structured } = await this.call("get_history", { room_id: this.room, limit: 200, ...before });
      const { messages, has_more } = historySchema.parse(structured);
      lines.unshift(
        ...messages.map(({ seq, message_id, from, message }) => ({ seq, messageId: message_id, from, text: message })),
      );
      if (!has_more || messages.length === 0) break;
    }
    this.histories.set(this.room, lines);
  }

  async close(): Promise<void> {
    await this.#wire?.close().catch(() => undefined);
  }

  #next(): { readonly text: string; readonly id: string; readonly room: string } {
    const number = ++this.#said;
    const { padding = "" } = this.#options;
    return { text: `${this.name} says ${number}${padding}`, id: `${this.name}-${number}`, room: this.room };
  }

  /** Calls once. @returns undefined if there was no answer, or one that asks to come again */
  async #once(tool: string, args: Json): Promise<Answered | undefined> {
    if (this.#wire === undefined) throw new Error(`${this.name} is not there`);
    try {
      const answered = await this.#wire.call(tool, args);
      const code = refusalOf(answered);
      if (code !== "unavailable" && code !== "rate_limited") return answered;
      const retry = retrySchema.safeParse(answered.structured);
      const pauseMs = retry.success ? retry.data.error.retry_after_ms : undefined;
      if (pauseMs === undefined) this.onTrouble(`${code} without retry_after_ms`);
      await this.#pause(code, pauseMs ?? AGAIN_MS);
    } catch (problem) {
      await this.#pause(statusOf(problem), AGAIN_MS);
    }
    return undefined;
  }

  async #pause(why: string, ms: number): Promise<void> {
    this.again.set(why, (this.again.get(why) ?? 0) + 1);
    await Bun.sleep(Math.min(ms, AGAIN_MS_MAX));
  }
}

/** 502 and 503 say that nobody was there; anything else is a connection that broke. */
function statusOf(problem: unknown): string {
  const status = /\b(5\d\d)\b/.exec(String(problem))?.[1];
  return status ?? "broken";
}
