/**
 * The command line: which subcommand is meant, and its help.
 *
 * This file owns the table of subcommands. It must never print, exit or start anything: it says
 * what was asked and main.ts does it.
 */

import packageJson from "../package.json" with { type: "json" };
import { type AdminCommand, describeAdmin, parseAdminCommand } from "./admin-client/command.ts";
import { type ClientConfig, describeClientSettings, parseClientConfig } from "./client-settings.ts";
import {
  type Config,
  describeFirstSettings,
  describeSettings,
  nameSharedSettings,
  type ParsedConfig,
  parseConfig,
  SERVER_KEYS,
} from "./config.ts";
import { formatValue } from "./log.ts";
import { nearest } from "./nearest.ts";
import { type Environment, variableOf } from "./settings.ts";

/** The version of the program, from package.json. */
export const VERSION: string = packageJson.version;

/** What makes this program compact a journal. Hardly anybody ever types it, so the program's help does not show it. */
export const COMPACT_COMMAND = "compact-journal";

/** In place of a folder: the journal is in Redis, whose address stands where no other process can read it. */
export const COMPACT_SHARED = "--redis";

const COMPACT_HELP = `mcp-chat ${VERSION}

usage: mcp-chat ${COMPACT_COMMAND} FOLDER

Makes a snapshot of the journal that a stopped server has left in its --data folder,
as the server itself does from time to time. The next start is a short one then, and
may be that of a newer version.`;

/** What a command line asks for. Texts come without a final line break. */
export type CommandLine =
  | {
      readonly kind: "serve" | "stdio";
      readonly config: Config;
      /** The settings file, if it holds a secret and everybody on the machine can read it. */
      readonly exposedFile?: string;
    }
  | { readonly kind: "bridge"; readonly config: ClientConfig }
  | { readonly kind: "chat" | "tail"; readonly config: ClientConfig }
  | { readonly kind: "admin"; readonly command: AdminCommand }
  /** A folder, and an entry if a server goes on from there; or `COMPACT_SHARED` and what a running node says. */
  | { readonly kind: "compact"; readonly operands: readonly string[] }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version"; readonly text: string }
  | { readonly kind: "usage_error"; readonly message: string }
  /** What was written may be right, but a file could not be read. */
  | { readonly kind: "unreadable"; readonly message: string };

/** One subcommand. */
interface Command {
  /** What it does, on one line. */
  readonly summary: string;
  /** What follows its name; default: `[options]`. */
  readonly operands?: string;
  /** The help after the usage line. */
  describe(): string;
  /** Reads what follows the subcommand's name. */
  parse(argv: readonly string[], env: Environment): CommandLine;
}

const STDIO_NOTES = "With --url the pipe leads to that server, for clients that speak no HTTP:";

const STDIO_ALONE_NOTES = [
  "Without --url the lobby is this process's own and ends with it; whoever speaks",
  "over the pipe is one user, who waits: two who want to meet need one server.",
  "stdout carries the protocol alone, logs go to stderr. It takes these settings,",
  "which mcp-chat serve --help explains:",
].join("\n");

const HELP_COLUMNS = 78;

/** Words side by side, in as many lines as they need. */
function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= HELP_COLUMNS) lines.splice(-1, 1, `${last} ${word}`);
    else lines.push(`  ${word}`);
  }
  return lines.join("\n");
}

/** What a command line asks for that starts a lobby here. */
function lobbyCommand(kind: "serve" | "stdio", parsed: ParsedConfig): CommandLine {
  if (!parsed.ok) return { kind: parsed.unreadable ? "unreadable" : "usage_error", message: parsed.message };
  const { config, exposedFile } = parsed;
  return { kind, config, ...(exposedFile === undefined ? {} : { exposedFile }) };
}

/** Whether a pipe is to lead to a server elsewhere. */
function isBridge(argv: readonly string[], env: Environment): boolean {
  return env[variableOf("url")] !== undefined || argv.some((arg) => arg === "--url" || arg.startsWith("--url="));
}

const CHAT_NOTES = [
  "Opens a screen, or goes line by line where there is none. /help there shows what",
  "to type. Exit codes: 0 when you leave, 1 without a server, 130 after two Ctrl-C.",
].join("\n");

const TAIL_NOTES = [
  "stdout gets one line per event, the lines of stdin are sent as messages, and all",
  "else goes to stderr. Without --enter or --code it follows the user whose session",
  "token is given. It ends with the chat (exit code 0); the end of stdin does not",
  "end it, unless --leave is given.",
].join("\n");

