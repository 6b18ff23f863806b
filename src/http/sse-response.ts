/**
 * Event streams over Bun's direct streams: the one place that writes to a connection after its
 * response has begun.
 *
 * This file owns the bound on what waits in a connection: at most one write beyond what the peer
 * has taken. It must never write to a stream that has not drained, never write to all streams in one
 * turn, and never hold a request object, which would outlive its use.
 */

import {
  KEEP_ALIVE_SLICES,
  STREAM_ENDS_PER_TURN_MAX,
  STREAM_STALL_MS_MAX,
  STREAM_WRITE_CHARS_MAX,
  STREAMS_PER_TURN_MAX,
} from "../limits.ts";
import { type BugLog, describeBug } from "../mcp/dispatch.ts";
import type { FrameSource, Outlet } from "../mcp/frame-source.ts";
import type { Safety } from "./safety.ts";

export interface StreamWritersOptions {
  /** Streams open at once; beyond it `isFull`. */
  readonly streamsMax: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: BugLog;
  /** Asked before anything is written: whether what was done until now is kept. */
  readonly safety?: Pick<Safety, "makeSafe"> | undefined;
}

/** How streams end: by their client or by the server, cut as a reader that stopped or fell too far behind, or by a bug. */
export type StreamEnd = "client" | "server" | "stalled" | "overrun" | "failed";

/** All open streams of the server: who is to be written to next, and who has stopped reading. */
export class StreamWriters {
  readonly #options: StreamWritersOptions;
  /** The streams, spread over slices: one slice a tick gets its keep-alives. */
  readonly #slices: readonly Set<StreamWriter>[] = Array.from({ length: KEEP_ALIVE_SLICES }, () => new Set());
  readonly #stalled = new Set<StreamWriter>();
  /** Streams closed so far. */
  readonly closedCounts: Record<StreamEnd, number> = { client: 0, server: 0, stalled: 0, overrun: 0, failed: 0 };
  #dirty: StreamWriter[] = [];
  #flushing = false;
  #opened = 0;
  #open = 0;
  #ticks = 0;
  #whenIdle: (() => void) | undefined;
  /** Ends of streams that their sources have not been told of yet, oldest first. */
  readonly #untold: (() => void)[] = [];
  #endsToldInTurn = 0;

  constructor(options: StreamWritersOptions) {
    this.#options = options;
  }

  /** Streams opened so far. */
  get openedCount(): number {
    return this.#opened;
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
    if (this.#open === 0 && this.#untold.length === 0) return Promise.resolve();
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

  /** Whether everything done until now is kept, so that it can be told. */
  mayTell(): boolean {
    return this.#options.safety?.makeSafe() ?? true;
  }

  stalled(writer: StreamWriter): void {
    this.#stalled.add(writer);
  }

  drained(writer: StreamWriter): void {
    this.#stalled.delete(writer);
  }

  /**
   * Counts a stream as closed and tells its source: at once, unless so many end in this turn that
   * others would have to wait, as when a network goes and takes thousands along.
   */
  closed(writer: StreamWriter, slice: Set<StreamWriter>, end: StreamEnd, tell: () => void): void {
    this.closedCounts[end]++;
    slice.delete(writer);
    this.#stalled.delete(writer);
    this.#open--;
    if (this.#endsToldInTurn === 0) setImmediate(this.#tellEnds);
    if (this.#endsToldInTurn++ < STREAM_ENDS_PER_TURN_MAX) tell();
    else this.#untold.push(tell);
    this.#checkIdle();
  }

  readonly #tellEnds = (): void => {
    const now = this.#untold.splice(0, STREAM_ENDS_PER_TURN_MAX);
    this.#endsToldInTurn = now.length;
    if (now.length > 0) setImmediate(this.#tellEnds);
    for (const tell of now) tell();
    this.#checkIdle();
  };

  #checkIdle(): void {
    if (this.#open === 0 && this.#untold.length === 0) this.#whenIdle?.();
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
    this.closed("client");
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
      if (this.#source.overrun) this.#cut("overrun");
      return;
    }
    let text = "";
    try {
      for (let more = this.#pull(0); more !== ""; more = this.#pull(text.length)) text += more;
    } catch (bug) {
      this.#writers.report(bug);
      this.#cut("failed");
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
    // What was pulled may tell of what happened a moment ago, in this very turn.
    if (!this.#writers.mayTell()) return;
    const written = this.#controller?.write(text);
    if (written === 0) this.closed("client");
    else if (typeof written === "object") {
      // The kernel takes no more. Bun has the text and resolves once the peer has read on.
      this.#stalledAt = this.#writers.now();
      this.#writers.stalled(this);
      this.#source.stalled?.();
      written.then(
        () => this.#drained(),
        () => this.closed("client"),
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
    if (this.#source.overrun) this.#cut("overrun");
    else if (now - this.#stalledAt >= STREAM_STALL_MS_MAX) this.#cut("stalled");
  }

  /** Resets the connection: a peer that does not read would not see a clean end, and its memory would stay. */
  #cut(end: StreamEnd): void {
    const controller = this.#controller;
    this.closed(end);
    controller?.close(CUT);
  }

  #finish(): void {
    const controller = this.#controller;
    this.closed("server");
    controller?.close();
  }

  /** The connection is over; Bun says so only if the peer ended it. */
  closed(end: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller = undefined;
    this.#writers.closed(this, this.#slice, end, () => {
      this.#source.closed();
      this.#whenClosed?.();
    });
  }
}
