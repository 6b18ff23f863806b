/** The chat by MCP Events: who may read, from where, in which order, and what reading means for presence. */

import { describe, expect, test } from "bun:test";
import { EVENT_TYPES } from "../../src/chat/event-types.ts";
import type { EventProvider, EventReader } from "../../src/mcp/event-provider.ts";
import type { JsonObject } from "../../src/mcp/registry.ts";
import { ChatWorld } from "../support/chat-world.ts";

function provider(world: ChatWorld): EventProvider {
  const { events } = world.server.definition;
  if (events === undefined) throw new Error("the chat offers no events");
  return events;
}

/** A reading, as the engine begins one. */
class Reading {
  wakes = 0;
  readonly reader: EventReader;

  constructor(
    world: ChatWorld,
    bearer: string,
    name: string,
    {
      cursor = null as string | null,
      maxAgeMs = undefined as number | undefined,
      mode = "push" as "push" | "poll",
    } = {},
  ) {
    const requester = { bearer, session: undefined };
    const principal = provider(world).authorize(requester);
    const type = EVENT_TYPES.find((candidate) => candidate.name === name);
    if (typeof principal !== "string" || type === undefined) throw new Error(`${name} may not be read`);
    const wake = () => this.wakes++;
    this.reader = provider(world).open({ type, args: {}, requester, principal, mode, cursor, maxAgeMs, wake });
  }

  /** Whether something is missing, then everything new: names, with the text of messages. */
  read(): string[] {
    const said = this.reader.skipGap() ? ["gap"] : [];
    for (let next = this.reader.next(); next !== undefined; next = this.reader.next()) {
      const inner = next.name === "chat.activity" ? (next.data.data as JsonObject) : next.data;
      const name = next.name === "chat.activity" ? `activity ${next.data.name}` : next.name;
      said.push(inner.message === undefined ? name : `${name} ${inner.message}`);
    }
    return said;
  }
}

const say = (world: ChatWorld, bearer: string, message: string) => world.ask("send_message", { message }, { bearer });
const userOf = (world: ChatWorld, name: string) =>
  [...world.lobby.users.values()].find((user) => user.displayName === name);

describe("who may read", () => {
  const ask = (world: ChatWorld, bearer?: string, session?: string) => provider(world).authorize({ bearer, session });

  test("a user by their token, and is known by their public id", async () => {
    const world = new ChatWorld();
    const { ann } = await world.pair();
    expect(ask(world, ann)).toBe(userOf(world, "Ann")?.userId ?? "");
    expect(JSON.stringify(ask(world, ann))).not.toContain("mcpc_");
  });

  test.each([[undefined], ["some-access-token"]])("nobody with %p", async (bearer) => {
    const world = new ChatWorld();
    await world.pair();
    expect(ask(world, bearer)).toEqual({ name: "Forbidden", data: { reason: "authentication_required" } });
  });

  test("nobody with a token that is dead or forged", async () => {
    const reason = { name: "Forbidden", data: { reason: "bad_session_token" } } as const;
    expect(ask(new ChatWorld(), `mcpc_${"x".repeat(43)}`)).toEqual(reason);
  });

  test("a legacy session as the user it is bound to, unless a token names another", async () => {
    const world = new ChatWorld();
    const { ann } = await world.pair();
    await world.ask("enter_queue", { display_name: "Cid" }, { session: "c" });
    expect(ask(world, undefined, "c")).toBe(userOf(world, "Cid")?.userId ?? "");
    expect(ask(world, undefined, "x")).toMatchObject({ name: "Forbidden" });
    expect(ask(world, ann, "c")).toEqual({ name: "Forbidden", data: { reason: "identity_conflict" } });
  });
});

