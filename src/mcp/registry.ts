/**
 * What a server built on the protocol engine declares: its tools, resources and prompts and, for
 * legacy sessions, what it pushes. Plain values, read by the dispatcher of every transport and both eras.
 *
 * This file owns the seam between the engine and an application. It must never name anything of
 * chat, and nothing here may do I/O.
 */

import type { EventProvider } from "./event-provider.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ClientFeature, TaskOptions, WorkContext } from "./work-context.ts";

export type { Json, JsonObject } from "./json.ts";
export {
  type ClientFeature,
  type InputAnswers,
  type InputRequest,
  type InputRequests,
  NoInput,
  type TaskOptions,
  type WorkContext,
} from "./work-context.ts";

/** Legacy: the `initialize` handshake, up to 2025-11-25. Modern: self-contained requests, 2026-07-28. */
export type Era = "legacy" | "modern";

/** Every protocol revision served, oldest first. */
export const REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] as const;
export type Revision = (typeof REVISIONS)[number];

/** How urgent a log message is (RFC 5424), least first. */
export const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A picture for people. Shown to clients from 2025-11-25 on. */
export interface Icon {
  /** An `https:` or `data:` URL. */
  readonly src: string;
  readonly mimeType?: string;
  /** `48x48`, or `any` for a scalable one. */
  readonly sizes?: readonly string[];
  readonly theme?: "light" | "dark";
}

/** Who the server or the client says it is. For display only, never for security. */
export interface Implementation {
  readonly name: string;
  readonly title?: string;
  readonly version: string;
  readonly description?: string;
  readonly websiteUrl?: string;
  readonly icons?: readonly Icon[];
}

/** Who asks, as far as anybody knows. Also kept by what outlives the request. */
export interface Requester {
  readonly era: Era;
  readonly revision: Revision;
  readonly transport: "http" | "stdio";
  readonly client: Implementation | undefined;
  /** Key of the legacy session: stable, not secret, good as a map key. Undefined in the modern era. */
  readonly session: string | undefined;
  /** The credential of `Authorization: Bearer`, without the scheme; undefined if none came. */
  readonly bearer: string | undefined;
  /** Where the request came from, in the transport's own words: equal for equal places. Absent if places are not told apart. */
  readonly address?: string | undefined;
}

/** What a request handler may know of its caller, and the ways to talk back before the answer. */
export interface CallContext extends Requester, WorkContext {
  /** Whether messages can go out before the answer (`Accept` admits `text/event-stream`; always on stdio). */
  readonly canStream: boolean;
  /** Whether the request carried a progress token, so that `progress` reaches anybody. */
  readonly wantsProgress: boolean;
  /** Whether `task` makes a task: the tool declares `task`, the client the extension, and there is room for one more. */
  readonly canTask: boolean;
  /**
   * Hears when the connection that is to carry the answer is lost although the response can be resumed,
   * and when it is back. A loss that is final is told by `signal` alone. One listener a call.
   */
  watchConnection(listener: (connected: boolean) => void): void;
  /** How long ago the client made the call, in milliseconds, if it is made again for an answer that was lost; else 0. */
  readonly elapsedMs: number;
  /** Starts streaming the response now, so that headers and a first byte go out. A no-op if `!canStream` or started. */
  openStream(): void;
  /**
   * Drops the connection of a response stream that can be resumed (legacy, 2025-11-25 and later, over HTTP), so
   * that nothing is held open while the work goes on: the client comes back for the rest. Otherwise a no-op.
   */
  closeStream(): void;
  /**
   * Runs `work` as a task if `canTask`, else as part of this call. To be returned by the tool as it is. As a task
   * it outlives the request: the client looks after it, answers its questions and may cancel it.
   */
  task(
    work: (context: WorkContext) => ToolResult | Promise<ToolResult>,
    options?: TaskOptions,
  ): ToolResult | Promise<ToolResult>;
  /**
   * Sends a log message on the response stream, for the people behind the client; a no-op unless the
   * server declares `logging`, the caller wants that level and `canStream`. Never anything secret.
   */
  log(level: LogLevel, data: Json, logger?: string): void;
}

export interface ToolAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** A content block as in the specification's `ContentBlock`; text is the one the engine itself makes. */
export type ContentBlock = { type: "text"; text: string } | ({ type: string } & JsonObject);

/** Names what no result carries outside: JSON leaves out what is named by a symbol. */
export const STRUCTURED_TEXT = Symbol("structuredContent as JSON text");

