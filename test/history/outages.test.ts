/**
 * A database that is away: the chat goes on, what can be written later is, and what is lost is told.
 *
 * This file owns outages and their ends. Nothing here is faked: files are locked, servers end and hang.
 */
import { Database as File } from "bun:sqlite";
import { expect, test } from "bun:test";
import { SqlHistory } from "../../src/history/history.ts";
import type { HistoryPlace } from "../../src/history/place.ts";
import { within } from "../support/client-deadline.ts";
import { asking, HistoryRig, historyTest, type MakePlace, postgresTest } from "../support/history-rig.ts";
import { PostgresServer } from "../support/postgres-server.ts";
import { temporaryFolder } from "../support/program.ts";
import { Relay } from "../support/relay.ts";

/** A database that can be taken away and given back. */
interface Fragile extends AsyncDisposable {
  readonly place: HistoryPlace;
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
}

/** Another program holds the lock of the file. */
async function fragileFile(make: MakePlace): Promise<Fragile> {
  const place = await make();
  if (place.kind !== "sqlite") throw new Error("not a file");
  let other: File | undefined;
  const giveBack = async (): Promise<void> => {
    other?.close();
    other = undefined;
  };
  return {
    place,
    async takeAway() {
      other = new File(place.path);
      other.run("BEGIN IMMEDIATE");
    },
    giveBack,
    [Symbol.asyncDispose]: giveBack,
  };
}

/** The server ends, and is started again. */
async function fragileServer(): Promise<Fragile> {
  const server = await PostgresServer.start();
  return {
    place: { kind: "postgres", url: server.url },
    takeAway: () => server.stop(),
    giveBack: () => server.restart(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Waits until something is so. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const look = async (): Promise<void> => {
    while (!isSo()) await Bun.sleep(20);
  };
  await within(what, look(), 30_000);
}

historyTest("an outage holds nobody up, loses nothing, and is told once", async (make, kind) => {
  await using fragile = await (kind === "sqlite" ? fragileFile(make) : fragileServer());
  await using rig = await HistoryRig.open(fragile.place);
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 3);
  await rig.history.flush();
  await fragile.takeAway();
  await rig.talk(tokens, 4, 4);
  await until("the outage is noticed", () => rig.history.figures.isDown);
  await rig.talk(tokens, 4, 8);
  await until("it is tried again", () => rig.history.figures.failures > 2);
  // What the lobby has is read as ever; nobody may be told that somebody is forgotten who is not.
  expect(await rig.read(tokens[0], room)).toMatchObject({ lines: { length: 11 }, hasMore: false });
  const refused = await rig.world.call("forget_me", { session_token: tokens[0] });
  expect(refused.structuredContent?.error).toMatchObject({ code: "unavailable", retry_after_ms: expect.any(Number) });
  expect(refused.isError).toBe(true);
  const told = JSON.stringify(refused.structuredContent);
  expect(told).toContain("Call forget_me again");
  expect(told).not.toContain("client_message_id");
  // Nor is it known who is forgotten already, unless a locked file can still be read.
  const again = await rig.world.call("forget_me", { session_token: `mcpc_${"x".repeat(43)}` });
  const code = kind === "sqlite" ? "bad_session_token" : "unavailable";
  expect(again.structuredContent?.error).toMatchObject({ code });
  expect((await rig.world.ask("chat_status", { session_token: tokens[0] })).status).toBe("chatting");
  await fragile.giveBack();
  await until("it is over", () => !rig.history.figures.isDown && rig.history.figures.waiting === 0);
  await rig.world.ask("leave_chat", { session_token: tokens[0] });
  await rig.forgetRooms();
  const page = await rig.read(tokens[1], room);
  expect(page.lines.length).toBe(11);
  expect(page.missing).toBeUndefined();
  expect(rig.log.map((line) => line.replace(/\{.*/, "").trim())).toEqual([
    "the history cannot be written; the chat goes on",
    "the history is written again",
  ]);
});

historyTest("who asks for what only the database has is told to come back", async (make, kind) => {
  // A file that is locked can still be read.
  await using fragile = await (kind === "sqlite" ? fragileFile(make) : fragileServer());
  await using rig = await HistoryRig.open(fragile.place, { loopMessagesMax: 0 });
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 510);
  await rig.history.flush();
  await fragile.takeAway();
  const latest = await rig.read(tokens[0], room, { before: 20 });
  const earlier = await rig.read(tokens[0], room, { before: 5 });
  if (kind === "sqlite") {
    expect(latest.lines.length).toBe(19);
    expect(earlier.lines.length).toBe(4);
    return;
  }
  // What is here is given, and that there may be more; the next call finds out that it cannot be had just now.
  expect(latest).toMatchObject({ lines: { length: 9 }, hasMore: true, refusal: undefined });
  expect(earlier.refusal).toBe("unavailable");
  await fragile.giveBack();
  expect((await rig.read(tokens[0], room, { before: 5 })).lines.length).toBe(4);
});

historyTest("what finds no place to wait is left out, and what is lost of it is told", async (make, kind) => {
  await using fragile = await (kind === "sqlite" ? fragileFile(make) : fragileServer());
  await using rig = await HistoryRig.open(fragile.place, { loopMessagesMax: 0 });
  const { room, tokens } = await rig.meet("ann", "bob");
  await fragile.takeAway();
  const text = "x".repeat(4000);
  let said = 0;
  while (rig.history.figures.leftOut < 100) {
    await rig.say(tokens[said % 2] ?? "", text);
    said++;
  }
  const { waiting, waitingBytes } = rig.history.figures;
  expect(waitingBytes).toBeLessThanOrEqual(32 * 1024 * 1024);
  const kept = rig.world.lobby.rooms.get(room)?.transcript[0]?.body.seq ?? 0;
  await fragile.giveBack();
  await until("it is over", () => !rig.history.figures.isDown && rig.history.figures.waiting === 0);
  await rig.history.idle();
  await rig.world.ask("leave_chat", { session_token: tokens[0] });
  await rig.forgetRooms();
  const rows = await asking(fragile.place, "SELECT count(*) AS n FROM mcp_chat_lines");
  // The room took a place too.
  const lost = { from: waiting, to: kept - 1 };
  expect(Number(rows[0]?.n)).toBe(said - (lost.to - lost.from + 1));
  expect((await rig.read(tokens[0], room, { limit: 100 })).missing).toEqual([lost]);
  expect((await rig.read(tokens[0], room, { limit: 20 })).missing).toBeUndefined();
  expect((await rig.read(tokens[0], room, { before: lost.from, limit: 5 })).missing).toBeUndefined();
  const answer = await rig.world.call("get_history", { session_token: tokens[0], room_id: room, limit: 100 });
  expect(JSON.stringify(answer.content)).toContain(
    `Not kept, though they were said: message ${lost.from} to ${lost.to}.`,
  );
});

historyTest("what a crash has left unwritten is written again from what the lobby has kept, once", async (make) => {
  const [lost, place] = [await make(), await make()];
  await using rig = await HistoryRig.open(lost);
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 6);
  await rig.world.ask("leave_chat", { session_token: tokens[0] });
  const next = await rig.meet("cat", "dan");
  await rig.talk(next.tokens, 2);
  // The history of the next life, in which nothing of this has arrived.
  const history = await SqlHistory.open({
    place,
    retainDays: 30,
    log: { info: () => undefined, warn: () => undefined },
  });
  history.record(rig.world.server.host);
  for (let n = 0; n < 2; n++) {
    history.catchUp();
    await history.idle();
  }
  const count = async (table: string): Promise<number> =>
    Number((await asking(place, `SELECT count(*) AS n FROM mcp_chat_${table}`))[0]?.n);
  expect([await count("rooms"), await count("people"), await count("lines")]).toEqual([2, 4, 8]);
  const [first] = await asking(place, `SELECT closed_at, reason, messages FROM mcp_chat_rooms WHERE id = '${room}'`);
  expect(first).toMatchObject({ reason: "left" });
  expect(Number(first?.messages)).toBe(6);
  await history.close();
});

