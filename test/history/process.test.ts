/**
 * The history of a server as an operator runs it: what a killed one has written, what makes it refuse to
 * start, and how everything is taken out of it.
 *
 * This file owns exit codes, lines on stderr, and what lies in the files afterwards.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { HistoryPlace } from "../../src/history/place.ts";
import { within } from "../support/client-deadline.ts";
import { RawModern } from "../support/client-raw.ts";
import { asking, postgres, postgresTest } from "../support/history-rig.ts";
import { CHECKOUT, type Program, type Run, run, startProgram, temporaryFolder } from "../support/program.ts";

const MAIN = join(CHECKOUT, "src/main.ts");
const TOKEN = "operators-only";
const TEST_MS_MAX = 60_000;

/** Two who talk, in turns. @returns their room */
async function converse(server: Program, names: readonly [string, string], messages: number): Promise<string> {
  const [ann, bob] = [new RawModern(server.url), new RawModern(server.url)];
  await ann.call("enter_queue", { display_name: names[0] });
  const { structured } = await bob.call("enter_queue", { display_name: names[1] });
  const room = z.object({ room_id: z.string() }).parse(structured.room).room_id;
  for (let n = 1; n <= messages; n++) {
    await (n % 2 === 1 ? ann : bob).call("send_message", { message: `message ${n}` });
  }
  return room;
}

async function linesIn(place: HistoryPlace, room: string): Promise<readonly unknown[]> {
  const rows = await asking(
    place,
    `SELECT l.text FROM mcp_chat_lines l JOIN mcp_chat_rooms r ON r.number = l.room WHERE r.id = '${room}' ORDER BY seq`,
  );
  return rows.map(({ text }) => text);
}

/** Until the database holds so many lines of a room. */
async function written(place: HistoryPlace, room: string, count: number): Promise<readonly unknown[]> {
  const look = async (): Promise<readonly unknown[]> => {
    for (;;) {
      const lines = await linesIn(place, room);
      if (lines.length >= count) return lines;
      await Bun.sleep(50);
    }
  };
  return within(`${count} lines are written`, look(), 20_000);
}

function admin(server: Program, ...args: string[]): Promise<Run> {
  const env = { MCP_CHAT_ADMIN_TOKEN: TOKEN };
  return run([process.execPath, MAIN, "admin", "--url", server.origin, ...args], { env });
}

test(
  "with a data folder there is a history, and what was answered is in it though the server was killed",
  async () => {
    const data = join(temporaryFolder(), "data");
    const place: HistoryPlace = { kind: "sqlite", path: join(data, "history.db") };
    const first = await startProgram({ kind: "source", args: ["--data", data] });
    const room = await converse(first, ["Ann", "Bob"], 9);
    first.kill("SIGKILL");
    await first.exited;
    const second = await startProgram({ kind: "source", args: ["--data", data] });
    const expected = Array.from({ length: 9 }, (_, n) => `message ${n + 1}`);
    expect(await written(place, room, 9)).toEqual(expected);
    const later = await converse(second, ["Cat", "Dan"], 3);
    // A polite stop writes what waits.
    expect(await second.stop()).toBe(0);
    expect((await linesIn(place, later)).length).toBe(3);
    expect(second.stderr.replace(/.* info the journal has been replayed.*\n/, "")).toMatch(/^\S+ info stopping\n$/);
  },
  TEST_MS_MAX,
);

test("no history is kept if none is wanted, and there is no tool for it", async () => {
  const data = join(temporaryFolder(), "data");
  const server = await startProgram({ kind: "source", args: ["--data", data, "--history", "off"] });
  const tools = await new RawModern(server.url).call("forget_me", {}).then(
    () => "there",
    () => "not there",
  );
  expect(tools).toBe("not there");
  expect(await Bun.file(join(data, "history.db")).exists()).toBe(false);
  expect(await server.stop()).toBe(0);
});

