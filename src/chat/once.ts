/**
 * Values that are made when somebody first asks for them: JSON Schemas take longer to make than all
 * the rest of the start, and a server may never be asked for its lists.
 *
 * This file owns that one function. It must never make a value twice.
 */

/** Makes a value at the first call and gives the same at every later one. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