describe("what a reader finds", () => {
  test("from now: nothing that was; then each type its own, the feed everything in mailbox order", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const feed = new Reading(world, bob, "chat.activity");
    const messages = new Reading(world, bob, "message.received");
    const ends = new Reading(world, bob, "partner.disconnected");
    expect([feed.read(), messages.read(), ends.read()]).toEqual([[], [], []]);
    await say(world, ann, "one");
    await say(world, bob, "my own");
    await say(world, ann, "two");
    await world.ask("leave_chat", {}, { bearer: ann });
    expect(feed.wakes).toBe(3);
    expect(messages.read()).toEqual(["message.received one", "message.received two"]);
    expect(ends.read()).toEqual(["partner.disconnected"]);
    expect(feed.read()).toEqual([
      "activity message.received one",
      "activity message.received two",
      "activity partner.disconnected",
    ]);
  });

  test("one event is one id, one time and one position, whatever it is read by", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const readings = ["chat.activity", "message.received"].map((name) => new Reading(world, bob, name));
    await say(world, ann, "hi");
    const [feed, own] = readings.map(({ reader }) => reader.next());
    const heard = await world.ask("wait_for_message", {}, { bearer: bob });
    const [, waited] = heard.events as JsonObject[];
    expect(own).toEqual({
      eventId: String(waited?.event_id),
      name: "message.received",
      timestamp: String(waited?.timestamp),
      data: waited?.data as JsonObject,
      cursor: String(waited?.cursor),
    });
    expect(feed).toEqual({
      ...own,
      name: "chat.activity",
      data: { name: "message.received", data: own?.data ?? {} },
    } as typeof own);
    expect(own?.eventId).toMatch(/^[!-~]{1,64}$/);
  });

  test("its position moves over what is of other types", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const away = new Reading(world, bob, "partner.away");
    const before = away.reader.cursor;
    await say(world, ann, "hi");
    expect(away.reader.hasNext()).toBe(false);
    expect(away.reader.cursor).not.toBe(before);
    const feed = new Reading(world, bob, "chat.activity", { cursor: away.reader.cursor });
    expect(feed.read()).toEqual([]);
  });

  test("after a cursor: what came strictly after it", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    await say(world, ann, "one");
    const first = new Reading(world, bob, "message.received", { cursor: "c1.xxxxxxxx.0" });
    first.reader.skipGap();
    const one = first.reader.next();
    await say(world, ann, "two");
    expect(new Reading(world, bob, "message.received", { cursor: one?.cursor ?? null }).read()).toEqual([
      "message.received two",
    ]);
  });

  test.each([
    ["a text nobody made", () => "garbage", ["gap"]],
    ["an empty text", () => "", ["gap"]],
    ["a position not reached yet", (epoch: string) => `c1.${epoch}.zz`, ["gap", "message.received one"]],
    ["a position in another mailbox", () => "c1.xxxxxxxx.1", ["gap", "message.received one"]],
    ["the very beginning", (epoch: string) => `c1.${epoch}.0`, ["message.received one"]],
  ])("from %s", async (_what, cursorOf, found) => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    await say(world, ann, "one");
    const epoch = userOf(world, "Bob")?.mailbox.epoch ?? "";
    expect(new Reading(world, bob, "message.received", { cursor: cursorOf(epoch) }).read()).toEqual(found);
  });

  test("too late: the gap, then everything that is kept", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const start = new Reading(world, bob, "message.received", { mode: "poll" }).reader.cursor;
    for (let i = 0; i < 1100; i++) await say(world, ann, String(i));
    const late = new Reading(world, bob, "message.received", { cursor: start, mode: "poll" }).read();
    expect(late).toHaveLength(1001);
    expect([late[0], late.at(-1)]).toEqual(["gap", "message.received 1099"]);
  });

  test("nothing older than it wants, and is told if that leaves something out", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const start = new Reading(world, bob, "message.received", { mode: "poll" }).reader.cursor;
    await say(world, ann, "old");
    await world.clock.pass(10_000);
    await say(world, ann, "new");
    const read = (name: string, maxAgeMs: number, cursor = start) =>
      new Reading(world, bob, name, { cursor, maxAgeMs, mode: "poll" }).read();
    expect(read("message.received", 5000)).toEqual(["gap", "message.received new"]);
    expect(read("message.received", 10_000)).toEqual(["message.received old", "message.received new"]);
    expect(read("partner.away", 5000)).toEqual([]);
    expect(read("message.received", 0, null)).toEqual([]);
  });

  test("of a live type: no position, no gap, nothing kept", async () => {
    const world = new ChatWorld();
    const { bob } = await world.pair();
    const typing = new Reading(world, bob, "partner.typing", { cursor: "c1.xxxxxxxx.1" });
    expect(typing.read()).toEqual([]);
    expect(typing.reader.cursor).toBeNull();
  });

  test("when to come again: soon while something may happen", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const { reader } = new Reading(world, bob, "chat.activity", { mode: "poll" });
    expect(reader.nextPollMs).toBe(2000);
    await world.ask("leave_chat", {}, { bearer: ann });
    expect(reader.nextPollMs).toBe(15_000);
  });

  test("polling hands nothing out for others: a wait finds the same events again", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    await say(world, ann, "hi");
    new Reading(world, bob, "chat.activity", { cursor: "c1.xxxxxxxx.0", mode: "poll" }).read();
    expect((await world.ask("wait_for_message", {}, { bearer: bob })).events).toHaveLength(2);
  });
});

