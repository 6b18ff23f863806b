/**
 * Figures of the HTTP edge: requests by what they ask for and how they end, streams, held calls.
 *
 * This file owns the counts of requests; streams are counted where they are. It must never see a request.
 */
import { type HttpCounts, REQUEST_KINDS, type RequestKind } from "../http/metrics-page.ts";
import type { Exposition } from "./exposition.ts";

const CLASSES = ["2xx", "3xx", "4xx", "5xx"] as const;
const TOO_MANY_REQUESTS = 429;

export class HttpMeter {
  readonly #streamsMax: number;
  /** Requests of each kind, by the hundreds of their status from 2. */
  readonly #requests = Object.fromEntries(REQUEST_KINDS.map((kind) => [kind, CLASSES.map(() => 0)]));
  #rateLimited = 0;

  constructor(streamsMax: number) {
    this.#streamsMax = streamsMax;
  }

  answered(kind: RequestKind, status: number): void {
    const counts = this.#requests[kind];
    const at = Math.trunc(status / 100) - 2;
    if (counts?.[at] !== undefined) counts[at]++;
    if (status === TOO_MANY_REQUESTS) this.#rateLimited++;
  }

  write(out: Exposition, counts: HttpCounts): void {
    const samples = REQUEST_KINDS.flatMap((kind) =>
      CLASSES.map((status, at) => ({ labels: { kind, status }, value: this.#requests[kind]?.[at] ?? 0 })),
    );
    out.family("mcp_chat_http_requests_total", "counter", "Requests answered, or begun to be.", samples);
    const limited = "Requests refused because their user or address had made too many.";
    out.counter("mcp_chat_http_rate_limited_total", limited, this.#rateLimited);
    out.gauge("mcp_chat_streams_open", "Open event streams.", counts.streams);
    out.gauge("mcp_chat_streams_max", "Most event streams open at once.", this.#streamsMax);
    out.gauge("mcp_chat_streams_stalled", "Open streams whose client does not read.", counts.stalled);
    out.counter("mcp_chat_streams_opened_total", "Event streams opened.", counts.streamsOpened);
    const closed =
      "Event streams closed: by their client, by the server, cut because the client stopped reading or fell too far behind, or by a bug.";
    out.counters("mcp_chat_streams_closed_total", closed, "reason", counts.streamsClosed);
    out.gauge("mcp_chat_calls_held", "Calls held until there is something to answer.", counts.held);
  }
}
