/**
 * Asking a modern client: nothing can be sent to it while it waits, so the answer to its request is
 * a list of questions, and its next request brings the answers (2026-07-28, Multi Round-Trip Requests).
 *
 * This file owns `input_required` results and the sealed `requestState` between the rounds. It must
 * never remember a round: everything stands in the state, so any node with the key goes on.
 */

import { sha256 } from "../crypto.ts";
import { INPUT_MS_MAX, INPUT_ROUNDS_MAX, INPUTS_MAX, REQUEST_STATE_CHARS_MAX } from "../limits.ts";
import { invalidParams, type WireError } from "./errors.ts";
import { isShallow, observed, readAnswer, refuseInput } from "./input-answers.ts";
import type { Json, JsonObject } from "./json.ts";
import { isObject, type RpcRequest } from "./jsonrpc.ts";
import type { Sealer } from "./sealing.ts";
import {
  type ClientFeature,
  type InputAnswers,
  type InputRequest,
  type InputRequests,
  NoInput,
} from "./work-context.ts";

/** Methods that may answer with questions (Multi Round-Trip Requests, "Supported requests"). */
const ASKING_METHODS: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

/** Whether handlers of a method may ask the client. */
export function mayAsk(method: string): boolean {
  return ASKING_METHODS.has(method);
}

/** What the rounds of one request have in common, and where they stand. Sealed, so a client can neither read nor change it. */
interface State {
  readonly method: string;
  /** Of the parameters but for what changes from round to round. */
  readonly params: string;
  readonly principal: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Rounds that have been asked. */
  readonly round: number;
  /** Digests of the questions of the last round, by key. */
  readonly asked: { readonly [key: string]: string };
  /** Answers of earlier rounds with the digest of their question, by key. */
  readonly answers: { readonly [key: string]: readonly [question: string, answer: JsonObject] };
}

export interface RoundsOptions {
  readonly sealer: Sealer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The `_meta` of every result, as JSON text. */
  readonly meta: string;
}

/** One question as put or answered in this run. */
interface Asked {
  readonly request: InputRequest;
  readonly digest: string;
  /** Undefined while it is open. */
  readonly answer: JsonObject | undefined;
}

/** What `requestState` is refused with, whatever is wrong with it. */
const STATE_REFUSED = invalidParams("requestState is not valid for this request, or no longer.");
const AGAIN = new NoInput("abandoned", "The client is being asked; the handler will run again.");

/** One run of a handler that asks: the answers at hand, and the questions it ends with. */
export class InputRound {
  readonly #options: RoundsOptions;
  readonly #request: RpcRequest;
  readonly #principal: string;
  readonly #supports: (feature: ClientFeature) => boolean;
  readonly #state: State | undefined;
  /** What this run has asked, by key. */
  readonly #asked = new Map<string, Asked>();
  #asking = false;

  private constructor(
    options: RoundsOptions,
    request: RpcRequest,
    principal: string,
    supports: (feature: ClientFeature) => boolean,
    state: State | undefined,
  ) {
    this.#options = options;
    this.#request = request;
    this.#principal = principal;
    this.#supports = supports;
    this.#state = state;
  }

  /**
   * Begins a run.
   * @param principal who asks, as far as authenticated
   * @returns the error to answer with if the request carries a `requestState` that is not good for it
   */
  static begin(
    options: RoundsOptions,
    request: RpcRequest,
    principal: string,
    supports: (feature: ClientFeature) => boolean,
  ): InputRound | WireError {
    const sealed = request.params?.requestState;
    if (sealed === undefined) return new InputRound(options, request, principal, supports, undefined);
    if (typeof sealed !== "string" || sealed.length > REQUEST_STATE_CHARS_MAX) return STATE_REFUSED;
    const opened = options.sealer.open(sealed);
    if (opened === undefined) return STATE_REFUSED;
    // What opens was sealed here, in this format.
    const state = JSON.parse(opened.toString()) as State;
    const fits =
      state.method === request.method &&
      state.principal === principal &&
      state.expiresAt > options.now() &&
      state.params === digestOfParams(request.params);
    return fits ? new InputRound(options, request, principal, supports, state) : STATE_REFUSED;
  }

