/**
 * Meetings by code: waiting, meeting, and who is turned away.
 *
 * This file owns the C rules.
 */
import { describe, expect, test } from "bun:test";
import { LobbyDriver } from "../support/lobby-driver.ts";

/** Ann and Bob, who are in a room by the code "oak". */
function metByCode(): LobbyDriver {
  const driver = new LobbyDriver();
  driver.join("ann", "oak");
  driver.join("bob", "oak");
  return driver;
}

describe("two with one code", () => {
  test("C1: the first waits for the second, and then they are in a room at once", () => {
    const { join, where, refOf, roomOf, mailOf } = new LobbyDriver();
    const first = join("ann", "oak");
    expect(where("ann")).toBe("meeting");
    expect(first.events).toEqual([
      { type: "entered", user: refOf("ann"), minted: true },
      { type: "meeting", user: refOf("ann") },
    ]);
    const second = join("bob", "oak");
    expect(where("ann")).toBe("with bob");
    const room = roomOf("ann").id;
    expect(second.events).toContainEqual({ type: "matched", room, users: [refOf("ann"), refOf("bob")] });
    expect([mailOf("ann"), mailOf("bob")]).toEqual([["found bob"], ["found ann"]]);
  });

  test("C1: whatever their kinds, interests and last partners", () => {
    const { enter, leaveQueue, join, leave, where, mailOf } = new LobbyDriver();
    const picky = { kind: "human", partnerKind: "human" } as const;
    enter("ann", { ...picky, interests: ["tea", "go"] });
    enter("bob", { ...picky, interests: ["go"] });
    leave("ann");
    enter("bob", { kind: "agent", partnerKind: "agent", interests: ["go", "jazz"] });
    leaveQueue("bob");
    join("bob", "oak");
    join("ann", "oak");
    expect(where("ann")).toBe("with bob");
    expect(mailOf("ann").at(-1)).toBe("found bob (go)");
  });

  test("C1: different codes are different meetings", () => {
    const { join, where } = new LobbyDriver();
    join("ann", "oak");
    join("bob", "elm");
    join("cat", "elm");
    expect([where("ann"), where("cat")]).toEqual(["meeting", "with bob"]);
  });

  test("C1 U5: what is said about oneself when coming counts, and what is left out stays", () => {
    const { join, leave, user } = metByCode();
    leave("ann");
    join("ann", "elm", { displayName: "Annie", kind: "agent" });
    expect([user("ann").displayName, user("ann").kind]).toEqual(["Annie", "agent"]);
    expect(user("bob").partnerKind).toBe("any");
  });

  test("U1: whoever shows no identity becomes a user, and stays the same when coming again", () => {
    const { join, leave, user, lobby } = metByCode();
    const { userId } = user("ann");
    leave("ann");
    const { events } = join("ann", "elm");
    expect(events).toContainEqual({ type: "entered", user: user("ann").ref, minted: false });
    expect([user("ann").userId, lobby.users.size]).toEqual([userId, 2]);
  });

  test("I3 I5: a dead token is refused here too, and a session is bound", () => {
    const { join, look, refOf } = new LobbyDriver();
    expect(join("ann", "oak", { by: { bearer: "forged" } }).refusal).toBe("bad_session_token");
    join("bob", "oak", { by: { session: "s" } });
    expect(look("bob", { by: { session: "s" } }).events).toContainEqual({ type: "seen", user: refOf("bob") });
  });

  test("Q6: who has met by a code does not meet again soon in the queue, while somebody else is there", () => {
    const { enter, leave, meet, where } = metByCode();
    leave("ann");
    enter("cat", { interests: ["knots"] });
    meet("ann", "bob");
    expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
  });
});

describe("a third", () => {
  test("C2: is refused while the room is open, and is as before", () => {
    const { join, leave, where, lobby } = metByCode();
    expect(join("cat", "oak").refusal).toBe("room_full");
    expect(lobby.users.size).toBe(2);
    join("dan", "elm");
    join("eve", "elm");
    leave("dan");
    expect(join("dan", "oak").refusal).toBe("room_full");
    expect(where("dan")).toBe("nowhere");
  });

  test("C2: the code is free again when the room has closed, for anybody", () => {
    const { join, leave, where } = metByCode();
    leave("bob");
    join("cat", "oak");
    join("dan", "oak");
    expect(where("cat")).toBe("with dan");
    // The first room does not free what the second one holds.
    expect(join("ann", "oak").refusal).toBe("room_full");
  });

  const ENDS: Readonly<Record<string, (driver: LobbyDriver) => void>> = {
    leaves: ({ leaveQueue }) => leaveQueue("ann"),
    "is gone after the idle time": ({ at }) => at(900_000),
    "is gone after the grace time": ({ open, close, at }) => {
      open("ann");
      close("ann");
      at(30_000);
    },
    "ends the only session": ({ endSession }) => endSession("s"),
    "is kicked": ({ operate, user }) => operate({ type: "kick", userId: user("ann").userId }),
    "is banned": ({ ban }) => ban("ann"),
  };

  test.each(Object.entries(ENDS))(
    "C2 P8: the code is free again when its waiter %s, and nobody is told",
    (_what, end) => {
      const driver = new LobbyDriver();
      const { join, where, lobby, mailOf } = driver;
      join("ann", "oak", { by: { session: "s" } });
      end(driver);
      expect([where("ann"), lobby.meetings.size, mailOf("ann")]).toEqual(["nowhere", 0, []]);
      join("bob", "oak");
      expect(where("bob")).toBe("meeting");
    },
  );

  test("P8: not a moment before their time", () => {
    for (const [goAway, until] of [
      [false, 900_000],
      [true, 30_000],
    ] as const) {
      const { join, open, close, at, where } = new LobbyDriver();
      join("ann", "oak");
      if (goAway) {
        open("ann");
        close("ann");
      }
      at(until - 1);
      expect(where("ann")).toBe("meeting");
      expect(at(until).events).toContainEqual({ type: "left_meeting", user: 1 });
    }
  });
});

