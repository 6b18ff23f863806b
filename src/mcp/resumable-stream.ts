/**
 * The response stream of a legacy call that its client may resume: every message has an id, and what
 * was sent is kept for a while after the connection is gone (2025-11-25, Streamable HTTP,
 * "Resumability and redelivery").
 *
 * This file owns the ids of those streams and how long they are kept. It must never give one session
 * what belongs to another, and never drop the answer while the stream is kept.
 */

import { randomBytes, sha256 } from "../crypto.ts";
import {
  EVENT_ID_CALL_CHARS_MAX,
  EVENT_ID_REQUEST_CHARS_MAX,
  RESPONSE_BACKLOG_CHARS_MAX,
  RESUMABLE_CHARS_MAX,
  RESUMABLE_MS,
  RESUMABLE_STREAMS_MAX,
  STREAM_RETRY_MS,
} from "../limits.ts";
import type { FrameSource, Outlet } from "./frame-source.ts";
import { idText, type RequestId } from "./jsonrpc.ts";
import { LostAnswer, readRequest, writeRequest } from "./lost-answer.ts";
import type { RepeatedCall, RepeatedCalls } from "./repeated-call.ts";
import type { AnswerStream, MessageKind } from "./response-stream.ts";
import { encodeComment, encodeFrame, encodeMessage } from "./sse.ts";

const KEEP_ALIVE = encodeComment("ka");
/**
 * Event ids name their stream: `p`, its number, a dot, the message's number. All but the answer's also say what
 * whoever does not know the stream needs: after a tilde the call itself, if it may be made again, else after a dot
 * the request's id, to tell its client that the answer is lost.
 */
const EVENT_ID = new RegExp(
  `^p(\\d{1,15})\\.(\\d{1,15})(?:\\.([\\w-]{1,${EVENT_ID_REQUEST_CHARS_MAX}})|~([\\w-]{1,${EVENT_ID_CALL_CHARS_MAX}}))?$`,
);

/** Whether a `Last-Event-ID` names a response stream. */
export function namesResponseStream(eventId: string | null): eventId is string {
  return eventId?.startsWith("p") ?? false;
}

/** All response streams that can be resumed. */
export class ResumableStreams {
  readonly #now: () => number;
  readonly #repeats: Pick<RepeatedCalls, "read">;
  readonly #streams = new Map<number, ResumableStream>();
  /** Those without a connection, in the order in which they lost it. */
  readonly #idle = new Set<ResumableStream>();
  #idleChars = 0;
  /** The calls that were cancelled last, oldest first. */
  readonly #cancelled = new Set<string>();
  // Sessions may outlive the process, and ids must not be given twice within one.
  #last = randomBytes(6).readUIntBE(0, 5);

  /**
   * @param now milliseconds, of any origin
   * @param repeats reads the calls in event ids
   */
  constructor(now: () => number, repeats: Pick<RepeatedCalls, "read">) {
    this.#now = now;
    this.#repeats = repeats;
  }

  /** Streams kept at this moment, with a connection and without. */
  get count(): number {
    return this.#streams.size;
  }

