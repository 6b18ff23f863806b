/**
 * What becomes of those who were connected to a node that is no more, and who may close what.
 *
 * This file owns the N rules about connections. Who counts as a node is in nodes.test.ts.
 */
import { describe, expect, test } from "bun:test";
import { nextDeadline } from "../../src/domain/lobby.ts";
import { DEADLINES_PER_STEP_MAX, NODE_SILENT_MS } from "../../src/limits.ts";
import { cluster, lose, pair, typesOf } from "../support/lobby-cluster.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";

describe("a node that is lost", () => {
  test("N3: any entry is a sign of life, and the moment is a deadline", () => {
    const { beatUntil, on, look, at, lobby } = pair();
    beatUntil(3000, "y");
    on("x");
    look("ann");
    beatUntil(3000 + NODE_SILENT_MS - 1, "y");
    expect(lobby.nodes.has("x")).toBe(true);
    expect(nextDeadline(lobby)).toBe(3000 + NODE_SILENT_MS);
    on("y");
    expect(typesOf(at(3000 + NODE_SILENT_MS))).toEqual(["node_lost", "ticked"]);
  });

  test("N3: its own entry comes too late at that very moment", () => {
    const { beatUntil, on, look, from } = pair();
    beatUntil(NODE_SILENT_MS - 1, "y");
    on("x");
    from(NODE_SILENT_MS);
    expect(typesOf(look("ann"))).toEqual(["node_lost", "disregarded"]);
  });

  test("N3: it is lost before what comes to users at the same time", () => {
    const { enter, open, on, at, beatUntil, joinNode, where } = new LobbyDriver({ idleMs: NODE_SILENT_MS });
    joinNode("y");
    enter("ann", { kind: "human", partnerKind: "agent" });
    joinNode("x");
    enter("bob", { kind: "human", partnerKind: "agent" });
    open("bob");
    beatUntil(NODE_SILENT_MS - 1, "y");
    on("y");
    expect(typesOf(at(NODE_SILENT_MS))).toEqual(["node_lost", "left_queue", "ticked"]);
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "waiting"]);
  });

  test("N4: with the last stream the grace clock starts from that moment", () => {
    const driver = pair();
    driver.open("ann");
    const lostAt = lose(driver, "x");
    expect(driver.mailOf("bob")).toEqual(["found ann", "away"]);
    expect(driver.user("ann").awaySince).toBe(lostAt);
    driver.beatUntil(lostAt + 29_999, "y");
    expect(driver.where("bob")).toBe("with ann");
    driver.beatUntil(lostAt + 30_000, "y");
    expect(driver.mailOf("bob")).toEqual(["found ann", "away", "gone: timeout"]);
  });

  test("N4: who comes back at another node in time is back", () => {
    const driver = pair();
    driver.open("ann");
    const lostAt = lose(driver, "x");
    driver.on("y");
    driver.from(lostAt + 100);
    driver.open("ann");
    expect(driver.mailOf("bob")).toEqual(["found ann", "away", "back"]);
    driver.beatUntil(lostAt + 60_000, "y");
    expect(driver.where("ann")).toBe("with bob");
  });

  test("N4: who has another stream elsewhere has lost nothing, and nobody is told", () => {
    const driver = pair();
    driver.open("ann");
    driver.on("y");
    driver.open("ann");
    lose(driver, "x");
    expect(driver.mailOf("bob")).toEqual(["found ann"]);
    expect([driver.user("ann").streams, driver.user("ann").awaySince]).toEqual([1, undefined]);
    driver.on("y");
    expect(driver.close("ann").events).toContainEqual({ type: "stream_closed", user: 1, node: "y" });
    expect(driver.mailOf("bob")).toEqual(["found ann", "away"]);
  });

  test("N4 P5: a held call has lost its caller, which counts as a call", () => {
    const driver = pair();
    driver.poll("ann");
    const { hold } = driver.hold("ann");
    const lostAt = lose(driver, "x");
    expect(driver.user("ann").hold).toBeUndefined();
    expect([driver.user("ann").lastCallAt, driver.user("ann").awaySince]).toEqual([lostAt, undefined]);
    // Its own end comes too late.
    driver.on("y");
    expect(typesOf(driver.hangUp("ann", hold))).toEqual(["ignored"]);
    expect(driver.mailOf("bob")).toEqual(["found ann"]);
  });

  test("N4 P5: with a stream and a held call everything is gone at once", () => {
    const driver = pair();
    driver.poll("ann");
    driver.hold("ann");
    driver.open("ann");
    lose(driver, "x");
    expect(driver.mailOf("bob")).toEqual(["found ann", "away"]);
    expect([driver.user("ann").streams, driver.user("ann").hold]).toEqual([0, undefined]);
  });

  test("N4: a call held elsewhere keeps somebody there whose streams are lost", () => {
    const driver = pair();
    driver.open("ann");
    driver.on("y");
    driver.poll("ann");
    const { hold } = driver.hold("ann");
    lose(driver, "x");
    expect(driver.mailOf("bob")).toEqual(["found ann"]);
    driver.on("y");
    driver.hangUp("ann", hold);
    expect(driver.mailOf("bob")).toEqual(["found ann", "away"]);
  });

  test("N4: who waits is passed over, and is out after the grace time, for a code too", () => {
    const driver = new LobbyDriver();
    driver.joinNode("y");
    driver.joinNode("x");
    driver.enter("ann", { interests: ["tea"] });
    driver.open("ann");
    driver.join("cat", "elm");
    driver.open("cat");
    const lostAt = lose(driver, "x");
    driver.on("y");
    driver.enter("bob", { interests: ["tea"] });
    expect([driver.where("ann"), driver.where("bob")]).toEqual(["waiting", "waiting"]);
    driver.beatUntil(lostAt + 30_000, "y");
    expect([driver.where("ann"), driver.where("cat"), driver.where("bob")]).toEqual(["nowhere", "nowhere", "waiting"]);
  });

  test("N4: a node that leaves disconnects its users then and there", () => {
    const { open, submit, mailOf, user } = pair();
    open("ann");
    expect(typesOf(submit({ type: "leave_node" }))).toEqual(["node_left", "mail"]);
    expect(mailOf("bob")).toEqual(["found ann", "away"]);
    expect(user("ann").streams).toBe(0);
  });

  test("N4: both members of a room may be lost together: each finds the other away", () => {
    const driver = pair();
    driver.open("ann");
    driver.open("bob");
    const written = driver.user("bob").mailbox.written;
    lose(driver, "x");
    expect([driver.mailOf("ann"), driver.mailOf("bob")]).toEqual([
      ["found bob", "away"],
      ["found ann", "away"],
    ]);
    // Nobody was there to be written to.
    expect(driver.user("bob").mailbox.written).toBe(written);
  });

  test("N4: somebody with sessions at two nodes keeps those streams that are at the other", () => {
    const driver = pair();
    driver.look("ann", { by: { bearer: driver.tokenOf("ann"), session: "sa" } });
    driver.open("ann", { session: "sa" });
    driver.on("y");
    driver.open("ann", { session: "sa" });
    lose(driver, "x");
    expect(driver.lobby.bindings.get("sa")?.streams).toBe(1);
    driver.on("y");
    driver.endSession("sa");
    expect([driver.where("ann"), driver.user("ann").streams]).toEqual(["nowhere", 0]);
  });
});

