/**
 * `mcp-chat chat` as a person starts it: line by line between pipes, and on the screen of a real terminal.
 *
 * This file owns what a person sees from start to end. Screens are read from tmux.
 */

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { ChatHouse } from "../support/chat-house.ts";
import { Talker } from "../support/chat-partner.ts";
import { testWith } from "../support/client-optional.ts";
import { FaceProcess } from "../support/face-process.ts";
import { Tmux } from "../support/tmux.ts";

// Every test starts processes, on a machine that may be busy.
setDefaultTimeout(40_000);

describe("between pipes", () => {
  test("every happening is one line without an escape, and the end of the input is the end", async () => {
    await using house = new ChatHouse();
    await using ann = new FaceProcess(["chat", house.endpoint, "--name", "Ann", "--interests", "tea"]);
    ann.write("hello!");
    expect(await ann.line()).toMatch(/^\d\d:\d\d:\d\d \* Waiting for a partner\./);
    await using bob = await Talker.enter(house.endpoint, { name: "Bob", interests: ["tea"] });
    expect(await ann.line()).toMatch(
      / \* You are connected with a person\. You both like tea\. They call themselves:$/,
    );
    expect(await ann.line()).toMatch(/ < Bob$/);
    expect(await ann.line()).toMatch(/ > hello!$/);
    await bob.hears("hello!");
    bob.conversation.say("two\nlines");
    expect(await ann.line()).toMatch(/ < Bob: two\u240alines$/);
    ann.write("/nonsense");
    expect(await ann.line()).toMatch(/ ! There is no such command, so nothing was sent\./);
    ann.write("/leave");
    expect(await ann.line()).toMatch(/ \* You have left the chat\./);
    await bob.next("place", ({ place }) => place.at === "idle");
    ann.endInput();
    expect(await ann.ended()).toEqual({ code: 0, stderr: "" });
    expect(ann.stdout).not.toMatch(/[^\P{Cc}\n]|mcpc_/u);
    expect(bob.words).toEqual(["hello!"]);
  });

  test("an input that has ended before anybody was there is said all the same", async () => {
    await using house = new ChatHouse();
    await using ann = new FaceProcess(["chat", house.endpoint]);
    ann.write("one");
    ann.write("two");
    ann.endInput();
    await ann.line();
    await using bob = await Talker.enter(house.endpoint);
    await bob.hears("two");
    expect(bob.words).toEqual(["one", "two"]);
    await bob.next("place", ({ ended }) => ended?.why === "left");
    expect((await ann.ended()).code).toBe(0);
  });

  test("commands do what they say", async () => {
    await using house = new ChatHouse();
    await using ann = new FaceProcess(["chat", house.endpoint]);
    await ann.line();
    ann.write("/name Ann");
    expect(await ann.line()).toContain("Your name is noted.");
    await using bob = await Talker.enter(house.endpoint, { name: "Bob" });
    await bob.met();
    expect(bob.conversation.place).toMatchObject({ room: { partner: { displayName: "Ann" } } });
    ann.write("/report spam buys nothing");
    await bob.next("place", ({ place }) => place.at === "idle");
    ann.write("/code tea at five");
    await using cat = new Talker(house.endpoint);
    await cat.connect();
    await cat.conversation.join("tea at five", { name: "Cat", interests: [], kind: "human", partnerKind: "any" });
    await cat.met();
    ann.write("/help");
    ann.write("/quit");
    await cat.next("place", ({ ended }) => ended?.why === "left");
    expect((await ann.ended()).code).toBe(0);
    expect(ann.stdout).toContain("Reported as spam.");
    expect(ann.stdout).toContain("/next: leave, and meet somebody else");
  });

  test("without a server it says so and ends with 1; with a wrong option with 2", async () => {
    await using house = new ChatHouse();
    house.cut();
    const { code, stderr } = await new FaceProcess(["chat", house.endpoint]).ended();
    expect([code, stderr]).toEqual([1, expect.stringContaining("cannot reach http://127.0.0.1:")]);
    for (const args of [["--enter"], ["ftp://x"], ["http://me:secret@x"], ["a", "b"]]) {
      const refused = await new FaceProcess(["chat", ...args]).ended();
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/^mcp-chat: .+\n$/);
      expect(refused.stderr).not.toContain("secret");
    }
  });
});

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");
const COLOURED = new RegExp(`${"\u001b"}\\[[\\d;]*[1-9]`);

/** The chat and then, in the same terminal, its exit code and a shell that echoes as ever. */
function chatThenShell(house: ChatHouse, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return `${chatCommand(house, args, env)}; echo "code $?"; exec cat`;
}

