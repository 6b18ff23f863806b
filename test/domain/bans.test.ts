/**
 * Bans: whom they keep out of what, whom they take out, and until when.
 *
 * This file owns B8 to B11.
 */
import { describe, expect, test } from "bun:test";
import { checkLobby } from "../../src/domain/invariants.ts";
import { nextDeadline } from "../../src/domain/lobby.ts";
import { BANS_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";
import { limited } from "../support/lobby-rates.ts";

/** Ann, Bob and Cat are users, nowhere; Ann and Bob have met. Ann is at an address, Cat at none. */
function village(settings: ConstructorParameters<typeof LobbyDriver>[0] = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.goTo("1.1.1.1", "ann");
  driver.meet("ann", "bob");
  driver.leave("ann");
  driver.enter("cat");
  driver.leaveQueue("cat");
  return driver;
}

describe("who is banned", () => {
  test("B8: is refused what meets or reaches others, and may do everything else", () => {
    const { ban, enter, join, send, report, look, poll, hold, block, leave, leaveQueue, user } = village();
    const [room = ""] = user("ann").pastRooms;
    ban("ann");
    const refusals = [enter("ann"), join("ann", "oak"), send("ann", "hi", { room }), report("ann", { room })];
    expect(refusals.map(({ refusal, retryAfterMs }) => [refusal, retryAfterMs])).toEqual(
      Array.from({ length: 4 }, () => ["banned", undefined]),
    );
    const allowed = [look("ann"), poll("ann"), hold("ann"), block("ann", room)];
    expect(allowed.map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined, undefined]);
    expect([leave("ann").refusal, leaveQueue("ann").refusal]).toEqual(["not_in_room", "not_waiting"]);
  });

  test("B8: before anything else is looked at", () => {
    const { enter, join, send, report, goTo, banAddress } = village();
    enter("ann");
    enter("bob");
    send("ann", "hi", { id: "m" });
    banAddress("6.6.6.6");
    goTo("6.6.6.6", "ann");
    expect(enter("ann").refusal).toBe("banned");
    expect(enter("ann", { userId: "somebody" }).refusal).toBe("banned");
    expect(join("ann", "oak").refusal).toBe("banned");
    expect(send("ann", "hi", { id: "m" }).refusal).toBe("banned");
    expect(send("ann", "hi").refusal).toBe("banned");
    expect(report("ann").refusal).toBe("banned");
    expect(report("ann", { room: "unknown" }).refusal).toBe("banned");
  });

  test("B8: is told the time until it ends, of several bans the last", () => {
    const { ban, banAddress, enter, from } = village();
    ban("ann", { until: 5000 });
    expect(enter("ann").retryAfterMs).toBe(5000);
    from(1000);
    expect(enter("ann").retryAfterMs).toBe(4000);
    banAddress("1.1.1.1", { until: 9000 });
    expect(enter("ann").retryAfterMs).toBe(8000);
    ban("ann", { until: 7000 });
    expect(enter("ann").retryAfterMs).toBe(8000);
    banAddress("1.1.1.1");
    expect(enter("ann")).toMatchObject({ refusal: "banned", retryAfterMs: undefined });
  });

  test("B8 L1: what is refused costs nothing", () => {
    const { ban, enter, from, operate, lobby } = village({ rates: limited({ entries: { perSecond: 1, burst: 2 } }) });
    ban("ann");
    for (let i = 0; i < 5; i++) enter("ann");
    const [id = ""] = lobby.bans.keys();
    operate({ type: "unban", ban: id });
    from(1000);
    expect(enter("ann").refusal).toBeUndefined();
  });

  test("B8: a newcomer from a banned address, who does not become a user", () => {
    const { goTo, banAddress, enter, join, lobby } = new LobbyDriver();
    banAddress("1.1.1.1", { until: 100 });
    goTo("1.1.1.1", "ann");
    expect([enter("ann").refusal, join("ann", "oak").refusal, enter("ann").retryAfterMs]).toEqual([
      "banned",
      "banned",
      100,
    ]);
    goTo("1.1.1.2", "ann");
    expect(enter("ann").refusal).toBeUndefined();
    expect(lobby.users.size).toBe(1);
  });

  test("B8 I9: a user who calls from a banned address, as long as they were there last", () => {
    const { goTo, banAddress, enter, look } = village();
    banAddress("6.6.6.6");
    goTo("6.6.6.6", "ann");
    expect(enter("ann").refusal).toBe("banned");
    // A call that shows no address leaves the last one.
    goTo(undefined, "ann");
    expect(enter("ann").refusal).toBe("banned");
    goTo("1.1.1.1", "ann");
    look("ann");
    expect(enter("ann").refusal).toBeUndefined();
  });
});

