/**
 * How long things are kept, in which shape, and where they may lie: retention, versions of the schema, and
 * what an operator reads if a place cannot be used.
 *
 * This file owns what happens before and after a line is of interest. Reading it has a file of its own.
 */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SqlHistory } from "../../src/history/history.ts";
import type { HistoryPlace } from "../../src/history/place.ts";
import { STEPS, type Step } from "../../src/history/schema.ts";
import { asking, HistoryRig, historyTest, postgres, postgresTest } from "../support/history-rig.ts";
import { temporaryFolder } from "../support/program.ts";

const DAY_MS = 24 * 3600 * 1000;
const SILENT = { info: () => undefined, warn: () => undefined };

async function count(place: HistoryPlace, table: string): Promise<number> {
  return Number((await asking(place, `SELECT count(*) AS n FROM mcp_chat_${table}`))[0]?.n);
}

/** Why a place cannot be used. */
async function refusal(place: HistoryPlace, steps?: readonly Step[]): Promise<string> {
  try {
    const history = await SqlHistory.open({ place, retainDays: 30, log: SILENT, ...(steps && { steps }) });
    await history.close();
    return "opened";
  } catch (problem) {
    return problem instanceof Error ? `${problem.name}: ${problem.message}` : "not an error";
  }
}

// --- retention ------------------------------------------------------------------------------------

historyTest("lines go when they are as old as is set, and a room with its last line", async (make) => {
  const place = await make();
  await using rig = await HistoryRig.open(place, { loopMessagesMax: 0, idleMs: 15 * DAY_MS }, { retainDays: 10 });
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 1200);
  await rig.world.clock.pass(4 * DAY_MS);
  await rig.talk(tokens, 3, 1201);
  await rig.world.ask("leave_chat", { session_token: tokens[0] });
  await rig.history.flush();
  await rig.world.clock.pass(5 * DAY_MS);
  await rig.history.sweep();
  expect(await count(place, "lines")).toBe(1203);
  await rig.world.clock.pass(2 * DAY_MS);
  await rig.history.sweep();
  expect(await count(place, "lines")).toBe(3);
  // What is too old is not missed.
  expect(await rig.read(tokens[0], room)).toMatchObject({ lines: { length: 3 }, hasMore: false, missing: undefined });
  await rig.world.clock.pass(5 * DAY_MS);
  await rig.history.sweep();
  expect([await count(place, "lines"), await count(place, "rooms"), await count(place, "people")]).toEqual([0, 0, 0]);
});

historyTest("a room in which somebody still writes is kept however long it is open", async (make) => {
  const place = await make();
  const settings = { loopMessagesMax: 0, idleMs: 15 * DAY_MS };
  await using rig = await HistoryRig.open(place, settings, { retainDays: 2 });
  const { room, tokens } = await rig.meet("ann", "bob");
  for (let n = 0; n < 5; n++) {
    await rig.talk(tokens, 2, 2 * n + 1);
    await rig.history.flush();
    await rig.world.clock.pass(DAY_MS);
    await rig.history.sweep();
  }
  expect(await count(place, "lines")).toBe(4);
  await rig.world.clock.pass(3 * DAY_MS);
  await rig.history.sweep();
  expect([await count(place, "lines"), await count(place, "rooms")]).toEqual([0, 0]);
  // Its end writes it down anew, or what is said then could be read by nobody.
  await rig.world.ask("leave_chat", { session_token: tokens[0] });
  await rig.history.flush();
  expect(await count(place, "people")).toBe(2);
  expect((await rig.read(tokens[1], room)).refusal).toBeUndefined();
});

historyTest("that somebody was forgotten is remembered as long as something of theirs might come", async (make) => {
  const place = await make();
  await using rig = await HistoryRig.open(place, {}, { retainDays: 10 });
  const { tokens } = await rig.meet("ann", "bob");
  await rig.world.call("forget_me", { session_token: tokens[0] });
  await rig.world.clock.pass(9 * DAY_MS);
  await rig.history.sweep();
  expect(await count(place, "forgotten")).toBe(1);
  await rig.world.clock.pass(2 * DAY_MS);
  await rig.history.sweep();
  expect(await count(place, "forgotten")).toBe(0);
});

// --- versions -------------------------------------------------------------------------------------

