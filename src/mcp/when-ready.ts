/**
 * Going on with a value that is there at once or later, without making a promise for the former.
 *
 * This file owns that one function. It must never catch: a rejection is the caller's to see.
 */

/** Applies `then` to a value now if it is there, else when it is. */
export function whenReady<T, R>(value: T | Promise<T>, then: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}
