/**
 * The doorbell of a Claude Code channel: that something has come, never what.
 *
 * This file owns when it rings. It must never carry a name, a text or an id of anybody: whatever is in
 * it reaches a model unasked.
 */

import { notificationText } from "../mcp/jsonrpc.ts";
import type { JsonObject } from "../mcp/registry.ts";

/** The experimental capability by which a server is known to have a bell. */
export const CHANNEL_CAPABILITY: JsonObject = { "claude/channel": {} };

const SIGNS: ReadonlyMap<unknown, string> = new Map([
  ["chatroom.found", "A chat partner was found. Call wait_for_message."],
  ["message.received", "1 new message. Call wait_for_message to read it."],
  ["partner.disconnected", "The chat is over. Call wait_for_message."],
]);

export class Doorbell {
  #rung = false;

  /**
   * A notification of this method has come.
   * @returns what to tell the client beside it: once until the client calls again, as one ring is enough
   */
  hear(method: string): string | undefined {
    const content = SIGNS.get(method);
    if (content === undefined || this.#rung) return undefined;
    this.#rung = true;
    return notificationText("notifications/claude/channel", { content, meta: { event: method.replace(".", "_") } });
  }

  /** The client has called: it looks by itself, and may be rung for again. */
  answered(): void {
    this.#rung = false;
  }
}
