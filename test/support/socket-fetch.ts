/**
 * `fetch` with a connection of its own for each request, as many at once as a test likes. The built-in one sends
 * a request again by itself when a kept connection turns out to be closed, and has 256 open at most.
 *
 * This file owns those connections. It must know no more of HTTP/1.1 than servers of tests use.
 */

import { connect, type Socket } from "node:net";
import { ChunkedBody, httpText } from "./client-socket.ts";

/** Asks `http:` URLs; bodies are texts. Rejects if the connection breaks before the head of the answer is there. */
export function socketFetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
  const url = new URL(input);
  const headers = { ...Object.fromEntries(new Headers(init.headers)), host: url.host };
  const body = typeof init.body === "string" ? init.body : "";
  const request = httpText(`${init.method ?? "GET"} ${url.pathname}${url.search} HTTP/1.1`, headers, body);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    const answer = new Answer(socket, resolve, reject);
    const { signal } = init;
    const abort = (): void => answer.fail(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    // One character for each byte, as lengths count bytes.
    socket.setEncoding("latin1");
    socket.on("connect", () => socket.write(request));
    socket.on("data", (text: string) => answer.take(text));
    socket.on("error", (problem) => answer.fail(problem));
    socket.on("close", () => {
      signal?.removeEventListener("abort", abort);
      answer.fail(new Error("the connection broke off"));
    });
  });
}

/** What comes back on one connection. */
class Answer {
  readonly #socket: Socket;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (reason: unknown) => void;
  #head = "";
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** How the end of the body is told: by chunks, or by so many bytes. */
  #framing: ChunkedBody | number = 0;
  #isOver = false;

  constructor(socket: Socket, resolve: (response: Response) => void, reject: (reason: unknown) => void) {
    this.#socket = socket;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  take(text: string): void {
    if (this.#body !== undefined) {
      this.#pass(text);
      return;
    }
    this.#head += text;
    const end = this.#head.indexOf("\r\n\r\n");
    if (end === -1) return;
    const [statusLine = "", ...fields] = this.#head.slice(0, end).split("\r\n");
    const headers = new Headers(
      fields.map((field): [string, string] => {
        const colon = field.indexOf(":");
        return [field.slice(0, colon), field.slice(colon + 1).trim()];
      }),
    );
    const isChunked = headers.get("transfer-encoding") === "chunked";
    this.#framing = isChunked ? new ChunkedBody() : Number(headers.get("content-length") ?? 0);
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#body = controller;
      },
      cancel: () => this.#end(),
    });
    const status = Number(statusLine.split(" ")[1]);
    this.#resolve(new Response(status === 204 ? null : stream, { status, headers }));
    this.#pass(this.#head.slice(end + 4));
  }

  /** It is over, and was not whole. */
  fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    if (this.#body === undefined) this.#reject(reason);
    else this.#body.error(reason);
  }

  #pass(text: string): void {
    if (this.#isOver) return;
    const content = typeof this.#framing === "number" ? text : this.#framing.push(text);
    if (content !== "") this.#body?.enqueue(Buffer.from(content, "latin1"));
    if (typeof this.#framing === "number") this.#framing -= content.length;
    const isWhole = typeof this.#framing === "number" ? this.#framing <= 0 : this.#framing.isComplete;
    if (!isWhole) return;
    this.#body?.close();
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }
}
