/**
 * The whole program as an operator runs it: a process started from the sources or from the built
 * executable, its output, and its end.
 *
 * This file owns child processes of tests. It must never leave one running, nor leave files behind.
 */

import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };

/** What "source" starts: where `TEST_NODES` is set, several servers that are one. */
const SOURCE = process.env.TEST_NODES === undefined ? "src/main.ts" : "test/support/nodes-main.ts";

/** The folder of package.json. */
export const CHECKOUT = resolve(import.meta.dir, "../..");

/** How long the program may take to say that it listens; generous, as a test machine may be busy. */
const START_MS_MAX = 20_000;
/** How long it may take to end after SIGTERM: what the program promises. */
const STOP_MS_MAX = 5_000;

/** What to start, and how. */
export interface ProgramOptions {
  /** From the sources, from the built executable, or by a command line of the test's own. */
  readonly kind: "source" | "executable" | { readonly command: readonly string[] };
  /** Arguments after the program's name. `--port 0` is added unless a port is given. */
  readonly args?: readonly string[];
  /** Variables on top of this process's own, of which no `MCP_CHAT_*` is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working folder; default: the checkout. */
  readonly cwd?: string;
}

/** A program that has said that it listens. */
export interface Program {
  /** The MCP endpoint: `http://HOST:PORT/mcp`. */
  readonly url: string;
  /** The same without `/mcp`. */
  readonly origin: string;
  readonly port: number;
  readonly pid: number;
  /** Everything written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Settles when the process has ended, with its exit code (128 + the signal's number if one ended it). */
  readonly exited: Promise<number>;
  /** Sends SIGTERM and waits for the exit code; rejects if the process takes longer than it promises. */
  stop(): Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** The result of a program that ran to its end. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

// --- what must be gone when the test run ends -------------------------------------------------

const running = new Set<Bun.Subprocess>();
const folders = new Set<string>();
let building: Promise<string> | undefined;

// bunfig.toml preloads this file, which makes the hook one for the whole run; exit handlers do not run in `bun test`.
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  // Children of what was killed may write for a moment longer.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  running.clear();
  folders.clear();
  building = undefined;
});

/** Makes an empty folder that is removed when the test run ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mcp-chat-test-"));
  folders.add(folder);
  return folder;
}

/** Has a process that a test has started ended when the test run ends, if it still runs then. */
export function runsUntilTheEnd(child: Bun.Subprocess): void {
  running.add(child);
  void child.exited.then(() => running.delete(child));
}

// --- building ---------------------------------------------------------------------------------

/** Path of the executable, made by the `build` script of package.json into a temporary folder; built once per test run. */
export function buildExecutable(): Promise<string> {
  building ??= build();
  return building;
}

async function build(): Promise<string> {
  const outfile = join(temporaryFolder(), "mcp-chat");
  const script = packageJson.scripts.build;
  const [bun, ...args] = script.split(" ").map((word) => (word === "dist/mcp-chat" ? outfile : word));
  if (bun !== "bun" || !args.includes(outfile)) throw new Error(`cannot redirect the build script: ${script}`);
  const { code, stderr } = await run([process.execPath, ...args]);
  if (code !== 0) throw new Error(`the build ended with ${code}:\n${stderr}`);
  return outfile;
}

// --- running ----------------------------------------------------------------------------------

/** Runs a command to its end. */
export async function run(
  command: readonly string[],
  { cwd = CHECKOUT, env = {} }: Pick<ProgramOptions, "cwd" | "env"> = {},
): Promise<Run> {
  const child = Bun.spawn([...command], {
    cwd,
    env: environment(env),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  running.add(child);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  running.delete(child);
  return { code, stdout, stderr };
}

/** Starts the program and waits until it listens. Rejects with its output if it ends or stays silent. */
export async function startProgram({ kind, args = [], env = {}, cwd = CHECKOUT }: ProgramOptions): Promise<Program> {
  const hasPort = args.some((arg) => arg === "--port" || arg.startsWith("--port=")) || "MCP_CHAT_PORT" in env;
  const command = [...(await commandOf(kind)), ...args, ...(hasPort ? [] : ["--port", "0"])];
  const child = Bun.spawn(command, { cwd, env: environment(env), stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  running.add(child);
  const exited = child.exited.finally(() => running.delete(child));

  let stdout = "";
  let stderr = "";
  const listening = Promise.withResolvers<void>();
  const outputRead = Promise.all([
    collect(child.stdout, (text) => {
      stdout += text;
      if (stdout.includes("\n")) listening.resolve();
    }),
    collect(child.stderr, (text) => {
      stderr += text;
    }),
  ]);

  const fail = (what: string): Error => new Error(`${what}: ${command.join(" ")}\n${stdout}${stderr}`);
  const started = await within(START_MS_MAX, Promise.race([listening.promise, outputRead]));
  const [, url = ""] = /^mcp-chat \S+ listening on (http:\/\/\S+\/mcp)\n/.exec(stdout) ?? [];
  if (started === "late" || url === "") {
    child.kill("SIGKILL");
    await within(1_000, outputRead);
    throw fail("the program did not say that it listens");
  }

  return {
    url,
    origin: new URL(url).origin,
    port: Number(new URL(url).port),
    pid: child.pid,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    exited,
    kill: (signal) => child.kill(signal),
    async stop() {
      child.kill("SIGTERM");
      const code = await within(STOP_MS_MAX, exited);
      if (code !== "late") return code;
      child.kill("SIGKILL");
      throw fail(`the program did not end within ${STOP_MS_MAX} ms of SIGTERM`);
    },
  };
}

async function commandOf(kind: ProgramOptions["kind"]): Promise<readonly string[]> {
  if (kind === "source") return [process.execPath, join(CHECKOUT, SOURCE)];
  if (kind === "executable") return [await buildExecutable()];
  return kind.command;
}

/** This process's variables without settings of the program, which would change what a test sees. */
function environment(extra: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("MCP_CHAT_"));
  return { ...Object.fromEntries(inherited), ...extra };
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | "late"> {
  let timer: Timer | undefined;
  const late = new Promise<"late">((settle) => {
    timer = setTimeout(settle, ms, "late");
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
