/**
 * The queue: who waits, who meets whom, and in what order.
 *
 * This file owns the Q rules. That an arrival stays cheap is in queue-cost.test.ts.
 */
import { describe, expect, test } from "bun:test";
import { KINDS, PARTNER_KINDS } from "../../src/domain/command.ts";
import { LobbyDriver } from "../support/lobby-driver.ts";

/** An interest that nobody else has keeps somebody waiting, and then out of the way. */
const ALONE = { interests: ["solitude"] };

describe("waiting", () => {
  test("Q1: entering again while waiting or chatting changes nothing", () => {
    const { enter, where, user, lobby, lineOf } = new LobbyDriver();
    enter("ann", ALONE);
    const place = user("ann").place;
    expect(enter("ann", { interests: ["tea"], kind: "agent" }).refusal).toBeUndefined();
    expect(user("ann").place).toBe(place);
    expect(user("ann")).toMatchObject({ interests: ["solitude"], kind: "unknown" });
    expect(lobby.queue.tickets.size).toBe(1);
    expect(lineOf("ann").position).toBe(1);
    enter("bob", ALONE);
    expect(where("ann")).toBe("with bob");
    const told = enter("ann", { interests: ["tea"] });
    expect(told.events.map(({ type }) => type)).toEqual(["entered"]);
    expect(where("ann")).toBe("with bob");
    expect(lobby.queue.tickets.size).toBe(0);
  });

  test("Q9: a full queue refuses newcomers and those who return", () => {
    const { enter, leaveQueue, lobby } = new LobbyDriver({ queueMax: 2 });
    enter("ann", { kind: "agent", partnerKind: "human" });
    enter("bob", { kind: "agent", partnerKind: "human" });
    expect(enter("cat", { kind: "agent", partnerKind: "human" }).refusal).toBe("queue_full");
    expect(lobby.users.size).toBe(2);
    leaveQueue("ann");
    expect(enter("cat", { kind: "agent", partnerKind: "human" }).refusal).toBeUndefined();
    expect(enter("ann").refusal).toBe("queue_full");
    expect(enter("bob").refusal).toBeUndefined();
  });

  test("Q9: a full queue lets in whoever is paired at once, newcomer or not", () => {
    const { enter, leave, where } = new LobbyDriver({ queueMax: 1 });
    enter("ann", { kind: "human", partnerKind: "agent" });
    expect(enter("bob", { kind: "human" }).refusal).toBe("queue_full");
    expect(enter("cat", { kind: "agent" }).refusal).toBeUndefined();
    expect(where("cat")).toBe("with ann");
    leave("cat");
    expect(enter("dan", { kind: "human", partnerKind: "agent" }).refusal).toBeUndefined();
    expect(enter("cat").refusal).toBeUndefined();
    expect(where("cat")).toBe("with dan");
  });

  test("Q11: leaving the queue takes out who waits, and nobody else", () => {
    const { enter, leaveQueue, meet, where, lobby } = new LobbyDriver();
    enter("ann");
    expect(leaveQueue("ann").events).toContainEqual({ type: "left_queue", user: 1 });
    expect(where("ann")).toBe("nowhere");
    expect(leaveQueue("ann").refusal).toBe("not_waiting");
    meet("bob", "cat");
    expect(leaveQueue("bob").refusal).toBe("not_waiting");
    expect(where("bob")).toBe("with cat");
    expect(lobby.queue.tickets.size).toBe(0);
  });
});

