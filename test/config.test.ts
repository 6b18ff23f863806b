/**
 * Settings: what each source may say, which source wins, and what an operator reads about a mistake.
 *
 * This file owns the promises of src/config.ts. It must never start the program.
 */

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { type Config, describeSettings, parseConfig, streamsWithin } from "../src/config.ts";
import type { Environment } from "../src/settings.ts";

function accepted(argv: readonly string[], env: Environment = {}): Config {
  const parsed = parseConfig(argv, env);
  if (!parsed.ok) throw new Error(`refused: ${parsed.message}`);
  return parsed.config;
}

function refused(argv: readonly string[], env: Environment = {}): string {
  const parsed = parseConfig(argv, env);
  if (parsed.ok) throw new Error("accepted, but should not be");
  return parsed.message;
}

/** The options that the help offers, with whether they take a value. */
const OFFERED = [...describeSettings().matchAll(/^ {2}--(\S+) (\S*)/gm)].map(([, key = "", placeholder = ""]) => ({
  key,
  takesValue: placeholder !== "",
  variable: `MCP_CHAT_${key.toUpperCase().replaceAll("-", "_")}`,
}));

describe("defaults", () => {
  test("are those of the documentation", () => {
    const { streamsMax, ...rest } = accepted([]);
    expect(streamsMax).toBeGreaterThan(0);
    expect(rest).toEqual({
      host: "127.0.0.1",
      port: 8000,
      accessToken: undefined,
      insecureOpen: false,
      allowedHosts: [],
      allowedOrigins: [],
      trustedProxies: [],
      graceMs: 30_000,
      idleMs: 900_000,
      availableMs: 90_000,
      widenMs: 10_000,
      matching: "fifo",
      messageCharsMax: 4000,
      rateMessagesPerSecond: 5,
      rateMessagesBurst: 20,
      rateEntriesPerSecond: 1,
      rateEntriesBurst: 60,
      rateJoinsPerMinute: 10,
      rateJoinsBurst: 10,
      rateReportsPerHour: 10,
      rateReportsBurst: 5,
      usersPerAddress: 20,
      rateSessionsPerMinute: 60,
      rateSessionsBurst: 120,
      streamsPerAddress: 0,
      loopMessagesMax: 200,
      retainUserMs: 86_400_000,
      usersMax: 100_000,
      queueMax: 100_000,
      mailboxBytesMax: 512 * 1024 * 1024,
      transcriptBytesMax: 256 * 1024 * 1024,
      wordsFile: undefined,
      wordsAction: "refuse",
      adminToken: undefined,
      auditFile: undefined,
      greeter: false,
      configFile: undefined,
      metrics: false,
      eventsErrorCodes: "auto",
      data: undefined,
      redis: undefined,
      durability: "normal",
      history: undefined,
      retainDays: 30,
      logLevel: "info",
    });
  });

  test("and what they hold are frozen", () => {
    const config = accepted(["--allowed-hosts", "a.example,b.example"]);
    expect([config, config.allowedHosts, config.allowedOrigins].every(Object.isFrozen)).toBe(true);
  });

  test.each([
    ["Max open files            1024                 4096                 files", 3686],
    ["Max open files            20000                unlimited            files", 9000],
    ["", 9000],
    ["Max open files            1                    1                    files", 1],
  ])("streams leave a tenth of the hard descriptor limit: %p", (limits, streams) => {
    expect(streamsWithin(`Limit  Soft Limit  Hard Limit  Units\n${limits}\n`)).toBe(streams);
  });
});

