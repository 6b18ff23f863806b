/**
 * The order of the house, read from the text of its files: who may import whom, what the pure core
 * must not touch, how long a file may grow, what may lie at the top.
 *
 * This file owns rules about text. Every rule carries breaches of itself that it must notice, so
 * that no rule goes blind. It must never judge what the code does: the other tests do that.
 */

import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { CHECKOUT, run } from "./support/program.ts";

/** Texts by path from the checkout. */
type Files = Readonly<Record<string, string>>;

interface Rule {
  readonly title: string;
  /** What is wrong, one line each. */
  find(files: Files): string[];
  /** Small worlds that break the rule, each on its own. */
  readonly breaches: readonly Files[];
}

// --- the files --------------------------------------------------------------------------------

const FOLDERS = ["src", "test", ".ci"];
const TOP_LEVEL_FILES = [
  ".gitignore",
  ".npmrc",
  "LICENSE",
  "README.md",
  "biome.json",
  "bunfig.toml",
  "package-lock.json",
  "package.json",
  "tsconfig.json",
];

/** This file quotes breaches, so the rules about words do not read it. */
const SELF = "test/tidy.test.ts";

/** Bytes of data directories of earlier versions: nobody reads or runs them as text. */
const BYTES = /^test\/journal\/fixtures\/[^/]+\/[^/]+\.(?:db|db-wal|key)$/;

async function readFiles(): Promise<Files> {
  const files: Record<string, string> = {};
  for (const pattern of [...TOP_LEVEL_FILES, ...FOLDERS.map((folder) => `${folder}/**/*`)]) {
    for (const path of new Bun.Glob(pattern).scanSync({ cwd: CHECKOUT, dot: true })) {
      if (!BYTES.test(path)) files[path] = await Bun.file(join(CHECKOUT, path)).text();
    }
  }
  return files;
}

/** What git tracks at the top; where git knows nothing of this folder, what lies there and .gitignore does not name. */
async function topLevelEntries(files: Files): Promise<string[]> {
  const tracked = Bun.which("git") === null ? "" : (await run(["git", "ls-files"])).stdout.trim();
  if (tracked !== "") return [...new Set(tracked.split("\n").map((path) => path.split("/")[0] ?? path))];
  const ignored = (files[".gitignore"] ?? "").split("\n").map((line) => line.replace(/\/$/, ""));
  return readdirSync(CHECKOUT).filter((name) => name !== ".git" && !ignored.includes(name));
}

// --- reading code -----------------------------------------------------------------------------

const isSource = (path: string): boolean => /^src\/.*\.ts$/.test(path);
const isTest = (path: string): boolean => /^test\/.*\.ts$/.test(path);
const isCode = (path: string): boolean => isSource(path) || isTest(path);