describe("who meets whom", () => {
  test("Q2: two who fit are paired at once, the longest-waiting first", () => {
    const { enter, where, mailOf } = new LobbyDriver();
    // Of the same kind, these three do not fit each other.
    for (const name of ["ann", "bob", "cat"]) enter(name, { kind: "agent", partnerKind: "human" });
    enter("dan", { kind: "human" });
    expect(where("dan")).toBe("with ann");
    enter("eve", { kind: "human" });
    expect(where("eve")).toBe("with bob");
    expect(mailOf("bob")).toEqual(["found eve"]);
    expect(where("cat")).toBe("waiting");
  });

  test("Q2: a place in line is kept while passed over, and new after leaving", () => {
    const { enter, leaveQueue, open, close, where } = new LobbyDriver();
    for (const name of ["ann", "bob", "cat"]) enter(name, { kind: "agent", partnerKind: "human" });
    open("ann");
    close("ann");
    leaveQueue("bob");
    enter("bob");
    open("ann");
    enter("dan", { kind: "human" });
    expect(where("dan")).toBe("with ann");
    enter("eve", { kind: "human" });
    expect(where("eve")).toBe("with cat");
  });

  test("Q3: kinds must agree both ways, and unknown fits only who takes any", () => {
    let pairs = 0;
    for (const kind of KINDS) {
      for (const wants of PARTNER_KINDS) {
        for (const otherKind of KINDS) {
          for (const otherWants of PARTNER_KINDS) {
            const { enter, where } = new LobbyDriver();
            enter("ann", { kind, partnerKind: wants });
            enter("bob", { kind: otherKind, partnerKind: otherWants });
            const fit = (wants === "any" || wants === otherKind) && (otherWants === "any" || otherWants === kind);
            expect(where("ann")).toBe(fit ? "with bob" : "waiting");
            if (fit) pairs++;
          }
        }
      }
    }
    // Nine sorts of people: 9 of any with any, 12 of any with choosers both ways, 4 of choosers with choosers.
    expect(pairs).toBe(9 + 12 + 4);
  });

  test("Q8: a blocked pair never meets, in either direction", () => {
    for (const [blocker, blocked] of [
      ["ann", "bob"],
      ["bob", "ann"],
    ] as const) {
      const { meet, fallOut, enter, where, at } = new LobbyDriver();
      fallOut(blocker, blocked);
      meet("ann", "bob");
      expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
      at(80_000);
      expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
      enter("cat");
      expect(where("cat")).toBe("with ann");
    }
  });
});

describe("interests", () => {
  test("Q4: a user with interests holds out for one who shares some, until the time is over", () => {
    const { enter, at, where } = new LobbyDriver();
    enter("ann", { interests: ["tea"] });
    enter("bob", { interests: ["go"] });
    at(9999);
    expect(where("ann")).toBe("waiting");
    at(10_000);
    expect(where("ann")).toBe("with bob");
  });

  test("Q4: one without interests never holds out, but waits for one who does", () => {
    const { enter, at, where, mailOf } = new LobbyDriver();
    enter("ann", { interests: ["tea"] });
    at(4000);
    enter("bob");
    expect(where("bob")).toBe("waiting");
    // Somebody for Ann comes first, then somebody for Bob.
    enter("cat", { interests: ["tea", "go"] });
    expect(where("cat")).toBe("with ann");
    expect(mailOf("cat")).toEqual(["found ann (tea)"]);
    enter("dan");
    expect(where("dan")).toBe("with bob");
  });

  test("Q4: both must have held out long enough", () => {
    const { enter, at, where } = new LobbyDriver();
    enter("ann", { interests: ["tea"] });
    at(6000);
    enter("bob", { interests: ["go"] });
    at(15_999);
    expect(where("ann")).toBe("waiting");
    at(16_000);
    expect(where("ann")).toBe("with bob");
  });

  test("Q4: nobody holds out where the time for it is nothing", () => {
    const { enter, where } = new LobbyDriver({ widenMs: 0 });
    enter("ann", { interests: ["tea"] });
    enter("bob", { interests: ["go"] });
    expect(where("ann")).toBe("with bob");
  });

  test("Q4: who comes back after holding out long enough takes anybody at once", () => {
    const { enter, open, close, at, where } = new LobbyDriver();
    enter("ann", { interests: ["tea"] });
    open("ann");
    close("ann");
    at(15_000);
    enter("bob");
    expect(where("bob")).toBe("waiting");
    open("ann");
    expect(where("bob")).toBe("with ann");
  });

  test("Q5: the one with the most in common is taken, then the longest-waiting", () => {
    const { enter, where, mailOf } = new LobbyDriver();
    enter("one", { interests: ["tea"], kind: "agent", partnerKind: "human" });
    enter("two", { interests: ["tea", "jazz"], kind: "agent", partnerKind: "human" });
    enter("too", { interests: ["go", "tea"], kind: "agent", partnerKind: "human" });
    enter("any", { kind: "agent", partnerKind: "human" });
    enter("ann", { interests: ["go", "jazz", "tea"], kind: "human" });
    expect(where("ann")).toBe("with two");
    expect(mailOf("ann")).toEqual(["found two (tea,jazz)"]);
    enter("bob", { interests: ["go", "jazz", "tea"], kind: "human" });
    expect(where("bob")).toBe("with too");
    enter("cat", { interests: ["go", "jazz", "tea"], kind: "human" });
    expect(where("cat")).toBe("with one");
  });

  test("Q5: somebody who shares an interest comes before somebody who waits for longer", () => {
    const { enter, at, where } = new LobbyDriver();
    enter("ann", { kind: "agent", partnerKind: "human" });
    at(1000);
    enter("bob", { interests: ["tea"], kind: "agent", partnerKind: "human" });
    at(12_000);
    enter("cat", { interests: ["tea"], kind: "human" });
    expect(where("cat")).toBe("with bob");
  });
});

