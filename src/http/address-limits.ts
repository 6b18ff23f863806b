/**
 * What one address may do at the HTTP edge: begin so many sessions, hold so many streams.
 *
 * This file owns those counts. It must never limit whoever has no address, and never keep more
 * addresses than its bound.
 */

import { ADDRESSES_MAX } from "../limits.ts";
import { tooManySessions, type WireError } from "../mcp/errors.ts";
import type { Decoded } from "../mcp/jsonrpc.ts";
import { TokenBuckets } from "../mcp/token-buckets.ts";

export interface AddressLimitOptions {
  /** `initialize` in the long run; 0 = no limit. */
  readonly sessionsPerMinute: number;
  /** And at once, from 1. */
  readonly sessionsBurst: number;
  /** Streams open at once; 0 = no limit. */
  readonly streams: number;
}

const NO_LIMITS: AddressLimitOptions = { sessionsPerMinute: 0, sessionsBurst: 1, streams: 0 };

export class AddressLimits {
  readonly #sessions: TokenBuckets | undefined;
  readonly #streamsMax: number;
  /** Open streams by address; bounded by the streams of the server. */
  readonly #streams = new Map<string, number>();
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor({ sessionsPerMinute, sessionsBurst, streams }: AddressLimitOptions = NO_LIMITS, now: () => number) {
    this.#sessions =
      sessionsPerMinute === 0 ? undefined : new TokenBuckets(sessionsPerMinute / 60, sessionsBurst, ADDRESSES_MAX);
    this.#streamsMax = streams === 0 ? Number.POSITIVE_INFINITY : streams;
    this.#now = now;
  }

  /** Why a message may not be looked at: it would begin a session too many. It costs one of them if it may. */
  refuseMessage(message: Decoded, address: string | undefined): WireError | undefined {
    if (address === undefined || this.#sessions === undefined) return undefined;
    if (message.kind !== "request" || message.method !== "initialize") return undefined;
    const retryAfterMs = this.#sessions.take(address, this.#now());
    return retryAfterMs === 0 ? undefined : tooManySessions(retryAfterMs);
  }

  isFullOfStreams(address: string | undefined): boolean {
    return address !== undefined && (this.#streams.get(address) ?? 0) >= this.#streamsMax;
  }

  /** Counts a stream. @returns to be called when it is closed; undefined if it need not be counted */
  streamOpened(address: string | undefined): (() => void) | undefined {
    if (address === undefined || this.#streamsMax === Number.POSITIVE_INFINITY) return undefined;
    this.#streams.set(address, (this.#streams.get(address) ?? 0) + 1);
    return () => {
      const left = (this.#streams.get(address) ?? 1) - 1;
      if (left > 0) this.#streams.set(address, left);
      else this.#streams.delete(address);
    };
  }
}