/** The text with comments and quoted strings blanked; line numbers stay. Template literals stay, as they hold code. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (match) =>
    match.replace(/[^\n]/g, " "),
  );
}

/** Every line that matches, as `path:line: text`. */
function matches(
  files: Files,
  where: (path: string) => boolean,
  pattern: RegExp,
  read = (text: string) => text,
): string[] {
  return Object.entries(files).flatMap(([path, text]) => {
    if (path === SELF || !where(path)) return [];
    return read(text)
      .split("\n")
      .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim().slice(0, 100)}`] : []));
  });
}

interface Import {
  readonly from: string;
  /** A path from the checkout, or the name of a package. */
  readonly to: string;
  readonly typesOnly: boolean;
}

/** `import ... from "x"`, `export ... from "x"`, `import "x"` at the start of a line, and `import("x")` anywhere. */
const IMPORT =
  /^(?:import|export)\s+(type\s)?(?:[\w*{][^"';]*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["'`]([^"'`]+)["'`]/gm;

function importsOf(files: Files): Import[] {
  return Object.entries(files).flatMap(([from, text]) => {
    if (!isCode(from)) return [];
    return [...text.matchAll(IMPORT)].map(([, type, named, dynamic]) => {
      const spec = named ?? dynamic ?? "";
      const to = spec.startsWith(".") ? normalize(join(dirname(from), spec)) : spec;
      return { from, to, typesOnly: type !== undefined };
    });
  });
}

// --- walls ------------------------------------------------------------------------------------

/** What a part of src may import besides itself. A part is a folder of src, or a file at its top. */
interface Wall {
  readonly parts?: readonly string[];
  /** Parts of which it may know the types only. */
  readonly typesOf?: readonly string[];
  /** Packages it may use; default: any. */
  readonly packages?: RegExp;
}

const NO_PACKAGES = /^$/;
/** For parts that open no socket and no file. */
const PURE_PACKAGES = /^(?:node:util|zod(?:\/.*)?)$/;

const WALLS: Readonly<Record<string, Wall>> = {
  limits: { packages: NO_PACKAGES },
  "history-limits": { packages: NO_PACKAGES },
  banner: { packages: NO_PACKAGES },
  "client-limits": { parts: ["limits"], packages: NO_PACKAGES },
  "journal-limits": { packages: NO_PACKAGES },
  crypto: { packages: /^node:crypto$/ },
  log: { packages: NO_PACKAGES },
  "ip-address": { packages: NO_PACKAGES },
  "setting-kinds": { parts: ["ip-address"], packages: NO_PACKAGES },
  nearest: { packages: NO_PACKAGES },
  settings: { parts: ["log", "nearest", "setting-kinds"], packages: NO_PACKAGES },
  "bounded-file": { packages: /^node:fs$/ },
  "config-file": { parts: ["bounded-file", "limits", "log"], typesOf: ["settings"], packages: NO_PACKAGES },
  config: {
    parts: ["limits", "log", "setting-kinds", "settings", "client-settings", "config-file"],
    packages: /^node:fs$/,
  },
  "client-settings": { parts: ["limits", "log", "setting-kinds", "settings", "client-limits"], packages: NO_PACKAGES },
  "chat-settings": { typesOf: ["config", "domain", "http"], packages: NO_PACKAGES },
  keeping: { parts: ["chat", "cli", "journal", "journal-limits", "limits", "log"], packages: NO_PACKAGES },
  cli: {
    parts: ["admin-client", "config", "client-settings", "settings", "log", "nearest", "package.json"],
    packages: NO_PACKAGES,
  },
  "warm-up": { parts: ["crypto", "limits", "mcp"], typesOf: ["chat"], packages: NO_PACKAGES },
  domain: { parts: ["limits"], packages: NO_PACKAGES },
  mcp: { parts: ["crypto", "limits"], packages: PURE_PACKAGES },
  chat: {
    parts: ["crypto", "domain", "mcp", "limits", "history-limits"],
    typesOf: ["journal", "history"],
    packages: PURE_PACKAGES,
  },
  http: { parts: ["crypto", "mcp", "limits", "ip-address"] },
  stdio: { parts: ["mcp", "limits"] },
  bridge: { parts: ["mcp", "stdio", "limits", "client-limits"], packages: NO_PACKAGES },
  "admin-client": { parts: ["limits", "log", "nearest", "setting-kinds", "settings"], packages: /^node:fs$/ },
  "words-file": { parts: ["bounded-file", "chat", "limits"], packages: NO_PACKAGES },
  admin: {
    parts: ["crypto", "chat", "domain", "http", "mcp", "limits", "ip-address"],
    typesOf: ["history"],
    packages: /^(?:node:fs|zod)$/,
  },
  client: { parts: ["limits", "client-limits"] },
  terminal: { parts: ["client", "limits", "client-limits"], typesOf: ["client-settings"] },
  web: { parts: ["crypto"] },
  metrics: { parts: ["domain", "http", "limits"], typesOf: ["chat", "history", "mcp"], packages: NO_PACKAGES },
  journal: { parts: ["limits", "journal-limits"], typesOf: ["domain"] },
  remembering: { parts: ["history", "history-limits"], typesOf: ["chat", "config", "log"], packages: /^node:path$/ },
  history: { parts: ["crypto", "history-limits"], typesOf: ["domain"], packages: /^(?:bun|bun:sqlite|node:fs)$/ },
  webhook: { parts: ["limits"], typesOf: ["domain"] },
};

/** `src/domain/room.ts` is of the part `domain`, `src/log.ts` of `log`; anything outside src is its own. */
function partOf(path: string): string {
  return /^src\/([^/]+?)(?:\.ts)?(?:\/.*)?$/.exec(path)?.[1] ?? path;
}

function crossesWall({ from, to, typesOnly }: Import): boolean {
  const [part, target] = [partOf(from), partOf(to)];
  if (part === "main" || part === target) return false;
  const wall = WALLS[part];
  if (wall === undefined) return true;
  const isFile = /^(?:\.|src\/|test\/|package\.json$)/.test(to);
  if (!isFile) return wall.packages !== undefined && !wall.packages.test(to);
  return !wall.parts?.includes(target) && !(typesOnly && wall.typesOf?.includes(target));
}

/** Cycles as `a -> b -> a`, each found once per closing import. */
function cyclesIn(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);

  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (done.has(path) || trail.includes(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}

// --- lengths ----------------------------------------------------------------------------------

const SOURCE_LINES_MAX = 400;
const TEST_LINES_MAX = 600;

/** Files that were longer when the bound came, at their length; a pin may only be lowered. None so far. */
const PINNED_LINES: Readonly<Record<string, number>> = {};

function lengthRule(pinned: Readonly<Record<string, number>>): Rule {
  return {
    title: `a source file has at most ${SOURCE_LINES_MAX} lines, a test file ${TEST_LINES_MAX}`,
    find(files) {
      const tooLong = Object.entries(files).flatMap(([path, text]) => {
        const lines = text.split("\n").length - 1;
        const max = pinned[path] ?? (isSource(path) ? SOURCE_LINES_MAX : TEST_LINES_MAX);
        return isCode(path) && lines > max ? [`${path} has ${lines} lines of ${max}`] : [];
      });
      const stale = Object.entries(pinned).flatMap(([path, pin]) => {
        const lines = (files[path] ?? "").split("\n").length - 1;
        return lines < pin ? [`${path} has ${lines} lines now: lower its pin of ${pin}, or drop it`] : [];
      });
      return [...tooLong, ...stale];
    },
    breaches: [{ "src/a.ts": "x\n".repeat(401) }, { "test/a.test.ts": "x\n".repeat(601) }],
  };
}

// --- packages ---------------------------------------------------------------------------------

function looseVersions(files: Files): string[] {
  const { dependencies = {}, devDependencies = {}, ...rest } = JSON.parse(files["package.json"] ?? "{}");
  const loose = Object.entries<string>({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} ${version} is no exact version`);
  const others = Object.keys(rest).filter((key) => /^(?:optional|peer|bundled?)Dependencies$/.test(key));
  return [...loose, ...others.map((key) => `${key} is not read by this rule: extend it`)];
}

interface Locked {
  readonly engines?: { readonly node?: string };
  readonly libc?: unknown;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function lockedPackages(files: Files): [path: string, Locked][] {
  return Object.entries(JSON.parse(files["package-lock.json"] ?? "{}").packages ?? {});
}

function lockDifferences(files: Files): string[] {
  const wanted = JSON.parse(files["package.json"] ?? "{}");
  const root = JSON.parse(files["package-lock.json"] ?? "{}").packages?.[""] ?? {};
  const keys = ["name", "version", "bin", "license", "engines", "dependencies", "devDependencies"];
  const differing = keys.filter((key) => !Bun.deepEquals(wanted[key], root[key]));
  return differing.map((key) => `package-lock.json differs from package.json in ${key}`);
}

/** What makes an installer write the lockfile anew, or `npm ci` refuse it, on another system or with another npm. */
function lockGaps(files: Files): string[] {
  const packages = lockedPackages(files);
  const names = new Set(packages.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + 13)));
  return packages.flatMap(([path, { libc, optionalDependencies = {} }]) => [
    ...Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `${path} may need ${name}, which is not locked: take a version that exists for every system`),
    // npm 11 writes it, npm 10, which comes with Node 20, deletes it; absent, both leave the file alone.
    ...(libc === undefined ? [] : [`${path} says libc: delete that field`]),
  ]);
}

/** Node 20 is what a newcomer may have; a package that wants more makes `npm install` warn. See `overrides`. */
function tooNewForNode(files: Files): string[] {
  return lockedPackages(files).flatMap(([path, { engines }]) => {
    const range = engines?.node ?? "*";
    return Bun.semver.satisfies("20.20.0", range) ? [] : [`${path} wants Node ${range}`];
  });
}

// --- the rules --------------------------------------------------------------------------------

const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
/** The same without the joiners and tags that some scripts and emoji consist of: tests write those as people do. */
const MISLEADING =
  /[\p{Cc}\p{Co}\p{Zl}\p{Zp}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]|(?! )\p{Zs}/u;
const IMPURE =
  /\bDate\b|\bMath\.random\b|\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch|require)\(|\b(?:process|Bun|console|performance|globalThis|import)\.|\b(?:async|await|Promise|crypto)\b/;

const RULES: readonly Rule[] = [
  {
    title: "imports point inward",
    find: (files) =>
      importsOf(files)
        .filter((one) => isSource(one.from) && crossesWall(one))
        .map(({ from, to }) => `${from} must not import ${to}`),
    breaches: [
      { "src/domain/a.ts": 'import { b } from "../mcp/b.ts";\n' },
      { "src/domain/a.ts": 'import type { b } from "../chat/b.ts";\n' },
      { "src/domain/a.ts": 'import "node:fs";\n' },
      { "src/domain/a.ts": 'import { z } from "zod";\n' },
      { "src/domain/a.ts": 'import {\n  b,\n  c,\n} from "../config.ts";\n' },
      { "src/mcp/a.ts": 'import { b } from "../domain/b.ts";\n' },
      { "src/mcp/a.ts": 'import { connect } from "node:net";\n' },
      { "src/mcp/a.ts": 'export * from "../chat/b.ts";\n' },
      { "src/mcp/a.ts": 'export { b } from "../chat/b.ts";\n' },
      { "src/mcp/a.ts": 'const b = await import("../chat/b.ts");\n' },
      { "src/chat/a.ts": 'import { b } from "../http/b.ts";\n' },
      { "src/http/a.ts": 'import { b } from "../chat/b.ts";\n' },
      { "src/journal/a.ts": 'import { b } from "../domain/b.ts";\n' },
      { "src/limits.ts": 'import { b } from "./log.ts";\n' },
      { "src/config.ts": 'import packageJson from "../package.json" with { type: "json" };\n' },
      { "src/newcomer/a.ts": 'import { b } from "../limits.ts";\n' },
      { "src/http/a.ts": 'import { b } from "../../test/support/b.ts";\n' },
    ],
  },
  {
    title: "nobody imports main.ts, and src never imports a test",
    find: (files) =>
      importsOf(files)
        .filter(({ from, to }) => to === "src/main.ts" || (isSource(from) && to.startsWith("test/")))
        .map(({ from, to }) => `${from} must not import ${to}`),
    breaches: [
      { "test/a.test.ts": 'import "../src/main.ts";\n' },
      { "src/main.ts": 'import { a } from "../test/support/a.ts";\n' },
    ],
  },
  {
    title: "no imports in a circle",
    find: (files) => cyclesIn(importsOf(files)),
    breaches: [
      {
        "src/a.ts": 'import "./b.ts";\n',
        "src/b.ts": 'import "./c.ts";\n',
        "src/c.ts": 'import type { X } from "./a.ts";\n',
      },
    ],
  },
  {
    title: "the domain is pure: no clock, chance, timer, promise, network or process",
    find: (files) => matches(files, (path) => path.startsWith("src/domain/") && isSource(path), IMPURE, codeOf),
    breaches: [
      "const now = Date.now();",
      "const at = new Date();",
      "const dice = Math.random();",
      "setTimeout(tick, 5);",
      "setInterval(tick, 5);",
      "queueMicrotask(tick);",
      "fetch(url);",
      "process.exit(1);",
      "Bun.write(path, text);",
      "console.log(1);",
      "async function f() {}",
      "await f();",
      "return new Promise(f);",
      "crypto.randomUUID();",
      "performance.now();",
      "const t = `$" + "{Date.now()}`;",
    ].map((line) => ({ "src/domain/a.ts": `/** Comment. */\n${line}\n` })),
  },
  lengthRule(PINNED_LINES),
  {
    title: "no test is singled out, skipped or left for later",
    // A test that lacks a system program may skip, but only through the one place that CI can make strict.
    find: (files) => [
      ...matches(files, isTest, /\.(?:only|skip|todo|failing)\b|\bx(?:test|it|describe)\(/, codeOf),
      ...matches(
        files,
        (path) => isTest(path) && !path.startsWith("test/support/"),
        /\.(?:skipIf|todoIf|if)\(/,
        codeOf,
      ),
    ],
    breaches: ["test.only(", "describe.skip(", "test.todo(", "it.failing(", "xtest(", "test.skipIf(", "test.if("].map(
      (call) => ({ "test/a.test.ts": `${call}"a", f);\n` }),
    ),
  },
  {
    title: "no marker of unfinished work",
    find: (files) => matches(files, () => true, /\b(?:TODO|FIXME|XXX|HACK)\b/),
    breaches: ["TODO", "FIXME", "XXX", "HACK"].map((word) => ({ "src/a.ts": `// ${word}: later\n` })),
  },
  {
    title: "output goes through the log or a named function, never through console",
    find: (files) => matches(files, isSource, /\bconsole\b/, codeOf),
    breaches: [{ "src/http/a.ts": 'console.log("x");\n' }],
  },
  {
    title: "a source file opens by saying what it owns, in two lines or more",
    find: (files) =>
      Object.entries(files).flatMap(([path, text]) => {
        const header = /^(?:#!.*\n)?(?:\/\*\*\n(?: \*(?: .*)?\n)+ \*\/\n|(?:\/\/ .*\n)+)/.exec(text)?.[0] ?? "";
        const said = header.split("\n").filter((line) => /^(?: \*|\/\/) \S/.test(line));
        return isSource(path) && said.length < 2 ? [`${path} has no header`] : [];
      }),
    breaches: [
      { "src/a.ts": "export const a = 1;\n" },
      { "src/a.ts": "/** One line. */\nexport const a = 1;\n" },
      { "src/a.ts": "/**\n * One line.\n */\nexport const a = 1;\n" },
      { "src/a.ts": "// One line.\nexport const a = 1;\n" },
      { "src/a.ts": 'import "./b.ts";\n/**\n * Too\n * late.\n */\n' },
    ],
  },
  {
    title: "no invisible character: what is read is what runs",
    find: (files) => [...matches(files, (path) => !isTest(path), INVISIBLE), ...matches(files, isTest, MISLEADING)],
    breaches: [
      ...["\u202e", "\u200b", "\ufeff", "\u00a0", "\t", "\r", "\0", "\u2028", "\u200d", "\u{e0041}"].map(
        (character) => ({
          "src/a.ts": `const a = "${character}";\n`,
        }),
      ),
      ...["\u202e", "\u2066", "\u200b", "\ufeff", "\u00a0", "\t", "\r", "\0", "\u2028"].map((character) => ({
        "test/a.test.ts": `const a = "${character}";\n`,
      })),
    ],
  },
  {
    title: "packages have exact versions",
    find: looseVersions,
    breaches: [
      { "package.json": '{"dependencies":{"zod":"^4.0.0"}}' },
      { "package.json": '{"devDependencies":{"zod":"latest"}}' },
      { "package.json": '{"devDependencies":{"zod":"4"}}' },
      { "package.json": '{"optionalDependencies":{"zod":"4.0.0"}}' },
    ],
  },
  {
    title: "package-lock.json is that of package.json",
    find: lockDifferences,
    breaches: [
      {
        "package.json": '{"dependencies":{"zod":"4.0.1"}}',
        "package-lock.json": '{"packages":{"":{"dependencies":{"zod":"4.0.0"}}}}',
      },
      { "package.json": '{"version":"2.0.0"}', "package-lock.json": '{"packages":{"":{"version":"1.0.0"}}}' },
    ],
  },
  {
    title: "package-lock.json is complete and reads the same to every npm",
    find: lockGaps,
    breaches: [
      { "package-lock.json": '{"packages":{"node_modules/a":{"optionalDependencies":{"a-macos":"1.0.0"}}}}' },
      { "package-lock.json": '{"packages":{"node_modules/a":{"libc":["glibc"]}}}' },
    ],
  },
  {
    title: "every package installs on Node 20 without a warning",
    find: tooNewForNode,
    breaches: [{ "package-lock.json": '{"packages":{"node_modules/a":{"engines":{"node":">=22"}}}}' }],
  },
  {
    title: "no file names a registry or a place on somebody's machine",
    find: (files) => [
      ...matches(files, () => true, /\bregistry\.[\w-]+\.\w+|\bnpmmirror\b|"resolved":/i),
      ...matches(files, () => true, /(?<![\w.-])\/(?:work|root|tmp|home|Users)(?=[/"'`\s]|$)/),
    ],
    breaches: [
      { "package-lock.json": '"resolved": "https://somewhere.example/zod.tgz"\n' },
      { ".npmrc": "@a:registry=https://registry.example.org/\n" },
      { "src/a.ts": 'const folder = "/tmp/x";\n' },
      { "test/a.test.ts": 'const folder = "/tmp";\n' },
      { "README.md": "cd /home/me/mcp-chat\n" },
      { "README.md": "file:///root/project\n" },
    ],
  },
];

const FILES = await readFiles();

describe.each(RULES.map((rule) => [rule.title, rule] as const))("%s", (_title, rule) => {
  test("holds", () => {
    expect(rule.find(FILES)).toEqual([]);
  });

  test("would be noticed if it did not", () => {
    const unnoticed = rule.breaches.filter((breach) => rule.find(breach).length === 0);
    expect(unnoticed).toEqual([]);
    expect(rule.breaches.length).toBeGreaterThan(0);
  });
});

describe("the reading itself", () => {
  test("finds the files and their imports", () => {
    expect(Object.keys(FILES).filter(isSource).length).toBeGreaterThan(10);
    expect(importsOf(FILES)).toContainEqual({ from: "src/cli.ts", to: "src/config.ts", typesOnly: false });
    expect(importsOf(FILES)).toContainEqual({ from: "src/cli.ts", to: "package.json", typesOnly: false });
  });

  test("lets pass what is allowed", () => {
    const fine: Files = {
      "src/domain/a.ts":
        '/**\n * No Date, no await.\n * "Bun.x"\n */\nimport { b } from "./b.ts";\nconst text = "await";\n',
      "src/domain/b.ts":
        '// Owns b.\n// Never c.\nimport { X_MAX } from "../limits.ts";\nexport const candidate = X_MAX;\n',
      "src/journal/a.ts": '// Owns a.\n// Never b.\nimport type { b } from "../domain/b.ts";\n',
      "src/main.ts": '#!/usr/bin/env bun\n// Owns all.\n// Never b.\nimport { b } from "./domain/b.ts";\n',
    };
    for (const rule of RULES) expect(rule.find(fine)).toEqual([]);
  });

  test("a pinned file may shrink and not grow, and its pin follows", () => {
    const { find } = lengthRule({ "src/a.ts": 500 });
    expect(find({ "src/a.ts": "x\n".repeat(500) })).toEqual([]);
    expect(find({ "src/a.ts": "x\n".repeat(501) })).toEqual(["src/a.ts has 501 lines of 500"]);
    expect(find({ "src/a.ts": "x\n".repeat(450) })).toEqual([
      "src/a.ts has 450 lines now: lower its pin of 500, or drop it",
    ]);
    expect(find({})).toHaveLength(1);
  });
});

test("nothing lies at the top that does not belong there", async () => {
  const strays = (await topLevelEntries(FILES)).filter((name) => ![...TOP_LEVEL_FILES, ...FOLDERS].includes(name));
  expect(strays).toEqual([]);
});
