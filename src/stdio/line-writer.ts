/**
 * Everything that goes out over one pipe: answers as they are ready, and messages pulled from what
 * is open, one write at a time and never ahead of the reader.
 *
 * This file owns the order of writes and the bound on what waits for them. It must never read, and
 * never know what a message means.
 */

import { PIPE_BACKLOG_CHARS_MAX, STREAM_WRITE_CHARS_MAX } from "../limits.ts";
import { encodeLine } from "../mcp/ndjson.ts";

/** Where the lines go. */
export interface LineSink {
  /** Resolves when the reader's side has taken the text; rejects once it is gone for good. */
  write(text: string): Promise<void>;
}

/** Something whose messages are pulled when there is room for them. */
export interface LineSource {
  /** Messages to write now, about `maxChars` UTF-16 units; empty when there is nothing. */
  next(maxChars: number): readonly string[];
}

export class LineWriter {
  readonly #sink: LineSink;
  readonly #onBroken: () => void;
  #waiting = "";
  /** Sources that may have something, in the order in which they said so. */
  readonly #ready = new Set<LineSource>();
  #writing = false;
  #written: Promise<void> = Promise.resolve();
  #roomMade: PromiseWithResolvers<void> | undefined;
  #broken = false;

  /** @param onBroken called once when nobody reads any more */
  constructor(sink: LineSink, onBroken: () => void) {
    this.#sink = sink;
    this.#onBroken = onBroken;
  }

  /** Whether so much waits that no more should be caused. */
  get isFull(): boolean {
    return this.#waiting.length > PIPE_BACKLOG_CHARS_MAX;
  }

  /** Writes a message in its turn. Bounded by who calls: one answer per request taken in. */
  send(json: string): void {
    if (this.#broken) return;
    this.#waiting += encodeLine(json);
    this.#run();
  }

  /** A source may have something to say. */
  ready(source: LineSource): void {
    if (this.#broken) return;
    this.#ready.add(source);
    this.#run();
  }

  /** Resolves when no more than the bound waits, or nobody reads any more. */
  room(): Promise<void> {
    if (!this.isFull) return Promise.resolve();
    this.#roomMade ??= Promise.withResolvers();
    return this.#roomMade.promise;
  }

  /** Resolves when everything there is has been written, or nobody reads any more. */
  async idle(): Promise<void> {
    while (this.#writing) await this.#written;
  }

  #run(): void {
    if (this.#writing) return;
    this.#writing = true;
    this.#written = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // What is said in one turn goes out in one write.
    await Promise.resolve();
    try {
      for (let text = this.#take(); text !== ""; text = this.#take()) await this.#sink.write(text);
    } catch (_nobodyReads) {
      this.#broken = true;
      this.#waiting = "";
      this.#ready.clear();
      this.#roomMade?.resolve();
      this.#onBroken();
    } finally {
      // In the same turn as the last look, so that no call in between goes unheard.
      this.#writing = false;
    }
  }

  /** Answers first, then the sources in turn, each as much as fits into one write. */
  #take(): string {
    let text = this.#waiting;
    this.#waiting = "";
    this.#roomMade?.resolve();
    this.#roomMade = undefined;
    for (const source of this.#ready) {
      const room = STREAM_WRITE_CHARS_MAX - text.length;
      if (room <= 0) break;
      this.#ready.delete(source);
      const messages = source.next(room);
      for (const json of messages) text += encodeLine(json);
      // It may have more; the others come first.
      if (messages.length > 0) this.#ready.add(source);
      if (text.length >= STREAM_WRITE_CHARS_MAX) break;
    }
    return text;
  }
}
