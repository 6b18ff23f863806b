/**
 * Who is calling: tokens, arguments, sessions, and what happens when they disagree.
 *
 * This file owns the I rules.
 */
import { describe, expect, test } from "bun:test";
import { SESSIONS_PER_USER_MAX } from "../../src/limits.ts";
import { LobbyDriver } from "../support/lobby-driver.ts";

describe("showing who one is", () => {
  test("I1: a bearer token, a token argument or a bound session is enough", () => {
    const { enter, look, tokenOf, refOf } = new LobbyDriver();
    enter("ann", { by: { session: "s" } });
    const token = tokenOf("ann");
    for (const by of [{ bearer: token }, { argument: token }, { session: "s" }, { bearer: token, session: "new" }]) {
      const { events } = look("ann", { by });
      expect(events).toContainEqual({ type: "seen", user: refOf("ann") });
    }
  });

  test("I9: an address identifies nobody; a user's is that of the last call that showed one, refused or not", () => {
    const { goTo, enter, look, send, user, lobby, submit } = new LobbyDriver();
    expect(submit({ type: "look", caller: { address: "1.1.1.1" } }).refusal).toBe("no_session");
    goTo("1.1.1.1", "ann", "bob");
    enter("ann");
    enter("bob");
    expect([lobby.users.size, user("ann").address]).toEqual([2, "1.1.1.1"]);
    goTo("2.2.2.2", "ann");
    expect(send("ann", "hi", { room: "none" }).refusal).toBe("room_not_found");
    expect(user("ann").address).toBe("2.2.2.2");
    goTo(undefined, "ann");
    look("ann");
    expect(user("ann").address).toBe("2.2.2.2");
    const two = { bearer: "ann-0", argument: "bob-1", address: "3.3.3.3" };
    submit({ type: "look", caller: two });
    expect([user("ann").address, user("bob").address]).toEqual(["2.2.2.2", "1.1.1.1"]);
  });

  test("I2: two that name different users conflict, and nothing is done", () => {
    const { enter, leaveQueue, where, tokenOf, user, at } = new LobbyDriver();
    enter("ann", { by: { session: "s" }, kind: "human", partnerKind: "agent" });
    enter("bob", { kind: "human", partnerKind: "agent" });
    const [ann, bob] = [tokenOf("ann"), tokenOf("bob")];
    at(1000);
    for (const by of [
      { bearer: ann, argument: bob },
      { bearer: bob, argument: ann },
      { session: "s", bearer: bob },
      { session: "s", argument: bob },
      { session: "s", bearer: ann, argument: bob },
    ]) {
      expect(leaveQueue("ann", { by }).refusal).toBe("identity_conflict");
      expect(enter("ann", { by }).refusal).toBe("identity_conflict");
    }
    expect([where("ann"), where("bob")]).toEqual(["waiting", "waiting"]);
    expect([user("ann").lastCallAt, user("bob").lastCallAt]).toEqual([0, 0]);
    expect(leaveQueue("ann", { by: { session: "s", bearer: ann, argument: ann } }).refusal).toBeUndefined();
  });

  test("I3: a token that names nobody is refused, on entering too, whatever else is shown", () => {
    const { lobby, enter, look, tokenOf } = new LobbyDriver();
    enter("ann", { by: { session: "s" } });
    const ann = tokenOf("ann");
    for (const by of [
      { bearer: "forged" },
      { argument: "forged" },
      { bearer: ann, argument: "forged" },
      { bearer: "forged", argument: ann },
      { session: "s", bearer: "forged" },
    ]) {
      expect(look("ann", { by }).refusal).toBe("bad_session_token");
      expect(enter("bob", { by }).refusal).toBe("bad_session_token");
    }
    expect(lobby.users.size).toBe(1);
  });

  test("I4: who shows nothing is nobody", () => {
    const { enter, leaveQueue, send, look, hold, lobby } = new LobbyDriver();
    enter("ann", { by: { session: "s" } });
    for (const by of [{}, { session: "unbound" }]) {
      expect(leaveQueue("ann", { by }).refusal).toBe("no_session");
      expect(send("ann", "hi", { by }).refusal).toBe("no_session");
      expect(look("ann", { by }).refusal).toBe("no_session");
      expect(hold("ann", undefined, { by }).refusal).toBe("no_session");
    }
    expect(lobby.bindings.has("unbound")).toBe(false);
  });
});

