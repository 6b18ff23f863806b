/**
 * Every setting of the server once: its name, its unit, what it allows, its default and its line
 * of help. Flags, environment variables, `--help` and the type `Config` all come from one table.
 *
 * This file owns the table and where settings come from. It must never repeat a secret's value, never throw
 * on what an operator wrote, and never offer a setting that does nothing yet.
 */

import { readFileSync } from "node:fs";
import { MAILBOX_BYTES_MAX } from "./limits.ts";
import { formatValue, LOG_LEVELS } from "./log.ts";
import {
  bearerToken,
  bytes,
  choice,
  decimal,
  hostHeaders,
  hostName,
  integer,
  type Kind,
  origins,
  seconds,
  toggle,
} from "./setting-kinds.ts";

/** Environment variables as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of a running server. Frozen; durations in milliseconds, sizes in bytes. */
export type Config = { readonly [Field in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Field]> };

/** Either every setting, or one line that names the first thing wrong. */
export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly message: string };

// --- the table --------------------------------------------------------------------------------

interface Setting<T> extends Kind<T> {
  /** In kebab case, as in the flag; the other spellings are made from it. */
  readonly key: string;
  readonly help: string;
  readonly initial: Initial<T>;
}

/** The value of a setting that nobody gave, and how the help shows it. */
interface Initial<T> {
  readonly shown: string;
  value(): T;
}

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** A text as the default is read like any other; one that its own kind does not allow is a bug in the table. */
function setting<T>(key: string, kind: Kind<T>, initial: string | Initial<T>, help: string): Setting<T> {
  if (typeof initial !== "string") return { ...kind, key, help, initial };
  const value = kind.read(initial);
  if (value === undefined) throw new Error(`the default of ${key} is not allowed`);
  return { ...kind, key, help, initial: { shown: initial, value: () => value } };
}

const DAY_S = 86_400;

/** Longest `message-chars-max` that fits a request body with every character escaped twice, 14 bytes each. */
const MESSAGE_CHARS_CEILING = 16_000;

/** Streams held when the descriptor limit cannot be read: what 10,000 descriptors leave. */
const STREAMS_MAX_UNKNOWN_LIMIT = 9_000;

const NO_TOKEN: Initial<string | undefined> = { shown: "none", value: () => undefined };
const BY_DESCRIPTORS: Initial<number> = {
  shown: "90 % of descriptors",
  value: () => streamsWithin(readLimits()),
};

const SETTINGS = {
  host: setting("host", hostName, "127.0.0.1", "address to bind"),
  port: setting("port", integer(0, 65_535), "8000", "port to bind; 0 picks a free one"),
  accessToken: setting("access-token", bearerToken, NO_TOKEN, "secret that requests must carry"),
  insecureOpen: setting("insecure-open", toggle, "false", "allow a public address without a token"),
  allowedHosts: setting("allowed-hosts", hostHeaders, "", "more Host headers to accept, by commas"),
  allowedOrigins: setting("allowed-origins", origins, "", "more Origin headers to accept"),
  graceMs: setting("grace-seconds", seconds(0, DAY_S), "30", "time to come back after a lost stream"),
  idleMs: setting("idle-seconds", seconds(0, DAY_S), "900", "silence without streams until gone"),
  availableMs: setting("available-seconds", seconds(0, DAY_S), "90", "silence without streams, still paired"),
  widenMs: setting("widen-seconds", seconds(0, DAY_S), "10", "wait this long for a shared interest"),
  matching: setting("matching", choice("ORDER", ["fifo", "random"]), "fifo", "fifo or random among equals"),
  messageCharsMax: setting(
    "message-chars-max",
    integer(1, MESSAGE_CHARS_CEILING),
    "4000",
    "longest message, in characters",
  ),
  rateMessagesPerSecond: setting(
    "rate-messages-per-second",
    decimal(0, 1000),
    "5",
    "messages of one user; 0 = no limit",
  ),
  rateMessagesBurst: setting("rate-messages-burst", integer(1, 10_000), "20", "messages of one user at once"),
  loopMessagesMax: setting("loop-messages-max", integer(0, 1_000_000), "200", "when rooms of agents close; 0 = never"),
  retainUserMs: setting("retain-user-seconds", seconds(1, 30 * DAY_S), "86400", "keep what an absent user has"),
  usersMax: setting("users-max", integer(2, 10_000_000), "100000", "users known at once"),
  queueMax: setting("queue-max", integer(1, 10_000_000), "100000", "users waiting at once"),
  streamsMax: setting("streams-max", integer(1, 10_000_000), BY_DESCRIPTORS, "streams open at once"),
  mailboxBytesMax: setting("mailbox-bytes-max", bytes(MAILBOX_BYTES_MAX, 2 ** 40), "512MiB", "all mailboxes together"),
  eventsErrorCodes: setting(
    "events-error-codes",
    choice("CODES", ["auto", "sketch", "sep"]),
    "auto",
    "of MCP Events: auto, sketch or sep",
  ),
  logLevel: setting("log-level", choice("LEVEL", LOG_LEVELS), "info", "error, warn, info or debug"),
} satisfies Record<string, Setting<unknown>>;

const SETTING_BY_KEY: ReadonlyMap<string, Setting<unknown>> = new Map(
  Object.values(SETTINGS).map((one): [string, Setting<unknown>] => [one.key, one]),
);

/** By which way the server is reached. */
export type Edge = "http" | "stdio";

/** Settings that only HTTP has a use for. */
const HTTP_KEYS: readonly string[] =
  "host port access-token insecure-open allowed-hosts allowed-origins streams-max".split(" ");

function appliesTo(edge: Edge, key: string): boolean {
  return edge === "http" || !HTTP_KEYS.includes(key);
}

