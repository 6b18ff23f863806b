/**
 * Data directories that earlier versions have left behind, taken up by this one: everybody is there, and
 * so is what they said.
 *
 * This file owns the way from an old directory to a running server. In fixtures/ lie two of the first version
 * that had any (rows of version 1), made by its own server while official clients used it: `stopped` after a
 * polite stop, with the snapshot that it wrote; `killed` by SIGKILL, with nothing but the journal. Both hold
 * the same story, told in test/support/upgrade-world.ts; people.json says what its clients held in their hands. The session keys were
 * made for these two directories and are used nowhere else. A fixture is never changed; a version of which rows
 * are read gets one more.
 */
import { describe, expect, test } from "bun:test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { freeze } from "../../src/domain/freeze.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { todaysRows } from "../../src/domain/older-rows.ts";
import { SNAPSHOT_VERSION } from "../../src/domain/snapshot.ts";
import { thaw } from "../../src/domain/thaw.ts";
import { type ChatClient, connect, type Flavour, type Identity } from "../support/client-flavours.ts";
import { type HeaderFields, type Json, post, RawModern } from "../support/client-raw.ts";
import { CHECKOUT, type Program, run, startProgram, temporaryFolder } from "../support/program.ts";
import { ADMIN_TOKEN, heldSchema, makeWorld } from "../support/upgrade-world.ts";

const TEST_MS_MAX = 60_000;
const MAIN = join(CHECKOUT, "src/main.ts");
const CLOCK = join(CHECKOUT, "test/support/clock-elsewhen.ts");
const SNAPSHOT = "snapshot-000000000000035.jsonl";
/** As the servers of then were set. */
const SETTINGS = ["--widen-seconds", "86400", "--trusted-proxies", "127.0.0.1"];

/** A directory of then, copied, and what people held. */
function fixture(kind: string) {
  const path = temporaryFolder();
  const from = join(CHECKOUT, "test/journal/fixtures", kind);
  cpSync(from, path, { recursive: true, filter: (name) => !name.endsWith(".json") });
  return { path, ...heldSchema.parse(JSON.parse(readFileSync(join(from, "people.json"), "utf8"))) };
}

type Fixture = ReturnType<typeof fixture>;

/** A directory that today's server leaves behind when it is stopped or killed. */
async function todays(kind: string): Promise<Fixture> {
  const path = temporaryFolder();
  const args = ["--data", path, ...SETTINGS];
  const server = await startProgram({ kind: "source", args, env: { MCP_CHAT_ADMIN_TOKEN: ADMIN_TOKEN } });
  const { held, leave } = await makeWorld(server);
  if (kind === "stopped") expect(await server.stop()).toBe(0);
  else server.kill("SIGKILL");
  await server.exited;
  await leave();
  return { path, ...held };
}

/** Starts today's server on it, half a minute after the other one has ended. */
function startThen({ path, madeAt }: Fixture): Promise<Program> {
  return startProgram({
    kind: { command: [process.execPath, "--preload", CLOCK, MAIN, "--data", path, ...SETTINGS] },
    env: { CLOCK_STARTS_AT: `${madeAt + 30_000}`, MCP_CHAT_ADMIN_TOKEN: ADMIN_TOKEN },
  });
}

/** Somebody with nothing but the token they had then. */
function withToken({ people }: Fixture, url: string, name: string): RawModern {
  const caller = new RawModern(url);
  caller.token = people[name]?.token;
  expect(caller.token).toBeDefined();
  return caller;
}

/** Somebody at an official client, with the session they had then. */
function withSession({ people }: Fixture, url: string, name: string, flavour: Flavour): Promise<ChatClient> {
  const { token, cursor, heard, session } = people[name] ?? { heard: [] };
  const as: Identity = { token, cursor, heard, session };
  return connect(flavour, url, { as, by: "session" });
}

