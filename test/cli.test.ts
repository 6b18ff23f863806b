/**
 * The command line: which command is meant, and the texts a newcomer reads first.
 *
 * This file owns the promises of src/cli.ts. It must never start the program.
 */

import { describe, expect, test } from "bun:test";
import packageJson from "../package.json" with { type: "json" };
import { parseCommandLine, VERSION } from "../src/cli.ts";
import { SERVER_KEYS } from "../src/config.ts";

describe("commands", () => {
  test.each([[[]], [["serve"]]])("%p serves with the defaults", (argv: string[]) => {
    expect(parseCommandLine(argv, {})).toMatchObject({ kind: "serve", config: { port: 8000 } });
  });

  test.each([[["--port", "1"]], [["serve", "--port", "1"]]])("%p serves with its options", (argv: string[]) => {
    expect(parseCommandLine(argv, {})).toMatchObject({ kind: "serve", config: { port: 1 } });
  });

  test("stdio takes the settings of the lobby and none of HTTP, whose conflicts are none of its own", () => {
    const env = { MCP_CHAT_HOST: "0.0.0.0", MCP_CHAT_EVENTS_ERROR_CODES: "sketch" };
    expect(parseCommandLine(["stdio", "--grace-seconds", "5"], env)).toMatchObject({
      kind: "stdio",
      config: { graceMs: 5000, eventsErrorCodes: "sketch" },
    });
    for (const flag of ["--port", "--host", "--access-token", "--insecure-open", "--streams-max"]) {
      expect(parseCommandLine(["stdio", flag, "1"], {})).toEqual({
        kind: "usage_error",
        message: `unknown option ${flag}; see --help`,
      });
    }
    expect(parseCommandLine([], env).kind).toBe("usage_error");
  });

  test("compact-journal takes a folder, and no option for one", () => {
    expect(parseCommandLine(["compact-journal", "data"], {})).toEqual({ kind: "compact", operands: ["data"] });
    expect(parseCommandLine(["compact-journal", "--help"], {}).kind).toBe("help");
    for (const argv of [["compact-journal"], ["compact-journal", "--force"]]) {
      expect(parseCommandLine(argv, {})).toEqual({
        kind: "usage_error",
        message: "compact-journal needs a folder; see --help",
      });
    }
  });

  test("an unknown command is named, on one line", () => {
    expect(parseCommandLine(["bogus"], {})).toEqual({
      kind: "usage_error",
      message: "unknown command bogus; known: serve, stdio, chat, tail, admin; see --help",
    });
    expect(parseCommandLine(["sevre"], {})).toMatchObject({ message: "unknown command sevre; did you mean serve?" });
    expect(parseCommandLine(["admin", "repotrs"], {})).toMatchObject({
      message: "unknown command repotrs; did you mean reports?",
    });
    expect(parseCommandLine(["a\nb"], {})).toMatchObject({ message: expect.stringMatching(/^[ -~]+$/) });
    expect(parseCommandLine(["constructor"], {}).kind).toBe("usage_error");
    expect(parseCommandLine([""], {}).kind).toBe("usage_error");
  });

  test("a settings file is the server's: for other commands it may be named, and is not looked at", () => {
    const env = { MCP_CHAT_CONFIG: "/nowhere/chat.toml", MCP_CHAT_METRICS: "true", MCP_CHAT_ADMIN_TOKEN: "x" };
    expect(parseCommandLine(["chat"], env).kind).toBe("chat");
    expect(parseCommandLine(["stdio", "--url", "http://127.0.0.1:1"], env).kind).toBe("bridge");
    expect(parseCommandLine(["admin", "reports"], env).kind).toBe("admin");
    for (const command of ["serve", "stdio"]) expect(parseCommandLine([command], env).kind).toBe("unreadable");
    expect(parseCommandLine(["chat", "--config", "x"], {}).kind).toBe("usage_error");
  });

  test("a mistake in the options or the environment is a usage error", () => {
    expect(parseCommandLine(["--bogus"], {}).kind).toBe("usage_error");
    expect(parseCommandLine(["serve", "extra"], {}).kind).toBe("usage_error");
    expect(parseCommandLine([], { MCP_CHAT_PORT: "x" }).kind).toBe("usage_error");
  });
});

