/**
 * The chat as one value: what the tools share.
 *
 * This file owns nothing but the bundle, and must stay free of behaviour.
 */
import type { LobbyHost } from "./lobby-host.ts";
import type { Waits } from "./waits.ts";

export interface Chat {
  readonly host: LobbyHost;
  readonly waits: Waits;
  /** Longest message, in code points. */
  readonly messageCharsMax: number;
}

/** Continues with a value that is there now or later, without a promise where none is needed. */
export function andThen<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