describe("sources", () => {
  test("a flag is written with a space or an equals sign", () => {
    expect(accepted(["--grace-seconds", "45"]).graceMs).toBe(45_000);
    expect(accepted(["--grace-seconds=45"]).graceMs).toBe(45_000);
  });

  test("a variable means what the flag means, and the flag wins", () => {
    const env = { MCP_CHAT_GRACE_SECONDS: "45", MCP_CHAT_PORT: "9000", HOME: "/nowhere" };
    expect(accepted([], env)).toMatchObject({ graceMs: 45_000, port: 9000 });
    expect(accepted(["--grace-seconds", "5"], env)).toMatchObject({ graceMs: 5000, port: 9000 });
  });

  test("every option of the help has its variable, and the two refuse alike", () => {
    expect(OFFERED.length).toBeGreaterThan(20);
    for (const { key, variable } of OFFERED) {
      // For lists an empty text is a value.
      if (["allowed-hosts", "allowed-origins", "trusted-proxies"].includes(key)) continue;
      expect(refused([`--${key}=`])).toStartWith(`--${key}: `);
      expect(refused([], { [variable]: "" })).toStartWith(`${variable}: `);
    }
  });

  test("a switch needs no value and takes one", () => {
    expect(accepted(["--insecure-open", "--port", "1"]).insecureOpen).toBe(true);
    expect(accepted(["--insecure-open=false"]).insecureOpen).toBe(false);
    expect(accepted([], { MCP_CHAT_INSECURE_OPEN: "1" }).insecureOpen).toBe(true);
  });

  test("an undefined variable is an absent one", () => {
    expect(accepted([], { MCP_CHAT_PORT: undefined }).port).toBe(8000);
  });
});

describe("values", () => {
  test.each([
    ["--grace-seconds=0.5", { graceMs: 500 }],
    ["--widen-seconds=0", { widenMs: 0 }],
    ["--port=0", { port: 0 }],
    ["--host=[::1]", { host: "::1" }],
    ["--host=::1", { host: "::1" }],
    ["--host=127.8.9.1", { host: "127.8.9.1" }],
    ["--host=localhost", { host: "localhost" }],
    ["--matching=random", { matching: "random" }],
    ["--rate-messages-per-second=0", { rateMessagesPerSecond: 0 }],
    ["--rate-messages-per-second=0.2", { rateMessagesPerSecond: 0.2 }],
    ["--mailbox-bytes-max=1GiB", { mailboxBytesMax: 2 ** 30 }],
    ["--mailbox-bytes-max=512 MiB", { mailboxBytesMax: 2 ** 29 }],
    ["--mailbox-bytes-max=262144", { mailboxBytesMax: 2 ** 18 }],
    ["--access-token=abc-._~+/=", { accessToken: "abc-._~+/=" }],
    [
      "--allowed-hosts=Chat.Example.org, 10.0.0.5:8000,[::1]:9",
      { allowedHosts: ["chat.example.org", "10.0.0.5:8000", "[::1]:9"] },
    ],
    ["--allowed-hosts=a,a", { allowedHosts: ["a"] }],
    ["--allowed-hosts=", { allowedHosts: [] }],
    [
      "--allowed-origins=HTTPS://Chat.example:443/,http://a:81",
      { allowedOrigins: ["https://chat.example", "http://a:81"] },
    ],
    ["--log-level=debug", { logLevel: "debug" }],
    [
      "--trusted-proxies=127.0.0.1, 10.0.0.0/8,fd00::/8,::1",
      { trustedProxies: ["127.0.0.1", "10.0.0.0/8", "fd00::/8", "::1"] },
    ],
    ["--rate-entries-per-second=0", { rateEntriesPerSecond: 0 }],
    ["--rate-joins-per-minute=0.5", { rateJoinsPerMinute: 0.5 }],
    ["--rate-reports-per-hour=1.5", { rateReportsPerHour: 1.5 }],
    ["--rate-sessions-per-minute=0", { rateSessionsPerMinute: 0 }],
    ["--users-per-address=0", { usersPerAddress: 0 }],
    ["--streams-per-address=64", { streamsPerAddress: 64 }],
    ["--transcript-bytes-max=1GiB", { transcriptBytesMax: 2 ** 30 }],
    ["--words-file=words.txt", { wordsFile: "words.txt" }],
    ["--words-action=refuse", { wordsAction: "refuse" }],
    ["--metrics", { metrics: true }],
    ["--admin-token=abc", { adminToken: "abc" }],
  ])("%s is accepted", (arg, expected) => {
    expect(accepted([arg])).toMatchObject(expected);
  });

  test.each([
    "--port=-1",
    "--port=65536",
    "--port=80.5",
    "--port=0x50",
    "--port= 80",
    "--grace-seconds=-1",
    "--grace-seconds=1e3",
    "--grace-seconds=.5",
    "--grace-seconds=Infinity",
    "--grace-seconds=NaN",
    "--grace-seconds=30s",
    "--users-max=1",
    "--message-chars-max=0",
    "--matching=FIFO",
    "--matching=constructor",
    "--insecure-open=yes",
    "--insecure-open=constructor",
    "--mailbox-bytes-max=1KiB",
    "--mailbox-bytes-max=512MB",
    "--mailbox-bytes-max=1constructor",
    "--host=http://127.0.0.1",
    "--host=127.0.0.1:80",
    "--host=a b",
    "--allowed-hosts=a,,b",
    "--allowed-hosts=http://a",
    "--allowed-hosts=a:99999",
    "--allowed-hosts=*",
    "--allowed-origins=chat.example.org",
    "--allowed-origins=https://a/path",
    "--allowed-origins=https://me@a",
    "--allowed-origins=null",
    "--allowed-origins=*",
    "--trusted-proxies=proxy.example.org",
    "--trusted-proxies=10.0.0.0/33",
    "--trusted-proxies=10.0.0.1:80",
    "--trusted-proxies=*",
    "--users-per-address=-1",
    "--rate-reports-burst=0",
    "--transcript-bytes-max=1KiB",
    "--words-action=delete",
    "--words-file=a\0b",
    "--admin-token=a b",
  ])("%s is refused with what is allowed", (arg) => {
    const message = refused([arg]);
    expect(message).toStartWith(`${arg.split("=")[0]}: `);
    expect(message).toContain("allowed: ");
  });
});

