/**
 * Nodes of a cluster: whose entries count, what joining changes, and the time in which nobody could be heard of.
 *
 * This file owns the N rules but for those about connections, which are in node-connections.test.ts. What nodes
 * do to each other on the wire is not the lobby's.
 */
import { describe, expect, test } from "bun:test";
import type { LobbySettings } from "../../src/domain/command.ts";
import { leadingNode, RULES_VERSION, rulesInForce } from "../../src/domain/nodes.ts";
import { ENDED_NODES_MAX, MAILBOX_AGE_MS_MAX, NODE_GAP_MS, NODE_SILENT_MS, NODES_MAX } from "../../src/limits.ts";
import { cluster, lose, pair, typesOf } from "../support/lobby-cluster.ts";
import { LobbyDriver, ORDINARY } from "../support/lobby-driver.ts";
import { UNLIMITED } from "../support/lobby-rates.ts";

const HOUR = 3_600_000;

describe("who counts", () => {
  test("N1: what comes from a node that has not joined is disregarded, but time passes", () => {
    const { on, enter, at, lobby, joinNode } = new LobbyDriver();
    joinNode("x");
    on("stranger");
    at(1000);
    expect(enter("ann").events).toEqual([{ type: "disregarded", because: "not_joined" }]);
    expect(at(2000).events).toEqual([{ type: "disregarded", because: "not_joined" }]);
    expect([lobby.now, lobby.users.size, lobby.nodes.size]).toEqual([2000, 0, 1]);
  });

  test("N1: a node that was lost is heeded no more, whatever it says", () => {
    const driver = pair();
    lose(driver, "x");
    const { send, submit, on, joinNode, lobby } = driver;
    on("x");
    for (const told of [
      send("ann", "hi"),
      submit({ type: "beat_node" }),
      submit({ type: "leave_node" }),
      joinNode("x"),
    ])
      expect(told.events).toEqual([{ type: "disregarded", because: "not_joined" }]);
    expect(joinNode("x again").events).toEqual([{ type: "node_joined", node: "x again" }]);
    expect([...lobby.nodes.keys()]).toEqual(["y", "x again"]);
  });

  test("N1: nor is one that has left, also after a journey of its last entries", () => {
    const { submit, send, joinNode, lobby } = pair();
    expect(submit({ type: "leave_node" }).events).toEqual([{ type: "node_left", node: "x" }]);
    expect(typesOf(send("ann", "late"))).toEqual(["disregarded"]);
    expect(typesOf(joinNode("x"))).toEqual(["disregarded"]);
    expect([...lobby.nodes.keys()]).toEqual(["y"]);
  });

  test("N1: so many lives that are over are remembered", () => {
    const { lobby, say } = cluster();
    for (let i = 0; i <= ENDED_NODES_MAX; i++) {
      say(`n${i}`, 1, { type: "join_node", settings: ORDINARY, rules: 1 });
      say(`n${i}`, 2, { type: "leave_node" });
    }
    expect(lobby.endedNodes.size).toBe(ENDED_NODES_MAX);
    expect([lobby.endedNodes.has("n0"), lobby.endedNodes.has("n1")]).toEqual([false, true]);
  });

  test("N1: what a node says of itself is nobody's where there are no nodes", () => {
    const { submit, on } = new LobbyDriver();
    on(undefined);
    for (const type of ["beat_node", "leave_node"] as const)
      expect(submit({ type }).events).toEqual([{ type: "ignored" }]);
    expect(submit({ type: "join_node", settings: ORDINARY, rules: 1 }).events).toEqual([{ type: "ignored" }]);
  });

  test("N2: an entry that comes twice is done once", () => {
    const { submit, repeat, callerOf, mailOf, lobby } = pair();
    const command = { type: "send_message", caller: callerOf("ann"), text: "hi" } as const;
    submit(command);
    expect(repeat(command).events).toEqual([{ type: "disregarded", because: "repeated" }]);
    expect(mailOf("bob")).toEqual(["found ann", "1: hi"]);
    expect(lobby.nodes.get("x")?.n).toBe(4);
  });

  test("N2: numbers of a node may leave gaps, and those of another do not count for it", () => {
    const { lobby, say } = cluster();
    say("x", 7, { type: "join_node", settings: ORDINARY, rules: 1 });
    say("y", 2, { type: "join_node", settings: ORDINARY, rules: 1 });
    expect(say("y", 3, { type: "beat_node" })).toEqual([{ type: "ticked" }]);
    expect(say("x", 7, { type: "beat_node" })).toEqual([{ type: "disregarded", because: "repeated" }]);
    expect(say("x", 1, { type: "leave_node" })).toEqual([{ type: "disregarded", because: "repeated" }]);
    expect(say("x", 900, { type: "beat_node" })).toEqual([{ type: "ticked" }]);
    expect(lobby.nodes.size).toBe(2);
  });

  test("N2 N3: what has been here before is no sign of life", () => {
    const { beatUntil, on, repeat, from, lobby } = pair();
    beatUntil(NODE_SILENT_MS - 1, "y");
    on("x");
    repeat({ type: "beat_node" });
    from(NODE_SILENT_MS);
    on("y");
    expect(beatUntil(NODE_SILENT_MS, "y")).toContainEqual({ type: "node_lost", node: "x" });
    expect([...lobby.nodes.keys()]).toEqual(["y"]);
  });
});