describe("not the same again", () => {
  /** Ann meets everybody else once, in this order, and leaves each; then all are nowhere. */
  function whoHaveMet(...others: string[]): LobbyDriver {
    const driver = new LobbyDriver({ widenMs: 500_000 });
    for (const other of others) {
      driver.meet("ann", other);
      driver.leave("ann");
    }
    return driver;
  }

  test("Q6: two who met lately are kept apart while somebody else is there for either", () => {
    const { enter, where } = whoHaveMet("bob");
    enter("ann", { kind: "agent" });
    enter("bob");
    expect(where("ann")).toBe("with bob");

    const other = whoHaveMet("bob");
    other.enter("cat", ALONE);
    other.meet("ann", "bob");
    expect([other.where("ann"), other.where("bob")]).toEqual(["waiting", "waiting"]);
    other.leaveQueue("cat");
    expect(other.where("ann")).toBe("with bob");
  });

  test("Q6: a third who goes away, is silent or is paired is there no more", () => {
    const partings: ((driver: LobbyDriver) => void)[] = [
      ({ open, close }) => {
        open("cat");
        close("cat");
      },
      ({ at, look }) => {
        at(50_000);
        look("ann");
        look("bob");
        at(90_000);
      },
      ({ enter }) => void enter("dan", ALONE),
    ];
    for (const part of partings) {
      const driver = whoHaveMet("bob");
      driver.enter("cat", ALONE);
      driver.meet("ann", "bob");
      expect(driver.where("ann")).toBe("waiting");
      part(driver);
      expect(driver.where("ann")).toBe("with bob");
    }
  });

  test("Q6: who fits neither of the two does not keep them apart", () => {
    const { enter, meet, where } = whoHaveMet("bob");
    enter("cat", { kind: "agent", partnerKind: "human" });
    meet("ann", "bob");
    expect(where("ann")).toBe("with bob");

    const other = whoHaveMet("bob");
    other.fallOut("ann", "cat");
    other.fallOut("cat", "bob");
    other.enter("cat", ALONE);
    other.meet("ann", "bob");
    expect(other.where("ann")).toBe("with bob");
  });

  test("Q6: nor whoever is where one of the last three was, in either direction", () => {
    for (const arrivals of [
      ["ann", "new bob"],
      ["new bob", "ann"],
    ]) {
      const { goTo, meet, leave, enter, where } = new LobbyDriver();
      goTo("1.1.1.1", "bob", "new bob");
      meet("ann", "bob");
      leave("ann");
      enter("cat", ALONE);
      for (const name of arrivals) enter(name);
      expect([where("ann"), where("new bob")]).toEqual(["waiting", "waiting"]);
      leave("cat");
      enter("dan");
      expect(where("dan")).toBe(`with ${arrivals[0]}`);
    }
  });

  test("Q6: they meet if nobody else is there for either; one address alone is no matter", () => {
    const { goTo, meet, leave, where } = new LobbyDriver();
    goTo("1.1.1.1", "ann", "bob", "cat");
    meet("ann", "bob");
    expect(where("ann")).toBe("with bob");
    leave("ann");
    meet("ann", "cat");
    expect(where("ann")).toBe("with cat");
  });

  test("Q6: who goes elsewhere while waiting is somebody else; who comes to where one was met is not", () => {
    const { goTo, meet, leave, enter, look, where } = new LobbyDriver();
    goTo("1.1.1.1", "bob", "new bob");
    meet("ann", "bob");
    leave("ann");
    enter("cat", ALONE);
    meet("ann", "new bob");
    expect(where("ann")).toBe("waiting");
    goTo("2.2.2.2", "new bob");
    look("new bob");
    expect(where("ann")).toBe("with new bob");
  });

  test("Q6: two who are kept apart by a third meet when the third comes to where both have met somebody", () => {
    const { goTo, meet, leave, enter, look, where } = new LobbyDriver();
    goTo("1.1.1.1", "dan");
    for (const name of ["ann", "bob"]) {
      meet(name, "dan");
      leave(name);
    }
    meet("ann", "bob");
    leave("ann");
    enter("cat", ALONE);
    meet("ann", "bob");
    expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
    goTo("1.1.1.1", "cat");
    look("cat");
    expect([where("ann"), where("bob")]).toEqual(["with bob", "with ann"]);
  });

  test("Q6: three rooms later they may meet again, whoever else is there", () => {
    const { enter, leave, where } = whoHaveMet("bob", "cat", "dan", "eve");
    // Bob has met Ann as his last, so he would not be let go of; three others make him forget.
    for (const other of ["cat", "dan", "eve"]) {
      enter("bob");
      enter(other);
      leave("bob");
    }
    enter("fay", ALONE);
    enter("bob");
    enter("ann");
    expect(where("ann")).toBe("with bob");
  });

  test("Q6: for three rooms they may not, as either of them remembers", () => {
    const { enter, where } = whoHaveMet("bob", "cat", "dan", "eve");
    // Ann has forgotten Bob, but Bob has met nobody since.
    enter("fay", ALONE);
    enter("bob");
    enter("ann");
    expect(where("ann")).toBe("waiting");
  });

  test("Q6 Q2: of several known ones the longest-waiting is met again, whatever their kind", () => {
    const { enter, leave, where } = new LobbyDriver();
    for (const [name, kind] of [
      ["bob", "agent"],
      ["cat", "unknown"],
    ] as const) {
      enter("ann", { kind: "human" });
      enter(name, { kind });
      leave("ann");
    }
    enter("bob", { partnerKind: "human" });
    enter("cat", { partnerKind: "human" });
    enter("ann");
    expect(where("ann")).toBe("with bob");
  });

  test("Q6 Q5: of several known ones the one with the most in common is met again", () => {
    const { enter, leave, where } = new LobbyDriver();
    for (const name of ["bob", "cat"]) {
      enter("ann", { kind: "human", interests: ["tea", "go"] });
      enter(name, { kind: "agent", interests: ["tea", "go"] });
      leave("ann");
    }
    enter("bob", { partnerKind: "human", interests: ["tea"] });
    enter("cat", { partnerKind: "human", interests: ["tea", "go"] });
    enter("ann");
    expect(where("ann")).toBe("with cat");
  });

  describe("when a third leaves, those kept apart look again", () => {
    /** Ann, Bob and Cat have each met both others; only Dan is there for them now, and holds out. */
    function threeWhoKnowEachOther(): LobbyDriver {
      const driver = new LobbyDriver();
      for (const [one, other] of [
        ["ann", "bob"],
        ["ann", "cat"],
        ["bob", "cat"],
      ] as const) {
        driver.meet(one, other);
        driver.leave(one);
      }
      driver.enter("dan", ALONE);
      return driver;
    }

    test("Q6 Q2: the longest-waiting first", () => {
      const { enter, where, leaveQueue } = threeWhoKnowEachOther();
      for (const name of ["cat", "bob", "ann"]) enter(name);
      expect(where("cat")).toBe("waiting");
      leaveQueue("dan");
      expect(where("cat")).toBe("with bob");
      expect(where("ann")).toBe("waiting");
    });

    test("Q6 Q5: and chooses as ever, also if the others came to it", () => {
      const { enter, where, leaveQueue } = threeWhoKnowEachOther();
      enter("ann", { interests: ["tea", "go"] });
      enter("bob", { interests: ["tea"] });
      enter("cat", { interests: ["tea", "go"] });
      leaveQueue("dan");
      expect(where("ann")).toBe("with cat");
      expect(where("bob")).toBe("waiting");
    });

    test("Q6 Q2: whoever was the last to be kept apart", () => {
      const { enter, where, leaveQueue, at } = threeWhoKnowEachOther();
      enter("ann");
      enter("bob", { interests: ["tea"] });
      enter("cat", { interests: ["tea"] });
      at(5000);
      // Eve takes Dan's part, as he would be met by Ann when he has held out.
      enter("eve", { interests: ["silence"] });
      leaveQueue("dan");
      at(12_000);
      expect(where("ann")).toBe("waiting");
      leaveQueue("eve");
      // Bob and Cat have more in common, but Ann has waited for longest and takes the first of them.
      expect(where("ann")).toBe("with bob");
      expect(where("cat")).toBe("waiting");
    });
  });
});