test("what makes a history unusable ends the start with one line, without a password", async () => {
  const folder = temporaryFolder();
  const text = join(folder, "text");
  writeFileSync(text, "no database ".repeat(1000));
  const starts: readonly (readonly [string, string])[] = [
    [
      `sqlite:${join(folder, "nowhere/history.db")}`,
      `at ${join(folder, "nowhere/history.db")}: its folder is not there`,
    ],
    [`sqlite:${text}`, `at ${text}: it is no SQLite database`],
    ["postgres://chat:s3cret@127.0.0.1:1/chat", "in PostgreSQL at 127.0.0.1:1: nothing answers there"],
  ];
  for (const [place, reason] of starts) {
    const ended = await run([process.execPath, MAIN, "--port", "0"], { env: { MCP_CHAT_HISTORY: place } });
    expect(ended).toEqual({ code: 1, stdout: "", stderr: `mcp-chat: cannot use the history ${reason}\n` });
  }
  const wrong = await run([process.execPath, MAIN, "--port", "0", "--history", "mysql://chat:s3cret@127.0.0.1/chat"]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("--history: this value is not allowed; allowed: sqlite:PATH, postgres://");
  expect(wrong.stderr).not.toContain("s3cret");
});

test(
  "an operator takes everything out as lines of JSON, or a part",
  async () => {
    const path = join(temporaryFolder(), "history.db");
    const server = await startProgram({
      kind: "source",
      args: ["--history", `sqlite:${path}`],
      env: { MCP_CHAT_ADMIN_TOKEN: TOKEN, MCP_CHAT_METRICS: "true" },
    });
    const room = await converse(server, ["Ann", "Bob"], 12);
    const other = await converse(server, ["Cat \u{1f431}", "Dan"], 2);
    const everything = await admin(server, "export");
    expect([everything.code, everything.stderr]).toEqual([0, ""]);
    // On a terminal nothing of it can act.
    expect(everything.stdout).toMatch(/^[\n -~]*$/);
    const lines = everything.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual(["room", ...Array(12).fill("message"), "room", "message", "message"]);
    const [first, message] = lines;
    expect(first).toMatchObject({ room_id: room, closed_at: null, messages: null });
    expect(first.participants.map((one: { display_name: string }) => one.display_name)).toEqual(["Ann", "Bob"]);
    expect(message).toMatchObject({ room_id: room, seq: 1, message: "message 1", from: first.participants[0].user_id });
    expect(lines[13].participants[0].display_name).toBe("Cat \u{1f431}");
    expect(everything.stdout).not.toContain("identity");

    const count = async (...args: string[]): Promise<number> => {
      const { code, stdout } = await admin(server, "export", ...args);
      expect(code).toBe(0);
      return stdout.split("\n").length - 1;
    };
    expect(await count("room", other)).toBe(3);
    expect(await count("room", "room_nowhere")).toBe(0);
    expect(await count("user", first.participants[1].user_id)).toBe(13);
    expect(await count("--since", "1h")).toBe(16);
    // Rooms that are open, and nothing of what was said.
    expect(await count("--since", "2099-01-01")).toBe(2);
    expect((await admin(server, "export", "--since", "yesterday")).code).toBe(2);
    const direct = await fetch(`${server.origin}/admin/export?since=yesterday`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(direct.status).toBe(400);
    expect((await fetch(`${server.origin}/admin/export`)).status).toBe(401);

    const figures = await (await fetch(`${server.origin}/metrics`)).text();
    expect(figures).toMatch(/^mcp_chat_history_up 1$/m);
    expect(figures).toMatch(/^mcp_chat_history_written_total 16$/m);
    expect(await server.stop()).toBe(0);
    expect(server.stderr).toContain("the operator exported the history");
  },
  TEST_MS_MAX,
);

test("a server without a history says so when it is to be exported", async () => {
  const server = await startProgram({ kind: "source", env: { MCP_CHAT_ADMIN_TOKEN: TOKEN } });
  const { code, stderr } = await admin(server, "export");
  expect([code, stderr]).toEqual([1, "mcp-chat: This server keeps no history: start it with data or history.\n"]);
  await server.stop();
});

postgresTest("postgres: a server writes to it, and says nothing of its password", async (make) => {
  const place = await make();
  if (place.kind !== "postgres") throw new Error("no server");
  const server = await startProgram({ kind: "executable", env: { MCP_CHAT_HISTORY: place.url } });
  const room = await converse(server, ["Ann", "Bob"], 4);
  expect((await written(place, room, 4)).length).toBe(4);
  expect(await server.stop()).toBe(0);
  const { password } = await postgres();
  for (const secret of [password, encodeURIComponent(password)]) {
    expect(server.stdout + server.stderr).not.toContain(secret);
  }
});
