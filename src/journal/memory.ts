/**
 * The journal that keeps nothing: every command is applied at once, and is gone with the process.
 *
 * This file owns the clock reading and the entropy of entries. It must never wait.
 */
import type { Command, Entry } from "../domain/command.ts";
import { ENTROPY_CHARS } from "../limits.ts";
import type { DrawEntropy, Journal } from "./journal.ts";

/** @param now milliseconds since the epoch */
export function createMemoryJournal(now: () => number = Date.now, draw: DrawEntropy = createEntropySource()): Journal {
  let at = 0;
  return {
    append<T>(command: Command, apply: (entry: Entry) => T): T {
      at = Math.max(at, now());
      return apply({ at, entropy: draw(), command });
    },
  };
}

/** Characters drawn from the system at a time: one call for some hundred entries. */
const POOL_CHARS = ENTROPY_CHARS * 256;

/** Entropy from the system's random source, drawn in large pieces because each draw is a system call. */
export function createEntropySource(): DrawEntropy {
  const bytes = Buffer.alloc((POOL_CHARS / 4) * 3);
  let pool = "";
  let used = POOL_CHARS;
  return () => {
    if (used >= POOL_CHARS) {
      pool = crypto.getRandomValues(bytes).toString("base64url");
      used = 0;
    }
    const drawn = pool.slice(used, used + ENTROPY_CHARS);
    used += ENTROPY_CHARS;
    return drawn;
  };
}
