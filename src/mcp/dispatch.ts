/**
 * From a request to its answer, whatever the transport: finds the method, runs it, turns what it
 * gives into a reply, and keeps those that take their time.
 *
 * This file owns the rule "one response per request, none for a cancelled one". A method that
 * answers at once is answered at once: no promise, stream or signal is made for it. It must never
 * let an exception out.
 */

import type { Call } from "./call.ts";
import { INTERNAL, invalidRequest, TOO_MANY_IN_FLIGHT, unavailable, type WireError } from "./errors.ts";
import { Facilities, type FacilitiesOptions } from "./facilities.ts";
import { InFlight } from "./in-flight.ts";
import { type RequestId, resultText } from "./jsonrpc.ts";
import type { MessageSource } from "./message-source.ts";
import { errorReply, type HeldReply, type JsonReply, jsonReply, type Reply } from "./reply.ts";
import { Unavailable } from "./unavailable.ts";

/** The result object as JSON text, era envelope included; or the error to answer with. */
export type Outcome = string | WireError;
/** What a method gives: one result, or messages over a long time. */
export type Given = Outcome | MessageSource;
/** One method of one era. It may throw only by mistake, or `Unavailable`. */
export type Method = (call: Call) => Given | Promise<Given>;
/** The methods of one era. One that an era lacks is absent. */
export type MethodTable = ReadonlyMap<string, Method>;

/** Takes reports of bugs: words and places of our own, never what a caller sent. */
export interface BugLog {
  error(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
}

export interface DispatcherOptions extends Omit<FacilitiesOptions, "report"> {
  readonly log: BugLog;
}

export class Dispatcher {
  readonly #inFlight = new InFlight();
  readonly #log: BugLog;
  /** What its calls may use. */
  readonly facilities: Facilities;

  constructor({ log, ...options }: DispatcherOptions) {
    this.#log = log;
    const report = (bug: unknown): void => log.error("a task failed unexpectedly", describeBug(bug));
    this.facilities = new Facilities({ ...options, report });
  }

  /** Unanswered calls at this moment. */
  get heldCount(): number {
    return this.#inFlight.count;
  }

  /** Runs a method for a request. */
  run(method: Method, call: Call): Reply | HeldReply {
    const { scope, request } = call;
    if (scope !== undefined) {
      if (this.#inFlight.has(scope, request.id)) {
        return errorReply(invalidRequest("this id is already in flight."), request.id);
      }
      if (this.#inFlight.isFull(scope)) return errorReply(TOO_MANY_IN_FLIGHT, request.id);
    }
    const refused = call.resumeRounds();
    if (refused !== undefined) return errorReply(refused, request.id);
    let outcome: ReturnType<Method>;
    try {
      outcome = method(call);
    } catch (thrown) {
      return call.finish(answer(request.id, this.#outcomeAfter(thrown, call)));
    }
    if (!(outcome instanceof Promise)) {
      if (isSource(outcome)) {
        this.#inFlight.add(call);
        return call.answerWith(outcome);
      }
      return call.finish(answer(request.id, this.#outcomeOf(outcome, call)));
    }
    this.#inFlight.add(call);
    const reply = call.hold();
    outcome.then(
      (given) => {
        if (isSource(given)) call.goOnWith(given);
        else call.finish(answer(request.id, this.#outcomeOf(given, call)));
      },
      (thrown: unknown) => call.finish(answer(request.id, this.#outcomeAfter(thrown, call))),
    );
    return { kind: "held", reply, disconnected: () => call.disconnected() };
  }

  /** `notifications/cancelled`. Unknown and finished ids are ignored (Cancellation, "Behavior requirements"). */
  cancel(scope: string, id: RequestId): void {
    this.#inFlight.find(scope, id)?.cancel();
  }

  /** Abandons what a session or a connection still waits for. */
  endScope(scope: string): void {
    for (const call of this.#inFlight.ofScope(scope)) call.cancel();
  }

  /** Ends the answers that go on for long, as if the server stopped: their clients begin anew. */
  endMessages(): void {
    for (const call of this.#inFlight.all()) if (call.isOfMessages) call.stop();
  }

  /** Answers everything that is held with "stopping". */
  stop(): void {
    for (const call of this.#inFlight.all()) call.stop();
    this.facilities.stop();
  }

  /** What a method gave, unless its handler asked the client or started a task. */
  #outcomeOf(given: Outcome, call: Call): Outcome {
    try {
      return call.conclusion ?? given;
    } catch (bug) {
      return this.#report(bug, call);
    }
  }

  #outcomeAfter(thrown: unknown, call: Call): Outcome {
    if (thrown instanceof Unavailable) return unavailable(thrown.retryAfterMs);
    try {
      return call.conclusionAfter(thrown) ?? this.#report(thrown, call);
    } catch (bug) {
      return this.#report(bug, call);
    }
  }

  #report(thrown: unknown, call: Call): WireError {
    this.#log.error("a request failed unexpectedly", { method: call.request.method, ...describeBug(thrown) });
    return INTERNAL;
  }
}

function isSource(given: Given): given is MessageSource {
  return typeof given !== "string" && "next" in given;
}

function answer(id: RequestId, outcome: Outcome): JsonReply {
  return typeof outcome === "string" ? jsonReply(resultText(id, outcome)) : errorReply(outcome, id);
}

/**
 * What a log may say of an exception: its class and where it arose. Its message is left out, because
 * messages tend to quote the arguments that caused them.
 */
export function describeBug(bug: unknown): Record<string, string> {
  if (!(bug instanceof Error)) return { error: typeof bug };
  const frame = /^\s+at (.+)$/m.exec(bug.stack ?? "")?.[1];
  return { error: bug.name, at: frame ?? "unknown" };
}
