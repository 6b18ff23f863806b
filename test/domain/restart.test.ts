/**
 * Restarts: what stands still, what goes on, who is still there, and what other settings mean.
 *
 * This file owns the J rules. That a lobby comes out of a snapshot as it went in is in snapshot.test.ts.
 */
import { describe, expect, test } from "bun:test";
import type { LobbySettings } from "../../src/domain/command.ts";
import { isSessionEnded } from "../../src/domain/lobby.ts";
import { MAILBOX_AGE_MS_MAX, TRANSCRIPT_AGE_MS_MAX } from "../../src/limits.ts";
import { LobbyDriver, ORDINARY, type Told } from "../support/lobby-driver.ts";
import { UNLIMITED } from "../support/lobby-rates.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A lobby whose server goes down, and comes back at a moment. */
function world(settings: Partial<LobbySettings> = {}) {
  const driver = new LobbyDriver(settings);
  const restartAt = (ms: number, changed: Partial<LobbySettings> = {}): Told => {
    driver.from(ms);
    return driver.submit({ type: "restart", settings: { ...ORDINARY, ...settings, ...changed } });
  };
  return { ...driver, lobby: driver.lobby, restartAt };
}

describe("what is there after a restart", () => {
  test("J1: everything is as the last entry left it", () => {
    const { meet, enter, send, restartAt, where, mailOf, callerOf, submit, look, roomOf, lobby } = world();
    meet("ann", "bob");
    submit({ type: "look", caller: { ...callerOf("ann"), session: "s1" } });
    submit({ type: "end_session", session: "s2", issuedAt: 0 });
    send("ann", "before", { id: "once" });
    enter("cat", { interests: ["tea"] });
    const room = roomOf("ann");
    restartAt(HOUR);
    expect([where("ann"), where("bob"), where("cat")]).toEqual(["with bob", "with ann", "waiting"]);
    expect(roomOf("ann")).toBe(room);
    expect(mailOf("bob")).toEqual(["found ann", "1: before"]);
    expect(look("ann", { by: { session: "s1" } }).refusal).toBeUndefined();
    expect(isSessionEnded(lobby, "s2", 0)).toBe(true);
    expect(send("ann", "again", { id: "once" }).posted?.seq).toBe(1);
    expect(send("bob", "after").posted?.seq).toBe(2);
  });

  test("J1: the order of the queue is kept", () => {
    const { enter, restartAt, lineOf, where } = world();
    for (const name of ["ann", "bob", "cat"]) enter(name, { kind: "human", partnerKind: "agent" });
    restartAt(HOUR);
    expect(["ann", "bob", "cat"].map((name) => lineOf(name).position)).toEqual([1, 2, 3]);
    enter("dan", { kind: "agent" });
    expect(where("dan")).toBe("with ann");
  });
});