export interface ToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: JsonObject;
  /** The same as JSON text, from a tool that has written it already: it is sent as it stands. */
  readonly [STRUCTURED_TEXT]?: string;
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
  /** The schemas are made when they are first read, and no parameter has a header: only a list needs to read them. */
  readonly lazySchemas?: true;
  readonly icons?: readonly Icon[];
  readonly _meta?: JsonObject;
  /** What the client must have declared. Others are refused before the tool runs. */
  readonly requires?: readonly ClientFeature[];
  /**
   * Whether a call may be made again in the client's name, should its answer be lost on the way: it then does nothing
   * twice. Left out: it may not.
   */
  mayRepeat?(args: JsonObject): boolean;
  /** Whether the tool uses `task`; "required" = it is refused to callers for whom `canTask` would be false. */
  readonly task?: "optional" | "required";
  /**
   * Runs the tool. It validates `args` itself: bad arguments and business refusals are results with
   * `isError: true`, never exceptions. A throw is a bug and answers -32603 without details.
   */
  call(args: JsonObject, context: CallContext): ToolResult | Promise<ToolResult>;
}

/** For whom something is meant, and how much it matters (0 to 1). */
export interface Annotations {
  readonly audience?: readonly ("user" | "assistant")[];
  readonly priority?: number;
  /** ISO 8601. */
  readonly lastModified?: string;
}

/** One resource, as listed. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  /** In bytes. */
  readonly size?: number;
  readonly annotations?: Annotations;
  readonly icons?: readonly Icon[];
  readonly _meta?: JsonObject;
}

/** A family of resources, as listed. The engine does not expand it: `read` is given whole URIs. */
export interface ResourceTemplate {
  /** RFC 6570. */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly annotations?: Annotations;
  readonly icons?: readonly Icon[];
  readonly _meta?: JsonObject;
  /** Suggestions by variable of the template. */
  readonly complete?: Readonly<Record<string, Completer>>;
}

/** A whole resource or a part of it: words, or bytes in standard base64. */
export type ResourceContents = { readonly uri: string; readonly mimeType?: string; readonly _meta?: JsonObject } & (
  | { readonly text: string }
  | { readonly blob: string }
);

export interface ResourceReading {
  readonly contents: readonly ResourceContents[];
  /** How long a cache may keep it, and whose. Left out: nobody keeps it, and it is the caller's alone. */
  readonly cache?: CachePolicy;
}

export interface CachePolicy {
  readonly ttlMs: number;
  /** "public" only if everybody is given the same. */
  readonly scope: "public" | "private";
}

/** The resources of a server. Which of them exist may depend on who asks. */
export interface Resources {
  /**
   * What is listed. An array is the same for everybody and shared by caches; a function is asked for
   * each caller. Not everything readable needs to be listed.
   */
  readonly list: readonly Resource[] | ((context: CallContext) => readonly Resource[] | Promise<readonly Resource[]>);
  readonly templates?: readonly ResourceTemplate[];
  /** Reads one. @returns undefined if there is none of that URI for this caller, whatever there is for others */
  read(uri: string, context: CallContext): ResourceReading | undefined | Promise<ResourceReading | undefined>;
  /**
   * Watches one for a caller. Present exactly if clients may subscribe.
   * @param requester on whose behalf: a legacy session may become somebody only later, or somebody else, and it is
   *   its watch all the same; in the modern era the watch lasts as long as a stream that is open
   * @param changed to be called whenever what this caller would read has changed; cheap, may be called often
   * @returns how to stop, which is called exactly once; undefined if this caller may not watch it
   */
  watch?(uri: string, requester: Requester, changed: () => void): (() => void) | undefined;
}

/**
 * Suggests how to go on with what is typed so far, best first.
 * @param given the other arguments or variables settled by now
 */
export type Completer = (
  typed: string,
  given: Readonly<Record<string, string>>,
  context: CallContext,
) => readonly string[] | Promise<readonly string[]>;

export interface PromptArgument {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly complete?: Completer;
}

export interface PromptMessage {
  readonly role: "user" | "assistant";
  readonly content: ContentBlock;
}

export interface PromptResult {
  readonly description?: string;
  readonly messages: readonly PromptMessage[];
  readonly _meta?: JsonObject;
}

