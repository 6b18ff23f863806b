/**
 * The command line of `mcp-chat admin`: which request is meant, how its answer is shown, and the help.
 *
 * This file owns the table of commands. It must never take the admin token from a command line, and
 * never send or print anything.
 */
import { ADMIN_PAGE_ITEMS_DEFAULT } from "../limits.ts";
import { formatValue } from "../log.ts";
import { nearest } from "../nearest.ts";
import { bearerToken, duration, filePath, integer, type Kind, toggle } from "../setting-kinds.ts";
import {
  describeOptions,
  type Environment,
  environmentSecret,
  parseSettings,
  setting,
  variableOf,
} from "../settings.ts";

/** How an answer is shown to people. */
export type View =
  | "reports"
  | "report"
  | "bans"
  | "ban"
  | "rooms"
  | "user"
  | "audit"
  | "summary"
  | "told"
  | "done"
  /** Lines of JSON, as they come. */
  | "lines";

/** One request to the operator's surface, and what is to be made of its answer. */
export interface AdminCommand {
  /** Of the server, without a slash at its end. */
  readonly url: string;
  /** From the environment; else it is in the file. */
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly method: "GET" | "POST" | "DELETE";
  /** From `/admin` on. */
  readonly path: string;
  readonly body: Readonly<Record<string, string | number>> | undefined;
  readonly view: View;
  /** Items to show of a list; pages are asked for until there are as many. */
  readonly limit: number;
  readonly json: boolean;
}

export type ParsedAdminCommand =
  | { readonly ok: true; readonly command: AdminCommand }
  | { readonly ok: false; readonly message: string };

// --- options --------------------------------------------------------------------------------------

const LOCAL_SERVER = "http://127.0.0.1:8000";
const OPERANDS_MAX = 1000;
const NONE = { shown: "", value: () => undefined };

