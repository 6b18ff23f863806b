/**
 * The server on a data directory as an operator runs it: restarts, and what makes it refuse to start or go on.
 *
 * This file owns exit codes and lines on stderr. What clients live through is in survivors.test.ts.
 */
import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RawModern, RawSession } from "../support/client-raw.ts";
import { CHECKOUT, type ProgramOptions, run, startProgram, temporaryFolder } from "../support/program.ts";

const MAIN = join(CHECKOUT, "src/main.ts");
const TEST_MS_MAX = 60_000;

/** Starts the program where it must not start. @returns its exit code and what it said */
async function refused(args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const { code, stdout, stderr } = await run([process.execPath, MAIN, "--port", "0", ...args]);
  expect(stdout).toBe("");
  return { code, said: stderr };
}

test.each<readonly [string, ProgramOptions["kind"]]>([
  ["the sources", "source"],
  ["the executable", "executable"],
])(
  "a server from %s that is stopped and started again goes on where it was",
  async (_what, kind) => {
    const data = join(temporaryFolder(), "data");
    const first = await startProgram({ kind, args: ["--data", data] });
    const ann = await RawSession.open(first.url);
    const bob = new RawModern(first.url);
    await ann.call("enter_queue", { display_name: "Ann" });
    await bob.call("enter_queue", { display_name: "Bob" });
    await ann.call("send_message", { message: "before the stop" });
    expect(await first.stop()).toBe(0);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(data)) expect([name, statSync(join(data, name)).mode & 0o077]).toEqual([name, 0]);

    const second = await startProgram({ kind, args: ["--data", data, "--port", String(first.port)] });
    const { structured } = await bob.call("wait_for_message", { timeout_seconds: 1 });
    expect(JSON.stringify(structured.events)).toContain("before the stop");
    // The session is known by its id alone, and so is who has it.
    expect((await ann.call("send_message", { message: "after it" })).structured).toMatchObject({ seq: 2 });
    expect(second.stderr).toBe("");
    expect(await second.stop()).toBe(0);
  },
  TEST_MS_MAX,
);

test("J8: after a failure of the machine readers are told that they may have missed something; after one of the server not", async () => {
  const data = temporaryFolder();
  let server = await startProgram({ kind: "source", args: ["--data", data] });
  const [ann, bob] = [new RawModern(server.url), new RawModern(server.url)];
  await ann.call("enter_queue");
  await bob.call("enter_queue");
  const { cursor } = (await bob.call("wait_for_message", { timeout_seconds: 1 })).structured;
  await ann.call("send_message", { message: "one" });

  const restart = async (meanwhile: () => void): Promise<void> => {
    server.kill("SIGKILL");
    await server.exited;
    meanwhile();
    server = await startProgram({ kind: "source", args: ["--data", data, "--port", String(server.port)] });
  };
  const read = async (): Promise<unknown[]> => {
    const { events, truncated } = (await bob.call("wait_for_message", { after: cursor, timeout_seconds: 1 }))
      .structured;
    return [(events as { name: string }[]).map(({ name }) => name), truncated];
  };
  await restart(() => undefined);
  expect(await read()).toEqual([["message.received"], false]);
  await restart(() => writeFileSync(join(data, "living"), "an earlier start of the machine"));
  expect(await read()).toEqual([["chatroom.found", "message.received"], true]);
  expect(await server.stop()).toBe(0);
});

test("a folder whose key of sessions is gone is refused, unless nothing has happened there", async () => {
  const data = temporaryFolder();
  const first = await startProgram({ kind: "source", args: ["--data", data] });
  expect(await first.stop()).toBe(0);
  rmSync(join(data, "session.key"));
  const said = `mcp-chat: ${data}/session.key is missing: no session could go on\n`;
  expect(await refused(["--data", data])).toEqual({ code: 1, said });
});

test("a second server on the same folder is refused; the first goes on", async () => {
  const data = temporaryFolder();
  const first = await startProgram({ kind: "source", args: ["--data", data] });
  expect(await refused(["--data", data])).toEqual({ code: 1, said: `mcp-chat: another mcp-chat uses ${data}\n` });
  expect((await fetch(`${first.origin}/healthz`)).status).toBe(200);
  expect(await first.stop()).toBe(0);
});

