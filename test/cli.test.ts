/**
 * The command line: which command is meant, and the texts a newcomer reads first.
 *
 * This file owns the promises of src/cli.ts. It must never start the program.
 */

import { describe, expect, test } from "bun:test";
import packageJson from "../package.json" with { type: "json" };
import { parseCommandLine, VERSION } from "../src/cli.ts";

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

  test("an unknown command is named, on one line", () => {
    expect(parseCommandLine(["sevre"], {})).toEqual({
      kind: "usage_error",
      message: "unknown command sevre; known: serve, stdio; see --help",
    });
    expect(parseCommandLine(["a\nb"], {})).toMatchObject({ message: expect.stringMatching(/^[ -~]+$/) });
    expect(parseCommandLine(["constructor"], {}).kind).toBe("usage_error");
    expect(parseCommandLine([""], {}).kind).toBe("usage_error");
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

  test("is there for the program and the command, even after a mistake", () => {
    expect(helpOf("--help")).toContain("usage: mcp-chat [serve] [options]");
    expect(helpOf("serve", "--help")).toBe(helpOf("--help"));
    expect(helpOf("--bogus", "--help")).toBe(helpOf("--help"));
  });

  test("of stdio says that one pipe is one user, and leaves HTTP out", () => {
    expect(helpOf("stdio", "--help").replaceAll("\n", " ")).toContain("whoever speaks over the pipe is one user");
    expect(helpOf("stdio", "--help")).not.toContain("--port");
  });

  test("fits a screen of 80 columns", () => {
    const lines = [helpOf("--help"), helpOf("stdio", "--help")].join("\n").split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(helpOf("--help").split("\n").length).toBeLessThanOrEqual(40);
  });

  test("shows every option with its default", () => {
    expect(helpOf("--help")).toMatch(/^ {2}--grace-seconds SECONDS +.*\[30\]$/m);
    expect(helpOf("--help")).toMatch(/^ {2}--mailbox-bytes-max SIZE +.*\[512MiB\]$/m);
    expect(helpOf("--help")).toMatch(/^ {2}--matching ORDER +.*fifo or random.*\[fifo\]$/m);
  });

  test("sends the token to the environment", () => {
    expect(helpOf("--help")).toContain("Give the token that way: others can read a command line.");
  });
});
