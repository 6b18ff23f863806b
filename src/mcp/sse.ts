/**
 * The text/event-stream format (WHATWG HTML, "Server-sent events"): frames to text and back.
 *
 * This file owns the format as pure functions. The encoder must never let a field carry a line
 * break, because whatever follows one would be read as a forged field.
 */

/** One event block. Absent members are not written; `data: ""` is (MCP's priming event carries it). */
export interface SseFrame {
  readonly event?: string;
  readonly id?: string;
  /** Reconnection time in milliseconds, a non-negative integer. */
  readonly retryMs?: number;
  /** One line. */
  readonly data?: string;
}

const LINE_BREAK = /[\r\n]/;
const LF = 10;
const CR = 13;

function line(field: string, value: string): string {
  // indexOf on the short and the common case is far cheaper than a regular expression.
  if (value.includes("\n") || value.includes("\r")) throw new RangeError(`a line break in the SSE field ${field}`);
  return `${field}: ${value}\n`;
}

/**
 * One event block as text, its blank line included.
 * @throws RangeError if a field carries a line break, an id a NUL (readers ignore such ids), or
 *   `retryMs` is no non-negative integer: the caller has a bug, and repairing it would hide it
 */
export function encodeFrame(frame: SseFrame): string {
  let text = "";
  if (frame.event !== undefined) text += line("event", frame.event);
  if (frame.id !== undefined) {
    if (frame.id.includes("\0")) throw new RangeError("a NUL in an SSE id");
    text += line("id", frame.id);
  }
  if (frame.retryMs !== undefined) {
    if (!Number.isSafeInteger(frame.retryMs) || frame.retryMs < 0) throw new RangeError("retryMs must be an integer");
    text += `retry: ${frame.retryMs}\n`;
  }
  if (frame.data !== undefined) text += line("data", frame.data);
  return `${text}\n`;
}

/** A JSON-RPC message as an event, the only kind MCP clients read. The hot path: one template, the same refusals. */
export function encodeMessage(json: string, id?: string): string {
  if (json.includes("\n") || json.includes("\r")) throw new RangeError("a line break in a serialised message");
  if (id === undefined) return `event: message\ndata: ${json}\n\n`;
  if (id.includes("\n") || id.includes("\r") || id.includes("\0")) throw new RangeError("a line break in an SSE id");
  return `event: message\nid: ${id}\ndata: ${json}\n\n`;
}

/**
 * A comment, which readers skip.
 * @throws RangeError if it carries a line break
 */
export function encodeComment(text: string): string {
  if (LINE_BREAK.test(text)) throw new RangeError("a line break in an SSE comment");
  return `: ${text}\n\n`;
}

/**
 * The inverse: reads event blocks from a stream that arrives in pieces of any size. Comments and
 * blocks without any known field yield nothing; a block is only yielded once its blank line came.
 */
export class SseDecoder {
  #rest = "";
  #started = false;
  #afterReturn = false;
  #fields: { event?: string; id?: string; retryMs?: number; data?: string } = {};

  /** UTF-16 units kept of what is not complete yet. */
  get pendingChars(): number {
    return this.#rest.length + (this.#fields.data?.length ?? 0);
  }

  /** Takes the next piece of decoded text and gives the frames completed by it. */
  push(text: string): SseFrame[] {
    if (text === "") return [];
    const skipped =
      (!this.#started && text.startsWith("\uFEFF")) || (this.#afterReturn && text.startsWith("\n")) ? 1 : 0;
    this.#started = true;
    const input = this.#rest + text.slice(skipped);
    const frames: SseFrame[] = [];
    let start = 0;
    for (let at = this.#rest.length; at < input.length; at++) {
      const unit = input.charCodeAt(at);
      if (unit !== LF && unit !== CR) continue;
      const completed = this.#line(input.slice(start, at));
      if (completed !== undefined) frames.push(completed);
      if (unit === CR && input.charCodeAt(at + 1) === LF) at++;
      start = at + 1;
    }
    // The line ended by a final CR counts at once; an LF that arrives next belongs to it.
    this.#afterReturn = text.endsWith("\r");
    this.#rest = input.slice(start);
    return frames;
  }

  #line(text: string): SseFrame | undefined {
    if (text === "") {
      const frame = this.#fields;
      this.#fields = {};
      return Object.keys(frame).length === 0 ? undefined : frame;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon === -1 ? text : text.slice(0, colon);
    const raw = colon === -1 ? "" : text.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (field === "data") {
      this.#fields.data = this.#fields.data === undefined ? value : `${this.#fields.data}\n${value}`;
    } else if (field === "event") this.#fields.event = value;
    else if (field === "id" && !value.includes("\0")) this.#fields.id = value;
    else if (field === "retry" && /^[0-9]+$/.test(value)) this.#fields.retryMs = Number(value);
    return undefined;
  }
}

/** Reads a complete text. */
export function decodeFrames(text: string): SseFrame[] {
  return new SseDecoder().push(text);
}
