/**
 * Held calls whose clients come back for the answer to another server than the one that holds them, or after it
 * has gone.
 *
 * This file owns what becomes of those calls. How their event ids look is the engine's.
 */
import { describe, expect, test } from "bun:test";
import { PROGRESS_MS } from "../../src/chat/waits.ts";
import { ChatNodes, heardOn, type OneNode } from "../support/chat-nodes.ts";
import { CALLER, connect, type HandConnection, heldOf } from "../support/mcp-endpoint.ts";

type Headers = Record<string, string>;

interface Held {
  readonly nodes: ChatNodes;
  readonly ann: Headers;
  readonly bob: Headers;
  readonly stream: HandConnection;
  /** Id of the last event that came. */
  readonly last: string;
}

/** Ann holds a call at the first node, on a stream. */
async function hold(name: string, args: Record<string, unknown>, count = 2): Promise<Held> {
  const nodes = await ChatNodes.start(count);
  const [ann, bob] = [nodes.at(0).session(), nodes.at(0).session()];
  await nodes.at(0).call("enter_queue", {}, ann);
  await nodes.at(0).call("enter_queue", {}, bob);
  await nodes.at(0).call("wait_for_message", { timeout_seconds: 1 }, ann);
  const params = { name, arguments: args, _meta: { progressToken: "p" } };
  const held = heldOf(nodes.at(0).post({ jsonrpc: "2.0", id: "held", method: "tools/call", params }, ann));
  await nodes.calm();
  const stream = connect(await held.reply);
  const last = stream.frames().at(-1)?.id ?? "";
  return { nodes, ann, bob, stream, last };
}

const say = (node: OneNode, session: Headers, message: string): Promise<unknown> =>
  node.call("send_message", { message }, session);

const heldAt = (node: OneNode): number => node.endpoint.counts.held;

