/**
 * Two nodes are one server: whatever one user does at one node, any user sees at the other; any request may
 * go to any node.
 *
 * This file owns what happens while all is well; what breaks is in the files beside it.
 */
import { afterAll, expect } from "bun:test";
import { z } from "zod";
import { within } from "../support/client-deadline.ts";
import { testWith } from "../support/client-optional.ts";
import { type Json, modernRequest, pairUp, RawModern, RawSession, RawStream } from "../support/client-raw.ts";
import { askAdmin, Cluster } from "../support/cluster.ts";
import { startProgram } from "../support/program.ts";
import { REDIS_PROGRAMS } from "../support/redis-server.ts";

const TEST_MS_MAX = 30_000;

/** A cluster of two for the whole file: every test has users of its own. */
let started: Promise<Cluster> | undefined;
const cluster = (): Promise<Cluster> => {
  started ??= Cluster.start({ nodes: 2, settings: ["--rate-joins-per-minute", "0"] });
  return started;
};

afterAll(async () => (await started)?.[Symbol.asyncDispose]());

/** The endpoints of both nodes, and of the balancer in front of them. */
async function endpoints(): Promise<{ readonly a: string; readonly b: string; readonly any: string }> {
  const { nodes, url } = await cluster();
  const [a, b] = nodes;
  if (a === undefined || b === undefined) throw new Error("two nodes");
  return { a: a.program.url, b: b.program.url, any: url };
}

/** The same legacy session, asked at another address. */
const elsewhere = (session: RawSession, url: string): RawSession => new RawSession(url, session.headers);

function sameUser(caller: RawModern, url: string): RawModern {
  const other = new RawModern(url);
  other.token = caller.token;
  return other;
}

let lastCode = 0;
/** Two callers in a room of their own, whatever others do meanwhile. @returns its id */
async function meet(one: RawModern | RawSession, other: RawModern | RawSession): Promise<string> {
  const room_code = `secret-room-${++lastCode}`;
  await one.call("join_room", { room_code, display_name: "Ann" });
  const { structured } = await other.call("join_room", { room_code, display_name: "Bob" });
  return z.object({ room: z.object({ room_id: z.string() }) }).parse(structured).room.room_id;
}

function together(title: string, body: () => Promise<void>): void {
  testWith(REDIS_PROGRAMS, title, body, TEST_MS_MAX);
}

together("users of different nodes meet in the queue and talk, and each is pushed to where they listen", async () => {
  const { a, b } = await endpoints();
  const ann = await RawSession.open(a);
  await using annHears = await ann.stream();
  const bob = await RawSession.open(b);
  await using bobHears = await bob.stream();
  const room = await pairUp(ann, bob);
  const found = (stream: RawStream) => stream.next();
  expect(await found(annHears)).toMatchObject({ method: "chatroom.found", params: { room_id: room } });
  expect(await found(bobHears)).toMatchObject({ method: "chatroom.found", params: { room_id: room } });
  for (let n = 1; n <= 20; n++) {
    const [speaker, stream] = n % 2 === 0 ? [ann, bobHears] : [bob, annHears];
    const sent = await speaker.call("send_message", { message: `line ${n}` });
    expect(sent.structured).toMatchObject({ success: true, seq: n, delivery: "pushed" });
    expect(await stream.next()).toMatchObject({
      method: "message.received",
      params: { message: `line ${n}`, seq: n, message_id: sent.structured.message_id },
    });
  }
  await bob.call("leave_chat");
  expect(await annHears.next()).toMatchObject({ method: "partner.disconnected", params: { reason: "left" } });
  expect(bobHears.drain()).toEqual([]);
});

together("what one call did, the next one sees at the other node", async () => {
  const { a, b } = await endpoints();
  for (let round = 0; round < 20; round++) {
    const [here, there] = round % 2 === 0 ? [a, b] : [b, a];
    const ann = new RawModern(here);
    await ann.call("join_room", { room_code: `read-own-writes-${round}`, display_name: `Ann ${round}` });
    const status = await sameUser(ann, there).call("chat_status");
    expect(status.refusal).toBeUndefined();
    expect(status.structured).toMatchObject({ status: "waiting", user: { display_name: `Ann ${round}` } });
    const bob = await RawSession.open(here);
    await bob.call("join_room", { room_code: `read-own-writes-${round}`, display_name: "Bob" });
    const sent = await elsewhere(bob, there).call("send_message", { message: "from elsewhere" });
    expect(sent.structured).toMatchObject({ success: true, seq: 1 });
    const waited = await sameUser(ann, there).call("wait_for_message", { timeout_seconds: 5 });
    const names = z.object({ events: z.array(z.object({ name: z.string() })) }).parse(waited.structured);
    expect(names.events.map(({ name }) => name)).toEqual(["chatroom.found", "message.received"]);
    await elsewhere(bob, there).call("leave_chat");
  }
});