describe("whom a ban takes out", () => {
  test("B9: its user, out of a room; both are told", () => {
    const { meet, ban, where, mailOf, leave } = new LobbyDriver();
    meet("ann", "bob");
    ban("ann");
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect([mailOf("ann"), mailOf("bob")]).toEqual([
      ["found bob", "gone: moderation"],
      ["found ann", "gone: moderation"],
    ]);
    expect(leave("ann").refusal).toBe("not_in_room");
  });

  test("B9: out of queue and meeting, of which nobody is told", () => {
    const { enter, join, ban, where, lobby, refOf } = new LobbyDriver();
    enter("ann");
    join("bob", "oak");
    expect(ban("ann").events).toContainEqual({ type: "left_queue", user: refOf("ann") });
    expect(ban("bob").events).toContainEqual({ type: "left_meeting", user: refOf("bob") });
    expect([where("ann"), where("bob"), lobby.queue.tickets.size]).toEqual(["nowhere", "nowhere", 0]);
  });

  test("B9 B10: everybody who was last at its address, and nobody else", () => {
    for (const target of ["user", "address"]) {
      const { goTo, meet, enter, join, ban, banAddress, where } = new LobbyDriver();
      goTo("1.1.1.1", "ann", "cat", "dan");
      meet("ann", "bob");
      join("cat", "oak");
      enter("dan");
      goTo("2.2.2.2", "eve");
      join("eve", "elm");
      join("fay", "ash");
      if (target === "user") ban("ann");
      else banAddress("1.1.1.1");
      const places = ["ann", "bob", "cat", "dan", "eve", "fay"].map(where);
      expect(places).toEqual(["nowhere", "nowhere", "nowhere", "nowhere", "meeting", "meeting"]);
    }
  });

  test("B9 Q6: who was kept apart by those taken out meets at once", () => {
    const { meet, leave, enter, ban, where } = new LobbyDriver();
    meet("ann", "bob");
    leave("ann");
    enter("cat", { interests: ["knots"] });
    meet("ann", "bob");
    expect(where("ann")).toBe("waiting");
    ban("cat");
    expect(where("ann")).toBe("with bob");
  });

  test("B9: all whom it covers at once, so that nobody meets one of them only to lose them", () => {
    const { goTo, join, leave, enter, banAddress, where, mailOf } = new LobbyDriver();
    goTo("1.1.1.1", "ann", "cat");
    // Cat holds out, is there for both of them, and came first.
    enter("cat", { interests: ["knots"] });
    join("ann", "oak");
    join("bob", "oak");
    leave("ann");
    goTo("1.1.1.2", "bob");
    enter("ann");
    enter("bob");
    expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
    const { events } = banAddress("1.1.1.1");
    expect(events.filter(({ type }) => type === "matched")).toEqual([]);
    expect([where("ann"), where("bob"), where("cat")]).toEqual(["nowhere", "waiting", "nowhere"]);
    expect(mailOf("bob")).toEqual(["found ann", "gone: left"]);
  });

  test("B9: somebody passed over for silence who calls from a banned address is met by nobody first", () => {
    const { goTo, banAddress, enter, at, where, mailOf } = new LobbyDriver();
    banAddress("6.6.6.6");
    enter("ann");
    at(90_000);
    enter("bob");
    goTo("6.6.6.6", "ann");
    expect(enter("ann").refusal).toBe("banned");
    expect([where("ann"), where("bob"), mailOf("bob")]).toEqual(["nowhere", "waiting", []]);
  });

  test("B9: a call that brings somebody to a banned address, after what it was for", () => {
    const { goTo, banAddress, meet, leave, look, where, mailOf, refOf } = new LobbyDriver();
    banAddress("6.6.6.6");
    meet("ann", "bob");
    meet("cat", "dan");
    goTo("6.6.6.6", "ann", "cat");
    expect(look("ann").events).toContainEqual({ type: "seen", user: refOf("ann") });
    expect([where("ann"), mailOf("ann").at(-1), mailOf("bob").at(-1)]).toEqual([
      "nowhere",
      "gone: moderation",
      "gone: moderation",
    ]);
    // Leaving is leaving.
    expect(leave("cat").refusal).toBeUndefined();
    expect(mailOf("dan").at(-1)).toBe("gone: left");
  });

  test("B9: such a call says nothing to the partner any more", () => {
    const { goTo, banAddress, meet, send, mailOf } = new LobbyDriver();
    banAddress("6.6.6.6");
    meet("ann", "bob");
    goTo("6.6.6.6", "ann");
    expect(send("ann", "hi").refusal).toBe("banned");
    expect(mailOf("bob")).toEqual(["found ann", "gone: moderation"]);
  });
});

