/** `subscriptions/listen`: acknowledged first, nothing but what was asked for, ended with the result, and freed whole. */

import { describe, expect, test } from "bun:test";
import { LISTENS_PER_PRINCIPAL_MAX, URI_CHARS_MAX, WATCHED_RESOURCES_MAX } from "../../src/limits.ts";
import { ListAnnouncer } from "../../src/mcp/list-changes.ts";
import { CALLER } from "../support/mcp-endpoint.ts";
import { ANN, createWorld, Listener, modernAsker, type World } from "../support/primitives-fixture.ts";

const ID = "io.modelcontextprotocol/subscriptionId";

function listen(world: World, notifications: Record<string, unknown>, caller = CALLER): Listener {
  return new Listener(modernAsker(world, caller).send("subscriptions/listen", { notifications }));
}

/** An acknowledgement of that subset. */
function acknowledged(notifications: Record<string, unknown>) {
  return {
    jsonrpc: "2.0",
    method: "notifications/subscriptions/acknowledged",
    params: { _meta: { [ID]: 7 }, notifications },
  };
}

describe("the acknowledgement", () => {
  test("comes first, and says what is honoured", () => {
    const world = createWorld();
    const uris = ["test://a", "other://x", "test://b", "test://a"];
    const listener = listen(world, { toolsListChanged: true, promptsListChanged: false, resourceSubscriptions: uris });
    world.change("test://a");
    world.lists.announce("tools");
    const [first, ...rest] = listener.read();
    expect(first).toEqual(acknowledged({ toolsListChanged: true, resourceSubscriptions: ["test://a", "test://b"] }));
    expect(rest.map(({ method }) => method)).toEqual([
      "notifications/resources/updated",
      "notifications/tools/list_changed",
    ]);
  });

  test("leaves out what the server does not have, and members nobody here knows", () => {
    const world = createWorld({ listChanges: new ListAnnouncer(["prompts"]) });
    const wanted = { toolsListChanged: true, promptsListChanged: true, "com.example/x": { a: 1 } };
    expect(listen(world, wanted).read()).toEqual([acknowledged({ promptsListChanged: true })]);
  });

  test.each([{}, { toolsListChanged: false }, { resourceSubscriptions: [] }, { resourceSubscriptions: ["other://x"] }])(
    "of nothing is followed by the end: %o",
    (wanted) => {
      const listener = listen(createWorld(), wanted);
      expect(listener.read()).toMatchObject([acknowledged({}), { id: 7, result: { resultType: "complete" } }]);
      expect(listener.ended).toBe(true);
    },
  );
});

describe("notifications", () => {
  const ALL = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };

  test.each(["tools", "prompts", "resources"] as const)("of %s alone", (kind) => {
    const world = createWorld();
    const listener = listen(world, { [`${kind}ListChanged`]: true });
    listener.read();
    for (const any of ["tools", "prompts", "resources"] as const) world.lists.announce(any);
    world.change("test://a");
    expect(listener.read()).toEqual([
      { jsonrpc: "2.0", method: `notifications/${kind}/list_changed`, params: { _meta: { [ID]: 7 } } },
    ]);
  });

  test("each waits at most once, until it is read", () => {
    const world = createWorld();
    const listener = listen(world, { ...ALL, resourceSubscriptions: ["test://a"] });
    listener.read();
    for (let n = 0; n < 3; n++) {
      world.change("test://a");
      world.lists.announce("tools");
    }
    expect(listener.woken).toBe(6);
    expect(listener.read()).toHaveLength(2);
    world.change("test://a");
    expect(listener.read()).toMatchObject([{ params: { _meta: { [ID]: 7 }, uri: "test://a" } }]);
  });

  test("several streams have each their own", () => {
    const world = createWorld();
    const listeners = [listen(world, ALL), listen(world, ALL), listen(world, { promptsListChanged: true })];
    for (const listener of listeners) listener.read();
    world.lists.announce("tools");
    expect(listeners.map((listener) => listener.read().length)).toEqual([1, 1, 0]);
  });

  test.each(["listen:0", "", 0, -3])("are tagged with the id as it came: %p", (id) => {
    const world = createWorld();
    const meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
    const _meta = { ...meta, "io.modelcontextprotocol/clientCapabilities": {} };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };
    const params = { notifications: { toolsListChanged: true }, _meta };
    const message = { jsonrpc: "2.0", id, method: "subscriptions/listen", params };
    const listener = new Listener(world.endpoint.post(message, headers));
    world.lists.announce("tools");
    world.endpoint.endpoint.stop();
    const tags = listener.read().map((said) => {
      const { params: told, result } = said as Record<"params" | "result", { _meta: Record<string, unknown> }>;
      return (told ?? result)._meta[ID];
    });
    expect(tags).toEqual([id, id, id]);
  });

  test("a quiet stream gets mere signs of life", () => {
    expect(listen(createWorld(), ALL).heartbeat()).toBeUndefined();
  });
});

