/**
 * The HTTP edge: Bun's server, and the paths it serves.
 *
 * This file owns routing, health and how a server stops. It must never look into a message.
 */

import { CONNECTION_IDLE_S_MAX, KEEP_ALIVE_MS, KEEP_ALIVE_SLICES, RELEASE_MS_MAX, STOP_MS_MAX } from "../limits.ts";
import { describeBug } from "../mcp/dispatch.ts";
import { INTERNAL, NOT_FOUND, STOPPING, verbNotOffered, type WireError } from "../mcp/errors.ts";
import type { JsonObject } from "../mcp/registry.ts";
import { type AddressOptions, createAddressReader } from "./address.ts";
import { Endpoint, type EndpointOptions } from "./endpoint.ts";
import { bearerOf, Guard, type GuardOptions } from "./guard.ts";
import { counted, type Handler, type HttpCounts, kindOfVerb, type MetricsPage } from "./metrics-page.ts";
import { JSON_HEADERS, okJson, refusal } from "./responses.ts";
import { onceSafe } from "./safety.ts";

export interface HttpServerOptions
  extends GuardOptions,
    AddressOptions,
    Omit<EndpointOptions, "guard" | "addressOf" | "now"> {
  /** 0 picks a free one. */
  readonly port: number;
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

/** Starts serving. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { log, metrics, safety, now = Date.now, keepAliveMs = KEEP_ALIVE_MS, stopMs = STOP_MS_MAX } = options;
  const guard = new Guard(options);
  const addressOf = createAddressReader(options);
  const endpoint = new Endpoint({ ...options, guard, addressOf, now });
  let stopping: Promise<void> | undefined;

  /** The checks that every request but those for health passes, before anything else of it is looked at. */
  function refuseHead(headers: Headers): WireError | undefined {
    return guard.refuseSource(headers.get("host"), headers.get("origin"));
  }

  /** For whatever watches over the process: any Host, no token. */
  function serveHealth(): Response {
    if (stopping !== undefined) return refusal(STOPPING);
    const isHealthy = options.isHealthy?.() ?? true;
    const body = JSON.stringify({ status: isHealthy ? "ok" : "unavailable", ...options.health?.() });
    return isHealthy ? okJson(body) : new Response(body, { status: 503, headers: JSON_HEADERS });
  }

  /** Figures are for who may use the server, or a stranger could watch it. */
  async function serveMetrics(request: Request, page: MetricsPage): Promise<Response> {
    const refused = refuseHead(request.headers);
    if (refused !== undefined) return refusal(refused);
    const unauthorized = await guard.refuseCredential(bearerOf(request.headers.get("authorization")));
    if (unauthorized !== undefined) return refusal(unauthorized);
    if (request.method !== "GET" && request.method !== "HEAD") return refusal(verbNotOffered(["GET", "HEAD"]));
    return new Response(page.render(endpoint.counts), {
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
      [ENDPOINT]: counted(metrics, onceSafe(safety, endpoint.serve), kindOfVerb),
      "/healthz": counted(metrics, serveHealth, () => "health"),
      ...metricsRoute,
    },
    fetch: counted(metrics, onceSafe(safety, serveOther), () => "other"),
    error(bug) {
      log.error("a request failed unexpectedly", describeBug(bug));
      return refusal(INTERNAL);
    },
  });

  const ticker = setInterval(() => endpoint.tick(), keepAliveMs / KEEP_ALIVE_SLICES);
  ticker.unref();

  async function stop(): Promise<void> {
    const closed = server.stop();
    const released = options.release?.();
    endpoint.release();
    if (released !== undefined) await Promise.race([released, Bun.sleep(RELEASE_MS_MAX)]);
    // The answers of what was released are on their way in this turn; the end must not overtake them.
    await new Promise((resolve) => setImmediate(resolve));
    const ended = endpoint.stop().then(() => closed);
    await Promise.race([ended, Bun.sleep(stopMs)]);
    clearInterval(ticker);
    await server.stop(true);
  }

  const port = server.port ?? options.port;
  return {
    url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`,
    port,
    get counts() {
      return endpoint.counts;
    },
    cut: () => endpoint.cut(),
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}
