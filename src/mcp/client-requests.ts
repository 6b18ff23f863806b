/**
 * Requests from the server to a legacy client: sent while the client waits for an answer of ours,
 * and answered by a message it posts (2025-11-25, Base protocol, "Messages").
 *
 * This file owns the ids of those requests and who may answer them. It must never send anything to
 * a client that did not ask for something first, nor accept an answer from another session.
 */

import { randomBytes } from "../crypto.ts";
import { INPUT_MS_MAX } from "../limits.ts";
import { readAnswer } from "./input-answers.ts";
import type { JsonObject } from "./json.ts";
import { notificationText, type RpcResponse } from "./jsonrpc.ts";
import { type InputRequest, NoInput } from "./work-context.ts";

/** The stream on which the client waits, as seen from here. */
export interface QuestionCarrier {
  sendQuestion(json: string): void;
  /** The question is over. `cancelled` is a message to send if the client is to know that nobody waits for its answer. */
  closeQuestion(json: string, cancelled: string | undefined): void;
}

export class ClientRequests {
  readonly #now: () => number;
  /** In the order in which they were asked, which is that of their deadlines. */
  readonly #open = new Map<string, Question>();
  /** No other process has it, so an answer that reaches the wrong one names nothing there. */
  readonly #prefix = randomBytes(6).toString("base64url");
  #asked = 0;

  /** @param now milliseconds, of any origin */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Questions without an answer at this moment. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Sends a question.
   * @param session who may answer
   */
  ask(session: string, request: InputRequest, carrier: QuestionCarrier): Question {
    const id = `${this.#prefix}.${++this.#asked}`;
    const params = request.params === undefined ? "" : `,"params":${JSON.stringify(request.params)}`;
    const json = `{"jsonrpc":"2.0","id":"${id}","method":"${request.method}"${params}}`;
    const deadline = this.#now() + INPUT_MS_MAX;
    const close = (cancelled: string | undefined): boolean => {
      if (!this.#open.delete(id)) return false;
      carrier.closeQuestion(json, cancelled);
      return true;
    };
    const question = new Question(id, session, request, deadline, close);
    this.#open.set(id, question);
    carrier.sendQuestion(json);
    return question;
  }

  /** A response came. One that answers nothing is ignored: it may simply be late. */
  answer(session: string, { id, outcome }: RpcResponse): void {
    const question = typeof id === "string" ? this.#open.get(id) : undefined;
    if (question?.session !== session) return;
    if ("error" in outcome) question.fail(new NoInput("failed", "The client could not answer what it was asked."));
    else question.take(outcome.result);
  }

  /** Gives up what has waited too long. To be called now and then. */
  sweep(): void {
    const now = this.#now();
    for (const question of this.#open.values()) {
      if (question.deadline > now) return;
      question.giveUp(new NoInput("timed_out", "The client did not answer in time what it was asked."));
    }
  }
}

/** One request on its way. */
export class Question {
  readonly id: string;
  readonly session: string;
  /** In milliseconds, as `now` counts. */
  readonly deadline: number;
  /** Rejects with `NoInput`. */
  readonly answer: Promise<JsonObject>;
  readonly #request: InputRequest;
  /** False if the question was over already. */
  readonly #close: (cancelled: string | undefined) => boolean;
  readonly #resolve: (answer: JsonObject) => void;
  readonly #reject: (problem: NoInput) => void;

  constructor(
    id: string,
    session: string,
    request: InputRequest,
    deadline: number,
    close: (cancelled: string | undefined) => boolean,
  ) {
    this.id = id;
    this.session = session;
    this.deadline = deadline;
    this.#request = request;
    this.#close = close;
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  take(result: JsonObject): void {
    const answer = readAnswer(this.#request, result);
    if (answer === undefined)
      this.fail(new NoInput("malformed", "The client's answer does not fit what it was asked."));
    else if (this.#close(undefined)) this.#resolve(answer);
  }

  fail(problem: NoInput): void {
    if (this.#close(undefined)) this.#reject(problem);
  }

  /** Nobody waits for the answer any more: the client may put its dialog away (Cancellation). */
  giveUp(problem: NoInput): void {
    const cancelled = notificationText("notifications/cancelled", { requestId: this.id, reason: problem.message });
    if (this.#close(cancelled)) this.#reject(problem);
  }
}
