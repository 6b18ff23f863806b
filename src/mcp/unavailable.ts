/**
 * What an application throws, or rejects with, that cannot answer at this moment though nothing is wrong
 * with it or with the request.
 *
 * This file owns that one class. Whoever asked is told when to ask again, and nothing of the reason.
 */

export class Unavailable extends Error {
  /** What to wait before asking again, in milliseconds. */
  readonly retryAfterMs: number;
  /** Whether what was asked for may have been done all the same, or may yet be. */
  readonly uncertain: boolean;

  constructor(retryAfterMs: number, uncertain: boolean) {
    super("not available at this moment");
    this.retryAfterMs = retryAfterMs;
    this.uncertain = uncertain;
  }
}
