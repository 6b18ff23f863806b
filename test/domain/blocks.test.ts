/**
 * Blocks: whom somebody never meets again, and how that is undone by time alone.
 *
 * This file owns B1 to B4.
 */
import { describe, expect, test } from "bun:test";
import { checkLobby } from "../../src/domain/invariants.ts";
import { BLOCK_RETRY_MS, BLOCKS_PER_USER_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";

function met(settings: ConstructorParameters<typeof LobbyDriver>[0] = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.meet("ann", "bob");
  return driver;
}

describe("blocking", () => {
  test("B1: closes the room; the partner is told why, who blocks is not", () => {
    const { block, roomOf, refOf, where, mailOf } = met();
    const room = roomOf("ann").id;
    const { events } = block("ann");
    expect(events).toContainEqual({ type: "blocked", user: refOf("ann"), room });
    expect(events).toContainEqual({ type: "room_closed", room, reason: "blocked" });
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect([mailOf("ann"), mailOf("bob")]).toEqual([["found bob"], ["found ann", "gone: blocked"]]);
  });

  test("B1 Q8: the two never meet again, whoever of them comes first and however long they wait", () => {
    for (const order of [
      ["ann", "bob"],
      ["bob", "ann"],
    ]) {
      const { block, open, enter, at, where } = met();
      block("ann");
      for (const name of order) enter(name);
      for (const name of order) open(name);
      at(10_000_000);
      expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
      enter("cat");
      enter("dan");
      expect([where("cat"), where("dan")]).toEqual([`with ${order[0]}`, `with ${order[1]}`]);
    }
  });

  test("B1: both may block each other, and each may do so again", () => {
    const { block, roomOf } = met();
    const room = roomOf("ann").id;
    block("ann");
    expect([block("bob", room).refusal, block("ann", room).refusal]).toEqual([undefined, undefined]);
  });

  test("B1: as long as both records live", () => {
    const { block, at, enter, open, where } = met({ retainUserMs: 1000 });
    block("ann");
    open("ann");
    at(1000);
    expect(where("bob")).toBe("forgotten");
    enter("ann");
    enter("new bob");
    expect(where("ann")).toBe("with new bob");
  });

  test("U4: whom somebody has blocked is forgotten with them", () => {
    const { block, at, enter, open, where, lobby, refOf } = met({ retainUserMs: 1000 });
    block("ann");
    open("bob");
    at(1000);
    expect(lobby.users.has(refOf("ann"))).toBe(false);
    enter("bob");
    enter("new ann");
    expect(where("bob")).toBe("with new ann");
  });
});

describe("whom", () => {
  test("B2: the partner of a closed room, named; only of one's own", () => {
    const { block, leave, roomOf, meet, enter, where } = met();
    meet("cat", "dan");
    const [own, foreign] = [roomOf("ann").id, roomOf("cat").id];
    leave("bob");
    expect(block("ann").refusal).toBe("not_in_room");
    expect([block("ann", foreign).refusal, block("ann", "room_1").refusal]).toEqual([
      "room_not_found",
      "room_not_found",
    ]);
    expect(where("cat")).toBe("with dan");
    expect(block("ann", own).refusal).toBeUndefined();
    enter("ann");
    enter("bob");
    expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
  });

  test("B2: nobody without a room, waiting or not", () => {
    const { enter, join, block } = new LobbyDriver();
    enter("ann");
    join("bob", "oak");
    expect([block("ann").refusal, block("bob").refusal]).toEqual(["not_in_room", "not_in_room"]);
  });

  test("B2: an earlier partner, while in a room with somebody else, which stays", () => {
    const { block, leave, meet, roomOf, where, enter } = met();
    const room = roomOf("ann").id;
    leave("ann");
    meet("ann", "cat");
    block("ann", room);
    expect(where("ann")).toBe("with cat");
    leave("ann");
    enter("ann");
    enter("bob");
    expect(where("ann")).toBe("waiting");
  });

  test("B1 B2: an earlier partner who is the present one again loses the present room", () => {
    const { block, leave, meet, roomOf, where, mailOf } = met();
    const room = roomOf("ann").id;
    leave("ann");
    meet("ann", "bob");
    block("ann", room);
    expect([where("ann"), mailOf("bob").at(-1)]).toEqual(["nowhere", "gone: blocked"]);
  });

  test("B2: of somebody whose record has ended there is nothing to block", () => {
    const { block, leave, at, roomOf, open, user, refOf } = met({ retainUserMs: 1000 });
    const room = roomOf("ann").id;
    open("ann");
    leave("ann");
    at(1000);
    expect(block("ann", room).events).toEqual([{ type: "blocked", user: refOf("ann"), room }]);
    expect(user("ann").blocked).toBeUndefined();
  });

  test("B2 Q6: a third who is blocked while all wait keeps two apart no longer", () => {
    const { join, leave, enter, block, roomOf, where } = new LobbyDriver();
    const meetBriefly = (one: string, other: string): string => {
      join(one, "oak");
      join(other, "oak");
      const { id } = roomOf(one);
      leave(one);
      return id;
    };
    const room = meetBriefly("ann", "cat");
    // Ann and Cat have forgotten each other; Ann and Bob have not.
    for (const other of ["dan", "eve", "fay"]) meetBriefly("cat", other);
    for (const other of ["dan", "eve", "bob"]) meetBriefly("ann", other);
    enter("cat", { kind: "human", partnerKind: "human", interests: ["knots"] });
    enter("bob", { kind: "agent" });
    enter("ann", { kind: "human" });
    expect([where("ann"), where("bob"), where("cat")]).toEqual(["waiting", "waiting", "waiting"]);
    block("ann", room);
    expect([where("ann"), where("cat")]).toEqual(["with bob", "waiting"]);
  });
});

describe("addresses", () => {
  test("B3: whoever comes from where the blocked partner was is not met, known or new", () => {
    const { goTo, meet, block, enter, where } = new LobbyDriver();
    goTo("1.1.1.1", "bob", "cat");
    meet("ann", "bob");
    block("ann");
    enter("ann");
    enter("cat");
    expect([where("ann"), where("cat")]).toEqual(["waiting", "waiting"]);
    enter("dan");
    expect(where("ann")).toBe("with dan");
  });

  test("B3: the blocked record is not met either, wherever it is", () => {
    const { goTo, meet, block, enter, where } = new LobbyDriver();
    goTo("1.1.1.1", "bob");
    meet("ann", "bob");
    block("ann");
    goTo("2.2.2.2", "bob");
    enter("bob");
    enter("ann");
    expect(where("ann")).toBe("waiting");
    // And where it is now is no matter.
    goTo("2.2.2.2", "cat");
    enter("cat");
    expect(where("cat")).toBe("with bob");
  });

  test("B3: who cannot be told apart by address is blocked by the record alone", () => {
    const { meet, block, enter, where } = new LobbyDriver();
    meet("ann", "bob");
    block("ann");
    enter("ann");
    enter("cat");
    expect(where("ann")).toBe("with cat");
  });

  test("B3: two behind one address meet; who blocks one of them meets neither again", () => {
    const { goTo, meet, block, enter, where } = new LobbyDriver();
    goTo("1.1.1.1", "ann", "bob", "cat");
    meet("ann", "bob");
    expect(where("ann")).toBe("with bob");
    block("ann");
    enter("ann");
    enter("cat");
    expect([where("ann"), where("cat")]).toEqual(["waiting", "waiting"]);
  });

  test("B3: blocking again goes by where the partner is then, if that is known", () => {
    const { goTo, meet, block, roomOf, look, user, refOf } = new LobbyDriver();
    goTo("1.1.1.1", "bob");
    meet("ann", "bob");
    const room = roomOf("ann").id;
    block("ann");
    expect([...(user("ann").blockedAddresses ?? [])]).toEqual(["1.1.1.1"]);
    goTo("2.2.2.2", "bob");
    look("bob");
    block("ann", room);
    expect(user("ann").blocked).toEqual(new Map([[refOf("bob"), "2.2.2.2"]]));
    expect([...(user("ann").blockedAddresses ?? [])]).toEqual(["2.2.2.2"]);
  });

  test("B3: who moves away from a blocked address while waiting is met at once", () => {
    const { goTo, meet, block, enter, look, where } = new LobbyDriver();
    goTo("1.1.1.1", "bob", "cat");
    meet("ann", "bob");
    block("ann");
    enter("ann");
    enter("cat");
    expect(where("cat")).toBe("waiting");
    goTo("2.2.2.2", "cat");
    look("cat");
    expect(where("cat")).toBe("with ann");
  });

  test("B3: who moves to a blocked address while waiting is not met from then on", () => {
    const { goTo, meet, block, enter, look, where, at } = new LobbyDriver();
    goTo("1.1.1.1", "bob");
    meet("ann", "bob");
    block("ann");
    enter("ann", { interests: ["tea"] });
    enter("cat", { interests: ["go"] });
    goTo("1.1.1.1", "cat");
    look("cat");
    at(10_000);
    expect([where("ann"), where("cat")]).toEqual(["waiting", "waiting"]);
  });
});

describe("the bound", () => {
  /** Ann has blocked so many: each was met by a code. The first `ended` of them have no record any more. */
  function blockMany(count: number, ended: number) {
    const { lobby, at } = startAlone({ ...ORDINARY, usersMax: 2000, retainUserMs: 5000 });
    const ann = { bearer: "ann" };
    let time = 0;
    const meet = (name: string): void => {
      at(time, { type: "join_room", caller: lobby.byToken.has("ann") ? ann : {}, newToken: "ann", code: name });
      at(time, { type: "join_room", caller: { address: `1.1.1.${name}` }, newToken: name, code: name });
    };
    for (let i = 0; i < count; i++) {
      if (i === ended) time = 3000;
      meet(`b${i}`);
      at(time, { type: "block_partner", caller: ann });
    }
    const last = (when: number) => {
      time = when;
      at(time, { type: "look", caller: ann });
      meet("last");
      return at(time, { type: "block_partner", caller: ann }).at(-1);
    };
    return { lobby, last, ann: () => lobby.users.get(1), at };
  }

  test("B4: of blocks that all count still, one more is refused, for an hour, and the room goes on", () => {
    const { lobby, last, ann } = blockMany(BLOCKS_PER_USER_MAX, 0);
    expect(last(3000)).toEqual({ type: "refused", code: "unavailable", retryAfterMs: BLOCK_RETRY_MS });
    expect([ann()?.blocked?.size, ann()?.place.in]).toEqual([BLOCKS_PER_USER_MAX, "room"]);
    checkLobby(lobby);
  });

  test("B4: who is blocked already can be blocked again", () => {
    const { ann, at } = blockMany(BLOCKS_PER_USER_MAX, 0);
    const [room] = ann()?.pastRooms ?? [];
    const told = at(3000, { type: "block_partner", caller: { bearer: "ann" }, room: room ?? "" });
    expect(told.at(-1)?.type).toBe("blocked");
  });

  test("B4: those of ended records are dropped first, with their addresses", () => {
    const { lobby, last, ann } = blockMany(BLOCKS_PER_USER_MAX, 10);
    expect(ann()?.blockedAddresses?.has("1.1.1.b9")).toBe(true);
    expect(last(5000)?.type).toBe("blocked");
    expect(ann()?.blocked?.size).toBe(BLOCKS_PER_USER_MAX - 9);
    expect(ann()?.blockedAddresses?.has("1.1.1.b9")).toBe(false);
    expect(ann()?.blockedAddresses?.has("1.1.1.b10")).toBe(true);
    checkLobby(lobby);
  });

  test("B4: one less than the bound is no matter", () => {
    const { last, ann } = blockMany(BLOCKS_PER_USER_MAX - 1, 10);
    expect(last(5000)?.type).toBe("blocked");
    expect(ann()?.blocked?.size).toBe(BLOCKS_PER_USER_MAX);
  });
});
