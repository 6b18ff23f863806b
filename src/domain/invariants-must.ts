/**
 * How a broken invariant is told: by throwing what should have been true.
 *
 * This file owns the assertion. It must never be used for bad input.
 */

export function must(truth: boolean, what: string): asserts truth {
  if (!truth) throw new Error(`broken invariant: ${what}`);
}
