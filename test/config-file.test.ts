/**
 * The settings file: what it may say, what wins over it, and what an operator reads who got it wrong.
 *
 * This file owns the promises of `--config`, on files of its own in a folder that is removed again.
 */

import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type Config, type Edge, parseConfig } from "../src/config.ts";
import { CONFIG_FILE_BYTES_MAX } from "../src/limits.ts";
import type { Environment } from "../src/settings.ts";
import { CHECKOUT, run, startProgram, temporaryFolder } from "./support/program.ts";

const folder = temporaryFolder();
const FILE = join(folder, "chat.toml");

interface Written {
  readonly argv?: readonly string[];
  readonly env?: Environment;
  readonly edge?: Edge;
}

function parse(text: string | Uint8Array, { argv = [], env = {}, edge = "http" }: Written = {}) {
  writeFileSync(FILE, text, { mode: 0o600 });
  return parseConfig(["--config", FILE, ...argv], env, edge);
}

function accepted(text: string, written?: Written): Config {
  const parsed = parse(text, written);
  if (!parsed.ok) throw new Error(`refused: ${parsed.message}`);
  return parsed.config;
}

/** What is wrong, without the file's name, which every message begins with. */
function refused(text: string | Uint8Array, written?: Written): string {
  const parsed = parse(text, written);
  if (parsed.ok) throw new Error("accepted, but should not be");
  expect(parsed.message).toStartWith(`${FILE}: `);
  expect(parsed.unreadable).toBeUndefined();
  return parsed.message.slice(FILE.length + 2);
}

describe("what it may say", () => {
  test("every type a setting has", () => {
    const text = `
      # a comment
      port = 9000
      grace_seconds = 0.5
      access_token = "s3cret"       # of everybody
      metrics = true
      insecure_open = false
      matching = 'random'
      mailbox_bytes_max = "1GiB"
      transcript_bytes_max = 1_048_576
      allowed_hosts = ["a.example", "B.example"]
      trusted_proxies = [
        "127.0.0.1",
        "10.0.0.0/8",
      ]
      allowed_origins = "https://a.example, https://b.example"
    `;
    expect(accepted(text)).toMatchObject({
      port: 9000,
      graceMs: 500,
      accessToken: "s3cret",
      metrics: true,
      insecureOpen: false,
      matching: "random",
      mailboxBytesMax: 2 ** 30,
      transcriptBytesMax: 2 ** 20,
      allowedHosts: ["a.example", "b.example"],
      trustedProxies: ["127.0.0.1", "10.0.0.0/8"],
      allowedOrigins: ["https://a.example", "https://b.example"],
    });
    expect(accepted("allowed_hosts = []").allowedHosts).toEqual([]);
    expect(accepted("").port).toBe(8000);
    expect(accepted("\uFEFFport = 1\r\n").port).toBe(1);
  });

  test("an option wins over a variable, a variable over the file", () => {
    const text = "port = 1\ngrace_seconds = 1\nidle_seconds = 1";
    const env = { MCP_CHAT_PORT: "2", MCP_CHAT_GRACE_SECONDS: "2" };
    expect(accepted(text, { env, argv: ["--port", "3"] })).toMatchObject({ port: 3, graceMs: 2000, idleMs: 1000 });
  });

  test("a variable names it too, and an option another one", () => {
    writeFileSync(FILE, "port = 1");
    const env = { MCP_CHAT_CONFIG: FILE };
    expect(parseConfig([], env)).toMatchObject({ ok: true, config: { port: 1, configFile: FILE } });
    const other = join(folder, "other.toml");
    writeFileSync(other, "port = 2");
    expect(parseConfig(["--config", other], env)).toMatchObject({ ok: true, config: { port: 2 } });
  });

  test("a file for a server serves a pipe as well, whatever it says of HTTP", () => {
    const text = 'port = 1\nhost = "0.0.0.0"\nmetrics = true\ngrace_seconds = 1\nallowed_hosts = ["a"]';
    expect(accepted(text, { edge: "stdio" }).graceMs).toBe(1000);
    expect(refused("prt = 1", { edge: "stdio" })).toContain("unknown key");
  });
});

test("the README's file is one", async () => {
  const readme = await Bun.file(join(CHECKOUT, "README.md")).text();
  const block = /<!-- tested: toml -->\n```toml\n(.*?)```\n/s.exec(readme)?.[1] ?? "";
  const config = accepted(block);
  expect(config).toMatchObject({ host: "0.0.0.0", graceMs: 60_000, mailboxBytesMax: 2 ** 30, metrics: true });
  expect(config.allowedHosts).toEqual(["chat.example.org"]);
});

