/**
 * The requests that have no answer yet, findable by request id within a session or connection.
 *
 * This file owns the uniqueness of ids in flight. It holds nothing of a session that waits for
 * nothing, and it must never see calls that were answered at once.
 */

import { REQUESTS_IN_FLIGHT_MAX } from "../limits.ts";
import type { Call } from "./call.ts";
import type { RequestId } from "./jsonrpc.ts";

export class InFlight {
  readonly #all = new Set<Call>();
  readonly #byScope = new Map<string, Map<RequestId, Call>>();

  /** Unanswered calls of all sessions and of none. */
  get count(): number {
    return this.#all.size;
  }

  /** Whether the scope, see `Call.scope`, waits for an answer to this very id; 1 and "1" are different ids. */
  has(scope: string, id: RequestId): boolean {
    return this.#byScope.get(scope)?.has(id) ?? false;
  }

  /** Whether the scope may have no more unanswered requests. */
  isFull(scope: string): boolean {
    return (this.#byScope.get(scope)?.size ?? 0) >= REQUESTS_IN_FLIGHT_MAX;
  }

  /** Takes in a held call, until it is over. */
  add(call: Call): void {
    this.#all.add(call);
    call.onOver = () => this.#remove(call);
    if (call.scope === undefined) return;
    const calls = this.#byScope.get(call.scope) ?? new Map<RequestId, Call>();
    calls.set(call.request.id, call);
    this.#byScope.set(call.scope, calls);
  }

  find(scope: string, id: RequestId): Call | undefined {
    return this.#byScope.get(scope)?.get(id);
  }

  ofScope(scope: string): readonly Call[] {
    return [...(this.#byScope.get(scope)?.values() ?? [])];
  }

  all(): readonly Call[] {
    return [...this.#all];
  }

  #remove(call: Call): void {
    this.#all.delete(call);
    if (call.scope === undefined) return;
    const calls = this.#byScope.get(call.scope);
    if (calls === undefined || calls.get(call.request.id) !== call) return;
    calls.delete(call.request.id);
    if (calls.size === 0) this.#byScope.delete(call.scope);
  }
}
