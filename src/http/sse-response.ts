/**
 * Event streams over Bun's direct streams: the one place that writes to a connection after its
 * response has begun.
 *
 * This file owns the bound on what waits in a connection: at most one write beyond what the peer
 * has taken. It must never write to a stream that has not drained, never write to all streams in one
 * turn, and never hold a request object, which would outlive its use.
 */

import { KEEP_ALIVE_SLICES, STREAM_STALL_MS_MAX, STREAM_WRITE_CHARS_MAX, STREAMS_PER_TURN_MAX } from "../limits.ts";
import { type BugLog, describeBug } from "../mcp/dispatch.ts";
import type { FrameSource, Outlet } from "../mcp/frame-source.ts";

export interface StreamWritersOptions {
  /** Streams open at once; beyond it `isFull`. */
  readonly streamsMax: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: BugLog;
}

/** All open streams of the server: who is to be written to next, and who has stopped reading. */
export class StreamWriters {
  readonly #options: StreamWritersOptions;
  /** The streams, spread over slices: one slice a tick gets its keep-alives. */
  readonly #slices: readonly Set<StreamWriter>[] = Array.from({ length: KEEP_ALIVE_SLICES }, () => new Set());
  readonly #stalled = new Set<StreamWriter>();
  #dirty: StreamWriter[] = [];
  #flushing = false;
  #opened = 0;
  #open = 0;
  #ticks = 0;
  #whenIdle: (() => void) | undefined;

  constructor(options: StreamWritersOptions) {
    this.#options = options;
  }

  /** Streams open at this moment. */
  get openCount(): number {
    return this.#open;
  }

  /** Streams whose peer does not read at this moment. */
  get stalledCount(): number {
    return this.#stalled.size;
  }

  get isFull(): boolean {
    return this.#open >= this.#options.streamsMax;
  }

  now(): number {
    return this.#options.now();
  }

  /**
   * Makes the body of a response that is written from `source` until one of the two ends it.
   * @param whenClosed called once, when the stream is over
   */
  body(source: FrameSource, whenClosed?: () => void): ReadableStream {
    const slice = this.#slices[this.#opened++ % KEEP_ALIVE_SLICES] ?? new Set();
    const writer = new StreamWriter(this, source, slice, whenClosed);
    slice.add(writer);
    this.#open++;
    return new ReadableStream(writer);
  }

