/**
 * A real terminal for a program that draws on one: tmux, driven by its own commands.
 *
 * This file owns the tmux server and what is read off its screen. It must never know which program runs there.
 */

import { join } from "node:path";
import { DEADLINE_MS, within } from "./client-deadline.ts";
import { CHECKOUT, run, temporaryFolder } from "./program.ts";

/** A terminal of its own, in a tmux server of its own. */
export class Tmux implements AsyncDisposable {
  readonly #socket = join(temporaryFolder(), "tmux");

  async #tmux(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(["tmux", "-S", this.#socket, "-f", "/dev/null", ...args]);
    if (code !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout;
  }

  /** Starts a shell command in a window of this size. */
  async start(command: string, columns: number, rows: number): Promise<void> {
    const size = ["-x", String(columns), "-y", String(rows)];
    await this.#tmux("new-session", "-d", ...size, "-c", CHECKOUT, command);
  }

  type(...keys: string[]): Promise<string> {
    return this.#tmux("send-keys", ...keys);
  }

  /** Pastes as a terminal does for a program that has asked to know. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", text);
    await this.#tmux("paste-buffer", "-p", "-r");
  }

  resize(columns: number, rows: number): Promise<string> {
    return this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** The screen, once it shows this. */
  async shows(what: RegExp | ((screen: string) => boolean), ...options: string[]): Promise<string> {
    const isSo = typeof what === "function" ? what : (seen: string) => what.test(seen);
    let screen = "";
    const look = async (): Promise<string> => {
      for (;;) {
        screen = await this.#tmux("capture-pane", "-p", ...options);
        if (isSo(screen)) return screen;
        await Bun.sleep(50);
      }
    };
    return within(`the screen shows ${what}`, look(), DEADLINE_MS).catch((problem: unknown) => {
      throw new Error(`${problem}\n${screen}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => "");
  }
}