describe("who can be paired", () => {
  test("Q7: without a stream one is paired within the time after a call, then passed over", () => {
    const { enter, at, where, look } = new LobbyDriver();
    enter("ann");
    at(89_999);
    enter("bob");
    expect(where("ann")).toBe("with bob");
    enter("cat");
    at(180_000);
    enter("dan", ALONE);
    expect(where("cat")).toBe("waiting");
    expect(where("dan")).toBe("waiting");
    at(190_000);
    expect(where("dan")).toBe("waiting");
    look("cat");
    expect(where("cat")).toBe("with dan");
  });

  test("Q7: exactly at the end of the time one is passed over", () => {
    const { enter, at, where } = new LobbyDriver();
    enter("ann");
    at(90_000);
    enter("bob");
    expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
  });

  test("Q7: with a stream or a held call one is paired however long ago the last call was", () => {
    const { enter, open, hold, at, where } = new LobbyDriver();
    enter("ann");
    open("ann");
    at(800_000);
    enter("bob");
    expect(where("bob")).toBe("with ann");
    enter("cat");
    hold("cat");
    at(2_000_000);
    enter("dan");
    expect(where("dan")).toBe("with cat");
  });

  test("Q7: who is away is passed over at once, and keeps the place", () => {
    const { enter, open, close, where, at } = new LobbyDriver();
    enter("ann", { kind: "agent", partnerKind: "human" });
    enter("bob", { kind: "agent", partnerKind: "human" });
    open("ann");
    close("ann");
    enter("cat", { kind: "human" });
    expect(where("cat")).toBe("with bob");
    at(29_999);
    open("ann");
    enter("dan", { kind: "human" });
    expect(where("dan")).toBe("with ann");
  });

  test("Q7: who becomes available looks for a partner at once, by any sign of life", () => {
    for (const sign of ["look", "poll", "open", "enter", "leave"] as const) {
      const driver = new LobbyDriver();
      driver.enter("ann");
      driver.at(100_000);
      driver.enter("bob");
      expect(driver.where("bob")).toBe("waiting");
      driver[sign]("ann");
      expect(driver.where("bob")).toBe("with ann");
    }
  });
});

