/**
 * Presence: streams, held calls, the clocks that run without them, and sessions that end.
 *
 * This file owns the P rules.
 */
import { describe, expect, test } from "bun:test";
import { createLobby, isSessionEnded, step } from "../../src/domain/lobby.ts";
import { ENDED_SESSIONS_MAX, SESSION_AGE_MS_MAX, SESSIONS_PER_USER_MAX } from "../../src/limits.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";

/** Ann and Bob, who have just met. */
function met(settings: ConstructorParameters<typeof LobbyDriver>[0] = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.meet("ann", "bob");
  return driver;
}

describe("while connected", () => {
  test("P1: no clock runs with a stream open", () => {
    const { open, at, where, mailOf, lobby } = met();
    open("ann");
    open("bob");
    at(80_000_000);
    expect(where("ann")).toBe("with bob");
    expect(mailOf("ann")).toEqual(["found bob"]);
    expect(lobby.online).toBe(2);
  });

  test("P1: nor with a held call, in the room or in the queue", () => {
    const { enter, hold, at, where, poll } = met();
    poll("ann");
    poll("bob");
    hold("ann");
    hold("bob");
    enter("cat", { interests: ["tea"] });
    hold("cat");
    at(80_000_000);
    expect([where("ann"), where("cat")]).toEqual(["with bob", "waiting"]);
  });

  test("P1: one stream of several is enough, and so is a held call beside it", () => {
    const { open, close, at, where, mailOf, poll, hold } = met();
    open("bob");
    open("ann");
    open("ann");
    close("ann");
    at(10_000_000);
    expect(mailOf("bob")).toEqual(["found ann"]);
    poll("ann");
    hold("ann");
    close("ann");
    at(20_000_000);
    expect(mailOf("bob")).toEqual(["found ann"]);
    expect(where("bob")).toBe("with ann");
  });
});

describe("away and back", () => {
  test("P2: with the last stream the grace clock starts, and the partner is told", () => {
    const { open, close, at, where, mailOf, lobby, user } = met();
    open("bob");
    open("ann");
    at(1000);
    close("ann");
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    expect(user("ann").awaySince).toBe(1000);
    at(30_999);
    expect(where("ann")).toBe("with bob");
    const told = at(31_000);
    expect(told.events).toContainEqual(expect.objectContaining({ type: "room_closed", reason: "timeout" }));
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect(mailOf("bob")).toEqual(["found ann", "away", "gone: timeout"]);
    expect(mailOf("ann")).toEqual(["found bob"]);
    // Bob still has his stream; he is online and Ann is not.
    expect(lobby.online).toBe(1);
  });

  test("P2: each closing starts it anew, and gone happens once", () => {
    const { open, close, at, where, mailOf } = met();
    open("bob");
    open("ann");
    close("ann");
    at(29_999);
    open("ann");
    close("ann");
    at(59_998);
    expect(where("ann")).toBe("with bob");
    at(59_999);
    expect(where("ann")).toBe("nowhere");
    at(1_000_000);
    expect(mailOf("bob")).toEqual(["found ann", "away", "back", "away", "gone: timeout"]);
  });

  test("P2: a stream that was never open cannot be the last one", () => {
    const { close, at, where, mailOf, open } = met();
    close("ann");
    expect(mailOf("bob")).toEqual(["found ann"]);
    at(31_000);
    expect(where("ann")).toBe("with bob");
    open("ann");
    close("ann");
    close("ann");
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
  });

  test("P3: a stream within the grace time ends it, the room as it was", () => {
    const { open, close, at, where, mailOf, send, roomOf } = met();
    const room = roomOf("ann");
    send("ann", "one");
    open("ann");
    close("ann");
    send("bob", "there?");
    at(29_999);
    open("ann");
    expect(mailOf("bob")).toEqual(["found ann", "1: one", "away", "back"]);
    at(500_000);
    expect(where("ann")).toBe("with bob");
    expect(roomOf("ann")).toBe(room);
    expect(send("ann", "here").posted?.seq).toBe(3);
  });

  test("P3: so does any call, after which the idle clock runs", () => {
    for (const call of ["look", "poll", "enter", "leaveQueue"] as const) {
      const driver = met();
      driver.open("ann");
      driver.close("ann");
      driver.open("bob");
      driver.at(20_000);
      driver[call]("ann");
      expect(driver.mailOf("bob")).toEqual(["found ann", "away", "back"]);
      driver.at(919_999);
      expect(driver.where("ann")).toBe("with bob");
      driver.at(920_000);
      expect(driver.where("ann")).toBe("nowhere");
      expect(driver.mailOf("bob").at(-1)).toBe("gone: timeout");
    }
  });

  test("P3: a call of another does not bring one back", () => {
    const { open, close, look, send, mailOf, at, where } = met();
    open("ann");
    close("ann");
    look("bob");
    send("bob", "hello?");
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    at(30_000);
    expect(where("bob")).toBe("nowhere");
  });

  test("P2 P3: who was left while away is not away any more, and comes back to nothing", () => {
    const { open, close, leave, mailOf, user, at, enter, where } = met();
    open("ann");
    close("ann");
    leave("bob");
    expect(user("ann").awaySince).toBeUndefined();
    open("ann");
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    // Nowhere there is no clock and nobody to tell.
    close("ann");
    expect(user("ann").awaySince).toBeUndefined();
    at(29_000);
    enter("ann", { interests: ["tea"] });
    at(100_000);
    expect(where("ann")).toBe("waiting");
  });

  test("P2 P3: both may be away at once", () => {
    const { open, close, at, mailOf, where } = met();
    open("ann");
    open("bob");
    close("ann");
    at(10_000);
    close("bob");
    at(30_000);
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect(mailOf("ann")).toEqual(["found bob", "away"]);
    expect(mailOf("bob")).toEqual(["found ann", "away", "gone: timeout"]);
  });
});

