/**
 * What work may use while a request is served or as a task: asking the client, telling how far it
 * is, and learning that nobody waits any more.
 *
 * This file owns that part of the seam between engine and application. It must never do what it
 * promises: the calls and tasks of the engine do.
 */

import type { JsonObject } from "./json.ts";

/** What a client may have declared that handlers can use. */
export type ClientFeature =
  | "roots"
  | "sampling"
  | "samplingTools"
  | "elicitationForm"
  | "elicitationUrl"
  | "uiExtension"
  | "tasksExtension";

/** A question to the client, as the specification's request of that method. */
export interface InputRequest {
  readonly method: "elicitation/create" | "sampling/createMessage" | "roots/list";
  readonly params?: JsonObject;
}
export type InputRequests = Readonly<Record<string, InputRequest>>;
/** The answers by the same keys: results of those methods, checked for their shape and, for forms, against the schema. */
export type InputAnswers<R extends InputRequests> = { readonly [K in keyof R]: JsonObject };

/** Why there is no input: the client cannot be asked that, gave an error, nothing usable, nothing in time, or is gone. */
export type NoInputReason = "unsupported" | "failed" | "malformed" | "timed_out" | "abandoned";

/**
 * What `input` rejects with. A handler may catch it; if it does not, the tool's result is an error
 * that says so.
 */
export class NoInput extends Error {
  override readonly name = "NoInput";
  readonly reason: NoInputReason;

  constructor(reason: NoInputReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What work may use, whether it runs inside a call or as a task of its own. */
export interface WorkContext {
  /**
   * Aborts when nobody will read the answer any more: cancelled, session ended, server stopping, or the
   * connection dropped and the response can no longer be resumed. The work should stop; what it returns is dropped.
   */
  readonly signal: AbortSignal;
  /** Whether the client declared a feature and this request can make use of it. */
  supports(feature: ClientFeature): boolean;
  /**
   * Asks the client, all keys at once, and gives the answers. Declining or cancelling a form is an answer too.
   *
   * In the modern era nothing can be sent to a client that waits, so a handler that asks is **run again**:
   * the first run ends at this call, whatever the handler returns or throws afterwards, the client gets the
   * questions, and its next request runs the handler from the start with the answers at hand. Hence:
   * everything before the last `input` must be repeatable, so effects come after it; a key names one
   * question for the whole run, and a question worded differently on the next run is asked anew.
   *
   * Only while `tools/call`, `prompts/get` or `resources/read` is served, or inside a task.
   * @throws NoInput (as a rejection). In the modern era the first run's promise rejects as well: let it pass.
   */
  input<R extends InputRequests>(requests: R): Promise<InputAnswers<R>>;
  /** Sends a progress notification on the response stream; a no-op unless `wantsProgress && canStream`. `progress` must rise. */
  progress(step: { progress: number; total?: number; message?: string }): void;
}

/** How a task is kept. */
export interface TaskOptions {
  /** How long from its start, in milliseconds; work that takes longer is aborted. */
  readonly ttlMs?: number;
  /** How often the client may look, in milliseconds. */
  readonly pollMs?: number;
  /** What it is doing, for people. */
  readonly message?: string;
}