describe("the end", () => {
  test("of the server: what waits, then the result, then nothing", () => {
    const world = createWorld();
    const listener = listen(world, { toolsListChanged: true, resourceSubscriptions: ["test://a"] });
    listener.read();
    world.change("test://a");
    world.endpoint.endpoint.stop();
    expect(listener.ended).toBe(true);
    expect(listener.read()).toMatchObject([
      { method: "notifications/resources/updated" },
      {
        id: 7,
        result: {
          resultType: "complete",
          _meta: { [ID]: 7, "io.modelcontextprotocol/serverInfo": { name: "fixture", version: "1.2.3" } },
        },
      },
    ]);
    world.change("test://a");
    expect(listener.read()).toEqual([]);
    listener.close();
    expect(world.watches[0]?.stops).toBe(1);
  });

  test("by a cancellation: nothing more is said, no result either", () => {
    const world = createWorld();
    const listener = listen(world, { resourceSubscriptions: ["test://a"] });
    listener.read();
    world.change("test://a");
    listener.cancel();
    expect([listener.ended, listener.read()]).toEqual([true, []]);
    listener.close();
    expect(world.watches[0]?.stops).toBe(1);
  });

  test("by the client: every watch stops, and nothing is told any more", () => {
    const world = createWorld();
    const listener = listen(world, { toolsListChanged: true, resourceSubscriptions: ["test://a", "test://b"] });
    listener.read();
    expect(world.endpoint.endpoint.counts.held).toBe(1);
    listener.close();
    expect(world.watches.map(({ stops }) => stops)).toEqual([1, 1]);
    expect(world.endpoint.endpoint.counts.held).toBe(0);
    for (const watch of world.watches) watch.changed();
    world.lists.announce("tools");
    expect(listener.read()).toEqual([]);
  });
});

describe("refusals", () => {
  test.each<[string, unknown]>([
    ["none", undefined],
    ["null", null],
    ["an array", ["toolsListChanged"]],
    ["a flag that is none", { toolsListChanged: 1 }],
    ["another", { resourcesListChanged: "true" }],
    ["URIs that are no array", { resourceSubscriptions: "test://a" }],
    ["a URI that is none", { resourceSubscriptions: ["test://a", 3] }],
    ["a URI that is too long", { resourceSubscriptions: [`test://${"x".repeat(URI_CHARS_MAX)}`] }],
    [
      "too many URIs",
      { resourceSubscriptions: Array.from({ length: WATCHED_RESOURCES_MAX + 1 }, (_, n) => `test://${n}`) },
    ],
  ])("a filter that is %s", async (_what, notifications) => {
    const world = createWorld();
    const { status, body } = await modernAsker(world).ask("subscriptions/listen", { notifications });
    expect(status).toBe(200);
    expect(body.error).toMatchObject({ code: -32602 });
    expect(world.watches).toEqual([]);
  });

  test("a caller who takes no stream", async () => {
    const world = createWorld();
    const asker = modernAsker(world, { ...CALLER, canStream: false });
    const wanted = { notifications: { resourceSubscriptions: ["test://a"] } };
    expect(await asker.ask("subscriptions/listen", wanted)).toMatchObject({ status: 406 });
    expect(world.watches).toEqual([]);
  });

  test("more of one principal than allowed, until one is closed", async () => {
    const world = createWorld();
    const wanted = { toolsListChanged: true };
    const listeners = Array.from({ length: LISTENS_PER_PRINCIPAL_MAX }, () => listen(world, wanted, ANN));
    const again = () => modernAsker(world, ANN).ask("subscriptions/listen", { notifications: wanted });
    expect(await again()).toMatchObject({ status: 429, body: { id: 7, error: { code: -32000 } } });
    expect(listen(world, wanted, { ...CALLER, bearer: "bob" }).read()).toHaveLength(1);
    for (let n = 0; n <= LISTENS_PER_PRINCIPAL_MAX; n++) expect(listen(world, wanted).read()).toHaveLength(1);
    listeners[0]?.close();
    expect(listen(world, wanted, ANN).read()).toHaveLength(1);
    expect(await again()).toMatchObject({ status: 429 });
  });

  test("a bug of the application leaves nothing behind", async () => {
    const world = createWorld();
    const notifications = { resourceSubscriptions: ["test://a", "test://bug", "test://b"] };
    for (let n = 0; n <= LISTENS_PER_PRINCIPAL_MAX; n++) {
      const { body } = await modernAsker(world, ANN).ask("subscriptions/listen", { notifications });
      expect(body.error).toMatchObject({ code: -32603 });
    }
    expect(world.watches.every(({ uri, stops }) => uri === "test://a" && stops === 1)).toBe(true);
    expect(listen(world, { toolsListChanged: true }, ANN).read()).toHaveLength(1);
  });

  test("the application may say who is one", async () => {
    const world = createWorld({ principal: ({ client }) => client?.name ?? "everybody" });
    for (let n = 0; n < LISTENS_PER_PRINCIPAL_MAX; n++) listen(world, { toolsListChanged: true });
    const params = { notifications: { toolsListChanged: true } };
    expect(await modernAsker(world, ANN).ask("subscriptions/listen", params)).toMatchObject({ status: 429 });
  });
});
