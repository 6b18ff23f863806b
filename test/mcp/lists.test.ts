/** What a server says it can do and lists, in each revision: exactly what it serves, and nothing the client cannot know. */

import { describe, expect, test } from "bun:test";
import { CACHE_TTL_MS, LIST_PAGE_ITEMS_MAX } from "../../src/limits.ts";
import { ListAnnouncer } from "../../src/mcp/list-changes.ts";
import { REVISIONS, type Revision } from "../../src/mcp/registry.ts";
import {
  type Asker,
  createWorld,
  legacyAsker,
  listed,
  modernAsker,
  type Parts,
  type World,
} from "../support/primitives-fixture.ts";

const LEGACY = REVISIONS.filter((revision) => revision < "2026-07-28");

/** A server with tools and nothing else. */
const NONE: Parts = { resources: undefined, prompts: undefined, listChanges: undefined, logging: false };

function askerOf(world: World, revision: Revision): Asker {
  return revision === "2026-07-28" ? modernAsker(world) : legacyAsker(world, revision);
}

async function capabilities(revision: Revision, parts: Parts = {}): Promise<unknown> {
  const world = createWorld(parts);
  if (revision === "2026-07-28") return (await modernAsker(world).ask("server/discover")).body.result?.capabilities;
  const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const reply = world.endpoint.post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  if (reply.kind !== "json") throw new Error("initialize was not answered");
  return JSON.parse(reply.body).result.capabilities;
}

describe("capabilities", () => {
  const ALL = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
  };

  test.each(REVISIONS.map((revision) => [revision]))("of everything, %s", async (revision) => {
    const completions = revision === "2024-11-05" ? {} : { completions: {} };
    expect(await capabilities(revision)).toEqual({ ...ALL, ...completions });
  });

  test.each(REVISIONS.map((revision) => [revision]))("of tools alone, %s", async (revision) => {
    expect(await capabilities(revision, NONE)).toEqual({ tools: {} });
  });

  test("resources nobody can watch, and one list that changes", async () => {
    const parts = { resources: { list: [], read: () => undefined }, listChanges: new ListAnnouncer(["prompts"]) };
    for (const revision of ["2025-11-25", "2026-07-28"] as const) {
      expect(await capabilities(revision, parts)).toMatchObject({
        tools: {},
        resources: {},
        prompts: { listChanged: true },
      });
    }
  });

  test.each(REVISIONS.map((revision) => [revision]))("what is not offered is no method, %s", async (revision) => {
    const asker = askerOf(createWorld(NONE), revision);
    const methods = [
      "resources/list",
      "resources/templates/list",
      "resources/read",
      "resources/subscribe",
      "resources/unsubscribe",
      "prompts/list",
      "prompts/get",
      "completion/complete",
      "logging/setLevel",
      "subscriptions/listen",
    ];
    const status = revision === "2026-07-28" ? 404 : 200;
    for (const method of methods) {
      expect(await asker.ask(method, { name: "x", uri: "x" })).toMatchObject({
        status,
        body: { error: { code: -32601 } },
      });
    }
  });

  test("methods of the other era are absent", async () => {
    const world = createWorld();
    for (const method of ["resources/subscribe", "resources/unsubscribe", "logging/setLevel"]) {
      expect((await modernAsker(world).ask(method, { uri: "x" })).body.error).toMatchObject({ code: -32601 });
    }
    expect((await legacyAsker(world).ask("subscriptions/listen")).body.error).toMatchObject({ code: -32601 });
  });
});

describe("fields", () => {
  const LISTS = [
    ["tools/list", "tools", ["name", "description", "inputSchema"], ["icons"]],
    ["prompts/list", "prompts", ["name", "description", "arguments"], ["title", "icons"]],
    ["resources/templates/list", "resourceTemplates", ["uriTemplate", "name", "mimeType"], ["title", "icons"]],
  ] as const;
  const since: Readonly<Record<string, Revision>> = { title: "2025-06-18", icons: "2025-11-25" };

  for (const [method, member, always, later] of LISTS) {
    test.each(REVISIONS.map((revision) => [revision]))(`${method}, %s`, async (revision) => {
      const [first = {}] = await listed(askerOf(createWorld(), revision), method, member);
      const expected = [...always, ...later.filter((field) => revision >= (since[field] ?? ""))];
      expect(Object.keys(first).toSorted()).toEqual(expected.toSorted());
    });
  }

  test.each(REVISIONS.map((revision) => [revision]))("arguments of prompts, %s", async (revision) => {
    const [greet] = await listed(askerOf(createWorld(), revision), "prompts/list", "prompts");
    const title = revision >= "2025-06-18" ? { title: "Who" } : {};
    expect(greet?.arguments).toEqual([
      { name: "who", ...title, description: "Whom to greet", required: true },
      { name: "how" },
      { name: "mute" },
    ]);
  });

  test("icons of the server are for those who know them", async () => {
    const shown = async (revision: Revision) => {
      const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: "t", version: "1" } };
      const reply = createWorld().endpoint.post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
      return reply.kind === "json" && "icons" in JSON.parse(reply.body).result.serverInfo;
    };
    expect(await Promise.all(LEGACY.map(shown))).toEqual([false, false, false, true]);
  });
});

