/**
 * The life of a user's record: made, used again, evicted, ended.
 *
 * This file owns the U rules.
 */
import { describe, expect, test } from "bun:test";
import { LobbyDriver } from "../support/lobby-driver.ts";

describe("being made", () => {
  test("U1: entering without identity makes a user, who stays the same when entering again", () => {
    const { enter, leaveQueue, lobby, refOf, user } = new LobbyDriver();
    const told = enter("ann");
    expect(told.events[0]).toEqual({ type: "entered", user: 1, minted: true });
    const { userId, mailbox } = user("ann");
    expect(userId).toStartWith("user_");
    leaveQueue("ann");
    expect(enter("ann").events).toContainEqual({ type: "entered", user: refOf("ann"), minted: false });
    expect(enter("ann").events).toContainEqual({ type: "entered", user: refOf("ann"), minted: false });
    expect(user("ann").userId).toBe(userId);
    expect(user("ann").mailbox).toBe(mailbox);
    expect(lobby.users.size).toBe(1);
  });

  test("U1: two who enter at the same moment are two", () => {
    const { enter, lobby, user } = new LobbyDriver();
    enter("ann", { kind: "agent", partnerKind: "human" });
    enter("bob", { kind: "agent", partnerKind: "human" });
    expect(lobby.users.size).toBe(2);
    expect(user("ann").userId).not.toBe(user("bob").userId);
    expect(user("ann").mailbox.epoch).not.toBe(user("bob").mailbox.epoch);
  });

  test("U5: what a user says on entering again replaces what they said, what they leave out stays", () => {
    const { submit, enter, leaveQueue, user, callerOf } = new LobbyDriver();
    enter("ann", { displayName: "Ann", interests: ["tea"], kind: "human", partnerKind: "human" });
    leaveQueue("ann");
    enter("ann", { displayName: "Anna", partnerKind: "any" });
    expect(user("ann")).toMatchObject({ displayName: "Anna", interests: ["tea"], kind: "human", partnerKind: "any" });
    leaveQueue("ann");
    submit({ type: "enter_queue", caller: callerOf("ann"), newToken: "none", interests: [], kind: "agent" });
    expect(user("ann")).toMatchObject({ displayName: "Anna", interests: [], kind: "agent", partnerKind: "any" });
  });

  test("U5: who says nothing is a stranger of unknown kind who takes anybody", () => {
    const driver = new LobbyDriver();
    driver.submit({ type: "enter_queue", caller: {}, newToken: "t" });
    expect(driver.lobby.users.get(1)).toMatchObject({
      displayName: "Stranger",
      kind: "unknown",
      partnerKind: "any",
      interests: [],
    });
  });
});

describe("the end of a record", () => {
  const settings = { retainUserMs: 1_000_000, idleMs: 900_000 };

  test("U2: a record ends so long after the last activity, and not a moment before", () => {
    const { enter, at, leaveQueue, where, lobby, refOf } = new LobbyDriver(settings);
    enter("ann");
    at(1000);
    leaveQueue("ann");
    at(1_000_999);
    expect(where("ann")).toBe("nowhere");
    expect(at(1_001_000).events).toContainEqual({ type: "forgotten", user: refOf("ann") });
    expect(lobby.users.size).toBe(0);
  });

  test("U2: every call, stream and end of one is activity; a refused caller was active too", () => {
    const { enter, from, leaveQueue, where, look, open, close, hold, hangUp, at, leave } = new LobbyDriver(settings);
    enter("ann");
    leaveQueue("ann");
    let now = 0;
    for (const active of [
      () => look("ann"),
      () => leave("ann"),
      () => open("ann"),
      () => close("ann"),
      () => hold("ann"),
      () => hangUp("ann"),
    ]) {
      now += 999_999;
      from(now);
      active();
      expect(where("ann")).toBe("nowhere");
    }
    at(now + 999_999);
    expect(where("ann")).toBe("nowhere");
    at(now + 1_000_000);
    expect(where("ann")).toBe("forgotten");
  });

  test("U2: who is present never ends: connected, waiting or chatting", () => {
    const { enter, meet, open, at, where, leave, hold } = new LobbyDriver({ ...settings, retainUserMs: 1000 });
    meet("ann", "bob");
    open("ann");
    open("bob");
    at(50_000);
    expect([where("ann"), where("bob")]).toEqual(["with bob", "with ann"]);
    leave("ann");
    at(100_000);
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    enter("cat");
    at(500_000);
    expect(where("cat")).toBe("waiting");
    hold("cat");
    at(5_000_000);
    expect(where("cat")).toBe("waiting");
  });

  test("U4: with a record end its id, token, sessions, mailbox and its hold on rooms", () => {
    const { enter, leave, at, look, lobby, user, tokenOf, roomOf, open } = new LobbyDriver(settings);
    enter("ann", { userId: "ann_1", by: { session: "s" } });
    enter("bob");
    const room = roomOf("ann");
    open("bob");
    leave("ann");
    const token = tokenOf("ann");
    expect(lobby.rooms.has(room.id)).toBe(true);
    at(2_000_000);
    expect(lobby.byUserId.has("ann_1")).toBe(false);
    expect(lobby.byToken.has(token)).toBe(false);
    expect(lobby.bindings.size).toBe(0);
    expect(look("ann", { by: { bearer: token } }).refusal).toBe("bad_session_token");
    // Bob still remembers the room; it goes when he does.
    expect(lobby.rooms.has(room.id)).toBe(true);
    expect(leave("bob", room.id).refusal).toBe("chat_ended");
    expect(lobby.mailboxBytes).toBe(user("bob").mailbox.bytes);
  });

  test("U4: the last who remembers a room takes it along", () => {
    const { meet, leave, at, lobby, look } = new LobbyDriver(settings);
    meet("ann", "bob");
    leave("ann");
    at(500_000);
    look("bob");
    at(1_200_000);
    expect(lobby.rooms.size).toBe(1);
    at(1_500_000);
    expect(lobby.rooms.size).toBe(0);
    expect(lobby.users.size).toBe(0);
    expect(lobby.mailboxBytes).toBe(0);
  });
});

