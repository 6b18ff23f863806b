/**
 * A reader of one event stream over real HTTP, frame by frame.
 *
 * This file owns reading for tests. It must never wait longer than its bound: a frame that does not
 * come is a failed test, not a hanging one.
 */

import { SseDecoder, type SseFrame } from "../../src/mcp/sse.ts";

const PATIENCE_MS = 5000;

/** The part of a body's reader that is used; its full type differs between the libraries that declare it. */
interface Chunks {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

export class StreamReader {
  readonly response: Response;
  readonly #decoder = new SseDecoder();
  readonly #frames: SseFrame[] = [];
  readonly #chunks: Chunks | undefined;
  readonly #text = new TextDecoder();
  /** Everything received, comments included. */
  raw = "";

  private constructor(response: Response) {
    this.response = response;
    this.#chunks = response.body?.getReader();
  }

  /** Opens a stream; what goes wrong is in `response`. */
  static async open(url: string, init: RequestInit): Promise<StreamReader> {
    return new StreamReader(await fetch(url, init));
  }

  /** Of a response that is here already. */
  static of(response: Response): StreamReader {
    return new StreamReader(response);
  }

  /** A session's GET stream. */
  static get(url: string, headers: Record<string, string>): Promise<StreamReader> {
    return StreamReader.open(url, { headers: { accept: "text/event-stream", ...headers } });
  }

  /** The next frame; undefined when the stream has ended. Throws if it broke off. */
  async next(): Promise<SseFrame | undefined> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (!(await this.more())) return undefined;
    }
  }

  /** The next frame that carries a message. */
  async message(): Promise<{ id: string | undefined; message: Record<string, unknown> } | undefined> {
    for (let frame = await this.next(); frame !== undefined; frame = await this.next()) {
      if (frame.data) return { id: frame.id, message: JSON.parse(frame.data) };
    }
    return undefined;
  }

  /** Waits for more bytes. @returns false when the stream has ended */
  async more(): Promise<boolean> {
    if (this.#chunks === undefined) return false;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`nothing more after ${JSON.stringify(this.raw)}`)), PATIENCE_MS);
    try {
      const { done, value } = await Promise.race([this.#chunks.read(), late]);
      if (done) return false;
      const text = this.#text.decode(value, { stream: true });
      this.raw += text;
      this.#frames.push(...this.#decoder.push(text));
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Drops the connection. */
  async close(): Promise<void> {
    await this.#chunks?.cancel();
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`it never held: ${holds}`);
    await Bun.sleep(1);
  }
}