describe("clocks", () => {
  test("J2: what was left of the grace time is left after it", () => {
    const { meet, open, close, from, restartAt, at, where } = world({ graceMs: 30_000 });
    meet("ann", "bob");
    open("ann");
    from(1000);
    close("ann");
    at(11_000);
    restartAt(HOUR);
    at(HOUR + 19_999);
    expect(where("ann")).toBe("with bob");
    at(HOUR + 20_000);
    expect(where("ann")).toBe("nowhere");
  });

  test("J2: what was left of the idle time is left after it", () => {
    const { meet, send, restartAt, at, where } = world({ idleMs: 100_000 });
    meet("ann", "bob");
    at(40_000);
    send("ann", "hi");
    at(60_000);
    restartAt(DAY);
    at(DAY + 39_999);
    expect(where("bob")).toBe("with ann");
    at(DAY + 40_000);
    expect(where("bob")).toBe("nowhere");
  });

  test("J2: somebody who called lately is available, and holds out as long as was left", () => {
    const { enter, at, restartAt, where } = world({ availableMs: 90_000, widenMs: 10_000 });
    enter("ann", { interests: ["tea"] });
    at(4000);
    restartAt(DAY);
    enter("bob", { interests: ["go"] });
    at(DAY + 5999);
    expect(where("ann")).toBe("waiting");
    at(DAY + 6000);
    expect(where("ann")).toBe("waiting");
    at(DAY + 10_000);
    expect(where("ann")).toBe("with bob");
  });

  test("J2: a record lives as much longer as the server was down", () => {
    const { meet, leave, from, restartAt, at, where } = world({ retainUserMs: DAY });
    meet("ann", "bob");
    leave("ann");
    from(HOUR);
    restartAt(3 * DAY);
    at(4 * DAY - 1);
    expect(where("ann")).toBe("nowhere");
    at(4 * DAY);
    expect(where("ann")).toBe("forgotten");
  });

  test("J2: the pace of a line does not know that the server was down", () => {
    const { enter, at, from, restartAt, lineOf } = world();
    for (let i = 0; i < 6; i++) {
      from(i * 4000);
      enter(`a${i}`);
      from(i * 4000 + 2000);
      enter(`b${i}`);
    }
    at(30_000);
    enter("cat");
    const before = lineOf("cat").waitSeconds;
    expect(before).not.toBeNull();
    restartAt(DAY);
    expect(lineOf("cat").waitSeconds).toBe(before);
  });

  test("J3: mail and transcripts have aged meanwhile", () => {
    const { meet, send, leave, at, restartAt, mailOf, lobby, roomOf } = world({ retainUserMs: 30 * DAY });
    meet("ann", "bob");
    send("ann", "hi");
    const room = roomOf("ann");
    at(MINUTE);
    leave("ann");
    restartAt(MAILBOX_AGE_MS_MAX);
    expect(mailOf("bob")).toEqual(["gone: left"]);
    expect(room.transcript).toHaveLength(1);
    restartAt(MINUTE + TRANSCRIPT_AGE_MS_MAX);
    expect(room.transcript).toHaveLength(0);
    expect(lobby.transcriptBytes).toBe(0);
  });

  test("J3: a ban ends at its time", () => {
    const { meet, ban, restartAt, enter, lobby } = world({ retainUserMs: 30 * DAY });
    meet("ann", "bob");
    ban("ann", { until: 2 * HOUR });
    restartAt(HOUR);
    expect(enter("ann")).toMatchObject({ refusal: "banned", retryAfterMs: HOUR });
    restartAt(2 * HOUR);
    expect(lobby.bans.size).toBe(0);
    expect(enter("ann").refusal).toBeUndefined();
  });

  test("J3: whoever had said as much as they may can speak again", () => {
    const { meet, send, restartAt } = world({ rates: { ...UNLIMITED, messages: { perSecond: 1, burst: 2 } } });
    meet("ann", "bob");
    for (let i = 0; i < 2; i++) send("ann", "hi");
    expect(send("ann", "hi").refusal).toBe("rate_limited");
    restartAt(1000);
    expect(send("ann", "hi").refusal).toBeUndefined();
    expect(send("ann", "hi").refusal).toBe("rate_limited");
  });
});

describe("connections", () => {
  test("J4: who had a stream is away from the restart on, and the partner is told; back in time, nothing is lost", () => {
    const { meet, open, restartAt, at, user, mailOf, where, look, close } = world({ graceMs: 30_000 });
    meet("ann", "bob");
    open("ann");
    open("ann");
    restartAt(HOUR);
    expect([user("ann").streams, user("ann").awaySince]).toEqual([0, HOUR]);
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    at(HOUR + 20_000);
    open("ann");
    expect(mailOf("bob").at(-1)).toBe("back");
    // The stream of before is gone: closing it a second time is closing the new one.
    close("ann");
    at(HOUR + 50_000);
    expect(where("ann")).toBe("nowhere");
    expect(look("bob").refusal).toBeUndefined();
  });

  test("J4: both are told, and neither is taken for somebody who was reached", () => {
    const { meet, open, restartAt, mailOf, user, send } = world();
    meet("ann", "bob");
    open("ann");
    open("bob");
    const written = user("ann").mailbox.written;
    restartAt(HOUR);
    expect([mailOf("ann").at(-1), mailOf("bob").at(-1)]).toEqual(["away", "away"]);
    expect(user("ann").mailbox.written).toBe(written);
    expect(send("ann", "hi").posted?.delivery).toBe("queued");
  });

  test("J4: who was only held has called: the idle clock starts", () => {
    const { meet, poll, hold, restartAt, at, user, where } = world({ idleMs: 100_000 });
    meet("ann", "bob");
    poll("ann");
    hold("ann");
    const told = restartAt(HOUR);
    expect(told.holdsEnded).toHaveLength(1);
    expect(user("ann").hold).toBeUndefined();
    expect(user("ann").awaySince).toBeUndefined();
    at(HOUR + 99_999);
    expect(where("ann")).toBe("with bob");
    at(HOUR + 100_000);
    expect(where("ann")).toBe("nowhere");
  });

  test("J4: what was handed out by a call that the end cut off is handed out again", () => {
    const { meet, poll, hold, send, restartAt } = world();
    meet("ann", "bob");
    poll("ann");
    hold("ann");
    send("bob", "hi");
    restartAt(HOUR);
    expect(poll("ann").read).toEqual(["1: hi"]);
  });

  test("J5: somebody whose stream closed with it is passed over until they are back", () => {
    const { enter, open, restartAt, where, at } = world();
    enter("ann");
    open("ann");
    restartAt(HOUR);
    enter("bob");
    expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
    at(HOUR + 1000);
    open("ann");
    expect(where("ann")).toBe("with bob");
  });

  test("J5: two who were kept apart are not brought together while one of them is gone", () => {
    const { meet, leave, enter, open, restartAt, where } = world();
    meet("ann", "bob");
    leave("ann");
    enter("ann", { kind: "human", partnerKind: "any" });
    enter("cat", { kind: "agent", partnerKind: "agent" });
    open("ann");
    restartAt(HOUR);
    enter("bob");
    expect(where("bob")).toBe("waiting");
    open("ann");
    expect(where("bob")).toBe("with ann");
  });
});

