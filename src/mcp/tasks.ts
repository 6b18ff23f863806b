/**
 * Tasks: work that outlives the request that started it (extension io.modelcontextprotocol/tasks,
 * 2026-07-28). The client looks after a task by its id, answers its questions and may cancel it.
 *
 * This file owns the tasks of this process, their states and their end. A terminal state is final.
 * It must never show a task to anybody but who started it, nor drop one before its time.
 */

import { randomBytes } from "../crypto.ts";
import {
  TASK_INPUTS_MAX,
  TASK_POLL_MS,
  TASK_SWEEP_MS,
  TASK_TTL_MS,
  TASK_TTL_MS_MAX,
  TASKS_MAX,
  TASKS_PER_PRINCIPAL_MAX,
} from "../limits.ts";
import { CAPABILITY, type CapabilitySet } from "./capabilities.ts";
import { gather, observed, readAnswer, refuseInput } from "./input-answers.ts";
import type { JsonObject } from "./json.ts";
import type { ToolResult } from "./registry.ts";
import {
  type ClientFeature,
  type InputAnswers,
  type InputRequest,
  type InputRequests,
  NoInput,
  type TaskOptions,
  type WorkContext,
} from "./work-context.ts";

export type TaskStatus = "working" | "input_required" | "completed" | "failed" | "cancelled";

/** What work as a task does. */
export type TaskWork = (context: WorkContext) => ToolResult | Promise<ToolResult>;

export interface TasksOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The result for a tool whose work had to go without input. */
  readonly withoutInput: (problem: NoInput) => ToolResult;
  /** The JSON-RPC error object for work that threw, once the bug has been reported. */
  readonly failure: (bug: unknown) => JsonObject;
}

/** What a task needs to know of who starts it. */
export interface TaskOwner {
  /** Who asks, as far as authenticated; "" = whoever knows the id. */
  readonly principal: string;
  /** Whom its tasks count against; undefined = nobody known. */
  readonly countedAs: string | undefined;
  /** What the client declared when it asked. */
  readonly capabilities: CapabilitySet;
}

const ID_BYTES = 24;
const CANCELLED = new DOMException("the task was cancelled", "AbortError");

export class Tasks {
  readonly #options: TasksOptions;
  readonly #tasks = new Map<string, Task>();
  /** Tasks by whom they count against. */
  readonly #counts = new Map<string, number>();
  #sweptAt: number;

  constructor(options: TasksOptions) {
    this.#options = options;
    this.#sweptAt = options.now();
  }

  /** Tasks kept at this moment. */
  get count(): number {
    return this.#tasks.size;
  }

