/**
 * Who may do how much, and who never meets: token buckets and blocks.
 *
 * This file owns buckets and blocks. It must never decide what a refused caller is told.
 */
import type { UserRef } from "./ids.ts";

/** A token bucket; full when made. */
export interface Bucket {
  tokens: number;
  /** When `tokens` was true, in milliseconds. */
  at: number;
}

/**
 * Takes one token from a bucket that fills by `perSecond` up to `burst`.
 * @returns 0 if taken, else the milliseconds until one will be there (nothing is taken)
 */
export function take(bucket: Bucket, perSecond: number, burst: number, now: number): number {
  const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
  bucket.at = now;
  if (tokens >= 1) {
    bucket.tokens = tokens - 1;
    return 0;
  }
  bucket.tokens = tokens;
  return Math.max(1, Math.ceil(((1 - tokens) / perSecond) * 1000));
}

interface Blocker {
  readonly ref: UserRef;
  readonly blocked: ReadonlySet<UserRef> | undefined;
}

/** Whether one of the two has blocked the other. */
export function blockedEitherWay(a: Blocker, b: Blocker): boolean {
  return a.blocked?.has(b.ref) === true || b.blocked?.has(a.ref) === true;
}
