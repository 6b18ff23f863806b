/**
 * A real redis-server on a port of the machine's own choosing, with a folder of its own, that can be stopped,
 * killed, paused and started again on the same port and folder.
 *
 * This file owns the server's process. It must never leave one running when the test run ends.
 */
import { readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { within } from "./client-deadline.ts";
import { freePort } from "./free-port.ts";
import { runsUntilTheEnd, temporaryFolder } from "./program.ts";

/** What tests that use this need of the system: for `testWith`. */
export const REDIS_PROGRAMS = ["redis-server"] as const;

/** How long the server may take to answer; generous, as a test machine may be busy. */
const START_MS_MAX = 15_000;

export interface RedisServerOptions {
  /** Whether it keeps an append-only file, and how surely; default: nothing outlives its process. */
  readonly append?: "always" | "everysec" | undefined;
  /** Further settings of its own, as on its command line: `{ maxmemory: "8mb", requirepass: "…" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export class RedisServer implements AsyncDisposable {
  /** Of the server's files, which outlive its process. */
  readonly folder = temporaryFolder();
  readonly port: number;
  readonly #options: RedisServerOptions;
  #child: Bun.Subprocess | undefined;
  #commands = 0;

  private constructor(port: number, options: RedisServerOptions) {
    this.port = port;
    this.#options = options;
  }

  /** Starts one and waits until it answers. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    // Another process may take the port meanwhile: then there is another one.
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(freePort(), options);
      try {
        await server.restart();
        return server;
      } catch (problem) {
        await server.kill();
        if (attempt === 3) throw problem;
      }
    }
  }

  /** `redis://127.0.0.1:PORT/0`, with the password if it asks for one. */
  get url(): string {
    const password = this.#options.settings?.requirepass;
    return `redis://${password === undefined ? "" : `:${password}@`}127.0.0.1:${this.port}/0`;
  }

  /** Of the process now running. */
  get pid(): number {
    if (this.#child === undefined) throw new Error("redis-server is not running");
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Starts it again on the same port and folder, and waits until it answers. Nothing if it runs. */
  async restart(): Promise<void> {
    if (this.#child !== undefined) return;
    const child = Bun.spawn(["redis-server", ...this.#arguments()], {
      cwd: this.folder,
      stdin: "ignore",
      stdout: Bun.file(join(this.folder, "redis.log")),
      stderr: "ignore",
    });
    runsUntilTheEnd(child);
    this.#child = child;
    void child.exited.then(() => {
      if (this.#child === child) this.#child = undefined;
    });
    await within("redis-server answers", this.#answers(child), START_MS_MAX);
  }

  /** Ends the process as a failing machine would. What it has not written is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends the process politely: it writes what it is set to write. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Takes the last bytes off the append-only file, as a machine does that fails before they are on the disk. To be done while it does not run. */
  loseTail(bytes: number): void {
    const folder = join(this.folder, "appendonlydir");
    const file = readdirSync(folder).findLast((name) => name.endsWith(".incr.aof"));
    if (file === undefined || this.isRunning) throw new Error("there is no file that could lose its tail");
    const path = join(folder, file);
    truncateSync(path, Math.max(0, statSync(path).size - bytes));
  }

  /** The process stands still: connections stay, and nothing is answered. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Has the server carry out one command, as somebody else's client would, and gives what `redis-cli --raw` prints. */
  async command(...words: string[]): Promise<string> {
    const password = this.#options.settings?.requirepass;
    const credentials = password === undefined ? [] : ["-a", password, "--no-auth-warning"];
    // Into files: with dozens of processes at a time it happens that the end of a pipe is never heard of.
    const path = join(this.folder, `cli-${this.#commands++}`);
    const [output, errors] = [`${path}.out`, `${path}.err`] as const;
    const child = Bun.spawn(["redis-cli", "-p", String(this.port), ...credentials, "--raw", ...words], {
      stdin: "ignore",
      stdout: Bun.file(output),
      stderr: Bun.file(errors),
    });
    runsUntilTheEnd(child);
    const code = await child.exited;
    const [stdout = "", stderr = ""] = await Promise.all([output, errors].map((file) => Bun.file(file).text()));
    for (const file of [output, errors]) rmSync(file, { force: true });
    if (code !== 0) throw new Error(`redis-cli ${words[0]}: ${stderr}${stdout}`);
    return stdout.trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #arguments(): readonly string[] {
    const { append, settings = {} } = this.#options;
    const all: Record<string, string> = {
      port: String(this.port),
      bind: "127.0.0.1",
      dir: this.folder,
      save: "",
      appendonly: append === undefined ? "no" : "yes",
      ...(append === undefined ? {} : { appendfsync: append }),
      ...settings,
    };
    return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  }

  async #answers(child: Bun.Subprocess): Promise<void> {
    for (;;) {
      if (child.exitCode !== null) throw new Error("redis-server has ended: see redis.log in its folder");
      const reply = await this.command("PING").catch(() => "");
      if (reply === "PONG") return;
      await Bun.sleep(20);
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    // One that stands still hears of nothing but this.
    child.kill("SIGCONT");
    child.kill(signal);
    await child.exited;
    this.#child = undefined;
  }
}
