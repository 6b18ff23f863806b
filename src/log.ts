/**
 * The log: one line per entry on stderr, readable by a person and splittable by a program.
 *
 * This file owns the shape of a line and nothing else. It must never be given a secret (access
 * tokens, session tokens) or a stranger's words (messages, names, interests): fields are for
 * counts, flags and words of our own. What slips through is still quoted and cut, so that no text
 * can forge a line or drive a terminal; that is the second fence, not the permission.
 */

/** From the rarest to the most talkative; a level lets through itself and those before it. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Details of an entry, in the order in which they are printed. Strings come from our own vocabulary. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Where parts of the program report what an operator should know. `message` is a literal, never built from input. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

/** What a log needs from outside. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Takes one entry, line break included. Default: stderr. */
  readonly write?: (line: string) => void;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
}

/** Longest value printed, in UTF-16 units: enough for an address or a room id. */
const VALUE_CHARS_MAX = 200;

/** Makes a log that writes the entries of `level` and of the levels before it. */
export function createLog({ level, write = writeToStderr, now = Date.now }: LogOptions): Log {
  const loudest = LOG_LEVELS.indexOf(level);
  const entryOf = (entryLevel: LogLevel): Log[LogLevel] => {
    if (LOG_LEVELS.indexOf(entryLevel) > loudest) return () => undefined;
    return (message, fields = {}) => write(formatEntry(now(), entryLevel, message, fields));
  };
  return Object.freeze({
    error: entryOf("error"),
    warn: entryOf("warn"),
    info: entryOf("info"),
    debug: entryOf("debug"),
  });
}

/** One entry as a line: time, level, message, then `key=value` pairs. */
export function formatEntry(at: number, level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${formatValue(value)}`);
  return `${new Date(at).toISOString()} ${level} ${escapeUnprintable(message)}${pairs.join("")}\n`;
}

/** A value safe to print in one line: quoted when it is not a plain word, cut when it is long. */
export function formatValue(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  const cut = value.length > VALUE_CHARS_MAX ? `${value.slice(0, VALUE_CHARS_MAX)}...` : value;
  return /^[\w.:/@+-]+$/.test(cut) ? cut : `"${escapeUnprintable(cut.replace(/["\\]/g, "\\$&"))}"`;
}

/** Everything but printable ASCII as `\u` escapes: no line break, terminal sequence or bidirectional mark remains. */
function escapeUnprintable(text: string): string {
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}