describe("a time in which nobody could be heard of", () => {
  const BACK = 10 + NODE_GAP_MS + 7000;

  test("N6: it costs nobody their room, and no node its life", () => {
    const { open, close, beatUntil, at, on, where, mailOf, lobby, user } = pair();
    open("ann");
    close("ann");
    beatUntil(10, "x", "y");
    on("y");
    at(BACK);
    expect([...lobby.nodes.keys()]).toEqual(["y", "x"]);
    expect(user("ann").awaySince).toBe(BACK - 10);
    beatUntil(BACK - 10 + 29_999, "x", "y");
    expect(where("bob")).toBe("with ann");
    beatUntil(BACK - 10 + 30_000, "x", "y");
    expect(mailOf("bob")).toEqual(["found ann", "away", "gone: timeout"]);
  });

  test.each([
    [NODE_GAP_MS, 0],
    [NODE_GAP_MS + 1, NODE_GAP_MS + 1],
  ])("N6: %d ms without an entry count for %d", (silence, putOff) => {
    const { on, at, user } = pair();
    on("y");
    at(silence);
    expect(user("ann").lastCallAt).toBe(putOff);
  });

  test("N6: it is one, whoever is heard of first: also a stranger, or what was there before", () => {
    for (const next of [({ on }: LobbyDriver) => on("stranger"), ({ on }: LobbyDriver) => on("x")]) {
      const driver = pair();
      next(driver);
      driver.from(BACK);
      driver.repeat({ type: "beat_node" });
      expect(driver.user("ann").lastCallAt).toBe(BACK);
    }
  });

  test("N6 J3: mail grew older and bans ended all the same", () => {
    const { send, ban, on, at, mailOf, lobby } = pair();
    send("ann", "old");
    ban("ann", { until: HOUR });
    on("y");
    at(MAILBOX_AGE_MS_MAX);
    expect(mailOf("bob")).toEqual([]);
    expect(lobby.bans.size).toBe(0);
  });

  test("N6: deadlines that would have come in it come later, in their order", () => {
    const { enter, joinNode, beatUntil, on, at, from, lobby } = new LobbyDriver({ idleMs: 20_000 });
    joinNode("x");
    enter("ann", { kind: "human", partnerKind: "agent" });
    beatUntil(1000, "x");
    enter("bob", { kind: "human", partnerKind: "agent" });
    beatUntil(2000, "x");
    on("x");
    expect(typesOf(at(HOUR))).toEqual(["ticked"]);
    // Ann had 18 s left, Bob 19.
    from(HOUR);
    const events = beatUntil(HOUR + 18_999, "x");
    expect(events).toContainEqual({ type: "left_queue", user: 1 });
    expect(events).not.toContainEqual({ type: "left_queue", user: 2 });
    expect(beatUntil(HOUR + 19_000, "x")).toContainEqual({ type: "left_queue", user: 2 });
    expect(lobby.nodes.size).toBe(1);
  });

  test("N6 N3: a cluster that comes back after a day goes on where it stood; the nodes of before are lost by and by", () => {
    const driver = pair();
    driver.open("ann");
    driver.from(24 * HOUR);
    expect(typesOf(driver.joinNode("new"))).toEqual(["node_joined"]);
    expect([...driver.lobby.nodes.keys()]).toEqual(["y", "x", "new"]);
    expect([driver.where("ann"), driver.user("ann").streams]).toEqual(["with bob", 1]);
    const events = driver.beatUntil(24 * HOUR + NODE_SILENT_MS, "new");
    expect(events.filter(({ type }) => type === "node_lost")).toEqual([
      { type: "node_lost", node: "y" },
      { type: "node_lost", node: "x" },
    ]);
    expect(driver.mailOf("bob").at(-1)).toBe("away");
    expect(leadingNode(driver.lobby)?.id).toBe("new");
  });

  test("N6: a node that is late while others are heard of gets no time for it", () => {
    const { beatUntil, lobby } = pair();
    beatUntil(NODE_SILENT_MS, "y");
    expect(lobby.nodes.has("x")).toBe(false);
  });

  test("N6: where there are no nodes, no time is left out", () => {
    const { enter, open, close, at, where } = new LobbyDriver();
    enter("ann");
    open("ann");
    close("ann");
    at(30_000);
    expect(where("ann")).toBe("nowhere");
  });
});

