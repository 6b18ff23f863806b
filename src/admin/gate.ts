/**
 * Who may use the operator's surface: whoever shows its token.
 *
 * This file owns that decision and how often it may be got wrong. It must never keep or log a token,
 * and never let another credential of the server through.
 */
import { digestOf, isSecretOf } from "../crypto.ts";
import { bearerOf } from "../http/guard.ts";
import { ADDRESSES_MAX, ADMIN_FAILURES_BURST_MAX, ADMIN_FAILURES_PER_S_MAX } from "../limits.ts";
import { TokenBuckets } from "../mcp/token-buckets.ts";
import { type AdminError, BAD_TOKEN, tooManyFailures, UNAUTHORIZED } from "./answer.ts";

/** All who have no address share one. */
const NO_ADDRESS = "";

export class Gate {
  readonly #digest: Uint8Array;
  readonly #failures = new TokenBuckets(ADMIN_FAILURES_PER_S_MAX, ADMIN_FAILURES_BURST_MAX, ADDRESSES_MAX);
  readonly #onFailure: (address: string | undefined) => void;

  /** @param onFailure hears of each wrong token that was compared */
  constructor(token: string, onFailure: (address: string | undefined) => void) {
    this.#digest = digestOf(token);
    this.#onFailure = onFailure;
  }

  /**
   * Why a request may not pass. After too many wrong tokens from an address no token is compared any more;
   * requests without one cost nothing, so that no page in a browser can lock the operator out.
   * @param now milliseconds since 1970
   */
  refuse(authorization: string | null, address: string | undefined, now: number): AdminError | undefined {
    const key = address ?? NO_ADDRESS;
    const token = bearerOf(authorization);
    if (token === undefined) return UNAUTHORIZED;
    const retryAfterMs = this.#failures.delay(key, now);
    if (retryAfterMs > 0) return tooManyFailures(retryAfterMs);
    if (isSecretOf(this.#digest, token)) return undefined;
    this.#failures.take(key, now);
    this.#onFailure(address);
    return BAD_TOKEN;
  }
}