together("every tool answers in one session whose every request goes to another node", async () => {
  const { a, b, any } = await endpoints();
  const { balancer } = await cluster();
  const [portA, portB] = [a, b].map((url) => Number(new URL(url).port));
  const served = (port = 0): number => balancer.served.get(port) ?? 0;
  const before = [served(portA), served(portB)];
  const ann = await RawSession.open(any);
  const bob = new RawModern(any);
  const room_id = await meet(ann, bob);
  const said = async (caller: RawModern | RawSession, tool: string, args: Json = {}): Promise<Json> => {
    const { structured, refusal } = await caller.call(tool, args);
    expect([tool, refusal]).toEqual([tool, undefined]);
    return structured;
  };
  expect(await said(ann, "chat_status")).toMatchObject({ status: "chatting", room: { room_id } });
  expect(await said(ann, "set_typing")).toEqual({ success: true });
  const sent = await said(ann, "send_message", { message: "hello", client_message_id: "one" });
  expect(await said(ann, "send_message", { message: "hello", client_message_id: "one" })).toEqual(sent);
  expect(await said(bob, "wait_for_message", { timeout_seconds: 5 })).toMatchObject({ status: "chatting" });
  expect(await said(bob, "send_message", { message: "hello yourself" })).toMatchObject({ seq: 2 });
  expect(await said(ann, "get_history", { room_id })).toMatchObject({ messages: [{ message: "hello" }, { seq: 2 }] });
  expect(await said(ann, "leave_chat")).toEqual({ success: true });
  expect(await said(bob, "enter_queue", { interests: ["nothing that anybody likes"] })).toMatchObject({
    status: "waiting",
  });
  expect(await said(bob, "leave_queue")).toEqual({ success: true });
  await meet(ann, bob);
  expect(await said(bob, "block_partner")).toEqual({ success: true });
  const eve = new RawModern(any);
  await meet(ann, eve);
  expect(await said(ann, "report_partner", { category: "spam" })).toHaveProperty("report_id");
  const after = [served(portA), served(portB)];
  for (const i of [0, 1]) expect((after[i] ?? 0) - (before[i] ?? 0)).toBeGreaterThan(5);
});

together("a stream is resumed at the other node, from the very event", async () => {
  const { a, b } = await endpoints();
  const ann = await RawSession.open(a);
  const bob = new RawModern(b);
  const first = await ann.stream();
  await meet(ann, bob);
  await bob.call("send_message", { message: "one" });
  await bob.call("send_message", { message: "two" });
  const [, one] = await first.take(3);
  expect(one?.params.message).toBe("one");
  await first.close();
  await bob.call("send_message", { message: "three" });
  await using second = await elsewhere(ann, b).stream(one?.id);
  expect((await second.take(2)).map(({ params }) => params.message)).toEqual(["two", "three"]);
  await bob.call("send_message", { message: "four" });
  expect((await second.next()).params.message).toBe("four");
});

together("of the streams of one session, the newest delivers, wherever it is", async () => {
  const { a, b } = await endpoints();
  const ann = await RawSession.open(a);
  const bob = new RawModern(a);
  await using older = await ann.stream();
  await meet(ann, bob);
  await older.take(1);
  await using newer = await elsewhere(ann, b).stream();
  // What nobody is known to have read comes again; from here on there is one copy.
  expect((await newer.next()).method).toBe("chatroom.found");
  for (const message of ["one", "two", "three"]) {
    await bob.call("send_message", { message });
    expect((await newer.next()).params.message).toBe(message);
  }
  expect(older.drain()).toEqual([]);
});

