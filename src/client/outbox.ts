/**
 * Messages that were written and not yet acknowledged, in their order. Each belongs to one room, so that
 * what was meant for one stranger never reaches another, and has one id, so that a repeated try posts
 * nothing twice.
 *
 * This file owns the messages. It must never send one itself.
 */

import { OUTBOX_MESSAGES_MAX } from "../client-limits.ts";

export interface Outgoing {
  /** The `client_message_id`. */
  readonly id: string;
  readonly roomId: string;
  readonly text: string;
}

export class Outbox {
  readonly #newId: () => string;
  #waiting: Outgoing[] = [];

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** The one to be sent now. */
  get first(): Outgoing | undefined {
    return this.#waiting[0];
  }

  /** Takes a message in; undefined if there are too many already. */
  add(roomId: string, text: string): Outgoing | undefined {
    if (this.#waiting.length >= OUTBOX_MESSAGES_MAX) return undefined;
    const message = { id: this.#newId(), roomId, text };
    this.#waiting.push(message);
    return message;
  }

  /** It was posted or refused for good. */
  settle(id: string): void {
    this.#waiting = this.#waiting.filter((message) => message.id !== id);
  }

  /** The room is over: gives back what was written for it, but for the one that may have been posted. */
  dropRoom(roomId: string, tried: string | undefined): readonly Outgoing[] {
    const dropped = this.#waiting.filter((message) => message.roomId === roomId && message.id !== tried);
    this.#waiting = this.#waiting.filter((message) => !dropped.includes(message));
    return dropped;
  }

  /** Gives back everything. */
  drop(): readonly Outgoing[] {
    return this.#waiting.splice(0);
  }
}