describe("envelopes of the modern era", () => {
  const NOBODY = modernAsker(createWorld());

  test.each([
    ["server/discover", "public", CACHE_TTL_MS],
    ["tools/list", "public", CACHE_TTL_MS],
    ["prompts/list", "public", CACHE_TTL_MS],
    ["resources/templates/list", "public", CACHE_TTL_MS],
    // The fixture's list depends on who asks.
    ["resources/list", "private", 0],
  ])("%s", async (method, cacheScope, ttlMs) => {
    expect((await NOBODY.ask(method)).body.result).toMatchObject({ resultType: "complete", cacheScope, ttlMs });
  });

  test("a list of resources that is the same for everybody is shared", async () => {
    const world = createWorld({ resources: { list: [{ uri: "a:b", name: "b" }], read: () => undefined } });
    expect((await modernAsker(world).ask("resources/list")).body.result).toMatchObject({
      cacheScope: "public",
      ttlMs: CACHE_TTL_MS,
      resources: [{ uri: "a:b", name: "b" }],
    });
  });
});

describe("changes", () => {
  test("a list is read anew once its change is announced, not before", async () => {
    const world = createWorld();
    const askers = [legacyAsker(world), modernAsker(world)];
    const names = async (asker: Asker, list: "tools" | "prompts") =>
      (await listed(asker, `${list}/list`, list)).map(({ name }) => name);
    for (const asker of askers) expect(await names(asker, "tools")).toEqual(["log"]);

    const added = {
      name: "added",
      description: "New.",
      inputSchema: { type: "object" },
      call: () => ({ content: [] }),
    };
    world.tools = [...world.tools, added];
    world.prompts = [];
    for (const asker of askers) {
      expect((await asker.ask("tools/call", { name: "added" })).body.error).toMatchObject({ code: -32602 });
    }
    world.lists.announce("tools");
    world.lists.announce("prompts");
    for (const asker of askers) {
      expect(await names(asker, "tools")).toEqual(["log", "added"]);
      expect((await asker.ask("tools/call", { name: "added" })).body.result).toMatchObject({ content: [] });
      expect(await names(asker, "prompts")).toEqual([]);
      expect((await asker.ask("prompts/get", { name: "link" })).body.error).toMatchObject({ code: -32602 });
    }
  });

  test("a change of a list that never changes is a mistake", () => {
    expect(() => new ListAnnouncer(["tools"]).announce("prompts")).toThrow(RangeError);
  });

  test("a stopped engine is told no more", () => {
    const world = createWorld();
    world.endpoint.endpoint.stop();
    world.tools = [...world.tools, ...world.tools];
    // Two tools of one name would be refused by whoever read them.
    expect(() => world.lists.announce("tools")).not.toThrow();
  });

  test("two prompts of one name are a mistake", () => {
    const twice = { name: "a", description: "", get: () => ({ messages: [] }) };
    expect(() => createWorld({ prompts: [twice, twice] })).toThrow(RangeError);
  });
});

describe("pages on the wire", () => {
  const many = Array.from({ length: LIST_PAGE_ITEMS_MAX + 1 }, (_, n) => ({ uri: `a:${n}`, name: `${n}` }));
  const world = createWorld({
    resources: {
      list: many,
      templates: many.map(({ uri, name }) => ({ uriTemplate: uri, name })),
      read: () => undefined,
    },
    prompts: many.map(({ name }) => ({ name, description: "", get: () => ({ messages: [] }) })),
    tools: many.map(({ name }) => ({
      name,
      description: "",
      inputSchema: { type: "object" },
      call: () => ({ content: [] }),
    })),
  });
  const methods = [
    ["tools/list", "tools"],
    ["prompts/list", "prompts"],
    ["resources/list", "resources"],
    ["resources/templates/list", "resourceTemplates"],
  ] as const;

  for (const asker of [legacyAsker(world), modernAsker(world)]) {
    test.each(methods)(`${asker.era} %s`, async (method, member) => {
      const { result: first = {} } = (await asker.ask(method)).body;
      expect(first[member]).toHaveLength(LIST_PAGE_ITEMS_MAX);
      const { result: last = {} } = (await asker.ask(method, { cursor: first.nextCursor })).body;
      expect(last[member]).toHaveLength(1);
      expect(last.nextCursor).toBeUndefined();
      expect(last.cacheScope).toBe(first.cacheScope);
      expect((await asker.ask(method, { cursor: "" })).body.result).toEqual(first);
      expect(await asker.ask(method, { cursor: "nonsense" })).toMatchObject({
        status: 200,
        body: { error: { code: -32602 } },
      });
    });
  }
});