  /** Whether somebody, see `TaskOwner.countedAs`, may start one more. */
  hasRoom(countedAs: string | undefined): boolean {
    if (this.#tasks.size >= TASKS_MAX) this.#dropExpired();
    if (this.#tasks.size >= TASKS_MAX) return false;
    return countedAs === undefined || (this.#counts.get(countedAs) ?? 0) < TASKS_PER_PRINCIPAL_MAX;
  }

  /** Starts a task, which can be found from now on. To be called only if there is room. */
  start(owner: TaskOwner, work: TaskWork, options: TaskOptions): Task {
    const task = new Task(randomBytes(ID_BYTES).toString("base64url"), owner, options, this.#options);
    this.#tasks.set(task.id, task);
    if (owner.countedAs !== undefined) this.#counts.set(owner.countedAs, (this.#counts.get(owner.countedAs) ?? 0) + 1);
    task.run(work);
    return task;
  }

  /** @returns undefined if there is none, or it is somebody else's, or its time is over */
  find(principal: string, id: string): Task | undefined {
    const task = this.#tasks.get(id);
    if (task === undefined || task.principal !== principal) return undefined;
    if (task.expiresAt > this.#options.now()) return task;
    this.#drop(task);
    return undefined;
  }

  /** Forgets expired tasks now and then. */
  sweep(): void {
    if (this.#options.now() - this.#sweptAt >= TASK_SWEEP_MS) this.#dropExpired();
  }

  /** Ends everything that still works. */
  stop(): void {
    for (const task of this.#tasks.values()) task.cancel();
  }

  #dropExpired(): void {
    const now = this.#options.now();
    this.#sweptAt = now;
    for (const task of this.#tasks.values()) if (task.expiresAt <= now) this.#drop(task);
  }

  #drop(task: Task): void {
    task.cancel();
    this.#tasks.delete(task.id);
    if (task.countedAs === undefined) return;
    const left = (this.#counts.get(task.countedAs) ?? 1) - 1;
    if (left > 0) this.#counts.set(task.countedAs, left);
    else this.#counts.delete(task.countedAs);
  }
}

/** A question that waits for `tasks/update`. */
interface OpenInput {
  readonly request: InputRequest;
  readonly resolve: (answer: JsonObject) => void;
  readonly reject: (problem: NoInput) => void;
}

export class Task implements WorkContext {
  readonly id: string;
  readonly principal: string;
  readonly countedAs: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly #capabilities: CapabilitySet;
  readonly #options: TasksOptions;
  readonly #ttlMs: number;
  readonly #pollMs: number;
  readonly #createdAt: number;
  readonly #abort = new AbortController();
  readonly #open = new Map<string, OpenInput>();
  #inputs = 0;
  #updatedAt: number;
  #status: TaskStatus = "working";
  #message: string | undefined;
  #progress = Number.NEGATIVE_INFINITY;
  #result: ToolResult | undefined;
  #error: JsonObject | undefined;

  constructor(
    id: string,
    owner: TaskOwner,
    { ttlMs = TASK_TTL_MS, pollMs = TASK_POLL_MS, message }: TaskOptions,
    options: TasksOptions,
  ) {
    this.id = id;
    this.principal = owner.principal;
    this.countedAs = owner.countedAs;
    this.#capabilities = owner.capabilities;
    this.#options = options;
    this.#ttlMs = Math.max(1, Math.min(Math.round(ttlMs), TASK_TTL_MS_MAX));
    this.#pollMs = Math.max(1, Math.round(pollMs));
    this.#message = message;
    this.#createdAt = options.now();
    this.#updatedAt = this.#createdAt;
    this.expiresAt = this.#createdAt + this.#ttlMs;
  }

  get status(): TaskStatus {
    return this.#status;
  }

  // --- for the work ---------------------------------------------------------------------------

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  supports(feature: ClientFeature): boolean {
    return (this.#capabilities & CAPABILITY[feature]) !== 0;
  }

  /** The state `input_required` stands until every open question is answered. */
  input<R extends InputRequests>(requests: R): Promise<InputAnswers<R>> {
    if (this.#isTerminal) return observed(Promise.reject(new NoInput("abandoned", "The task is over.")));
    const refused = refuseInput(requests, (feature) => this.supports(feature));
    if (refused !== undefined) return observed(Promise.reject(refused));
    return gather(requests, (key, request) => this.#ask(key, request));
  }

  #ask(key: string, request: InputRequest): Promise<JsonObject> {
    if (this.#inputs >= TASK_INPUTS_MAX) throw new RangeError("too many questions");
    // "Task Update Requests": a key names one question for the whole life of a task, so each gets one of its own.
    const unique = `${key}-${++this.#inputs}`;
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    this.#open.set(unique, { request, resolve, reject });
    this.#change("input_required");
    return promise;
  }

  /** Tasks have no progress notifications; people read the message beside the state. */
  progress(step: { progress: number; total?: number; message?: string }): void {
    if (this.#isTerminal || !(step.progress > this.#progress)) return;
    this.#progress = step.progress;
    if (step.message === undefined) return;
    this.#message = step.message;
    this.#change(this.#status);
  }

  // --- for the client -------------------------------------------------------------------------

  /** Takes answers. Unknown keys and what is no answer to its question change nothing. */
  update(responses: JsonObject): void {
    for (const [key, input] of [...this.#open]) {
      const answer = Object.hasOwn(responses, key) ? readAnswer(input.request, responses[key]) : undefined;
      if (answer === undefined) continue;
      this.#open.delete(key);
      input.resolve(answer);
    }
    if (this.#status === "input_required" && this.#open.size === 0) this.#change("working");
  }

  /** Ends the work, if it has not ended. */
  cancel(): void {
    if (this.#isTerminal) return;
    this.#end("cancelled");
    this.#abort.abort(CANCELLED);
  }

  /** The members of `Task`, without what belongs to a state. */
  describe(): Record<string, unknown> {
    const described: Record<string, unknown> = { taskId: this.id, status: this.#status };
    if (this.#message !== undefined) described.statusMessage = this.#message;
    described.createdAt = new Date(this.#createdAt).toISOString();
    described.lastUpdatedAt = new Date(this.#updatedAt).toISOString();
    described.ttlMs = this.#ttlMs;
    described.pollIntervalMs = this.#pollMs;
    return described;
  }

  /** The members of `DetailedTask`. */
  detail(): Record<string, unknown> {
    const detailed = this.describe();
    if (this.#status === "input_required") detailed.inputRequests = this.#inputRequests();
    if (this.#result !== undefined) detailed.result = this.#result;
    if (this.#error !== undefined) detailed.error = this.#error;
    return detailed;
  }

  #inputRequests(): JsonObject {
    const requests: JsonObject = {};
    for (const [key, { request }] of this.#open) {
      requests[key] = { method: request.method, params: request.params ?? {} };
    }
    return requests;
  }

  // --- its course -----------------------------------------------------------------------------

  get #isTerminal(): boolean {
    return this.#status !== "working" && this.#status !== "input_required";
  }

  /** Runs the work. Nothing it does can throw into the caller. */
  run(work: TaskWork): void {
    let result: ToolResult | Promise<ToolResult>;
    try {
      result = work(this);
    } catch (problem) {
      this.#fail(problem);
      return;
    }
    if (!(result instanceof Promise)) this.#complete(result);
    else
      result.then(
        (given) => this.#complete(given),
        (problem: unknown) => this.#fail(problem),
      );
  }

  #complete(result: ToolResult): void {
    if (this.#isTerminal) return;
    this.#result = result;
    this.#end("completed");
  }

  /** "Task Execution Errors": only what would be a JSON-RPC error fails a task. */
  #fail(problem: unknown): void {
    if (this.#isTerminal) return;
    if (problem instanceof NoInput) {
      this.#complete(this.#options.withoutInput(problem));
      return;
    }
    this.#error = this.#options.failure(problem);
    this.#end("failed");
  }

  #end(status: TaskStatus): void {
    this.#change(status);
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(new NoInput("abandoned", "The task is over."));
  }

  #change(status: TaskStatus): void {
    this.#status = status;
    this.#updatedAt = this.#options.now();
  }
}
