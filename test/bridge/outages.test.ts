/** What a client behind a bridge notices of a network that fails and a server that goes and comes back. */

import { describe, expect, test } from "bun:test";
import { type BridgeRig, rigs } from "../support/bridge-rig.ts";
import { ask, contentOf, isCalled, modernTool, tool, until } from "../support/bridge-talk.ts";
import type { StdioPipe } from "../support/stdio-pipe.ts";

const makeRig = rigs();

/** Ann behind the network that fails, and Bob beside it, in one room. */
async function legacyPair(rig: BridgeRig): Promise<{ ann: StdioPipe; bob: StdioPipe }> {
  const ann = rig.bridge();
  const bob = rig.bridge({ url: new URL(rig.direct) });
  await ann.initialize();
  await bob.initialize();
  await tool(ann, "enter_queue", { display_name: "Ann" });
  await tool(bob, "enter_queue", { display_name: "Bob" });
  await until(ann, isCalled("chatroom.found"));
  return { ann, bob };
}

const received = isCalled("message.received");

describe("a network that fails", () => {
  test("what was said meanwhile comes once, in order, when it is back", async () => {
    const rig = makeRig();
    const { ann, bob } = await legacyPair(rig);
    await tool(bob, "send_message", { message: "before" });
    expect((await until(ann, received)).said.params).toMatchObject({ message: "before" });
    rig.relay.down();
    for (const message of ["one", "two", "three"]) await tool(bob, "send_message", { message });
    rig.relay.up();
    for (const message of ["one", "two", "three"]) {
      expect((await until(ann, received)).said.params).toMatchObject({ message });
    }
    for (let n = 0; n < 3; n++) {
      rig.relay.cut();
      await tool(bob, "send_message", { message: `cut ${n}` });
      expect((await until(ann, received)).said.params).toMatchObject({ message: `cut ${n}` });
    }
  });

  test("a message whose answer is lost is sent again and posted once", async () => {
    const rig = makeRig();
    const { ann, bob } = await legacyPair(rig);
    rig.relay.muffle();
    const id = ask(ann, "send_message", { message: "through the gap" });
    const [room] = rig.lobby.rooms.values();
    await rig.eventually("the message to be posted", () => room?.seq === 1);
    rig.relay.cut();
    const answer = (await until(ann, (said) => said.id === id)).said;
    expect(contentOf(answer)).toMatchObject({ success: true, seq: 1 });
    expect((await until(bob, received)).said.params).toMatchObject({ message: "through the gap", seq: 1 });
    expect(await tool(ann, "send_message", { message: "next" })).toMatchObject({ seq: 2 });
  });

  test("a held call goes on over a cut and hears what comes", async () => {
    const rig = makeRig();
    const { ann, bob } = await legacyPair(rig);
    await tool(ann, "wait_for_message");
    const id = ask(ann, "wait_for_message", { timeout_seconds: 20 });
    const user = [...rig.lobby.users.values()].find(({ displayName }) => displayName === "Ann");
    await rig.eventually("the call to be held", () => user?.hold !== undefined);
    rig.relay.cut();
    await tool(bob, "send_message", { message: "still there?" });
    const answer = (await until(ann, (said) => said.id === id)).said;
    expect(contentOf(answer).events).toMatchObject([{ data: { message: "still there?" } }]);
  });

  test("who is away for longer than the client can wait is said in the words of a tool, and of a request", async () => {
    const rig = makeRig();
    let now = 0;
    const clock = {
      now: () => now,
      sleep: (ms: number) => {
        now += ms;
        return Promise.resolve();
      },
    };
    const pipe = rig.bridge({ clock });
    rig.relay.down();
    const asked = await pipe.callModern("tools/call", { name: "enter_queue", arguments: {} });
    expect(asked.result).toMatchObject({ resultType: "complete", isError: true });
    expect(contentOf(asked)).toMatchObject({ error: { code: "unavailable", retry_after_ms: 3000 } });
    expect(JSON.stringify(asked)).toContain("nothing was done");
    expect((await pipe.callModern("server/discover")).error?.message).toContain("cannot be reached");
    expect((await pipe.initialize()).error?.message).toContain("cannot be reached");
    expect(now).toBeGreaterThan(10_000);
    rig.relay.up();
    expect((await pipe.callModern("server/discover")).result).toMatchObject({ resultType: "complete" });
    expect((await pipe.initialize()).result).toMatchObject({ protocolVersion: "2025-11-25" });
  });

  test("an events/stream goes on where it was, under the same id, with one beginning", async () => {
    const rig = makeRig();
    const ann = rig.bridge();
    const bob = rig.bridge({ url: new URL(rig.direct) });
    await modernTool(ann, "enter_queue", { display_name: "Ann" });
    const { session_token } = await modernTool(bob, "enter_queue", { display_name: "Bob" });
    const stream = ann.askModern("events/stream", { name: "message.received", cursor: null });
    await until(ann, isCalled("notifications/events/active"));
    const say = (message: string) => modernTool(bob, "send_message", { session_token, message });
    await say("one");
    await until(ann, isCalled("notifications/events/event"));
    rig.relay.down();
    await say("two");
    rig.relay.up();
    const { said, before } = await until(ann, isCalled("notifications/events/event"));
    expect(said.params).toMatchObject({
      data: { message: "two" },
      _meta: { "io.modelcontextprotocol/subscriptionId": stream },
    });
    expect(before).toEqual([]);
    await rig.restart("nothing");
    await say("three");
    const after = await until(ann, isCalled("notifications/events/event"));
    expect([after.said.params?.data, after.before]).toMatchObject([{ message: "three" }, []]);
  });

  test("a watched resource is to be read again after a gap", async () => {
    const rig = makeRig();
    const ann = rig.bridge();
    await modernTool(ann, "enter_queue", { display_name: "Ann" });
    ann.askModern("subscriptions/listen", { notifications: { resourceSubscriptions: ["chat://inbox"] } });
    await until(ann, isCalled("notifications/subscriptions/acknowledged"));
    rig.relay.cut();
    const { said, before } = await until(ann, isCalled("notifications/resources/updated"));
    expect([said.params?.uri, before]).toEqual(["chat://inbox", []]);
  });
});