describe("the outlook", () => {
  test("Q10: the position is the place among available users who compete for the same partners", () => {
    const { enter, lineOf, open, close, leaveQueue } = new LobbyDriver();
    enter("ann", { kind: "agent", partnerKind: "human" });
    enter("bob", { kind: "human", partnerKind: "human" });
    enter("cat", { kind: "agent", partnerKind: "human" });
    enter("dan", { kind: "agent", partnerKind: "agent" });
    // Ann, Bob and Cat all want humans of some sort; Dan wants agents, whom no other does.
    expect([lineOf("ann").position, lineOf("bob").position, lineOf("cat").position]).toEqual([1, 2, 3]);
    expect(lineOf("dan").position).toBe(1);
    open("ann");
    close("ann");
    expect(lineOf("cat").position).toBe(2);
    open("ann");
    expect(lineOf("cat").position).toBe(3);
    leaveQueue("bob");
    expect(lineOf("cat").position).toBe(2);
  });

  test("Q13: without two recent matches nothing is known about the wait", () => {
    const { enter, at, lineOf, meet } = new LobbyDriver();
    enter("ann", ALONE);
    expect(lineOf("ann").waitSeconds).toBeNull();
    at(1000);
    meet("bob", "cat");
    at(2000);
    expect(lineOf("ann").waitSeconds).toBeNull();
  });

  test("Q13: the wait follows from how fast those who waited were taken of late, and is never none", () => {
    const { enter, from, lineOf, leave } = new LobbyDriver();
    const wait = (begins: number, seconds: number): void => {
      from(begins);
      enter("ann");
      from(begins + 1000 * seconds);
      enter("bob");
      leave("bob");
    };
    const toldAt = (ms: number): number | null => {
      from(ms);
      enter("cat");
      return lineOf("cat").waitSeconds;
    };
    for (let i = 0; i < 4; i++) wait(i * 100_000, 0);
    expect(toldAt(400_000)).toBe(1);
    enter("dan");
    leave("dan");
    for (let i = 5; i < 25; i++) wait(i * 100_000, 5);
    for (let i = 25; i < 60; i++) wait(i * 100_000, 50);
    // The zeros and fives of long ago hardly count any more.
    expect(toldAt(6_000_000)).toBe(50);
    expect(toldAt(5_950_000 + 599_999)).not.toBeNull();
    expect(toldAt(5_950_000 + 600_000)).toBeNull();
  });
});

