/** Legacy push: what a session's stream reads, from where, and what opening and closing it means. */
import { describe, expect, test } from "bun:test";
import type { PushReader } from "../../src/mcp/registry.ts";
import { ChatWorld } from "../support/chat-world.ts";

class TestStream {
  wakes = 0;
  readonly reader: PushReader;

  constructor(world: ChatWorld, session: string, resume: string | null = null, settled?: string) {
    const reader = world.server.definition.push?.open(session, resume, { wake: () => this.wakes++ }, settled);
    if (reader === undefined || reader === "malformed") throw new Error("no reader");
    this.reader = reader;
  }

  /** Everything new: the method of each notification, with its text if it is a message. */
  read(maxBytes = 65_536): string[] {
    return this.reader.next(maxBytes).map(({ json }) => {
      const { method, params } = JSON.parse(json);
      return params.message === undefined ? method : `${method} ${params.message}`;
    });
  }
}

async function matched(world: ChatWorld) {
  await world.ask("enter_queue", { display_name: "Ann" }, { session: "a" });
  await world.ask("enter_queue", { display_name: "Bob" }, { session: "b" });
}

const say = (world: ChatWorld, session: string, message: string) => world.ask("send_message", { message }, { session });

describe("a session's stream", () => {
  test("flushes in order what came before it was opened", async () => {
    const world = new ChatWorld();
    await matched(world);
    await say(world, "a", "one");
    await say(world, "a", "two");
    const stream = new TestStream(world, "b");
    expect(stream.read()).toEqual(["chatroom.found", "message.received one", "message.received two"]);
    expect(stream.read()).toEqual([]);
    const sent = await say(world, "a", "three");
    expect(sent.delivery).toBe("pushed");
    expect(stream.wakes).toBeGreaterThan(0);
    expect(stream.read()).toEqual(["message.received three"]);
  });

  test("opened before its session has a user, it starts to speak when there is one", async () => {
    const world = new ChatWorld();
    const stream = new TestStream(world, "a");
    expect(stream.read()).toEqual([]);
    expect(stream.reader.position).toBe("0");
    await matched(world);
    expect(stream.wakes).toBeGreaterThan(0);
    expect(stream.read()).toEqual(["chatroom.found"]);
    expect(world.lobby.users.get(1)?.streams).toBe(1);
  });

  test("resumes exactly after a position, and after none where nobody is known to have read", async () => {
    const world = new ChatWorld();
    await matched(world);
    const first = new TestStream(world, "b");
    first.read();
    await say(world, "a", "one");
    const [one] = first.reader.next(65_536);
    await say(world, "a", "two");
    first.read();
    first.reader.close(undefined);
    const resumed = new TestStream(world, "b", one?.position ?? "");
    expect(resumed.read()).toEqual(["message.received two"]);
    resumed.reader.close(undefined);
    // The position named shows that everything up to it was read.
    expect(new TestStream(world, "b").read()).toEqual(["message.received two"]);
  });

  test("starts after what a stream before it had settled, or a wait acknowledged", async () => {
    const world = new ChatWorld();
    await matched(world);
    const first = new TestStream(world, "b");
    first.read();
    const settled = first.reader.position;
    await say(world, "a", "one");
    first.read();
    first.reader.close(settled);
    const second = new TestStream(world, "b");
    expect(second.read()).toEqual(["message.received one"]);
    const heard = await world.ask("wait_for_message", {}, { session: "b" });
    await world.ask("wait_for_message", { after: heard.cursor ?? null, timeout_seconds: 1 }, { session: "x" });
    second.reader.close(undefined);
    await say(world, "a", "two");
    const acknowledged = await world.ask("wait_for_message", { after: heard.cursor ?? null }, { session: "b" });
    expect(acknowledged.events).toHaveLength(1);
    expect(new TestStream(world, "b").read()).toEqual(["message.received two"]);
  });

  test("taking over from another leaves no moment in which the user seems away", async () => {
    const world = new ChatWorld();
    await matched(world);
    const ann = new TestStream(world, "a");
    const old = new TestStream(world, "b");
    old.read();
    const newer = new TestStream(world, "b", null, old.reader.position);
    old.reader.close(undefined);
    expect(newer.read()).toEqual([]);
    ann.read();
    newer.reader.close(undefined);
    expect(ann.read()).toEqual(["partner.away"]);
    new TestStream(world, "b");
    expect(ann.read()).toEqual(["partner.back"]);
  });

  test("hands out at least one item and about as much as asked", async () => {
    const world = new ChatWorld();
    await matched(world);
    await say(world, "a", "x".repeat(500));
    const stream = new TestStream(world, "b");
    expect(stream.read(1)).toEqual(["chatroom.found"]);
    expect(stream.read(1)).toHaveLength(1);
    expect(stream.read(1)).toEqual([]);
  });

  test("says that something was lost before the oldest that is kept", async () => {
    const world = new ChatWorld();
    await matched(world);
    const stream = new TestStream(world, "b");
    stream.read();
    stream.reader.close(stream.reader.position);
    for (let i = 0; i < 1100; i++) await say(world, "a", String(i));
    const late = new TestStream(world, "b");
    expect(late.reader.overrun).toBe(true);
    const heard = late.read(10_000_000);
    expect(heard[0]).toBe("notifications/resources/updated");
    expect(heard).toHaveLength(1001);
    expect(heard.at(-1)).toBe("message.received 1099");
  });

  test("refuses positions nobody made, and gives another mailbox's reader everything kept", async () => {
    const world = new ChatWorld();
    await matched(world);
    const push = world.server.definition.push;
    for (const position of ["", "x", "c1..1", "c1.abc.1", "c2.xxxxxxxx.1", "c1.xxxxxxxx.01"]) {
      expect(push?.open("b", position, { wake: () => undefined })).toBe("malformed");
    }
    const foreign = new TestStream(world, "b", "c1.xxxxxxxx.7");
    expect(foreign.read()).toEqual(["notifications/resources/updated", "chatroom.found"]);
  });

  test("ending the session is leaving, not going away", async () => {
    const world = new ChatWorld();
    await matched(world);
    const ann = new TestStream(world, "a");
    const bob = new TestStream(world, "b");
    ann.read();
    await world.server.definition.sessions.end("b", world.clock.now());
    bob.reader.close(undefined);
    expect(ann.read()).toEqual(["partner.disconnected"]);
    expect(world.server.definition.sessions.isEnded("b", world.clock.now())).toBe(true);
    expect(world.lobby.online).toBe(1);
  });

  test("a user's two sessions each get their own copy", async () => {
    const world = new ChatWorld();
    const ann = await world.ask("enter_queue", { display_name: "Ann" }, { session: "a" });
    await world.ask("chat_status", { session_token: String(ann.session_token) }, { session: "a2" });
    await world.ask("enter_queue", { display_name: "Bob" }, { session: "b" });
    const one = new TestStream(world, "a");
    const two = new TestStream(world, "a2");
    expect(one.read()).toEqual(["chatroom.found"]);
    expect(two.read()).toEqual(["chatroom.found"]);
    await say(world, "b", "hi");
    expect(one.read()).toEqual(["message.received hi"]);
    expect(two.read()).toEqual(["message.received hi"]);
  });
});