describe("version", () => {
  test.each([[["--version"]], [["serve", "--version"]], [["--port", "1", "--version"]]])("%p", (argv: string[]) => {
    expect(parseCommandLine(argv, {})).toEqual({ kind: "version", text: `mcp-chat ${packageJson.version}` });
  });

  test("is that of the package", () => {
    expect(VERSION).toBe(packageJson.version);
  });
});

describe("help", () => {
  function helpOf(...argv: string[]): string {
    const asked = parseCommandLine(argv, {});
    if (asked.kind !== "help") throw new Error(`${argv.join(" ")} is ${asked.kind}`);
    return asked.text;
  }

  const COMMANDS = ["serve", "stdio", "chat", "tail", "admin"];

  /** Names of the options that are explained, a line each. */
  function optionsOf(text: string): string[] {
    return [...text.matchAll(/^ {2}--(\S+)/gm)].map(([, name = ""]) => name);
  }

  test("is there for the program and each command, even after a mistake", () => {
    expect(helpOf("--help")).toContain("usage: mcp-chat [serve] [options]");
    expect(helpOf("--bogus", "--help")).toBe(helpOf("--help"));
    expect(helpOf("--port", "1", "--help")).toBe(helpOf("--help"));
    for (const name of COMMANDS) {
      expect(helpOf(name, "--help")).toContain(`usage: mcp-chat ${name} `);
      expect(helpOf(name, "--bogus", "--help")).toBe(helpOf(name, "--help"));
      expect(helpOf("--help")).toMatch(new RegExp(`^ {2}${name} +[a-z].*[^.]$`, "m"));
    }
  });

  test("of the program is one screen: the commands, a dozen settings, and where the others are", () => {
    const text = helpOf("--help");
    expect(text.split("\n").length).toBeLessThanOrEqual(24);
    expect(optionsOf(text)).toHaveLength(12);
    expect(text).toContain("mcp-chat serve --help");
    expect(optionsOf(helpOf("serve", "--help"))).toEqual(expect.arrayContaining(optionsOf(text)));
  });

  test("has at most 80 columns, and for all but the full list a screen of lines", () => {
    const texts = COMMANDS.map((name) => helpOf(name, "--help"));
    const lines = [helpOf("--help"), ...texts].join("\n").split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const heights = texts.slice(1).map((text) => text.split("\n").length);
    expect(heights.filter((height) => height > 32)).toEqual([]);
  });

  test("of serve shows every setting once, under its topic and with its default", () => {
    const text = helpOf("serve", "--help");
    const options = optionsOf(text);
    expect(options.toSorted()).toEqual(SERVER_KEYS.toSorted());
    expect([...text.matchAll(/^[A-Z][a-z ]+:$/gm)].length).toBeGreaterThan(5);
    expect(text).toMatch(/^ {2}--grace-seconds SECONDS +.*\[30\]$/m);
    expect(text).toMatch(/^ {2}--mailbox-bytes-max SIZE +.*\[512MiB\]$/m);
    expect(text).toMatch(/^ {2}--matching ORDER +.*fifo or random.*\[fifo\]$/m);
  });

  test("of stdio leads with the bridge, names what it shares with serve, and leaves HTTP out", () => {
    const text = helpOf("stdio", "--help");
    expect(optionsOf(text)[0]).toBe("url");
    expect(text.replaceAll("\n", " ")).toContain("whoever speaks over the pipe is one user");
    const named = [...text.matchAll(/--([a-z-]+)/g)].map(([, name]) => name);
    expect(named).toEqual(expect.arrayContaining(["grace-seconds", "words-file", "config", "log-level"]));
    for (const key of ["port", "host", "streams-max", "metrics", "admin-token"]) expect(named).not.toContain(key);
    for (const key of named.filter((name) => SERVER_KEYS.includes(name ?? ""))) {
      const wrong = parseCommandLine(["stdio", `--${key}=\0`], {});
      expect(wrong).toMatchObject({ message: expect.stringContaining(`--${key}: `) });
    }
  });

  test("sends secrets to the environment", () => {
    for (const text of [helpOf("--help"), helpOf("serve", "--help")]) {
      expect(text.replaceAll("\n", " ")).toMatch(/ecrets .*others can read a command line\./);
    }
  });
});
