/** Signs of writing: whom they reach, in which order with mail, how often, and what ends them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EVENT_TYPES } from "../../src/chat/event-types.ts";
import type { EventReader } from "../../src/mcp/event-provider.ts";
import type { JsonObject, PushReader } from "../../src/mcp/registry.ts";
import { ChatWorld, refusalCode, settled } from "../support/chat-world.ts";

/** The GET stream of a legacy session. */
class LegacyStream {
  wakes = 0;
  readonly reader: PushReader;

  constructor(world: ChatWorld, session: string, resume: string | null = null) {
    const reader = world.server.definition.push?.open(session, resume, { wake: () => this.wakes++ });
    if (reader === undefined || reader === "malformed") throw new Error("no reader");
    this.reader = reader;
  }

  read(maxBytes = 65_536): string[] {
    return this.reader.next(maxBytes).map(({ json }) => {
      const { method, params } = JSON.parse(json);
      return told(method, params);
    });
  }
}

/** A modern stream of one type. */
class EventsStream {
  wakes = 0;
  readonly reader: EventReader;

  constructor(world: ChatWorld, bearer: string, name: string, mode: "push" | "poll" = "push") {
    const { events } = world.server.definition;
    const requester = { bearer, session: undefined };
    const principal = events?.authorize(requester);
    const type = EVENT_TYPES.find((candidate) => candidate.name === name);
    if (events === undefined || typeof principal !== "string" || type === undefined) throw new Error("no reader");
    const request = { type, args: {}, requester, principal, mode, cursor: null, maxAgeMs: undefined };
    this.reader = events.open({ ...request, wake: () => this.wakes++ });
  }

  read(): string[] {
    const said: string[] = [];
    for (let next = this.reader.next(); next !== undefined; next = this.reader.next()) {
      const isFeed = next.name === "chat.activity";
      const data = isFeed ? (next.data.data as JsonObject) : next.data;
      said.push(told(isFeed ? String(next.data.name) : next.name, data));
    }
    return said;
  }
}

/** `typing`, `stopped`, `> text` or the name of what happened. */
function told(name: string, data: JsonObject): string {
  if (name === "partner.typing") return data.typing === true ? "typing" : "stopped";
  return name === "message.received" ? `> ${data.message}` : name;
}

/** Ann writes; Bob has a stream of each kind, and has read what there was. */
async function watched(world = new ChatWorld()) {
  const { ann, bob } = await world.pair();
  await world.ask("chat_status", { session_token: bob }, { session: "b" });
  const legacy = new LegacyStream(world, "b");
  const feed = new EventsStream(world, bob, "chat.activity");
  const signs = new EventsStream(world, bob, "partner.typing");
  const messages = new EventsStream(world, bob, "message.received");
  legacy.read();
  const type = (typing = true, more: JsonObject = {}) =>
    world.call("set_typing", { session_token: ann, typing, ...more });
  const say = (message: string) => world.ask("send_message", { session_token: ann, message });
  return { world, ann, bob, legacy, feed, signs, messages, type, say };
}

