/**
 * One legacy MCP session with a server, held over lost networks and restarts: the stream of notifications
 * is opened again where it broke off, and a session that the server has forgotten is begun anew.
 *
 * This file owns the connection. It must never know what the chat is, and never repeat a call by itself:
 * whoever made it knows whether that is harmless.
 */

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import {
  CLIENT_ANSWER_BYTES_MAX,
  CLIENT_CALL_MS_MAX,
  CLIENT_RETRY_MS,
  CLIENT_RETRY_MS_MAX,
  CLIENT_SILENCE_MS_MAX,
} from "../client-limits.ts";
import { boundedAnswer } from "./bounded-answer.ts";
import type { Clock } from "./clock.ts";
import { type Answer, type JsonObject, readAnswer } from "./wire.ts";

/** Why a server cannot be used. */
export interface LinkFault {
  /** `denied`: it wants another access token; `foreign`: whatever answers is no MCP server, or sends without end. */
  readonly kind: "unreachable" | "denied" | "foreign";
  /** For a person, on one line; holds nothing the server said. */
  readonly message: string;
}

/** Hears what happens to the link. */
export interface LinkListener {
  /** A notification of the server, in order. */
  notified(method: string, params: JsonObject): void;
  /** The stream is open. `isNewSession`: the server knows nothing of this session yet. */
  opened(isNewSession: boolean): void;
  /** The stream is gone and will be tried again by itself. */
  lost(retryInMs: number): void;
  /** The server does not let this client in any more, or sends without end; nothing is tried again. */
  ended(fault: LinkFault): void;
}

export interface LinkOptions {
  /** URL of the endpoint. */
  readonly endpoint: string;
  /** Sent as `Authorization: Bearer`. */
  readonly accessToken: string | undefined;
  readonly client: { readonly name: string; readonly version: string };
  readonly clock: Clock;
  /** Default: the platform's. */
  readonly fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>;
}

