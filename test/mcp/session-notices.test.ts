/** What the engine tells legacy sessions on their GET stream: kept while there is none, never twice, nothing unasked. */

import { describe, expect, test } from "bun:test";
import {
  IDLE_OUTBOXES_MAX,
  NOTICE_UNSETTLED_MS,
  SESSION_AGE_MS_MAX,
  URI_CHARS_MAX,
  WATCHED_RESOURCES_MAX,
} from "../../src/limits.ts";
import { ListAnnouncer } from "../../src/mcp/list-changes.ts";
import type { Requester } from "../../src/mcp/registry.ts";
import { SessionNotices } from "../../src/mcp/session-notices.ts";
import type { HandConnection } from "../support/mcp-endpoint.ts";
import { expectOfficial } from "../support/mcp-schemas.ts";
import { ANN, type Asker, createWorld, legacyAsker, openStream, type World } from "../support/primitives-fixture.ts";

const REQUESTER: Requester = {
  era: "legacy",
  revision: "2025-11-25",
  transport: "http",
  client: undefined,
  session: "s",
  bearer: undefined,
};

/** What a stream says now: `uri` of updates, `tools` of list changes, the method of anything else. */
function said(stream: HandConnection): unknown[] {
  return stream.messages().map((message) => {
    const { method, params } = message as { method: string; params?: { uri?: string } };
    if (method.startsWith("notifications/")) expectOfficial("legacy", "GET", message);
    return /^notifications\/(\w+)\/list_changed$/.exec(method)?.[1] ?? params?.uri ?? method;
  });
}

async function subscribed(world: World, ...uris: string[]): Promise<Asker> {
  const asker = legacyAsker(world);
  for (const uri of uris) expect((await asker.ask("resources/subscribe", { uri })).body.result).toEqual({});
  return asker;
}

describe("resources/subscribe", () => {
  test("updates go to the stream of the session that subscribed", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a");
    const [stream, other] = [openStream(world, asker.headers), openStream(world, legacyAsker(world).headers)];
    expect(said(stream)).toEqual([]);
    world.change("test://a");
    expect(stream.woken).toBe(1);
    expect([said(stream), said(other)]).toEqual([["test://a"], []]);
  });

  test("updates wait for a stream, each once, in their order", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a", "test://b");
    for (const uri of ["test://b", "test://a", "test://b", "test://b"]) world.change(uri);
    expect(said(openStream(world, asker.headers))).toEqual(["test://b", "test://a"]);
  });

  test("subscribing twice is once", async () => {
    const world = createWorld();
    await subscribed(world, "test://a", "test://a");
    expect(world.watches).toHaveLength(1);
  });

  test("unsubscribing stops the watch and what still waits; doing it again changes nothing", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a", "test://b");
    world.change("test://a");
    world.change("test://b");
    for (let n = 0; n < 2; n++) {
      expect((await asker.ask("resources/unsubscribe", { uri: "test://a" })).body.result).toEqual({});
    }
    expect(world.watches.map(({ stops }) => stops)).toEqual([1, 0]);
    expect(said(openStream(world, asker.headers))).toEqual(["test://b"]);
  });

  test("what may not be watched is not found", async () => {
    const { status, body } = await legacyAsker(createWorld()).ask("resources/subscribe", { uri: "other://x" });
    expect(status).toBe(200);
    expect(body.error).toMatchObject({ code: -32002, data: { uri: "other://x" } });
  });

  test("a session has a bounded number of them, of bounded length", async () => {
    const world = createWorld();
    const uris = Array.from({ length: WATCHED_RESOURCES_MAX }, (_, n) => `test://${n}`);
    const asker = await subscribed(world, ...uris);
    expect(await asker.ask("resources/subscribe", { uri: "test://more" })).toMatchObject({
      status: 429,
      body: { error: { code: -32000 } },
    });
    await asker.ask("resources/unsubscribe", { uri: "test://0" });
    expect((await asker.ask("resources/subscribe", { uri: "test://more" })).body.result).toEqual({});
    const long = `test://${"x".repeat(URI_CHARS_MAX)}`;
    expect((await asker.ask("resources/subscribe", { uri: long })).body.error).toMatchObject({ code: -32602 });
  });

  test("the watch knows who asked, and holds on to nothing else", async () => {
    const world = createWorld();
    await legacyAsker(world, "2025-06-18", ANN).ask("resources/subscribe", { uri: "test://a" });
    expect(world.watches[0]?.requester).toEqual({
      era: "legacy",
      revision: "2025-06-18",
      transport: "http",
      client: { name: "test", version: "1" },
      session: expect.any(String),
      bearer: "ann",
    });
  });

  test("subscriptions end with their session", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a");
    const other = await subscribed(world, "test://a");
    await world.endpoint.endpoint.delete(new Headers(asker.headers), ANN);
    expect(world.watches.map(({ stops }) => stops)).toEqual([1, 0]);
    world.change("test://a");
    expect(said(openStream(world, other.headers))).toEqual(["test://a"]);
  });

  test("and with the server", async () => {
    const world = createWorld();
    await subscribed(world, "test://a", "test://b");
    world.endpoint.endpoint.stop();
    expect(world.watches.map(({ stops }) => stops)).toEqual([1, 1]);
  });

  test("those of a session that never came back go when it has expired", async () => {
    const world = createWorld();
    await subscribed(world, "test://a");
    world.endpoint.clock.at += SESSION_AGE_MS_MAX - 1;
    world.endpoint.endpoint.sweep();
    expect(world.watches[0]?.stops).toBe(0);
    world.endpoint.clock.at += 1;
    world.endpoint.endpoint.sweep();
    expect(world.watches[0]?.stops).toBe(1);
  });

  test("a session with a stream keeps them however old it is", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a");
    const stream = openStream(world, asker.headers);
    world.endpoint.clock.at += 2 * SESSION_AGE_MS_MAX;
    world.endpoint.endpoint.sweep();
    world.change("test://a");
    expect(said(stream)).toEqual(["test://a"]);
  });
});

