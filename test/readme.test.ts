/**
 * The README's conversation between two terminals, played as it is written there: its shell block is
 * pasted into two shells, and the table says who types what.
 *
 * This file owns the promise that what a newcomer pastes works. It must never repeat a command of the
 * README.
 */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { within } from "./support/client-deadline.ts";
import { testWith } from "./support/client-optional.ts";
import { CHECKOUT, startProgram } from "./support/program.ts";

const README = await Bun.file(join(CHECKOUT, "README.md")).text();
const BLOCK = /<!-- tested: curl -->\n```sh\n(.*?)```\n/s.exec(README)?.[1] ?? "";
const URL_LINE = /^URL=.*$/m;

/** What one terminal types in a row of the table, and what is said about it. */
interface Cell {
  readonly command: string;
  readonly remark: string;
}

const ROWS = (/\| --- \| --- \|\n((?:\|.*\|\n)+)/.exec(README.slice(README.indexOf(BLOCK)))?.[1] ?? "")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => line.split("|").slice(1, 3).map(readCell));

function readCell(text: string): Cell | undefined {
  const [, command, remark = ""] = /^\s*`([^`]+)`(.*)$/.exec(text) ?? [];
  return command === undefined ? undefined : { command, remark };
}

/** What each row must show, in the first and in the second terminal. */
const SHOWN: readonly (readonly [first: RegExp | undefined, second: RegExp | undefined])[] = [
  [/^$/, undefined],
  [undefined, /^$/],
  [/chatroom\.found.*Bob/s, undefined],
  [/"success":true/, /message\.received.*hello Bob/s],
  [/message\.received.*hello Ann/s, /"success":true/],
  [/"success":true/, /partner\.disconnected.*left/s],
];

const DONE = "-- done --";

/** A shell somebody types into. */
class Terminal implements AsyncDisposable {
  readonly #shell: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #output: AsyncIterator<Uint8Array>;
  #text = "";

  constructor() {
    this.#shell = Bun.spawn(["bash", "--noprofile", "--norc"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.#output = this.#shell.stdout[Symbol.asyncIterator]();
  }

  /** Types a command. @returns what it printed, when it has ended */
  async type(command: string): Promise<string> {
    this.#shell.stdin.write(`${command}\necho '${DONE}'\n`);
    await this.#shell.stdin.flush();
    const decoder = new TextDecoder();
    while (!this.#text.includes(`${DONE}\n`)) {
      const { done, value } = await within(`the end of ${command}`, this.#output.next());
      if (done) throw new Error(`the shell has ended: ${this.#text}${await this.#shell.stderr.text()}`);
      this.#text += decoder.decode(value, { stream: true });
    }
    const [printed = "", ...rest] = this.#text.split(`${DONE}\n`);
    this.#text = rest.join("");
    return printed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.kill("SIGKILL");
    await this.#shell.exited;
  }
}

test("the README has the block and the table", () => {
  expect(BLOCK).toMatch(URL_LINE);
  expect(ROWS).toHaveLength(SHOWN.length);
  const typed = ROWS.map((row) => row.map((cell) => cell !== undefined));
  expect(typed).toEqual(SHOWN.map((row) => row.map((shown) => shown !== undefined)));
});

testWith(
  ["bash", "curl"],
  "two terminals and curl talk as the README says",
  async () => {
    const server = await startProgram({ kind: "source" });
    await using first = new Terminal();
    await using second = new Terminal();
    for (const terminal of [first, second]) {
      expect(await terminal.type(BLOCK.replace(URL_LINE, `URL=${server.url}`))).toBe("");
    }
    for (const [n, [left, right]] of ROWS.entries()) {
      const typed = left === undefined ? undefined : first.type(left.command);
      // Who waits for the other's answer does so while the other types.
      if (left?.remark.includes("waits") !== true) await typed;
      const answered = right === undefined ? undefined : await second.type(right.command);
      const [leftShown, rightShown] = SHOWN[n] ?? [];
      if (leftShown !== undefined) expect(await typed).toMatch(leftShown);
      if (rightShown !== undefined) expect(answered).toMatch(rightShown);
    }
    expect(await server.stop()).toBe(0);
  },
  60_000,
);