// --- sources ----------------------------------------------------------------------------------

/** One place settings come from. Parsing takes any number of them; the first that has a key wins. */
interface Source {
  /** What was written, by the key of the setting. */
  readonly texts: ReadonlyMap<string, string>;
  /** How this source spells a key, for messages. */
  spell(key: string): string;
}

/** One line for the operator that names what is wrong. */
type Complaint = string;

const ENVIRONMENT_PREFIX = "MCP_CHAT_";
const flagOf = (key: string): string => `--${key}`;
const variableOf = (key: string): string => ENVIRONMENT_PREFIX + key.toUpperCase().replaceAll("-", "_");

function readFlags(argv: readonly string[], edge: Edge): Source | Complaint {
  const texts = new Map<string, string>();
  for (let at = 0; at < argv.length; at += 1) {
    // What follows `=` may be a secret under a misspelt name, so it stays out of every message here.
    const [, name, inline] = /^--([^=]*)(?:=(.*))?$/s.exec(argv[at] ?? "") ?? [];
    if (name === undefined) return `unexpected argument ${formatValue(argv[at] ?? "")}; see --help`;
    const known = SETTING_BY_KEY.get(name);
    if (known === undefined || !appliesTo(edge, name)) return `unknown option ${formatValue(flagOf(name))}; see --help`;
    if (texts.has(name)) return `${flagOf(name)} is given twice`;

    if (inline !== undefined) {
      texts.set(name, inline);
    } else if (known.placeholder === undefined) {
      texts.set(name, "true");
    } else {
      at += 1;
      const value = argv[at];
      if (value === undefined || value.startsWith("--")) {
        return `${flagOf(name)} needs a value; allowed: ${known.allowed}`;
      }
      texts.set(name, value);
    }
  }
  return { texts, spell: flagOf };
}

function readEnvironment(env: Environment): Source | Complaint {
  const texts = new Map<string, string>();
  const keyByVariable = new Map([...SETTING_BY_KEY.keys()].map((key) => [variableOf(key), key]));
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(ENVIRONMENT_PREFIX)) continue;
    const key = keyByVariable.get(variable);
    if (key === undefined) {
      return `unknown environment variable ${formatValue(variable)}; see --help`;
    }
    texts.set(key, text);
  }
  return { texts, spell: variableOf };
}

/** The value of one setting from the first source that has it, else its default. */
function resolve<T>(one: Setting<T>, sources: readonly Source[]): { readonly value: T } | Complaint {
  for (const source of sources) {
    const text = source.texts.get(one.key);
    if (text === undefined) continue;
    const value = one.read(text);
    if (value !== undefined) return { value };
    const shown = one.secret ? "this value" : formatValue(text);
    return `${source.spell(one.key)}: ${shown} is not allowed; allowed: ${one.allowed}`;
  }
  return { value: one.initial.value() };
}

/**
 * Reads every setting from the flags and the environment; a flag wins over a variable. Total: what
 * is wrong comes back as a message that names the setting, and never a secret's value. Flags that the
 * edge has no use for are unknown to it; their variables are for servers that are started beside it.
 */
export function parseConfig(argv: readonly string[], env: Environment, edge: Edge = "http"): ParsedConfig {
  const sources: Source[] = [];
  for (const source of [readFlags(argv, edge), readEnvironment(env)]) {
    if (typeof source === "string") return { ok: false, message: source };
    sources.push(source);
  }

  const values: Record<string, unknown> = {};
  for (const [field, one] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const resolved = resolve(one, sources);
    if (typeof resolved === "string") return { ok: false, message: resolved };
    values[field] = resolved.value;
  }
  // Sound because the loop ran over the very table that `Config` is made from.
  const config = Object.freeze(values) as Config;

  const complaint = edge === "http" ? findConflict(config) : undefined;
  return complaint === undefined ? { ok: true, config } : { ok: false, message: complaint };
}

/** What is wrong with settings that are each allowed but not together. */
function findConflict(config: Config): Complaint | undefined {
  if (isLoopback(config.host) || config.insecureOpen || config.accessToken !== undefined) return undefined;
  return (
    `host ${formatValue(config.host)} is reachable from other machines: ` +
    `set ${variableOf("access-token")}, or let everyone in with --insecure-open`
  );
}

/** Whether only this machine can reach the address. A name other than `localhost` may mean anything, so it is not. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

// --- descriptors ------------------------------------------------------------------------------

/** The text of this process's limits where the system shows it (Linux), else empty. */
function readLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}

/** Streams that leave a tenth of the descriptors for requests, files and the program itself. */
export function streamsWithin(limits: string): number {
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1]);
  return hard > 0 ? Math.max(1, Math.floor(hard * 0.9)) : STREAMS_MAX_UNKNOWN_LIMIT;
}

// --- help -------------------------------------------------------------------------------------

const FLAG_COLUMN = 32;

/** The options and how else they can be given, for `--help`: at most 80 columns. */
export function describeSettings(edge: Edge = "http"): string {
  const shown = Object.values<Setting<unknown>>(SETTINGS).filter(({ key }) => appliesTo(edge, key));
  const lines = shown.map((one) => {
    const flag = [flagOf(one.key), one.placeholder].filter((part) => part !== undefined).join(" ");
    const initial = one.initial.shown === "" || one.placeholder === undefined ? "" : ` [${one.initial.shown}]`;
    return `  ${flag.padEnd(FLAG_COLUMN - 2)} ${one.help}${initial}`;
  });
  return [
    ...lines,
    "",
    `Each is also an environment variable, ${variableOf("grace-seconds")}=30 for example; an`,
    edge === "http"
      ? "option wins over it. Give the token that way: others can read a command line."
      : "option wins over it.",
  ].join("\n");
}
