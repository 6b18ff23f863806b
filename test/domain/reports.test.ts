/**
 * Reports: what is kept for the operator, and what a report does.
 *
 * This file owns B5 to B7.
 */
import { describe, expect, test } from "bun:test";
import { checkLobby } from "../../src/domain/invariants.ts";
import type { Report } from "../../src/domain/state.ts";
import { BLOCK_RETRY_MS, REPORT_MESSAGES_MAX, REPORTS_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";

function met(settings: ConstructorParameters<typeof LobbyDriver>[0] = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.meet("ann", "bob");
  return driver;
}

const reportsOf = ({ lobby }: LobbyDriver): Report[] => [...lobby.reports.values()];

describe("a report", () => {
  test("B5: keeps who says what about whom, and what was said", () => {
    const driver = new LobbyDriver();
    driver.goTo("1.1.1.1", "bob");
    driver.enter("ann", { kind: "human" });
    driver.enter("bob", { kind: "agent" });
    const room = driver.roomOf("ann");
    driver.send("ann", "hi");
    driver.send("bob", "buy my coins");
    driver.from(9);
    const { events } = driver.report("ann", { category: "scam", details: "sells coins" });
    const [kept] = reportsOf(driver);
    expect(events).toContainEqual({ type: "reported", user: driver.refOf("ann"), report: kept?.id ?? "none" });
    expect(kept).toEqual({
      id: expect.stringMatching(/^report_/),
      at: 9,
      room: room.id,
      category: "scam",
      details: "sells coins",
      reporter: { userId: driver.user("ann").userId, displayName: "ann", kind: "human" },
      reported: { userId: driver.user("bob").userId, displayName: "bob", kind: "agent" },
      address: "1.1.1.1",
      messages: [...room.transcript],
      resolved: undefined,
    });
    expect(kept?.messages.map(({ body }) => body.message)).toEqual(["hi", "buy my coins"]);
  });

  test("B5: blocks: the room closes, the partner hears no more than of a block, the two do not meet again", () => {
    const { report, where, mailOf, meet } = met();
    report("ann");
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect([mailOf("ann"), mailOf("bob")]).toEqual([["found bob"], ["found ann", "gone: blocked"]]);
    meet("ann", "bob");
    expect(where("ann")).toBe("waiting");
  });

  test("B5 B2: about a closed room of one's own too, about no other, and about none without one", () => {
    const driver = met();
    const { report, leave, roomOf, meet } = driver;
    meet("cat", "dan");
    const [own, foreign] = [roomOf("ann").id, roomOf("cat").id];
    leave("bob");
    expect(report("ann").refusal).toBe("not_in_room");
    expect(report("ann", { room: foreign }).refusal).toBe("room_not_found");
    expect(driver.lobby.reports.size).toBe(0);
    expect(report("ann", { room: own }).refusal).toBeUndefined();
    meet("ann", "bob");
    expect(driver.where("ann")).toBe("waiting");
  });

  test("B5: the last messages only, and they stay when the transcript goes", () => {
    const driver = met({ retainUserMs: 1000 });
    for (let i = 1; i <= REPORT_MESSAGES_MAX + 1; i++) driver.send("ann", `${i}`);
    driver.report("bob");
    driver.at(1000);
    expect([driver.lobby.users.size, driver.lobby.rooms.size]).toEqual([0, 0]);
    const messages = reportsOf(driver)[0]?.messages ?? [];
    expect([messages.length, messages[0]?.body.message]).toEqual([REPORT_MESSAGES_MAX, "2"]);
  });

  test("B5 U4: about somebody whose record has ended, without an address", () => {
    const driver = new LobbyDriver({ retainUserMs: 1000 });
    driver.goTo("1.1.1.1", "bob");
    driver.meet("ann", "bob");
    const room = driver.roomOf("ann").id;
    driver.open("ann");
    driver.leave("ann");
    driver.at(1000);
    driver.report("ann", { room });
    expect(reportsOf(driver)).toMatchObject([{ address: undefined, reported: { displayName: "bob" } }]);
  });
});

describe("once", () => {
  test("B6: again gives the first report's id and keeps nothing new", () => {
    const driver = met();
    const { report, roomOf, refOf } = driver;
    const room = roomOf("ann").id;
    report("ann", { category: "spam" });
    const [first] = reportsOf(driver);
    driver.from(5);
    const again = report("ann", { room, category: "hate", details: "more" });
    expect(again.events).toEqual([{ type: "reported", user: refOf("ann"), report: first?.id ?? "none" }]);
    expect(reportsOf(driver)).toEqual([first as Report]);
  });

  test("B6: each of the two may report the other, and each room anew", () => {
    const driver = met();
    const { report, roomOf, join } = driver;
    const room = roomOf("ann").id;
    report("ann");
    report("bob", { room });
    join("ann", "oak");
    join("cat", "oak");
    report("ann");
    expect(new Set(reportsOf(driver).map(({ id }) => id)).size).toBe(3);
  });

  test("B6: also after the operator has dealt with it", () => {
    const driver = met();
    const room = driver.roomOf("ann").id;
    driver.report("ann");
    const [first] = reportsOf(driver);
    driver.operate({ type: "resolve_report", report: first?.id ?? "" });
    driver.report("ann", { room });
    expect(reportsOf(driver)).toEqual([first as Report]);
  });
});

describe("the bound", () => {
  /** So many rooms of two, each reported once; gives the ids in their order. */
  function reportMany(count: number) {
    const { lobby, at } = startAlone({ ...ORDINARY, usersMax: 5 });
    let made = 0;
    const more = (): string => {
      const n = made++;
      at(n, { type: "join_room", caller: {}, newToken: `a${n}`, code: "oak" });
      at(n, { type: "join_room", caller: {}, newToken: `b${n}`, code: "oak" });
      const told = at(n, { type: "report_partner", caller: { bearer: `a${n}` }, category: "other" }).at(-1);
      return told?.type === "reported" ? told.report : "none";
    };
    const ids = Array.from({ length: count }, more);
    return { lobby, at, more, ids };
  }

  test("B7: the oldest resolved one goes first, then the oldest", () => {
    const { lobby, at, more, ids } = reportMany(REPORTS_MAX);
    expect([...lobby.reports.keys()]).toEqual(ids);
    for (const i of [7, 5]) at(1e6, { type: "operate", act: { type: "resolve_report", report: ids[i] ?? "" } });
    const gone = () => ids.flatMap((id, i) => (lobby.reports.has(id) ? [] : [i]));
    more();
    expect(gone()).toEqual([5]);
    more();
    expect(gone()).toEqual([5, 7]);
    more();
    expect(gone()).toEqual([0, 5, 7]);
    expect(lobby.reports.size).toBe(REPORTS_MAX);
    checkLobby(lobby);
  });

  test("B6 B7: who reports again what is no longer kept makes a new report", () => {
    const { lobby, at, more, ids } = reportMany(1);
    const room = lobby.reports.get(ids[0] ?? "")?.room ?? "";
    at(1e6, { type: "open_stream", user: 1 });
    for (let i = 0; i < REPORTS_MAX; i++) more();
    expect(lobby.reports.has(ids[0] ?? "")).toBe(false);
    const told = at(1e6, { type: "report_partner", caller: { bearer: "a0" }, room, category: "other" }).at(-1);
    expect(told?.type === "reported" && told.report !== ids[0] && lobby.reports.has(told.report)).toBe(true);
  });

  test("B4 B5: a report is refused as a block is, and nothing is done", () => {
    const blocked = new Map(Array.from({ length: 1000 }, (_, i) => [10 + i, undefined] as const));
    const { lobby, at } = startAlone(ORDINARY);
    at(0, { type: "enter_queue", caller: {}, newToken: "a" });
    at(0, { type: "enter_queue", caller: {}, newToken: "b" });
    const ann = lobby.users.get(1);
    const twin = lobby.users.get(2);
    if (ann === undefined || twin === undefined) throw new Error("nobody is there");
    ann.blocked = new Map(blocked);
    for (const ref of blocked.keys()) lobby.users.set(ref, { ...twin, ref });
    const told = at(0, { type: "report_partner", caller: { bearer: "a" }, category: "other" });
    expect(told).toEqual([{ type: "refused", code: "unavailable", retryAfterMs: BLOCK_RETRY_MS }]);
    expect([lobby.reports.size, ann.place.in]).toEqual([0, "room"]);
  });
});
