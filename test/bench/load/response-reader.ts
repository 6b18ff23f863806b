/**
 * HTTP/1.1 responses, byte by byte as they come from a socket (RFC 9112): the status, the session a
 * server names, and the body without its framing.
 *
 * This file owns that reading. It must never copy a body that came in one piece, and never know
 * what a body means.
 */

/** What becomes of a response. Ranges are valid during the call only. */
export interface ResponseSink {
  /** The head is complete; a body may follow. */
  onHead(status: number, head: Buffer, from: number, to: number): void;
  onBody(bytes: Buffer, from: number, to: number): void;
  /** The response is complete; the next one may follow on the connection. */
  onEnd(): void;
}

type State = "head" | "counted" | "chunk size" | "chunk" | "after chunk" | "trailer" | "until closed";

const BLANK_LINE = Buffer.from("\r\n\r\n");
const NEWLINE = 10;
const CONTENT_LENGTH = Buffer.from("content-length:");
const TRANSFER_ENCODING = Buffer.from("transfer-encoding:");

/** Beyond this a head is not looked at further: no server of the benchmark writes so much. */
const HEAD_BYTES_MAX = 64 * 1024;

export class ResponseReader {
  readonly #sink: ResponseSink;
  #state: State = "head";
  /** Bytes of a counted body or chunk still to come. */
  #left = 0;
  /** What came of a head, a chunk size or a trailer that is not complete yet. */
  #rest: Buffer | undefined;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Whether a response has begun and not ended. */
  get isWithin(): boolean {
    return this.#state !== "head" || this.#rest !== undefined;
  }

  /** Takes what a socket gave. Throws on what is no HTTP: a server of the benchmark is broken then. */
  push(given: Buffer): void {
    let bytes = given;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, given]);
      this.#rest = undefined;
    }
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next === -1) {
        if (bytes.length - at > HEAD_BYTES_MAX) throw new Error("a response head without an end");
        // The bytes are the socket's own and live only during this call.
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** The connection is over. @returns whether a response ended with it as it may */
  close(): boolean {
    if (this.#state !== "until closed") return false;
    this.#end();
    return true;
  }

  /** Reads one element from `at`. @returns where the next begins, or -1 if this one is not complete */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "head":
        return this.#head(bytes, at);
      case "counted":
      case "chunk": {
        const to = Math.min(bytes.length, at + this.#left);
        this.#left -= to - at;
        this.#sink.onBody(bytes, at, to);
        if (this.#left > 0) return to;
        if (this.#state === "counted") this.#end();
        else this.#state = "after chunk";
        return to;
      }
      case "after chunk":
        if (bytes.length - at < 2) return -1;
        this.#state = "chunk size";
        return at + 2;
      case "chunk size": {
        const end = bytes.indexOf(NEWLINE, at);
        if (end === -1) return -1;
        this.#left = readHex(bytes, at);
        this.#state = this.#left === 0 ? "trailer" : "chunk";
        return end + 1;
      }
      case "trailer": {
        const end = bytes.indexOf(NEWLINE, at);
        if (end === -1) return -1;
        // A line of at most a carriage return ends it.
        if (end - at <= 1) this.#end();
        return end + 1;
      }
      case "until closed":
        this.#sink.onBody(bytes, at, bytes.length);
        return bytes.length;
    }
  }

  #head(bytes: Buffer, at: number): number {
    const blank = bytes.indexOf(BLANK_LINE, at);
    if (blank === -1) return -1;
    const status = Number.parseInt(bytes.toString("latin1", at + 9, at + 12), 10);
    if (Number.isNaN(status)) throw new Error(`no HTTP response: ${bytes.toString("latin1", at, at + 40)}`);
    const end = blank + BLANK_LINE.length;
    let length = -1;
    let chunked = false;
    for (let line = bytes.indexOf(NEWLINE, at) + 1; line < blank; line = bytes.indexOf(NEWLINE, line) + 1) {
      if (startsWith(bytes, line, CONTENT_LENGTH)) length = readDecimal(bytes, line + CONTENT_LENGTH.length);
      else if (startsWith(bytes, line, TRANSFER_ENCODING)) chunked = true;
    }
    this.#sink.onHead(status, bytes, at, end);
    if (status === 204 || status === 304 || (length === 0 && !chunked)) this.#end();
    else if (chunked) this.#state = "chunk size";
    else if (length > 0) {
      this.#left = length;
      this.#state = "counted";
    } else if (status === 202) this.#end();
    else this.#state = "until closed";
    return end;
  }

  #end(): void {
    this.#state = "head";
    this.#sink.onEnd();
  }
}

/** The value of a header in a head, or undefined. */
export function headerOf(head: Buffer, from: number, to: number, name: string): string | undefined {
  const text = head.toString("latin1", from, to);
  return new RegExp(`\\r\\n${name}: *([^\\r]*)`, "i").exec(text)?.[1];
}

/** Whether a header's lower-case name stands here, in any case. */
function startsWith(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[at + i] ?? 0;
    if ((byte >= 65 && byte <= 90 ? byte | 32 : byte) !== name[i]) return false;
  }
  return true;
}

function readDecimal(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 32) at++;
  let value = 0;
  for (let digit = (bytes[at] ?? 0) - 48; digit >= 0 && digit <= 9; digit = (bytes[++at] ?? 0) - 48) {
    value = value * 10 + digit;
  }
  return value;
}

function readHex(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; ; at++) {
    const digit = hexDigit(bytes[at] ?? 0);
    if (digit === -1) {
      if (at === from) throw new Error(`no chunk size: ${bytes.toString("latin1", from, from + 40)}`);
      return value;
    }
    value = value * 16 + digit;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
