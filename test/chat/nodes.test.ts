/**
 * Servers that are one: who is of them, who does what only one should do, and what becomes of readers and calls
 * that are at one node while things happen at another.
 *
 * This file owns the chat's part. The rules of nodes are the domain's, the order of entries the journal's.
 */
import { describe, expect, test } from "bun:test";
import { RULES_VERSION } from "../../src/domain/nodes.ts";
import type { Whisper } from "../../src/journal/journal.ts";
import {
  GREETER_WAIT_MS,
  NODE_HEALTH_MS,
  NODE_SILENT_MS,
  NODE_TICK_STEP_MS,
  STREAM_RETRY_MS,
} from "../../src/limits.ts";
import { type Answer, ChatNodes, heardOn, type OneNode, readAnswer } from "../support/chat-nodes.ts";
import { LOBBY_SETTINGS } from "../support/chat-world.ts";
import { connect, heldOf } from "../support/mcp-endpoint.ts";

type Headers = Record<string, string>;

/** Ann, with a legacy session, and Bob, with another one, in a room: Ann called one node, Bob the next. */
async function pair(nodes: ChatNodes): Promise<{ ann: Headers; bob: Headers; annToken: string }> {
  const [ann, bob] = [nodes.at(0).session(), nodes.at(0).session()];
  const entered = await nodes.at(0).call("enter_queue", { display_name: "Ann" }, ann);
  const matched = await nodes.at(nodes.all.length - 1).call("enter_queue", { display_name: "Bob" }, bob);
  expect(matched.structured.status).toBe("matched");
  await nodes.calm();
  return { ann, bob, annToken: String(entered.structured.session_token) };
}

const say = (node: OneNode, session: Headers, message: string): Promise<Answer> =>
  node.call("send_message", { message }, session);

const codeOf = ({ structured }: Answer): unknown => (structured.error as { code?: string } | undefined)?.code;