describe("presence", () => {
  test("an open stream is one: messages are pushed, no clock runs", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    expect((await say(world, ann, "one")).delivery).toBe("queued");
    new Reading(world, bob, "message.received");
    expect((await say(world, ann, "two")).delivery).toBe("pushed");
    new Reading(world, ann, "partner.typing");
    await world.clock.pass(1_000_000);
    expect(userOf(world, "Bob")?.place.in).toBe("room");
  });

  test("several streams are several: away with the last, back with the next, gone after the grace time", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const partner = new Reading(world, ann, "chat.activity");
    const open = ["message.received", "partner.away", "partner.typing"].map((name) => new Reading(world, bob, name));
    expect(userOf(world, "Bob")?.streams).toBe(3);
    for (const { reader } of open.slice(1)) reader.close();
    expect(partner.read()).toEqual([]);
    open[0]?.reader.close();
    expect(partner.read()).toEqual(["activity partner.away"]);
    await world.clock.pass(20_000);
    const again = new Reading(world, bob, "chat.activity");
    expect(partner.read()).toEqual(["activity partner.back"]);
    again.reader.close();
    await world.clock.pass(31_000);
    expect(partner.read()).toEqual(["activity partner.away", "activity partner.disconnected"]);
    expect(userOf(world, "Bob")?.place.in).toBe("nowhere");
  });

  test("a poll is a call: it ends an absence and starts the idle clock over", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const partner = new Reading(world, ann, "chat.activity");
    new Reading(world, bob, "message.received").reader.close();
    new Reading(world, bob, "message.received", { mode: "poll" }).reader.close();
    expect(partner.read()).toEqual(["activity partner.away", "activity partner.back"]);
    await world.clock.pass(800_000);
    new Reading(world, bob, "message.received", { mode: "poll" }).reader.close();
    await world.clock.pass(800_000);
    expect(partner.read()).toEqual([]);
    await world.clock.pass(200_000);
    expect(partner.read()).toEqual(["activity partner.disconnected"]);
  });

  test("P5 a held poll is a held call: pushed meanwhile, nobody away, and its end counts as a call", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const partner = new Reading(world, ann, "chat.activity");
    const { reader } = new Reading(world, bob, "partner.away", { mode: "poll" });
    reader.hold();
    await world.clock.pass(950_000);
    expect((await say(world, ann, "one")).delivery).toBe("pushed");
    reader.close();
    expect((await say(world, ann, "two")).delivery).toBe("queued");
    await world.clock.pass(800_000);
    expect(partner.read()).toEqual([]);
    expect(userOf(world, "Bob")?.streams).toBe(0);
  });

  test("who waits with a stream open is paired though they have not called for long", async () => {
    const world = new ChatWorld();
    const ann = await world.ask("enter_queue", { display_name: "Ann" });
    const found = new Reading(world, String(ann.session_token), "chatroom.found");
    await world.clock.pass(300_000);
    expect((await world.ask("enter_queue", { display_name: "Bob" })).status).toBe("matched");
    expect(found.read()).toEqual(["chatroom.found"]);
  });

  test("the end of a reader of somebody who is no more is nobody's concern", async () => {
    const world = new ChatWorld({ retainUserMs: 1000 });
    const { bob } = await world.pair();
    const { reader } = new Reading(world, bob, "chat.activity", { mode: "poll" });
    await world.clock.pass(2_000_000);
    expect(world.lobby.users.size).toBe(0);
    expect(reader.ended).toEqual({ name: "Forbidden", data: { reason: "user_ended" } });
    reader.close();
  });
});
