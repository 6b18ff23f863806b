/**
 * The HTTP edge: Bun's server around the MCP endpoint.
 *
 * This file owns routing, the order of the checks, and how replies become responses. It must never
 * decide what a message means, and never read a body before the guard has passed the head.
 */

import { CONNECTION_IDLE_S_MAX, KEEP_ALIVE_MS, KEEP_ALIVE_SLICES, RELEASE_MS_MAX, STOP_MS_MAX } from "../limits.ts";
import type { Caller } from "../mcp/call.ts";
import { type BugLog, describeBug } from "../mcp/dispatch.ts";
import {
  BODY_TOO_LARGE,
  CUT_OFF,
  errorText,
  INTERNAL,
  NOT_ACCEPTABLE_GET,
  NOT_ACCEPTABLE_POST,
  NOT_FOUND,
  STOPPING,
  STREAMS_FULL,
  STREAMS_PER_ADDRESS,
  verbNotOffered,
  type WireError,
} from "../mcp/errors.ts";
import type { FrameSource } from "../mcp/frame-source.ts";
import { MessageFrames } from "../mcp/message-source.ts";
import type { JsonObject, ServerDefinition } from "../mcp/registry.ts";
import type { HeldReply, JsonReply, Reply } from "../mcp/reply.ts";
import { encodeMessage } from "../mcp/sse.ts";
import { StreamableHttp } from "../mcp/streamable-http.ts";
import { readAccept } from "./accept.ts";
import { type AddressOptions, createAddressReader } from "./address.ts";
import { type AddressLimitOptions, AddressLimits } from "./address-limits.ts";
import { readMessage } from "./body.ts";
import { allowOrigin, preflight } from "./cors.ts";
import { bearerOf, Guard, type GuardOptions, refusePostHead } from "./guard.ts";
import { counted, type Handler, type HttpCounts, kindOfVerb, type MetricsPage } from "./metrics-page.ts";
import { onceSafe, type Safety } from "./safety.ts";
import { StreamWriters } from "./sse-response.ts";
import { Turn } from "./turn.ts";

export interface HttpServerOptions extends GuardOptions, AddressOptions {
  readonly definition: ServerDefinition;
  /** 0 picks a free one. */
  readonly port: number;
  /** 32 bytes that seal session tokens. */
  readonly sessionKey: Uint8Array;
  /** Event streams open at once; beyond it 503. */
  readonly streamsMax: number;
  /** What one address may do; absent = as much as everybody together. */
  readonly perAddress?: AddressLimitOptions;
  readonly log: BugLog;
  /** Keeps answers back until what they tell of is kept; absent where nothing is. */
  readonly safety?: Safety | undefined;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
  /** Between two keep-alives of a stream, in milliseconds. */
  readonly keepAliveMs?: number;
  /** Answers what the application holds; called when a stop begins, which waits for it a moment. */
  readonly release?: () => void | Promise<void>;
  /** How long a stop waits for streams and held calls to end by themselves, in milliseconds. */
  readonly stopMs?: number;
  /** Whether `GET /healthz` may say so; default: as long as it is served. */
  readonly isHealthy?: () => boolean;
  /** Whether a stream opened now would be of no use, as when this server is cut off from others; default: never. */
  readonly isCutOff?: () => boolean;
  /** More members for `GET /healthz`. */
  readonly health?: () => JsonObject;
  /**
   * Answers paths that are not the endpoint's, once Host and Origin have passed; undefined = not found. No access
   * token was checked. `address` is where the request came from, if places are told apart.
   */
  readonly fallback?: (request: Request, address: string | undefined) => Response | Promise<Response> | undefined;
  /** `GET /metrics`, for whoever may use the endpoint; absent = not found. */
  readonly metrics?: MetricsPage | undefined;
}