describe("without a stream", () => {
  test("P4: a user is gone so long after the last call, and not before", () => {
    const { at, where, look, mailOf } = met();
    at(500_000);
    look("ann");
    at(899_999);
    expect(where("bob")).toBe("with ann");
    at(900_000);
    expect(where("bob")).toBe("nowhere");
    expect(mailOf("ann")).toEqual(["found bob", "gone: timeout"]);
    expect(mailOf("bob")).toEqual(["found ann"]);
  });

  test("P4: a refused call is a call", () => {
    const { at, where, leaveQueue, look, send } = met();
    at(800_000);
    expect(leaveQueue("ann").refusal).toBe("not_waiting");
    expect(send("bob", "hi", { room: "room_of_nobody" }).refusal).toBe("room_not_found");
    at(1_699_999);
    expect(where("ann")).toBe("with bob");
    look("bob");
    at(1_700_000);
    expect(where("ann")).toBe("nowhere");
  });

  test("P5: the end of a held call counts as a call", () => {
    for (const end of ["answer", "hangUp"] as const) {
      const { poll, hold, at, where, open, ...driver } = met();
      open("bob");
      poll("ann");
      hold("ann");
      at(5_000_000);
      driver[end]("ann");
      at(5_899_999);
      expect(where("ann")).toBe("with bob");
      at(5_900_000);
      expect(where("ann")).toBe("nowhere");
    }
  });

  test("P5: a call held beside a stream that has closed starts the grace clock when its caller is lost too", () => {
    const { poll, hold, hangUp, at, where, open, close, mailOf } = met();
    open("bob");
    open("ann");
    poll("ann");
    hold("ann");
    close("ann");
    expect(mailOf("bob")).toEqual(["found ann"]);
    hangUp("ann");
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    at(29_999);
    expect(where("ann")).toBe("with bob");
    at(30_000);
    expect(where("ann")).toBe("nowhere");
  });

  test("P5: a call held beside a stream that has closed leaves the idle clock behind, not the grace clock", () => {
    const { poll, hold, answer, at, where, open, close, mailOf } = met();
    open("bob");
    open("ann");
    poll("ann");
    hold("ann");
    close("ann");
    at(100_000);
    answer("ann");
    at(999_999);
    expect(where("ann")).toBe("with bob");
    expect(mailOf("bob")).toEqual(["found ann"]);
    at(1_000_000);
    expect(where("ann")).toBe("nowhere");
  });
});

describe("a call held like a stream", () => {
  test("P1 P5: no clock runs meanwhile, and its end counts as a call, so that nobody is away", () => {
    const { open, endCall, at, where, mailOf } = met();
    open("bob");
    open("ann");
    at(5_000_000);
    endCall("ann");
    expect(mailOf("bob")).toEqual(["found ann"]);
    at(5_899_999);
    expect(where("ann")).toBe("with bob");
    at(5_900_000);
    expect(where("ann")).toBe("nowhere");
  });

  test("P2 P5: beside a stream it leaves the stream's clocks alone", () => {
    const { open, close, endCall, at, where, mailOf } = met();
    open("bob");
    open("ann");
    open("ann");
    endCall("ann");
    at(1000);
    close("ann");
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    at(31_000);
    expect(where("ann")).toBe("nowhere");
  });
});