postgresTest("postgres: a server that hangs is given up, and taken up again", async () => {
  await using server = await PostgresServer.start();
  const relay = new Relay(server.port);
  const place: HistoryPlace = { kind: "postgres", url: server.urlFor(server.password, relay.port) };
  await using rig = await HistoryRig.open(place, {}, { callMs: 400 });
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 2);
  await rig.history.flush();
  relay.freeze();
  await rig.talk(tokens, 2, 3);
  const asked = rig.read(tokens[0], "room_that_is_not_here");
  await until("the outage is noticed", () => rig.history.figures.isDown);
  expect((await within("the reader is answered", asked, 5000)).refusal).toBe("unavailable");
  relay.cut();
  await until("it is over", () => !rig.history.figures.isDown && rig.history.figures.waiting === 0);
  const rows = await asking({ kind: "postgres", url: server.url }, "SELECT count(*) AS n FROM mcp_chat_lines");
  expect(Number(rows[0]?.n)).toBe(4);
  expect((await rig.read(tokens[0], room)).lines.length).toBe(4);
  relay.down();
});

test("a stop does not wait for a database that is away", async () => {
  await using fragile = await fragileFile(async () => ({ kind: "sqlite", path: `${temporaryFolder()}/history.db` }));
  const rig = await HistoryRig.open(fragile.place);
  const { tokens } = await rig.meet("ann", "bob");
  await fragile.takeAway();
  await rig.talk(tokens, 2);
  await within("it stops", rig[Symbol.asyncDispose](), 3000);
  expect(rig.log.at(-1)).toContain("some of the history could not be written");
});