async function ask(origin: string, path: string): Promise<Json> {
  const response = await fetch(`${origin}/admin${path}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  expect(response.status).toBe(200);
  return z.record(z.string(), z.unknown()).parse(await response.json());
}

const textsOf = (structured: Json): unknown[] => {
  const messages = z.array(z.object({ message: z.string() })).parse(structured.messages);
  return messages.map(({ message }) => message);
};

test.each([
  ["1", "stopped", fixture],
  ["1", "killed", fixture],
  ["today", "stopped", todays],
  ["today", "killed", todays],
] as const)(
  "a directory of version %s, %s: everybody, every conversation, unread mail, sessions and bans are there",
  async (_version, kind, find) => {
    const then = await find(kind);
    const server = await startThen(then);
    const { url, origin } = server;

    // Ann and Carl are in a room. Ann has not heard Carl's last message: her stream was gone.
    const ann = await withSession(then, url, "ann", "v1");
    expect(await ann.hear()).toMatchObject({ name: "message.received", data: { message: "are you there" } });
    const carl = await withSession(then, url, "carl", "v2-legacy");
    expect((await ann.send("I am, after all")).structuredContent).toMatchObject({ seq: 4 });
    for (;;) {
      const event = await carl.hear();
      if (event.name !== "message.received") continue;
      expect(event.data).toMatchObject({ room_id: then.openRoom, message: "I am, after all" });
      break;
    }
    // A message that was answered then is not posted again.
    expect((await carl.send("are you there", "c-2")).structuredContent).toMatchObject({ seq: 3 });

    // Bob was in a room with Ann, and can still read what was said.
    const bob = withToken(then, url, "bob");
    const said = await bob.call("get_history", { room_id: then.closedRoom });
    expect(textsOf(said.structured)).toEqual(["hello bob", "hello ann, it is wet"]);
    expect((await bob.call("chat_status")).structured).toMatchObject({
      status: "idle",
      user: { interests: ["rain", "tea"] },
    });
    // Ann has blocked him: they do not meet, though both wait for somebody who likes rain.
    await ann.leave();
    await ann.enter({ interests: ["rain"] });
    expect((await bob.call("enter_queue", { interests: ["rain"] })).structured).toMatchObject({ status: "waiting" });

    // Frank waits, and has not heard what the operator told everybody; Dora waits for whoever knows the code.
    const frank = withToken(then, url, "frank");
    expect((await frank.call("chat_status")).structured).toMatchObject({ status: "waiting", unread_count: 1 });
    const { structured } = await frank.call("wait_for_message", { timeout_seconds: 1 });
    expect(JSON.stringify(structured.events)).toContain("Tea is at five.");
    const guest = new RawModern(url);
    const met = await guest.call("join_room", { room_code: "Blue Tiger", display_name: "Guest" });
    expect(met.structured).toMatchObject({ status: "matched", room: { partner: { display_name: "Dora" } } });

    // Mallory is banned, and so is an address; the report is there with what was said.
    expect((await withToken(then, url, "mallory").call("enter_queue")).refusal).toBe("banned");
    const banned: HeaderFields = { "x-forwarded-for": "203.0.113.9" };
    expect((await new RawModern(url, banned).call("enter_queue")).refusal).toBe("banned");
    expect(await ask(origin, `/reports/${then.report}`)).toMatchObject({ category: "scam", details: "coins" });

    // A session that had ended has ended.
    const late = { "mcp-session-id": then.endedSession, "mcp-protocol-version": "2025-11-25" };
    expect((await post(url, { jsonrpc: "2.0", id: 1, method: "tools/list" }, late)).status).toBe(404);

    await Promise.all([ann.close(), carl.close()]);
    expect(await server.stop()).toBe(0);
    // What this version has written, it reads as its own.
    const again = await startThen(then);
    expect((await withToken(then, again.url, "frank").call("chat_status")).structured).toMatchObject({
      unread_count: 0,
    });
    expect(await again.stop()).toBe(0);
    expect(server.stderr + again.stderr).not.toContain("error");
  },
  TEST_MS_MAX,
);

// --- rows -----------------------------------------------------------------------------------------

type Row = readonly [kind: string, content: Json, ...more: unknown[]];

/** The rows of the stopped one's snapshot, as they lie there. */
function oldRows(): { readonly head: Json; readonly rows: readonly Row[] } {
  const text = readFileSync(join(CHECKOUT, "test/journal/fixtures/stopped", SNAPSHOT), "utf8");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  return { head: lines[0] as Json, rows: lines.slice(1, -1) as Row[] };
}

describe("rows of version 1", () => {
  test("lie in the fixture, and say of everything what today's rows say", () => {
    const { head, rows } = oldRows();
    expect(head.rows).toBe(1);
    const lobby = thaw(todaysRows(rows));
    checkLobby(lobby);
    const today = JSON.parse(JSON.stringify([...freeze(lobby)])) as Row[];
    // What has come since, taken away again.
    const asThen = today.map(([kind, content, ...more]): unknown => {
      if (kind === "lobby") {
        const { version, nextNode, rules, ...rest } = content;
        expect([version, nextNode, rules]).toEqual([SNAPSHOT_VERSION, 1, 0]);
        return [kind, rest];
      }
      if (kind !== "user") return [kind, content, ...more];
      const sessions = content.sessions as [string, number, number][];
      return [kind, { ...content, sessions: sessions.map(([key, read]) => [key, read]) }];
    });
    expect(asThen).toEqual([...rows]);
  });

  test("do not say whose streams are open: of an only session they are its own, of several nobody's", () => {
    const { rows } = oldRows();
    const withStreams = rows.map(([kind, content, ...more]): Row => {
      if (kind !== "user") return [kind, content, ...more];
      const { userId, sessions } = content as { userId: string; sessions: [string, number][] };
      const both = userId === "ann" ? [...sessions, ["another", 0]] : sessions;
      // Whoever has streams is not away.
      const { awaySince: _awaySince, ...rest } = content;
      return [kind, { ...rest, streams: 2, sessions: both }];
    });
    const lobby = thaw(todaysRows(withStreams));
    expect([...lobby.bindings].map(([, { user, streams }]) => [user, streams])).toEqual([
      [1, 0],
      [1, 0],
      [4, 2],
    ]);
  });

  test.each([
    ["a later version", [["lobby", { version: SNAPSHOT_VERSION + 1 }]], "a snapshot is of a later version"],
    ["a version that never was", [["lobby", { version: 0 }]], "a snapshot is of no version"],
    ["no head", [["user", {}]], "a snapshot does not begin with its lobby"],
  ])("are told from %s", (_what, rows, message) => {
    expect(() => [...todaysRows(rows)]).toThrow(message);
  });
});

describe("a directory that cannot be taken up", () => {
  /** Starts today's server on the stopped one after its snapshot was changed. @returns what it says */
  async function refusal(change: (text: string) => string): Promise<string> {
    const { path } = fixture("stopped");
    const file = join(path, SNAPSHOT);
    const text = readFileSync(file, "utf8");
    const changed = change(text);
    expect(changed).not.toBe(text);
    writeFileSync(file, changed);
    const { code, stdout, stderr } = await run([process.execPath, MAIN, "--port", "0", "--data", path]);
    expect([code, stdout]).toEqual([1, ""]);
    return stderr.replace(file, "FILE");
  }

  test("because a later version has written it, says so", async () => {
    expect(await refusal((text) => text.replace('"rows":1', `"rows":${SNAPSHOT_VERSION + 1}`))).toBe(
      "mcp-chat: FILE was written by a newer version of mcp-chat\n",
    );
  });

  test("because somebody has changed what was said, says so, of old rows too", async () => {
    expect(await refusal((text) => text.replace("still raining here", "still raining hero"))).toBe(
      "mcp-chat: FILE is damaged\n",
    );
  });
});