  /**
   * Writes keep-alives to the next slice of the streams and cuts those that have stalled. To be
   * called `KEEP_ALIVE_SLICES` times per keep-alive interval.
   */
  tick(): void {
    const now = this.#options.now();
    for (const writer of this.#stalled) writer.cutIfStalled(now);
    for (const writer of this.#slices[this.#ticks++ % KEEP_ALIVE_SLICES] ?? []) writer.keepAlive();
  }

  /** Resolves once no stream is open. */
  idle(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  // --- for the streams of this file -----------------------------------------------------------

  /** Has a stream written to before this turn ends. */
  enqueue(writer: StreamWriter): void {
    this.#dirty.push(writer);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  /** Has a stream written to in the next turn, after what has come in meanwhile. */
  postpone(writer: StreamWriter): void {
    this.#dirty.push(writer);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(this.#flush);
  }

  stalled(writer: StreamWriter): void {
    this.#stalled.add(writer);
  }

  drained(writer: StreamWriter): void {
    this.#stalled.delete(writer);
  }

  closed(writer: StreamWriter, slice: Set<StreamWriter>): void {
    slice.delete(writer);
    this.#stalled.delete(writer);
    this.#open--;
    if (this.#open === 0) this.#whenIdle?.();
  }

  report(bug: unknown): void {
    this.#options.log.error("a stream failed unexpectedly", describeBug(bug));
  }

  /** Bound once: this runs after nearly every request. */
  readonly #flush = (): void => {
    const all = this.#dirty;
    this.#dirty = all.length > STREAMS_PER_TURN_MAX ? all.splice(STREAMS_PER_TURN_MAX) : [];
    for (const writer of all) writer.flush();
    this.#flushing = this.#dirty.length > 0;
    if (this.#flushing) setImmediate(this.#flush);
  };
}

/** The error that makes Bun reset a connection instead of waiting for a peer that does not read. */
const CUT = new Error("the reader does not drain");

class StreamWriter implements Outlet, Bun.DirectUnderlyingSource {
  readonly type = "direct";
  readonly #writers: StreamWriters;
  readonly #source: FrameSource;
  readonly #slice: Set<StreamWriter>;
  readonly #whenClosed: (() => void) | undefined;
  #controller: ReadableStreamDirectController | undefined;
  #dirty = false;
  #ending = false;
  #over = false;
  /** When the peer was first found not to drain, in milliseconds; undefined while it does. */
  #stalledAt: number | undefined;

  constructor(
    writers: StreamWriters,
    source: FrameSource,
    slice: Set<StreamWriter>,
    whenClosed: (() => void) | undefined,
  ) {
    this.#writers = writers;
    this.#source = source;
    this.#slice = slice;
    this.#whenClosed = whenClosed;
  }

  /** The runtime asks once, when the response begins. */
  pull(controller: ReadableStreamDirectController): void {
    if (this.#over) return;
    this.#controller = controller;
    this.#source.attach(this);
    this.flush();
  }

  /** The runtime says that the peer has gone. */
  cancel(): void {
    this.closed();
  }

  wake(): void {
    if (this.#dirty || this.#over) return;
    this.#dirty = true;
    this.#writers.enqueue(this);
  }

  end(): void {
    this.#ending = true;
    this.wake();
  }

  /** Writes what there is: one write, so that a turn costs one system call per stream. */
  flush(): void {
    this.#dirty = false;
    if (this.#over || this.#controller === undefined) return;
    if (this.#stalledAt !== undefined) {
      if (this.#source.overrun) this.#cut();
      return;
    }
    let text = "";
    try {
      for (let more = this.#pull(0); more !== ""; more = this.#pull(text.length)) text += more;
    } catch (bug) {
      this.#writers.report(bug);
      this.#cut();
      return;
    }
    if (text !== "") this.#write(text);
    if (this.#over || this.#stalledAt !== undefined) return;
    if (text.length >= STREAM_WRITE_CHARS_MAX) this.#continue();
    else if (this.#ending) this.#finish();
  }

  #pull(written: number): string {
    return written >= STREAM_WRITE_CHARS_MAX ? "" : this.#source.pull(STREAM_WRITE_CHARS_MAX - written);
  }

  #continue(): void {
    this.#dirty = true;
    this.#writers.postpone(this);
  }

  keepAlive(): void {
    if (this.#over || this.#stalledAt !== undefined || this.#controller === undefined) return;
    const text = this.#source.keepAlive();
    if (text !== "") this.#write(text);
  }

  #write(text: string): void {
    const written = this.#controller?.write(text);
    if (written === 0) this.closed();
    else if (typeof written === "object") {
      // The kernel takes no more. Bun has the text and resolves once the peer has read on.
      this.#stalledAt = this.#writers.now();
      this.#writers.stalled(this);
      this.#source.stalled?.();
      written.then(
        () => this.#drained(),
        () => this.closed(),
      );
    }
  }

  #drained(): void {
    if (this.#over) return;
    this.#stalledAt = undefined;
    this.#writers.drained(this);
    this.#source.drained?.();
    this.wake();
  }

  /** Cuts a reader that has not drained for too long, or for whom something was dropped meanwhile. */
  cutIfStalled(now: number): void {
    if (this.#stalledAt === undefined) return;
    if (now - this.#stalledAt >= STREAM_STALL_MS_MAX || this.#source.overrun) this.#cut();
  }

  /** Resets the connection: a peer that does not read would not see a clean end, and its memory would stay. */
  #cut(): void {
    const controller = this.#controller;
    this.closed();
    controller?.close(CUT);
  }

  #finish(): void {
    const controller = this.#controller;
    this.closed();
    controller?.close();
  }

  /** The connection is over; Bun says so only if the peer ended it. */
  closed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller = undefined;
    this.#writers.closed(this, this.#slice);
    this.#source.closed();
    this.#whenClosed?.();
  }
}