historyTest(
  "an older history is brought to the present version, step by step, with all that is in it",
  async (make) => {
    const place = await make();
    const first = await HistoryRig.open(place);
    const { tokens } = await first.meet("ann", "bob");
    await first.talk(tokens, 2);
    await first[Symbol.asyncDispose]();
    const more: Step[] = [
      () => ["ALTER TABLE mcp_chat_lines ADD COLUMN mood TEXT", "UPDATE mcp_chat_lines SET mood = 'fine'"],
      () => ["CREATE INDEX mcp_chat_lines_mood ON mcp_chat_lines (mood)"],
    ];
    const history = await SqlHistory.open({ place, retainDays: 30, log: SILENT, steps: [...STEPS, ...more] });
    await history.close();
    const lines = await asking(place, "SELECT text, mood FROM mcp_chat_lines ORDER BY seq");
    expect(lines).toEqual([
      { text: "message 1", mood: "fine" },
      { text: "message 2", mood: "fine" },
    ]);
    // For whoever does not know of this, it is too new.
    const known = STEPS.length;
    expect(await refusal(place)).toMatch(
      new RegExp(`the history has version ${known + 2}, and this mcp-chat knows up to ${known}: start the newer one$`),
    );
  },
);

historyTest("a step that fails leaves the version before, whole", async (make) => {
  const place = await make();
  await (await HistoryRig.open(place))[Symbol.asyncDispose]();
  const broken: Step = () => ["ALTER TABLE mcp_chat_lines ADD COLUMN mood TEXT", "INSERT INTO nowhere VALUES (1)"];
  expect(await refusal(place, [...STEPS, broken])).toStartWith("HistoryFault: cannot use the history ");
  const [version] = await asking(place, "SELECT version FROM mcp_chat_schema");
  expect(Number(version?.version)).toBe(STEPS.length);
  expect(await refusal(place)).toBe("opened");
  expect(await refusal(place, [...STEPS, () => ["ALTER TABLE mcp_chat_lines ADD COLUMN mood TEXT"]])).toBe("opened");
});

historyTest("several that start at once bring it there together", async (make) => {
  const place = await make();
  await (await HistoryRig.open(place))[Symbol.asyncDispose]();
  const steps = [...STEPS, () => ["CREATE TABLE mcp_chat_more (a BIGINT)"]];
  // A file has one server at a time.
  const starts = place.kind === "sqlite" ? 1 : 4;
  const outcomes = await Promise.all(Array.from({ length: starts }, () => refusal(place, steps)));
  expect(new Set(outcomes)).toEqual(new Set(["opened"]));
});

// --- places ---------------------------------------------------------------------------------------

test("a file is its owner's alone, and made if it is not there", async () => {
  const path = join(temporaryFolder(), "history.db");
  expect(await refusal({ kind: "sqlite", path })).toBe("opened");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a place that cannot be used is refused in words", async () => {
  const folder = temporaryFolder();
  const at = (name: string): HistoryPlace => ({ kind: "sqlite", path: join(folder, name) });
  writeFileSync(join(folder, "text"), "What is here was never a database, whatever it may be.".repeat(100));
  mkdirSync(join(folder, "folder"));
  const words: readonly (readonly [HistoryPlace, string])[] = [
    [at("nowhere/history.db"), "its folder is not there"],
    [at("folder"), "it is a folder"],
    [at("text"), "it is no SQLite database"],
    [{ kind: "postgres", url: "postgres://chat:s3cret@127.0.0.1:1/chat" }, "nothing answers there"],
  ];
  for (const [place, reason] of words) {
    const said = await refusal(place);
    expect(said).toStartWith("HistoryFault: cannot use the history ");
    expect(said).toEndWith(`: ${reason}`);
    expect(said).not.toContain("s3cret");
  }
});

test("a file that nobody may write to is refused in words", async () => {
  // Root may write to everything, but to what the system itself gives out.
  const isRoot = process.getuid?.() === 0;
  const path = isRoot ? "/proc/self/status" : join(temporaryFolder(), "history.db");
  if (!isRoot) {
    writeFileSync(path, "");
    chmodSync(path, 0o400);
  }
  expect(await refusal({ kind: "sqlite", path })).toContain(": no permission");
});

postgresTest("postgres: a wrong password, a database that is not there, and one of another encoding", async () => {
  const server = await postgres();
  await asking({ kind: "postgres", url: server.url }, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
  const words: readonly (readonly [string, string])[] = [
    [server.urlFor("guessed"), "it does not know this user and password"],
    [server.url.replace(/\/postgres$/, "/nowhere"), "it has no such database"],
    [server.url.replace(/\/postgres$/, "/latin"), "encoding UTF8: what people write has every character"],
  ];
  for (const [url, reason] of words) {
    const said = await refusal({ kind: "postgres", url });
    expect(said).toEndWith(reason);
    for (const secret of [server.password, encodeURIComponent(server.password), "guessed"]) {
      expect(said).not.toContain(secret);
    }
  }
});

postgresTest("postgres: the URL says which database, whatever the environment says", async (make) => {
  const place = await make();
  process.env.PGDATABASE = "nowhere";
  try {
    expect(await refusal(place)).toBe("opened");
  } finally {
    delete process.env.PGDATABASE;
  }
});