describe("the history", () => {
  test.each([
    ["off", { kind: "off" }],
    ["sqlite:history.db", { kind: "sqlite", path: "history.db" }],
    ["sqlite:/var/lib/chat/h.db", { kind: "sqlite", path: "/var/lib/chat/h.db" }],
    ["sqlite:///var/lib/h.db", { kind: "sqlite", path: "/var/lib/h.db" }],
    ["postgres://chat:s3cret@db:5432/chat", { kind: "postgres", url: "postgres://chat:s3cret@db:5432/chat" }],
    ["postgresql://db/chat?sslmode=verify-full", { kind: "postgres", url: "postgresql://db/chat?sslmode=verify-full" }],
  ] as const)("may be %s", (text, place) => {
    expect(accepted(["--history", text]).history).toEqual(place);
    expect(accepted([], { MCP_CHAT_HISTORY: text }).history).toEqual(place);
  });

  test.each([
    "on",
    "history.db",
    "sqlite:",
    "sqlite://host/x",
    "mysql://chat:s3cret@db/chat",
    "postgres://s3cret@db",
    "postgres://",
  ])("may not be %s, and no secret is repeated", (text) => {
    const said = refused(["--history", text]);
    expect(said).toContain("--history: this value is not allowed; allowed: sqlite:PATH");
    expect(said).not.toContain("s3cret");
  });

  test("is nobody else's file, and only of a server", () => {
    expect(refused(["--history", "sqlite:a", "--words-file", "a"])).toContain("named by two settings");
    expect(parseConfig(["--history", "off"], {}, "stdio")).toMatchObject({ ok: false });
    expect(parseConfig([], { MCP_CHAT_HISTORY: "off" }, "stdio")).toMatchObject({ ok: true });
    expect(refused(["--retain-days", "0"])).toContain("1 to 3650");
  });
});

