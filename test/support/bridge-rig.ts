/**
 * A server, a network that can fail, and bridges to it: all within this process, over real sockets.
 *
 * This file owns the pieces and their end. It must never stand in for a module of ours.
 */

import { afterEach } from "bun:test";
import { type BridgeOptions, startBridge } from "../../src/bridge/bridge.ts";
import { systemClock } from "../../src/chat/alarm-clock.ts";
import { type ChatServer, createChatServer } from "../../src/chat/server.ts";
import { createHttpServer, type HttpServer } from "../../src/http/server.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import { LOBBY_SETTINGS } from "./chat-world.ts";
import { SESSION_KEY } from "./http-fixture.ts";
import { Relay } from "./relay.ts";
import { StdioPipe } from "./stdio-pipe.ts";

const OTHER_KEY = SESSION_KEY.map((byte) => byte + 1);
const EVENTUALLY_MS_MAX = 10_000;

export interface RigOptions {
  readonly accessToken?: string;
  readonly graceMs?: number;
}

export class BridgeRig {
  #chat: ChatServer;
  #http: HttpServer;
  readonly #options: RigOptions;
  readonly relay: Relay;
  readonly #pipes: StdioPipe[] = [];

  constructor(options: RigOptions = {}) {
    this.#options = options;
    this.#chat = createChat(options);
    this.#http = this.#serve(0);
    this.relay = new Relay(this.#http.port);
  }

  get lobby() {
    return this.#chat.host.lobby;
  }

  /** The server itself, past the network that can fail. */
  get direct(): string {
    return `${this.#http.url}/mcp`;
  }

  /** A client of the server through a bridge. */
  bridge(options: Partial<BridgeOptions> = {}): StdioPipe {
    const url = new URL(`${this.relay.origin}/mcp`);
    const pipe = new StdioPipe((ends) => startBridge({ url, ...ends, ...options }));
    this.#pipes.push(pipe);
    return pipe;
  }

  /** Stops the server and starts it again, as one that kept everything or nothing. */
  async restart(forgets: "nothing" | "everything"): Promise<void> {
    const { port } = this.#http;
    await this.#http.stop();
    if (forgets === "everything") {
      this.#chat.stop();
      this.#chat = createChat(this.#options);
    }
    this.#http = this.#serve(port, forgets === "everything" ? OTHER_KEY : SESSION_KEY);
  }

  /** Starts the server again with its users, but unable to read the sessions it has given out. */
  async loseSessions(): Promise<void> {
    const { port } = this.#http;
    await this.#http.stop();
    this.#http = this.#serve(port, OTHER_KEY);
  }

  /** Waits for what comes about over the network without a message of its own. */
  async eventually(what: string, isSo: () => boolean): Promise<void> {
    const until = Date.now() + EVENTUALLY_MS_MAX;
    while (!isSo()) {
      if (Date.now() > until) throw new Error(`waited in vain for ${what}`);
      await Bun.sleep(5);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#pipes.map((pipe) => pipe.server.stop()));
    this.relay.down();
    await this.#http.stop();
    this.#chat.stop();
  }

  #serve(port: number, sessionKey: Uint8Array = SESSION_KEY): HttpServer {
    const { definition, isLiveToken } = this.#chat;
    return createHttpServer({
      definition,
      host: "127.0.0.1",
      port,
      accessToken: this.#options.accessToken,
      allowedHosts: [],
      allowedOrigins: [],
      isLiveUserToken: isLiveToken,
      sessionKey,
      streamsMax: 100,
      stopMs: 200,
      trustedProxies: [],
      log: {
        error(message) {
          throw new Error(message);
        },
      },
    });
  }
}

function createChat({ graceMs = LOBBY_SETTINGS.graceMs }: RigOptions): ChatServer {
  return createChatServer({
    version: "1.0.0",
    lobby: { ...LOBBY_SETTINGS, graceMs },
    messageCharsMax: 4000,
    journal: createMemoryJournal(),
    clock: systemClock,
  });
}

/** Stops what a test has started. To be called once in a test file; returns how rigs are made in it. */
export function rigs(): (options?: RigOptions) => BridgeRig {
  const made: BridgeRig[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((rig) => rig.stop()));
  });
  return (options) => {
    const rig = new BridgeRig(options);
    made.push(rig);
    return rig;
  };
}
