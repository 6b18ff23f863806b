/**
 * Every setting of the faces that talk to a server, `chat`, `tail` and the bridge: name, kind, default, help.
 *
 * This file owns that table and how a server's address may be written. It must never take a secret from
 * a command line, and never connect to anything.
 */

import { INTEREST_CHARS_MAX, INTERESTS_MAX, NAME_CHARS_MAX, ROOM_CODE_CHARS_MAX } from "./limits.ts";
import { formatValue } from "./log.ts";
import { bearerToken, choice, filePath, type Kind, list, toggle } from "./setting-kinds.ts";
import {
  describeOptions,
  type Environment,
  environmentSecret,
  parseSettings,
  setting,
  type ValuesOf,
  variableOf,
} from "./settings.ts";

/** Where a server is when nobody says. */
const LOCAL_SERVER = "http://127.0.0.1:8000/mcp";

/** The path of the endpoint, for whoever names the server alone. */
const ENDPOINT_PATH = "/mcp";

// --- kinds ------------------------------------------------------------------------------------

const CONTROL = /\p{Cc}/u;

/** One line of words. What the server makes of them is its own. */
function words(placeholder: string, charsMax: number): Kind<string | undefined> {
  return {
    placeholder,
    allowed: `1 to ${charsMax} characters on one line`,
    read: (text) => (text.trim() !== "" && [...text].length <= charsMax && !CONTROL.test(text) ? text : undefined),
  };
}

const sessionToken: Kind<string | undefined> = {
  allowed: "a token that this server gave you, beginning with mcpc_",
  secret: true,
  read: (text) => (/^mcpc_[\w-]{20,128}$/.test(text) ? text : undefined),
};

const interests: Kind<readonly string[]> = {
  ...list(`up to ${INTERESTS_MAX} words of up to ${INTEREST_CHARS_MAX} characters, by commas`, (text) =>
    text !== "" && [...text].length <= INTEREST_CHARS_MAX && !CONTROL.test(text) ? text : undefined,
  ),
};

const endpointUrl: Kind<string | undefined> = {
  placeholder: "URL",
  allowed: "http://HOST:PORT or https://HOST, without a password",
  // Whoever writes a password into an address does not want to see it again.
  secret: true,
  read: (text) => readEndpoint(text),
};

const NONE = { shown: "", value: () => undefined };

// --- the table --------------------------------------------------------------------------------

const SETTINGS = {
  name: setting("name", words("NAME", NAME_CHARS_MAX), NONE, "your name as your partner sees it"),
  interests: setting("interests", interests, "", "what you like to talk about, by commas"),
  partnerKind: setting("partner-kind", choice("KIND", ["any", "human", "agent"]), "any", "any, human or agent"),
  code: setting("code", words("CODE", ROOM_CODE_CHARS_MAX), NONE, "meet who gives the same code"),
  kind: setting("kind", choice("KIND", ["agent", "human"]), "agent", "what you are: agent or human"),
  plain: setting("plain", toggle, "false", "one line per happening, no screen"),
  enter: setting("enter", toggle, "false", "join the queue instead of following"),
  again: setting("again", toggle, "false", "go on after a chat; with --enter, meet more"),
  leave: setting("leave", toggle, "false", "leave when stdin has ended and is sent"),
  json: setting("json", toggle, "false", "one JSON object per line"),
  url: setting("url", endpointUrl, NONE, "the server to reach"),
  channel: setting("channel", toggle, "false", "ring when something came (Claude Code)"),
  tokenFile: setting("token-file", filePath, NONE, "keeps the session token, mode 0600"),
  accessToken: environmentSecret("access-token", bearerToken, "the secret that the server asks for"),
  sessionToken: environmentSecret("session-token", sessionToken, "the session token to follow"),
};

/** The keys of every setting of the clients; their variables may stand where a server runs. */
export const CLIENT_KEYS: readonly string[] = Object.values(SETTINGS).map(({ key }) => key);

/** Which face is asked for. */
export type ClientFace = "chat" | "tail" | "bridge";

const KEYS_OF: Readonly<Record<ClientFace, readonly string[]>> = {
  chat: "name interests partner-kind code plain access-token".split(" "),
  tail: "enter code name interests kind partner-kind again leave json token-file access-token session-token".split(" "),
  bridge: "url channel access-token session-token".split(" "),
};

/** What a person or a script asked a client for. */
export type ClientConfig = ValuesOf<typeof SETTINGS> & {
  /** URL of the endpoint. */
  readonly endpoint: string;
};

/** Either every setting, or one line that names the first thing wrong. */
export type ParsedClientConfig =
  | { readonly ok: true; readonly config: ClientConfig }
  | { readonly ok: false; readonly message: string };

/**
 * Reads the settings of a client from `[URL]`, flags and environment. Total.
 * @param serverKeys keys of the server's settings, whose variables may stand in the same environment
 */
export function parseClientConfig(
  face: ClientFace,
  argv: readonly string[],
  env: Environment,
  serverKeys: readonly string[],
): ParsedClientConfig {
  const offer = { offers: offersOf(face), otherKeys: serverKeys, operandsMax: face === "bridge" ? 0 : 1 };
  const parsed = parseSettings(SETTINGS, argv, env, offer);
  if (!parsed.ok) return parsed;
  const [written] = parsed.operands;
  const endpoint = written === undefined ? (parsed.values.url ?? LOCAL_SERVER) : readEndpoint(written);
  if (endpoint === undefined) {
    // Whoever writes a password into an address does not want to see it again.
    const shown = written?.includes("@") ? "this address" : formatValue(written ?? "");
    return {
      ok: false,
      message: `${shown} is no server; allowed: http://HOST:PORT or https://HOST, without a password`,
    };
  }
  const config: ClientConfig = Object.freeze({ ...parsed.values, endpoint });
  const conflict = findConflict(config, face);
  return conflict === undefined ? { ok: true, config } : { ok: false, message: conflict };
}

function findConflict(config: ClientConfig, face: ClientFace): string | undefined {
  if (face !== "tail") return undefined;
  const enters = config.enter || config.code !== undefined;
  if (config.again && config.code !== undefined) return "--again and --code do not go together: a code is for one chat";
  if (config.again && config.leave) return "--again and --leave do not go together";
  if (enters || config.sessionToken !== undefined || config.tokenFile !== undefined) return undefined;
  return `whom to follow? Join with --enter, or name a user with ${variableOf("session-token")} or --token-file`;
}

/** The URL of the endpoint that somebody means; undefined if it can be none. */
export function readEndpoint(written: string): string | undefined {
  const url = URL.parse(/^\w+:\/\//.test(written) ? written : `http://${written}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return undefined;
  if (url.pathname === "/") url.pathname = ENDPOINT_PATH;
  url.hash = "";
  return url.href;
}

function offersOf(face: ClientFace): (key: string) => boolean {
  return (key) => KEYS_OF[face].includes(key);
}

/** The options of a face and how else they can be given, for `--help`: at most 80 columns. */
export function describeClientSettings(face: ClientFace): string {
  return [
    ...describeOptions(SETTINGS, offersOf(face)),
    "",
    `URL is the server's, with or without ${ENDPOINT_PATH} [${LOCAL_SERVER}].`,
    `Options are environment variables too, ${variableOf("name")}=Ann for example; an option`,
    "wins. Secrets are taken from there alone: others can read a command line.",
  ].join("\n");
}