describe("many who are disconnected", () => {
  const COUNT = 2 * DEADLINES_PER_STEP_MAX + 10;

  /** So many in pairs, all connected to node "x"; "y" is there too. Returns the next number of each. */
  function crowd() {
    const { lobby, say } = cluster();
    let n = 1;
    say("y", 1, { type: "join_node", settings: ORDINARY, rules: 1 });
    say("x", n++, { type: "join_node", settings: ORDINARY, rules: 1 });
    for (let i = 1; i <= COUNT; i++) {
      const code = `code ${i >> 1}`;
      say("x", n++, { type: "join_room", caller: {}, newToken: `t${i}`, code });
      say("x", n++, { type: "open_stream", user: i });
    }
    const away = (): number => [...lobby.users.values()].filter(({ streams }) => streams === 0).length;
    return { lobby, say, n, away };
  }

  test("N5: a loss is dealt with in slices, each due at once", () => {
    const { lobby, say, away } = crowd();
    say("y", 2, { type: "beat_node" }, 2500);
    const events = say("y", 3, { type: "beat_node" }, 5100);
    expect(events.filter(({ type }) => type === "node_lost")).toHaveLength(1);
    expect(away()).toBe(DEADLINES_PER_STEP_MAX);
    expect(nextDeadline(lobby)).toBe(lobby.now);
    say("y", 4, { type: "beat_node" }, 5101);
    expect(away()).toBe(2 * DEADLINES_PER_STEP_MAX);
    say("y", 5, { type: "beat_node" }, 5102);
    expect([away(), lobby.closing.length]).toEqual([COUNT, 0]);
    expect(nextDeadline(lobby)).toBeGreaterThan(lobby.now);
    // All are away from when they were told of.
    expect([...lobby.users.values()].every(({ awaySince }) => (awaySince ?? 0) >= NODE_SILENT_MS)).toBe(true);
  });

  test("N5: those who leave with their node, too; who has come back elsewhere meanwhile stays", () => {
    const { lobby, say, n, away } = crowd();
    say("x", n, { type: "leave_node" });
    expect(away()).toBe(DEADLINES_PER_STEP_MAX);
    say("y", 2, { type: "open_stream", user: COUNT });
    say("y", 3, { type: "beat_node" });
    say("y", 4, { type: "beat_node" });
    expect(lobby.closing).toEqual([]);
    expect(away()).toBe(COUNT - 1);
    expect(lobby.users.get(COUNT)).toMatchObject({ streams: 1, awaySince: undefined });
  });

  test("N5 N6: those who are left over when nobody can be heard of have all of their time afterwards", () => {
    const { lobby, say, n } = crowd();
    say("x", n, { type: "leave_node" });
    const back = lobby.now + 10_000;
    say("y", 2, { type: "beat_node" }, back);
    say("y", 3, { type: "beat_node" }, back);
    expect([...lobby.users.values()].map(({ awaySince }) => awaySince)).toEqual(new Array(COUNT).fill(back));
  });

  test("N5: somebody may be forgotten on demand before their turn", () => {
    const { lobby, say, n } = crowd();
    say("x", n, { type: "leave_node" });
    say("y", 2, { type: "forget_me", caller: { bearer: `t${COUNT}` } });
    for (let i = 3; i < 6; i++) say("y", i, { type: "beat_node" });
    expect([lobby.users.size, lobby.closing.length]).toEqual([COUNT - 1, 0]);
  });

  test("N4 Q6: two who were kept apart by somebody at that node are paired", () => {
    const { join, leave, enter, open, on, submit, where } = pair();
    join("cat", "elm");
    join("dan", "elm");
    leave("cat");
    enter("eve", { interests: ["tea"] });
    open("eve");
    on("y");
    for (const name of ["cat", "dan"]) enter(name);
    expect(where("cat")).toBe("waiting");
    on("x");
    expect(typesOf(submit({ type: "leave_node" }))).toEqual(["node_left", "mail", "mail", "matched"]);
    expect(where("cat")).toBe("with dan");
  });

  test("N5 Q6: of those who are lost together no two are paired because of a third", () => {
    const { join, leave, enter, open, submit, where, lobby } = pair();
    join("cat", "elm");
    join("dan", "elm");
    leave("cat");
    // Eve holds out: somebody whom Cat and Dan, who have just met, should meet first.
    enter("eve", { interests: ["tea"] });
    for (const name of ["cat", "dan"]) enter(name);
    for (const name of ["eve", "cat", "dan"]) open(name);
    expect(lobby.queue.keptApart.size).toBe(2);
    expect(typesOf(submit({ type: "leave_node" }))).toEqual(["node_left"]);
    expect(["eve", "cat", "dan"].map(where)).toEqual(["waiting", "waiting", "waiting"]);
  });
});

