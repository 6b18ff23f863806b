/**
 * A real chat server that clients reach through a wire which tests can cut: the lobby of a ChatWorld, the
 * product's HTTP edge, and a relay of sockets in front of it.
 *
 * This file owns servers and relays of client tests. It must never change a byte on its way.
 */

import { createHttpServer, type HttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { ChatWorld } from "./chat-world.ts";
import { SESSION_KEY } from "./http-fixture.ts";

/** One client's connection and the one to the server behind it. */
interface Pair {
  readonly client: Bun.Socket<undefined>;
  server: Bun.Socket<undefined> | undefined;
  pending: Uint8Array[];
}

export class ChatHouse implements AsyncDisposable {
  world: ChatWorld;
  /** Clients that go before the house does. */
  readonly guests = new AsyncDisposableStack();
  readonly #options: Partial<HttpServerOptions>;
  readonly #pairs = new Set<Pair>();
  readonly #relay: Bun.TCPSocketListener<undefined>;
  #http: HttpServer | undefined;
  #isCut = false;
  #isFrozen = false;
  #isMute = false;

  constructor(options: Partial<HttpServerOptions> = {}, world = new ChatWorld()) {
    this.#options = options;
    this.world = world;
    const byClient = new Map<Bun.Socket<undefined>, Pair>();
    this.#relay = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (client) => {
          const target = this.#http;
          if (target === undefined || this.#isCut) {
            client.terminate();
            return;
          }
          const pair: Pair = { client, server: undefined, pending: [] };
          byClient.set(client, pair);
          this.#pairs.add(pair);
          void this.#join(pair, target.port);
        },
        data: (client, data) => {
          const pair = byClient.get(client);
          if (this.#isFrozen) return;
          if (pair?.server === undefined) pair?.pending.push(new Uint8Array(data));
          else pair.server.write(data);
        },
        close: (client) => {
          const pair = byClient.get(client);
          byClient.delete(client);
          if (pair === undefined) return;
          this.#pairs.delete(pair);
          pair.server?.terminate();
        },
      },
    });
    this.start();
  }

  /** What clients are told. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#relay.port}/mcp`;
  }

  /** Streams open at this moment. */
  get streams(): number {
    return this.#http?.counts.streams ?? 0;
  }

  /** Begins to serve `world`. The relay keeps its address. */
  start(options: Partial<HttpServerOptions> = {}): void {
    this.#isCut = false;
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
    this.cut();
  }

  /** The network is gone: every connection breaks, and none can be made until `mend`. */
  cut(): void {
    this.#isCut = true;
    this.breakSockets();
  }

  /** Every connection breaks; new ones can be made at once. */
  breakSockets(): void {
    for (const { client } of this.#pairs) client.terminate();
  }

  /** Where clients that no cut concerns reach the server. */
  get directEndpoint(): string {
    return `${this.#http?.url}/mcp`;
  }

  /** What clients send arrives, and no answer does. */
  mute(): void {
    this.#isMute = true;
  }

  /** Connections stay and nothing passes any more, as when a server hangs. */
  freeze(): void {
    this.#isFrozen = true;
  }

  mend(): void {
    this.#isCut = false;
    this.#isMute = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guests.disposeAsync();
    await this.stop();
    this.#relay.stop(true);
  }

  async #join(pair: Pair, port: number): Promise<void> {
    pair.server = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, data) => {
          if (!this.#isMute) pair.client.write(data);
        },
        close: () => {
          pair.client.end();
        },
      },
    });
    for (const chunk of pair.pending.splice(0)) pair.server.write(chunk);
  }
}
