/**
 * Which log messages a caller wants: in the legacy era what its session set last (Logging), in the
 * modern era what the request itself says.
 *
 * This file owns the order of levels and the bounded memory of what sessions set. It must never
 * send anything.
 */

import { LOG_LEVELS_KEPT_MAX } from "../limits.ts";
import type { Call } from "./call.ts";
import type { Method } from "./dispatch.ts";
import { isObject } from "./jsonrpc.ts";
import { type Json, LOG_LEVELS, type LogLevel } from "./registry.ts";

/** For sessions that set none (Logging: the server may decide). */
const DEFAULT_LEVEL: LogLevel = "info";

/** The `_meta` member with which a modern request asks for log messages. */
export const LOG_LEVEL = "io.modelcontextprotocol/logLevel";

export function isLogLevel(value: Json | undefined): value is LogLevel {
  return LOG_LEVELS.some((level) => level === value);
}

function reaches(level: LogLevel, threshold: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold);
}

/** What legacy sessions have set, while they are remembered. */
export class LogLevels {
  readonly #bySession = new Map<string, LogLevel>();

  set(session: string, level: LogLevel): void {
    // Set anew, it is the latest set.
    this.#bySession.delete(session);
    this.#bySession.set(session, level);
    if (this.#bySession.size <= LOG_LEVELS_KEPT_MAX) return;
    const oldest = this.#bySession.keys().next();
    if (oldest.done === false) this.#bySession.delete(oldest.value);
  }

  /** What a session has set; undefined if it has not, or that is forgotten. */
  of(session: string): LogLevel | undefined {
    return this.#bySession.get(session);
  }

  endSession(session: string): void {
    this.#bySession.delete(session);
  }

  /** Whether the call's session wants messages of that level. */
  wants(session: string | undefined, level: LogLevel): boolean {
    const set = session === undefined ? undefined : this.#bySession.get(session);
    return reaches(level, set ?? DEFAULT_LEVEL);
  }
}

/** Methods that run handlers of the application. */
const HANDLED = ["tools/call", "resources/list", "resources/read", "prompts/get", "completion/complete"];

/** Lets the handlers of a method table log to callers who want it. */
export function letLog(methods: Map<string, Method>, filter: NonNullable<Call["logFilter"]>): void {
  for (const name of HANDLED) {
    const method = methods.get(name);
    if (method === undefined) continue;
    methods.set(name, (call) => {
      call.logFilter = filter;
      return method(call);
    });
  }
}

/** Whether a modern call asked for messages of that level; one that does not ask gets none. */
export function modernWantsLog(call: Call, level: LogLevel): boolean {
  const meta = call.request.params?._meta;
  const threshold = isObject(meta) ? meta[LOG_LEVEL] : undefined;
  return isLogLevel(threshold) && reaches(level, threshold);
}