describe("a wait", () => {
  test("goes on where its client comes back, and nowhere else", async () => {
    const { nodes, ann, bob, stream, last } = await hold("wait_for_message", { timeout_seconds: 50 });
    stream.close();
    await nodes.calm();
    const resumed = nodes.at(1).stream(ann, last);
    await nodes.calm();
    expect([heldAt(nodes.at(0)), heldAt(nodes.at(1))]).toEqual([0, 1]);
    heardOn(resumed);
    await say(nodes.at(0), bob, "found you");
    await nodes.calm();
    const [answer] = resumed.messages() as Record<string, unknown>[];
    expect(answer).toMatchObject({ id: "held", result: { structuredContent: { timed_out: false } } });
    expect(JSON.stringify(answer)).toContain("found you");
    expect(resumed.ended).toBe(true);
  });

  test("that has lost its client before it has its place reads nothing", async () => {
    const { nodes, ann, bob, stream, last } = await hold("wait_for_message", { timeout_seconds: 50 });
    stream.close();
    await nodes.calm();
    nodes.at(1).stream(ann, last).close();
    await nodes.calm();
    await say(nodes.at(0), bob, "are you there?");
    await nodes.calm();
    const user = nodes.at(0).chat.host.lobby.users.get(1);
    expect(user?.hold).toBeUndefined();
    expect(user?.mailbox.returned).toBe((user?.mailbox.head ?? 0) - 1);
  });

  test("goes on when its server was killed", async () => {
    const { nodes, ann, bob, last } = await hold("wait_for_message", { timeout_seconds: 50 }, 3);
    nodes.at(0).kill();
    const resumed = nodes.at(1).stream(ann, last);
    await nodes.calm();
    await say(nodes.at(2), bob, "still here");
    await nodes.calm();
    expect(JSON.stringify(resumed.messages().at(-1))).toContain("still here");
  });

  test("ends when it would have, and its progress goes on rising", async () => {
    const { nodes, ann, stream, last } = await hold("wait_for_message", { timeout_seconds: 25 });
    stream.close();
    await nodes.pass(PROGRESS_MS + 2000);
    const resumed = nodes.at(1).stream(ann, last);
    await nodes.calm();
    const [progress] = resumed.messages() as { params: { progress: number } }[];
    expect(progress?.params.progress).toBe(3);
    await nodes.pass(25_000 - PROGRESS_MS - 2500);
    expect(resumed.ended).toBe(false);
    await nodes.pass(1000);
    expect(resumed.messages().at(-1)).toMatchObject({ id: "held", result: { structuredContent: { timed_out: true } } });
  });

  test("can be moved on from where it has moved to", async () => {
    const { nodes, ann, bob, stream, last } = await hold("wait_for_message", { timeout_seconds: 50 }, 3);
    stream.close();
    const second = nodes.at(1).stream(ann, last);
    await nodes.calm();
    const next = second.frames().at(-1)?.id ?? "";
    second.close();
    const third = nodes.at(2).stream(ann, next);
    await say(nodes.at(0), bob, "at last");
    await nodes.calm();
    expect(JSON.stringify(third.messages().at(-1))).toContain("at last");
  });

  test("is nobody's but its session's", async () => {
    const { nodes, bob, last } = await hold("wait_for_message", { timeout_seconds: 50 });
    const reply = nodes.at(1).endpoint.get(new Headers({ ...bob, "last-event-id": last }), CALLER);
    expect(reply).toEqual({ kind: "done" });
    // Nor is one that somebody has made up.
    const forged = `${last.slice(0, -4)}AAAA`;
    expect(nodes.at(1).endpoint.get(new Headers({ ...bob, "last-event-id": forged }), CALLER)).toEqual({
      kind: "done",
    });
    expect(heldAt(nodes.at(1))).toBe(0);
  });

  test("that was cancelled is not made again", async () => {
    const { nodes, ann, last } = await hold("wait_for_message", { timeout_seconds: 50 });
    const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "held" } };
    nodes.at(1).post(cancelled, ann);
    await nodes.calm();
    expect([heldAt(nodes.at(0)), heldAt(nodes.at(1))]).toEqual([0, 0]);
    for (const node of nodes.all) {
      const reply = node.endpoint.get(new Headers({ ...ann, "last-event-id": last }), CALLER);
      expect(reply).toEqual({ kind: "done" });
    }
  });
});

describe("a message that waits for its answer", () => {
  test("is posted once, if its sender has given it an id", async () => {
    const args = { message: "hello", client_message_id: "m1", wait_seconds: 50 };
    const { nodes, ann, bob, stream, last } = await hold("send_message", args);
    stream.close();
    const resumed = nodes.at(1).stream(ann, last);
    await nodes.calm();
    await say(nodes.at(0), bob, "hello yourself");
    await nodes.calm();
    const answer = resumed.messages().at(-1);
    expect(answer).toMatchObject({ result: { structuredContent: { success: true, seq: 1 } } });
    expect(JSON.stringify(answer)).toContain("hello yourself");
    const posted = [...nodes.at(0).chat.host.lobby.rooms.values()][0]?.transcript.map(({ body }) => body.message);
    expect(posted).toEqual(["hello", "hello yourself"]);
  });

  test.each([
    ["without an id of its own", { message: "hello", wait_seconds: 50 }],
    ["that is long", { message: "x".repeat(2000), client_message_id: "m1", wait_seconds: 50 }],
  ])("is not posted again %s: its sender is told that the answer is lost", async (_how, args) => {
    const { nodes, ann, stream, last } = await hold("send_message", args);
    stream.close();
    const resumed = nodes.at(1).stream(ann, last);
    const [answer] = resumed.messages() as { id: string; error: { code: number; message: string } }[];
    expect(answer).toMatchObject({ id: "held", error: { code: -32603 } });
    expect(answer?.error.message).toContain("Call again");
    await nodes.calm();
    expect(heldAt(nodes.at(0))).toBe(0);
    expect([...nodes.at(0).chat.host.lobby.rooms.values()][0]?.seq).toBe(1);
  });
});
