/**
 * The network of one client: a `fetch` that can be cut like a cable, and that remembers what a
 * client's process would have to remember in order to resume a stream.
 *
 * This file owns no protocol. It must never change a byte of what passes.
 */

const EVENT_ID = /^id: ?(.*)$/;

export class Line {
  #cable = new AbortController();
  #cuts = 0;
  #lastEventId: string | undefined;
  /** `Last-Event-ID` of every stream that was asked for. */
  readonly resumedFrom: (string | null)[] = [];

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
    if (!isStream || !response.ok || response.body === null) return response;
    return new Response(response.body.pipeThrough(this.#noteEventIds()), response);
  };

  #noteEventIds(): TransformStream<Uint8Array, Uint8Array> {
    const decoder = new TextDecoder();
    let rest = "";
    let id: string | undefined;
    return new TransformStream({
      transform: (chunk, passOn) => {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          id = EVENT_ID.exec(line)?.[1] ?? id;
          // An event counts as received at the empty line that ends it.
          if (line === "") this.#lastEventId = id;
        }
        passOn.enqueue(chunk);
      },
    });
  }
}
