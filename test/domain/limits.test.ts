/**
 * How much users and addresses may do: what costs, what does not, and who pays.
 *
 * This file owns the L rules.
 */
import { describe, expect, test } from "bun:test";
import type { LobbySettings, Rated } from "../../src/domain/command.ts";
import { ADDRESSES_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { LobbyDriver, ORDINARY, type Told } from "../support/lobby-driver.ts";
import { limited } from "../support/lobby-rates.ts";

/** One a second, so many at once. */
function slow(rated: Rated, burst = 1, more: Partial<LobbySettings> = {}): Partial<LobbySettings> {
  return { rates: limited({ [rated]: { perSecond: 1, burst } }), ...more };
}

const outcome = ({ refusal, retryAfterMs }: Told) => (refusal === undefined ? "done" : `${refusal} ${retryAfterMs}`);

/** How each rated thing is done once more by somebody who has a record; each time it costs one. */
const WAYS: Readonly<Record<Rated, (driver: LobbyDriver) => Told>> = {
  messages: ({ send }) => send("ann", "hi"),
  entries: ({ leaveQueue, enter }) => {
    leaveQueue("ann");
    return enter("ann");
  },
  joins: ({ leaveQueue, join }) => {
    leaveQueue("ann");
    return join("ann", "oak");
  },
  reports: ({ report }) => report("ann"),
};

/** Somebody who can do the thing at once. */
function ready(rated: Rated, settings: Partial<LobbySettings>): LobbyDriver {
  const driver = new LobbyDriver(settings);
  if (rated === "messages" || rated === "reports") driver.meet("ann", "bob");
  else {
    // A user is made by what is not limited here.
    if (rated === "entries") driver.join("ann", "elm");
    else driver.enter("ann", { kind: "human", partnerKind: "agent" });
  }
  return driver;
}

/** Puts them where a report of a new room can be made. */
function meetAnew({ join, lobby }: LobbyDriver): void {
  const code = `oak ${lobby.nextRoom}`;
  join("ann", code);
  join(`with ${code}`, code);
}

describe("a user's rate", () => {
  test.each(Object.entries(WAYS) as [Rated, (driver: LobbyDriver) => Told][])(
    "L1: %s: the burst at once, then each in its time, not a moment before",
    (rated, act) => {
      const driver = ready(rated, slow(rated, 2));
      const once = (): string => {
        if (rated === "reports" && driver.where("ann") === "nowhere") meetAnew(driver);
        return outcome(act(driver));
      };
      expect([once(), once(), once()]).toEqual(["done", "done", "rate_limited 1000"]);
      driver.from(999);
      expect(once()).toBe("rate_limited 1");
      driver.from(1000);
      expect([once(), once()]).toEqual(["done", "rate_limited 1000"]);
    },
  );

  test("L1: does nothing and costs nothing when refused, however often", () => {
    const { meet, send, from, roomOf, report, where, lobby } = new LobbyDriver({
      rates: limited({ messages: { perSecond: 1, burst: 1 }, reports: { perSecond: 1, burst: 1 } }),
    });
    meet("ann", "bob");
    send("ann", "1");
    for (let i = 0; i < 100; i++) send("ann", "no");
    expect(roomOf("ann").seq).toBe(1);
    from(1000);
    expect(outcome(send("ann", "2"))).toBe("done");
    report("ann");
    meet("ann", "cat");
    expect(outcome(report("ann"))).toBe("rate_limited 1000");
    expect([where("ann"), lobby.reports.size]).toEqual(["with cat", 1]);
  });

  test("L1: what is refused for another reason costs nothing either: an entry to a full queue, a report of nothing", () => {
    const rate = { perSecond: 1, burst: 1 };
    const rates = limited({ entries: rate, reports: rate });
    const { join, enter, leaveQueue, report, meet } = new LobbyDriver({ rates, queueMax: 1 });
    meet("ann", "bob");
    expect([report("ann", { room: "none" }).refusal, report("ann").refusal]).toEqual(["room_not_found", undefined]);
    enter("cat", { kind: "human", partnerKind: "human" });
    join("dan", "oak");
    leaveQueue("dan");
    for (let i = 0; i < 3; i++) expect(enter("dan", { kind: "agent" }).refusal).toBe("queue_full");
    leaveQueue("cat");
    expect(enter("dan", { kind: "agent" }).refusal).toBeUndefined();
  });

  test("L1: nor does a join that is turned away", () => {
    const { join, enter, leave } = new LobbyDriver(slow("joins"));
    join("ann", "oak");
    join("bob", "oak");
    enter("cat");
    enter("dan");
    leave("cat");
    for (let i = 0; i < 3; i++) expect(join("cat", "oak").refusal).toBe("room_full");
    expect(outcome(join("cat", "elm"))).toBe("done");
  });

  test("L1: who becomes a user by it has paid for it", () => {
    const entries = new LobbyDriver(slow("entries", 2));
    entries.enter("ann");
    entries.leaveQueue("ann");
    expect(outcome(entries.enter("ann"))).toBe("done");
    entries.leaveQueue("ann");
    expect(outcome(entries.enter("ann"))).toBe("rate_limited 1000");
    const joins = new LobbyDriver(slow("joins"));
    joins.join("ann", "oak");
    joins.leaveQueue("ann");
    expect(outcome(joins.join("ann", "oak"))).toBe("rate_limited 1000");
  });

  test("L1: each thing has an allowance of its own", () => {
    const rate = { perSecond: 1, burst: 1 };
    const driver = new LobbyDriver({ rates: { messages: rate, entries: rate, joins: rate, reports: rate } });
    driver.join("ann", "oak");
    driver.join("bob", "oak");
    expect(["messages", "reports", "entries"].map((rated) => outcome(WAYS[rated as Rated](driver)))).toEqual([
      "done",
      "done",
      "done",
    ]);
  });

  test("L1: a rate of few a minute is told exactly, however its fractions add up", () => {
    const { at } = startAlone({ ...ORDINARY, rates: limited({ joins: { perSecond: 10 / 60, burst: 1 } }) });
    const caller = { bearer: "t" };
    const join = (time: number) => {
      at(time, { type: "leave_queue", caller });
      const told = at(time, { type: "join_room", caller, newToken: "none", code: "oak" }).at(-1);
      return told?.type === "refused" ? told.retryAfterMs : "done";
    };
    at(0, { type: "join_room", caller: {}, newToken: "t", code: "oak" });
    for (let now = 0; now < 300_000; now += 6000) {
      expect([join(now), join(now + 1), join(now + 5999), join(now + 6000)]).toEqual([6000, 5999, 1, "done"]);
    }
  });

  test("L3: entering while waiting, meeting or chatting is free", () => {
    const { enter, leaveQueue, join } = new LobbyDriver(slow("entries", 2));
    enter("ann");
    for (let i = 0; i < 20; i++) expect(outcome(enter("ann"))).toBe("done");
    leaveQueue("ann");
    join("ann", "oak");
    for (let i = 0; i < 20; i++) expect(outcome(enter("ann"))).toBe("done");
    join("bob", "oak");
    for (let i = 0; i < 20; i++) expect(outcome(enter("ann"))).toBe("done");
    expect(outcome(enter("cat"))).toBe("done");
  });

  test("B6 L1: a report that was made already is free", () => {
    const { meet, report, roomOf } = new LobbyDriver(slow("reports"));
    meet("ann", "bob");
    const room = roomOf("ann").id;
    report("ann");
    for (let i = 0; i < 5; i++) expect(outcome(report("ann", { room }))).toBe("done");
  });
});

describe("an address", () => {
  /** So many strangers who come from one address, each new. */
  const newcomers = ({ enter, goTo }: LobbyDriver, count: number, prefix = "n"): string[] =>
    Array.from({ length: count }, (_, i) => {
      goTo("1.1.1.1", `${prefix}${i}`);
      return outcome(enter(`${prefix}${i}`, { kind: "human", partnerKind: "agent" }));
    });

  test("L2: may do as much as so many users, together", () => {
    const driver = new LobbyDriver(slow("entries", 2, { usersPerAddress: 3 }));
    expect(newcomers(driver, 7)).toEqual([...Array.from({ length: 6 }, () => "done"), "rate_limited 334"]);
    expect(driver.lobby.users.size).toBe(6);
    // Other addresses, and whoever shows none, are not concerned.
    expect(outcome(driver.enter("eve"))).toBe("done");
    driver.goTo("2.2.2.2", "fay");
    expect(outcome(driver.enter("fay"))).toBe("done");
    driver.from(333);
    expect(newcomers(driver, 1, "m")).toEqual(["rate_limited 1"]);
    driver.from(334);
    expect(newcomers(driver, 2, "o")).toEqual(["done", "rate_limited 333"]);
  });

  test("L2: of a user's and the address's wait the longer is told", () => {
    const { join, leaveQueue, goTo, from } = new LobbyDriver(slow("joins", 1, { usersPerAddress: 2 }));
    goTo("1.1.1.1", "ann", "bob", "cat");
    join("ann", "oak");
    leaveQueue("ann");
    expect(outcome(join("ann", "oak"))).toBe("rate_limited 1000");
    join("bob", "elm");
    expect(outcome(join("cat", "ash"))).toBe("rate_limited 500");
    from(500);
    expect(outcome(join("ann", "oak"))).toBe("rate_limited 500");
    join("cat", "ash");
    from(600);
    expect(outcome(join("ann", "oak"))).toBe("rate_limited 400");
    from(999);
    expect(outcome(join("ann", "oak"))).toBe("rate_limited 1");
    from(1000);
    expect(outcome(join("ann", "oak"))).toBe("done");
  });

  test("L1 L2: neither pays if the other cannot", () => {
    const { meet, send, goTo, from } = new LobbyDriver(slow("messages", 1, { usersPerAddress: 2 }));
    meet("ann", "bob");
    meet("cat", "dan");
    goTo("1.1.1.1", "ann", "cat");
    send("ann", "1");
    // The address could pay; Ann cannot.
    for (let i = 0; i < 5; i++) expect(outcome(send("ann", "no"))).toBe("rate_limited 1000");
    expect(outcome(send("cat", "2"))).toBe("done");
    // Bob could pay; the address cannot.
    goTo("1.1.1.1", "bob");
    for (let i = 0; i < 5; i++) expect(outcome(send("bob", "no"))).toBe("rate_limited 500");
    goTo(undefined, "bob");
    expect(outcome(send("bob", "3"))).toBe("done");
    from(1000);
    expect([outcome(send("ann", "4")), outcome(send("cat", "5"))]).toEqual(["done", "done"]);
  });

  test("L2: is not limited where addresses are not, nor where the thing is not", () => {
    for (const settings of [slow("joins", 1, { usersPerAddress: 0 }), { usersPerAddress: 1 }]) {
      const driver = new LobbyDriver(settings);
      expect(new Set(newcomers(driver, 50))).toEqual(new Set(["done"]));
      expect(driver.lobby.addresses.byAddress.size).toBe(0);
    }
  });

  test("L4: are bounded: those that may do everything again soonest go first", () => {
    const rates = limited({ joins: { perSecond: 1, burst: 2 }, entries: { perSecond: 0.001, burst: 2 } });
    const { lobby, at } = startAlone({ ...ORDINARY, rates, usersPerAddress: 1, usersMax: 2 * ADDRESSES_MAX });
    let made = 0;
    const join = (time: number, address: string): void => {
      const n = made++;
      const told = at(time, { type: "join_room", caller: { address }, newToken: `t${n}`, code: `${n}` });
      if (told.at(-1)?.type === "refused") throw new Error("a join was refused");
    };
    const enter = (time: number, address: string) =>
      at(time, {
        type: "enter_queue",
        caller: { address },
        newToken: `e${made++}`,
        kind: "human",
        partnerKind: "agent",
      });
    const knows = (address: string): boolean => lobby.addresses.byAddress.has(address);
    join(0, "used twice");
    join(0, "used twice");
    join(0, "first");
    enter(0, "in debt for long");
    for (let i = 4; i <= ADDRESSES_MAX; i++) join(100, `a${i}`);
    expect(lobby.addresses.byAddress.size).toBe(ADDRESSES_MAX);
    // Restored at 1000 is "first", at 1100 the many, at 2000 "used twice".
    join(100, "new");
    expect([knows("first"), knows("used twice"), knows("in debt for long"), knows("a4")]).toEqual([
      false,
      true,
      true,
      true,
    ]);
    join(100, "newer");
    expect([knows("used twice"), knows("in debt for long"), knows("a4"), knows("a5")]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect([lobby.addresses.byAddress.size, lobby.addresses.restored.size]).toEqual([ADDRESSES_MAX, ADDRESSES_MAX]);
  }, 60_000);
});