describe("a sign of writing", () => {
  test("reaches every open stream of the partner that shows such, and nothing that is stored", async () => {
    const { world, ann, bob, legacy, feed, signs, messages, type } = await watched();
    const own = new EventsStream(world, ann, "chat.activity");
    expect((await type()).structuredContent).toEqual({ success: true });
    expect([legacy.read(), feed.read(), signs.read()]).toEqual([["typing"], ["typing"], ["typing"]]);
    expect([messages.read(), own.read(), messages.wakes]).toEqual([[], [], 0]);
    const heard = await world.ask("wait_for_message", { session_token: bob });
    expect((heard.events as { name: string }[]).map(({ name }) => name)).toEqual(["chatroom.found"]);
    expect(new EventsStream(world, bob, "chat.activity", "poll").read()).toEqual([]);
    expect((await world.ask("chat_status", { session_token: bob })).unread_count).toBe(0);
    expect(JSON.stringify([...world.lobby.users.values()].map(({ mailbox }) => mailbox))).not.toContain("typing");
  });

  test("on a legacy stream has the room and the time, and no position to resume from", async () => {
    const { world, legacy, type } = await watched();
    const before = legacy.reader.position;
    await type();
    const [item] = legacy.reader.next(65_536);
    expect(item?.position).toBeUndefined();
    expect(legacy.reader.position).toBe(before);
    expect(JSON.parse(item?.json ?? "")).toEqual({
      jsonrpc: "2.0",
      method: "partner.typing",
      params: {
        room_id: String(world.lobby.rooms.keys().next().value),
        typing: true,
        timestamp: new Date(world.clock.now()).toISOString(),
      },
    });
  });

  test("as an occurrence has one id everywhere, no cursor of its own, and that of the last event in the feed", async () => {
    const { bob, world, feed, signs, type, say } = await watched();
    await say("one");
    const message = feed.reader.next();
    await type();
    const [inFeed, alone] = [feed.reader.next(), signs.reader.next()];
    expect(alone).toMatchObject({ name: "partner.typing", cursor: null, data: { typing: true } });
    expect(inFeed).toEqual({
      ...alone,
      name: "chat.activity",
      data: { name: "partner.typing", data: alone?.data ?? {} },
      cursor: message?.cursor ?? null,
    } as typeof inFeed);
    expect(alone?.eventId).toMatch(/^[!-~]{1,64}$/);
    const again = new EventsStream(world, bob, "partner.typing");
    await type(false);
    expect(again.reader.next()?.eventId).not.toBe(alone?.eventId);
  });

  test("is told once: renewals within ten seconds are silent, later ones are not", async () => {
    const { world, legacy, type } = await watched();
    for (let seconds = 0; seconds < 22; seconds += 2) {
      await type();
      await world.clock.pass(2000);
    }
    expect(legacy.wakes).toBe(3);
    await type(false);
    await type(false);
    expect(legacy.wakes).toBe(4);
    expect(legacy.read()).toEqual(["stopped"]);
  });

  test("is nothing a poll is held for", async () => {
    const { world, bob, type } = await watched();
    const poll = new EventsStream(world, bob, "chat.activity", "poll");
    poll.reader.hold();
    await type();
    expect([poll.wakes, poll.reader.hasNext(), poll.read()]).toEqual([0, false, []]);
  });

  test("of two who write ends for each at their own time", async () => {
    const { world, ann, bob, type } = await watched();
    const hers = new EventsStream(world, ann, "partner.typing");
    await type();
    await world.clock.pass(1000);
    await world.ask("set_typing", { session_token: bob });
    await world.clock.pass(4000);
    await type();
    await world.clock.pass(5999);
    expect(hers.read()).toEqual(["typing"]);
    await world.clock.pass(1);
    expect(hers.read()).toEqual(["stopped"]);
  });

  test("ends by itself ten seconds after the last one, with one timer for all", async () => {
    const { world, ann, bob, legacy, type } = await watched();
    await type();
    await world.clock.pass(6000);
    await type();
    expect(legacy.read()).toEqual(["typing"]);
    await world.ask("set_typing", { session_token: bob });
    expect(world.clock.timers).toBe(1);
    await world.clock.pass(9999);
    expect(legacy.read()).toEqual([]);
    await world.clock.pass(1);
    expect(legacy.read()).toEqual(["stopped"]);
    expect(new EventsStream(world, ann, "partner.typing").read()).toEqual([]);
  });

  test.each<[string, (w: Awaited<ReturnType<typeof watched>>) => Promise<unknown>, string[]]>([
    ["the message", ({ say }) => say("hi"), ["> hi", "stopped"]],
    [
      "the writer leaving",
      ({ world, ann }) => world.ask("leave_chat", { session_token: ann }),
      ["partner.disconnected", "stopped"],
    ],
    ["the reader leaving", ({ world, bob }) => world.ask("leave_chat", { session_token: bob }), ["stopped"]],
    [
      "the writer going away",
      async ({ world, ann }) => new EventsStream(world, ann, "chat.activity").reader.close(),
      ["partner.away", "stopped"],
    ],
    [
      "the end of the writer's session while another one is left",
      async ({ world, ann }) => {
        for (const session of ["a1", "a2"]) await world.ask("chat_status", { session_token: ann }, { session });
        new LegacyStream(world, "a1");
        await world.server.definition.sessions.end("a1", 1);
      },
      ["partner.away", "stopped"],
    ],
  ])("ends with %s", async (_what, happen, found) => {
    const all = await watched();
    await all.type();
    expect(all.legacy.read()).toEqual(["typing"]);
    await happen(all);
    expect([all.legacy.read(), all.feed.read()]).toEqual([found, found]);
    expect(all.signs.read()).toEqual(["stopped"]);
    await all.world.clock.pass(20_000);
    expect(all.legacy.read()).toEqual([]);
  });

  test("ends when the writer's held call is lost after their last stream", async () => {
    const { world, ann, legacy, type } = await watched();
    const abort = new AbortController();
    await world.ask("wait_for_message", { session_token: ann });
    void world.call("wait_for_message", { session_token: ann }, { signal: abort.signal });
    const stream = new EventsStream(world, ann, "partner.away");
    await type();
    stream.reader.close();
    expect(legacy.read()).toEqual(["typing"]);
    abort.abort();
    await settled();
    expect(legacy.read()).toEqual(["partner.away", "stopped"]);
  });

  test("does not end with a message of the partner", async () => {
    const { world, bob, signs, type } = await watched();
    await type();
    await world.ask("send_message", { session_token: bob, message: "go on" });
    expect(signs.read()).toEqual(["typing"]);
  });
});