describe("joining", () => {
  test("N8: its settings hold for all; clocks that are shorter now run out", () => {
    const { joinNode, on, beatUntil, open, close, where, mailOf, lobby } = pair();
    open("ann");
    close("ann");
    beatUntil(10_000, "x", "y");
    const told = joinNode("z", { graceMs: 5000 });
    expect(typesOf(told)).toEqual(["node_joined", "mail", "room_closed"]);
    expect([where("bob"), mailOf("bob").at(-1)]).toEqual(["nowhere", "gone: timeout"]);
    on("x");
    expect(lobby.settings.graceMs).toBe(5000);
  });

  test("N8 J6: what is not limited any more is forgotten", () => {
    const rates = { ...UNLIMITED, messages: { perSecond: 1, burst: 5 } };
    const { send, joinNode, user } = pair({ rates });
    send("ann", "hi");
    expect(user("ann").messages).toBeDefined();
    joinNode("z", { rates: UNLIMITED });
    expect(user("ann").messages).toBeUndefined();
  });

  test("N8 J7: of smaller bounds nobody who is there is turned out", () => {
    const { enter, join, leaveQueue, joinNode, where, lobby } = pair();
    for (const name of ["cat", "dan"]) enter(name, { kind: "human", partnerKind: "agent", interests: [name] });
    leaveQueue("dan");
    joinNode("z", { usersMax: 1, queueMax: 1 });
    expect([where("ann"), where("cat"), where("dan")]).toEqual(["with bob", "waiting", "forgotten"]);
    expect([enter("eve").refusal, join("eve", "elm").refusal]).toEqual(["queue_full", "server_full"]);
    expect(lobby.inherited).toEqual({ users: 3, waiting: 1 });
  });

  test("N8: the same settings change nothing, and neither does saying it twice", () => {
    const { joinNode, open, user, lobby } = pair();
    open("ann");
    const { inherited } = lobby;
    expect(joinNode("z").events).toEqual([{ type: "node_joined", node: "z" }]);
    expect(joinNode("x").events).toEqual([{ type: "node_joined", node: "x" }]);
    expect([...lobby.nodes.keys()]).toEqual(["y", "x", "z"]);
    expect([lobby.inherited, user("ann").streams]).toEqual([inherited, 1]);
  });

  test("N8: what a node of another version does not know of stays as it was", () => {
    const { submit, on, lobby } = pair();
    const { widenMs: _unknown, ...known } = ORDINARY;
    on("older");
    submit({ type: "join_node", settings: { ...known, graceMs: 7 } as LobbySettings, rules: 1 });
    expect(lobby.settings).toEqual({ ...ORDINARY, graceMs: 7 });
  });

  test("N8: a difference in one rate is one", () => {
    const { joinNode, lobby } = pair();
    joinNode("z", { rates: { ...UNLIMITED, reports: { perSecond: 0, burst: 7 } } });
    expect(lobby.settings.rates.reports.burst).toBe(7);
  });

  test("N9: one too many is refused, until another is gone", () => {
    const { joinNode, on, submit, lobby } = new LobbyDriver();
    for (let i = 0; i < NODES_MAX; i++) joinNode(`n${i}`);
    expect(joinNode("more", { graceMs: 1 }).events).toEqual([{ type: "node_refused", node: "more" }]);
    expect([lobby.nodes.size, lobby.settings.graceMs]).toEqual([NODES_MAX, ORDINARY.graceMs]);
    on("n0");
    submit({ type: "leave_node" });
    expect(typesOf(joinNode("more"))).toEqual(["node_joined"]);
  });

  test("N9 N10: the rules in force are the latest that all know; who does not know them is refused", () => {
    const { joinNode, on, submit, lobby } = new LobbyDriver();
    expect(rulesInForce(lobby)).toBe(RULES_VERSION);
    joinNode("old", {}, 1);
    joinNode("new", {}, 3);
    joinNode("newer", {}, 4);
    expect(rulesInForce(lobby)).toBe(1);
    on("old");
    submit({ type: "leave_node" });
    expect(rulesInForce(lobby)).toBe(3);
    expect(joinNode("old again", { graceMs: 1 }, 2).events).toEqual([{ type: "node_refused", node: "old again" }]);
    expect(lobby.settings.graceMs).toBe(ORDINARY.graceMs);
    for (const node of ["new", "newer"]) {
      on(node);
      submit({ type: "leave_node" });
    }
    // Nobody is left, but the state was made by them.
    expect(rulesInForce(lobby)).toBe(4);
  });

  test("N11: the longest-joined leads, and then the next", () => {
    const { joinNode, on, submit, lobby } = new LobbyDriver();
    expect(leadingNode(lobby)).toBeUndefined();
    for (const node of ["x", "a", "m"]) joinNode(node);
    joinNode("x");
    expect(leadingNode(lobby)?.id).toBe("x");
    on("x");
    submit({ type: "leave_node" });
    expect(leadingNode(lobby)?.id).toBe("a");
  });

  test("N12: a restart knows no nodes", () => {
    const { open, submit, on, look, lobby, mailOf } = pair();
    open("ann");
    on(undefined);
    submit({ type: "restart", settings: ORDINARY });
    expect([lobby.nodes.size, mailOf("bob")]).toEqual([0, ["found ann", "away"]]);
    on("x");
    expect(typesOf(look("ann"))).toEqual(["disregarded"]);
  });
});

