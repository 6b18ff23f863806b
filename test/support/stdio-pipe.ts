/**
 * A server over a pair of pipes within this process, and the client's ends of them: raw for tests that
 * speak themselves, and as a transport for the official clients.
 *
 * This file owns the pipes. The client's reading can be stopped by hand; nothing is lost by that.
 */

import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import type { BridgeLog } from "../../src/bridge/bridge.ts";
import type { ServerDefinition } from "../../src/mcp/registry.ts";
import { type StdioServer, type StdioServerOptions, serveStdio } from "../../src/stdio/server.ts";
import { Arrivals, within } from "./client-deadline.ts";

/** A message of the server. */
export interface Said {
  readonly jsonrpc: string;
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

const NS = "io.modelcontextprotocol/";
const META = { [`${NS}protocolVersion`]: "2026-07-28", [`${NS}clientCapabilities`]: {} };

/** Whatever reads and writes a pipe until it ends: the server itself, or a bridge to one. */
export type PipeStarter = (
  ends: Pick<StdioServerOptions, "input" | "output"> & {
    readonly log: BridgeLog;
  },
) => StdioServer;

export class StdioPipe {
  readonly server: StdioServer;
  readonly logged: string[] = [];
  /** Texts written so far, each by one write. */
  readonly writes: string[] = [];
  readonly #arrivals = new Arrivals<Said>();
  readonly #input: ReadableStreamDefaultController<Uint8Array>;
  #stalled: PromiseWithResolvers<void> | undefined;
  #broken = false;
  #id = 0;
  onSaid: ((said: Said) => void) | undefined;

  /** @param served a definition to serve, or what is started in its place */
  constructor(served: ServerDefinition | PipeStarter, options: Partial<StdioServerOptions> = {}) {
    const opened = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const input = new ReadableStream<Uint8Array>({
      start(given) {
        controller = given;
        opened.resolve(given);
      },
    });
    if (controller === undefined) throw new Error("the pipe did not open");
    this.#input = controller;
    const ends: Parameters<PipeStarter>[0] = {
      input,
      output: { write: (text: string) => this.#write(text) },
      log: {
        warn: (message: string) => this.logged.push(message),
        error: (message: string, fields: Readonly<Record<string, string>>) =>
          this.logged.push(`${message} ${JSON.stringify(fields)}`),
      },
    };
    this.server = typeof served === "function" ? served(ends) : serveStdio({ definition: served, ...ends, ...options });
  }

  async #write(text: string): Promise<void> {
    if (this.#broken) throw new Error("nobody reads");
    this.writes.push(text);
    if (!text.endsWith("\n")) throw new Error("a line without its end");
    for (const line of text.slice(0, -1).split("\n")) {
      // Whatever is written is a message, or a batch of them.
      const said = JSON.parse(line);
      for (const one of Array.isArray(said) ? said : [said]) JSONRPCMessageSchema.parse(one);
      if (this.onSaid === undefined) this.#arrivals.put(said);
      else this.onSaid(said);
    }
    await this.#stalled?.promise;
  }

  // --- the client's side ------------------------------------------------------------------------

  bytes(bytes: Uint8Array): void {
    this.#input.enqueue(bytes);
  }

  text(text: string): void {
    this.bytes(new TextEncoder().encode(text));
  }

  send(message: unknown): void {
    this.text(`${JSON.stringify(message)}\n`);
  }

  /** No more will be sent. */
  end(): void {
    this.#input.close();
  }

  /** Stops reading: the write after the next does not begin. */
  stall(): void {
    this.#stalled ??= Promise.withResolvers();
  }

  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = undefined;
  }

  /** Closes the client's reading end. */
  break(): void {
    this.#broken = true;
    this.resume();
  }

  /** The next message. */
  said(): Promise<Said> {
    return within("a message of the server", this.#arrivals.take());
  }

  /** Those that are here and were not taken. */
  rest(): Said[] {
    return this.#arrivals.takeAll();
  }

  /** Sends a legacy request without waiting. @returns its id */
  ask(method: string, params?: object, id: string | number = ++this.#id): string | number {
    this.send({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) });
    return id;
  }

  /** The same for the modern era. */
  askModern(method: string, params: object = {}, id: string | number = ++this.#id): string | number {
    return this.ask(method, { ...params, _meta: META }, id);
  }

  /** Asks, and waits for the answer, which must be the next message. */
  async call(method: string, params?: object): Promise<Said> {
    return this.#answer(this.ask(method, params));
  }

  async callModern(method: string, params?: object): Promise<Said> {
    return this.#answer(this.askModern(method, params));
  }

  async #answer(id: string | number): Promise<Said> {
    const said = await this.said();
    if (said.id !== id) throw new Error(`not the answer to ${id}: ${JSON.stringify(said)}`);
    return said;
  }

  notify(method: string, params?: object): void {
    this.send({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  /** The legacy handshake. */
  async initialize(protocolVersion = "2025-11-25"): Promise<Said> {
    const clientInfo = { name: "test", version: "1" };
    const answer = await this.call("initialize", { protocolVersion, capabilities: {}, clientInfo });
    this.notify("notifications/initialized");
    return answer;
  }
}

/** The client's ends as both official clients want them. */
export class PipeTransport {
  readonly pipe: StdioPipe;
  onmessage?: (message: never) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;

  constructor(served: ServerDefinition | PipeStarter) {
    this.pipe = new StdioPipe(served);
    this.pipe.onSaid = (said) => this.onmessage?.(said as never);
    this.pipe.server.done.then(() => this.onclose?.());
  }

  async start(): Promise<void> {
    // The pipes are open from the start.
  }

  async send(message: unknown): Promise<void> {
    this.pipe.send(message);
  }

  async close(): Promise<void> {
    this.pipe.end();
    await this.pipe.server.done;
  }
}