describe("by chance", () => {
  /** Three wait; whom does the fourth meet? */
  function metWith(entropy: string, interests: readonly string[] = []): string {
    const driver = new LobbyDriver({ matching: "random" });
    for (const name of ["ann", "bob", "cat"]) {
      driver.enter(name, { kind: "agent", partnerKind: "human", interests: name === "cat" ? [] : interests });
    }
    const command = { type: "enter_queue", caller: {}, newToken: "t", kind: "human", interests } as const;
    const events = driver.lockstep.apply({ at: 0, entropy, command });
    const matched = events.find((event) => event.type === "matched");
    return ["", "ann", "bob", "cat"][matched?.users[0] ?? 0] ?? "";
  }

  const ENTROPIES = Array.from({ length: 300 }, (_, i) => `${(i * 7919).toString(36)}`.padStart(22, "q"));

  test("Q12: each of those who fit equally well is met about as often", () => {
    const counts = new Map<string, number>();
    for (const entropy of ENTROPIES) {
      const name = metWith(entropy);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(["ann", "bob", "cat"]);
    for (const count of counts.values()) expect(count).toBeGreaterThan(60);
  });

  test("Q12: the same entropy chooses the same, and chance never beats an interest", () => {
    for (const entropy of ENTROPIES.slice(0, 30)) {
      expect(metWith(entropy)).toBe(metWith(entropy));
      expect(metWith(entropy, ["tea"])).not.toBe("cat");
    }
  });
});
