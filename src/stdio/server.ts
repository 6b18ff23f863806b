/**
 * The stdio edge: a server definition over a pair of byte streams, until the input ends.
 *
 * This file owns what the pipe carries beside answers, and the end. It must never decide what a
 * message means, and it writes protocol messages only.
 */

import { KEEP_ALIVE_MS, PIPE_DRAIN_MS_MAX, PIPE_FINISH_MS_MAX } from "../limits.ts";
import type { BugLog } from "../mcp/dispatch.ts";
import type { Outlet } from "../mcp/frame-source.ts";
import { decodeText } from "../mcp/jsonrpc.ts";
import type { MessageSource } from "../mcp/message-source.ts";
import type { PushReader, ServerDefinition, Wakeable } from "../mcp/registry.ts";
import type { HeldReply, Reply } from "../mcp/reply.ts";
import { StdioEndpoint } from "../mcp/stdio-endpoint.ts";
import { readLines } from "./line-reader.ts";
import { type LineSink, type LineSource, LineWriter } from "./line-writer.ts";

export interface StdioServerOptions {
  readonly definition: ServerDefinition;
  /** Bytes from the client, in pieces of any size; a `ReadableStream` is one. */
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: LineSink;
  readonly log: BugLog;
  /** As whom the client comes: stands for `Authorization: Bearer`. */
  readonly bearer?: string;
  /** Called when the input has ended, before what is still held is given up. */
  readonly release?: () => void;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
  /** Between two signs of life of an open subscription, in milliseconds. */
  readonly keepAliveMs?: number;
}

export interface StdioServer {
  /** Settles when the client has gone, or after `stop`, and everything is freed. Never rejects. */
  readonly done: Promise<void>;
  /** Reads no further, ends what is open cleanly, and resolves as `done`. */
  stop(): Promise<void>;
}

/** Starts serving. Nothing happens before the first message. */
export function serveStdio(options: StdioServerOptions): StdioServer {
  const connection = new StdioConnection(options);
  return { done: connection.serve(), stop: () => connection.stop() };
}

class StdioConnection {
  readonly #options: StdioServerOptions;
  readonly #endpoint: StdioEndpoint;
  readonly #writer: LineWriter;
  /** Resolves when nobody reads the output any more, or the server stops. */
  readonly #stopped = Promise.withResolvers<void>();
  #reading = true;
  readonly #held = new Set<Promise<unknown>>();
  readonly #answers = new Set<PipedAnswer>();
  #push: PipedPush | undefined;
  #done: Promise<void> | undefined;

  constructor(options: StdioServerOptions) {
    this.#options = options;
    this.#writer = new LineWriter(options.output, () => this.#stopped.resolve());
    this.#endpoint = new StdioEndpoint({
      definition: options.definition,
      now: options.now ?? Date.now,
      log: options.log,
      bearer: options.bearer,
      send: (json, kind) => {
        // All but questions are advisory: to a reader far behind they are not sent.
        if (kind === "question" || !this.#writer.isFull) this.#writer.send(json);
      },
      onInitialized: (open) => {
        this.#push = new PipedPush(open, this.#writer);
      },
    });
  }

  serve(): Promise<void> {
    this.#done ??= this.#serve();
    return this.#done;
  }

  stop(): Promise<void> {
    this.#stopped.resolve();
    return this.serve();
  }

  async #serve(): Promise<void> {
    const ticker = setInterval(() => this.#tick(), this.#options.keepAliveMs ?? KEEP_ALIVE_MS);
    await Promise.race([this.#read(), this.#stopped.promise]);
    this.#reading = false;
    this.#options.release?.();
    this.#endpoint.release();
    await inTime(PIPE_FINISH_MS_MAX, Promise.all(this.#held));
    this.#endpoint.stop();
    await inTime(PIPE_DRAIN_MS_MAX, this.#writer.idle());
    clearInterval(ticker);
    // The session ends first: its end must not look like a lost connection.
    await this.#endpoint.end();
    this.#push?.close();
    for (const answer of this.#answers) answer.close();
  }

  #read(): Promise<void> {
    const taker = {
      isReady: async () => {
        await this.#writer.room();
        return this.#reading;
      },
      take: (text: string) => this.#answer(this.#endpoint.receive(decodeText(text))),
      answer: (json: string) => this.#writer.send(json),
    };
    return readLines(this.#options.input, taker, this.#options.log);
  }

  #answer(reply: Reply | HeldReply): void {
    switch (reply.kind) {
      case "json":
        this.#writer.send(reply.body);
        return;
      case "held": {
        const answered = reply.reply.then((later) => {
          this.#held.delete(answered);
          this.#answer(later);
        });
        this.#held.add(answered);
        return;
      }
      case "messages":
        this.#open(reply.source, () => reply.closed());
        return;
      case "stream":
        throw new Error("an event stream was to be written to a pipe");
      case "accepted":
      case "done":
        return;
    }
  }

  #open(source: MessageSource, closed: () => void): void {
    const answer = new PipedAnswer(source, this.#writer, () => {
      this.#answers.delete(answer);
      closed();
    });
    this.#answers.add(answer);
    answer.start();
  }

  #tick(): void {
    this.#endpoint.sweep();
    for (const answer of this.#answers) {
      const message = this.#writer.isFull ? undefined : answer.heartbeat();
      if (message) this.#writer.send(message);
    }
  }
}

/** A long-lived answer on the pipe, which it shares with all others. */
class PipedAnswer implements LineSource, Outlet {
  readonly #source: MessageSource;
  readonly #writer: LineWriter;
  readonly #closed: () => void;
  #ending = false;
  #over = false;

  constructor(source: MessageSource, writer: LineWriter, closed: () => void) {
    this.#source = source;
    this.#writer = writer;
    this.#closed = closed;
  }

  start(): void {
    this.#source.attach(this);
    this.wake();
  }

  wake(): void {
    if (!this.#over) this.#writer.ready(this);
  }

  end(): void {
    this.#ending = true;
    this.wake();
  }

  next(maxChars: number): readonly string[] {
    if (this.#over) return [];
    const messages = this.#source.next(maxChars);
    if (messages.length === 0 && this.#ending) this.close();
    return messages;
  }

  heartbeat(): string | undefined {
    return this.#source.heartbeat();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#closed();
  }
}

/** What the server tells a legacy client of its own accord. */
class PipedPush implements LineSource {
  readonly #reader: PushReader;

  constructor(open: (listener: Wakeable) => PushReader, writer: LineWriter) {
    this.#reader = open({ wake: () => writer.ready(this) });
    writer.ready(this);
  }

  next(maxChars: number): readonly string[] {
    return this.#reader.next(maxChars).map((item) => item.json);
  }

  close(): void {
    // Nobody comes back to a pipe, so it does not matter how far it was read.
    this.#reader.close(undefined);
  }
}

/** Waits for a promise, but not for longer than that. */
async function inTime(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