together("events of 2026-07-28 are streamed, and resumed at the other node", async () => {
  const { a, b } = await endpoints();
  const ann = new RawModern(a);
  const bob = await RawSession.open(b);
  await meet(ann, bob);
  const open = (url: string, cursor: unknown): Promise<RawStream> => {
    const { body, headers } = modernRequest("s", "events/stream", { name: "message.received", cursor });
    return RawStream.posted(url, body, { ...headers, authorization: `Bearer ${ann.token}` });
  };
  const first = await open(a, null);
  expect((await first.next()).method).toBe("notifications/events/active");
  await bob.call("send_message", { message: "one" });
  const { params } = await first.next();
  expect(params).toMatchObject({ name: "message.received", data: { message: "one" } });
  await first.close();
  await bob.call("send_message", { message: "two" });
  await using second = await open(b, params.cursor);
  expect((await second.next()).params).toMatchObject({ truncated: false });
  expect((await second.next()).params).toMatchObject({ data: { message: "two" } });
});

together("a wait held at one node ends with a message sent at the other", async () => {
  const { a, b } = await endpoints();
  const ann = new RawModern(a);
  const bob = new RawModern(b);
  await meet(ann, bob);
  await ann.call("wait_for_message", { timeout_seconds: 1 });
  const held = ann.call("wait_for_message", { timeout_seconds: 20 });
  await bob.call("send_message", { message: "are you there?" });
  const begin = performance.now();
  expect((await held).structured).toMatchObject({
    timed_out: false,
    events: [{ data: { message: "are you there?" } }],
  });
  expect(performance.now() - begin).toBeLessThan(2000);
});

together("of two waits of one user at two nodes the newer one ends the older one", async () => {
  const { a, b } = await endpoints();
  const ann = new RawModern(a);
  const room_code = "two-waits-of-one";
  await ann.call("join_room", { room_code });
  const waits = [ann, sameUser(ann, b)].map((caller) => caller.call("wait_for_message", { timeout_seconds: 20 }));
  const first = await within("the older wait", Promise.race(waits), 5000);
  expect(first.structured).toMatchObject({ timed_out: true, events: [] });
  await new RawModern(b).call("join_room", { room_code });
  const answers = await Promise.all(waits);
  const found = answers.filter(({ structured }) => structured.timed_out === false);
  expect(found.map(({ structured }) => structured.events)).toMatchObject([[{ name: "chatroom.found" }]]);
});

together("a call that is held at one node is cancelled at the other", async () => {
  const { a, b } = await endpoints();
  const ann = await RawSession.open(a);
  await ann.call("join_room", { room_code: "cancelled-elsewhere" });
  const body = {
    jsonrpc: "2.0",
    id: "held",
    method: "tools/call",
    params: { name: "wait_for_message", arguments: { timeout_seconds: 60 }, _meta: { progressToken: "p" } },
  };
  await using held = await RawStream.posted(a, body, ann.headers);
  await held.event();
  await elsewhere(ann, b).post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "held" } });
  await within("the end of the call", held.over, 5000);
});

together("a session ended at one node is ended everywhere, and its user leaves", async () => {
  const { a, b } = await endpoints();
  const ann = await RawSession.open(a);
  const bob = await RawSession.open(b);
  await using annHears = await ann.stream();
  await using bobHears = await bob.stream();
  await meet(ann, bob);
  await annHears.take(1);
  await bobHears.take(1);
  expect((await elsewhere(ann, b).end()).status).toBe(204);
  expect(await bobHears.next()).toMatchObject({ method: "partner.disconnected", params: { reason: "left" } });
  await within("the end of the stream", annHears.over, 5000);
  for (const url of [a, b]) expect((await elsewhere(ann, url).request("tools/list")).status).toBe(404);
});

together("a sign of typing goes to the other node, and ends with the message", async () => {
  const { a, b } = await endpoints();
  const ann = await RawSession.open(a);
  const bob = new RawModern(b);
  await using annHears = await ann.stream();
  await meet(ann, bob);
  await annHears.take(1);
  // A sign may get lost between nodes; whoever goes on writing says so again.
  const heard = annHears.next();
  let isHeard = false;
  heard.then(
    () => {
      isHeard = true;
    },
    () => undefined,
  );
  for (let sign = 0; sign < 5 && !isHeard; sign++) {
    await bob.call("set_typing");
    await Promise.race([heard, Bun.sleep(1000)]);
  }
  expect(await heard).toMatchObject({ method: "partner.typing", params: { typing: true } });
  await bob.call("send_message", { message: "done" });
  const next = await annHears.take(2);
  expect(next.map(({ method }) => method).toSorted()).toEqual(["message.received", "partner.typing"]);
});