describe("what is wrong with a setting", () => {
  test.each([
    ["grace = 1", "unknown key grace; did you mean grace_seconds?"],
    ["grace-seconds = 1", "unknown key grace-seconds; did you mean grace_seconds?"],
    ["bogus = 1", "unknown key bogus; see serve --help"],
    ['config = "other.toml"', "unknown key config; see serve --help"],
    ["name = 'Ann'", "unknown key name"],
    ['"a\\nb" = 1', 'unknown key "a\\u000ab"'],
    ["__proto__ = 1", "unknown key __proto__"],
    ["constructor = 1", "unknown key constructor"],
    ["port = 70000", "port: 70000 is not allowed; allowed: a whole number from 0 to 65535"],
    ["port = -1", "port: -1 is not allowed"],
    ["port = 80.5", "port: 80.5 is not allowed"],
    ["grace_seconds = inf", "grace_seconds: Infinity is not allowed"],
    ["grace_seconds = nan", "grace_seconds: NaN is not allowed"],
    ['port = "8000"', "port must be a number, without quotes; allowed: a whole number from 0 to 65535"],
    ["port = true", "port must be a number"],
    ["port = [1]", "port must be a number"],
    ["metrics = 1", "metrics must be true or false, without quotes"],
    ['metrics = "true"', "metrics must be true or false"],
    ["host = 127", "host must be a string, in quotes"],
    ["matching = 'FIFO'", "matching: FIFO is not allowed; allowed: fifo, random"],
    ["mailbox_bytes_max = true", "mailbox_bytes_max must be a number of bytes or a string"],
    ["mailbox_bytes_max = '512MB'", "mailbox_bytes_max: 512MB is not allowed"],
    ["allowed_hosts = 1", "allowed_hosts must be an array of strings"],
    ["allowed_hosts = [1]", "allowed_hosts must be an array of strings"],
    ["allowed_hosts = [['a']]", "allowed_hosts must be an array of strings"],
    ["allowed_hosts = ['a,b']", "allowed_hosts must be an array of strings"],
    ["allowed_hosts = ['']", "allowed_hosts must be an array of strings"],
    ["allowed_hosts = ['http://a']", "allowed_hosts: http://a is not allowed"],
    ["words_file = 2026-07-28", "words_file must be a string"],
    ["grace_seconds = 07:32:00", "grace_seconds must be a number"],
  ])("%s", (text, message) => {
    expect(refused(text)).toStartWith(message);
  });

  test("is found even where an option wins over it", () => {
    expect(refused("port = 70000", { argv: ["--port", "1"] })).toStartWith("port: 70000");
  });

  test.each([
    "access_token = 'hunter2 hunter2'",
    "access_token = hunter2",
    "access_token = 'hunter2",
    "access_token = ['hunter2']",
    "access_token = 'x' 'hunter2'",
    'access_token = "hunter2\\q"',
    "access_token: hunter2",
    "hunter2",
    "[hunter2",
  ])("a secret is never repeated: %s", (text) => {
    expect(refused(text)).not.toContain("hunter2");
  });

  test("settings that do not go together do not in a file either", () => {
    expect(parse("host = '0.0.0.0'")).toMatchObject({ ok: false, message: expect.stringContaining("reachable") });
    expect(accepted("host = '0.0.0.0'\naccess_token = 'x'").host).toBe("0.0.0.0");
  });
});