describe("what a ban covers", () => {
  test("B10: the address its user was last at, for newcomers too", () => {
    const { goTo, ban, enter } = village();
    ban("ann");
    goTo("1.1.1.1", "new ann", "cat");
    expect([enter("new ann").refusal, enter("cat").refusal]).toEqual(["banned", "banned"]);
    goTo("2.2.2.2", "new ann", "ann");
    expect(enter("new ann").refusal).toBeUndefined();
    // The user themselves is banned wherever they are.
    expect(enter("ann").refusal).toBe("banned");
  });

  test("B10: no address where none is known", () => {
    const { ban, enter } = village();
    ban("cat");
    expect([enter("cat").refusal, enter("dan").refusal]).toEqual(["banned", undefined]);
  });

  test("B10: not where its user has gone since", () => {
    const { goTo, ban, look, enter } = village();
    ban("ann");
    goTo("2.2.2.2", "ann", "dan");
    look("ann");
    expect(enter("dan").refusal).toBeUndefined();
  });

  test("B10 U4: the id of a banned user is given to nobody, also when their record has ended", () => {
    const { enter, leaveQueue, ban, at, lobby, operate, from } = new LobbyDriver({ retainUserMs: 1000 });
    enter("ann", { userId: "annie" });
    leaveQueue("ann");
    ban("ann", { until: 5000 });
    expect(enter("bob", { userId: "annie" })).toMatchObject({ refusal: "banned", retryAfterMs: 5000 });
    at(1000);
    expect([lobby.users.size, lobby.bans.size]).toEqual([0, 1]);
    expect(enter("bob", { userId: "annie" })).toMatchObject({ refusal: "banned", retryAfterMs: 4000 });
    from(4999);
    expect(enter("bob", { userId: "annie" }).refusal).toBe("banned");
    from(5000);
    expect(enter("bob", { userId: "annie" }).refusal).toBeUndefined();
    expect(operate({ type: "unban", ban: "none" }).events).toEqual([{ type: "operated_nothing", act: "unban" }]);
  });
});

