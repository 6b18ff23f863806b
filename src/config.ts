/**
 * Every setting of the server once: its name, its unit, what it allows, its default and its line
 * of help. Flags, environment variables, `--help` and the type `Config` all come from it.
 *
 * This file owns the table and which settings do not go together. It must never offer a setting that does
 * nothing yet.
 */

import { readFileSync } from "node:fs";
import { CLIENT_KEYS } from "./client-settings.ts";
import { readConfigFile } from "./config-file.ts";
import { MAILBOX_BYTES_MAX, TRANSCRIPT_BYTES_MAX } from "./limits.ts";
import { formatValue, LOG_LEVELS } from "./log.ts";
import {
  addressRanges,
  bearerToken,
  bytes,
  choice,
  decimal,
  filePath,
  folderPath,
  type HistoryPlace,
  historyPlace,
  hostHeaders,
  hostName,
  integer,
  origins,
  redisAddress,
  seconds,
  toggle,
} from "./setting-kinds.ts";
import {
  describeOptions,
  type Environment,
  fileKeyOf,
  type Initial,
  parseSettings,
  type SettingsFailure,
  type SettingTable,
  setting,
  type ValuesOf,
  variableOf,
} from "./settings.ts";

/** The settings of a running server. Frozen; durations in milliseconds, sizes in bytes. */
export type Config = ValuesOf<typeof SETTINGS>;

/** Either every setting, or one line that names the first thing wrong. */
export type ParsedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      /** The settings file, if it holds a secret and everybody on the machine can read it. */
      readonly exposedFile?: string;
    }
  | SettingsFailure;

// --- the table --------------------------------------------------------------------------------

const DAY_S = 86_400;

/** Longest `message-chars-max` that fits a request body with every character escaped twice, 14 bytes each. */
const MESSAGE_CHARS_CEILING = 16_000;

/** Streams held when the descriptor limit cannot be read: what 10,000 descriptors leave. */
const STREAMS_MAX_UNKNOWN_LIMIT = 9_000;

const NONE: Initial<string | undefined> = { shown: "none", value: () => undefined };
/** Where everything else lies, if it does. */
const IN_DATA: Initial<HistoryPlace | undefined> = { shown: "with data", value: () => undefined };
const BY_DESCRIPTORS: Initial<number> = {
  shown: "90 % of descriptors",
  value: () => streamsWithin(readLimits()),
};

const NETWORK = {
  host: setting("host", hostName, "127.0.0.1", "address to bind"),
  port: setting("port", integer(0, 65_535), "8000", "port to bind; 0 picks a free one"),
  accessToken: setting("access-token", bearerToken, NONE, "secret that requests must carry"),
  insecureOpen: setting("insecure-open", toggle, "false", "allow a public address without a token"),
  allowedHosts: setting("allowed-hosts", hostHeaders, "", "more Host headers to accept, by commas"),
  allowedOrigins: setting("allowed-origins", origins, "", "more Origin headers to accept"),
  trustedProxies: setting("trusted-proxies", addressRanges, "", "whose X-Forwarded-For is believed"),
} satisfies SettingTable;

const MATCHING = {
  matching: setting("matching", choice("ORDER", ["fifo", "random"]), "fifo", "fifo or random among equals"),
  widenMs: setting("widen-seconds", seconds(0, DAY_S), "10", "wait this long for a shared interest"),
  availableMs: setting("available-seconds", seconds(0, DAY_S), "90", "silence without streams, still paired"),
  greeter: setting("greeter", toggle, "false", "a scripted partner for who waits alone"),
} satisfies SettingTable;

const LEAVING = {
  graceMs: setting("grace-seconds", seconds(0, DAY_S), "30", "time to come back after a lost stream"),
  idleMs: setting("idle-seconds", seconds(0, DAY_S), "900", "silence without streams until gone"),
  retainUserMs: setting("retain-user-seconds", seconds(1, 30 * DAY_S), "86400", "keep what an absent user has"),
} satisfies SettingTable;

const RATES = {
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
  rateEntriesPerSecond: setting("rate-entries-per-second", decimal(0, 1000), "1", "joining the queue; 0 = no limit"),
  rateEntriesBurst: setting("rate-entries-burst", integer(1, 10_000), "60", "joining the queue, at once"),
  rateJoinsPerMinute: setting("rate-joins-per-minute", decimal(0, 60_000), "10", "room codes tried; 0 = no limit"),
  rateJoinsBurst: setting("rate-joins-burst", integer(1, 10_000), "10", "room codes tried at once"),
  rateReportsPerHour: setting("rate-reports-per-hour", decimal(0, 1_000_000), "10", "reports; 0 = no limit"),
  rateReportsBurst: setting("rate-reports-burst", integer(1, 10_000), "5", "reports at once"),
  usersPerAddress: setting(
    "users-per-address",
    integer(0, 1_000_000),
    "20",
    "users whose rates an address has; 0 = off",
  ),
  rateSessionsPerMinute: setting(
    "rate-sessions-per-minute",
    decimal(0, 1_000_000),
    "60",
    "new sessions of an address; 0 = no limit",
  ),
  rateSessionsBurst: setting("rate-sessions-burst", integer(1, 100_000), "120", "new sessions of an address at once"),
  streamsPerAddress: setting(
    "streams-per-address",
    integer(0, 10_000_000),
    "0",
    "streams an address has open; 0 = no limit",
  ),
  loopMessagesMax: setting("loop-messages-max", integer(0, 1_000_000), "200", "when rooms of agents close; 0 = never"),
} satisfies SettingTable;