describe("a server that was started again", () => {
  test("and knows its sessions: nothing is noticed", async () => {
    const rig = makeRig();
    const { ann, bob } = await legacyPair(rig);
    await rig.restart("nothing");
    await tool(bob, "send_message", { message: "same room" });
    expect((await until(ann, received)).said.params).toMatchObject({ message: "same room" });
    expect(await tool(ann, "chat_status")).toMatchObject({ status: "chatting" });
  });

  test("and has lost its sessions, not its users: the session is opened anew and tied to its user", async () => {
    const rig = makeRig();
    const ann = rig.bridge();
    await ann.initialize();
    await tool(ann, "enter_queue", { display_name: "Ann" });
    await ann.call("resources/subscribe", { uri: "chat://inbox" });
    await rig.loseSessions();
    expect(await tool(ann, "chat_status")).toMatchObject({ status: "waiting", user: { display_name: "Ann" } });
    const bob = rig.bridge();
    await bob.initialize();
    await tool(bob, "enter_queue", { display_name: "Bob" });
    const told = [(await ann.said()).method, (await ann.said()).method];
    expect(told.sort()).toEqual(["chatroom.found", "notifications/resources/updated"]);
  });

  test("and has forgotten everything: the next call says so, and the client begins anew", async () => {
    const rig = makeRig();
    const { ann } = await legacyPair(rig);
    await rig.restart("everything");
    expect(await tool(ann, "send_message", { message: "anybody?" })).toMatchObject({ error: { code: "no_session" } });
    expect(await tool(ann, "enter_queue", { display_name: "Ann" })).toMatchObject({ status: "waiting" });
    const bob = rig.bridge();
    await bob.initialize();
    await tool(bob, "enter_queue", { display_name: "Bob" });
    await until(ann, isCalled("chatroom.found"));
  });
});