describe("what is not told", () => {
  test.each<[string, JsonObject, string]>([
    ["nobody known", { session_token: `mcpc_${"A".repeat(43)}` }, "bad_session_token"],
    ["nobody at all", {}, "no_session"],
    ["a room that never was", { room_id: "room_none" }, "room_not_found"],
    ["words for a yes", { typing: "yes" }, "invalid_arguments"],
  ])("%s", async (_what, args, code) => {
    const { world, ann, legacy } = await watched();
    const token = code.startsWith("room") || code.startsWith("invalid") ? { session_token: ann } : {};
    expect(refusalCode(await world.call("set_typing", { ...token, ...args }))).toBe(code);
    expect(legacy.wakes).toBe(0);
  });

  test("no room, and a room that is over", async () => {
    const { world, ann, type } = await watched();
    const room_id = String(world.lobby.rooms.keys().next().value);
    await world.ask("leave_chat", { session_token: ann });
    expect(refusalCode(await type())).toBe("not_in_room");
    expect(refusalCode(await type(true, { room_id }))).toBe("chat_ended");
  });

  test("more than two a second: the rest are refused, with the time to wait, and renew nothing", async () => {
    const { world, legacy, type } = await watched();
    for (let i = 0; i < 5; i++) expect(refusalCode(await type(i % 2 === 0))).toBeUndefined();
    const sixth = await type(false);
    expect(sixth.structuredContent).toMatchObject({ error: { code: "rate_limited", retry_after_ms: 500 } });
    expect(legacy.read()).toEqual(["typing"]);
    await world.clock.pass(500);
    expect(refusalCode(await type(false))).toBeUndefined();
    expect(refusalCode(await type(false))).toBe("rate_limited");
  });

  test("it counts as a call, and binds its session", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const partner = new EventsStream(world, bob, "chat.activity");
    new EventsStream(world, ann, "partner.away").reader.close();
    await world.ask("set_typing", { session_token: ann }, { session: "a" });
    expect(partner.read()).toEqual(["partner.away", "partner.back", "typing"]);
    expect((await world.ask("chat_status", {}, { session: "a" })).status).toBe("chatting");
  });
});

describe("the order with mail", () => {
  test("a stream that reads in small pieces gets a sign where it belongs, and the latest one only", async () => {
    const { legacy, feed, type, say } = await watched();
    await type();
    await say("one");
    await say("two");
    await type();
    await say("three");
    await type();
    await say("four");
    await type(false);
    expect(legacy.read(1)).toEqual(["> one"]);
    expect(legacy.read(65_536)).toEqual(["> two", "> three", "> four", "stopped"]);
    expect(feed.read()).toEqual(["> one", "> two", "> three", "> four", "stopped"]);
  });

  test("mail that came after a sign goes out after it", async () => {
    const { world, legacy, feed, type, say } = await watched();
    await say("one");
    await type();
    // Something of which the writer knows nothing, so that the sign stays as it is.
    world.server.host.post({ type: "operate", act: { type: "announce", text: "soon", after: 0, count: 100 } });
    expect(legacy.read()).toEqual(["> one", "typing", "server.announcement"]);
    expect(feed.read()).toEqual(["> one", "typing", "server.announcement"]);
  });

  test("whatever happens and however it is read: all mail in order, and every stream ends with the last sign", async () => {
    const act = fc.oneof(
      fc.constant("type" as const),
      fc.constant("stop" as const),
      fc.constant("say" as const),
      fc.constant("read some" as const),
      fc.constant("later" as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
        const { world, legacy, feed, type, say } = await watched();
        const heard: string[] = [];
        let said = 0;
        for (const what of acts) {
          if (what === "type") await type();
          else if (what === "stop") await type(false);
          else if (what === "say") await say(String(++said));
          else if (what === "later") await world.clock.pass(3000);
          else heard.push(...legacy.read(1));
        }
        await world.clock.pass(20_000);
        for (let more = legacy.read(1); more.length > 0; more = legacy.read(1)) heard.push(...more);
        const mail = Array.from({ length: said }, (_, n) => `> ${n + 1}`);
        for (const stream of [heard, feed.read()]) {
          expect(stream.filter((item) => item.startsWith(">"))).toEqual(mail);
          const signs = stream.filter((item) => !item.startsWith(">"));
          expect(signs.at(-1) ?? "stopped").toBe("stopped");
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("thousands who write are held at the bound: the first has stopped", async () => {
  const { Typing } = await import("../../src/chat/typing.ts");
  const { TYPISTS_MAX } = await import("../../src/limits.ts");
  const world = new ChatWorld();
  const { ann } = await world.pair();
  const user = [...world.lobby.users.values()].find(({ displayName }) => displayName === "Ann");
  const room = [...world.lobby.rooms.values()][0];
  if (user === undefined || room === undefined || ann === "") throw new Error("nobody is there");
  const heard: boolean[] = [];
  const typing = new Typing(world.server.host, [{ tell: (_reader, notice) => heard.push(notice.typing) }]);
  for (let ref = 1; ref <= TYPISTS_MAX + 1; ref++) {
    const members = [{ ...room.members[0], user: ref }, room.members[1]] as const;
    typing.say({ ...user, ref }, { ...room, members }, true);
  }
  expect(typing.size).toBe(TYPISTS_MAX);
  expect(heard.filter((is) => !is)).toHaveLength(1);
  expect(world.clock.timers).toBeLessThanOrEqual(2);
});