test("only so many sessions without a stream keep theirs: the one longest without loses them", () => {
  const world = createWorld();
  const notices = new SessionNotices(world.endpoint.definition, () => 0);
  for (let n = 0; n < IDLE_OUTBOXES_MAX; n++) notices.subscribe(`s${n}`, REQUESTER, "test://a");
  notices.subscribe("s0", REQUESTER, "test://b");
  const stopped = () => world.watches.filter(({ stops }) => stops > 0).length;
  expect(stopped()).toBe(0);
  notices.subscribe("one more", REQUESTER, "test://a");
  expect(stopped()).toBe(1);
  expect([world.watches[0]?.stops, world.watches[1]?.stops]).toEqual([0, 1]);
});

describe("streams", () => {
  test("a new stream says again what the old one said shortly before, and no more than that", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a", "test://b");
    const first = openStream(world, asker.headers);
    world.change("test://a");
    expect(said(first)).toEqual(["test://a"]);
    world.endpoint.clock.at += NOTICE_UNSETTLED_MS - 1;
    world.change("test://b");
    expect(said(first)).toEqual(["test://b"]);
    first.close();
    const second = openStream(world, asker.headers);
    expect(said(second)).toEqual(["test://a", "test://b"]);
    world.endpoint.clock.at += NOTICE_UNSETTLED_MS;
    second.close();
    expect(said(openStream(world, asker.headers))).toEqual([]);
  });

  test("only the newest stream says it; when it closes, the older one goes on", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a");
    const [first, second] = [openStream(world, asker.headers), openStream(world, asker.headers)];
    world.change("test://a");
    expect([said(first), said(second)]).toEqual([[], ["test://a"]]);
    world.endpoint.clock.at += NOTICE_UNSETTLED_MS;
    second.close();
    world.change("test://a");
    expect(said(first)).toEqual(["test://a"]);
  });

  test("notices go out beside what the application pushes, and do not disturb its positions", async () => {
    const world = createWorld();
    const asker = await subscribed(world, "test://a");
    const session = world.watches[0]?.requester.session ?? "";
    const stream = openStream(world, asker.headers);
    world.push.push(session, "fixture.pushed", {});
    world.change("test://a");
    const frames = stream.frames().map(({ id, data }) => [id, data === "" ? "" : JSON.parse(data ?? "{}").method]);
    expect(frames).toEqual([
      ["g.0", ""],
      [undefined, "notifications/resources/updated"],
      ["g.1", "fixture.pushed"],
    ]);
  });

  test("many notices go out in several writes", async () => {
    const world = createWorld();
    const uris = Array.from({ length: WATCHED_RESOURCES_MAX }, (_, n) => `test://${n}/${"x".repeat(1000)}`);
    const asker = await subscribed(world, ...uris);
    for (const uri of uris) world.change(uri);
    const stream = openStream(world, asker.headers);
    const sizes: number[] = [];
    let text = "";
    for (let more = stream.source.pull(10_000); more !== ""; more = stream.source.pull(10_000)) {
      sizes.push(more.length);
      text += more;
    }
    expect(Math.max(...sizes)).toBeLessThan(13_000);
    expect(uris.every((uri) => text.includes(uri))).toBe(true);
  });

  test("without anything to push, a server that can be watched still has a stream", async () => {
    const world = createWorld({ push: undefined });
    expect(world.endpoint.endpoint.verbs).toEqual(["POST", "GET", "DELETE"]);
    const asker = await subscribed(world, "test://a");
    const stream = openStream(world, asker.headers);
    world.change("test://a");
    expect(said(stream)).toEqual(["test://a"]);
    expect(world.endpoint.get({ ...asker.headers, "last-event-id": "g.0" }).kind).toBe("stream");
    expect(world.endpoint.get({ ...asker.headers, "last-event-id": "g.7" })).toMatchObject({ status: 400 });
  });

  test("one that neither pushes nor can be watched has none", () => {
    const world = createWorld({ push: undefined, listChanges: undefined, resources: undefined });
    expect(world.endpoint.endpoint.verbs).toEqual(["POST", "DELETE"]);
    expect(world.endpoint.get(legacyAsker(world).headers)).toMatchObject({ status: 405 });
  });
});