describe("membership", () => {
  test("nodes join in turn, know each other, and hold the same state", async () => {
    const nodes = await ChatNodes.start(3);
    await pair(nodes);
    await nodes.pass(3000);
    expect(nodes.all.map(({ chat }) => chat.host.lobby.nodes.size)).toEqual([3, 3, 3]);
    expect(nodes.all.map(({ chat }) => chat.host.isLeading)).toEqual([true, false, false]);
    expect(new Set(nodes.states).size).toBe(1);
    expect(nodes.all.every(({ chat }) => chat.node?.isHealthy)).toBe(true);
  });

  test("a node added later comes to where the others are", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann } = await pair(nodes);
    const late = await nodes.add();
    expect((await late.call("chat_status", {}, ann)).structured.status).toBe("chatting");
    expect(new Set(nodes.states).size).toBe(1);
  });

  test("one that is killed is lost, and the next one leads", async () => {
    const nodes = await ChatNodes.start(2);
    nodes.at(0).kill();
    await nodes.pass(NODE_SILENT_MS + 2000);
    expect(nodes.at(1).chat.host.isLeading).toBe(true);
    expect(nodes.at(1).said).toContain("a node is lost");
  });

  test("one that leaves is gone at once", async () => {
    const nodes = await ChatNodes.start(2);
    await nodes.at(0).chat.node?.membership.leave();
    await nodes.calm();
    expect([...nodes.at(1).chat.host.lobby.nodes.keys()]).toEqual([nodes.at(1).journal.node]);
    expect(nodes.at(1).said).toContain("a node has left");
  });

  test("one that was taken for lost begins anew, and cuts its readers so that they come back", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann } = await pair(nodes);
    const [, mute] = nodes.all;
    if (mute === undefined) throw new Error("no node");
    const stream = mute.stream(ann);
    await nodes.calm();
    const { node } = mute.journal;
    // Nothing of it is heard for a while: its clock stands, as in a process that is stopped.
    const lost = nodes.at(0).chat.host.submit({ type: "beat_node" }, () => undefined);
    await lost;
    for (const one of [...nodes.at(0).chat.host.lobby.nodes.values()]) if (one.id === node) one.heardAt -= 60_000;
    for (const one of [...mute.chat.host.lobby.nodes.values()]) if (one.id === node) one.heardAt -= 60_000;
    nodes.at(0).chat.host.post({ type: "tick" });
    await nodes.calm();
    expect(mute.journal.node).not.toBe(node);
    expect(stream.ended).toBe(true);
    expect(mute.chat.node?.figures).toMatchObject({ lives: 2, nodes: 2 });
    expect(new Set(nodes.states).size).toBe(1);
    // The close of the old stream is not told in the new life, where another one is open.
    const again = mute.stream(ann);
    await nodes.calm();
    stream.close();
    await nodes.calm();
    expect(nodes.at(0).chat.host.lobby.users.get(1)?.streams).toBe(1);
    again.close();
    await nodes.calm();
    expect(nodes.at(0).chat.host.lobby.users.get(1)?.streams).toBe(0);
  });

  test("one that was taken for lost and knows fewer rules than the others by now, must end", async () => {
    let outdated = 0;
    const nodes = await ChatNodes.start(2, { chat: { onOutdated: () => outdated++ } });
    const lobbies = nodes.all.map(({ chat }) => chat.host.lobby);
    const { node } = nodes.at(1).journal;
    for (const lobby of lobbies) {
      for (const one of lobby.nodes.values()) {
        if (one.id === node) one.heardAt -= 60_000;
        else Object.assign(one, { rules: RULES_VERSION + 1 });
      }
    }
    nodes.at(0).chat.host.post({ type: "tick" });
    await nodes.calm();
    expect([outdated, nodes.at(1).chat.node?.isHealthy, nodes.at(0).chat.host.lobby.nodes.size]).toEqual([1, true, 1]);
    await nodes.pass(2 * NODE_SILENT_MS);
    expect(outdated).toBe(1);
  });

  test("health says so while the journal is away, and afterwards not any more", async () => {
    const nodes = await ChatNodes.start(1);
    nodes.shared.down();
    await nodes.pass(NODE_HEALTH_MS);
    expect(nodes.at(0).chat.node?.isHealthy).toBe(true);
    await nodes.pass(1500);
    expect(nodes.at(0).chat.node?.isHealthy).toBe(false);
    nodes.shared.up();
    await nodes.calm();
    expect(nodes.at(0).chat.node?.isHealthy).toBe(true);
    expect(nodes.at(0).chat.host.lobby.nodes.size).toBe(1);
  });

  test("a state that has gone astray is noticed and loaded anew, but not by the leading node", async () => {
    const nodes = await ChatNodes.start(2);
    await nodes.pass(3000);
    nodes.at(1).chat.host.lobby.nextRoom += 7;
    await nodes.pass(3000);
    expect(nodes.at(0).chat.node?.figures).toMatchObject({ reloads: 0, lives: 1 });
    expect(nodes.at(1).chat.node?.figures).toMatchObject({ reloads: 1, lives: 2 });
    expect(nodes.at(1).said).toContain("the state differs from another node's");
    const { differences } = nodes.at(1).chat.node?.figures ?? { differences: 0 };
    expect(differences).toBeGreaterThan(0);
    await nodes.pass(3000);
    expect(nodes.at(1).chat.node?.figures.differences).toBe(differences);
    expect(new Set(nodes.states).size).toBe(1);
  });

  test("if it is the leading node's that has, the others load theirs once, and it is for the operator to see", async () => {
    const nodes = await ChatNodes.start(2);
    await nodes.pass(3000);
    nodes.at(0).chat.host.lobby.nextRoom += 7;
    await nodes.pass(10_000);
    expect(nodes.at(0).chat.node?.figures).toMatchObject({ reloads: 0, lives: 1 });
    expect(nodes.at(1).chat.node?.figures).toMatchObject({ reloads: 1, lives: 2 });
    expect(nodes.at(0).chat.node?.figures.differences).toBeGreaterThan(3);
  });

  test("a journal that may lack its end is begun anew for readers", async () => {
    for (const mayLackEnd of [false, true]) {
      const nodes = await ChatNodes.start(1);
      const { ann } = await pair(nodes);
      const before = nodes.at(0).chat.host.lobby.users.get(1)?.mailbox.epoch;
      nodes.at(0).kill();
      const node = await nodes.add(mayLackEnd);
      const { epoch } = node.chat.host.lobby.users.get(1)?.mailbox ?? {};
      expect(epoch === before).toBe(!mayLackEnd);
      // A reader of old positions is told that there is a gap, and gets all that is kept.
      const stream = node.stream(ann, `g.c1.${before}.1`);
      await nodes.calm();
      expect(heardOn(stream)).toEqual(mayLackEnd ? ["notifications/resources/updated", "chatroom.found"] : []);
    }
  });

  test("a node that is cut off sends its readers away before they are taken for gone", async () => {
    const nodes = await ChatNodes.start(1);
    const { ann } = await pair(nodes);
    const stream = nodes.at(0).stream(ann);
    await nodes.calm();
    stream.text();
    const { graceMs } = LOBBY_SETTINGS;
    nodes.shared.down();
    await nodes.pass(graceMs / 2);
    expect([stream.ended, nodes.at(0).chat.node?.isCutOff]).toEqual([false, false]);
    await nodes.pass(2500);
    expect([stream.ended, nodes.at(0).chat.node?.isCutOff]).toEqual([true, true]);
    expect(stream.frames()).toEqual([{ retryMs: STREAM_RETRY_MS }]);
    stream.close();
    nodes.shared.up();
    await nodes.calm();
    expect(nodes.at(0).chat.node?.isCutOff).toBe(false);
    // Nobody else could be reached either, so no time has passed: they are away and not gone.
    expect(nodes.at(0).chat.host.lobby.users.get(1)).toMatchObject({ streams: 0, place: { in: "room" } });
  });

  test("and answers who is held there, as their time is as short", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann } = await pair(nodes);
    await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, ann);
    const held = nodes.at(0).call("wait_for_message", { timeout_seconds: 20 }, ann);
    await nodes.calm();
    nodes.shared.down();
    await nodes.pass(LOBBY_SETTINGS.graceMs / 2 + 2500);
    expect((await held).structured).toMatchObject({ timed_out: true, events: [] });
    nodes.shared.up();
    await nodes.calm();
    for (const { chat } of nodes.all) expect(chat.host.lobby.users.get(1)?.hold).toBeUndefined();
  });

  test("the leading node deals with deadlines; without it the next one does, a moment later", async () => {
    const nodes = await ChatNodes.start(3);
    const { ann } = await pair(nodes);
    nodes.at(2).stream(ann).close();
    await nodes.calm();
    const ticksBy = (n: number): number =>
      nodes.shared.entries.filter(
        ({ command, origin }) => command.type === "tick" && origin?.node === nodes.at(n).journal.node,
      ).length;
    const before = [ticksBy(0), ticksBy(1), ticksBy(2)];
    await nodes.pass(31_000);
    expect(nodes.at(1).chat.host.lobby.users.get(1)?.place.in).toBe("nowhere");
    expect(ticksBy(0)).toBeGreaterThan(before[0] ?? 0);
    expect([ticksBy(1), ticksBy(2)]).toEqual([before[1] ?? 0, before[2] ?? 0]);
    expect(NODE_TICK_STEP_MS).toBeGreaterThan(0);
  });
});

