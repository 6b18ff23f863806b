/**
 * What a server built on the protocol engine declares: its tools and, for legacy sessions, what it
 * pushes. Plain values, read by the dispatcher of every transport and both eras.
 *
 * This file owns the seam between the engine and an application. It must never name anything of
 * chat, and nothing here may do I/O.
 */

/** Anything that survives `JSON.parse(JSON.stringify(x))`. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** Legacy: the `initialize` handshake, up to 2025-11-25. Modern: self-contained requests, 2026-07-28. */
export type Era = "legacy" | "modern";

/** Every protocol revision served, oldest first. */
export const REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] as const;
export type Revision = (typeof REVISIONS)[number];

/** Who the server or the client says it is. For display only, never for security. */
export interface Implementation {
  readonly name: string;
  readonly title?: string;
  readonly version: string;
  readonly description?: string;
  readonly websiteUrl?: string;
}

/** What a request handler may know of its caller, and the ways to talk back before the answer. */
export interface CallContext {
  readonly era: Era;
  readonly revision: Revision;
  readonly transport: "http" | "stdio";
  readonly client: Implementation | undefined;
  /** Key of the legacy session: stable, not secret, good as a map key. Undefined in the modern era. */
  readonly session: string | undefined;
  /** The credential of `Authorization: Bearer`, without the scheme; undefined if none came. */
  readonly bearer: string | undefined;
  /** Whether messages can go out before the answer (`Accept` admits `text/event-stream`; always on stdio). */
  readonly canStream: boolean;
  /** Whether the request carried a progress token, so that `progress` reaches anybody. */
  readonly wantsProgress: boolean;
  /**
   * Aborts when nobody will read the answer any more: cancelled, session ended, or the connection
   * dropped and the response cannot be resumed. The handler should stop; what it returns is dropped.
   */
  readonly signal: AbortSignal;
  /** Starts streaming the response now, so that headers and a first byte go out. A no-op if `!canStream` or started. */
  openStream(): void;
  /** Sends a progress notification on the response stream; a no-op unless `wantsProgress && canStream`. `progress` must rise. */
  progress(step: { progress: number; total?: number; message?: string }): void;
}

export interface ToolAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** A content block as in the specification's `ContentBlock`; text is the one the engine itself makes. */
export type ContentBlock = { type: "text"; text: string } | ({ type: string } & JsonObject);

export interface ToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: JsonObject;
  readonly isError?: boolean;
  readonly _meta?: JsonObject;
}

/** One tool. The schemas are listed exactly as they stand here. */
export interface Tool {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly annotations?: ToolAnnotations;
  /** JSON Schema 2020-12 with root `type: "object"`. */
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly _meta?: JsonObject;
  /**
   * Runs the tool. It validates `args` itself: bad arguments and business refusals are results with
   * `isError: true`, never exceptions. A throw is a bug and answers -32603 without details.
   */
  call(args: JsonObject, context: CallContext): ToolResult | Promise<ToolResult>;
}

/** One notification on its way to a legacy session's GET stream. */
export interface PushItem {
  /** The whole JSON-RPC notification, serialised on one line. */
  readonly json: string;
  /** Where a reader resumes after this item: goes into the event id. Absent: the item cannot be resumed from. */
  readonly position?: string;
}

/** A reader's place in the notifications of one session. Pulled by the stream that writes it; never buffered twice. */
export interface PushReader {
  /** The items after the last one handed out, at most about `maxBytes` of JSON but at least one; empty when caught up. */
  next(maxBytes: number): readonly PushItem[];
  /** Position after the last item handed out, for priming events. */
  readonly position: string;
  /** Whether the source dropped items this reader had not been handed: a stalled stream is then cut. */
  readonly overrun: boolean;
  /**
   * The stream has ended or was taken over. `settled` is the position it had already written 30 s
   * before without trouble since (it counts as read), if any. Called exactly once.
   */
  close(settled: string | undefined): void;
}

/** What a server pushes to legacy sessions of its own accord. */
export interface PushSource {
  /**
   * Opens a reader for a session's GET stream.
   * @param resume the position of `Last-Event-ID`, exactly; null = after the last position known to have been read
   * @param wake called (possibly synchronously inside other calls, possibly often) when `next` may have more
   * @returns "malformed" if `resume` is no position this source ever made
   */
  open(session: string, resume: string | null, wake: () => void): PushReader | "malformed";
}

/** Which sessions have ended. Sessions are sealed tokens, so the engine keeps no table of them. */
export interface SessionLedger {
  /** Whether this session was ended by DELETE or by the server. */
  isEnded(session: string): boolean;
  /** Ends it (DELETE). Idempotent. */
  end(session: string): void | Promise<void>;
}

/** A whole server, as the engine sees it. */
export interface ServerDefinition {
  readonly info: Implementation;
  readonly instructions?: string;
  /** In the order in which they are listed. */
  readonly tools: readonly Tool[];
  readonly push?: PushSource;
  readonly sessions: SessionLedger;
}