describe("mistakes", () => {
  test("a value out of range is named with its setting and the range", () => {
    expect(refused(["--port", "70000"])).toBe("--port: 70000 is not allowed; allowed: a whole number from 0 to 65535");
    expect(refused([], { MCP_CHAT_PORT: "x" })).toBe(
      "MCP_CHAT_PORT: x is not allowed; allowed: a whole number from 0 to 65535",
    );
  });

  test("unknown options, variables and arguments are named", () => {
    expect(refused(["--bogus", "3"])).toBe("unknown option --bogus; see --help");
    expect(refused([], { MCP_CHAT_BOGUS: "3" })).toBe("unknown environment variable MCP_CHAT_BOGUS; see --help");
    expect(refused(["--port", "1", "2"])).toBe("unexpected argument 2; see --help");
    expect(refused(["--"])).toContain("unknown option");
    expect(refused(["-p", "1"])).toContain("unexpected argument");
  });

  test("a name is guessed that has a slip in it or is unfinished", () => {
    expect(refused(["--gracesecond", "3"])).toBe("unknown option --gracesecond; did you mean --grace-seconds?");
    expect(refused(["--grace", "3"])).toBe("unknown option --grace; did you mean --grace-seconds?");
    expect(refused(["--PORT", "3"])).toBe("unknown option --PORT; did you mean --port?");
    expect(refused(["--rate", "3"])).toBe("unknown option --rate; see --help");
    expect(refused([], { MCP_CHAT_GRACE_SECOND: "3" })).toBe(
      "unknown environment variable MCP_CHAT_GRACE_SECOND; did you mean MCP_CHAT_GRACE_SECONDS?",
    );
    const guessed = parseConfig(["--streams-mx", "3"], {}, "stdio");
    expect(guessed).toMatchObject({ message: "unknown option --streams-mx; see --help" });
  });

  test("a variable must be right even where an option wins over it", () => {
    expect(refused(["--port", "1"], { MCP_CHAT_PORT: "x" })).toStartWith("MCP_CHAT_PORT: x is not allowed");
  });

  test("a setting given twice is refused, as neither value can be meant", () => {
    expect(refused(["--port", "1", "--port=2"])).toBe("--port is given twice");
  });

  test("a missing value is not taken from the next option", () => {
    expect(refused(["--access-token", "--insecure-open"])).toStartWith("--access-token needs a value");
    expect(refused(["--port"])).toStartWith("--port needs a value");
  });

  test("an address that other machines reach needs a token or the word that it does not", () => {
    for (const host of ["0.0.0.0", "::", "10.0.0.5", "chat.example.org", "::ffff:127.0.0.1", "127.evil.example"]) {
      expect(refused(["--host", host])).toContain("MCP_CHAT_ACCESS_TOKEN");
      expect(accepted(["--host", host, "--insecure-open"]).host).toBe(host);
      expect(accepted(["--host", host], { MCP_CHAT_ACCESS_TOKEN: "s3cret" }).accessToken).toBe("s3cret");
    }
  });

  test("nobody is forgotten before they are gone", () => {
    expect(refused(["--retain-user-seconds", "899"])).toStartWith("retain-user-seconds must not be less than idle-");
    expect(refused(["--retain-user-seconds=60", "--idle-seconds=60", "--grace-seconds=61"])).toContain("grace-seconds");
    const short = ["--retain-user-seconds", "60", "--idle-seconds", "60"];
    expect(accepted(short).retainUserMs).toBe(60_000);
    expect(parseConfig(["--retain-user-seconds", "60"], {}, "stdio").ok).toBe(false);
  });

  test("masking needs something to mask", () => {
    expect(refused(["--words-action", "mask"])).toContain("words-file");
    expect(accepted(["--words-action", "mask", "--words-file", "w"]).wordsAction).toBe("mask");
  });

  test("a file has one use", () => {
    const message = refused(["--words-file", "a b", "--audit-file", "a b", "--admin-token", "x"]);
    expect(message).toBe('"a b" is named by two settings: each needs a file of its own');
  });

  test("no more streams are promised than descriptors can be open", () => {
    const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    if (hard === undefined || Number(hard) > 10_000_000) return;
    expect(refused(["--streams-max", hard])).toStartWith(`streams-max must be less than ${hard}, `);
    expect(accepted(["--streams-max", String(Number(hard) - 1)]).streamsMax).toBe(Number(hard) - 1);
  });

  test("everything is kept in one place", () => {
    const redis = "redis://127.0.0.1:6379";
    expect(refused(["--data", "d", "--redis", redis])).toContain("either a folder");
    expect(refused(["--history", "sqlite:h.db", "--redis", redis])).toContain("use PostgreSQL");
    expect(refused(["--durability", "full", "--redis", redis])).toContain("durability full needs data");
    expect(parseConfig(["--redis", redis], {}, "stdio")).toMatchObject({ ok: false });
    // Variables are for servers that are started beside it.
    expect(parseConfig([], { MCP_CHAT_REDIS: redis }, "stdio")).toMatchObject({ ok: true });
  });

  test.each(["redis://h", "redis://h:6379/3", "rediss://u:p@h", "valkey://[::1]:7", "valkeys://h/", "redis+unix:///s"])(
    "%s is an address of a Redis",
    (address) => expect(accepted([], { MCP_CHAT_REDIS: address }).redis).toBe(address),
  );

  test.each([
    "localhost:6379",
    "http://hunter2@h",
    "redis://",
    "redis://h/x",
    "redis://:hunter2@h/0/1",
    "redis://h#hunter2",
  ])("%s is none", (address) => {
    const message = refused(["--redis", address]);
    expect(message).toStartWith("--redis: this value is not allowed");
    expect(message).not.toContain("hunter2");
  });

  test("an audit file without an operator is a mistake", () => {
    expect(refused(["--audit-file", "audit.jsonl"])).toContain("MCP_CHAT_ADMIN_TOKEN");
    expect(accepted(["--audit-file", "audit.jsonl", "--admin-token", "x"]).auditFile).toBe("audit.jsonl");
  });

  test("the operator's secret is not everybody's", () => {
    const message = refused(["--access-token", "hunter2"], { MCP_CHAT_ADMIN_TOKEN: "hunter2" });
    expect(message).toContain("MCP_CHAT_ADMIN_TOKEN");
    expect(message).not.toContain("hunter2");
  });

  test.each([
    [["--access-token", "hunter2 hunter2"], {}],
    [["--admin-token", "hunter2 hunter2"], {}],
    [["--access-token", "mcpc_hunter2"], {}],
    [["--acess-token=hunter2"], {}],
    [["--acess-token", "hunter2"], {}],
    [[], { MCP_CHAT_ACCESS_TOKEN: "hunter2\n" }],
    [[], { MCP_CHAT_TOKEN: "hunter2" }],
    [["--access-token=hunter2", "--access-token=hunter2"], {}],
  ])("a secret is never repeated: %p %p", (argv: string[], env: Environment) => {
    expect(refused(argv, env)).not.toContain("hunter2");
  });

  test("whatever is written, the answer is a frozen config or one printable line, never an exception", () => {
    const names = [...OFFERED.map(({ key }) => `--${key}`), "--", "-", "--help"];
    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(...names, "1", "0.5", "1e9", "fifo", "512MiB"),
    );
    const argument = fc.oneof(
      word,
      fc.tuple(word, word).map(([name, value]) => `${name}=${value}`),
    );
    const variable = fc.oneof(fc.constantFrom(...OFFERED.map((one) => one.variable)), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 5 }), fc.dictionary(variable, word, { maxKeys: 3 }), (argv, env) => {
        const parsed = parseConfig(argv, env);
        if (parsed.ok) expect(Object.isFrozen(parsed.config)).toBe(true);
        else expect(parsed.message).toMatch(/^[ -~]{1,500}$/);
      }),
    );
  });
});