describe("readers", () => {
  test("what is said at one node is heard at another, in order and once", async () => {
    const nodes = await ChatNodes.start(3);
    const { ann, bob } = await pair(nodes);
    const stream = nodes.at(1).stream(ann);
    await nodes.calm();
    for (const n of [1, 2, 3, 4, 5, 6]) await say(nodes.at(n % 3), bob, `word ${n}`);
    await nodes.calm();
    expect(heardOn(stream)).toEqual(["chatroom.found", ...[1, 2, 3, 4, 5, 6].map((n) => `word ${n}`)]);
  });

  test("the newest stream of a session delivers wherever it is, and the older one when it closes", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    const older = nodes.at(0).stream(ann);
    await nodes.calm();
    expect(heardOn(older)).toEqual(["chatroom.found"]);
    await nodes.at(0).request("resources/subscribe", { uri: "chat://inbox" }, ann);
    const updated = "notifications/resources/updated";
    const newer = nodes.at(1).stream(ann);
    await nodes.calm();
    await say(nodes.at(0), bob, "to the newer");
    await nodes.calm();
    expect(heardOn(older)).toEqual([]);
    expect(heardOn(newer)).toEqual([updated, "chatroom.found", "to the newer"]);
    newer.close();
    await say(nodes.at(1), bob, "to the older");
    await nodes.calm();
    // What the newer one had written is not known to have been read.
    expect(heardOn(older)).toEqual([updated, "to the newer", "to the older"]);
  });

  test("the older one delivers when the node of the newer is lost", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    const older = nodes.at(0).stream(ann);
    await nodes.calm();
    nodes.at(1).stream(ann);
    await nodes.calm();
    heardOn(older);
    nodes.at(1).kill();
    await nodes.pass(NODE_SILENT_MS + 2000);
    await say(nodes.at(0), bob, "still there");
    await nodes.calm();
    expect(heardOn(older)).toContain("still there");
  });

  test("Last-Event-ID resumes exactly at a node that has not heard of it yet", async () => {
    for (let seed = 1; seed < 20; seed++) {
      const nodes = await ChatNodes.start(3, { seed });
      const { ann, bob } = await pair(nodes);
      const first = nodes.at(0).stream(ann);
      await say(nodes.at(0), bob, "one");
      const last = first.frames().at(-1)?.id ?? "";
      const heard = await say(nodes.at(0), bob, "two");
      expect(heard.structured.success).toBe(true);
      const resumed = nodes.at(2).stream(ann, last);
      await nodes.calm();
      const words = heardOn(resumed);
      expect(words.filter((word) => word === "two")).toEqual(["two"]);
      expect(words).not.toContain("chatroom.found");
    }
  });

  test("what was answered at one node can be read at every other", async () => {
    for (let seed = 1; seed < 20; seed++) {
      const nodes = await ChatNodes.start(3, { seed });
      const { ann, bob } = await pair(nodes);
      const { structured } = await say(nodes.at(0), bob, "read me");
      expect(structured.success).toBe(true);
      const read = await nodes.at(2).request("resources/read", { uri: "chat://inbox" }, ann);
      expect(JSON.stringify(read.message)).toContain("read me");
    }
  });

  test("a session ended at one node is ended at all, with everything it waits for", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    const stream = nodes.at(0).stream(ann);
    await nodes.calm();
    const ended = await nodes.at(1).endpoint.delete(new Headers(ann), {
      ...{ transport: "http", bearer: undefined, subject: "", canStream: false },
    });
    expect(ended).toEqual({ kind: "done" });
    await nodes.calm();
    expect(stream.ended).toBe(true);
    expect((await nodes.at(0).call("chat_status", {}, ann)).status).toBe(404);
    const { structured } = await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, bob);
    expect(JSON.stringify(structured)).toContain('"reason":"left"');
  });
});

