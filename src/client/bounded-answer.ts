/**
 * Answers of a server within bounds: a body that never ends, or one endless event of a stream, is cut off
 * and its connection dropped.
 *
 * This file owns the counting. It must never look at what a body says, nor hold any of it back.
 */

/** An answer went beyond its bound. Holds nothing the server said. */
export class AnswerTooLong extends Error {
  constructor() {
    super("the server's answer is too long");
  }
}

/**
 * The same answer; its body fails with `AnswerTooLong` at the piece that leads beyond the bound.
 * @param bytesMax of the body, or of one event of an event stream: a stream may go on for ever
 * @param onTooLong told first, once
 */
export function boundedAnswer(response: Response, bytesMax: number, onTooLong: () => void): Response {
  const { body, status, statusText, headers } = response;
  if (body === null) return response;
  const isStream = headers.get("content-type")?.toLowerCase().startsWith("text/event-stream") === true;
  const kept = isStream ? new UnfinishedEvent() : new WholeBody();
  const reader = body.getReader();
  const bounded = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) {
        controller.close();
        return;
      }
      if (kept.longestWith(value) <= bytesMax) {
        controller.enqueue(value);
        return;
      }
      onTooLong();
      const fault = new AnswerTooLong();
      controller.error(fault);
      // The rest is of no use to anybody, so it does not matter how its end goes.
      reader.cancel(fault).catch(() => undefined);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(bounded, { status, statusText, headers });
}

/** Bytes of a body so far. */
class WholeBody {
  #bytes = 0;

  longestWith(piece: Uint8Array): number {
    this.#bytes += piece.byteLength;
    return this.#bytes;
  }
}

const LF = 10;
const CR = 13;

/** Bytes since the last empty line: whatever a reader of events has to keep (HTML Standard, "Interpreting an event stream"). */
class UnfinishedEvent {
  #bytes = 0;
  #lineBytes = 0;
  #isAfterReturn = false;

  /** @returns how long an event has been at its longest within this piece */
  longestWith(piece: Uint8Array): number {
    let longest = 0;
    for (const byte of piece) {
      this.#bytes += 1;
      const isBreak = byte === LF || byte === CR;
      // A line feed after a carriage return belongs to it.
      if (byte === LF && this.#isAfterReturn) {
        this.#isAfterReturn = false;
        continue;
      }
      this.#isAfterReturn = byte === CR;
      if (!isBreak) this.#lineBytes += 1;
      else {
        if (this.#bytes > longest) longest = this.#bytes;
        if (this.#lineBytes === 0) this.#bytes = 0;
        this.#lineBytes = 0;
      }
    }
    return Math.max(longest, this.#bytes);
  }
}