describe("a full server", () => {
  test("U3: the longest-offline record makes room, whoever came first", () => {
    const { enter, at, leaveQueue, where, open, leave } = new LobbyDriver({ usersMax: 3 });
    enter("ann", { kind: "agent", partnerKind: "human" });
    enter("bob", { kind: "agent", partnerKind: "human" });
    enter("cat", { kind: "agent", partnerKind: "human" });
    at(1000);
    leaveQueue("bob");
    at(2000);
    leaveQueue("ann");
    at(3000);
    expect(enter("dan").refusal).toBeUndefined();
    expect([where("ann"), where("bob"), where("cat")]).toEqual(["nowhere", "forgotten", "waiting"]);
    // Ann comes back and leaves again, so that Cat is offline for longer now.
    open("ann");
    at(4000);
    leaveQueue("cat");
    at(5000);
    leave("ann");
    expect(enter("eve").refusal).toBeUndefined();
    expect([where("ann"), where("cat")]).toEqual(["nowhere", "forgotten"]);
  });

  test("U3: who goes by the clock goes offline at their own time, however late that is found", () => {
    const { enter, open, close, from, where, lobby } = new LobbyDriver({ usersMax: 2, idleMs: 100_000 });
    enter("ann", { kind: "agent", partnerKind: "human" });
    from(80_000);
    enter("bob", { kind: "agent", partnerKind: "human" });
    open("bob");
    close("bob");
    // Ann was gone at 100,000, Bob at 110,000; one step finds both.
    from(200_000);
    enter("cat");
    expect([where("ann"), where("bob")]).toEqual(["forgotten", "nowhere"]);
    expect(lobby.users.size).toBe(2);
  });

  test("U3: present users are never evicted: the server is full", () => {
    const { enter, open, leaveQueue, where, lobby } = new LobbyDriver({ usersMax: 2 });
    enter("ann", { kind: "agent", partnerKind: "human" });
    enter("bob", { kind: "agent", partnerKind: "human" });
    open("bob");
    leaveQueue("bob");
    expect(enter("cat").refusal).toBe("server_full");
    expect([where("ann"), where("bob")]).toEqual(["waiting", "nowhere"]);
    expect(lobby.users.size).toBe(2);
    // Who is a user already needs no room.
    expect(enter("bob").refusal).toBeUndefined();
  });

  test("U3: coming and going leaves nothing behind", () => {
    const { enter, leaveQueue, open, close, from, lobby } = new LobbyDriver();
    enter("ann");
    leaveQueue("ann");
    for (let i = 1; i <= 1000; i++) {
      from(i * 1000);
      open("ann");
      close("ann");
    }
    expect([...lobby.offline]).toEqual([1]);
  });
});
