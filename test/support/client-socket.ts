/**
 * A plain TCP connection, for what no HTTP client would send and for readers that do not read.
 *
 * This file owns sockets of tests. It must never understand more of HTTP than how to write it down.
 */

import { connect, type Socket } from "node:net";
import { within } from "./client-deadline.ts";

/** A request as text; a body gets its length. */
export function httpText(line: string, headers: Readonly<Record<string, string>>, body = ""): string {
  const length: Record<string, string> = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const fields = Object.entries({ host: "127.0.0.1", ...length, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `${[line, ...fields].join("\r\n")}\r\n\r\n${body}`;
}

/** Takes the framing off a chunked body (RFC 9112, section 7.1). One character stands for one byte. */
export class ChunkedBody {
  #rest = "";
  /** Set by the chunk of length zero. */
  isComplete = false;

  /** Takes more of the body. @returns what of the content can be told by now */
  push(text: string): string {
    this.#rest += text;
    let content = "";
    for (;;) {
      const end = this.#rest.indexOf("\r\n");
      if (end === -1) return content;
      const size = Number.parseInt(this.#rest.slice(0, end), 16);
      if (Number.isNaN(size)) throw new Error(`no chunk size: ${this.#rest.slice(0, 40)}`);
      if (size === 0) this.isComplete = true;
      if (size === 0 || this.#rest.length < end + 2 + size + 2) return content;
      content += this.#rest.slice(end + 2, end + 2 + size);
      this.#rest = this.#rest.slice(end + 2 + size + 2);
    }
  }
}

/** What was received, byte by byte, as the text it is in UTF-8. */
export function utf8(received: string): string {
  return Buffer.from(received, "latin1").toString("utf8");
}

export class RawSocket implements AsyncDisposable {
  readonly #socket: Socket;
  #received = "";
  #onText = (text: string): void => {
    this.#received += text;
  };
  #look: (() => void) | undefined;
  /** Settles when the connection is over, either way. */
  readonly over: Promise<void>;
  #isOver = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // One character for each byte, as lengths count bytes.
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#onText(text);
      this.#look?.();
    });
    const over = Promise.withResolvers<void>();
    this.over = over.promise;
    // "close" follows every error; what was wrong does not matter here.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#isOver = true;
      over.resolve();
      this.#look?.();
    });
  }

  static async open(port: number): Promise<RawSocket> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const open = new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const raw = new RawSocket(socket);
    await within("a connection", open);
    return raw;
  }

  /** Hands over what comes from now on instead of keeping it. @returns what came before */
  listen(take: (text: string) => void): string {
    this.#onText = take;
    return this.#received;
  }

  /** Everything received so far. */
  get received(): string {
    return this.#received;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  write(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** Waits until what was received fits, or the connection is over. @returns what was received */
  async until(fits: (received: string) => boolean, ms?: number): Promise<string> {
    const seen = new Promise<void>((resolve) => {
      this.#look = () => {
        if (fits(this.#received) || this.#isOver) resolve();
      };
      this.#look();
    });
    await within(`something on a socket after ${JSON.stringify(this.#received.slice(-200))}`, seen, ms);
    this.#look = undefined;
    return this.#received;
  }

  /** Stops taking anything from the network: the peer's window fills up. */
  pause(): void {
    this.#socket.pause();
  }

  /** Ends the connection as if the process had died. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.over;
  }
}

/** Sends one text on a connection of its own. @returns everything that came back until the peer closed */
export async function exchange(port: number, text: string | Uint8Array, ms?: number): Promise<string> {
  await using socket = await RawSocket.open(port);
  socket.write(text);
  return await socket.until(() => false, ms);
}