/** The link is made once; after `close` it is of no use any more. */
export class ServerLink {
  readonly #options: LinkOptions;
  readonly #listener: LinkListener;
  #connection: Connection | undefined;
  #isOpen = false;
  #isClosed = false;
  #retryMs = CLIENT_RETRY_MS;
  #cancelRetry: () => void = () => undefined;

  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
  }

  /** Whether notifications come in. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Begins. @returns what is wrong if the server cannot be used; then nothing is tried again */
  open(): Promise<LinkFault | undefined> {
    return this.#connect();
  }

  /** Calls a tool. Total: a lost connection, a timeout and an error of the protocol are answers. */
  async call(tool: string, args: JsonObject): Promise<Answer> {
    const connection = this.#connection;
    if (connection === undefined || this.#isClosed) return { kind: "lost" };
    try {
      const { client } = connection;
      const call = { name: tool, arguments: args };
      const { structuredContent, isError } = await client.callTool(call, undefined, { timeout: CLIENT_CALL_MS_MAX });
      return readAnswer({ structuredContent, isError });
    } catch (problem) {
      // Asking again would bring the same: this is an answer, too.
      if (problem instanceof McpError && problem.data === TOO_LONG)
        return {
          kind: "refused",
          refusal: { code: TOO_LONG.code, message: TOO_LONG.message, retryAfterMs: undefined },
        };
      // Codes below -32000 are JSON-RPC's own answers; the SDK's -32000 and -32001 are its words for a lost call.
      if (!(problem instanceof McpError) || problem.code > -32002) return { kind: "lost" };
      return { kind: "refused", refusal: { code: "protocol", message: problem.message, retryAfterMs: undefined } };
    }
  }

  /** Ends. @param endSession whether the server is told that the session is over (HTTP DELETE) */
  async close(endSession: boolean): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOpen = false;
    this.#cancelRetry();
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close(endSession);
  }

  async #connect(): Promise<LinkFault | undefined> {
    const connection = new Connection(this.#options, {
      notified: (method, params) => {
        if (connection === this.#connection) this.#listener.notified(method, params);
      },
      streamOpened: () => {
        if (connection === this.#connection) this.#streamOpened(connection);
      },
      streamEnded: (livedMs) => {
        if (connection === this.#connection) this.#streamEnded(livedMs);
      },
      streamOverflowed: (fault) => {
        if (connection === this.#connection) this.#streamOverflowed(fault);
      },
    });
    this.#connection = connection;
    const fault = await connection.begin();
    // Closed meanwhile: what was begun must not stay open.
    if (this.#isClosed) await connection.close(true);
    return this.#isClosed ? undefined : fault;
  }

  #streamOpened(connection: Connection): void {
    this.#isOpen = true;
    this.#cancelRetry();
    const isNewSession = !connection.wasOpened;
    connection.wasOpened = true;
    this.#listener.opened(isNewSession);
  }

  #streamEnded(livedMs: number): void {
    if (this.#isClosed) return;
    this.#isOpen = false;
    // A server that takes a stream and drops it at once is as good as away.
    if (livedMs > CLIENT_RETRY_MS_MAX) this.#retryMs = CLIENT_RETRY_MS;
    this.#retryLater();
  }

  /** The same event would come with every other attempt. */
  #streamOverflowed(fault: LinkFault): void {
    if (this.#isClosed) return;
    void this.close(false);
    this.#listener.ended(fault);
  }

  #retryLater(): void {
    const delayMs = Math.round(this.#retryMs * (0.8 + 0.2 * Math.random()));
    this.#retryMs = Math.min(this.#retryMs * 2, CLIENT_RETRY_MS_MAX);
    this.#listener.lost(delayMs);
    this.#cancelRetry();
    this.#cancelRetry = this.#options.clock.after(delayMs, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    const connection = this.#connection;
    if (this.#isClosed || connection === undefined) return;
    const outcome = connection.isForgotten ? "forgotten" : await connection.reopenStream();
    if (this.#isClosed || outcome === "open") return;
    if (outcome === "away") {
      this.#retryLater();
      return;
    }
    // Nobody listens to the old one any more, so its end is not taken for a loss.
    this.#connection = undefined;
    await connection.close(false);
    const fault = await this.#connect();
    if (this.#isClosed || fault === undefined) return;
    if (fault.kind === "denied") this.#listener.ended(fault);
    else this.#retryLater();
  }
}

// --- one session --------------------------------------------------------------------------------

interface ConnectionListener {
  notified(method: string, params: JsonObject): void;
  streamOpened(): void;
  streamEnded(livedMs: number): void;
  /** The stream is given up because of what came. */
  streamOverflowed(fault: LinkFault): void;
}

/** What an error made here, and by no server, carries as its data: known by identity. */
const TOO_LONG = { code: "answer_too_long", message: "the server's answer is too long" } as const;

/** One session and its stream, which may be opened several times. */
class Connection {
  readonly client: Client;
  /** Whether its stream was open once. */
  wasOpened = false;
  readonly #transport: StreamableHTTPClientTransport;
  readonly #options: LinkOptions;
  readonly #listener: ConnectionListener;
  #lastEventId = "";
  /** The status of the last answer that was no success. */
  #lastFailure: number | undefined;
  #isForgotten = false;
  #isReopening = false;
  /** Whether an answer was cut off. */
  #isTooLong = false;

  constructor(options: LinkOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    const { accessToken } = options;
    const headers: Record<string, string> = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
    this.#transport = new StreamableHTTPClientTransport(new URL(options.endpoint), {
      requestInit: { headers },
      fetch: (url, init) => this.#fetch(url, init),
      // Coming back is this file's affair: the SDK gives up after some attempts.
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: CLIENT_RETRY_MS,
        maxReconnectionDelay: CLIENT_RETRY_MS,
        reconnectionDelayGrowFactor: 1,
      },
    });
    this.client = new Client(options.client, { capabilities: {} });
    this.client.fallbackNotificationHandler = async ({ method, params }) => listener.notified(method, { ...params });
  }

  /** Whether this session is of no use: the server does not know it any more, or it never came about. */
  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  async begin(): Promise<LinkFault | undefined> {
    try {
      await this.client.connect(this.#transport, { timeout: CLIENT_CALL_MS_MAX });
      return undefined;
    } catch {
      this.#isForgotten = true;
      return this.#fault();
    }
  }

  /** Opens the stream again, where it broke off. */
  async reopenStream(): Promise<"open" | "away" | "forgotten"> {
    this.#isReopening = true;
    try {
      await this.#transport.resumeStream(this.#lastEventId, {
        onresumptiontoken: (id) => {
          this.#lastEventId = id;
        },
      });
      return "open";
    } catch {
      return this.#isForgotten ? "forgotten" : "away";
    } finally {
      this.#isReopening = false;
    }
  }

  async close(endSession: boolean): Promise<void> {
    if (endSession) {
      try {
        await this.#transport.terminateSession();
      } catch {
        // The server is away or has forgotten the session: it is over either way.
      }
    }
    await this.client.close();
  }

  #fault(): LinkFault {
    if (this.#isTooLong) return this.#tooLong();
    const { endpoint, accessToken } = this.#options;
    const { origin } = new URL(endpoint);
    switch (this.#lastFailure) {
      case undefined:
        return { kind: "unreachable", message: `cannot reach ${origin}: does a server run there? (mcp-chat serve)` };
      case 401: {
        const how = accessToken === undefined ? "asks for an access token" : "does not accept this access token";
        return { kind: "denied", message: `${origin} ${how}: set MCP_CHAT_ACCESS_TOKEN` };
      }
      case 403:
        return { kind: "denied", message: `${origin} refuses to talk to this client` };
      case 429:
      case 503:
        return { kind: "unreachable", message: `${origin} is too busy just now: try again in a minute` };
      default:
        return { kind: "foreign", message: `${endpoint} is no MCP endpoint (HTTP ${this.#lastFailure})` };
    }
  }

  /** Sees every exchange, and so knows how the stream fares and whether the session still counts. */
  async #fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    this.#lastFailure = undefined;
    const isStream = init.method === "GET";
    const answer = await (this.#options.fetch ?? fetch)(url, init).catch((problem: unknown) => {
      if (isStream && !this.#isReopening) this.#listener.streamEnded(0);
      throw problem;
    });
    const response = boundedAnswer(answer, CLIENT_ANSWER_BYTES_MAX, () => {
      if (isStream) this.#listener.streamOverflowed(this.#tooLong());
      else if (answer.ok) this.#answerTooLong(init.body);
    });
    if (response.ok) return isStream && response.body !== null ? this.#watched(response, response.body) : response;

    this.#lastFailure = response.status;
    // 404 is the protocol's word for it; 400 is the answer to a position that the server does not know.
    const names = new Headers(init.headers).has("mcp-session-id");
    if (names && (response.status === 404 || (isStream && response.status === 400))) this.#isForgotten = true;
    if (isStream && !this.#isReopening) this.#listener.streamEnded(0);
    else if (this.#isForgotten && !isStream) this.#abandonStream();
    return response;
  }

  /**
   * Fails the request whose answer is too long: what waits for an event that breaks off is not told of it by
   * the SDK, and would wait until its time is over.
   */
  #answerTooLong(request: unknown): void {
    this.#isTooLong = true;
    const { id } = JSON.parse(String(request));
    const error = { code: ErrorCode.InternalError, message: TOO_LONG.message, data: TOO_LONG };
    if (typeof id === "number") this.#transport.onmessage?.({ jsonrpc: "2.0", id, error });
  }

  #tooLong(): LinkFault {
    return { kind: "foreign", message: `${new URL(this.#options.endpoint).origin}: ${TOO_LONG.message}` };
  }

  /** A call has found the session forgotten while its stream seems open: the stream is let go. */
  #abandonStream: () => void = () => undefined;

  /** The stream, with an eye on its silence and its end. */
  #watched(response: Response, body: ReadableStream<Uint8Array>): Response {
    const { clock } = this.#options;
    const reader = body.getReader();
    const openedAt = clock.now();
    let heardAt = openedAt;
    let isOver = false;
    let cancelCheck: () => void = () => undefined;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      cancelCheck();
      this.#listener.streamEnded(clock.now() - openedAt);
    };
    const giveUp = (): void => {
      reader.cancel().then(over, over);
    };
    const check = (): void => {
      const silentMs = clock.now() - heardAt;
      if (silentMs >= CLIENT_SILENCE_MS_MAX) giveUp();
      else cancelCheck = clock.after(CLIENT_SILENCE_MS_MAX - silentMs, check);
    };
    cancelCheck = clock.after(CLIENT_SILENCE_MS_MAX, check);
    this.#abandonStream = giveUp;
    const watched = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          heardAt = clock.now();
          if (value !== undefined) controller.enqueue(value);
          if (!done) return;
          controller.close();
        } catch (problem) {
          controller.error(problem);
        }
        over();
      },
      async cancel(reason) {
        over();
        await reader.cancel(reason);
      },
    });
    queueMicrotask(() => this.#listener.streamOpened());
    return new Response(watched, { status: response.status, headers: response.headers });
  }
}