/** A subcommand that talks to a server. */
function clientCommand(face: "chat" | "tail", summary: string, notes: string): Command {
  return {
    summary,
    operands: "[URL] [options]",
    describe: () => [notes, "", describeClientSettings(face)].join("\n"),
    parse(argv, env) {
      const parsed = parseClientConfig(face, argv, env, SERVER_KEYS);
      return parsed.ok ? { kind: face, config: parsed.config } : { kind: "usage_error", message: parsed.message };
    },
  };
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    "serve",
    {
      summary: "serve MCP over HTTP until SIGINT or SIGTERM",
      describe: describeSettings,
      parse: (argv, env) => lobbyCommand("serve", parseConfig(argv, env)),
    },
  ],
  [
    "stdio",
    {
      summary: "serve MCP over stdin and stdout until stdin ends",
      describe: () =>
        [STDIO_NOTES, describeClientSettings("bridge"), "", STDIO_ALONE_NOTES, wrapped(nameSharedSettings())].join(
          "\n",
        ),
      parse(argv, env) {
        if (isBridge(argv, env)) {
          const parsed = parseClientConfig("bridge", argv, env, SERVER_KEYS);
          return parsed.ok
            ? { kind: "bridge", config: parsed.config }
            : { kind: "usage_error", message: parsed.message };
        }
        return lobbyCommand("stdio", parseConfig(argv, env, "stdio"));
      },
    },
  ],
  ["chat", clientCommand("chat", "chat with a stranger, in a terminal", CHAT_NOTES)],
  ["tail", clientCommand("tail", "for scripts: events as lines, lines as messages", TAIL_NOTES)],
  [
    "admin",
    {
      summary: "for operators: reports, bans, rooms of a running server",
      operands: "COMMAND [options]",
      describe: describeAdmin,
      parse(argv, env) {
        const parsed = parseAdminCommand(argv, env);
        return parsed.ok
          ? { kind: "admin", command: parsed.command }
          : { kind: "usage_error", message: parsed.message };
      },
    },
  ],
]);

/** Meant when the first argument is an option or there is none. */
const DEFAULT_COMMAND = "serve";

/** Says what the arguments after the program's name ask for. Total: a mistake is a `usage_error` of one line. */
export function parseCommandLine(argv: readonly string[], env: Environment): CommandLine {
  if (argv[0] === COMPACT_COMMAND) return parseCompact(argv.slice(1));
  const [first] = argv;
  const named = first !== undefined && !first.startsWith("-");
  const name = named ? first : DEFAULT_COMMAND;
  const rest = named ? argv.slice(1) : argv;

  const command = COMMANDS.get(name);
  if (command === undefined) {
    const meant = nearest(name, COMMANDS.keys());
    const hint =
      meant === undefined ? `known: ${[...COMMANDS.keys()].join(", ")}; see --help` : `did you mean ${meant}?`;
    return { kind: "usage_error", message: `unknown command ${formatValue(name)}; ${hint}` };
  }
  // No option takes a value that begins with two dashes, so these two can only be meant as themselves.
  const options = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (options.includes("--help")) {
    return { kind: "help", text: named ? describeCommand(name, command) : describeProgram(command) };
  }
  if (options.includes("--version")) return { kind: "version", text: `mcp-chat ${VERSION}` };
  return command.parse(rest, env);
}

const TITLE = `mcp-chat ${VERSION}: pairs strangers who chat over the Model Context Protocol`;

function parseCompact(operands: readonly string[]): CommandLine {
  const [folder] = operands;
  if (folder === "--help" || folder === "-h") return { kind: "help", text: COMPACT_HELP };
  if (folder === undefined || (folder.startsWith("-") && folder !== COMPACT_SHARED)) {
    return { kind: "usage_error", message: `${COMPACT_COMMAND} needs a folder; see --help` };
  }
  return { kind: "compact", operands };
}

/** What a newcomer needs: the commands and the first settings, on one screen. */
function describeProgram({ operands = "[options]" }: Command): string {
  return [
    TITLE,
    "",
    `usage: mcp-chat [${DEFAULT_COMMAND}] ${operands}`,
    ...[...COMMANDS].map(summaryLine),
    "",
    describeFirstSettings(),
  ].join("\n");
}

function describeCommand(name: string, command: Command): string {
  return [
    TITLE,
    "",
    `usage: mcp-chat ${name} ${command.operands ?? "[options]"}`,
    summaryLine([name, command]),
    "",
    command.describe(),
  ].join("\n");
}

function summaryLine([name, { summary }]: readonly [string, Command]): string {
  return `  ${name.padEnd(8)} ${summary}`;
}