  /** See `WorkContext.input`. @throws RangeError on more questions than allowed, or one key for two of them */
  input<R extends InputRequests>(requests: R): Promise<InputAnswers<R>> {
    const refused = refuseInput(requests, this.#supports);
    if (refused !== undefined) return observed(Promise.reject(refused));
    const answers: Record<string, JsonObject> = {};
    let open = false;
    for (const [key, request] of Object.entries(requests)) {
      const { answer } = this.#ask(key, request);
      if (answer === undefined) open = true;
      else answers[key] = answer;
    }
    if (!open) return Promise.resolve(answers as InputAnswers<R>);
    this.#asking = true;
    return observed(Promise.reject(AGAIN));
  }

  #ask(key: string, request: InputRequest): Asked {
    const digest = digestOf({ method: request.method, params: request.params ?? {} });
    const before = this.#asked.get(key);
    if (before !== undefined) {
      if (before.digest !== digest) throw new RangeError("one key for two different questions");
      return before;
    }
    if (this.#asked.size >= INPUTS_MAX) throw new RangeError("too many questions");
    const asked: Asked = { request, digest, answer: readAnswer(request, this.#answerTo(key, digest)) };
    this.#asked.set(key, asked);
    return asked;
  }

  /** What the client answered to this very question, in this round or an earlier one; undefined if nothing. */
  #answerTo(key: string, question: string): Json | undefined {
    const state = this.#state;
    const earlier = own(state?.answers, key);
    if (earlier?.[0] === question) return earlier[1];
    const responses = this.#request.params?.inputResponses;
    if (!isObject(responses)) return undefined;
    // Who sends answers without any state knows the questions already; they count as asked.
    if (state !== undefined && own(state.asked, key) !== question) return undefined;
    return own(responses, key);
  }

  /** The questions this run ends with, as the result's JSON text; undefined if it asked none that is open. */
  conclusion(): string | WireError | undefined {
    if (!this.#asking) return undefined;
    const round = (this.#state?.round ?? 0) + 1;
    if (round > INPUT_ROUNDS_MAX) return invalidParams("the questions were not answered in too many rounds.");
    const params = digestOfParams(this.#request.params);
    if (params === undefined) return invalidParams("the arguments are nested too deeply.");
    const inputRequests: JsonObject = {};
    const asked: Record<string, string> = {};
    const answers: Record<string, readonly [string, JsonObject]> = {};
    for (const [key, { request, digest, answer }] of this.#asked) {
      if (answer !== undefined) {
        answers[key] = [digest, answer];
        continue;
      }
      asked[key] = digest;
      inputRequests[key] = { method: request.method, params: request.params ?? {} };
    }
    const state: State = {
      method: this.#request.method,
      params,
      principal: this.#principal,
      expiresAt: this.#options.now() + INPUT_MS_MAX,
      round,
      asked,
      answers,
    };
    const requestState = this.#options.sealer.seal(Buffer.from(JSON.stringify(state)));
    if (requestState.length > REQUEST_STATE_CHARS_MAX) return invalidParams("the answers are too long to go on with.");
    const questions = JSON.stringify({ inputRequests, requestState });
    return `{"resultType":"input_required","_meta":${this.#options.meta},${questions.slice(1)}`;
  }
}

/** A member of an object whose keys come from outside. */
function own<T>(object: { readonly [key: string]: T } | undefined, key: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Of everything that makes the request what it is; the rest changes from round to round. Undefined if nested too deeply. */
function digestOfParams(params: JsonObject | undefined): string | undefined {
  const { _meta, inputResponses, requestState, ...same } = params ?? {};
  return isShallow(same) ? digestOf(same) : undefined;
}

/** Equal for equal values, in whatever order their members came. */
function digestOf(value: Json): string {
  return sha256(JSON.stringify(sorted(value)));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}