describe("held calls", () => {
  test("are answered by what happens at another node", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, ann);
    const waiting = nodes.at(0).call("wait_for_message", { timeout_seconds: 20 }, ann);
    await nodes.calm();
    await say(nodes.at(1), bob, "hello there");
    expect(JSON.stringify((await waiting).structured)).toContain("hello there");
  });

  test("a newer wait at another node ends the older one, empty", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, ann);
    const older = nodes.at(0).call("wait_for_message", { timeout_seconds: 20 }, ann);
    await nodes.calm();
    const newer = nodes.at(1).call("wait_for_message", { timeout_seconds: 20 }, ann);
    await nodes.calm();
    expect((await older).structured).toMatchObject({ timed_out: true, events: [] });
    await say(nodes.at(0), bob, "for the newer");
    expect(JSON.stringify((await newer).structured)).toContain("for the newer");
  });

  test("one that is cancelled before it has its place holds nobody, at whichever node the cancellation arrives", async () => {
    for (const at of [0, 1]) {
      const nodes = await ChatNodes.start(2);
      const { ann } = await pair(nodes);
      await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, ann);
      const params = { name: "wait_for_message", arguments: { timeout_seconds: 15 } };
      const held = heldOf(nodes.at(0).post({ jsonrpc: "2.0", id: "w", method: "tools/call", params }, ann));
      nodes.at(at).post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "w" } }, ann);
      await nodes.calm();
      expect(await held.reply).toEqual({ kind: "accepted" });
      await nodes.calm();
      expect(nodes.at(1).chat.host.lobby.users.get(1)?.hold).toBeUndefined();
      expect(nodes.at(0).endpoint.counts.held).toBe(0);
    }
  });

  test("all are answered before a node stops", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann } = await pair(nodes);
    await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, ann);
    const waiting = nodes.at(0).call("wait_for_message", { timeout_seconds: 20 }, ann);
    await nodes.calm();
    await nodes.at(0).chat.release();
    expect((await waiting).structured).toMatchObject({ timed_out: true, status: "chatting" });
  });
});

