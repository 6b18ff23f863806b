/**
 * A user who wishes to be forgotten: what goes from the lobby, and what stays.
 *
 * This file owns rule U6. What a history does about it is its own to test.
 */
import { describe, expect, test } from "bun:test";
import { readTranscript } from "../../src/domain/transcript.ts";
import { PAST_ROOMS_MAX } from "../../src/limits.ts";
import { LobbyDriver } from "../support/lobby-driver.ts";

/** What somebody reads of a room: `2 bob: hello`. */
function read({ lobby, user }: LobbyDriver, name: string, room: string, before?: number, limit = 200): string[] {
  const page = readTranscript(lobby, user(name), room, before, limit);
  if ("type" in page) return [page.code];
  return page.lines.map(({ body }) => `${body.seq} ${body.sender.displayName}: ${body.message}`);
}

function talking(): { readonly driver: LobbyDriver; readonly room: string } {
  const driver = new LobbyDriver();
  driver.meet("ann", "bob");
  const { id: room } = driver.roomOf("ann");
  for (let n = 1; n <= 5; n++) driver.send(n % 2 === 1 ? "ann" : "bob", `message ${n}`);
  return { driver, room };
}

describe("being forgotten", () => {
  test("U6: from a room, the partner is told that they left, and is nowhere", () => {
    const { driver, room } = talking();
    const { refusal, events } = driver.forgetMe("ann");
    expect(refusal).toBeUndefined();
    expect(events).toContainEqual({ type: "room_closed", room, reason: "left" });
    expect([driver.where("ann"), driver.where("bob")]).toEqual(["forgotten", "nowhere"]);
    expect(driver.mailOf("bob").at(-1)).toBe("gone: left");
  });

  test("U6: from the queue, a meeting and nowhere, and nobody is told", () => {
    const { enter, join, forgetMe, leaveQueue, where, lobby } = new LobbyDriver();
    enter("ann");
    join("bob", "a code of two");
    enter("cat", { interests: ["tea"] });
    leaveQueue("cat");
    for (const name of ["ann", "bob", "cat"]) {
      expect(forgetMe(name).refusal).toBeUndefined();
      expect(where(name)).toBe("forgotten");
    }
    expect([lobby.users.size, lobby.queue.tickets.size, lobby.meetings.size, lobby.online]).toEqual([0, 0, 0, 0]);
  });

  test("U6: streams, held calls and sessions end with it, and what comes of them later is ignored", () => {
    const { driver } = talking();
    const { open, poll, hold, forgetMe, close, submit, callerOf, refOf, lobby } = driver;
    submit({ type: "look", caller: { ...callerOf("ann"), session: "s" } });
    open("ann", { session: "s" });
    open("ann");
    poll("ann");
    const { hold: held } = hold("ann");
    const { events, holdsEnded } = forgetMe("ann");
    expect(holdsEnded).toEqual([held ?? -1]);
    expect(events).toContainEqual({ type: "unbound", session: "s", user: refOf("ann") });
    expect(events.at(-1)).toEqual({ type: "forgotten", user: refOf("ann") });
    expect(lobby.bindings.size).toBe(0);
    expect(close("ann").events).toEqual([{ type: "ignored" }]);
    // The session is nobody's now, and may be somebody's later.
    expect(submit({ type: "look", caller: { session: "s" } }).refusal).toBe("no_session");
  });

  test("U6: the session of the call itself is not bound again", () => {
    const { enter, submit, callerOf, lobby } = new LobbyDriver();
    enter("ann");
    submit({ type: "forget_me", caller: { ...callerOf("ann"), session: "s" } });
    expect(lobby.bindings.size).toBe(0);
  });

  test("U6: the id is free, the token is dead, asking again is refused", () => {
    const { enter, forgetMe, look } = new LobbyDriver();
    enter("ann", { userId: "chosen" });
    forgetMe("ann");
    expect(look("ann").refusal).toBe("bad_session_token");
    expect(forgetMe("ann").refusal).toBe("bad_session_token");
    expect(enter("bob", { userId: "chosen" }).refusal).toBeUndefined();
  });

  test("U6: who shows nothing is nobody to be forgotten", () => {
    expect(new LobbyDriver().submit({ type: "forget_me", caller: {} }).refusal).toBe("no_session");
  });
});

describe("what was said", () => {
  test("U6: their lines are gone, the rest keeps its numbers, and pages go on over the holes", () => {
    const { driver, room } = talking();
    driver.forgetMe("ann");
    expect(read(driver, "bob", room)).toEqual(["2 bob: message 2", "4 bob: message 4"]);
    expect(read(driver, "bob", room, undefined, 1)).toEqual(["4 bob: message 4"]);
    for (const before of [3, 4]) expect(read(driver, "bob", room, before)).toEqual(["2 bob: message 2"]);
    expect(read(driver, "bob", room, 2)).toEqual([]);
    expect(driver.lobby.transcriptBytes).toBe(driver.lobby.rooms.get(room)?.transcriptBytes ?? -1);
  });

  test("U6: a transcript of theirs alone is gone as a whole", () => {
    const driver = new LobbyDriver();
    driver.meet("ann", "bob");
    const { id } = driver.roomOf("ann");
    driver.send("ann", "hello?");
    driver.forgetMe("ann");
    expect(read(driver, "bob", id)).toEqual([]);
    expect([driver.lobby.transcriptBytes, driver.lobby.transcripts.rooms.size]).toEqual([0, 0]);
  });

  test("U6: also in rooms that only the partner remembers", () => {
    const { driver, room } = talking();
    driver.leave("ann");
    for (let n = 0; n <= PAST_ROOMS_MAX; n++) {
      driver.meet("ann", `partner ${n}`);
      driver.leave("ann");
    }
    expect(driver.user("ann").pastRooms).not.toContain(room);
    driver.forgetMe("ann");
    expect(read(driver, "bob", room)).toEqual(["2 bob: message 2", "4 bob: message 4"]);
  });

  test("U6: their name is in no room any more", () => {
    const { driver, room } = talking();
    driver.forgetMe("ann");
    const names = driver.lobby.rooms.get(room)?.members.map(({ participant }) => participant.displayName);
    expect(names?.toSorted()).toEqual(["Stranger", "bob"]);
  });

  test("U6: reports and what others were delivered stay", () => {
    const { driver } = talking();
    driver.report("bob");
    driver.forgetMe("ann");
    const [report] = driver.lobby.reports.values();
    expect(report?.messages.map(({ body }) => body.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(report?.reported.displayName).toBe("ann");
    expect(driver.mailOf("bob")).toContain("1: message 1");
  });

  test("U6: when both wish so, nothing is left of the room", () => {
    const { driver, room } = talking();
    driver.forgetMe("ann");
    driver.forgetMe("bob");
    expect([driver.lobby.rooms.has(room), driver.lobby.transcriptBytes, driver.lobby.mailboxBytes]).toEqual([
      false,
      0,
      0,
    ]);
  });
});
