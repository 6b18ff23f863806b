/**
 * `mcp-chat tail` between pipes: two of them chatting, a follower, and every way it may end.
 *
 * This file owns what a shell script may rely on.
 */

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { ChatHouse } from "../support/chat-house.ts";
import { within } from "../support/client-deadline.ts";
import { FaceProcess, plainEnvironment } from "../support/face-process.ts";
import { CHECKOUT, temporaryFolder } from "../support/program.ts";

// Every test starts several processes, on a machine that may be busy.
setDefaultTimeout(40_000);

const TOKEN = /mcpc_/;
const enter = (house: ChatHouse, ...args: string[]): FaceProcess =>
  new FaceProcess(["tail", house.endpoint, "--enter", "--json", ...args]);

describe("two of them", () => {
  test("chat: lines become messages, events become lines, and both end with the chat", async () => {
    await using house = new ChatHouse();
    await using ann = enter(house, "--name", "Ann", "--kind", "human", "--interests", "tea,chess");
    ann.write("hello, whoever you are");
    await using bob = enter(house, "--name", "Bob", "--interests", "chess", "--leave");

    const found = await bob.event();
    expect(Object.keys(found)).toEqual(["event_id", "name", "timestamp", "data", "cursor"]);
    expect(found).toMatchObject({
      name: "chatroom.found",
      data: { partner: { display_name: "Ann", kind: "human" }, shared_interests: ["chess"] },
    });
    expect(await ann.event()).toMatchObject({ data: { partner: { display_name: "Bob", kind: "agent" } } });
    expect(await bob.event()).toMatchObject({ data: { message: "hello, whoever you are" } });
    bob.write("one");
    bob.write("");
    bob.write("two \u65e5\u672c");
    bob.endInput();
    expect((await ann.event()).data.message).toBe("one");
    expect((await ann.event()).data.message).toBe("two \u65e5\u672c");
    expect(await ann.event()).toMatchObject({ name: "partner.disconnected", data: { reason: "left" } });
    expect(await ann.ended()).toEqual({ code: 0, stderr: "" });
    expect(await bob.ended()).toEqual({ code: 0, stderr: "" });
    expect(ann.stdout + bob.stdout).not.toMatch(TOKEN);
  });

  test("without --json print a line for a person; the end of stdin does not end them", async () => {
    await using house = new ChatHouse();
    await using ann = new FaceProcess(["tail", house.endpoint, "--code", "tea at five", "--name", "Ann"]);
    ann.endInput();
    await using bob = new FaceProcess(["tail", house.endpoint, "--code", "tea at five", "--name", "Bob"]);
    expect(await ann.line()).toMatch(/^\S+Z chatroom\.found unknown Bob$|^\S+Z chatroom\.found agent Bob$/);
    bob.write("still there?");
    expect(await ann.line()).toMatch(/^\S+Z message\.received Bob: still there\?$/);
    bob.signal("SIGINT");
    expect(await ann.line()).toMatch(/^\S+Z partner\.disconnected left$/);
    expect((await ann.ended()).code).toBe(0);
    expect((await bob.ended()).code).toBe(0);
  });

  test("with --again meet the next one, who hears nothing that was meant for the last", async () => {
    await using house = new ChatHouse();
    await using ann = enter(house, "--name", "Ann", "--again");
    for (const name of ["Bob", "Cat"]) {
      await using guest = enter(house, "--name", name, "--leave");
      expect(await ann.event("chatroom.found")).toMatchObject({ data: { partner: { display_name: name } } });
      ann.write(`hello ${name}`);
      expect((await guest.event("message.received")).data.message).toBe(`hello ${name}`);
      guest.endInput();
      await ann.event("partner.disconnected");
      expect((await guest.ended()).code).toBe(0);
    }
  });
});