describe("one place at a time", () => {
  test("C3: who waits or chats is refused, with the same code too", () => {
    const { join, enter, where } = metByCode();
    enter("cat");
    join("dan", "elm");
    for (const [name, code] of [
      ["ann", "oak"],
      ["ann", "elm"],
      ["cat", "elm"],
      ["dan", "elm"],
      ["dan", "ash"],
    ] as const) {
      expect(join(name, code).refusal).toBe("busy");
    }
    expect([where("ann"), where("cat"), where("dan")]).toEqual(["with bob", "waiting", "meeting"]);
  });

  test("C3: who is refused is described as before", () => {
    const { join, user } = metByCode();
    join("ann", "elm", { displayName: "Annie", kind: "human" });
    expect([user("ann").displayName, user("ann").kind]).toEqual(["ann", "unknown"]);
  });

  test("C3 C5: entering the queue while waiting for a code changes nothing", () => {
    const { join, enter, where, user, lobby } = new LobbyDriver();
    join("ann", "oak");
    enter("bob", { kind: "human", partnerKind: "agent" });
    const { events } = enter("ann", { displayName: "Annie", kind: "agent" });
    expect(events).toEqual([{ type: "entered", user: user("ann").ref, minted: false }]);
    expect([where("ann"), where("bob"), user("ann").displayName]).toEqual(["meeting", "waiting", "ann"]);
    expect(lobby.queue.tickets.size).toBe(1);
  });

  test("C5: who waits for a code is never paired by the queue, and counts in no place in line", () => {
    const { join, enter, where, lineOf } = new LobbyDriver();
    join("ann", "oak");
    enter("bob");
    expect([where("bob"), lineOf("bob").position]).toEqual(["waiting", 1]);
    enter("cat");
    expect([where("ann"), where("bob")]).toEqual(["meeting", "with cat"]);
  });

  test("C5: leaving the queue ends the waiting for a code, once", () => {
    const { join, leaveQueue, leave, where, refOf } = new LobbyDriver();
    join("ann", "oak");
    expect(leave("ann").refusal).toBe("not_in_room");
    expect(leaveQueue("ann").events).toEqual([{ type: "left_meeting", user: refOf("ann") }]);
    expect(where("ann")).toBe("nowhere");
    expect(leaveQueue("ann").refusal).toBe("not_waiting");
  });
});

describe("those who must not meet", () => {
  test("C4: are turned away as from a stranger's room, and the waiter waits on", () => {
    for (const [blocker, other] of [
      ["ann", "bob"],
      ["bob", "ann"],
    ] as const) {
      const { fallOut, join, where } = new LobbyDriver();
      fallOut(blocker, other);
      join("ann", "oak");
      expect(join("bob", "oak").refusal).toBe("room_full");
      expect([where("ann"), where("bob")]).toEqual(["meeting", "nowhere"]);
      join("cat", "oak");
      expect(where("ann")).toBe("with cat");
    }
  });

  test("C4 B3: nor from where somebody blocked was, be they known or new", () => {
    const { goTo, fallOut, join, lobby } = new LobbyDriver();
    goTo("1.1.1.1", "bob", "cat", "dan");
    join("cat", "elm");
    fallOut("ann", "bob");
    join("ann", "oak");
    expect(join("dan", "oak").refusal).toBe("room_full");
    expect(lobby.users.size).toBe(3);
    goTo("2.2.2.2", "dan");
    expect(join("dan", "oak").refusal).toBeUndefined();
  });
});

describe("a waiter who is away", () => {
  test("C6: is met all the same; the other hears so, and the grace clock runs on", () => {
    const { join, open, close, at, from, mailOf, where } = new LobbyDriver();
    join("ann", "oak");
    open("ann");
    close("ann");
    at(10_000);
    join("bob", "oak");
    expect([mailOf("ann"), mailOf("bob")]).toEqual([["found bob"], ["found ann", "away"]]);
    at(29_999);
    expect(where("bob")).toBe("with ann");
    from(30_000);
    at(30_000);
    expect([where("bob"), mailOf("bob")]).toEqual(["nowhere", ["found ann", "away", "gone: timeout"]]);
  });

  test("C6: and is back in time with a call", () => {
    const { join, open, close, from, look, mailOf, at, where } = new LobbyDriver();
    join("ann", "oak");
    open("ann");
    close("ann");
    join("bob", "oak");
    from(29_999);
    look("ann");
    expect(mailOf("bob")).toEqual(["found ann", "away", "back"]);
    at(100_000);
    expect(where("bob")).toBe("with ann");
  });

  test("C6: nothing is told of one who has only been silent for long", () => {
    const { join, at, mailOf } = new LobbyDriver();
    join("ann", "oak");
    at(500_000);
    join("bob", "oak");
    expect(mailOf("bob")).toEqual(["found ann"]);
  });
});
