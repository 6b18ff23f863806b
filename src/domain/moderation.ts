/**
 * Who may do how much, and who never meets: token buckets and blocks as such.
 *
 * This file owns buckets and the meaning of a block. It must never decide what a refused caller is told.
 */
import type { Rate } from "./command.ts";
import type { AddressKey, UserRef } from "./ids.ts";

/** A token bucket. */
export interface Bucket {
  /** In thousandths, so that a whole rate adds up exactly and no delay is told a millisecond wrong. */
  milliTokens: number;
  /** When `milliTokens` was true, in milliseconds. */
  at: number;
}

/** Thousandths that fractions of a rate may lack by rounding, so that whoever waits as told is not told to wait once more. */
const ROUNDING = 1e-6;

/**
 * What is in a bucket now, in thousandths of a token.
 * @param bucket undefined = full
 * @param times how many buckets of this rate it stands for
 */
function fill(bucket: Bucket | undefined, { perSecond, burst }: Rate, times: number, now: number): number {
  const full = 1000 * burst * times;
  if (bucket === undefined) return full;
  return Math.min(full, bucket.milliTokens + (now - bucket.at) * perSecond * times);
}

/** Milliseconds until one token is there; 0 = it is there now. Nothing is taken. */
export function delayOf(bucket: Bucket | undefined, rate: Rate, times: number, now: number): number {
  const lacking = 1000 - fill(bucket, rate, times, now);
  return lacking <= ROUNDING ? 0 : Math.max(1, Math.ceil((lacking - ROUNDING) / (rate.perSecond * times)));
}

/** Takes a token that is there; makes the bucket if there is none yet. */
export function takeFrom(bucket: Bucket | undefined, rate: Rate, times: number, now: number): Bucket {
  const milliTokens = Math.max(0, fill(bucket, rate, times, now) - 1000);
  if (bucket === undefined) return { milliTokens, at: now };
  bucket.milliTokens = milliTokens;
  bucket.at = now;
  return bucket;
}

/** When a bucket is full, if nothing more is taken; at once for one that has not been made. */
export function fullAt(bucket: Bucket | undefined, { perSecond, burst }: Rate, times: number): number {
  if (bucket === undefined) return 0;
  return bucket.at + Math.max(0, 1000 * burst * times - bucket.milliTokens) / (perSecond * times);
}

/** As much of a user as decides whom they never meet. */
export interface Blocker {
  readonly ref: UserRef;
  readonly address: AddressKey | undefined;
  readonly blocked: ReadonlyMap<UserRef, unknown> | undefined;
  readonly blockedAddresses: ReadonlySet<AddressKey> | undefined;
}

/** Whether one of the two has blocked the other, or where the other is. */
export function blockedEitherWay(a: Blocker, b: Blocker): boolean {
  return hasBlocked(a, b) || hasBlocked(b, a);
}

function hasBlocked({ blocked, blockedAddresses }: Blocker, other: Blocker): boolean {
  if (blocked === undefined) return false;
  return blocked.has(other.ref) || (other.address !== undefined && blockedAddresses?.has(other.address) === true);
}