together("a resource watched at one node is told of changes made at the other", async () => {
  const { a, b } = await endpoints();
  const ann = await RawSession.open(a);
  const bob = new RawModern(b);
  await using annHears = await ann.stream();
  await meet(ann, bob);
  await annHears.take(1);
  // The request goes to the node that does not have the stream.
  await elsewhere(ann, b).request("resources/subscribe", { uri: "chat://inbox" });
  await bob.call("send_message", { message: "look" });
  const told = await annHears.take(2);
  expect(told.map(({ method }) => method).toSorted()).toEqual(["message.received", "notifications/resources/updated"]);
});

together("who was blocked at one node is not met at the other", async () => {
  const { a, b } = await endpoints();
  const ann = new RawModern(a);
  const bob = new RawModern(b);
  await meet(ann, bob);
  await ann.call("block_partner");
  const room_code = "blocked-elsewhere";
  await sameUser(ann, b).call("join_room", { room_code });
  const refused = await sameUser(bob, a).call("join_room", { room_code });
  expect(refused.refusal).toBe("room_full");
});

together("the operator may ask any node: reports, bans and rooms are the same everywhere", async () => {
  const { a, b } = await endpoints();
  const running = await cluster();
  const [atA, atB] = [running.node(0), running.node(1)];
  const ann = new RawModern(a);
  const bob = await RawSession.open(b);
  await using bobHears = await bob.stream();
  const room_id = await meet(ann, bob);
  await bobHears.take(1);
  const { structured } = await ann.call("report_partner", { category: "spam", details: "over and over" });
  const report = await askAdmin(atB, "GET", `/reports/${structured.report_id}`);
  expect(report).toMatchObject({ room_id, category: "spam" });
  expect((await bobHears.next()).method).toBe("partner.disconnected");
  const bobId = z.object({ reported: z.object({ user_id: z.string() }) }).parse(report).reported.user_id;
  await askAdmin(atA, "POST", "/bans", { user_id: bobId });
  expect((await bob.call("enter_queue")).refusal).toBe("banned");
  expect((await elsewhere(bob, a).call("enter_queue")).refusal).toBe("banned");
  expect(await askAdmin(atB, "GET", "/bans")).toEqual(await askAdmin(atA, "GET", "/bans"));
});

together("who listens at one node for changes of a resource is told of what is done at the other", async () => {
  const { a, b } = await endpoints();
  const ann = new RawModern(a);
  const bob = new RawModern(b);
  await meet(ann, bob);
  const notifications = { resourceSubscriptions: ["chat://inbox"] };
  const { body, headers } = modernRequest("l", "subscriptions/listen", { notifications });
  await using heard = await RawStream.posted(a, body, { ...headers, authorization: `Bearer ${ann.token}` });
  expect((await heard.next()).method).toBe("notifications/subscriptions/acknowledged");
  await bob.call("send_message", { message: "look" });
  expect(await heard.next()).toMatchObject({
    method: "notifications/resources/updated",
    params: { uri: "chat://inbox" },
  });
});

together("limits are those of the cluster, not of each node", async () => {
  const { redis } = await cluster();
  const settings = ["--rate-reports-per-hour", "1", "--rate-reports-burst", "2"];
  const other = new URL(redis.url);
  // The same Redis, another database: nothing is shared.
  other.pathname = "/1";
  const env = { MCP_CHAT_REDIS: other.href };
  const nodes = await Promise.all([0, 1].map(() => startProgram({ kind: "source", args: settings, env })));
  const [a = "", b = ""] = nodes.map(({ url }) => url);
  const ann = new RawModern(a);
  expect((await ann.call("enter_queue")).structured).toMatchObject({ online: 1 });
  await ann.call("leave_queue");
  const refusals: (string | undefined)[] = [];
  for (let chat = 0; chat < 3; chat++) {
    const here = sameUser(ann, chat % 2 === 0 ? a : b);
    await meet(here, new RawModern(b));
    refusals.push((await here.call("report_partner", { category: "spam" })).refusal);
    await here.call("leave_chat");
  }
  expect(refusals).toEqual([undefined, undefined, "rate_limited"]);
  await Promise.all(nodes.map((node) => node.stop()));
});