/** A server, with or without the path of its endpoint. */
const serverUrl: Kind<string> = {
  placeholder: "URL",
  allowed: "http://HOST:PORT or https://HOST, without a password",
  // Whoever writes a password into an address does not want to see it again.
  secret: true,
  read(text) {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return undefined;
    return (url.origin + url.pathname).replace(/(?:\/mcp)?\/*$/, "");
  },
};

const note: Kind<string | undefined> = {
  placeholder: "TEXT",
  allowed: "some words",
  read: (text) => (text.trim() === "" ? undefined : text),
};

/** Ids as the server makes and takes them. */
const ID = /^[\w-]{1,128}$/;

/** A moment in the past, as the server takes it. */
const moment: Kind<string | undefined> = {
  placeholder: "WHEN",
  allowed: "so long ago, such as 12h or 7d, or a date such as 2026-01-31 or 2026-01-31T12:00:00Z",
  read(text) {
    const seconds = duration.read(text);
    if (seconds !== undefined) return new Date(Date.now() - 1000 * seconds).toISOString();
    const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/.test(text);
    return isDate && !Number.isNaN(Date.parse(text)) ? text : undefined;
  },
};

const OPTIONS = {
  url: setting("url", serverUrl, LOCAL_SERVER, "the server"),
  tokenFile: setting("admin-token-file", filePath, NONE, "file that holds the admin token"),
  json: setting("json", toggle, "false", "the answer as JSON, for scripts"),
  limit: setting("limit", integer(1, 1_000_000), String(ADMIN_PAGE_ITEMS_DEFAULT), "most items of a list"),
  all: setting("all", toggle, "false", "reports: resolved ones too"),
  for: setting("for", duration, NONE, "ban: until then; else until it is lifted"),
  note: setting("note", note, NONE, "ban, resolve: your words, for operators"),
  since: setting("since", moment, NONE, "export: what was said since then"),
  token: environmentSecret("admin-token", bearerToken, "the admin token"),
};

/** Variables that mean something here; the others are for servers and clients. */
const VARIABLES = [variableOf("admin-token"), variableOf("url")];

// --- commands -------------------------------------------------------------------------------------

type Request = Pick<AdminCommand, "method" | "path" | "body" | "view">;

interface Values {
  readonly all: boolean;
  readonly for: number | undefined;
  readonly note: string | undefined;
  readonly since: string | undefined;
}

interface Verb {
  /** What follows the name, for the help. */
  readonly operands: string;
  readonly summary: string;
  /** Options it has a use for, beside those of all. */
  readonly options?: readonly (keyof Values)[];
  /** The request, or undefined if the operands are not its. */
  read(operands: readonly string[], values: Values): Request | undefined;
}

function get(path: string, view: View): Request {
  return { method: "GET", path, body: undefined, view };
}

function post(path: string, body: AdminCommand["body"], view: View = "done"): Request {
  return { method: "POST", path, body, view };
}

/** A command without operands. */
function plain(request: (values: Values) => Request): Verb["read"] {
  return (operands, values) => (operands.length === 0 ? request(values) : undefined);
}

/** A command about one thing. */
function about(request: (id: string, values: Values) => Request): Verb["read"] {
  return ([id, ...rest], values) =>
    id !== undefined && ID.test(id) && rest.length === 0 ? request(id, values) : undefined;
}

function withNote(words: string | undefined): Record<string, string> {
  return words === undefined ? {} : { note: words };
}

const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  [
    "reports",
    {
      operands: "",
      summary: "what was reported and is not resolved",
      options: ["all"],
      read: plain(({ all }) => get(`/admin/reports?state=${all ? "all" : "open"}`, "reports")),
    },
  ],
  [
    "report",
    {
      operands: "ID",
      summary: "one report, with what was said",
      read: about((id) => get(`/admin/reports/${id}`, "report")),
    },
  ],
  [
    "resolve",
    {
      operands: "ID [NOTE]",
      summary: "puts a report aside",
      options: ["note"],
      read([id = "", ...words], values) {
        const written = words.length === 0 ? values.note : words.join(" ");
        if (!ID.test(id) || (words.length > 0 && values.note !== undefined)) return undefined;
        return post(`/admin/reports/${id}/resolve`, withNote(written));
      },
    },
  ],
  ["bans", { operands: "", summary: "bans in force", read: plain(() => get("/admin/bans", "bans")) }],
  [
    "ban",
    {
      operands: "user ID | address ADDRESS",
      summary: "keeps a user or an address out",
      options: ["for", "note"],
      read([kind, target, ...rest], values) {
        const isKnown = kind === "address" || (kind === "user" && ID.test(target ?? ""));
        if (!isKnown || target === undefined || rest.length > 0) return undefined;
        const expires = values.for === undefined ? {} : { expires_in_seconds: values.for };
        const who = kind === "user" ? { user_id: target } : { address: target };
        return post("/admin/bans", { ...who, ...expires, ...withNote(values.note) }, "ban");
      },
    },
  ],
  [
    "unban",
    {
      operands: "ID",
      summary: "lifts a ban",
      read: about((id) => ({ method: "DELETE", path: `/admin/bans/${id}`, body: undefined, view: "done" })),
    },
  ],
  [
    "rooms",
    { operands: "", summary: "open rooms, without what is said", read: plain(() => get("/admin/rooms", "rooms")) },
  ],
  ["close", { operands: "ROOM", summary: "closes a room", read: about((id) => post(`/admin/rooms/${id}/close`, {})) }],
  ["user", { operands: "ID", summary: "where a user is", read: about((id) => get(`/admin/users/${id}`, "user")) }],
  [
    "kick",
    {
      operands: "ID",
      summary: "takes a user out of queue and room",
      read: about((id) => post(`/admin/users/${id}/kick`, {})),
    },
  ],
  [
    "announce",
    {
      operands: "TEXT",
      summary: "tells everybody who is online",
      read: (words) =>
        words.length === 0 ? undefined : post("/admin/announcements", { text: words.join(" ") }, "told"),
    },
  ],
  ["audit", { operands: "", summary: "what operators did", read: plain(() => get("/admin/audit", "audit")) }],
  [
    "export",
    {
      operands: "[room ID | user ID]",
      summary: "what was said, as lines of JSON",
      options: ["since"],
      read([kind, id, ...rest], { since }) {
        if (kind !== undefined && (!/^(?:room|user)$/.test(kind) || !ID.test(id ?? "") || rest.length > 0))
          return undefined;
        const query = new URLSearchParams();
        if (kind !== undefined && id !== undefined) query.set(kind, id);
        if (since !== undefined) query.set("since", since);
        return get(`/admin/export${query.size === 0 ? "" : `?${query}`}`, "lines");
      },
    },
  ],
  ["summary", { operands: "", summary: "how things stand", read: plain(() => get("/admin/summary", "summary")) }],
]);

/** Options that only some commands have a use for. */
const SPECIAL = ["all", "for", "note", "since"] as const;

/**
 * Reads what follows `admin`; options may stand anywhere before `--`, after which an id may look like one.
 * Total: a mistake is one line, without the token.
 */
export function parseAdminCommand(argv: readonly string[], env: Environment): ParsedAdminCommand {
  const own = Object.fromEntries(VARIABLES.map((variable) => [variable, env[variable]]));
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const parsed = parseSettings(OPTIONS, argv.slice(0, end), own, { operandsMax: OPERANDS_MAX });
  if (!parsed.ok) return parsed;
  const { url, token, tokenFile, json, limit, ...special } = parsed.values;
  const [name, ...operands] = [...parsed.operands, ...argv.slice(end + 1)];
  const known = [...VERBS.keys()].join(", ");
  if (name === undefined) return { ok: false, message: `which command? known: ${known}; see --help` };
  const verb = VERBS.get(name);
  if (verb === undefined) {
    const meant = nearest(name, VERBS.keys());
    const hint = meant === undefined ? `known: ${known}; see --help` : `did you mean ${meant}?`;
    return { ok: false, message: `unknown command ${formatValue(name)}; ${hint}` };
  }
  const useless = SPECIAL.find((key) => special[key] !== OPTIONS[key].initial.value() && !verb.options?.includes(key));
  if (useless !== undefined) return { ok: false, message: `--${useless} means nothing to ${name}; see --help` };
  const request = verb.read(operands, special);
  if (request === undefined) return { ok: false, message: `usage: mcp-chat admin ${name} ${verb.operands}`.trimEnd() };
  if (token === undefined && tokenFile === undefined) {
    return { ok: false, message: `the admin token is missing: set ${variableOf("admin-token")} or --admin-token-file` };
  }
  return { ok: true, command: { url, token, tokenFile, json, limit, ...request } };
}

/** The commands and options, for `--help`: at most 80 columns. */
export function describeAdmin(): string {
  const verbs = [...VERBS].map(([name, { operands, summary }]) => `  ${`${name} ${operands}`.padEnd(34)} ${summary}`);
  return [
    ...verbs,
    "",
    ...describeOptions(OPTIONS),
    "",
    "The admin token is never taken from a command line, as others can read that.",
    "What follows -- is no option. Exit code: 0 done, 1 not done, 2 not understood.",
  ].join("\n");
}
