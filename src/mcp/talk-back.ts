/**
 * How one call's handler talks back to the client: questions in either era, and going on as a task.
 * Made for the first call of a handler that does either.
 *
 * This file owns what is answered instead of the handler's result when it asked or started a task.
 * It must never send anything itself: the call does.
 */

import { sha256 } from "../crypto.ts";
import { INPUTS_MAX } from "../limits.ts";
import {
  CAPABILITY,
  type CapabilitySet,
  CLIENT_CAPABILITIES,
  declarationOf,
  packCapabilities,
} from "./capabilities.ts";
import type { Question, QuestionCarrier } from "./client-requests.ts";
import { invalidParams, missingCapability, type WireError } from "./errors.ts";
import { type Facilities, withoutInput } from "./facilities.ts";
import { gather, observed, refuseInput, UnsupportedInput } from "./input-answers.ts";
import { InputRound, mayAsk } from "./input-required.ts";
import type { JsonObject } from "./json.ts";
import { isObject, type RpcRequest } from "./jsonrpc.ts";
import type { Requester, ToolResult } from "./registry.ts";
import type { Session } from "./session.ts";
import type { Task, TaskWork } from "./tasks.ts";
import {
  type ClientFeature,
  type InputAnswers,
  type InputRequest,
  type InputRequests,
  NoInput,
  type TaskOptions,
  type WorkContext,
} from "./work-context.ts";

/** The call, as seen from here. */
export interface TalkingCall extends Requester, WorkContext, QuestionCarrier {
  readonly request: RpcRequest;
  readonly canStream: boolean;
  /** Whom the transport has authenticated; "" if it authenticates nobody. */
  readonly subject: string;
  /** Whether the answer has been given, or nobody waits for it. */
  readonly isOver: boolean;
}

/** What a tool returns that has started a task. What is answered stands in the task. */
const STARTED: ToolResult = { content: [] };
const OVER = new NoInput("abandoned", "Nobody waits for the answer any more.");

export class TalkBack {
  readonly #call: TalkingCall;
  readonly #facilities: Facilities;
  readonly #session: Session | undefined;
  #capabilities: CapabilitySet | undefined;
  #round: InputRound | undefined;
  #questions: Set<Question> | undefined;
  #task: Task | undefined;
  /** Whether the tool that is called may start a task. */
  mayTask = false;

  constructor(call: TalkingCall, facilities: Facilities, session: Session | undefined) {
    this.#call = call;
    this.#facilities = facilities;
    this.#session = session;
  }

