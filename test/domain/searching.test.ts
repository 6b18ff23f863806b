/**
 * Searches that find more people to pass over than one step may look at: they go on in the next steps,
 * and come to the same end.
 *
 * This file owns Q14. It counts looks, never time.
 */
import { describe, expect, test } from "bun:test";
import type { Command } from "../../src/domain/command.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { nextDeadline } from "../../src/domain/lobby.ts";
import { isSeeking } from "../../src/domain/pairing.ts";
import type { Lobby, User } from "../../src/domain/state.ts";
import { MATCH_SCAN_MAX, SEARCHES_PER_STEP_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { ORDINARY } from "../support/lobby-driver.ts";

const HATED = "6.6.6.6";

/** Users that are counted when they are looked at. */
class CountedUsers extends Map<number, User> {
  looks = 0;
  override get(ref: number): User | undefined {
    this.looks++;
    return super.get(ref);
  }
}

/** A lobby in which people want agents, and the looks at users of each step. */
function start() {
  const { lobby, at } = startAlone({ ...ORDINARY, usersMax: 20_000, queueMax: 20_000 });
  const users = new CountedUsers();
  Object.assign(lobby, { users });
  const act = (command: Command): number => {
    users.looks = 0;
    at(0, command);
    return users.looks;
  };
  const person = (name: string, interests: readonly string[] = []): number =>
    act({
      type: "enter_queue",
      caller: lobby.byToken.has(name) ? { bearer: name } : {},
      newToken: name,
      kind: "human",
      partnerKind: "agent",
      interests,
    });
  const agent = (name: string, interests: readonly string[] = []): number => {
    const caller = { address: HATED, ...(lobby.byToken.has(name) ? { bearer: name } : {}) };
    return act({ type: "enter_queue", caller, newToken: name, kind: "agent", partnerKind: "human", interests });
  };
  const fallOut = (name: string, other: string): void => {
    act({ type: "join_room", caller: lobby.byToken.has(name) ? { bearer: name } : {}, newToken: name, code: "oak" });
    const caller = { address: HATED, ...(lobby.byToken.has(other) ? { bearer: other } : {}) };
    act({ type: "join_room", caller, newToken: other, code: "oak" });
    act({ type: "block_partner", caller: { bearer: name } });
  };
  const partnerOf = (name: string): string | undefined => {
    const { place } = userOf(lobby, name);
    return place.in === "room"
      ? place.room.members.map(({ user }) => nameOf(lobby, user)).find((one) => one !== name)
      : place.in;
  };
  /** Steps until every search has come to its end, each of bounded cost. */
  const finish = (): number => {
    let steps = 0;
    for (; isSeeking(lobby); steps++) {
      expect(nextDeadline(lobby)).toBe(lobby.now);
      expect(act({ type: "tick" })).toBeLessThan(SEARCHES_PER_STEP_MAX * 12 * MATCH_SCAN_MAX);
      if (steps > 1000) throw new Error("a search does not end");
    }
    checkLobby(lobby);
    return steps;
  };
  return { lobby, act, person, agent, fallOut, partnerOf, finish };
}

function userOf({ users, byToken }: Lobby, name: string): User {
  const user = users.get(byToken.get(name) ?? 0);
  if (user === undefined) throw new Error(`${name} is nobody`);
  return user;
}

function nameOf({ users }: Lobby, ref: number): string {
  return users.get(ref)?.tokenHash ?? "nobody";
}

/** So many people who have all blocked where Bob comes from, and wait. */
function crowd(count: number) {
  const world = start();
  for (let i = 0; i < count; i++) world.fallOut(`p${i}`, "bob");
  for (let i = 0; i < count; i++) world.person(`p${i}`);
  return world;
}

describe("somebody blocked by a crowd", () => {
  test("Q14 Q8: is met by the first who has not blocked them, however many stand before", () => {
    const { agent, person, partnerOf, finish } = crowd(3000);
    person("kind");
    expect(agent("bob")).toBeLessThan(10 * MATCH_SCAN_MAX * SEARCHES_PER_STEP_MAX);
    finish();
    expect(partnerOf("bob")).toBe("kind");
  });

  test("Q14: a crowd just within reach takes no further step, one more does", () => {
    for (const [count, isAtOnce] of [
      [MATCH_SCAN_MAX * SEARCHES_PER_STEP_MAX, true],
      [MATCH_SCAN_MAX * (SEARCHES_PER_STEP_MAX + 1), false],
    ] as const) {
      const { lobby, agent, person, partnerOf, finish } = crowd(count);
      person("kind");
      agent("bob");
      expect([isSeeking(lobby), partnerOf("bob")]).toEqual(isAtOnce ? [false, "kind"] : [true, "queue"]);
      expect(finish() > 0).toBe(!isAtOnce);
      expect(partnerOf("bob")).toBe("kind");
    }
  }, 60_000);

  test("Q14: whoever comes meanwhile is met at once", () => {
    const { lobby, agent, person, partnerOf, finish } = crowd(MATCH_SCAN_MAX * (SEARCHES_PER_STEP_MAX + 2));
    agent("bob");
    expect(isSeeking(lobby)).toBe(true);
    person("late");
    expect(partnerOf("bob")).toBe("late");
    expect(finish()).toBe(0);
  }, 60_000);

  test("Q14: the search ends with the waiting", () => {
    const { lobby, act, agent, finish } = crowd(MATCH_SCAN_MAX * (SEARCHES_PER_STEP_MAX + 2));
    agent("bob");
    act({ type: "leave_queue", caller: { bearer: "bob" } });
    expect([isSeeking(lobby), finish()]).toEqual([false, 0]);
  }, 60_000);

  test("Q14: also among those who share an interest", () => {
    const { act, lobby, person, agent, fallOut, partnerOf, finish } = start();
    for (let i = 0; i < 500; i++) fallOut(`p${i}`, "bob");
    for (let i = 0; i < 500; i++) person(`p${i}`, ["tea", "go"]);
    person("kind", ["tea"]);
    agent("bob", ["go", "tea"]);
    finish();
    expect(partnerOf("bob")).toBe("kind");
    act({ type: "tick" });
    checkLobby(lobby);
  });
});

describe("somebody who has met a crowd", () => {
  /** Bob has met one of a crowd behind one address; the others of them wait. */
  function village(count: number) {
    const world = start();
    const { act } = world;
    const caller = { address: "7.7.7.7" };
    act({ type: "join_room", caller, newToken: "first", code: "oak" });
    act({ type: "join_room", caller: {}, newToken: "bob", code: "oak" });
    act({ type: "leave_chat", caller: { bearer: "bob" } });
    const human = { kind: "human", partnerKind: "agent" } as const;
    for (let i = 0; i < count; i++) act({ type: "enter_queue", caller, newToken: `p${i}`, ...human });
    return world;
  }

  test("Q6 Q14: meets the longest-waiting again, if nobody else is there", () => {
    const { agent, partnerOf, finish } = village(300);
    agent("bob");
    finish();
    expect(partnerOf("bob")).toBe("p0");
  });

  test("Q6 Q14: is kept apart from all of them by one who holds out, and is free when that one goes", () => {
    const { act, person, agent, partnerOf, finish, lobby } = village(100);
    person("picky", ["knots"]);
    agent("bob");
    finish();
    expect([partnerOf("bob"), lobby.queue.keptApart.size]).toEqual(["queue", 101]);
    act({ type: "leave_queue", caller: { bearer: "picky" } });
    finish();
    expect(partnerOf("bob")).toBe("p0");
    expect(lobby.queue.keptApart.size).toBeLessThan(101);
  });

  test("Q6 Q14: a change while the others are looked at again is not forgotten", () => {
    const { act, lobby, partnerOf, finish } = start();
    const enter = (
      name: string,
      kind: "human" | "agent",
      address?: string,
      interests: readonly string[] = [],
    ): void => {
      const caller = {
        ...(address === undefined ? {} : { address }),
        ...(lobby.byToken.has(name) ? { bearer: name } : {}),
      };
      act({ type: "enter_queue", caller, newToken: name, kind, partnerKind: kind, interests });
    };
    const meetOnce = (one: string, other: string, address: string): void => {
      for (const name of [one, other]) act({ type: "join_room", caller: { address }, newToken: name, code: "oak" });
      act({ type: "leave_chat", caller: { bearer: one } });
    };
    const OTHERS = 4 * SEARCHES_PER_STEP_MAX;
    meetOnce("ann", "bob", "7.7.7.7");
    for (let i = 0; i < OTHERS; i += 2) meetOnce(`x${i}`, `x${i + 1}`, "8.8.8.8");
    // Ann and Bob are kept apart by two; many others, of another kind, by one who stays.
    enter("picky", "human", undefined, ["knots"]);
    enter("picky too", "human", undefined, ["stamps"]);
    enter("stays", "agent", undefined, ["knots"]);
    enter("ann", "human", "7.7.7.7");
    enter("bob", "human", "7.7.7.7");
    for (let i = 0; i < OTHERS; i++) enter(`x${i}`, "agent", "8.8.8.8");
    expect(lobby.queue.keptApart.size).toBe(2 + OTHERS);
    act({ type: "leave_queue", caller: { bearer: "picky" } });
    expect(isSeeking(lobby)).toBe(true);
    // Ann and Bob have been looked at again by now; the others will not have been when the next step is done with them.
    act({ type: "leave_queue", caller: { bearer: "picky too" } });
    finish();
    expect([partnerOf("ann"), partnerOf("x0")]).toEqual(["bob", "queue"]);
  });

  test("Q6 Q14: nor is a change behind two unfinished searches", () => {
    const { act, person, agent, partnerOf, finish, lobby } = village(1);
    person("picky", ["knots"]);
    agent("bob");
    expect(partnerOf("bob")).toBe("queue");
    // As if both were far down long lines, and behind others whose searches come first.
    const others = Array.from({ length: SEARCHES_PER_STEP_MAX }, (_, i) => `other ${i}`);
    for (const name of others) {
      const wishes = { kind: "human", partnerKind: "human", interests: [name] } as const;
      act({ type: "enter_queue", caller: {}, newToken: name, ...wishes });
    }
    for (const name of [...others, "bob", "p0"]) {
      const { place } = userOf(lobby, name);
      const ticket = place.in === "queue" ? lobby.queue.tickets.get(place.ticket) : undefined;
      if (ticket === undefined) throw new Error(`${name} does not wait`);
      ticket.searchedTo = 1000;
      lobby.queue.owed.add(ticket.number);
    }
    act({ type: "leave_queue", caller: { bearer: "picky" } });
    finish();
    expect(partnerOf("bob")).toBe("p0");
  });

  test("Q14: whether somebody else is there is asked of so many in each line", () => {
    const { person, agent, partnerOf, finish } = village(MATCH_SCAN_MAX);
    // One more is not seen any more: Bob meets one he has met, rather than wait for what he cannot know of.
    person("picky", ["knots"]);
    agent("bob");
    finish();
    expect(partnerOf("bob")).toBe("p0");
  });
});