export interface HttpServer {
  /** `http://HOST:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  readonly counts: HttpCounts;
  /** Ends every stream, and tells its client to come back: what it was read from is no more. */
  cut(): void;
  /** Stops accepting, ends streams and held calls cleanly, and resolves within `stopMs`. */
  stop(): Promise<void>;
}

export const ENDPOINT = "/mcp";
const METRICS = "/metrics";

const JSON_HEADERS = { "content-type": "application/json" };
const SSE_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};
// Responses copy what they are given; copying a Headers object is cheaper than reading a plain one each time.
const OK_JSON = { headers: new Headers(JSON_HEADERS) };
const OK_SSE = { headers: new Headers(SSE_HEADERS) };
// `Server.timeout` stays with the connection after its response (Bun issue 33611), so the connection ends with the stream.
const OK_SSE_LAST = { headers: new Headers({ ...SSE_HEADERS, connection: "close" }) };

/** Starts serving. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { definition, log, now = Date.now, keepAliveMs = KEEP_ALIVE_MS, stopMs = STOP_MS_MAX } = options;
  const guard = new Guard(options);
  const addressOf = createAddressReader(options);
  const limits = new AddressLimits(options.perAddress, now);
  const endpoint = new StreamableHttp({ definition, sessionKey: options.sessionKey, now, log });
  const writers = new StreamWriters({ streamsMax: options.streamsMax, now, log, safety: options.safety });
  const turn = new Turn();
  let stopping: Promise<void> | undefined;

  /** The checks every request of the endpoint passes, before anything else of it is looked at. */
  function refuseHead(headers: Headers): WireError | undefined {
    return guard.refuseHost(headers.get("host")) ?? guard.refuseOrigin(headers.get("origin"));
  }

  function callerOf(bearer: string | undefined, canStream: boolean, address?: string): Caller {
    return { transport: "http", bearer, address, subject: "", canStream };
  }

  async function post(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const { headers } = request;
    const bearer = bearerOf(headers.get("authorization"));
    let unauthorized = guard.refuseCredential(bearer);
    if (unauthorized instanceof Promise) unauthorized = await unauthorized;
    if (unauthorized !== undefined) return refusal(unauthorized);
    const accepted = readAccept(headers.get("accept"));
    if (!accepted.json && !accepted.eventStream) return refusal(NOT_ACCEPTABLE_POST);
    const refused = refusePostHead(headers);
    if (refused !== undefined) return refusal(refused);

    const address = addressOf?.(request, server);
    const message = await readMessage(request);
    await turn.next();
    if (message === "too large") return refusal(BODY_TOO_LARGE);
    if (stopping !== undefined) return refusal(STOPPING);
    const excess = limits.refuseMessage(message, address);
    if (excess !== undefined) return refusal(excess);
    let caller = callerOf(bearer, true, address);
    if (!accepted.eventStream) caller = { ...caller, canStream: false, streamRefusal: NOT_ACCEPTABLE_GET };
    else if (writers.isFull) caller = { ...caller, canStream: false, streamRefusal: STREAMS_FULL };
    else if (options.isCutOff?.() === true) caller = { ...caller, canStream: false, streamRefusal: CUT_OFF };
    else if (limits.isFullOfStreams(address)) {
      caller = { ...caller, canStream: false, streamRefusal: STREAMS_PER_ADDRESS };
    }
    let reply: Reply | HeldReply = endpoint.post(message, headers, caller);
    if (reply.kind === "held") {
      disconnectWith(request.signal, reply);
      reply = await reply.reply;
      if (reply.kind === "messages" && request.signal.aborted) {
        // Nobody would ever end what nobody has begun to read.
        reply.closed();
        return new Response(null, { status: 202 });
      }
    }
    switch (reply.kind) {
      case "json":
        return accepted.json ? jsonResponse(reply) : soleEventResponse(reply);
      case "stream":
        return streamResponse(reply.source, OK_SSE, address);
      case "messages":
        server.timeout(request, 0);
        return streamResponse(new MessageFrames(reply.source, () => reply.closed()), OK_SSE_LAST, address);
      case "accepted":
        return new Response(null, { status: 202 });
      case "done":
        return new Response(null, { status: 204 });
    }
  }

  /** A separate function, so that nothing of the request is kept while the stream lives. */
  function streamResponse(source: FrameSource, init: ResponseInit, address: string | undefined): Response {
    return new Response(writers.body(source, limits.streamOpened(address)), init);
  }

  function get(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
    const bearer = bearerOf(request.headers.get("authorization"));
    const unauthorized = guard.refuseCredential(bearer);
    const go = (refused: WireError | undefined): Response =>
      refused === undefined ? openStream(request, bearer, server) : refusal(refused);
    return unauthorized instanceof Promise ? unauthorized.then(go) : go(unauthorized);
  }

  function openStream(request: Request, bearer: string | undefined, server: Bun.Server<undefined>): Response {
    const { headers } = request;
    if (!readAccept(headers.get("accept")).eventStream) return refusal(NOT_ACCEPTABLE_GET);
    if (stopping !== undefined) return refusal(STOPPING);
    if (writers.isFull) return refusal(STREAMS_FULL);
    if (options.isCutOff?.() === true) return refusal(CUT_OFF);
    const address = addressOf?.(request, server);
    if (limits.isFullOfStreams(address)) return refusal(STREAMS_PER_ADDRESS);
    const reply = endpoint.get(headers, callerOf(bearer, true, address));
    if (reply.kind !== "stream") return plainResponse(reply);
    server.timeout(request, 0);
    return streamResponse(reply.source, OK_SSE_LAST, address);
  }

  async function remove(request: Request): Promise<Response> {
    const bearer = bearerOf(request.headers.get("authorization"));
    const unauthorized = await guard.refuseCredential(bearer);
    if (unauthorized !== undefined) return refusal(unauthorized);
    return plainResponse(await endpoint.delete(request.headers, callerOf(bearer, false)));
  }

  function serveEndpoint(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
    const refused = refuseHead(request.headers);
    if (refused !== undefined) return refusal(refused);
    const origin = request.headers.get("origin");
    if (request.method === "OPTIONS") return preflight(origin, endpoint.verbs);
    const response = serveVerb(request, server);
    if (origin === null) return response;
    return response instanceof Promise ? response.then((r) => allowOrigin(r, origin)) : allowOrigin(response, origin);
  }

  function serveVerb(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
    switch (request.method) {
      case "POST":
        return post(request, server);
      case "GET":
        return get(request, server);
      case "DELETE":
        return remove(request);
      default:
        return refusal(verbNotOffered(endpoint.verbs));
    }
  }

  /** For whatever watches over the process: any Host, no token. */
  function serveHealth(): Response {
    if (stopping !== undefined) return refusal(STOPPING);
    const isHealthy = options.isHealthy?.() ?? true;
    const body = JSON.stringify({ status: isHealthy ? "ok" : "unavailable", ...options.health?.() });
    return isHealthy ? new Response(body, OK_JSON) : new Response(body, { status: 503, headers: JSON_HEADERS });
  }

  function counts(): HttpCounts {
    return {
      streams: writers.openCount,
      stalled: writers.stalledCount,
      held: endpoint.counts.held,
      streamsOpened: writers.openedCount,
      streamsClosed: writers.closedCounts,
    };
  }

  /** Figures are for who may use the server, or a stranger could watch it. */
  async function serveMetrics(request: Request, page: MetricsPage): Promise<Response> {
    const refused = refuseHead(request.headers);
    if (refused !== undefined) return refusal(refused);
    const unauthorized = await guard.refuseCredential(bearerOf(request.headers.get("authorization")));
    if (unauthorized !== undefined) return refusal(unauthorized);
    if (request.method !== "GET" && request.method !== "HEAD") return refusal(verbNotOffered(["GET", "HEAD"]));
    return new Response(page.render(counts()), {
      headers: { "content-type": page.contentType, "cache-control": "no-store" },
    });
  }

  async function serveOther(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const refused = refuseHead(request.headers);
    if (refused !== undefined) return refusal(refused);
    const answer = await options.fallback?.(request, addressOf?.(request, server));
    if (answer !== undefined) return answer;
    // Who may not know the endpoint need not know what else is there.
    return refusal((await guard.refuseCredential(bearerOf(request.headers.get("authorization")))) ?? NOT_FOUND);
  }

  const { metrics } = options;
  const metricsRoute: Record<string, Handler> = {};
  if (metrics !== undefined) {
    metricsRoute[METRICS] = counted(
      metrics,
      (request) => serveMetrics(request, metrics),
      () => "metrics",
    );
  }

  const server: Bun.Server<undefined> = Bun.serve({
    hostname: options.host,
    port: options.port,
    development: false,
    // Left out, the runtime shares a port that is taken, and two servers would halve each other's clients.
    reusePort: false,
    idleTimeout: CONNECTION_IDLE_S_MAX,
    // The guard refuses large bodies itself, with a JSON body; the runtime's own refusal has none. It stores nothing unread.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    routes: {
      [ENDPOINT]: counted(metrics, onceSafe(options.safety, serveEndpoint), kindOfVerb),
      "/healthz": counted(metrics, serveHealth, () => "health"),
      ...metricsRoute,
    },
    fetch: counted(metrics, onceSafe(options.safety, serveOther), () => "other"),
    error(bug) {
      log.error("a request failed unexpectedly", describeBug(bug));
      return refusal(INTERNAL);
    },
  });

  const ticker = setInterval(() => {
    writers.tick();
    endpoint.sweep();
  }, keepAliveMs / KEEP_ALIVE_SLICES);
  ticker.unref();

  async function stop(): Promise<void> {
    const closed = server.stop();
    const released = options.release?.();
    endpoint.release();
    if (released !== undefined) await Promise.race([released, Bun.sleep(RELEASE_MS_MAX)]);
    // The answers of what was released are on their way in this turn; the end must not overtake them.
    await new Promise((resolve) => setImmediate(resolve));
    endpoint.stop();
    const ended = writers.idle().then(() => closed);
    await Promise.race([ended, Bun.sleep(stopMs)]);
    clearInterval(ticker);
    await server.stop(true);
  }

  const port = server.port ?? options.port;
  return {
    url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`,
    port,
    get counts() {
      return counts();
    },
    cut: () => endpoint.cut(),
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** Lets a held call know that its connection has dropped. Apart, so that no closure holds the request. */
function disconnectWith(signal: AbortSignal, held: HeldReply): void {
  if (signal.aborted) held.disconnected();
  else signal.addEventListener("abort", () => held.disconnected(), { once: true });
}

function jsonResponse({ status, body, headers }: JsonReply): Response {
  if (status === 200 && headers === undefined) return new Response(body, OK_JSON);
  return new Response(body, { status, headers: { ...JSON_HEADERS, ...headers } });
}

/** An answer for a client that takes event streams only: one event. Errors that are no 200 stay JSON. */
function soleEventResponse(reply: JsonReply): Response {
  if (reply.status !== 200) return jsonResponse(reply);
  const init = reply.headers === undefined ? OK_SSE : { headers: { ...SSE_HEADERS, ...reply.headers } };
  return new Response(encodeMessage(reply.body), init);
}

function plainResponse(reply: Reply): Response {
  if (reply.kind === "json") return jsonResponse(reply);
  return new Response(null, { status: reply.kind === "done" ? 204 : 202 });
}

function refusal(error: WireError): Response {
  return new Response(errorText(undefined, error), {
    status: error.status,
    headers: { ...JSON_HEADERS, ...error.headers },
  });
}