describe("a journal that is away", () => {
  test("a call is refused with the time after which to ask again", async () => {
    const nodes = await ChatNodes.start(1);
    const { ann } = await pair(nodes);
    nodes.shared.down();
    const sent = say(nodes.at(0), ann, "nobody hears");
    await nodes.calm();
    nodes.at(0).journal.refuseAll();
    const answer = await sent;
    expect(codeOf(answer)).toBe("unavailable");
    expect(answer.structured.error).toMatchObject({ retry_after_ms: 2000 });
    nodes.shared.up();
    await nodes.calm();
    expect((await say(nodes.at(0), ann, "now")).structured.seq).toBe(1);
  });

  test("a call that may have been done says so", async () => {
    const nodes = await ChatNodes.start(1);
    const { ann } = await pair(nodes);
    const sent = say(nodes.at(0), ann, "perhaps");
    nodes.shared.downAfter("send_message");
    await nodes.calm();
    nodes.at(0).journal.refuseAll();
    const { structured } = await sent;
    expect(JSON.stringify(structured)).toContain("client_message_id");
  });

  test.each(["abandoned", "answered"])("a held call that is %s meanwhile holds nobody afterwards", async (how) => {
    const nodes = await ChatNodes.start(1);
    const { ann } = await pair(nodes);
    await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, ann);
    const params = { name: "wait_for_message", arguments: { timeout_seconds: 2 } };
    const held = heldOf(nodes.at(0).post({ jsonrpc: "2.0", id: "w", method: "tools/call", params }, ann));
    await nodes.calm();
    const hold = (): unknown => nodes.at(0).chat.host.lobby.users.get(1)?.hold;
    expect(hold()).toBeDefined();
    nodes.shared.down();
    if (how === "abandoned") held.disconnected();
    else await nodes.clock.pass(2000);
    await nodes.calm();
    nodes.at(0).journal.refuseAll();
    await held.reply;
    nodes.shared.up();
    await nodes.calm();
    expect(hold()).toBeUndefined();
  });

  test("what was sent is answered so, though the wait for an answer cannot begin", async () => {
    const nodes = await ChatNodes.start(1);
    const { ann } = await pair(nodes);
    nodes.at(0).chat.host.listen(["posted"], () => nodes.shared.down());
    const sent = nodes.at(0).call("send_message", { message: "heard", wait_seconds: 5 }, ann);
    await nodes.calm();
    nodes.at(0).journal.refuseAll();
    expect((await sent).structured).toMatchObject({ success: true, seq: 1 });
  });

  test("the end of a session is refused too, and nothing ends", async () => {
    const nodes = await ChatNodes.start(1);
    const { ann } = await pair(nodes);
    nodes.shared.down();
    const caller = { transport: "http", bearer: undefined, subject: "", canStream: false } as const;
    const ending = nodes.at(0).endpoint.delete(new Headers(ann), caller);
    await nodes.calm();
    nodes.at(0).journal.refuseAll();
    const reply = await ending;
    expect(reply).toMatchObject({ kind: "json", status: 503, headers: { "retry-after": "2" } });
    nodes.shared.up();
    await nodes.calm();
    expect((await nodes.at(0).call("chat_status", {}, ann)).structured.status).toBe("chatting");
  });
});