const CAPACITY = {
  usersMax: setting("users-max", integer(2, 10_000_000), "100000", "users known at once"),
  queueMax: setting("queue-max", integer(1, 10_000_000), "100000", "users waiting at once"),
  streamsMax: setting("streams-max", integer(1, 10_000_000), BY_DESCRIPTORS, "streams open at once"),
  mailboxBytesMax: setting("mailbox-bytes-max", bytes(MAILBOX_BYTES_MAX, 2 ** 40), "512MiB", "all mailboxes together"),
  transcriptBytesMax: setting(
    "transcript-bytes-max",
    bytes(TRANSCRIPT_BYTES_MAX, 2 ** 40),
    "256MiB",
    "all transcripts together",
  ),
} satisfies SettingTable;

const MODERATION = {
  wordsFile: setting("words-file", filePath, NONE, "words that are not wanted, one a line"),
  wordsAction: setting("words-action", choice("ACTION", ["refuse", "mask"]), "refuse", "refuse or mask messages"),
  adminToken: setting("admin-token", bearerToken, NONE, "secret of the operator, for /admin"),
  auditFile: setting("audit-file", filePath, NONE, "what the operator did, as JSON lines"),
} satisfies SettingTable;

const OPERATION = {
  configFile: setting("config", filePath, NONE, "more settings, as TOML: port = 9000"),
  eventsErrorCodes: setting(
    "events-error-codes",
    choice("CODES", ["auto", "sketch", "sep"]),
    "auto",
    "of MCP Events: auto, sketch or sep",
  ),
  logLevel: setting("log-level", choice("LEVEL", LOG_LEVELS), "info", "error, warn, info or debug"),
  metrics: setting("metrics", toggle, "false", "figures for Prometheus at /metrics"),
} satisfies SettingTable;

const KEEPING = {
  data: setting("data", folderPath, NONE, "keep everything here, over restarts"),
  redis: setting("redis", redisAddress, NONE, "one of several servers with this Redis"),
  durability: setting(
    "durability",
    choice("LEVEL", ["normal", "full"]),
    "normal",
    "full: the disk has it before an answer",
  ),
  history: setting("history", historyPlace, IN_DATA, "what was said, for longer; or off"),
  retainDays: setting("retain-days", integer(1, 3650), "30", "keep the history for so many days"),
} satisfies SettingTable;

const SETTINGS = {
  ...NETWORK,
  ...MATCHING,
  ...LEAVING,
  ...RATES,
  ...CAPACITY,
  ...MODERATION,
  ...KEEPING,
  ...OPERATION,
};

/** The same under what they are about, for whoever reads all of them. */
const TOPICS: readonly (readonly [title: string, SettingTable])[] = [
  ["Network", NETWORK],
  ["Waiting and matching", MATCHING],
  ["Coming and going", LEAVING],
  ["Limits of users and addresses", RATES],
  ["Capacity of the server", CAPACITY],
  ["Moderation", MODERATION],
  ["Keeping it over a restart", KEEPING],
  ["Operation", OPERATION],
];

/** The keys of every setting of the server; their variables may stand where other commands run. */
export const SERVER_KEYS: readonly string[] = Object.values(SETTINGS).map(({ key }) => key);

/** By which way the server is reached. */
export type Edge = "http" | "stdio";

/** Settings that only HTTP has a use for. */
const HTTP_KEYS: readonly string[] = [
  "host port access-token insecure-open allowed-hosts allowed-origins trusted-proxies streams-max",
  "users-per-address rate-sessions-per-minute rate-sessions-burst streams-per-address admin-token audit-file metrics",
  "data durability redis history retain-days",
].flatMap((line) => line.split(" "));

function appliesTo(edge: Edge, key: string): boolean {
  return edge === "http" || !HTTP_KEYS.includes(key);
}

/**
 * Reads every setting from the flags, the environment and the file these may name; a flag wins over a
 * variable, a variable over the file. Total: what is wrong comes back as a message that names the setting,
 * and never a secret's value. Flags that the edge has no use for are unknown to it; variables and keys
 * of the file are for servers that are started beside it.
 */