describe("the token", () => {
  test("goes to a file that nobody else can read, and from there to a follower, who ends nothing", async () => {
    await using house = new ChatHouse();
    const file = join(temporaryFolder(), "token");
    await using ann = enter(house, "--name", "Ann", "--token-file", file);
    await using bob = enter(house, "--name", "Bob");
    await ann.event("chatroom.found");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await Bun.file(file).text()).toMatch(/^mcpc_[\w-]{43}\n$/);

    await using follower = new FaceProcess(["tail", house.endpoint, "--json", "--token-file", file]);
    expect(await follower.event("chatroom.found")).toMatchObject({ data: { partner: { display_name: "Bob" } } });
    bob.write("to both of you");
    expect((await follower.event("message.received")).data.message).toBe("to both of you");
    expect((await ann.event("message.received")).data.message).toBe("to both of you");
    follower.write("from the follower");
    expect((await bob.event("message.received")).data.message).toBe("from the follower");
    follower.signal("SIGTERM");
    expect((await follower.ended()).code).toBe(0);
    ann.write("still here");
    expect((await bob.event("message.received")).data.message).toBe("still here");

    const token = (await Bun.file(file).text()).trim();
    await using other = new FaceProcess(["tail", house.endpoint, "--json"], { MCP_CHAT_SESSION_TOKEN: token });
    expect((await other.event()).name).toBe("chatroom.found");
    // Whoever follows has read nothing in the name of the user.
    const unread = await house.world.ask("wait_for_message", { timeout_seconds: 1 }, { bearer: token });
    expect(unread.events).toMatchObject([{ name: "chatroom.found" }, { name: "message.received" }]);
    expect(ann.stdout + follower.stdout + other.stdout).not.toMatch(TOKEN);
  });

  test("of nobody, or none, is a mistake", async () => {
    await using house = new ChatHouse();
    const dead = { MCP_CHAT_SESSION_TOKEN: `mcpc_${"x".repeat(43)}` };
    const { code, stderr } = await new FaceProcess(["tail", house.endpoint], dead).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^mcp-chat: .+\n$/);
    expect(stderr).not.toContain(dead.MCP_CHAT_SESSION_TOKEN);
    const missing = join(temporaryFolder(), "missing");
    expect(await new FaceProcess(["tail", house.endpoint, "--token-file", missing]).ended()).toMatchObject({ code: 1 });
    expect(await new FaceProcess(["tail", house.endpoint]).ended()).toMatchObject({ code: 2 });
    const inArguments = await new FaceProcess(["tail", `--session-token=mcpc_${"y".repeat(43)}`]).ended();
    expect(inArguments).toMatchObject({ code: 2, stderr: expect.not.stringContaining("yyy") });
  });
});

describe("the end", () => {
  test("of whoever reads its lines ends it quietly, and the partner hears of it", async () => {
    await using house = new ChatHouse();
    const command = [process.execPath, "src/main.ts", "tail", house.endpoint, "--enter", "--json"];
    const shell = `${command.map((word) => `'${word}'`).join(" ")} | head -n 1`;
    const pipe = Bun.spawn(["bash", "-o", "pipefail", "-c", shell], {
      cwd: CHECKOUT,
      env: plainEnvironment(),
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    await using bob = enter(house, "--name", "Bob");
    await bob.event("chatroom.found");
    // A writer learns that its reader has gone when it writes again.
    using talking = new DisposableStack();
    const timer = setInterval(() => bob.write("one line is enough"), 50);
    talking.defer(() => clearInterval(timer));
    expect(await bob.event("partner.disconnected")).toMatchObject({ data: { reason: "left" } });
    const output = await within("the pipe", Promise.all([pipe.stdout.text(), pipe.stderr.text(), pipe.exited]));
    expect(output).toEqual([expect.stringMatching(/^\{.*chatroom\.found.*\}\n$/), "", 0]);
  });

  test("of the connection is no end: it comes back, and loses nothing", async () => {
    await using house = new ChatHouse();
    await using ann = enter(house, "--name", "Ann");
    await using bob = enter(house, "--name", "Bob");
    await Promise.all([ann.event("chatroom.found"), bob.event("chatroom.found")]);
    house.cut();
    ann.write("written in the dark");
    house.mend();
    expect((await bob.event("message.received")).data.message).toBe("written in the dark");
    ann.signal("SIGINT");
    expect((await bob.event("partner.disconnected")).data.reason).toBe("left");
    expect((await ann.ended()).stderr).toContain("the connection is lost");
  });

  test("comes at once where there is no server, or none that lets it in", async () => {
    await using house = new ChatHouse({ accessToken: "right" });
    expect(await new FaceProcess(["tail", house.endpoint, "--enter"]).ended()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("MCP_CHAT_ACCESS_TOKEN"),
    });
    await using let_in = new FaceProcess(["tail", house.endpoint, "--enter"], { MCP_CHAT_ACCESS_TOKEN: "right" });
    let_in.signal("SIGTERM");
    await let_in.ended();
    house.cut();
    expect(await new FaceProcess(["tail", house.endpoint, "--enter"]).ended()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot reach"),
    });
  });
});
