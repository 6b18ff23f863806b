/**
 * A real chat server that clients reach through a wire which tests can cut: the lobby of a ChatWorld, the
 * product's HTTP edge, and a relay in front of it.
 *
 * This file owns the servers of client tests, and what a failing network is called there. It must never
 * open a socket itself.
 */

import { createHttpServer, type HttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { ChatWorld } from "./chat-world.ts";
import { SESSION_KEY } from "./http-fixture.ts";
import { Relay } from "./relay.ts";

export class ChatHouse implements AsyncDisposable {
  world: ChatWorld;
  /** Clients that go before the house does. */
  readonly guests = new AsyncDisposableStack();
  readonly #options: Partial<HttpServerOptions>;
  readonly #relay = new Relay(() => this.#http?.port);
  #http: HttpServer | undefined;

  constructor(options: Partial<HttpServerOptions> = {}, world = new ChatWorld()) {
    this.#options = options;
    this.world = world;
    this.start();
  }

  /** What clients are told. */
  get endpoint(): string {
    return `${this.#relay.origin}/mcp`;
  }

  /** Streams open at this moment. */
  get streams(): number {
    return this.#http?.counts.streams ?? 0;
  }

  /** Begins to serve `world`. The relay keeps its address. */
  start(options: Partial<HttpServerOptions> = {}): void {
    this.#relay.up();
    this.#http = createHttpServer({
      host: "127.0.0.1",
      port: 0,
      definition: this.world.server.definition,
      sessionKey: SESSION_KEY,
      allowedHosts: [new URL(this.endpoint).host],
      allowedOrigins: [],
      accessToken: undefined,
      isLiveUserToken: this.world.server.isLiveToken,
      streamsMax: 100,
      stopMs: 200,
      log: { error: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) },
      ...this.#options,
      ...options,
    });
  }

  /** Stops serving as a restart does; the lobby stays in `world`, which may be replaced. */
  async stop(): Promise<void> {
    const http = this.#http;
    this.#http = undefined;
    await http?.stop();
    this.#relay.cut();
  }

  /** The network is gone: every connection breaks, and none can be made until `mend`. */
  cut(): void {
    this.#relay.down();
  }

  /** Every connection breaks; new ones can be made at once. */
  breakSockets(): void {
    this.#relay.cut();
  }

  /** Where clients that no cut concerns reach the server. */
  get directEndpoint(): string {
    return `${this.#http?.url}/mcp`;
  }

  /** What clients send arrives, and no answer does. */
  mute(): void {
    this.#relay.muffle();
  }

  /** Connections stay and nothing passes any more, as when a server hangs. */
  freeze(): void {
    this.#relay.freeze();
  }

  mend(): void {
    this.#relay.up();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guests.disposeAsync();
    await this.stop();
    this.#relay.down();
  }
}