describe("what is in no journal", () => {
  test("who writes is told at every node, by the same notice", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    const stream = nodes.at(0).stream(ann);
    await nodes.calm();
    heardOn(stream);
    await nodes.at(1).call("set_typing", {}, bob);
    await nodes.calm();
    expect(heardOn(stream)).toEqual(["partner.typing"]);
    await say(nodes.at(1), bob, "written");
    await nodes.calm();
    expect(heardOn(stream)).toEqual(["written", "partner.typing"]);
  });

  test("who is heard to write after what they wrote has come, is not", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    const told: [string, Whisper][] = [];
    nodes.at(1).journal.onWhisper((...whisper) => void told.push(whisper));
    const stream = nodes.at(1).stream(bob);
    await nodes.at(0).call("set_typing", { typing: true }, ann);
    await nodes.calm();
    await say(nodes.at(0), ann, "written");
    await nodes.calm();
    expect(heardOn(stream).filter((what) => what !== "chatroom.found")).toEqual(["written", "partner.typing"]);
    expect(told.length).toBe(1);
    for (const whisper of told) nodes.at(0).journal.whisper(...whisper);
    await nodes.calm();
    expect(heardOn(stream)).toEqual([]);
  });

  test("a subscription made at one node is told at another, also at one that was added later", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann, bob } = await pair(nodes);
    await nodes.at(0).request("resources/subscribe", { uri: "chat://inbox" }, ann);
    await nodes.calm();
    for (const node of [nodes.at(1), await nodes.add()]) {
      const stream = node.stream(ann);
      await nodes.calm();
      heardOn(stream);
      await say(nodes.at(0), bob, "news");
      await nodes.calm();
      expect(heardOn(stream)).toEqual(["notifications/resources/updated", "news"]);
      stream.close();
      await nodes.calm();
    }
    await nodes.at(1).request("resources/unsubscribe", { uri: "chat://inbox" }, ann);
    await nodes.calm();
    const stream = nodes.at(0).stream(ann);
    await nodes.calm();
    heardOn(stream);
    await say(nodes.at(1), bob, "alone");
    await nodes.calm();
    expect(heardOn(stream)).toEqual(["alone"]);
  });

  test("a log level set at one node holds at another", async () => {
    const nodes = await ChatNodes.start(2);
    const { ann } = await pair(nodes);
    await nodes.at(0).request("logging/setLevel", { level: "debug" }, ann);
    await nodes.calm();
    await nodes.at(1).call("wait_for_message", { timeout_seconds: 1 }, ann);
    const params = { name: "wait_for_message", arguments: { timeout_seconds: 15 } };
    const held = heldOf(nodes.at(1).post({ jsonrpc: "2.0", id: "w", method: "tools/call", params }, ann));
    await nodes.calm();
    const stream = connect(await held.reply);
    expect(heardOn(stream)).toContain("notifications/message");
  });

  test("the greeter comes once, from the leading node", async () => {
    const nodes = await ChatNodes.start(3, { chat: { greeter: true } });
    const ann = nodes.at(0).session();
    await nodes.at(1).call("enter_queue", {}, ann);
    await nodes.pass(GREETER_WAIT_MS + 1000);
    expect((await nodes.at(2).call("chat_status", {}, ann)).structured.status).toBe("chatting");
    expect(nodes.at(0).chat.host.lobby.users.size).toBe(2);
    const came = nodes.shared.entries.filter(
      ({ command }) => command.type === "enter_queue" && command.displayName?.startsWith("Greeter"),
    );
    expect(came.map(({ origin }) => origin?.node)).toEqual([nodes.at(0).journal.node]);
  });
});

test("the greeter comes for whoever began to wait while its node loaded its state", async () => {
  const nodes = await ChatNodes.start(2, { seed: 4, chat: { greeter: true } });
  const leading = nodes.at(0);
  const known: number[] = [];
  nodes.at(1).chat.host.listen(["queued"], () => {
    known.push(leading.chat.host.lobby.queue.tickets.size);
    leading.journal.reset(false);
  });
  const ann = leading.session();
  await nodes.at(1).call("enter_queue", {}, ann);
  expect(known).toEqual([0]);
  // It has joined anew, so the other one leads until that one goes.
  nodes.at(1).kill();
  await nodes.pass(NODE_SILENT_MS + 2 * GREETER_WAIT_MS);
  expect((await leading.call("chat_status", {}, ann)).structured.status).toBe("chatting");
});

test("a user made when nobody waited for the answer any more goes again", async () => {
  const nodes = await ChatNodes.start(1);
  const params = { name: "enter_queue", arguments: {} };
  const meta = {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "enter_queue" };
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...params, ...meta } };
  const entered = heldOf(nodes.at(0).post(message, headers)).reply;
  nodes.shared.downAfter("enter_queue");
  await nodes.calm();
  nodes.at(0).journal.refuseAll();
  expect(codeOf(readAnswer(await entered))).toBe("unavailable");
  nodes.shared.up();
  await nodes.calm();
  const user = nodes.at(0).chat.host.lobby.users.get(1);
  expect(user === undefined || user.place.in === "nowhere").toBe(true);
});
