/**
 * `mcp-chat chat` and `mcp-chat tail` as processes between pipes: lines in, lines out, and the exit code.
 *
 * This file owns such child processes. It must never leave one running.
 */

import { Arrivals, within } from "./client-deadline.ts";
import { CHECKOUT } from "./program.ts";

/** This process's variables without settings of the program. */
export function plainEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    name.startsWith("MCP_CHAT_") || value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

export class FaceProcess implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines = new Arrivals<string>();
  readonly #stderr: Promise<string>;
  /** Everything on stdout so far. */
  stdout = "";

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = Bun.spawn([process.execPath, "src/main.ts", ...args], {
      cwd: CHECKOUT,
      env: plainEnvironment(env),
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#stderr = this.#child.stderr.text();
    void this.#read();
  }

  /** The next line of stdout. */
  line(): Promise<string> {
    return within("a line", this.#lines.take());
  }

  /** The next event that is of this name, or any. */
  async event(
    name?: string,
  ): Promise<{ event_id: string; name: string; data: Record<string, unknown>; cursor: string }> {
    for (;;) {
      const event = JSON.parse(await this.line());
      if (name === undefined || event.name === name) return event;
    }
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
    void this.#child.stdin.flush();
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its end. */
  async ended(): Promise<{ readonly code: number; readonly stderr: string }> {
    const [code, stderr] = await within("the end of the process", Promise.all([this.#child.exited, this.#stderr]));
    return { code, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.#child.stdout) {
      const text = decoder.decode(bytes, { stream: true });
      this.stdout += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#lines.put(line);
    }
    this.#lines.fail(new Error(`stdout has ended${rest === "" ? "" : ` within a line: ${rest}`}`));
  }
}
