/**
 * The MCP endpoint over the runtime's requests: its verbs, and the order of the checks that each of them passes.
 *
 * This file owns that order. It must never decide what a message means, and never read a body before the guard
 * has passed the head.
 */

import type { Caller } from "../mcp/call.ts";
import type { BugLog } from "../mcp/dispatch.ts";
import {
  BODY_TOO_LARGE,
  CUT_OFF,
  NOT_ACCEPTABLE_GET,
  NOT_ACCEPTABLE_POST,
  STOPPING,
  STREAMS_FULL,
  STREAMS_PER_ADDRESS,
  verbNotOffered,
  type WireError,
} from "../mcp/errors.ts";
import type { FrameSource } from "../mcp/frame-source.ts";
import type { Decoded } from "../mcp/jsonrpc.ts";
import { MessageFrames } from "../mcp/message-source.ts";
import type { ServerDefinition } from "../mcp/registry.ts";
import { ACCEPTED, type HeldReply, type Reply } from "../mcp/reply.ts";
import { StreamableHttp } from "../mcp/streamable-http.ts";
import { type Accepted, readAccept } from "./accept.ts";
import type { AddressReader } from "./address.ts";
import { type AddressLimitOptions, AddressLimits } from "./address-limits.ts";
import { readMessage } from "./body.ts";
import { allowOrigin, preflight } from "./cors.ts";
import { bearerOf, type Guard, refusePostHead } from "./guard.ts";
import type { HttpCounts } from "./metrics-page.ts";
import { jsonResponse, plainResponse, refusal, soleEventResponse, streamResponse } from "./responses.ts";
import type { Safety } from "./safety.ts";
import { StreamWriters } from "./sse-response.ts";
import { Turn } from "./turn.ts";

export interface EndpointOptions {
  readonly definition: ServerDefinition;
  /** 32 bytes that seal session tokens. */
  readonly sessionKey: Uint8Array;
  /** Event streams open at once; beyond it 503. */
  readonly streamsMax: number;
  /** What one address may do; absent = as much as everybody together. */
  readonly perAddress?: AddressLimitOptions;
  /** Where requests come from, if that can be told. */
  readonly addressOf: AddressReader | undefined;
  readonly guard: Guard;
  readonly log: BugLog;
  /** Asked before anything is written to a stream; absent where nothing is kept. */
  readonly safety?: Safety | undefined;
  /** Whether a stream opened now would be of no use, as when this server is cut off from others; default: never. */
  readonly isCutOff?: (() => boolean) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What of a POST is known before its body is read. */
interface PostHead {
  readonly request: Request;
  readonly server: Bun.Server<undefined>;
  readonly bearer: string | undefined;
  readonly address: string | undefined;
  readonly accepted: Accepted;
}

export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #guard: Guard;
  readonly #limits: AddressLimits;
  readonly #transport: StreamableHttp;
  readonly #writers: StreamWriters;
  readonly #turn = new Turn();
  #isStopping = false;

  constructor(options: EndpointOptions) {
    const { definition, sessionKey, streamsMax, safety, guard, log, now } = options;
    this.#options = options;
    this.#guard = guard;
    this.#limits = new AddressLimits(options.perAddress, now);
    this.#transport = new StreamableHttp({ definition, sessionKey, now, log });
    this.#writers = new StreamWriters({ streamsMax, now, log, safety });
  }

  get counts(): HttpCounts {
    const { openCount, stalledCount, openedCount, closedCounts } = this.#writers;
    return {
      streams: openCount,
      stalled: stalledCount,
      held: this.#transport.counts.held,
      streamsOpened: openedCount,
      streamsClosed: closedCounts,
    };
  }

  /** Answers a request to the endpoint, whatever its verb. */
  readonly serve = (request: Request, server: Bun.Server<undefined>): Response | Promise<Response> => {
    const { headers } = request;
    const origin = headers.get("origin");
    const refused = this.#guard.refuseSource(headers.get("host"), origin);
    if (refused !== undefined) return refusal(refused);
    if (request.method === "OPTIONS") return preflight(origin, this.#transport.verbs);
    const response = this.#serveVerb(request, server);
    if (origin === null) return response;
    return response instanceof Promise ? response.then((r) => allowOrigin(r, origin)) : allowOrigin(response, origin);
  };

  #serveVerb(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
    const { method } = request;
    if (method !== "POST" && method !== "GET" && method !== "DELETE") {
      return refusal(verbNotOffered(this.#transport.verbs));
    }
    const bearer = bearerOf(request.headers.get("authorization"));
    const unauthorized = this.#guard.refuseCredential(bearer);
    const go = (refused: WireError | undefined): Response | Promise<Response> => {
      if (refused !== undefined) return refusal(refused);
      if (method === "POST") return this.#post(request, server, bearer);
      return method === "GET" ? this.#get(request, server, bearer) : this.#delete(request, bearer);
    };
    return unauthorized instanceof Promise ? unauthorized.then(go) : go(unauthorized);
  }

  // --- POST ---------------------------------------------------------------------------------------

  #post(request: Request, server: Bun.Server<undefined>, bearer: string | undefined): Response | Promise<Response> {
    const { headers } = request;
    const accepted = readAccept(headers.get("accept"));
    if (!accepted.json && !accepted.eventStream) return refusal(NOT_ACCEPTABLE_POST);
    const refused = refusePostHead(headers);
    if (refused !== undefined) return refusal(refused);
    const address = this.#options.addressOf?.(request, server);
    const head: PostHead = { request, server, bearer, address, accepted };
    return this.#turn.after(readMessage(request), (message) => this.#answer(head, message));
  }

  #answer(head: PostHead, message: Decoded | "too large"): Response | Promise<Response> {
    const { request, address } = head;
    if (message === "too large") return refusal(BODY_TOO_LARGE);
    if (this.#isStopping) return refusal(STOPPING);
    const excess = this.#limits.refuseMessage(message, address);
    if (excess !== undefined) return refusal(excess);
    const reply = this.#transport.post(message, request.headers, this.#posterOf(head));
    return reply.kind === "held" ? this.#whenAnswered(head, reply) : this.#respond(head, reply);
  }

  #posterOf({ bearer, address, accepted }: PostHead): Caller {
    const caller = callerOf(bearer, true, address);
    const streamRefusal = accepted.eventStream ? this.#refuseStream(address) : NOT_ACCEPTABLE_GET;
    return streamRefusal === undefined ? caller : { ...caller, canStream: false, streamRefusal };
  }