describe("list changes", () => {
  test("go to every session's stream without being asked for", () => {
    const world = createWorld();
    const streams = [openStream(world, legacyAsker(world).headers), openStream(world, legacyAsker(world).headers)];
    for (const kind of ["tools", "prompts", "resources", "tools"] as const) world.lists.announce(kind);
    for (const stream of streams) expect(said(stream)).toEqual(["tools", "prompts", "resources"]);
  });

  test("wait for a session that was there before them, not for a later one", () => {
    const world = createWorld();
    const [earlier] = [legacyAsker(world)];
    world.endpoint.clock.at++;
    world.lists.announce("tools");
    world.endpoint.clock.at++;
    const later = legacyAsker(world);
    expect(said(openStream(world, earlier.headers))).toEqual(["tools"]);
    expect(said(openStream(world, later.headers))).toEqual([]);
  });

  test("are not said again to a session that heard them long ago", () => {
    const world = createWorld();
    const { headers } = legacyAsker(world);
    const first = openStream(world, headers);
    world.lists.announce("tools");
    expect(said(first)).toEqual(["tools"]);
    for (let n = 0; n < 3; n++) {
      world.endpoint.clock.at += NOTICE_UNSETTLED_MS;
      const stream = openStream(world, headers);
      expect(said(stream)).toEqual([]);
      stream.close();
    }
  });

  test("only of lists that were declared to change", () => {
    const lists = new ListAnnouncer(["prompts"]);
    const world = createWorld({ listChanges: lists });
    const stream = openStream(world, legacyAsker(world).headers);
    lists.announce("prompts");
    expect(said(stream)).toEqual(["prompts"]);
  });
});