  /**
   * @param request the id of the request that the stream answers
   * @param repeat the whole call, if it may be made again
   */
  open(session: string, request: RequestId, repeat: string | undefined, owner: StreamOwner): ResumableStream {
    const written = writeRequest(request);
    const named = written === "" ? "" : `.${written}`;
    const suffix = repeat === undefined ? named : `~${repeat}`;
    const stream = new ResumableStream(this, ++this.#last, session, suffix, owner);
    this.#streams.set(stream.number, stream);
    return stream;
  }

  /**
   * Goes on with a stream after the named event, in place of the connection that had it.
   * @returns "malformed" if it is no id of such a stream, "nothing" if there is nothing more to say to this session;
   *   of a stream that is not known here, the call to be made again, or the request whose answer is lost
   */
  resume(session: string, eventId: string): FrameSource | LostAnswer | RepeatedCall | "malformed" | "nothing" {
    const [, number, sequence, request, sealed] = EVENT_ID.exec(eventId) ?? [];
    if (number === undefined || sequence === undefined) return "malformed";
    const named = request === undefined ? undefined : readRequest(request);
    if (request !== undefined && named === undefined) return "malformed";
    const stream = this.#streams.get(Number(number));
    if (stream !== undefined) {
      const isOver = stream.session !== session || stream.isExhausted(Number(sequence));
      return isOver ? "nothing" : stream.connect(Number(sequence));
    }
    const repeat = sealed === undefined ? undefined : this.#repeats.read(session, sealed);
    const id = repeat?.repeated.id ?? named;
    if (id === undefined || this.#cancelled.has(cancelKey(session, id))) return "nothing";
    return repeat ?? new LostAnswer(id, `p${number}.${Number(sequence) + 1}`);
  }

  /** A client has cancelled a call, here or elsewhere: nothing is lost to it, should it come back for the rest. */
  noteCancelled(session: string, request: RequestId): void {
    this.#cancelled.add(cancelKey(session, request));
    if (this.#cancelled.size <= RESUMABLE_STREAMS_MAX) return;
    const oldest = this.#cancelled.keys().next();
    if (oldest.done === false) this.#cancelled.delete(oldest.value);
  }

  /** Gives up what has been without a connection for too long. To be called now and then. */
  sweep(): void {
    const now = this.#now();
    for (const stream of this.#idle) {
      const over =
        now - stream.idleSince >= RESUMABLE_MS ||
        this.#idle.size > RESUMABLE_STREAMS_MAX ||
        this.#idleChars > RESUMABLE_CHARS_MAX;
      if (!over) return;
      this.drop(stream);
    }
  }

  // --- for the streams of this file -----------------------------------------------------------

  becameIdle(stream: ResumableStream): void {
    stream.idleSince = this.#now();
    this.#idle.add(stream);
    this.#idleChars += stream.chars;
    if (this.#idle.size > RESUMABLE_STREAMS_MAX || this.#idleChars > RESUMABLE_CHARS_MAX) this.sweep();
  }

  becameBusy(stream: ResumableStream): void {
    if (this.#idle.delete(stream)) this.#idleChars -= stream.chars;
  }

  /** The messages of an idle stream have become more or fewer. */
  grew(stream: ResumableStream, chars: number): void {
    if (this.#idle.has(stream)) this.#idleChars += chars;
  }

  drop(stream: ResumableStream): void {
    this.becameBusy(stream);
    this.#streams.delete(stream.number);
    stream.dropped();
  }
}

/** Short, whatever a client takes for an id. */
function cancelKey(session: string, request: RequestId): string {
  const id = idText(request);
  return `${session} ${id.length <= EVENT_ID_REQUEST_CHARS_MAX ? id : sha256(id)}`;
}

/** What the call behind a stream hears of it, as long as its answer has not been given. */
export interface StreamOwner {
  /** The connection was lost, or one is back. */
  connected(connected: boolean): void;
  /** The stream can no longer be resumed. Called once at most. */
  gone(): void;
}

interface SentMessage {
  readonly sequence: number;
  readonly json: string;
  readonly kind: MessageKind;
}

/** One response stream, over as many connections as its client needs. */
export class ResumableStream implements AnswerStream {
  readonly number: number;
  readonly session: string;
  readonly source: Connection;
  /** When the last connection was lost; for whoever keeps the idle ones. */
  idleSince = 0;
  readonly #streams: ResumableStreams;
  readonly #owner: StreamOwner;
  /** What event ids end with that come before the answer's. */
  readonly #suffix: string;
  #messages: SentMessage[] = [];
  #chars = 0;
  #sequence = 0;
  /** Sequence up to which messages have been handed to a connection. */
  #written = 0;
  #connection: Connection | undefined;
  #finished = false;
  #dropped = false;

  constructor(streams: ResumableStreams, number: number, session: string, suffix: string, owner: StreamOwner) {
    this.#suffix = suffix;
    this.#streams = streams;
    this.number = number;
    this.session = session;
    this.#owner = owner;
    this.source = new Connection(this, 0);
    this.#connection = this.source;
  }

  /** UTF-16 units of what is kept. */
  get chars(): number {
    return this.#chars;
  }

  get isFinished(): boolean {
    return this.#finished;
  }

  /** Whether nothing will ever come after a message. */
  isExhausted(sequence: number): boolean {
    return this.#finished && sequence >= this.#sequence;
  }

  send(json: string, kind: MessageKind): void {
    if (this.#finished || this.#dropped) return;
    // Whoever comes back wants to know how far it is, not how it got there.
    if (kind === "progress") this.#keep((message) => message.kind !== "progress" || message.sequence > this.#written);
    if (this.#chars > RESPONSE_BACKLOG_CHARS_MAX) {
      this.#keep((message) => message.kind === "question" || message.sequence > this.#written);
      if (kind !== "question" && this.#chars > RESPONSE_BACKLOG_CHARS_MAX) return;
    }
    this.#add(json, kind);
    this.#connection?.wake();
  }

  withdraw(json: string): void {
    this.#keep((message) => message.kind !== "question" || message.json !== json);
  }

  finish(json: string | undefined): void {
    if (this.#finished || this.#dropped) return;
    this.#finished = true;
    if (json !== undefined) this.#add(json, "answer");
    this.#connection?.end();
    // Without an answer there is nothing to come back for.
    if (json === undefined) this.#streams.drop(this);
  }

  closeConnection(): void {
    if (!this.#finished) this.#connection?.endWithRetry();
  }

  survivesDisconnect(): boolean {
    // A connection that was written to says itself when it is over; this one perhaps never was.
    if (!this.source.wasWritten) this.connectionClosed(this.source);
    return true;
  }

  /** Goes on after a message with a new connection. */
  connect(after: number): Connection {
    this.#streams.becameBusy(this);
    const previous = this.#connection;
    this.#connection = new Connection(this, Math.min(after, this.#sequence));
    previous?.release();
    if (previous === undefined && !this.#finished) this.#owner.connected(true);
    return this.#connection;
  }

  // --- for connections and the table of this file ---------------------------------------------

  /** The frames after a message. */
  framesAfter(sequence: number): { readonly frames: string; readonly last: number } {
    let frames = "";
    for (const { sequence: at, json, kind } of this.#messages) {
      if (at <= sequence) continue;
      frames += encodeMessage(json, kind === "answer" ? `p${this.number}.${at}` : this.eventId(at));
    }
    this.#written = Math.max(this.#written, this.#sequence);
    return { frames, last: this.#sequence };
  }

  /** Of a message that is not the answer. */
  eventId(sequence: number): string {
    return `p${this.number}.${sequence}${this.#suffix}`;
  }

  connectionClosed(connection: Connection): void {
    if (connection !== this.#connection || this.#dropped) return;
    this.#connection = undefined;
    this.#streams.becameIdle(this);
    if (!this.#finished) this.#owner.connected(false);
  }

  /** Nothing can be resumed any more. */
  dropped(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#connection?.end();
    this.#connection = undefined;
    if (!this.#finished) this.#owner.gone();
  }

  #add(json: string, kind: MessageKind): void {
    this.#messages.push({ sequence: ++this.#sequence, json, kind });
    this.#resize(json.length);
  }

  #keep(wanted: (message: SentMessage) => boolean): void {
    let freed = 0;
    const kept = this.#messages.filter((message) => {
      if (wanted(message)) return true;
      freed += message.json.length;
      return false;
    });
    if (freed === 0) return;
    this.#messages = kept;
    this.#resize(-freed);
  }

  #resize(chars: number): void {
    this.#chars += chars;
    this.#streams.grew(this, chars);
  }
}

/** One connection of a response stream. */
class Connection implements FrameSource {
  readonly overrun = false;
  readonly #stream: ResumableStream;
  #outlet: Outlet | undefined;
  #position: number;
  #opened = false;
  #ending = false;
  #released = false;
  #farewell = "";

  constructor(stream: ResumableStream, position: number) {
    this.#stream = stream;
    this.#position = position;
  }

  get wasWritten(): boolean {
    return this.#opened;
  }

  wake(): void {
    this.#outlet?.wake();
  }

  end(): void {
    this.#ending = true;
    this.#outlet?.end();
  }

  /** Another connection has the stream now: what is left is said there. */
  release(): void {
    this.#released = true;
    this.end();
  }

  endWithRetry(): void {
    this.#farewell = encodeFrame({ retryMs: STREAM_RETRY_MS });
    this.end();
  }

  attach(outlet: Outlet): void {
    this.#outlet = outlet;
    if (this.#ending || this.#stream.isFinished) outlet.end();
  }

  pull(): string {
    let frames = "";
    if (!this.#opened) {
      this.#opened = true;
      // An id before anything else, so that the client can come back even if the connection drops now.
      frames = encodeFrame({ id: this.#stream.eventId(this.#position), retryMs: STREAM_RETRY_MS, data: "" });
    }
    if (this.#released) return frames;
    const more = this.#stream.framesAfter(this.#position);
    this.#position = more.last;
    frames += more.frames + this.#farewell;
    this.#farewell = "";
    return frames;
  }

  keepAlive(): string {
    return KEEP_ALIVE;
  }

  closed(): void {
    this.#outlet = undefined;
    this.#stream.connectionClosed(this);
  }
}
