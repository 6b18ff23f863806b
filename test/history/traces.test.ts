/**
 * What lies in the files of a history once something was erased: pages that are free, space between cells,
 * and the log beside the file.
 *
 * This file owns looking at bytes; what SQL sees of an erasing is looked at where forgetting is.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { HistoryPlace } from "../../src/history/place.ts";
import { RawModern } from "../support/client-raw.ts";
import { HistoryRig } from "../support/history-rig.ts";
import { startProgram, temporaryFolder } from "../support/program.ts";

const TEST_MS_MAX = 60_000;

type FilePlace = Extract<HistoryPlace, { kind: "sqlite" }>;

function newPlace(): FilePlace {
  return { kind: "sqlite", path: join(temporaryFolder(), "history.db") };
}

/** Words that begin so, as they stand in any file of a history: by file, how many different ones. */
function tracesIn({ path }: FilePlace, word: string): Readonly<Record<string, number>> {
  const traces: Record<string, number> = {};
  for (const name of readdirSync(dirname(path))) {
    // Not what is only shared memory, and nothing but the history.
    if (!name.startsWith(basename(path)) || name.endsWith("-shm")) continue;
    const found = readFileSync(join(dirname(path), name), "latin1").match(new RegExp(`${word}-\\d+`, "g"));
    if (found !== null) traces[name] = new Set(found).size;
  }
  return traces;
}

/** Conversations that are written in turns, so that pages are split in their middle: each of a somebody with Bob. */
async function converse(rig: HistoryRig, rooms: number, messages: number): Promise<(readonly [string, string])[]> {
  const pairs: (readonly [string, string])[] = [];
  for (let n = 0; n < rooms; n++) pairs.push((await rig.meet(`NAME-${n}`, `bob_${n}`)).tokens);
  for (let n = 0; n < messages; n++) {
    for (const [index, [ann, bob]] of pairs.entries()) {
      await rig.say(ann, `HERS-${n * rooms + index} ${"lorem ipsum ".repeat((n * 7 + index * 13) % 60)}`);
      await rig.say(bob, `HIS-${n * rooms + index} ${"dolor sit ".repeat((n * 5 + index * 3) % 40)}`);
    }
  }
  await rig.history.flush();
  return pairs;
}

test(
  "when forget_me is answered no file holds the words or the name, and the others' words are there",
  async () => {
    const place = newPlace();
    await using rig = await HistoryRig.open(place, { loopMessagesMax: 0 });
    const pairs = await converse(rig, 6, 60);
    expect(tracesIn(place, "HERS")).not.toEqual({});
    // Some of it is in the file, some in the log, some is still to be written.
    await rig.history.sweep();
    expect(tracesIn(place, "HERS")).toEqual({ "history.db": 360 });
    const [first] = pairs;
    await rig.say(first?.[0] ?? "", "HERS-9999 the last");
    for (const [ann] of pairs)
      expect(await rig.world.ask("forget_me", { session_token: ann })).toEqual({ success: true });
    expect(tracesIn(place, "HERS")).toEqual({});
    expect(tracesIn(place, "NAME")).toEqual({});
    expect(tracesIn(place, "HIS")).toEqual({ "history.db": 360 });
  },
  TEST_MS_MAX,
);

test(
  "what is too old is in no file either",
  async () => {
    const place = newPlace();
    await using rig = await HistoryRig.open(place, { loopMessagesMax: 0 }, { retainDays: 1 });
    for (const [ann] of await converse(rig, 3, 40)) await rig.world.ask("leave_chat", { session_token: ann });
    await rig.history.flush();
    await rig.world.clock.pass(49 * 3600 * 1000);
    await rig.history.sweep();
    for (const word of ["HERS", "HIS", "NAME"]) expect(tracesIn(place, word)).toEqual({});
  },
  TEST_MS_MAX,
);

test(
  "another program that reads the file delays the end of the words, and not the answer",
  async () => {
    const place = newPlace();
    await using rig = await HistoryRig.open(place, { loopMessagesMax: 0 });
    const [pair] = await converse(rig, 1, 20);
    const reader = new Bun.SQL({ adapter: "sqlite", filename: place.path });
    await reader.unsafe("BEGIN");
    await reader.unsafe("SELECT count(*) FROM mcp_chat_lines");
    expect(await rig.world.ask("forget_me", { session_token: pair?.[0] ?? "" })).toEqual({ success: true });
    expect(tracesIn(place, "HERS")).not.toEqual({});
    await reader.unsafe("COMMIT");
    await reader.close();
    // By itself: nothing is written any more, and nobody asks.
    while (Object.keys(tracesIn(place, "HERS")).length > 0) await Bun.sleep(50);
    expect(tracesIn(place, "HIS")).toEqual({ "history.db": 20 });
  },
  TEST_MS_MAX,
);

test(
  "a server that is stopped leaves no log beside the file",
  async () => {
    const data = join(temporaryFolder(), "data");
    const server = await startProgram({ kind: "source", args: ["--data", data] });
    const [ann, bob] = [new RawModern(server.url), new RawModern(server.url)];
    await ann.call("enter_queue", { display_name: "Ann" });
    const entered = await bob.call("enter_queue", { display_name: "Bob" });
    for (let n = 1; n <= 9; n++) await ann.call("send_message", { message: `HERS-${n}` });
    // Asked twice, as the second answer is read from the file: a connection that only reads cannot empty the log.
    const token = { session_token: String(entered.structured.session_token) };
    for (let n = 0; n < 2; n++) {
      expect((await new RawModern(server.url).call("forget_me", token)).structured).toEqual({ success: true });
    }
    expect(await server.stop()).toBe(0);
    const path = join(data, "history.db");
    expect(tracesIn({ kind: "sqlite", path }, "HERS")).toEqual({ "history.db": 9 });
    expect(existsSync(`${path}-wal`)).toBe(false);
  },
  TEST_MS_MAX,
);