test("a folder that is a file, or damaged, is refused", async () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(await refused(["--data", file])).toEqual({ code: 1, said: `mcp-chat: cannot use ${file}: it is no folder\n` });
  const data = temporaryFolder();
  writeFileSync(join(data, "snapshot-000000000000001.jsonl"), "nonsense");
  expect(await refused(["--data", data])).toEqual({
    code: 1,
    said: `mcp-chat: ${join(data, "snapshot-000000000000001.jsonl")} is no snapshot\n`,
  });
});

test("a folder that cannot be written to is refused", async () => {
  const data = join(temporaryFolder(), "read-only");
  mkdirSync(data, { mode: 0o755 });
  chmodSync(data, 0o555);
  // Nothing is read-only to the superuser, so that one sends somebody else.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  chmodSync(join(data, ".."), 0o755);
  const child = spawn(process.execPath, [MAIN, "--port", "0", "--data", data], { ...nobody, env: {}, cwd: "/" });
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect([code, said]).toEqual([1, `mcp-chat: cannot use ${data}: no permission\n`]);
});

test("a folder on a full disk is refused", async () => {
  const data = join(temporaryFolder(), "data");
  const shell = `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`;
  const { code, stderr } = await run(["bash", "-c", shell, process.execPath, MAIN, "--port", "0", "--data", data]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^mcp-chat: [^\n]*: the disk (?:is full|does not take it)\n$/);
});

test("a snapshot can be made without a server, and not beside one", async () => {
  const data = temporaryFolder();
  const first = await startProgram({ kind: "source", args: ["--data", data] });
  const ann = new RawModern(first.url);
  await ann.call("enter_queue");
  const compact = [process.execPath, MAIN, "compact-journal", data];
  expect(await run(compact)).toMatchObject({ code: 1, stderr: `another mcp-chat uses ${data}\n` });
  expect(await run([...compact.slice(0, -1), `${data}-gone`])).toMatchObject({
    code: 1,
    stderr: `there is no folder ${data}-gone\n`,
  });
  first.kill("SIGKILL");
  await first.exited;
  expect(await run(compact)).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(readdirSync(data).filter((name) => name.startsWith("snapshot-"))).toHaveLength(1);
  const second = await startProgram({ kind: "source", args: ["--data", data, "--port", String(first.port)] });
  expect(second.stderr).not.toContain("replayed");
  expect((await ann.call("chat_status")).structured).toMatchObject({ status: "waiting" });
  expect(await second.stop()).toBe(0);
});

test("durability without a folder is refused", async () => {
  const { code, said } = await refused(["--durability", "full"]);
  expect([code, said]).toEqual([2, "mcp-chat: durability full needs data: without a folder nothing is kept\n"]);
});

test(
  "a disk that fills up ends the server: what was answered is there, and nothing of what was not",
  async () => {
    const data = temporaryFolder();
    // No file may grow beyond 96 KiB; a write beyond that fails as on a full disk.
    const shell = `trap '' XFSZ; ulimit -f 96; exec "$0" "$@"`;
    const unlimited = ["--data", data, "--rate-messages-per-second", "0"];
    const command = ["bash", "-c", shell, process.execPath, MAIN, ...unlimited];
    const full = await startProgram({ kind: { command } });
    const ann = new RawModern(full.url);
    const bob = new RawModern(full.url);
    await ann.call("enter_queue");
    const { room } = (await bob.call("enter_queue")).structured as { room: { room_id: string } };
    let answered = 0;
    try {
      for (;;) {
        await ann.call("send_message", { message: `${answered + 1}` });
        answered++;
      }
    } catch (_connectionLost) {
      expect(await full.exited).toBe(1);
    }
    expect(full.stderr).toMatch(/^mcp-chat: the journal cannot be written: the disk (?:is full|does not take it)$/m);
    expect(answered).toBeGreaterThan(5);

    const roomy = await startProgram({ kind: "source", args: [...unlimited, "--port", String(full.port)] });
    const { structured } = await ann.call("get_history", { room_id: room.room_id, limit: 200 });
    const messages = structured.messages as { message: string }[];
    expect(messages.map(({ message }) => message)).toEqual(Array.from({ length: answered }, (_, i) => `${i + 1}`));
    expect(await roomy.stop()).toBe(0);
  },
  TEST_MS_MAX,
);
