/**
 * Random worlds that are frozen on the way, carried through JSON and thawed: the thawed lobby goes on in
 * lockstep with the model as the frozen one would have, and says the same of itself.
 *
 * This file owns what a journal may rely on: rows that depend on the state alone, lobbies that come out as
 * they went in, and entries that can be left out.
 */
import { describe, expect, test } from "bun:test";
import type { Entry } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { freeze } from "../../src/domain/freeze.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { createLobby, isDue, isWithoutEffect, step } from "../../src/domain/lobby.ts";
import { markOf } from "../../src/domain/mark.ts";
import type { SnapshotRow } from "../../src/domain/snapshot.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { thaw } from "../../src/domain/thaw.ts";
import { DEADLINES_PER_STEP_MAX } from "../../src/limits.ts";
import { cluster } from "../support/lobby-cluster.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";
import { Lockstep } from "../support/lobby-lockstep.ts";
import { pictureOf } from "../support/lobby-pictures.ts";
import { World } from "./world.ts";

const SEEDS = 300;
const STEPS = 300;
const TEST_MS_MAX = 120_000;
/** Of a lobby in which a single user waits, as the first version that had marks gave it. */
const FIRST_MARK = 618_790_376;

/** The rows as a file has them, one a line. */
function linesOf(lobby: Lobby): string {
  return [...freeze(lobby)].map((row) => JSON.stringify(row)).join("\n");
}

function thawed(lines: string): Lobby {
  return thaw(lines.split("\n").map((line) => JSON.parse(line) as SnapshotRow));
}

/** Freezes and thaws; the thawed lobby must be sound and freeze to the same rows. */
function reborn(lobby: Lobby): Lobby {
  const lines = linesOf(lobby);
  const again = thawed(lines);
  checkLobby(again);
  expect(linesOf(again)).toBe(lines);
  expect(markOf(again)).toBe(markOf(lobby));
  return again;
}

test(
  "J1: a thawed lobby goes on as the frozen one would have",
  () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new World(seed);
      let state = Lockstep.start(world.settings);
      const original = createLobby(world.settings);
      for (let i = 0; i < STEPS; i++) {
        const entry = world.next(state.lobby);
        const events = state.apply(entry);
        expect(step(original, entry)).toEqual(events);
        world.learn(entry, events, state.lobby);
        // The lockstep goes on with the thawed lobby; the one that was never frozen keeps it company.
        if (i % 60 === seed % 60) state = new Lockstep(reborn(state.lobby), state.model);
      }
      state.compareAll();
      expect(pictureOf(state.lobby)).toBe(pictureOf(original));
      expect(linesOf(state.lobby)).toBe(linesOf(original));
    }
  },
  TEST_MS_MAX,
);

test(
  "T1: entries that changed nothing can be left out of a replay",
  () => {
    let left = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new World(seed);
      let lobby = createLobby(world.settings);
      const replay = createLobby(world.settings);
      let at = 0;
      // Of a node, every entry tells that it is alive.
      const isAlone = !world.isCluster;
      for (let i = 0; i < STEPS; i++) {
        // A journal's time never goes back.
        const entry = { ...world.next(lobby), at: 0 };
        at = Math.max(at, world.now);
        const timed: Entry = { ...entry, at };
        // A restart goes on with what was kept.
        if (entry.command.type === "restart") lobby = reborn(replay);
        const isQuiet = !isDue(lobby, at);
        const events = step(lobby, timed);
        world.learn(timed, events, lobby);
        if (isAlone && isQuiet && isWithoutEffect(events)) left++;
        else expect(step(replay, timed)).toEqual(events);
        expect(markOf(replay)).toBe(markOf(lobby));
      }
      const last: Entry = { at, entropy: "e".repeat(22), command: { type: "tick" } };
      expect(step(replay, last)).toEqual(step(lobby, last));
      expect(linesOf(replay)).toBe(linesOf(lobby));
    }
    expect(left).toBeGreaterThan(1000);
  },
  TEST_MS_MAX,
);

test("only those are left out who could not be told from anybody, and what is about nobody", () => {
  const { meet, submit, callerOf, send } = new LobbyDriver();
  const nobody = { bearer: "forged" };
  expect(isWithoutEffect(submit({ type: "leave_queue", caller: {} }).events)).toBe(true);
  expect(isWithoutEffect(submit({ type: "look", caller: nobody }).events)).toBe(true);
  expect(isWithoutEffect(submit({ type: "close_stream", user: 99 }).events)).toBe(true);
  meet("ann", "bob");
  // These have called, whatever came of it.
  expect(isWithoutEffect(submit({ type: "leave_queue", caller: callerOf("ann") }).events)).toBe(false);
  expect(isWithoutEffect(send("ann", "hi", { room: "room_of_nobody" }).events)).toBe(false);
  expect(isWithoutEffect(submit({ type: "tick" }).events)).toBe(false);
});