describe("the end of a session", () => {
  /** Ann and Bob, each in a session of their own. */
  function inSessions(): LobbyDriver {
    const driver = new LobbyDriver();
    driver.enter("ann", { by: { session: "sa" } });
    driver.enter("bob", { by: { session: "sb" } });
    return driver;
  }

  test("P6: it acts as leaving the room", () => {
    const { endSession, open, where, mailOf, lobby } = inSessions();
    open("ann", { session: "sa" });
    const told = endSession("sa");
    expect(told.events.map(({ type }) => type)).toContain("unbound");
    expect(where("ann")).toBe("nowhere");
    expect(mailOf("bob")).toEqual(["found ann", "gone: left"]);
    expect(lobby.online).toBe(0);
  });

  test("P6: it acts as leaving the queue, held call and all", () => {
    const { enter, hold, endSession, where, user } = new LobbyDriver();
    enter("cat", { by: { session: "sc" } });
    hold("cat", undefined, { by: { session: "sc" } });
    expect(endSession("sc").holdsEnded).toHaveLength(1);
    expect(where("cat")).toBe("nowhere");
    expect(user("cat").hold).toBeUndefined();
  });

  test("P6: with another stream, session or held call it only unbinds", () => {
    const rests: ((driver: LobbyDriver) => void)[] = [
      ({ open }) => void open("ann"),
      ({ look, tokenOf }) => void look("ann", { by: { bearer: tokenOf("ann"), session: "other" } }),
      ({ poll, hold }) => {
        poll("ann");
        hold("ann");
      },
    ];
    for (const rest of rests) {
      const driver = inSessions();
      driver.open("ann", { session: "sa" });
      rest(driver);
      driver.endSession("sa");
      expect(driver.where("ann")).toBe("with bob");
      expect(driver.lobby.bindings.has("sa")).toBe(false);
      expect(driver.mailOf("bob")).not.toContain("gone: left");
    }
  });

  test("P6: where another session remains, closing the last streams starts the grace clock", () => {
    const { endSession, look, tokenOf, open, mailOf, at, where } = inSessions();
    look("ann", { by: { bearer: tokenOf("ann"), session: "other" } });
    open("ann", { session: "sa" });
    open("ann", { session: "sa" });
    endSession("sa");
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    at(30_000);
    expect(where("bob")).toBe("nowhere");
  });

  test("P5 P6: a call that is held in the session ends with it, which counts as a call", () => {
    const { endSession, look, poll, hold, tokenOf, at, where, open } = inSessions();
    open("bob");
    look("ann", { by: { bearer: tokenOf("ann"), session: "other" } });
    poll("ann");
    hold("ann", undefined, { by: { session: "sa" } });
    at(800_000);
    expect(endSession("sa").holdsEnded).toHaveLength(1);
    at(1_699_999);
    expect(where("ann")).toBe("with bob");
    at(1_700_000);
    expect(where("ann")).toBe("nowhere");
  });

  test("P9: a stream opens only in a session that is its user's", () => {
    const { open, user, lobby } = inSessions();
    for (const session of ["sb", "unknown"])
      expect(open("ann", { session, read: 1 }).events).toEqual([{ type: "ignored" }]);
    expect([user("ann").streams, user("ann").streamRead, lobby.bindings.get("sb")?.streams]).toEqual([0, 0, 0]);
    expect(open("ann", { session: "sa" }).events).toEqual([{ type: "stream_opened", user: 1, session: "sa" }]);
    expect(lobby.bindings.get("sa")?.streams).toBe(1);
  });

  test("P9: closing what is not open does nothing", () => {
    const { open, close, endCall, from, user, mailOf } = inSessions();
    open("ann", { session: "sa" });
    from(1000);
    expect(close("ann", { read: 1 }).events).toEqual([{ type: "ignored" }]);
    expect(endCall("ann").events).toEqual([{ type: "ignored" }]);
    expect(close("bob", { session: "sb" }).events).toEqual([{ type: "ignored" }]);
    expect([user("ann").streams, user("ann").lastActivityAt, user("ann").streamRead]).toEqual([1, 0, 0]);
    expect(mailOf("bob")).toEqual(["found ann"]);
    expect(close("ann", { session: "sa" }).events.map(({ type }) => type)).toEqual(["mail", "stream_closed"]);
  });

  test("P9 I8: with a session that is untied for newer ones its streams close", () => {
    const { open, look, tokenOf, user, mailOf, lobby } = inSessions();
    open("ann", { session: "sa" });
    open("ann", { session: "sa" });
    for (let i = 2; i <= SESSIONS_PER_USER_MAX; i++)
      look("ann", { by: { bearer: tokenOf("ann"), session: `more ${i}` } });
    expect([user("ann").streams, mailOf("bob")]).toEqual([2, ["found ann"]]);
    const told = look("ann", { by: { bearer: tokenOf("ann"), session: "one too many" } });
    expect(told.events.map(({ type }) => type)).toEqual(["seen", "unbound", "mail", "bound"]);
    expect([user("ann").streams, mailOf("bob"), lobby.bindings.has("sa")]).toEqual([0, ["found ann", "away"], false]);
  });

  test("P6: a session that is nobody's ends without anybody noticing", () => {
    const { endSession, where } = inSessions();
    expect(endSession("unknown").events).toEqual([{ type: "session_ended", session: "unknown" }]);
    expect(where("ann")).toBe("with bob");
  });

  test("P7: an ended session stays ended, also for a call that comes late", () => {
    const { endSession, lobby, look, enter, tokenOf } = inSessions();
    endSession("sa");
    expect(isSessionEnded(lobby, "sa", 0)).toBe(true);
    expect(isSessionEnded(lobby, "sb", 0)).toBe(false);
    look("ann", { by: { bearer: tokenOf("ann"), session: "sa" } });
    expect(lobby.bindings.has("sa")).toBe(false);
    enter("cat", { by: { session: "sa" } });
    expect(lobby.bindings.has("sa")).toBe(false);
    expect(look("ann", { by: { session: "sa" } }).refusal).toBe("no_session");
  });

  test("P7: when too many have ended, sessions as old as the oldest forgotten end with it", () => {
    // Without the model, which looks at each of a hundred thousand every time.
    const lobby = createLobby(ORDINARY);
    const now = SESSION_AGE_MS_MAX * 2;
    const end = (session: string, issuedAt: number, at = now) =>
      step(lobby, { at, entropy: "e".repeat(22), command: { type: "end_session", session, issuedAt } });
    // Two so old that nobody can show them any more, then one that may still come back.
    end("ancient", 0, SESSION_AGE_MS_MAX - 1);
    end("old", SESSION_AGE_MS_MAX - 10, SESSION_AGE_MS_MAX);
    end("young", now - 1000);
    for (let i = 3; i < ENDED_SESSIONS_MAX; i++) end(`s${i}`, now - 500);
    expect(lobby.endedSessions.size).toBe(ENDED_SESSIONS_MAX);
    expect(lobby.sessionsValidFrom).toBe(0);
    end("a", now);
    end("b", now);
    expect(lobby.sessionsValidFrom).toBe(0);
    end("c", now);
    expect(lobby.endedSessions.size).toBe(ENDED_SESSIONS_MAX);
    expect(isSessionEnded(lobby, "young", now - 1000)).toBe(true);
    expect(isSessionEnded(lobby, "another as old", now - 1000)).toBe(true);
    expect(isSessionEnded(lobby, "a younger one", now - 999)).toBe(false);
    expect(isSessionEnded(lobby, "s3", now - 500)).toBe(true);
  });
});

describe("waiting", () => {
  test("P8: who waits and goes away leaves the queue after the grace time", () => {
    const { enter, open, close, at, where, lobby, mailOf } = new LobbyDriver();
    enter("ann");
    open("ann");
    close("ann");
    at(29_999);
    expect(where("ann")).toBe("waiting");
    expect(at(30_000).events).toContainEqual({ type: "left_queue", user: 1 });
    expect(where("ann")).toBe("nowhere");
    expect(lobby.online).toBe(0);
    expect(mailOf("ann")).toEqual([]);
  });

  test("P8: who waits silently leaves it after the idle time", () => {
    const { enter, at, where, look } = new LobbyDriver();
    enter("ann");
    at(600_000);
    look("ann");
    at(1_499_999);
    expect(where("ann")).toBe("waiting");
    at(1_500_000);
    expect(where("ann")).toBe("nowhere");
  });
});
