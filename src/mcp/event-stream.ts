/**
 * The answer to `events/stream`: an active notice, the occurrences in their order, a heartbeat when
 * nothing is said, and at the end why, with the result (MCP Events, "Push").
 *
 * This file owns the order of those messages. It buffers nothing: what the connection does not pull
 * stays with the reader.
 */

import { type EventErrorProfile, errorObject, eventError } from "./errors.ts";
import type { EventReader } from "./event-provider.ts";
import type { Outlet } from "./frame-source.ts";
import { type RequestId, resultText } from "./jsonrpc.ts";
import { type MessageSource, SUBSCRIPTION_ID } from "./message-source.ts";

export interface EventStreamOptions {
  /** The request's: every message carries it as it came. */
  readonly id: RequestId;
  /** Makes the final result of its `_meta`. */
  readonly result: (meta: { [SUBSCRIPTION_ID]: RequestId }) => string;
  readonly profile: EventErrorProfile;
  /** Called once when the stream is over. */
  readonly onClosed: () => void;
}

type Phase = "new" | "open" | "ending" | "over";

export class EventStream implements MessageSource {
  readonly #options: EventStreamOptions;
  readonly #reader: EventReader;
  /** The end of every notification: whose it is. */
  readonly #tag: string;
  #outlet: Outlet | undefined;
  #phase: Phase = "new";
  #active = false;

  /**
   * @param open begins the reading; `wake` is to be called when there may be something new
   */
  constructor(options: EventStreamOptions, open: (wake: () => void) => EventReader) {
    this.#options = options;
    this.#tag = `"_meta":${JSON.stringify({ [SUBSCRIPTION_ID]: options.id })}}}`;
    this.#reader = open(() => this.#outlet?.wake());
  }

  attach(outlet: Outlet): void {
    this.#outlet = outlet;
    if (this.#phase === "new") this.#phase = "open";
    else outlet.end();
  }

  next(maxChars: number): readonly string[] {
    if (this.#phase === "over") return [];
    const messages: string[] = [];
    const reader = this.#reader;
    let chars = 0;
    if (!this.#active) {
      this.#active = true;
      messages.push(this.#activeNotice(reader.skipGap()));
    }
    while (this.#phase === "open" && chars < maxChars && reader.ended === undefined) {
      if (reader.skipGap()) messages.push(this.#activeNotice(true));
      const occurrence = reader.next();
      if (occurrence === undefined) break;
      const text = this.#notice("event", JSON.stringify(occurrence));
      messages.push(text);
      chars += text.length;
    }
    if (reader.ended !== undefined) {
      const error = errorObject(eventError(reader.ended, this.#options.profile));
      messages.push(this.#notice("terminated", `{"error":${error}}`));
      this.#phase = "ending";
    }
    if (this.#phase === "ending") {
      const { id, result } = this.#options;
      messages.push(resultText(id, result({ [SUBSCRIPTION_ID]: id })));
      this.#phase = "over";
      this.#outlet?.end();
    }
    return messages;
  }

  /** Nothing is said before the stream is active. */
  heartbeat(): string {
    if (!this.#active || this.#phase !== "open") return "";
    return this.#notice("heartbeat", JSON.stringify({ cursor: this.#reader.cursor }));
  }

  /** What the client has not been told yet it finds by its cursor on the next stream. */
  stop(): void {
    if (this.#phase === "over") return;
    this.#phase = "ending";
    this.#outlet?.end();
  }

  cancel(): void {
    this.#phase = "over";
    this.#outlet?.end();
  }

  closed(): void {
    this.#phase = "over";
    this.#outlet = undefined;
    this.#reader.close();
    this.#options.onClosed();
  }

  #activeNotice(truncated: boolean): string {
    return this.#notice("active", JSON.stringify({ cursor: this.#reader.cursor, truncated }));
  }

  /** @param params a JSON object with at least one member */
  #notice(kind: string, params: string): string {
    return `{"jsonrpc":"2.0","method":"notifications/events/${kind}","params":${params.slice(0, -1)},${this.#tag}`;
  }
}