describe("what is shared", () => {
  test("stays shared: a line is one object for mailbox, transcript and report, and so is who said it", () => {
    const { meet, send, report, lobby, user } = new LobbyDriver();
    meet("ann", "bob");
    send("ann", "rude");
    report("bob");
    const again = reborn(lobby);
    const [line] = again.rooms.values().next().value?.transcript ?? [];
    const mail = again.users.get(user("bob").ref)?.mailbox.events;
    const [kept] = again.reports.values();
    expect(line?.body.message).toBe("rude");
    expect(mail?.[1]).toBe(line as NonNullable<typeof mail>[number]);
    expect(kept?.messages[0]).toBe(line as NonNullable<typeof line>);
    expect(kept?.reported).toBe(line?.body.sender as NonNullable<typeof kept>["reported"]);
  });

  test("an announcement is kept once for all who have it", () => {
    const { meet, announce, lobby, user } = new LobbyDriver();
    meet("ann", "bob");
    announce("Closing at six");
    const again = reborn(lobby);
    const bodies = ["ann", "bob"].map((name) => again.users.get(user(name).ref)?.mailbox.events.at(-1)?.body);
    expect(bodies[0]).toBe(bodies[1] as NonNullable<(typeof bodies)[0]>);
    expect(linesOf(again).split("Closing at six")).toHaveLength(3);
  });
});

describe("rows that are not those of a lobby", () => {
  const { meet, send, lobby } = new LobbyDriver();
  meet("ann", "bob");
  send("ann", "hi");
  const rows = [...freeze(lobby)];

  test.each([
    ["none", []],
    ["no head", rows.slice(1)],
    ["two heads", [...rows, ...rows.slice(0, 1)]],
    ["a room without its people", rows.filter(([kind]) => kind !== "participant")],
    ["people without their room", rows.filter(([kind]) => kind !== "room")],
    ["mail without its lines", rows.filter(([kind]) => kind !== "line")],
  ])("are refused: %s", (_what, some) => {
    expect(() => thaw(some)).toThrow(/^a snapshot/);
  });
});

test("the mark tells of nodes where there are any, and is as it always was where there never were", () => {
  const { lobby, joinNode, submit, open, enter, on } = new LobbyDriver();
  enter("ann");
  const alone = markOf(lobby);
  const marks = [alone];
  joinNode("x");
  marks.push(markOf(lobby));
  submit({ type: "beat_node" });
  marks.push(markOf(lobby));
  open("ann");
  marks.push(markOf(lobby));
  joinNode("y");
  marks.push(markOf(lobby));
  on("x");
  submit({ type: "leave_node" });
  marks.push(markOf(lobby));
  expect(new Set(marks).size).toBe(marks.length);
  expect(markOf(reborn(lobby))).toBe(markOf(lobby));
  // As the first version had it, whose journals are still replayed.
  expect(alone).toBe(FIRST_MARK);
});

test("the mark tells where something is open from where nothing is", () => {
  const marks = [true, false].map((opens) => {
    const { lobby, joinNode, enter, open, look } = new LobbyDriver();
    joinNode("x");
    enter("ann");
    if (opens) open("ann");
    else look("ann");
    return markOf(lobby);
  });
  expect(marks[0]).not.toBe(marks[1]);
});

test("J1 N5: a lobby that is frozen while a node's users are being disconnected goes on with the rest", () => {
  const { lobby, say } = cluster();
  const COUNT = 2 * DEADLINES_PER_STEP_MAX + 10;
  let n = 1;
  for (const node of ["y", "x"]) say(node, n++, { type: "join_node", settings: ORDINARY, rules: 1 });
  for (let i = 1; i <= COUNT; i++) {
    say("x", n++, { type: "join_room", caller: { session: `s${i}` }, newToken: `t${i}`, code: `code ${i >> 1}` });
    say("x", n++, { type: "open_stream", user: i, ...(i % 2 === 0 ? { session: `s${i}` } : {}) });
  }
  say("x", n++, { type: "leave_node" });
  expect(lobby.closing).toHaveLength(1);
  const again = reborn(lobby);
  expect(again.closing).toEqual(lobby.closing);
  for (const one of [lobby, again]) {
    for (let i = 0; i < 3; i++) {
      const origin = { node: "y", n: n + i };
      step(one, { at: one.now, entropy: `${i}`.padEnd(22, "z"), command: { type: "beat_node" }, origin });
    }
    expect(one.closing).toEqual([]);
  }
  expect(linesOf(again)).toBe(linesOf(lobby));
});

test("the mark of a state tells it from others", () => {
  const marks = new Set<number>();
  let steps = 0;
  const seen = (events: readonly LobbyEvent[]): boolean => events.some(({ type }) => type === "mail");
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World(seed);
    const lobby = createLobby(world.settings);
    for (let i = 0; i < STEPS; i++) {
      const entry = world.next(lobby);
      const events = step(lobby, entry);
      world.learn(entry, events, lobby);
      if (!seen(events)) continue;
      steps++;
      marks.add(markOf(lobby));
    }
  }
  expect(marks.size).toBeGreaterThan(0.9 * steps);
});
