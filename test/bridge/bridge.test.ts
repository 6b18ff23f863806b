/** Passing on: both eras over a bridge as over the server itself, and what comes back unasked. */

import { describe, expect, test } from "bun:test";
import { rigs } from "../support/bridge-rig.ts";
import { ask, isCalled, modernTool, tool, until } from "../support/bridge-talk.ts";

const makeRig = rigs();

describe("legacy clients", () => {
  test("two meet, talk and hear of each other by notifications", async () => {
    const rig = makeRig();
    const [ann, bob] = [rig.bridge(), rig.bridge()];
    await ann.initialize();
    await bob.initialize();
    expect(await tool(ann, "enter_queue", { display_name: "Ann" })).toMatchObject({ status: "waiting" });
    ask(bob, "enter_queue", { display_name: "Bob" });
    const found = await until(ann, isCalled("chatroom.found"));
    expect(found.said.params).toMatchObject({ partner: { display_name: "Bob" } });
    await until(bob, isCalled("chatroom.found"));
    for (let n = 1; n <= 5; n++)
      expect(await tool(ann, "send_message", { message: `m${n}` })).toMatchObject({ seq: n });
    for (let n = 1; n <= 5; n++) {
      expect((await until(bob, isCalled("message.received"))).said.params).toMatchObject({ message: `m${n}` });
    }
    bob.end();
    await bob.server.done;
    const left = await until(ann, isCalled("partner.disconnected"));
    expect(left.said.params).toMatchObject({ reason: "left" });
  });

  test("a call before initialize, nonsense and unknown methods are answered by somebody", async () => {
    const rig = makeRig();
    const pipe = rig.bridge();
    expect((await pipe.call("tools/list")).error?.code).toBe(-32600);
    pipe.text("nonsense\n");
    expect((await pipe.said()).error?.code).toBe(-32700);
    await pipe.initialize();
    expect((await pipe.call("no/such/method")).error?.code).toBe(-32601);
    expect((await pipe.call("ping")).result).toEqual({});
  });

  test("a held call is given up when the client cancels it", async () => {
    const rig = makeRig();
    const pipe = rig.bridge();
    await pipe.initialize();
    await tool(pipe, "enter_queue");
    const id = ask(pipe, "wait_for_message", { timeout_seconds: 30 });
    await rig.eventually("the call to be held", () => rig.lobby.users.get(1)?.hold !== undefined);
    pipe.notify("notifications/cancelled", { requestId: id });
    expect(await tool(pipe, "chat_status")).toMatchObject({ status: "waiting" });
    expect(pipe.rest()).toEqual([]);
  });

  test("the channel rings once until the client calls, and says nothing of what came", async () => {
    const rig = makeRig();
    const [ann, bob] = [rig.bridge({ channel: true }), rig.bridge()];
    const opened = await ann.initialize();
    expect(opened.result?.capabilities).toMatchObject({ experimental: { "claude/channel": {} } });
    expect((await bob.initialize()).result?.capabilities).not.toHaveProperty("experimental");
    await tool(ann, "enter_queue", { display_name: "Ann" });
    await tool(bob, "enter_queue", { display_name: "Bobby" });
    const first = await until(ann, isCalled("notifications/claude/channel"));
    expect(first.said.params).toEqual({
      content: "A chat partner was found. Call wait_for_message.",
      meta: { event: "chatroom_found" },
    });
    await until(ann, isCalled("chatroom.found"));
    await tool(bob, "send_message", { message: "ring" });
    const silent = await until(ann, isCalled("message.received"));
    expect(silent.before).toEqual([]);
    await tool(ann, "chat_status");
    await tool(bob, "send_message", { message: "ring again" });
    expect((await until(ann, isCalled("notifications/claude/channel"))).said.params?.content).toContain(
      "1 new message",
    );
  });
});

describe("modern clients", () => {
  test("two meet and talk; names that fit no header reach the server", async () => {
    const rig = makeRig();
    const [ann, bob] = [rig.bridge(), rig.bridge()];
    const a = await modernTool(ann, "enter_queue", { display_name: "Änn" });
    const b = await modernTool(bob, "enter_queue", { display_name: "Bob" });
    expect([a.status, b.status]).toEqual(["waiting", "matched"]);
    await modernTool(ann, "send_message", { session_token: a.session_token, message: "hello" });
    const heard = await modernTool(bob, "wait_for_message", { session_token: b.session_token });
    expect(heard.events).toMatchObject([{ name: "chatroom.found" }, { name: "message.received" }]);
    expect((await ann.callModern("prompts/get", { name: "no such prompt ✉" })).error?.code).toBe(-32602);
    expect((await ann.callModern("server/discover")).result).toMatchObject({ resultType: "complete" });
  });

  test("events are read as the user whose token came over this pipe", async () => {
    const rig = makeRig();
    const [ann, bob] = [rig.bridge(), rig.bridge()];
    expect((await ann.callModern("events/poll", { name: "chat.activity" })).error?.message).toBe("Forbidden");
    await modernTool(ann, "enter_queue", { display_name: "Ann" });
    const stream = ann.askModern("events/stream", { name: "chat.activity", cursor: null });
    await until(ann, isCalled("notifications/events/active"));
    await modernTool(bob, "enter_queue", { display_name: "Bob" });
    expect((await until(ann, isCalled("notifications/events/event"))).said.params).toMatchObject({
      name: "chat.activity",
      data: { name: "chatroom.found" },
      _meta: { "io.modelcontextprotocol/subscriptionId": stream },
    });
    ann.notify("notifications/cancelled", { requestId: stream });
    await rig.eventually("the stream to be closed", () => rig.lobby.users.get(1)?.streams === 0);
  });

  test("a token from the environment is shown with every request; a dead one is dropped", async () => {
    const rig = makeRig();
    const first = rig.bridge();
    const { session_token } = await modernTool(first, "enter_queue", { display_name: "Ann" });
    const again = rig.bridge({ sessionToken: String(session_token) });
    expect(await modernTool(again, "chat_status")).toMatchObject({ user: { display_name: "Ann" } });
    const dead = rig.bridge({ sessionToken: `mcpc_${"x".repeat(43)}` });
    expect(await modernTool(dead, "chat_status")).toMatchObject({ error: { code: "no_session" } });
    expect(await modernTool(dead, "enter_queue", { display_name: "New" })).toMatchObject({ status: "matched" });
  });

  test("a server that wants an access token says so to the one who can give it", async () => {
    const rig = makeRig({ accessToken: "let-me-in" });
    const locked = await rig.bridge().callModern("server/discover");
    expect(locked.error?.message).toContain("MCP_CHAT_ACCESS_TOKEN");
    const opened = await rig.bridge({ accessToken: "let-me-in" }).callModern("server/discover");
    expect(opened.result).toMatchObject({ resultType: "complete" });
  });
});
