/** The greeter: whom it comes to, whom not, and that it is easily told from a person. */

import { describe, expect, test } from "bun:test";
import { GREETER_REPLY_MS, GREETER_WAIT_MS } from "../../src/limits.ts";
import { ChatWorld } from "../support/chat-world.ts";

const makeWorld = () => new ChatWorld({}, { greeter: true });

describe("the greeter", () => {
  test("comes to one who has waited alone, says what it is, and answers message by message", async () => {
    const world = makeWorld();
    const { session_token } = await world.ask("enter_queue", { display_name: "Ann", interests: ["chess", "tea"] });
    await world.clock.pass(GREETER_WAIT_MS - 1);
    expect(await world.ask("chat_status", { session_token: String(session_token) })).toMatchObject({
      status: "waiting",
    });
    await world.clock.pass(1);
    const status = await world.ask("chat_status", { session_token: String(session_token) });
    expect(status).toMatchObject({
      status: "chatting",
      room: { partner: { display_name: "Greeter (a program)", kind: "agent" }, shared_interests: ["chess", "tea"] },
    });
    const heard: string[] = [];
    const hear = async (): Promise<void> => {
      const { events } = await world.ask("wait_for_message", {
        session_token: String(session_token),
        timeout_seconds: 1,
      });
      for (const { name, data } of events as { name: string; data: { message: string } }[]) {
        if (name === "message.received") heard.push(data.message);
      }
    };
    await world.clock.pass(GREETER_REPLY_MS);
    await hear();
    expect(heard).toHaveLength(1);
    expect(heard[0]).toContain("a small program");
    for (let n = 0; n < 12; n++) {
      await world.ask("send_message", { session_token: String(session_token), message: "I am secret text" });
      await world.clock.pass(GREETER_REPLY_MS);
      await hear();
    }
    expect(heard).toHaveLength(13);
    expect(new Set(heard).size).toBe(8);
    expect(heard.join()).not.toContain("secret");
  });

  test("is there again after it was left, and keeps nobody waiting", async () => {
    const world = makeWorld();
    const { session_token } = await world.ask("enter_queue", { display_name: "Ann" });
    const me = { session_token: String(session_token) };
    for (let n = 0; n < 3; n++) {
      await world.clock.pass(GREETER_WAIT_MS);
      expect(await world.ask("leave_chat", me)).toMatchObject({ success: true });
      await world.ask("enter_queue", me);
    }
    await world.ask("leave_queue", me);
    await world.clock.pass(60_000);
    expect(world.lobby.queue.tickets.size).toBe(0);
    expect(world.lobby.online).toBe(0);
  });

  test("takes nobody from a person who comes in time", async () => {
    const world = makeWorld();
    await world.ask("enter_queue", { display_name: "Ann" });
    await world.clock.pass(GREETER_WAIT_MS - 1);
    const bob = await world.ask("enter_queue", { display_name: "Bob" });
    expect(bob).toMatchObject({ status: "matched", room: { partner: { display_name: "Ann" } } });
    await world.clock.pass(60_000);
    expect(world.lobby.users.size).toBe(2);
  });

  test("does not come to who wants a human, nor to who is not there; the latter meets it when they are back", async () => {
    const world = makeWorld();
    const wants = await world.ask("enter_queue", { display_name: "Ann", partner_kind: "human" });
    await world.clock.pass(60_000);
    expect(await world.ask("chat_status", { session_token: String(wants.session_token) })).toMatchObject({
      status: "waiting",
    });
    const other = makeWorld();
    const { session_token } = await other.ask("enter_queue", { display_name: "Bob" });
    const [bob] = other.lobby.users.values();
    other.server.host.post({ type: "open_stream", user: bob?.ref ?? 0 });
    other.server.host.post({ type: "close_stream", user: bob?.ref ?? 0 });
    await other.clock.pass(2 * GREETER_WAIT_MS);
    expect(other.lobby.users.size).toBe(1);
    await other.ask("chat_status", { session_token: String(session_token) });
    await other.clock.pass(GREETER_WAIT_MS);
    expect(await other.ask("chat_status", { session_token: String(session_token) })).toMatchObject({
      status: "chatting",
    });
  });
});
