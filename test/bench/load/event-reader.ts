/**
 * Event streams as a receiver of the benchmark reads them: complete events only, the messages in
 * them, and the position to resume from.
 *
 * This file owns the cutting of a stream into events. It must never look at an event before all of
 * it has come, as a client would not either.
 */
import { type Hear, readMessages } from "./message-tag.ts";

/** Where an event says from where a stream can be resumed: what stands between two texts. */
export interface PositionMark {
  readonly before: Buffer;
  readonly after: Buffer;
}

const NEWLINE = 10;
const RETURN = 13;
const EMPTY_LINE = Buffer.from("\n\n");
const EMPTY_LINE_RETURN = Buffer.from("\n\r\n");

export class EventReader {
  readonly #hear: Hear;
  readonly #mark: PositionMark | undefined;
  /** The beginning of an event whose end has not come. */
  #rest: Buffer | undefined;
  /** Where to resume; undefined until an event says. */
  position: string | undefined;

  /** @param mark undefined = positions do not matter, which saves looking for them */
  constructor(hear: Hear, mark: PositionMark | undefined) {
    this.#hear = hear;
    this.#mark = mark;
  }

  /** Takes more of the stream. */
  push(given: Buffer, givenFrom: number, givenTo: number): void {
    let bytes = given;
    let from = givenFrom;
    let to = givenTo;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, given.subarray(from, to)]);
      from = 0;
      to = bytes.length;
      this.#rest = undefined;
    }
    const end = endsWithEmptyLine(bytes, from, to) ? to : lastEventEnd(bytes, from, to);
    if (end > from) this.#read(bytes, from, end);
    // The bytes are the socket's own and live only during this call.
    if (end < to) this.#rest = Buffer.from(bytes.subarray(end, to));
  }

  #read(bytes: Buffer, from: number, to: number): void {
    readMessages(bytes, from, to, this.#hear);
    if (this.#mark === undefined) return;
    const { before, after } = this.#mark;
    const events = bytes.subarray(from, to);
    const at = events.lastIndexOf(before);
    if (at === -1) return;
    const start = at + before.length;
    const end = events.indexOf(after, start);
    if (end !== -1) this.position = events.toString("latin1", start, end).trimEnd();
  }
}

function endsWithEmptyLine(bytes: Buffer, from: number, to: number): boolean {
  if (to - from < 2 || bytes[to - 1] !== NEWLINE) return false;
  return bytes[to - 2] === NEWLINE || (to - from > 2 && bytes[to - 2] === RETURN && bytes[to - 3] === NEWLINE);
}

/** Where the last complete event between two places ends; `from` if none does. */
function lastEventEnd(bytes: Buffer, from: number, to: number): number {
  const part = bytes.subarray(from, to);
  const plain = part.lastIndexOf(EMPTY_LINE);
  const returned = part.lastIndexOf(EMPTY_LINE_RETURN);
  if (plain === -1 && returned === -1) return from;
  return from + Math.max(plain + EMPTY_LINE.length, returned + EMPTY_LINE_RETURN.length);
}