describe("what is wrong with the file", () => {
  test.each([
    ["port = 1\nport = 2", "line 2: this is not TOML (Cannot redefine key"],
    ["port = 1\n\n# c\nhost = localhost\n", "line 4: this is not TOML (Strings must be quoted)"],
    ["allowed_hosts = [\n'a',\n]\nport = \n", "line 4: this is not TOML (Missing value after '='"],
    ["port = 1 # c\nallowed_hosts = [\n'a',\n", "line 2: this is not TOML (Unterminated array"],
    ["port = 08000", "line 1: this is not TOML (Leading zeros"],
    ["port 8000", "line 1: this is not TOML (Expected '=' after a key"],
    ["port = 99999999999999999999", "line 1: this is not TOML (Integer is outside"],
    ["[server]\nport = 1", 'server is a table; settings are plain "key = value" lines'],
    ["server.port = 1", "server is a table"],
    ["[[server]]\nport = 1", "server is a table"],
    ["allowed_hosts = { a = 1 }", "allowed_hosts is a table"],
    ["allowed_hosts = [{ a = 1 }]", "allowed_hosts is a table"],
  ])("%p", (text, message) => {
    expect(refused(text)).toStartWith(message);
  });

  test("is found soon, whatever there is", () => {
    const long = CONFIG_FILE_BYTES_MAX - 100;
    for (const text of [
      `${"\n".repeat(long)}port`,
      `allowed_hosts = ${"[".repeat(long)}`,
      `allowed_hosts = [${"\n".repeat(long)}`,
      `x = ${"{x=".repeat(long / 3)}`,
      `x${".x".repeat(long / 2)} = 1`,
      `${"#".repeat(long)}\nport = `,
      `port = "${"a".repeat(long)}"`,
    ]) {
      const startedAt = performance.now();
      expect(refused(text)).toMatch(/^[ -~]{1,300}$/);
      expect(performance.now() - startedAt).toBeLessThan(5000);
    }
  });

  test("its size and encoding", () => {
    expect(accepted(`port = 1 ${"#".repeat(CONFIG_FILE_BYTES_MAX - 9)}`).port).toBe(1);
    expect(refused(`port = 1 ${"#".repeat(CONFIG_FILE_BYTES_MAX - 8)}`)).toBe("is larger than 64 KiB");
    expect(refused(Buffer.from("host = '\xff'", "latin1"))).toBe("is not UTF-8");
    expect(parseConfig(["--config", "/dev/zero"], {})).toMatchObject({ message: "/dev/zero: is larger than 64 KiB" });
  });

  test("one that cannot be read is told from one that is wrong", () => {
    const none = join(folder, "none.toml");
    expect(parseConfig(["--config", none], {})).toEqual({
      ok: false,
      message: `cannot read the settings file ${none}: no such file or directory`,
      unreadable: true,
    });
    expect(parseConfig(["--config", folder], {})).toMatchObject({ unreadable: true });
    expect(parseConfig(["--config="], {})).toMatchObject({ message: expect.stringContaining("--config: ") });
    expect(parseConfig([], { MCP_CHAT_CONFIG: "" })).toMatchObject({ message: expect.stringContaining("allowed: ") });
  });

  test("whatever is in it, the answer is a config or one printable line", () => {
    const key = fc.constantFrom("port", "host", "allowed_hosts", "metrics", "mailbox_bytes_max", "access_token", "x");
    const value = fc.oneof(fc.constantFrom("1", "true", "'a'", "[", "]", "[1]", "{", "1.5", "[t]"), fc.string());
    const line = fc.oneof(
      fc.tuple(key, value).map(([name, text]) => `${name} = ${text}`),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const parsed = parse(lines.join("\n"));
        if (!parsed.ok) expect(parsed.message).toMatch(/^[ -~]{1,600}$/);
      }),
    );
  });
});

describe("the program", () => {
  const main = [process.execPath, join(CHECKOUT, "src/main.ts")];

  test("serves as the file says, and warns when everybody can read its secret", async () => {
    writeFileSync(FILE, 'host = "127.0.0.1"\nport = 0\naccess_token = "hunter2"\n');
    chmodSync(FILE, 0o644);
    const open = await startProgram({ kind: { command: [...main, "serve", "--config", FILE] } });
    expect((await fetch(open.url, { method: "POST" })).status).toBe(401);
    expect(open.stderr).toMatch(/ warn everybody on this machine can read a secret in the settings file file=\S+\n/);
    expect(open.stdout + open.stderr).not.toContain("hunter2");
    expect(await open.stop()).toBe(0);

    chmodSync(FILE, 0o640);
    const closed = await startProgram({ kind: { command: [...main, "serve", "--config", FILE] } });
    expect(closed.stderr).not.toContain("warn");
    expect(await closed.stop()).toBe(0);
  });

  test("exits with 2 for what is wrong in a file and with 1 for one it cannot read", async () => {
    writeFileSync(FILE, "port = 70000");
    for (const command of ["serve", "stdio"]) {
      const wrong = await run([...main, command, "--config", FILE]);
      expect(wrong).toMatchObject({ code: 2, stdout: "" });
      expect(wrong.stderr).toBe(
        `mcp-chat: ${FILE}: port: 70000 is not allowed; allowed: a whole number from 0 to 65535\n`,
      );
      const missing = await run([...main, command, "--config", join(folder, "none.toml")]);
      expect(missing).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringMatching(/^mcp-chat: cannot read .*\n$/),
      });
    }
  });
});
