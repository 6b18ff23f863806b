/**
 * What else the operator does, and the log of it.
 *
 * This file owns B12 to B14.
 */
import { describe, expect, test } from "bun:test";
import { checkLobby } from "../../src/domain/invariants.ts";
import { AUDIT_ENTRIES_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";

const nothing = (act: string) => [{ type: "operated_nothing", act }];

describe("kicking and closing", () => {
  test("B12: a user is taken out of room, queue and meeting, and may come back at once", () => {
    const { meet, enter, join, operate, user, where, mailOf, refOf } = new LobbyDriver();
    meet("ann", "bob");
    enter("cat");
    join("dan", "oak");
    const kick = (name: string) => operate({ type: "kick", userId: user(name).userId }).events;
    expect(kick("ann").at(-1)).toEqual({ type: "operated", act: "kick" });
    expect([mailOf("ann").at(-1), mailOf("bob").at(-1)]).toEqual(["gone: moderation", "gone: moderation"]);
    expect(kick("cat")).toContainEqual({ type: "left_queue", user: refOf("cat") });
    expect(kick("dan")).toContainEqual({ type: "left_meeting", user: refOf("dan") });
    expect(["ann", "bob", "cat", "dan"].map(where)).toEqual(["nowhere", "nowhere", "nowhere", "nowhere"]);
    meet("ann", "dan");
    expect(where("ann")).toBe("with dan");
  });

  test("B12: a kick of somebody who is nowhere is done, of nobody in vain", () => {
    const { enter, leaveQueue, operate, user } = new LobbyDriver();
    enter("ann");
    leaveQueue("ann");
    expect(operate({ type: "kick", userId: user("ann").userId }).events).toEqual([{ type: "operated", act: "kick" }]);
    expect(operate({ type: "kick", userId: "nobody" }).events).toEqual(nothing("kick") as never);
  });

  test("B12: a room is closed, once; both are told, and neither is kept from coming back", () => {
    const { meet, operate, roomOf, where, mailOf } = new LobbyDriver();
    meet("ann", "bob");
    const room = roomOf("ann").id;
    const { events } = operate({ type: "close_room", room });
    expect(events).toContainEqual({ type: "room_closed", room, reason: "moderation" });
    expect([mailOf("ann").at(-1), mailOf("bob").at(-1)]).toEqual(["gone: moderation", "gone: moderation"]);
    expect(operate({ type: "close_room", room }).events).toEqual(nothing("close_room") as never);
    expect(operate({ type: "close_room", room: "none" }).events).toEqual(nothing("close_room") as never);
    meet("ann", "bob");
    expect(where("ann")).toBe("with bob");
  });
});

describe("announcing", () => {
  /** Ann and Bob chat, Cat waits, Dan waits for a code, Eve has only a stream; Fay and Gus are offline. */
  function town(): LobbyDriver {
    const driver = new LobbyDriver();
    for (const name of ["fay", "eve", "gus"]) {
      driver.enter(name);
      driver.leaveQueue(name);
    }
    driver.open("eve");
    driver.meet("ann", "bob");
    driver.enter("cat", { kind: "human", partnerKind: "agent" });
    driver.join("dan", "oak");
    return driver;
  }

  const ONLINE = ["ann", "bob", "cat", "dan", "eve"];

  test("B13: reaches everybody who is online once, however it is sliced", () => {
    for (const count of [1, 2, 3, 6, 7, 8, 100]) {
      const driver = town();
      const told = driver.announce("back at ten", count);
      expect(told.length).toBe(Math.ceil(7 / count));
      expect(told.reduce((sum, one) => sum + one, 0)).toBe(5);
      for (const name of ONLINE) {
        expect(driver.mailOf(name).filter((words) => words === "all: back at ten")).toHaveLength(1);
      }
      for (const name of ["fay", "gus"]) expect(driver.mailOf(name)).toEqual([]);
    }
  });

  test("B13: what the slices say: how many were told, and after whom to go on", () => {
    const { operate } = town();
    const slice = (after: number, count: number) =>
      operate({ type: "announce", text: "hi", after, count }).events.at(-1);
    expect(slice(0, 2)).toEqual({ type: "announced", told: 1, next: 2 });
    expect(slice(2, 3)).toEqual({ type: "announced", told: 2, next: 5 });
    expect(slice(5, 2)).toEqual({ type: "announced", told: 2, next: 0 });
    expect(slice(7, 2)).toEqual({ type: "announced", told: 0, next: 0 });
  });

  test("B13: whoever comes between two slices is told if their slice is yet to come, never twice", () => {
    const { operate, open, enter, mailOf } = town();
    const slice = (after: number) => operate({ type: "announce", text: "hi", after, count: 3 });
    slice(0);
    open("fay");
    enter("gus");
    enter("new");
    for (const after of [3, 6, 9]) slice(after);
    const told = (name: string) => mailOf(name).filter((words) => words === "all: hi").length;
    expect([told("fay"), told("gus"), told("new"), told("ann"), told("cat")]).toEqual([0, 0, 1, 1, 1]);
  });

  test("B13: records that have ended are no step of the way", () => {
    const { lobby, at } = startAlone({ ...ORDINARY, usersMax: 10, retainUserMs: 1e9 });
    for (let i = 0; i < 3000; i++) {
      at(i, { type: "enter_queue", caller: {}, newToken: `t${i}` });
      at(i, { type: "leave_queue", caller: { bearer: `t${i}` } });
    }
    const told = at(3000, { type: "operate", act: { type: "announce", text: "hi", after: 0, count: 10 } });
    expect(told).toEqual([{ type: "announced", told: 0, next: 0 }]);
    expect(lobby.users.size).toBe(10);
  });

  test("B13: wakes whoever holds a call", () => {
    const { enter, hold, announce, answer } = new LobbyDriver();
    enter("ann");
    hold("ann");
    announce("hi");
    expect(answer("ann").read).toEqual(["all: hi"]);
  });

  test("B13: to an empty place", () => {
    expect(new LobbyDriver().announce("hi")).toEqual([0]);
  });
});

describe("the audit log", () => {
  test("B14: every act, done or in vain, in order, as it was asked for", () => {
    const { lobby, enter, from, operate, user } = new LobbyDriver();
    enter("ann");
    const acts = [
      { type: "kick", userId: user("ann").userId },
      { type: "kick", userId: "nobody" },
      { type: "ban", target: { kind: "address", address: "1.1.1.1" }, note: "spam" },
      { type: "unban", ban: "none" },
      { type: "close_room", room: "none" },
      { type: "resolve_report", report: "none" },
      { type: "announce", text: "hi", after: 0, count: 1 },
    ] as const;
    acts.forEach((act, i) => {
      from(i);
      operate(act);
    });
    expect(lobby.audit).toEqual(
      acts.map((act, i) => ({
        number: i + 1,
        at: i,
        act,
        done: [true, false, true, false, false, false, true][i] ?? false,
      })),
    );
  });

  test("B14: of an announcement the first slice alone", () => {
    const { lobby, enter, announce } = new LobbyDriver();
    for (const name of ["ann", "bob", "cat"]) enter(name);
    announce("hi", 1);
    expect(lobby.audit).toHaveLength(1);
  });

  test("B14: a report that is dealt with says when and how, each time anew", () => {
    const { meet, report, operate, lobby, from } = new LobbyDriver();
    meet("ann", "bob");
    report("ann");
    const [kept] = lobby.reports.values();
    const id = kept?.id ?? "";
    expect(kept?.resolved).toBeUndefined();
    from(5);
    const { events } = operate({ type: "resolve_report", report: id, note: "banned" });
    expect(events).toEqual([{ type: "operated", act: "resolve_report" }]);
    expect(kept?.resolved).toEqual({ at: 5, note: "banned" });
    from(6);
    operate({ type: "resolve_report", report: id });
    expect(kept?.resolved).toEqual({ at: 6, note: undefined });
  });

  test("B14: is bounded; the oldest go first, and numbers go on", () => {
    const { lobby, at } = startAlone(ORDINARY);
    const act = { type: "kick", userId: "nobody" } as const;
    for (let i = 0; i < AUDIT_ENTRIES_MAX; i++) at(i, { type: "operate", act });
    expect([lobby.audit.length, lobby.audit[0]?.number]).toEqual([AUDIT_ENTRIES_MAX, 1]);
    at(1e6, { type: "operate", act });
    expect([lobby.audit.length, lobby.audit[0]?.number, lobby.audit.at(-1)?.number]).toEqual([
      AUDIT_ENTRIES_MAX,
      2,
      AUDIT_ENTRIES_MAX + 1,
    ]);
    checkLobby(lobby);
  });
});
