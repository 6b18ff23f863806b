/**
 * Brings messages to the server, one after the other and each once, however often it has to try.
 *
 * This file owns the trying. It must never change the order of messages, nor send one to another room than
 * it was written for.
 */

import { CLIENT_RETRY_MS } from "../client-limits.ts";
import type { Clock } from "./clock.ts";
import type { Happening } from "./happening.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { type Answer, isUnknown, type JsonObject } from "./wire.ts";

/** How long after a call that got lost alone, in milliseconds. Coming back from a lost connection is quicker. */
const LOST_CALL_MS = 4 * CLIENT_RETRY_MS;

export interface PostmanOptions {
  readonly clock: Clock;
  /** Fresh ids of messages. */
  newId(): string;
  call(tool: string, args: JsonObject): Promise<Answer>;
  /** The server does not know whose messages these are. */
  unknown(): void;
  tell(happening: Happening): void;
}

export class Postman {
  readonly #options: PostmanOptions;
  readonly #outbox: Outbox;
  #isUnderWay = false;
  /** The first message, once it may have reached the server: only its answer tells what became of it. */
  #tried: string | undefined;
  #isStopped = false;
  #cancelRetry: () => void = () => undefined;

  constructor(options: PostmanOptions) {
    this.#options = options;
    this.#outbox = new Outbox(() => options.newId());
  }

  /** Messages not acknowledged yet. */
  get unsent(): number {
    return this.#outbox.size;
  }

  /** Takes a message for a room; undefined if too many wait already. */
  post(roomId: string, text: string): Outgoing | undefined {
    const message = this.#outbox.add(roomId, text);
    this.hurry();
    return message;
  }

  /** There is reason to try again now. */
  hurry(): void {
    void this.#walk();
  }

  /** Gives back what was written for a room that is over. What may have been posted there is still asked about. */
  roomEnded(roomId: string): readonly Outgoing[] {
    return this.#outbox.dropRoom(roomId, this.#tried);
  }

  /** Gives back everything: nobody can say any more what became of it. */
  giveUp(): readonly Outgoing[] {
    return this.#outbox.drop();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry();
  }

  async #walk(): Promise<void> {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    this.#cancelRetry();
    for (let next = this.#outbox.first; next !== undefined && !this.#isStopped; next = this.#outbox.first) {
      const waitMs = await this.#deliver(next);
      if (waitMs === 0) continue;
      if (!this.#isStopped) this.#cancelRetry = this.#options.clock.after(waitMs, () => void this.#walk());
      break;
    }
    this.#isUnderWay = false;
  }

  /** @returns 0 when the message is settled, else in how many milliseconds to try again */
  async #deliver(message: Outgoing): Promise<number> {
    const { id, roomId, text } = message;
    this.#tried = id;
    const answer = await this.#options.call("send_message", {
      room_id: roomId,
      message: text,
      client_message_id: id,
    });
    // It may have been given up meanwhile.
    if (this.#outbox.first?.id !== id) return 0;
    if (answer.kind === "success") {
      this.#outbox.settle(id);
      const { timestamp } = answer.value;
      this.#options.tell({ type: "sent", message, timestamp: typeof timestamp === "string" ? timestamp : "" });
      return 0;
    }
    if (answer.kind === "lost") return LOST_CALL_MS;
    const { code, message: reason, retryAfterMs } = answer.refusal;
    if (code === "rate_limited" || code === "unavailable") return Math.max(CLIENT_RETRY_MS, retryAfterMs ?? 0);
    if (isUnknown(answer)) {
      this.#options.unknown();
      return LOST_CALL_MS;
    }
    this.#outbox.settle(id);
    this.#options.tell({ type: "unsent", message, reason });
    return 0;
  }
}