describe("a rewind", () => {
  test("N13 M7: a cursor from before reads everything kept", () => {
    const { send, poll, cursorOf, submit, user } = pair();
    send("ann", "one");
    const cursor = cursorOf("bob");
    expect(poll("bob", cursor)).toMatchObject({ read: [], truncated: false });
    const epochs = ["ann", "bob"].map((name) => user(name).mailbox.epoch);
    expect(submit({ type: "rewind" }).events).toEqual([{ type: "rewound" }]);
    const newEpochs = ["ann", "bob"].map((name) => user(name).mailbox.epoch);
    expect(new Set([...epochs, ...newEpochs]).size).toBe(4);
    expect(poll("bob", cursor)).toMatchObject({ read: ["found ann", "1: one"], truncated: true });
    expect(poll("bob", cursorOf("bob"))).toMatchObject({ read: [], truncated: false });
  });

  test("J8: it needs no nodes", () => {
    const { submit, on, enter, user } = new LobbyDriver();
    on(undefined);
    enter("ann");
    const { epoch } = user("ann").mailbox;
    expect(submit({ type: "rewind" }).events).toEqual([{ type: "rewound" }]);
    expect(user("ann").mailbox.epoch).not.toBe(epoch);
  });

  test("N13: what is read without a cursor goes on where it was", () => {
    const { send, poll, submit } = pair();
    poll("bob");
    submit({ type: "rewind" });
    send("ann", "two");
    expect(poll("bob")).toMatchObject({ read: ["1: two"], truncated: false });
  });
});
