/**
 * The network of one client: a `fetch` that can be cut like a cable, and that remembers what a
 * client's process would have to remember in order to resume a stream.
 *
 * This file owns no protocol. It must never change a byte of what passes.
 */

import { Arrivals } from "./client-deadline.ts";

const EVENT_ID = /^id: ?(.*)$/;

export class Line {
  #cable = new AbortController();
  #cuts = 0;
  #lastEventId: string | undefined;
  /** `Last-Event-ID` of every stream that was asked for. */
  readonly resumedFrom: (string | null)[] = [];
  /** Event ids of answers that are streamed, as they come. */
  readonly answerIds = new Arrivals<string>();

  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  get cuts(): number {
    return this.#cuts;
  }

  /** Breaks everything that is open at this moment. What is asked for afterwards goes through. */
  cut(): void {
    this.#cuts++;
    const cable = this.#cable;
    this.#cable = new AbortController();
    cable.abort(new Error("the cable was cut"));
  }

  readonly fetch = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
    const signals = [this.#cable.signal, ...(init.signal ? [init.signal] : [])];
    const isStream = init.method === "GET";
    if (isStream) this.resumedFrom.push(new Headers(init.headers).get("last-event-id"));
    const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (!isEvents || response.body === null) return response;
    const note = (id: string): void => {
      if (isStream) this.#lastEventId = id;
      else this.answerIds.put(id);
    };
    return new Response(response.body.pipeThrough(this.#noteEventIds(note)), response);
  };

  #noteEventIds(note: (id: string) => void): TransformStream<Uint8Array, Uint8Array> {
    const decoder = new TextDecoder();
    let rest = "";
    let id: string | undefined;
    return new TransformStream({
      transform: (chunk, passOn) => {
        passOn.enqueue(chunk);
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          id = EVENT_ID.exec(line)?.[1] ?? id;
          // An event counts as received at the empty line that ends it.
          if (line === "" && id !== undefined) note(id);
        }
      },
    });
  }
}
