/**
 * The bridge: a client that speaks over a pipe reaches a server that speaks HTTP. Messages of both eras
 * are passed on as they are; connections that fail are the bridge's to mend.
 *
 * This file owns what is passed on to which side of it, and the end. It must never write anything but
 * protocol messages to the client, and never decide what a tool call means.
 */

import { BRIDGE_GOODBYE_MS_MAX, BRIDGE_REQUESTS_MAX } from "../client-limits.ts";
import { PIPE_DRAIN_MS_MAX, PIPE_FINISH_MS_MAX } from "../limits.ts";
import { describeBug } from "../mcp/dispatch.ts";
import { decideEra } from "../mcp/era.ts";
import { errorText, TOO_MANY_IN_FLIGHT, unreadable } from "../mcp/errors.ts";
import { decodeText, type RpcNotification, type RpcRequest } from "../mcp/jsonrpc.ts";
import { readLines } from "../stdio/line-reader.ts";
import { type LineSink, LineWriter } from "../stdio/line-writer.ts";
import { Doorbell } from "./doorbell.ts";
import type { BridgeParts } from "./exchange.ts";
import { LegacySession } from "./legacy-session.ts";
import { ModernRequests } from "./modern-requests.ts";
import { type Clock, systemClock } from "./patience.ts";
import { Upstream } from "./upstream.ts";
import { Visitor } from "./visitor.ts";

export interface BridgeOptions {
  /** The server's endpoint. */
  readonly url: URL;
  /** Bytes from the client, in pieces of any size; a `ReadableStream` is one. */
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: LineSink;
  readonly log: BridgeLog;
  /** What opens the server. */
  readonly accessToken?: string | undefined;
  /** Token of the user to come back as. */
  readonly sessionToken?: string | undefined;
  /** Whether a Claude Code channel is to be rung when something has come. */
  readonly channel?: boolean;
  readonly clock?: Clock;
  /** How long an open stream may be silent, in milliseconds. */
  readonly silenceMs?: number | undefined;
}

/** Where the bridge says what happens to it. Messages hold nothing of what is passed on. */
export interface BridgeLog {
  warn(message: string): void;
  error(message: string, fields: Readonly<Record<string, string>>): void;
}

export interface Bridge {
  /** Settles when the client has gone, or after `stop`, and the session is ended. Never rejects. */
  readonly done: Promise<void>;
  /** Reads no further, and resolves as `done`. */
  stop(): Promise<void>;
}

/** Starts passing on. Nothing is sent before the client's first message. */
export function startBridge(options: BridgeOptions): Bridge {
  const bridge = new PipeBridge(options);
  return { done: bridge.run(), stop: () => bridge.stop() };
}

class PipeBridge {
  readonly #options: BridgeOptions;
  readonly #writer: LineWriter;
  readonly #stopped = Promise.withResolvers<void>();
  /** Aborts whatever is under way to the server. */
  readonly #over = new AbortController();
  readonly #legacy: LegacySession;
  readonly #modern: ModernRequests;
  readonly #visitor: Visitor;
  readonly #underWay = new Set<Promise<void>>();
  #reading = true;
  #done: Promise<void> | undefined;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#writer = new LineWriter(options.output, () => this.#stopped.resolve());
    this.#visitor = new Visitor(options.sessionToken);
    const parts: BridgeParts = {
      upstream: new Upstream({ url: options.url, accessToken: options.accessToken, silenceMs: options.silenceMs }),
      visitor: this.#visitor,
      clock: options.clock ?? systemClock,
      signal: this.#over.signal,
      write: (json) => {
        this.#writer.send(json);
        return this.#writer.room();
      },
      warn: (problem) => options.log.warn(problem),
      fail: (bug) => this.#fail(bug),
    };
    this.#legacy = new LegacySession(parts, options.channel === true ? new Doorbell() : undefined);
    this.#modern = new ModernRequests(parts);
  }

  run(): Promise<void> {
    this.#done ??= this.#run();
    return this.#done;
  }

  stop(): Promise<void> {
    this.#stopped.resolve();
    return this.run();
  }

  async #run(): Promise<void> {
    await Promise.race([this.#read(), this.#stopped.promise]);
    this.#reading = false;
    await Promise.race([Promise.all(this.#underWay), Bun.sleep(PIPE_FINISH_MS_MAX)]);
    this.#over.abort();
    await this.#legacy.end(AbortSignal.timeout(BRIDGE_GOODBYE_MS_MAX));
    await Promise.race([this.#writer.idle(), Bun.sleep(PIPE_DRAIN_MS_MAX)]);
  }

  #read(): Promise<void> {
    const taker = {
      isReady: async () => {
        await this.#writer.room();
        return this.#reading;
      },
      take: (text: string) => this.#handle(text),
      answer: (json: string) => this.#writer.send(json),
    };
    return readLines(this.#options.input, taker, this.#options.log);
  }

  #handle(text: string): void {
    const message = decodeText(text);
    switch (message.kind) {
      case "invalid":
        this.#writer.send(errorText(message.id, unreadable(message)));
        return;
      case "request":
        this.#request(this.#visitor.prepare(message), decideEra(message, null) === "modern");
        return;
      case "notification":
        this.#notification(message, text);
        return;
      case "response":
      case "batch":
        this.#track(this.#legacy.tell(text, undefined, undefined));
    }
  }

  #request(request: RpcRequest, isModern: boolean): void {
    if (this.#underWay.size >= BRIDGE_REQUESTS_MAX) this.#writer.send(errorText(request.id, TOO_MANY_IN_FLIGHT));
    else this.#track(isModern ? this.#modern.request(request) : this.#legacy.request(request));
  }

  #notification({ method, params }: RpcNotification, text: string): void {
    if (method === "notifications/cancelled" && this.#modern.cancel(params?.requestId)) return;
    this.#track(this.#legacy.tell(text, method, params));
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((bug: unknown) => this.#fail(bug))
      .finally(() => {
        this.#underWay.delete(tracked);
      });
    this.#underWay.add(tracked);
  }

  #fail(bug: unknown): void {
    this.#options.log.error("the bridge failed unexpectedly", describeBug(bug));
    this.#stopped.resolve();
  }
}