describe("the end of a ban", () => {
  test("B11 T4: at its time, not a moment before; the next deadline knows", () => {
    const { ban, enter, from, at, lobby } = new LobbyDriver();
    enter("ann");
    ban("ann", { until: 500 });
    expect(nextDeadline(lobby)).toBe(500);
    from(499);
    expect(enter("ann")).toMatchObject({ refusal: "banned", retryAfterMs: 1 });
    expect(lobby.bans.size).toBe(1);
    at(500);
    expect(lobby.bans.size).toBe(0);
    expect(enter("ann").refusal).toBeUndefined();
  });

  test("B11: by unban, once; other bans of the same target stay", () => {
    const { ban, enter, operate, lobby } = village();
    ban("ann", { until: 500 });
    ban("ann");
    const [first = "", second = ""] = lobby.bans.keys();
    expect(operate({ type: "unban", ban: second }).events).toEqual([{ type: "operated", act: "unban" }]);
    expect(enter("ann").retryAfterMs).toBe(500);
    expect(operate({ type: "unban", ban: second }).events).toEqual([{ type: "operated_nothing", act: "unban" }]);
    operate({ type: "unban", ban: first });
    expect(enter("ann").refusal).toBeUndefined();
  });

  test("B11: one whose time has come before it is made is in vain, and so is one of nobody", () => {
    const { ban, banAddress, enter, from, operate, where, lobby } = new LobbyDriver();
    enter("ann");
    from(1000);
    const nothing = [{ type: "operated_nothing", act: "ban" }] as const;
    expect(ban("ann", { until: 1000 }).events).toEqual([...nothing]);
    expect(banAddress("1.1.1.1", { until: 999 }).events).toEqual([...nothing]);
    const nobody = operate({ type: "ban", target: { kind: "user", userId: "nobody" } });
    expect(nobody.events).toEqual([...nothing]);
    expect([where("ann"), lobby.bans.size]).toEqual(["waiting", 0]);
    expect(ban("ann", { until: 1001 }).events.at(-1)).toMatchObject({ type: "operated", act: "ban" });
  });

  test("B11: a ban tells its id and keeps the operator's words", () => {
    const { banAddress, lobby } = new LobbyDriver();
    const told = banAddress("1.1.1.1", { note: "spam" }).events.at(-1);
    expect([...lobby.bans.values()]).toMatchObject([{ note: "spam", address: "1.1.1.1", user: undefined, at: 0 }]);
    expect(told).toEqual({ type: "operated", act: "ban", id: [...lobby.bans.keys()][0] ?? "" });
  });

  test("B11: bans are bounded; for a further one, the one that ends soonest goes, of several the oldest", () => {
    const { lobby, at } = startAlone(ORDINARY);
    const ban = (address: string, until?: number): void => {
      const target = { kind: "address", address } as const;
      at(0, { type: "operate", act: { type: "ban", target, ...(until === undefined ? {} : { until }) } });
    };
    const refused = (address: string): boolean =>
      at(0, { type: "join_room", caller: { address }, newToken: address, code: address }).at(-1)?.type === "refused";
    for (let i = 0; i < BANS_MAX - 3; i++) ban(`for ever ${i}`);
    ban("late", 2000);
    ban("soon", 1000);
    ban("soon too", 1000);
    expect([lobby.bans.size, refused("soon"), refused("soon too")]).toEqual([BANS_MAX, true, true]);
    // It ends soonest of all, and comes in all the same.
    ban("new", 10);
    expect([lobby.bans.size, refused("soon"), refused("soon too"), refused("new")]).toEqual([
      BANS_MAX,
      false,
      true,
      true,
    ]);
    for (let i = 0; i < 3; i++) ban(`more ${i}`);
    expect([refused("new 2"), refused("soon too"), refused("late"), refused("for ever 0")]).toEqual([
      false,
      false,
      false,
      true,
    ]);
    ban("one more");
    expect([refused("for ever 0"), refused("for ever 1")]).toEqual([false, true]);
    checkLobby(lobby);
  });

  test("B11: many bans of one address end one after the other", () => {
    const { lobby, at } = startAlone(ORDINARY);
    const target = { kind: "address", address: "1.1.1.1" } as const;
    for (let i = 1; i <= 500; i++) at(0, { type: "operate", act: { type: "ban", target, until: i * 10 } });
    const wait = (time: number) => at(time, { type: "enter_queue", caller: { address: "1.1.1.1" }, newToken: "t" });
    expect(wait(0)).toEqual([{ type: "refused", code: "banned", retryAfterMs: 5000 }]);
    expect(wait(4990)).toEqual([{ type: "refused", code: "banned", retryAfterMs: 10 }]);
    expect([lobby.bans.size, lobby.banned.byAddress.size]).toEqual([1, 1]);
    checkLobby(lobby);
    wait(5000);
    expect([lobby.bans.size, lobby.banned.byAddress.size, lobby.users.size]).toEqual([0, 0, 1]);
  });
});