export function parseConfig(argv: readonly string[], env: Environment, edge: Edge = "http"): ParsedConfig {
  const parsed = parseSettings(SETTINGS, argv, env, {
    offers: (key) => appliesTo(edge, key),
    otherKeys: CLIENT_KEYS,
    file: { key: SETTINGS.configFile.key, read: readConfigFile },
  });
  if (!parsed.ok) return parsed;
  const { values: config, exposedFile } = parsed;

  const complaint = findConflict(config) ?? (edge === "http" ? findHttpConflict(config) : undefined);
  if (complaint !== undefined) return { ok: false, message: complaint };
  return { ok: true, config, ...(exposedFile === undefined ? {} : { exposedFile }) };
}

// --- what does not go together ----------------------------------------------------------------

/** What is wrong with settings of the lobby that are each allowed but not together. */
function findConflict(config: Config): string | undefined {
  for (const [key, ms] of [
    ["grace-seconds", config.graceMs],
    ["idle-seconds", config.idleMs],
  ] as const) {
    if (ms > config.retainUserMs) {
      return `retain-user-seconds must not be less than ${key}: who is gone would be forgotten before they could know`;
    }
  }
  if (config.wordsAction === "mask" && config.wordsFile === undefined) {
    return "words-action mask needs words-file: without a list there is nothing to mask";
  }
  const history = config.history?.kind === "sqlite" ? config.history.path : undefined;
  const files = [config.wordsFile, config.auditFile, config.configFile, history].filter((path) => path !== undefined);
  const twice = files.find((path, at) => files.indexOf(path) !== at);
  return twice === undefined
    ? undefined
    : `${formatValue(twice)} is named by two settings: each needs a file of its own`;
}

/** The same for the settings that only HTTP has a use for. */
function findHttpConflict(config: Config): string | undefined {
  if (config.adminToken !== undefined && config.adminToken === config.accessToken) {
    return `${variableOf("admin-token")} must differ from the access token, which every user has`;
  }
  if (config.auditFile !== undefined && config.adminToken === undefined) {
    return `audit-file needs ${variableOf("admin-token")}: without it nobody acts`;
  }
  if (config.redis !== undefined && config.data !== undefined) {
    return "data and redis do not go together: either a folder keeps everything, or Redis does for all servers";
  }
  if (config.redis !== undefined && config.history?.kind === "sqlite") {
    return "redis and a history in a file do not go together: each server would have a part of it; use PostgreSQL";
  }
  if (config.durability === "full" && config.data === undefined) {
    return "durability full needs data: without a folder nothing is kept";
  }
  const descriptors = descriptorsOf(readLimits());
  if (config.streamsMax >= descriptors) {
    return `streams-max must be less than ${descriptors}, as many files as the system lets this process open (ulimit -Hn)`;
  }
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

/** Descriptors the process may have open; infinite where that is not known. */
function descriptorsOf(limits: string): number {
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1]);
  return hard > 0 ? hard : Number.POSITIVE_INFINITY;
}

/** Streams that leave a tenth of the descriptors for requests, files and the program itself. */
export function streamsWithin(limits: string): number {
  const hard = descriptorsOf(limits);
  return Number.isFinite(hard) ? Math.max(1, Math.floor(hard * 0.9)) : STREAMS_MAX_UNKNOWN_LIMIT;
}

// --- help -------------------------------------------------------------------------------------

/** What somebody needs who starts the server for the first time. */
const FIRST_KEYS =
  "host port access-token insecure-open allowed-hosts trusted-proxies grace-seconds data words-file admin-token metrics config".split(
    " ",
  );

/** Every option under its topic, and how else they can be given: at most 80 columns. */
export function describeSettings(): string {
  const topics = TOPICS.flatMap(([title, table]) => [`${title}:`, ...describeOptions(table), ""]);
  return [
    ...topics,
    `Each is an environment variable too, ${variableOf("grace-seconds")}=30, and a key of`,
    `the TOML file that --config names, ${fileKeyOf("grace-seconds")} = 30. An option wins over the`,
    "variable, the variable over the file. Secrets belong into one of these two:",
    'others can read a command line. Lists are ["a", "b"] in the file.',
  ].join("\n");
}

/** The first options to know, and where the others are. */
export function describeFirstSettings(): string {
  return [
    ...describeOptions(SETTINGS, (key) => FIRST_KEYS.includes(key)),
    "",
    `Give secrets as ${variableOf("access-token")}=...: others can read a command line.`,
    "All settings: mcp-chat serve --help. Of another command: mcp-chat chat --help.",
  ].join("\n");
}

/** The names of the options that an in-process lobby shares with a server. */
export function nameSharedSettings(): string[] {
  return SERVER_KEYS.filter((key) => appliesTo("stdio", key)).map((key) => `--${key}`);
}
