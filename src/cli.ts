/**
 * The command line: which subcommand is meant, and its help.
 *
 * This file owns the table of subcommands. It must never print, exit or start anything: it says
 * what was asked and main.ts does it.
 */

import packageJson from "../package.json" with { type: "json" };
import { type Config, describeSettings, type Environment, parseConfig } from "./config.ts";
import { formatValue } from "./log.ts";

/** The version of the program, from package.json. */
export const VERSION: string = packageJson.version;

/** What a command line asks for. Texts come without a final line break. */
export type CommandLine =
  | { readonly kind: "serve"; readonly config: Config }
  | { readonly kind: "stdio"; readonly config: Config }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version"; readonly text: string }
  | { readonly kind: "usage_error"; readonly message: string };

/** One subcommand. */
interface Command {
  /** What it does, on one line. */
  readonly summary: string;
  /** The help after the usage line. */
  describe(): string;
  /** Reads what follows the subcommand's name. */
  parse(argv: readonly string[], env: Environment): CommandLine;
}

const STDIO_NOTES = [
  "The lobby is this process's own and ends with it, and whoever speaks over the",
  "pipe is one user, who waits: two who want to meet need one server over HTTP.",
  "stdout carries the protocol alone, logs go to stderr.",
].join("\n");

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    "serve",
    {
      summary: "serve MCP over HTTP until SIGINT or SIGTERM",
      describe: () => describeSettings(),
      parse(argv, env) {
        const parsed = parseConfig(argv, env);
        return parsed.ok ? { kind: "serve", config: parsed.config } : { kind: "usage_error", message: parsed.message };
      },
    },
  ],
  [
    "stdio",
    {
      summary: "serve MCP over stdin and stdout until stdin ends",
      describe: () => [STDIO_NOTES, "", describeSettings("stdio")].join("\n"),
      parse(argv, env) {
        const parsed = parseConfig(argv, env, "stdio");
        return parsed.ok ? { kind: "stdio", config: parsed.config } : { kind: "usage_error", message: parsed.message };
      },
    },
  ],
]);

/** Meant when the first argument is an option or there is none. */
const DEFAULT_COMMAND = "serve";

/** Says what the arguments after the program's name ask for. Total: a mistake is a `usage_error` of one line. */
export function parseCommandLine(argv: readonly string[], env: Environment): CommandLine {
  const [first] = argv;
  const named = first !== undefined && !first.startsWith("-");
  const name = named ? first : DEFAULT_COMMAND;
  const rest = named ? argv.slice(1) : argv;

  const command = COMMANDS.get(name);
  if (command === undefined) {
    const known = [...COMMANDS.keys()].join(", ");
    return { kind: "usage_error", message: `unknown command ${formatValue(name)}; known: ${known}; see --help` };
  }
  // No option takes a value that begins with two dashes, so these two can only be meant as themselves.
  if (rest.includes("--help")) return { kind: "help", text: describeCommand(name, command) };
  if (rest.includes("--version")) return { kind: "version", text: `mcp-chat ${VERSION}` };
  return command.parse(rest, env);
}

/** The help of a subcommand; the default one's is the program's too, so it lists all of them. */
function describeCommand(name: string, command: Command): string {
  const isDefault = name === DEFAULT_COMMAND;
  const shown = isDefault ? [...COMMANDS] : [[name, command] as const];
  return [
    `mcp-chat ${VERSION}: pairs strangers who chat over the Model Context Protocol`,
    "",
    `usage: mcp-chat ${isDefault ? `[${name}]` : name} [options]`,
    ...shown.map(([key, { summary }]) => `  ${key.padEnd(8)} ${summary}`),
    "",
    command.describe(),
  ].join("\n");
}
