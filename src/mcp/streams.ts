/**
 * The GET streams of legacy sessions: which of a session's streams delivers, from where, and when
 * another one takes over (2025-11-25, Streamable HTTP, "Listening for messages" and "Resumability
 * and redelivery").
 *
 * This file owns the rule that a session has at most one reader of its notifications at any time,
 * so that no message goes out on two streams. It must never buffer notifications.
 */

import { SESSION_STREAMS_MAX, STREAM_RETRY_MS } from "../limits.ts";
import type { FrameSource, Outlet } from "./frame-source.ts";
import type { PushReader, Wakeable } from "./registry.ts";
import type { Session } from "./session.ts";
import { SettledPosition } from "./settled.ts";
import { encodeComment, encodeFrame, encodeMessage } from "./sse.ts";

const OPENING = encodeComment("ok");
const KEEP_ALIVE = encodeComment("ka");
/** Tells a client that the connection will close and when to come back. */
const FAREWELL = encodeFrame({ retryMs: STREAM_RETRY_MS });
/** Event ids name the stream they belong to: all GET streams of a session read the same notifications. */
const GET_STREAM = "g.";

/** Whether the session may be sent events without data (2025-11-25): older clients parse the empty text as JSON. */
function admitsEmptyEvents(session: Session): boolean {
  return session.revision >= "2025-11-25";
}

/** What streams are written from: `PushSource.open` for a whole session. */
export interface SessionSource {
  open(session: Session, resume: string | null, listener: Wakeable, settled?: string): PushReader | "malformed";
}

export class SessionStreams {
  readonly #source: SessionSource;
  readonly #now: () => number;
  /** Of each session that has any, newest last. The newest one delivers. */
  readonly #streams = new Map<string, GetStream[]>();

  constructor(source: SessionSource, now: () => number) {
    this.#source = source;
    this.#now = now;
  }

  /**
   * Opens a stream and makes it the session's delivering one.
   * @param lastEventId the `Last-Event-ID` header: delivery goes on exactly after it
   * @returns "malformed" if `lastEventId` is none this server ever sent; nothing has changed then
   */
  open(session: Session, lastEventId: string | null): FrameSource | "malformed" {
    if (lastEventId !== null && !lastEventId.startsWith(GET_STREAM)) return "malformed";
    const resume = lastEventId === null ? null : lastEventId.slice(GET_STREAM.length);
    const streams = this.#streams.get(session.id) ?? [];
    const stream = new GetStream(this, session, this.#now);
    if (!stream.takeOver(this.#source, streams.at(-1), resume)) return "malformed";
    streams.push(stream);
    this.#streams.set(session.id, streams);
    if (streams.length > SESSION_STREAMS_MAX) streams.shift()?.end();
    return stream;
  }

  /** Whether the session has a stream open. */
  isOpen(session: string): boolean {
    return this.#streams.has(session);
  }

  /** Ends all streams of a session. */
  endSession(session: string): void {
    const streams = this.#streams.get(session) ?? [];
    this.#streams.delete(session);
    streams.at(-1)?.stopReading();
    for (const stream of streams) stream.end();
  }

  /**
   * Has all streams end and tell their clients to come back. A reader is given up as its connection ends: for
   * thousands that takes many turns.
   */
  stop(): void {
    for (const streams of this.#streams.values()) for (const stream of streams) stream.endWithFarewell();
  }

  /** A stream's connection is over: if it was delivering, the newest remaining one goes on. */
  streamClosed(stream: GetStream): void {
    const streams = this.#streams.get(stream.session.id);
    const index = streams?.indexOf(stream) ?? -1;
    if (streams === undefined || index === -1) return;
    const wasDelivering = index === streams.length - 1;
    streams.splice(index, 1);
    if (streams.length === 0) this.#streams.delete(stream.session.id);
    if (!wasDelivering) return;
    const next = streams.at(-1);
    if (next === undefined || next.isSilent) stream.stopReading();
    else if (next.takeOver(this.#source, stream, null)) next.wake();
  }
}

/** One open GET. It delivers while it holds the session's reader; otherwise it only stays open. */
class GetStream implements FrameSource, Wakeable {
  readonly session: Session;
  /** It says nothing more of what happens: it is to end, and the end of others is no news to its client. */
  isSilent = false;
  readonly #table: SessionStreams;
  readonly #now: () => number;
  #outlet: Outlet | undefined;
  #reader: PushReader | undefined;
  #settled: SettledPosition | undefined;
  #opened = false;
  #isEnding = false;
  /** Written before anything else. */
  #waiting = "";

  constructor(table: SessionStreams, session: Session, now: () => number) {
    this.#table = table;
    this.session = session;
    this.#now = now;
  }

  get overrun(): boolean {
    return this.#reader?.overrun ?? false;
  }

  /**
   * Becomes the delivering stream, in place of `previous` if there is one.
   * @param resume as in `PushSource.open`
   * @returns false if it is malformed; nothing has changed then
   */
  takeOver(source: SessionSource, previous: GetStream | undefined, resume: string | null): boolean {
    const settled = previous?.settledPosition();
    const reader = source.open(this.session, resume, this, settled);
    if (reader === "malformed") return false;
    this.#reader = reader;
    previous?.stopReading();
    return true;
  }

  /** What surely has been read of what this stream wrote. */
  settledPosition(): string | undefined {
    return this.#settled?.at(this.#now());
  }

  /** Gives the reader up, if this stream has it. */
  stopReading(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    const settled = this.settledPosition();
    this.#settled = undefined;
    reader.close(settled);
  }

  wake(): void {
    this.#outlet?.wake();
  }

  end(): void {
    this.#isEnding = true;
    this.#outlet?.end();
  }

  endWithFarewell(): void {
    // Whoever is cut off says so again and again.
    if (this.isSilent) return;
    this.isSilent = true;
    if (admitsEmptyEvents(this.session)) this.#waiting += FAREWELL;
    this.end();
  }

  attach(outlet: Outlet): void {
    this.#outlet = outlet;
    // It may be over before its connection is ready.
    if (this.#isEnding) outlet.end();
  }

  pull(maxChars: number): string {
    let frames = this.#waiting;
    this.#waiting = "";
    const reader = this.#reader;
    if (!this.#opened) {
      this.#opened = true;
      frames += this.#opening();
    }
    if (reader === undefined || this.isSilent) return frames;
    const items = reader.next(maxChars - frames.length);
    if (items.length === 0) return frames;
    let last: string | undefined;
    for (const { json, position } of items) {
      frames += encodeMessage(json, position === undefined ? undefined : GET_STREAM + position);
      last = position;
    }
    this.#settled ??= new SettledPosition();
    this.#settled.written(last ?? reader.position, this.#now());
    return frames;
  }

  /** A first event with an id lets a client resume even if the connection drops before any notification. */
  #opening(): string {
    if (this.#reader === undefined || !admitsEmptyEvents(this.session)) return OPENING;
    return encodeFrame({ id: GET_STREAM + this.#reader.position, retryMs: STREAM_RETRY_MS, data: "" });
  }

  keepAlive(): string {
    return KEEP_ALIVE;
  }

  stalled(): void {
    this.#settled?.disturbed(this.#now());
  }

  drained(): void {
    if (this.#reader !== undefined) this.#settled?.written(this.#reader.position, this.#now());
  }

  closed(): void {
    this.#outlet = undefined;
    this.#table.streamClosed(this);
  }
}
