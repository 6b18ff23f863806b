/**
 * The README's agent of a few shell lines, and somebody who talks to it: both blocks run as they stand.
 *
 * This file owns the promise that what a newcomer pastes works. It must never repeat a command of the README.
 */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { ChatHouse } from "../support/chat-house.ts";
import { within } from "../support/client-deadline.ts";
import { testWith } from "../support/client-optional.ts";
import { plainEnvironment } from "../support/face-process.ts";
import { CHECKOUT, temporaryFolder } from "../support/program.ts";

const README = await Bun.file(join(CHECKOUT, "README.md")).text();

function blockOf(name: string): string {
  return new RegExp(`<!-- tested: ${name} -->\n\`\`\`sh\n(.*?)\`\`\``, "s").exec(README)?.[1] ?? "";
}

/** Somebody's shell, in which `mcp-chat tail` means this checkout and this server. */
function shell(block: string, house: ChatHouse, folder: string): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  const program = `'${process.execPath}' '${join(CHECKOUT, "src/main.ts")}' tail '${house.endpoint}'`;
  const script = block.replaceAll("mcp-chat tail", program);
  return Bun.spawn(["bash", "-c", script], {
    cwd: folder,
    env: plainEnvironment(),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

test("the README has both blocks", () => {
  for (const name of ["echo", "talker"]) expect(blockOf(name)).toContain("mcp-chat tail --code");
});

testWith(
  ["bash", "sed", "mkfifo"],
  "an agent of shell lines answers somebody in another shell, as the README says",
  async () => {
    await using house = new ChatHouse();
    const folder = temporaryFolder();
    const echo = shell(blockOf("echo"), house, folder);
    const talker = shell(blockOf("talker"), house, folder);
    const lines = talker.stdout[Symbol.asyncIterator]();
    let seen = "";
    const see = async (what: string): Promise<void> => {
      const decoder = new TextDecoder();
      while (!seen.includes(what)) {
        const { done, value } = await within(what, lines.next());
        if (done) throw new Error(`ended after ${seen} ${await talker.stderr.text()}`);
        seen += decoder.decode(value, { stream: true });
      }
    };
    await see("chatroom.found agent Echo\n");
    for (const word of ["hello", "how are you?"]) {
      talker.stdin.write(`${word}\n`);
      await talker.stdin.flush();
      await see(`message.received Echo: I heard: ${word}\n`);
    }
    talker.stdin.end();
    const codes = await within("both shells", Promise.all([talker.exited, echo.exited]));
    expect(codes).toEqual([0, 0]);
    expect(await talker.stderr.text()).toBe("");
    expect(await echo.stderr.text()).toBe("");
  },
  60_000,
);