  async #whenAnswered(head: PostHead, held: HeldReply): Promise<Response> {
    const { signal } = head.request;
    disconnectWith(signal, held);
    const reply = await held.reply;
    if (reply.kind === "messages" && signal.aborted) {
      // Nobody would ever end what nobody has begun to read.
      reply.closed();
      return plainResponse(ACCEPTED);
    }
    return this.#respond(head, reply);
  }

  #respond({ request, server, accepted, address }: PostHead, reply: Reply): Response {
    switch (reply.kind) {
      case "json":
        return accepted.json ? jsonResponse(reply) : soleEventResponse(reply);
      case "stream":
        return this.#stream(reply.source, false, address);
      case "messages":
        server.timeout(request, 0);
        return this.#stream(new MessageFrames(reply.source, () => reply.closed()), true, address);
      case "accepted":
      case "done":
        return plainResponse(reply);
    }
  }

  // --- streams ------------------------------------------------------------------------------------

  /** Why no stream may be opened from there now, if none may. */
  #refuseStream(address: string | undefined): WireError | undefined {
    if (this.#writers.isFull) return STREAMS_FULL;
    if (this.#options.isCutOff?.() === true) return CUT_OFF;
    return this.#limits.isFullOfStreams(address) ? STREAMS_PER_ADDRESS : undefined;
  }

  #get(request: Request, server: Bun.Server<undefined>, bearer: string | undefined): Response {
    const { headers } = request;
    if (!readAccept(headers.get("accept")).eventStream) return refusal(NOT_ACCEPTABLE_GET);
    if (this.#isStopping) return refusal(STOPPING);
    const address = this.#options.addressOf?.(request, server);
    const refused = this.#refuseStream(address);
    if (refused !== undefined) return refusal(refused);
    const reply = this.#transport.get(headers, callerOf(bearer, true, address));
    if (reply.kind !== "stream") return plainResponse(reply);
    server.timeout(request, 0);
    return this.#stream(reply.source, true, address);
  }

  /** A separate function, so that nothing of the request is kept while the stream lives. */
  #stream(source: FrameSource, isLast: boolean, address: string | undefined): Response {
    return streamResponse(this.#writers.body(source, this.#limits.streamOpened(address)), isLast);
  }

  #delete({ headers }: Request, bearer: string | undefined): Response | Promise<Response> {
    const reply = this.#transport.delete(headers, callerOf(bearer, false, undefined));
    return reply instanceof Promise ? reply.then(plainResponse) : plainResponse(reply);
  }

  // --- its life -----------------------------------------------------------------------------------

  /** Does what is due now and then. To be called `KEEP_ALIVE_SLICES` times per keep-alive interval. */
  tick(): void {
    this.#writers.tick();
    this.#transport.sweep();
  }

  /** Ends every stream, and tells its client to come back: what it was read from is no more. */
  cut(): void {
    this.#transport.cut();
  }

  /**
   * A stop begins: what is asked from now on is refused, and what is held for something to happen is answered. Its
   * answers leave after this turn.
   */
  release(): void {
    this.#isStopping = true;
    this.#transport.release();
  }

  /** Ends every stream and answers every held call. @returns when all streams have ended */
  stop(): Promise<void> {
    this.#transport.stop();
    return this.#writers.idle();
  }
}

function callerOf(bearer: string | undefined, canStream: boolean, address: string | undefined): Caller {
  return { transport: "http", bearer, address, subject: "", canStream };
}

/** Lets a held call know that its connection has dropped. Apart, so that no closure holds the request. */
function disconnectWith(signal: AbortSignal, held: HeldReply): void {
  if (signal.aborted) held.disconnected();
  else signal.addEventListener("abort", () => held.disconnected(), { once: true });
}