describe("sessions", () => {
  test("I5: the first successful call binds a session, a refused one does not", () => {
    const { enter, leaveQueue, look, send, tokenOf, refOf, lobby } = new LobbyDriver();
    enter("ann");
    const by = { bearer: tokenOf("ann"), session: "s" };
    expect(send("ann", "hi", { by }).refusal).toBe("not_in_room");
    expect(lobby.bindings.has("s")).toBe(false);
    expect(leaveQueue("ann", { by }).events).toContainEqual({ type: "bound", session: "s", user: refOf("ann") });
    expect(look("ann", { by: { session: "s" } }).refusal).toBeUndefined();
    // Bound once, it is not bound again.
    expect(look("ann", { by }).events.some(({ type }) => type === "bound")).toBe(false);
  });

  test("I5: a session stays with its user until the record ends, and may then have another", () => {
    const { enter, look, leaveQueue, at, where, tokenOf, lobby, refOf } = new LobbyDriver({ retainUserMs: 1_000_000 });
    enter("ann", { by: { session: "s" } });
    leaveQueue("ann");
    enter("bob");
    expect(look("bob", { by: { bearer: tokenOf("bob"), session: "s" } }).refusal).toBe("identity_conflict");
    at(500_000);
    look("bob");
    at(999_999);
    expect(lobby.bindings.get("s")?.user).toBe(refOf("ann"));
    const told = at(1_000_000);
    expect(told.events).toContainEqual({ type: "unbound", session: "s", user: refOf("ann") });
    expect(where("ann")).toBe("forgotten");
    expect(look("bob", { by: { bearer: tokenOf("bob"), session: "s" } }).refusal).toBeUndefined();
    expect(lobby.bindings.get("s")?.user).toBe(refOf("bob"));
  });

  test("I8: beyond the bound the longest-bound session is unbound", () => {
    const { enter, look, tokenOf, refOf, user } = new LobbyDriver();
    enter("ann", { by: { session: "s0" } });
    const bearer = tokenOf("ann");
    for (let i = 1; i < SESSIONS_PER_USER_MAX; i++) look("ann", { by: { bearer, session: `s${i}` } });
    // Use does not make a binding younger.
    look("ann", { by: { session: "s0" } });
    expect(user("ann").sessions).toHaveLength(SESSIONS_PER_USER_MAX);
    const told = look("ann", { by: { bearer, session: "late" } });
    expect(told.events).toContainEqual({ type: "unbound", session: "s0", user: refOf("ann") });
    expect(user("ann").sessions).toHaveLength(SESSIONS_PER_USER_MAX);
    expect(user("ann").sessions.at(-1)).toBe("late");
    expect(look("ann", { by: { session: "s0" } }).refusal).toBe("no_session");
  });
});

describe("chosen ids", () => {
  test("I6: an id is reserved until its record ends, and usable again with its own token", () => {
    const { enter, leaveQueue, at, user, lobby } = new LobbyDriver({ retainUserMs: 1_000_000 });
    enter("ann", { userId: "ann_1" });
    leaveQueue("ann");
    expect(enter("eve", { userId: "ann_1" }).refusal).toBe("user_id_taken");
    expect(lobby.users.size).toBe(1);
    expect(enter("ann", { userId: "ann_1" }).refusal).toBeUndefined();
    leaveQueue("ann");
    at(999_999);
    expect(enter("eve", { userId: "ann_1" }).refusal).toBe("user_id_taken");
    at(1_000_000);
    expect(enter("eve", { userId: "ann_1" }).refusal).toBeUndefined();
    expect(user("eve").userId).toBe("ann_1");
  });

  test("I7: who is a user already cannot take another id", () => {
    const { enter, leaveQueue, user, where, tokenOf } = new LobbyDriver();
    enter("ann", { userId: "ann_1", by: { session: "s" } });
    leaveQueue("ann");
    expect(enter("ann", { userId: "ann_2" }).refusal).toBe("identity_conflict");
    expect(enter("ann", { userId: "ann_2", by: { session: "s" } }).refusal).toBe("identity_conflict");
    expect(enter("ann", { userId: "ann_2", by: { argument: tokenOf("ann") } }).refusal).toBe("identity_conflict");
    expect(where("ann")).toBe("nowhere");
    expect(user("ann").userId).toBe("ann_1");
  });
});
