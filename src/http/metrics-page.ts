/**
 * What the HTTP edge has to do with figures: the page that shows them, and who hears of its answers.
 *
 * This file owns the closed list of what requests are counted as. It must never look at more of one than
 * its method, and never cost anything where nobody counts.
 */
import type { StreamEnd } from "./sse-response.ts";

/** What requests ask for: a method of the endpoint, or another path. */
export const REQUEST_KINDS = ["post", "get", "delete", "options", "health", "metrics", "other"] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** What an HTTP server counts itself. */
export interface HttpCounts {
  /** At this moment: open streams, those of them whose peer does not read, and held calls. */
  readonly streams: number;
  readonly stalled: number;
  readonly held: number;
  /** Since the start. */
  readonly streamsOpened: number;
  readonly streamsClosed: Readonly<Record<StreamEnd, number>>;
}

/** The figures as a page. */
export interface MetricsPage {
  readonly contentType: string;
  render(counts: HttpCounts): string;
  /** Hears of every answer, when its head is ready. */
  answered(kind: RequestKind, status: number): void;
}

export type Handler = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** The same handler, with its answers counted if anybody counts. */
export function counted(
  page: MetricsPage | undefined,
  handle: Handler,
  kindOf: (request: Request) => RequestKind,
): Handler {
  if (page === undefined) return handle;
  return (request, server) => {
    const kind = kindOf(request);
    const answered = (response: Response): Response => {
      page.answered(kind, response.status);
      return response;
    };
    const response = handle(request, server);
    return response instanceof Promise ? response.then(answered) : answered(response);
  };
}

/** What a request to the endpoint is counted as. */
export function kindOfVerb({ method }: Request): RequestKind {
  switch (method) {
    case "POST":
      return "post";
    case "GET":
      return "get";
    case "DELETE":
      return "delete";
    case "OPTIONS":
      return "options";
    default:
      return "other";
  }
}