  /** See `WorkContext.supports`. */
  supports(feature: ClientFeature): boolean {
    if ((this.#declared & CAPABILITY[feature]) === 0) return false;
    const { request, era, revision, canStream } = this.#call;
    if (feature === "uiExtension") return true;
    if (feature === "tasksExtension") return era === "modern";
    if (!mayAsk(request.method)) return false;
    if (era === "modern") return true;
    if (feature === "elicitationUrl") return canStream && revision >= "2025-11-25";
    return canStream && (feature !== "elicitationForm" || revision >= "2025-06-18");
  }

  get #declared(): CapabilitySet {
    this.#capabilities ??= this.#session?.capabilities ?? declaredIn(this.#call.request.params);
    return this.#capabilities;
  }

  /** Who asks, as far as authenticated; "" = nobody in particular. */
  get principal(): string {
    const { subject, bearer } = this.#call;
    if (subject !== "") return `subject ${subject}`;
    return bearer === undefined ? "" : `bearer ${sha256(bearer)}`;
  }

  // --- questions ------------------------------------------------------------------------------

  /** Takes up the state of earlier rounds. @returns why the request must be refused, if it must */
  resume(): WireError | undefined {
    const round = this.#begin();
    if ("code" in round) return round;
    this.#round = round;
    return undefined;
  }

  #begin(): InputRound | WireError {
    const { rounds } = this.#facilities;
    return InputRound.begin(rounds, this.#call.request, this.principal, (feature) => this.supports(feature));
  }

  /** See `WorkContext.input`. */
  input<R extends InputRequests>(requests: R): Promise<InputAnswers<R>> {
    if (this.#call.isOver) return observed(Promise.reject(OVER));
    if (this.#call.era === "modern") return this.#inputOfRound(requests);
    const refused = refuseInput(requests, (feature) => this.supports(feature));
    if (refused !== undefined) return observed(Promise.reject(refused));
    this.#questions ??= new Set();
    if (this.#questions.size + Object.keys(requests).length > INPUTS_MAX) throw new RangeError("too many questions");
    return gather(requests, (_key, request) => this.#ask(request));
  }

  #inputOfRound<R extends InputRequests>(requests: R): Promise<InputAnswers<R>> {
    if (this.#round === undefined) {
      const round = this.#begin();
      // A state that is no good was refused before the handler ran, so this one has none.
      if ("code" in round) return observed(Promise.reject(new NoInput("failed", round.message)));
      this.#round = round;
    }
    return this.#round.input(requests);
  }

  async #ask(request: InputRequest): Promise<JsonObject> {
    const { id = "" } = this.#session ?? {};
    const question = this.#facilities.clientRequests.ask(id, request, this.#call);
    this.#questions?.add(question);
    try {
      return await question.answer;
    } finally {
      this.#questions?.delete(question);
    }
  }

  /** The call is over: nobody waits for answers. */
  end(): void {
    for (const question of [...(this.#questions ?? [])]) question.giveUp(OVER);
  }

  // --- tasks ----------------------------------------------------------------------------------

  /** See `CallContext.canTask`. */
  get canTask(): boolean {
    return (
      this.mayTask &&
      !this.#call.isOver &&
      this.supports("tasksExtension") &&
      this.#facilities.tasks.hasRoom(this.#facilities.countedAs(this.#call))
    );
  }

  /** See `CallContext.task`. @throws RangeError if the call has started one already */
  task(work: TaskWork, options: TaskOptions): ToolResult | Promise<ToolResult> {
    if (this.#task !== undefined) throw new RangeError("a call starts one task");
    if (!this.canTask) return work(this.#call);
    const countedAs = this.#facilities.countedAs(this.#call);
    const owner = { principal: this.principal, countedAs, capabilities: this.#declared };
    this.#task = this.#facilities.tasks.start(owner, work, options);
    return STARTED;
  }

  /** The caller's task of that id. */
  findTask(id: string): Task | undefined {
    return this.#facilities.tasks.find(this.principal, id);
  }

  /** The task that was started will never be heard of: nobody got its id. */
  dropTask(): void {
    this.#task?.cancel();
  }

  // --- what is answered -----------------------------------------------------------------------

  /** What is answered instead of what the handler returned: the questions that are open, or its task. */
  conclusion(): string | WireError | undefined {
    const questions = this.#round?.conclusion();
    if (questions !== undefined) this.dropTask();
    if (questions !== undefined || this.#task === undefined) return questions;
    const described = JSON.stringify(this.#task.describe());
    return `{"resultType":"task","_meta":${this.#facilities.rounds.meta},${described.slice(1)}`;
  }

  /** What is answered if the handler threw; undefined if that was a bug. */
  conclusionAfter(thrown: unknown): string | WireError | undefined {
    this.dropTask();
    if (thrown instanceof UnsupportedInput) return this.refusal(thrown);
    const questions = this.#round?.conclusion();
    if (questions !== undefined || !(thrown instanceof NoInput)) return questions;
    return this.#without(thrown);
  }

  /** What is answered to a client that lacks what the call needs (2026-07-28, Base protocol, "Missing required capabilities"). */
  refusal(problem: UnsupportedInput): string | WireError {
    return this.#call.era === "modern" ? missingCapability(declarationOf(problem.features)) : this.#without(problem);
  }

  #without(problem: NoInput): string | WireError {
    const { request, era } = this.#call;
    if (request.method !== "tools/call") return invalidParams(problem.message);
    const result = JSON.stringify(withoutInput(problem));
    if (era === "legacy") return result;
    return `{"resultType":"complete","_meta":${this.#facilities.rounds.meta},${result.slice(1)}`;
  }
}

function declaredIn(params: JsonObject | undefined): CapabilitySet {
  const meta = params?._meta;
  const declared = isObject(meta) ? meta[CLIENT_CAPABILITIES] : undefined;
  return isObject(declared) ? packCapabilities(declared) : 0;
}