describe("what is open where", () => {
  test("N7: a node cannot close what is open at another", () => {
    const { open, on, close, endCall, user, mailOf } = pair();
    open("ann");
    on("y");
    expect(typesOf(close("ann"))).toEqual(["ignored"]);
    expect(typesOf(endCall("ann"))).toEqual(["ignored"]);
    expect([user("ann").streams, mailOf("bob")]).toEqual([1, ["found ann"]]);
    on("x");
    expect(close("ann").events).toContainEqual({ type: "stream_closed", user: 1, node: "x" });
    expect(typesOf(close("ann"))).toEqual(["ignored"]);
  });

  test("N7: nor a stream of a session as one of none, or the other way round", () => {
    const { open, close, look, tokenOf, user } = pair();
    look("ann", { by: { bearer: tokenOf("ann"), session: "sa" } });
    open("ann", { session: "sa" });
    expect(typesOf(close("ann"))).toEqual(["ignored"]);
    close("ann", { session: "sa" });
    open("ann");
    expect(typesOf(close("ann", { session: "sa" }))).toEqual(["ignored"]);
    expect(user("ann").streams).toBe(1);
  });

  test("N7: what opens and closes says where", () => {
    const { open, close, look, tokenOf } = pair();
    look("ann", { by: { bearer: tokenOf("ann"), session: "sa" } });
    const where = { user: 1, session: "sa", node: "x" };
    expect(open("ann", { session: "sa" }).events).toEqual([{ type: "stream_opened", ...where }]);
    expect(close("ann", { session: "sa" }).events).toContainEqual({ type: "stream_closed", ...where });
  });

  test("N7 M8: a newer wait ends the held call of another node; the end of that call comes too late", () => {
    const driver = pair();
    driver.poll("ann");
    const { hold } = driver.hold("ann");
    driver.on("y");
    const newer = driver.hold("ann");
    expect(newer.holdsEnded).toEqual([hold ?? 0]);
    driver.on("x");
    expect(typesOf(driver.hangUp("ann", hold))).toEqual(["ignored"]);
    lose(driver, "x");
    expect(driver.user("ann").hold?.number).toBe(newer.hold);
  });

  test("N7: a call that is held at one node may be ended by another", () => {
    const { poll, hold, on, answer, send, lobby } = pair();
    poll("ann");
    const { hold: number } = hold("ann");
    on("y");
    send("bob", "hi");
    expect(answer("ann", number).read).toEqual(["1: hi"]);
    expect(lobby.nodes.get("x")?.attached.size).toBe(0);
  });

  test("N7 P6: a session that is ended at one node has its streams closed at all", () => {
    const { open, look, tokenOf, on, endSession, where, mailOf, lobby } = pair();
    look("ann", { by: { bearer: tokenOf("ann"), session: "sa" } });
    open("ann", { session: "sa" });
    on("y");
    open("ann", { session: "sa" });
    expect(typesOf(endSession("sa"))).toEqual(["session_ended", "unbound", "mail", "room_closed"]);
    expect([where("ann"), mailOf("bob")]).toEqual(["nowhere", ["found ann", "gone: left"]]);
    for (const { attached } of lobby.nodes.values()) expect(attached.size).toBe(0);
  });

  test("N7 P9: a stream that was on its way when its session ended is not opened", () => {
    const { open, close, look, tokenOf, on, endSession, user } = pair();
    look("ann", { by: { bearer: tokenOf("ann"), session: "sa" } });
    open("ann");
    endSession("sa");
    on("y");
    expect(typesOf(open("ann", { session: "sa" }))).toEqual(["ignored"]);
    expect(typesOf(close("ann", { session: "sa" }))).toEqual(["ignored"]);
    expect(user("ann").streams).toBe(1);
  });
});