/** What a person may choose to say, with blanks to fill in. */
export interface Prompt {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly arguments?: readonly PromptArgument[];
  readonly icons?: readonly Icon[];
  readonly _meta?: JsonObject;
  /**
   * Fills it in.
   * @param args only declared arguments, the required ones for sure
   * @returns `invalid` says what is wrong with them (-32602); a throw is a bug
   */
  get(
    args: Readonly<Record<string, string>>,
    context: CallContext,
  ): PromptResult | { readonly invalid: string } | Promise<PromptResult | { readonly invalid: string }>;
}

/** A list that may change while the server runs. */
export type ListKind = "tools" | "prompts" | "resources";

/** How a server says that its lists have changed; `ListAnnouncer` is one. */
export interface ListChanges {
  /** The lists that ever change: clients are told to expect it. */
  readonly kinds: readonly ListKind[];
  /**
   * Has changes told to the engine, which then reads `tools`, `prompts` or `resources` of the definition
   * anew and tells clients. @returns how to stop
   */
  listen(changed: (kind: ListKind) => void): () => void;
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
  /** Whether another server has a stream of the session that delivers at this moment: this one stays silent then. */
  readonly isSilent?: boolean;
  /**
   * The stream has ended or was taken over. `settled` is the position it had already written 30 s
   * before without trouble since (it counts as read), if any. Called exactly once.
   */
  close(settled: string | undefined): void;
}

/** Whoever reads when there is something to read. */
export interface Wakeable {
  /** There may be more now. Called possibly synchronously inside other calls, possibly often. */
  wake(): void;
}

/** What a server pushes to legacy sessions of its own accord. */
export interface PushSource {
  /**
   * Opens a reader for a session's GET stream.
   * @param resume the position of `Last-Event-ID`, exactly; null = after the last position known to have been read
   * @param listener woken when `next` may have more
   * @param settled what the reader that this one takes over from would give to `close`, which it is right after: a
   *   take-over never looks like a session without a stream
   * @returns "malformed" if `resume` is no position this source ever made
   */
  open(session: string, resume: string | null, listener: Wakeable, settled?: string): PushReader | "malformed";
}

/**
 * Which sessions have ended. Sessions are sealed tokens, so the engine keeps no table of them.
 * `issuedAt` (milliseconds since 1970) is when the session was made, so that a ledger that forgets
 * the oldest ended ones can refuse everything of their age.
 */
export interface SessionLedger {
  /** Whether this session was ended by DELETE or by the server. */
  isEnded(session: string, issuedAt: number): boolean;
  /** Ends it (DELETE). Idempotent. */
  end(session: string, issuedAt: number): void | Promise<void>;
  /** When it was last used, if that is remembered (milliseconds since 1970): sessions end a while after their last use. */
  usedAt?(session: string): number | undefined;
  /** Calls back for every session that ends, wherever it was ended. Absent where it can end here only. */
  listen?(ended: (session: string) => void): void;
}

/** Other servers that are one with this one. What they are told may be lost, so nothing may depend on it but comfort. */
export interface Peers {
  /** Tells all others something. Never a secret. */
  tell(topic: string, message: Json): void;
  /** The same, with patience: the promise resolves when all have taken it in, or soon. It may be taken in twice. */
  ask(topic: string, message: Json): Promise<void>;
  /** Calls back for what the others tell. What is asked is taken in when the listener's promise resolves. */
  listen(listener: (topic: string, message: Json) => void | Promise<void>): void;
}

/** A whole server, as the engine sees it. */
export interface ServerDefinition {
  readonly info: Implementation;
  readonly instructions?: string;
  /** In the order in which they are listed. */
  readonly tools: readonly Tool[];
  readonly resources?: Resources;
  /** In the order in which they are listed. */
  readonly prompts?: readonly Prompt[];
  readonly listChanges?: ListChanges;
  /** Whether handlers may log to clients. */
  readonly logging?: boolean;
  /** Whom a caller counts as where numbers are limited for each; undefined = nobody known. Default: the credential. */
  principal?(requester: Requester): string | undefined;
  readonly push?: PushSource;
  /** Present exactly if the server offers the MCP Events extension. */
  readonly events?: EventProvider;
  readonly sessions: SessionLedger;
  /** Present where any request of a session may reach any of several servers. */
  readonly peers?: Peers;
  /**
   * Called before anything is read for a requester that is no tool's business; absent = everything is known here.
   * @returns when this server knows all that anybody was answered anywhere before
   */
  upToDate?(): Promise<void>;
}
