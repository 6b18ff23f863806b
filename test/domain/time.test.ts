/**
 * Time and the form of a step: what passes, in what order, and what is told at the end.
 *
 * This file owns the T rules that need no crowd; the simulation has the others.
 */
import { describe, expect, test } from "bun:test";
import { isBehind } from "../../src/domain/deadlines.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { createLobby, nextDeadline, step } from "../../src/domain/lobby.ts";
import { DEADLINES_PER_STEP_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";

test("T1: two lobbies that are told the same stay the same", () => {
  const tell = () => {
    const lobby = createLobby(ORDINARY);
    const events = ["a", "b", "c"].flatMap((name, i) =>
      step(lobby, {
        at: i,
        entropy: name.repeat(22),
        command: { type: "enter_queue", caller: {}, newToken: name, interests: ["tea"] },
      }),
    );
    return { lobby, events };
  };
  expect(tell()).toEqual(tell());
});

describe("time", () => {
  test("T2: an earlier time counts as the latest one seen", () => {
    const { lobby, enter, from, at, where, meet } = new LobbyDriver();
    meet("ann", "bob");
    at(50_000);
    from(20_000);
    enter("cat", { interests: ["tea"] });
    expect(lobby.now).toBe(50_000);
    expect(where("cat")).toBe("waiting");
    at(59_999);
    enter("dan");
    expect(where("dan")).toBe("waiting");
    at(60_000);
    expect(where("dan")).toBe("with cat");
  });

  test("T3: what is due happens before the command that comes late", () => {
    const { open, close, send, meet, from, where, mailOf } = new LobbyDriver();
    meet("ann", "bob");
    open("bob");
    close("bob");
    from(40_000);
    expect(send("ann", "still there?").refusal).toBe("not_in_room");
    expect(where("bob")).toBe("nowhere");
    expect(mailOf("ann")).toEqual(["found bob", "away", "gone: timeout"]);
  });

  test("T3: each thing happens at its own time, however late it is found", () => {
    const driver = new LobbyDriver();
    const { open, close, meet, at, user, enter, where } = driver;
    meet("ann", "bob");
    open("bob");
    close("bob");
    enter("cat");
    at(10_000_000);
    expect(user("ann").mailbox.events.map((event) => event.at)).toEqual([0, 0, 30_000]);
    expect(user("bob").offlineSince).toBe(30_000);
    expect(user("cat").offlineSince).toBe(900_000);
    expect(where("cat")).toBe("nowhere");
  });

  test("T3: in the order of deadlines: who could still be paired then is, though both are gone now", () => {
    const { enter, at, where, mailOf, roomOf } = new LobbyDriver({ widenMs: 10, availableMs: 25, idleMs: 1000 });
    enter("ann", { interests: ["tea"] });
    at(12);
    enter("bob", { interests: ["go"] });
    // Ann opens at 10, Bob at 22; Ann can be paired until 25, Bob until 37.
    at(500);
    expect(where("ann")).toBe("with bob");
    expect(mailOf("bob")).toEqual(["found ann"]);
    expect(roomOf("ann").createdAt).toBe(22);
  });

  test("T3 T4: more deadlines than one step takes are left to the next, which is due at once, and happen in order", () => {
    const { lobby, at } = startAlone(ORDINARY);
    const people = DEADLINES_PER_STEP_MAX + 3;
    for (let n = 0; n < people; n++) {
      at(n, { type: "enter_queue", caller: {}, newToken: `t${n}`, kind: "agent", partnerKind: "human" });
    }
    const goneIn = (time: number) => {
      const events = at(time, { type: "tick" });
      checkLobby(lobby);
      return events.flatMap((event) => (event.type === "left_queue" ? [event.user] : []));
    };
    // By now they have all been silent too long to be paired, which took steps of its own.
    while (isBehind(lobby) || lobby.now < 899_999) expect(goneIn(899_999)).toEqual([]);
    // From here on they are all late, whoever comes first.
    const refs = [...lobby.users.keys()];
    expect(goneIn(1_000_000)).toEqual(refs.slice(0, DEADLINES_PER_STEP_MAX));
    expect(nextDeadline(lobby)).toBeLessThanOrEqual(1_000_000);
    expect(goneIn(1_000_000)).toEqual(refs.slice(DEADLINES_PER_STEP_MAX));
    expect(nextDeadline(lobby)).toBeGreaterThan(1_000_000);
  });

  test("T4: the next deadline is where the next thing happens", () => {
    const { lobby, enter, at, where, open, close } = new LobbyDriver();
    expect(nextDeadline(lobby)).toBeUndefined();
    enter("ann", { interests: ["tea"] });
    expect(nextDeadline(lobby)).toBe(10_000);
    enter("bob");
    at(9999);
    expect(where("ann")).toBe("waiting");
    at(10_000);
    expect(where("ann")).toBe("with bob");
    open("ann");
    close("ann");
    expect(nextDeadline(lobby)).toBeLessThanOrEqual(40_000);
    at(39_999);
    expect(where("ann")).toBe("with bob");
    at(40_000);
    expect(where("ann")).toBe("nowhere");
  });

  test("T4: a lobby of connected people waits for their mail to grow old, and for nothing else", () => {
    const { lobby, open, meet, at } = new LobbyDriver();
    meet("ann", "bob");
    open("ann");
    open("bob");
    at(900_000);
    expect(nextDeadline(lobby)).toBe(24 * 3600 * 1000);
    at(24 * 3600 * 1000);
    expect(nextDeadline(lobby)).toBeUndefined();
  });
});

describe("a step", () => {
  test("T5: every command yields an event, also about nobody", () => {
    const driver = new LobbyDriver();
    driver.enter("ann");
    const typesOf = (command: Parameters<typeof driver.submit>[0]) =>
      driver.submit(command).events.map(({ type }) => type);
    expect(typesOf({ type: "tick" })).toEqual(["ticked"]);
    expect(typesOf({ type: "open_stream", user: 99 })).toEqual(["ignored"]);
    expect(typesOf({ type: "close_stream", user: 99 })).toEqual(["ignored"]);
    expect(typesOf({ type: "end_wait", user: 99, hold: 1, answered: true })).toEqual(["ignored"]);
    expect(typesOf({ type: "end_wait", user: 1, hold: 1, answered: true })).toEqual(["ignored"]);
    expect(typesOf({ type: "end_session", session: "nobody's", issuedAt: 0 })).toEqual(["session_ended"]);
    expect(typesOf({ type: "look", caller: {} })).toEqual(["refused"]);
  });

  test("T5: a refusal is the last event, after whatever the call has set going", () => {
    const { enter, at, send, where } = new LobbyDriver();
    enter("ann");
    at(100_000);
    enter("bob");
    // Ann was passed over; her call makes her available, but finds her in no room.
    const types = send("ann", "hello?").events.map(({ type }) => type);
    expect(types).toEqual(["mail", "mail", "matched", "refused"]);
    expect(where("ann")).toBe("with bob");
  });
});