function chatCommand(house: ChatHouse, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const settings = Object.entries({ NO_COLOR: "", ...env }).map(([name, value]) => `${name}='${value}'`);
  const unset = Object.keys(process.env).filter((name) => name.startsWith("MCP_CHAT_"));
  const program = quoted([process.execPath, "src/main.ts", "chat", house.endpoint, ...args]);
  return `${unset.map((name) => `unset ${name}; `).join("")}${settings.join(" ")} ${program}`;
}

testWith(
  ["tmux"],
  "two people on real screens meet, write, resize, lose the connection and leave",
  async () => {
    await using house = new ChatHouse();
    await using wide = new Tmux();
    await using narrow = new Tmux();
    await wide.start(chatThenShell(house, ["--name", "Ann", "--interests", "tea"]), 120, 20);
    await wide.shows(/waiting 0:0\d \u00b7 1st in line of 1 \u00b7 no estimate yet/);
    await narrow.start(chatThenShell(house, ["--name", "Bob", "--interests", "tea"], { NO_COLOR: "1" }), 40, 12);
    await wide.shows(/\* You are connected with a person\. You both like tea\. They call themselves:\n.*\u2503 Bob\n/);

    await narrow.type("is this seen?");
    await wide.shows(/partner is typing/);
    await narrow.type("C-u", "hello from the narrow screen, where lines are short", "Enter");
    await wide.shows(/\u2503 Bob: hello from the narrow screen, where lines are short\n/);
    const screen = await narrow.shows(/> hello from the narrow screen, where\n {2}lines are short\n/);
    expect(screen).not.toContain("seen");
    await wide.type("\u65e5\u672c\u8a9e \u{1f44b} ok", "Left", "Left", "X", "Enter");
    await narrow.shows(/\u2503 Ann: \u65e5\u672c\u8a9e \u{1f44b} Xok\n/u);
    expect(await narrow.shows(/Ann/, "-e")).not.toMatch(COLOURED);
    expect(await wide.shows(/Bob/, "-e")).toMatch(COLOURED);

    await wide.resize(30, 10);
    await wide.shows(/\u2503 Bob: hello from the narrow\n\u2503 screen, where lines are\n\u2503 short\n/);
    await wide.resize(100, 16);
    await wide.shows(/\u2503 Bob: hello from the narrow screen, where lines are short\n/);

    house.cut();
    await wide.shows(/offline, trying again/);
    await wide.type("written in the dark", "Enter");
    await wide.shows(/\u2026 written in the dark/);
    house.mend();
    await narrow.shows(/\u2503 Ann: written in the dark/);
    await wide.shows(/> written in the dark/);

    await wide.type("C-c");
    await wide.shows(/^code 0$/m);
    await narrow.shows(/\* Your partner has left\./);
    // The terminal is as it was: what is typed is echoed, and the chat's screen is gone.
    await wide.type("sane", "Enter");
    expect(await wide.shows(/sane\nsane/)).not.toContain("Bob");
    await narrow.type("/quit", "Enter");
    await narrow.shows(/^code 0$/m);
  },
  90_000,
);

testWith(
  ["tmux"],
  "pastes, suspending and two Ctrl-C leave the terminal in order",
  async () => {
    await using house = new ChatHouse();
    await using bob = await Talker.enter(house.endpoint, { name: "Bob" });
    await using screen = new Tmux();
    await screen.start("exec bash --norc --noprofile -i", 60, 14);
    await screen.type(`clear; ${chatCommand(house, ["--name", "Ann"])}`, "Enter");
    await bob.met();
    await screen.shows(/\u2503 Bob/);

    await screen.type("C-z");
    expect(await screen.shows(/Stopped/)).not.toContain("Bob");
    bob.conversation.say("are you there?");
    await screen.type("fg; echo code $?", "Enter");
    await screen.shows(/\u2503 Bob: are you there\?/);
    await screen.paste("first\nsecond\n\u001b[2Jthird");
    await screen.shows(/> first\n {2}second\n {2}\[2Jthird/);
    expect(bob.words).toEqual([]);
    await screen.type("Enter");
    await bob.hears("first\nsecond\n[2Jthird");

    // A server that does not answer keeps nobody here for long, and a second Ctrl-C nobody at all.
    house.freeze();
    await screen.type("C-c", "C-c");
    await screen.shows(/^code 130$/m);
    await screen.type("echo s''a''ne", "Enter");
    await screen.shows(/^sane$/m);
  },
  90_000,
);