describe("other settings", () => {
  test("J6: hold from the restart on", () => {
    const { meet, send, restartAt } = world({ loopMessagesMax: 0 });
    meet("ann", "bob");
    send("ann", "hi");
    restartAt(HOUR, { rates: { ...UNLIMITED, messages: { perSecond: 1, burst: 1 } } });
    expect(send("ann", "hi").refusal).toBeUndefined();
    expect(send("ann", "hi").refusal).toBe("rate_limited");
  });

  test("J6: a clock that is set shorter may run out with it", () => {
    const { meet, at, restartAt, where, mailOf } = world({ idleMs: 900_000 });
    meet("ann", "bob");
    at(60_000);
    restartAt(HOUR, { idleMs: 30_000 });
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect([...mailOf("ann"), ...mailOf("bob")]).toContain("gone: timeout");
  });

  test("J6: what is limited no more is forgotten, and limited anew from the start", () => {
    const messages = { perSecond: 1, burst: 1 };
    const { meet, send, goTo, restartAt, lobby, user } = world({
      usersPerAddress: 1,
      rates: { ...UNLIMITED, messages },
    });
    goTo("192.0.2.1", "ann");
    meet("ann", "bob");
    send("ann", "hi");
    expect(lobby.addresses.byAddress.size).toBe(1);
    restartAt(1, { usersPerAddress: 0, rates: UNLIMITED });
    expect(user("ann").messages).toBeUndefined();
    expect(lobby.addresses.byAddress.size).toBe(0);
    restartAt(2, { usersPerAddress: 1, rates: { ...UNLIMITED, messages } });
    expect(send("ann", "hi").refusal).toBeUndefined();
    expect(send("ann", "hi").refusal).toBe("rate_limited");
  });

  test("J7: nobody who is present is turned out; offline records go, and nobody comes in until there is room", () => {
    const { meet, leave, enter, restartAt, where, lobby } = world();
    meet("ann", "bob");
    meet("cat", "dan");
    meet("eve", "fay");
    leave("cat");
    restartAt(HOUR, { usersMax: 3 });
    expect(["ann", "bob", "cat", "dan", "eve", "fay"].map(where)).toEqual([
      "with bob",
      "with ann",
      "forgotten",
      "forgotten",
      "with fay",
      "with eve",
    ]);
    expect(enter("gus").refusal).toBe("server_full");
    leave("ann");
    expect(enter("gus").refusal).toBeUndefined();
    expect([lobby.users.size, where("ann"), where("bob")]).toEqual([3, "forgotten", "forgotten"]);
  });

  test("J7: who waits keeps their place in a queue that is shorter now", () => {
    const { enter, leaveQueue, restartAt, where } = world();
    const alone = { kind: "human", partnerKind: "agent" } as const;
    for (const name of ["ann", "bob", "cat"]) enter(name, alone);
    restartAt(HOUR, { queueMax: 2 });
    expect(["ann", "bob", "cat"].map(where)).toEqual(["waiting", "waiting", "waiting"]);
    expect(enter("dan", alone).refusal).toBe("queue_full");
    leaveQueue("ann");
    expect(enter("dan", alone).refusal).toBe("queue_full");
    leaveQueue("bob");
    expect(enter("dan", alone).refusal).toBeUndefined();
  });

  test("J7: mail and transcripts are brought into smaller bounds at once, the oldest going first", () => {
    const { meet, send, at, restartAt, lobby, mailOf, roomOf } = world();
    meet("ann", "bob");
    for (let i = 1; i <= 5; i++) {
      at(i);
      send("ann", `${i}`);
    }
    restartAt(HOUR, { mailboxBytesMax: 400, transcriptBytesMax: 300 });
    expect(lobby.mailboxBytes).toBeLessThanOrEqual(400);
    expect(mailOf("bob")).toEqual(["3: 3", "4: 4", "5: 5"]);
    expect(roomOf("ann").transcript.map(({ body }) => body.message)).toEqual(["4", "5"]);
  });
});
