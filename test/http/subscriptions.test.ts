/** Being told of changes over real HTTP: by the official clients of both eras, and byte by byte. */

import { afterEach, describe, expect, test } from "bun:test";
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { HttpServerOptions } from "../../src/http/server.ts";
import { Arrivals, within } from "../support/client-deadline.ts";
import { modern, POST_HEADERS, startServer, type TestServer } from "../support/http-fixture.ts";
import { StreamReader } from "../support/http-stream.ts";
import { createWorld, type World } from "../support/primitives-fixture.ts";

const opened: { close(): Promise<void> }[] = [];
const servers: TestServer[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map(({ http }) => http.stop()));
});

function start(options: Partial<HttpServerOptions> = {}): { world: World; server: TestServer } {
  const world = createWorld();
  const server = startServer(options, world.endpoint);
  servers.push(server);
  return { world, server };
}

/** Resolves once a watch of that resource is open and stopped as often as said. */
async function watched(world: World, stops: number): Promise<void> {
  while (world.watches.every((watch) => watch.stops !== stops)) await Bun.sleep(5);
}

describe.each([
  ["auto", { mode: "auto" as const }],
  ["pinned", { mode: { pin: "2026-07-28" } }],
])("the second-generation client, %s", (_name, versionNegotiation) => {
  async function connect(server: TestServer): Promise<{ client: ClientV2; heard: Arrivals<unknown> }> {
    const client = new ClientV2({ name: "test", version: "1" }, { versionNegotiation, capabilities: {} });
    const heard = new Arrivals<unknown>();
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => heard.put(params.uri));
    client.setNotificationHandler("notifications/tools/list_changed", () => heard.put("tools"));
    client.setNotificationHandler("notifications/prompts/list_changed", () => heard.put("prompts"));
    await client.connect(new TransportV2(new URL(server.mcp)));
    opened.push(client);
    return { client, heard };
  }

  test("listens, hears what it asked for, and frees everything by closing", async () => {
    const { world, server } = start();
    const { client, heard } = await connect(server);
    expect(client.getNegotiatedProtocolVersion()).toBe("2026-07-28");
    const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: ["test://a", "no://x"] });
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true, resourceSubscriptions: ["test://a"] });

    world.lists.announce("prompts");
    world.change("test://a");
    expect(await within("an update", heard.take())).toBe("test://a");
    world.lists.announce("tools");
    expect(await within("a list change", heard.take())).toBe("tools");

    await subscription.close();
    expect(await within("the end", subscription.closed)).toBe("local");
    await within("the watch to stop", watched(world, 1));
    expect(server.http.counts).toMatchObject({ streams: 0, held: 0 });
  });

  test("learns that the server stopped in good order", async () => {
    const { server } = start();
    const { client } = await connect(server);
    const subscription = await client.listen({ resourceSubscriptions: ["test://a"] });
    await server.http.stop();
    expect(await within("the end", subscription.closed)).toBe("graceful");
  });

  test("reads, lists, completes and is logged to as the schemas have it", async () => {
    const { server } = start();
    const { client } = await connect(server);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["greet", "link"]);
    expect((await client.getPrompt({ name: "greet", arguments: { who: "ann" } })).messages).toHaveLength(1);
    expect((await client.readResource({ uri: "test://all" })).contents).toEqual([{ uri: "test://all", text: "all" }]);
    const ref = { type: "ref/prompt", name: "greet" } as const;
    const { completion } = await client.complete({ ref, argument: { name: "who", value: "" } });
    expect(completion.values).toEqual(["ann", "bob"]);
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    await expect(client.readResource({ uri: "test://none" })).rejects.toMatchObject({ code: -32602 });
  });
});

describe("the first-generation client", () => {
  async function connect(server: TestServer): Promise<{ client: ClientV1; heard: Arrivals<unknown> }> {
    const client = new ClientV1({ name: "test", version: "1" }, { capabilities: {} });
    const heard = new Arrivals<unknown>();
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => heard.put(params.uri));
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => heard.put("tools"));
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => heard.put(params.level));
    // Its own declarations are not meant for exactOptionalPropertyTypes.
    await client.connect(new TransportV1(new URL(server.mcp)) as Parameters<ClientV1["connect"]>[0]);
    opened.push(client);
    return { client, heard };
  }

  test("subscribes, is told until it unsubscribes, and of lists without asking", async () => {
    const { world, server } = start();
    const { client, heard } = await connect(server);
    await client.subscribeResource({ uri: "test://a" });
    world.change("test://a");
    expect(await within("an update", heard.take())).toBe("test://a");
    await client.unsubscribeResource({ uri: "test://a" });
    await within("the watch to stop", watched(world, 1));
    world.lists.announce("tools");
    expect(await within("a list change", heard.take())).toBe("tools");
    await expect(client.readResource({ uri: "test://none" })).rejects.toMatchObject({ code: -32002 });
  });

  test("is logged to at its level while a tool runs", async () => {
    const { server } = start();
    const { client, heard } = await connect(server);
    await client.setLoggingLevel("error");
    await client.callTool({ name: "log", arguments: { levels: ["info", "error", "alert"] } });
    expect([await within("a log", heard.take()), await within("a log", heard.take())]).toEqual(["error", "alert"]);
  });
});

describe("the bytes of a listen stream", () => {
  function listen(server: TestServer): Promise<StreamReader> {
    const { body, headers } = modern("l", "subscriptions/listen", { notifications: { toolsListChanged: true } });
    return StreamReader.open(server.mcp, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { ...POST_HEADERS, ...headers },
    });
  }

  test("an event stream without ids, kept alive by comments, closed with its connection", async () => {
    const { server } = start({ keepAliveMs: 60 });
    const reader = await listen(server);
    expect(reader.response.status).toBe(200);
    expect(reader.response.headers.get("content-type")).toBe("text/event-stream");
    expect(reader.response.headers.get("connection")).toBe("close");
    expect((await reader.next())?.id).toBeUndefined();
    while (!reader.raw.includes(": ka\n\n")) expect(await reader.more()).toBe(true);
    await reader.close();
  });

  test("a server without room for streams says when to come back", async () => {
    const { server } = start({ streamsMax: 1 });
    const first = await listen(server);
    const second = await listen(server);
    expect(second.response.status).toBe(503);
    expect(second.response.headers.get("retry-after")).toBe("5");
    await first.close();
  });

  test("a client that takes JSON only is refused", async () => {
    const { server } = start();
    const { body, headers } = modern("l", "subscriptions/listen", { notifications: { toolsListChanged: true } });
    const response = await fetch(server.mcp, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", accept: "application/json", ...headers },
    });
    expect(response.status).toBe(406);
    expect(await response.json()).toMatchObject({ id: "l", error: { code: -32000 } });
  });
});
