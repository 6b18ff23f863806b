/**
 * Who may do how much, and who never meets: token buckets and blocks.
 *
 * This file owns buckets and blocks. It must never decide what a refused caller is told.
 */
import type { UserRef } from "./ids.ts";

/** A token bucket. */
export interface Bucket {
  /** In thousandths, so that a whole rate adds up exactly and no delay is told a millisecond wrong. */
  milliTokens: number;
  /** When `milliTokens` was true, in milliseconds. */
  at: number;
}

export function fullBucket(burst: number, now: number): Bucket {
  return { milliTokens: 1000 * burst, at: now };
}

/**
 * Takes one token from a bucket that fills by `perSecond` up to `burst`.
 * @returns 0 if taken, else the milliseconds until one will be there (nothing is taken)
 */
export function take(bucket: Bucket, perSecond: number, burst: number, now: number): number {
  const milliTokens = Math.min(1000 * burst, bucket.milliTokens + (now - bucket.at) * perSecond);
  bucket.at = now;
  if (milliTokens >= 1000) {
    bucket.milliTokens = milliTokens - 1000;
    return 0;
  }
  bucket.milliTokens = milliTokens;
  return Math.max(1, Math.ceil((1000 - milliTokens) / perSecond));
}

interface Blocker {
  readonly ref: UserRef;
  readonly blocked: ReadonlySet<UserRef> | undefined;
}

/** Whether one of the two has blocked the other. */
export function blockedEitherWay(a: Blocker, b: Blocker): boolean {
  return a.blocked?.has(b.ref) === true || b.blocked?.has(a.ref) === true;
}
