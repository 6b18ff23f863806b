/** The legacy era: the handshake, and what each revision may see. */

import { describe, expect, test } from "bun:test";
import { BATCH_MESSAGES_MAX } from "../../src/limits.ts";
import { LEGACY_REVISIONS } from "../../src/mcp/era.ts";
import { CALLER, createEndpoint, heldOf, jsonOf } from "../support/mcp-endpoint.ts";

const INIT = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "c", version: "1" } };
const request = (id: string | number, method: string, params?: object) => ({ jsonrpc: "2.0", id, method, params });
const initialize = (params: object | undefined) => request(1, "initialize", params);

function resultOf(reply: Parameters<typeof jsonOf>[0]) {
  return (jsonOf(reply).body as { result: Record<string, unknown> }).result;
}

describe("initialize", () => {
  test.each([...LEGACY_REVISIONS])("%s is served as asked", (protocolVersion) => {
    const world = createEndpoint();
    expect(resultOf(world.post(initialize({ ...INIT, protocolVersion })))).toMatchObject({
      protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: "fixture", version: "1.2.3" },
      instructions: "Be kind.",
    });
  });

  test.each(["2026-07-28", "1999-01-01", "", "latest"])("%j gets the newest of this era", (protocolVersion) => {
    const world = createEndpoint();
    expect(resultOf(world.post(initialize({ ...INIT, protocolVersion })))).toMatchObject({
      protocolVersion: "2025-11-25",
    });
  });

  test("the server's name has the fields the revision knows", () => {
    const shown = ["2025-03-26", "2025-06-18", "2025-11-25"].map((protocolVersion) =>
      Object.keys(resultOf(createEndpoint().post(initialize({ ...INIT, protocolVersion }))).serverInfo as object),
    );
    expect(shown).toEqual([
      ["name", "version"],
      ["name", "version", "title"],
      ["name", "version", "title", "description"],
    ]);
  });

  const faulty: [name: string, params: object | undefined][] = [
    ["no params", undefined],
    ["no version", { ...INIT, protocolVersion: undefined }],
    ["a numeric version", { ...INIT, protocolVersion: 1 }],
    ["no capabilities", { ...INIT, capabilities: undefined }],
    ["capabilities that are no object", { ...INIT, capabilities: [] }],
    ["no clientInfo", { ...INIT, clientInfo: undefined }],
    ["a client without a name", { ...INIT, clientInfo: { version: "1" } }],
    ["a client without a version", { ...INIT, clientInfo: { name: "c" } }],
  ];
  test.each(faulty)("with %s is -32602 and makes no session", (_name, params) => {
    const reply = createEndpoint().post(initialize(params));
    expect(jsonOf(reply)).toMatchObject({ status: 200, body: { id: 1, error: { code: -32602 } } });
    expect(reply).not.toHaveProperty("headers");
  });

  test("a second one within a session is refused", () => {
    const world = createEndpoint();
    expect(jsonOf(world.post(initialize(INIT), world.open()))).toMatchObject({
      status: 400,
      body: { id: 1, error: { code: -32600 } },
    });
  });

  test("requests before notifications/initialized are served", () => {
    const world = createEndpoint();
    expect(resultOf(world.post(request(2, "ping"), world.open()))).toEqual({});
  });

  test("ten thousand handshakes keep nothing", () => {
    const world = createEndpoint();
    for (let n = 0; n < 10_000; n++) world.open();
    expect(world.endpoint.counts).toEqual({ held: 0, sessionsOpened: 0 });
  });
});

describe("a session", () => {
  test("is bound to whom was authenticated when it was made", () => {
    const world = createEndpoint();
    const alice = { ...CALLER, subject: "alice" };
    const session = world.open("2025-11-25", alice);
    expect(jsonOf(world.post(request(1, "ping"), session, alice)).status).toBe(200);
    expect(jsonOf(world.post(request(1, "ping"), session, { ...CALLER, subject: "bob" })).status).toBe(404);
    expect(jsonOf(world.post(request(1, "ping"), session)).status).toBe(404);
  });

  test("keeps its negotiated revision whatever legacy date a header names", () => {
    const world = createEndpoint();
    const session = world.open("2024-11-05");
    const reply = world.post(request(1, "tools/list"), { ...session, "mcp-protocol-version": "2025-11-25" });
    expect((resultOf(reply).tools as object[])[0]).not.toHaveProperty("title");
  });
});

describe("what a revision sees", () => {
  const listed = (revision: string): Record<string, unknown> => {
    const world = createEndpoint();
    const tools = resultOf(world.post(request(1, "tools/list"), world.open(revision))).tools;
    return (tools as Record<string, unknown>[])[0] ?? {};
  };
  test("of a tool", () => {
    expect(Object.keys(listed("2024-11-05"))).toEqual(["name", "description", "inputSchema"]);
    expect(Object.keys(listed("2025-03-26"))).toEqual(["name", "description", "inputSchema", "annotations"]);
    expect(Object.keys(listed("2025-06-18")).sort()).toEqual(
      ["_meta", "annotations", "description", "inputSchema", "name", "outputSchema", "title"].sort(),
    );
    expect(listed("2025-11-25")).toEqual(listed("2025-06-18"));
  });

  const call = (revision: string, name: string) => {
    const world = createEndpoint();
    return resultOf(world.post(request(1, "tools/call", { name, arguments: { text: "x" } }), world.open(revision)));
  };
  test("of a result", () => {
    expect(call("2025-03-26", "echo")).toEqual({ content: [{ type: "text", text: "x" }] });
    expect(call("2025-06-18", "echo")).toHaveProperty("structuredContent", { text: "x" });
    expect(call("2024-11-05", "refuse")).toEqual({ content: [{ type: "text", text: "no" }], isError: true });
  });
  test("of content blocks", () => {
    const types = (revision: string) => (call(revision, "media").content as { type: string }[]).map((b) => b.type);
    expect(types("2024-11-05")).toEqual(["text", "text"]);
    expect(types("2025-03-26")).toEqual(["audio", "text"]);
    expect(types("2025-06-18")).toEqual(["audio", "resource_link"]);
  });
});

describe("methods", () => {
  test.each(["server/discover", "nope", "constructor", "__proto__", "toString", ""])("%j does not exist", (method) => {
    const world = createEndpoint();
    expect(jsonOf(world.post(request(1, method), world.open()))).toMatchObject({
      status: 200,
      body: { id: 1, error: { code: -32601 } },
    });
  });

  const faulty: [name: string, params: object | undefined][] = [
    ["no params", undefined],
    ["no name", {}],
    ["a numeric name", { name: 1 }],
    ["an unknown tool", { name: "nope" }],
    ["a tool named like a member of Object", { name: "constructor" }],
    ["arguments that are an array", { name: "echo", arguments: [] }],
    ["arguments that are a string", { name: "echo", arguments: "x" }],
  ];
  test.each(faulty)("tools/call with %s is -32602", (_name, params) => {
    const world = createEndpoint();
    expect(jsonOf(world.post(request(1, "tools/call", params), world.open()))).toMatchObject({
      status: 200,
      body: { id: 1, error: { code: -32602 } },
    });
  });
});

describe("batches", () => {
  test.each(["2024-11-05", "2025-06-18", "2025-11-25"])("do not exist in %s", (revision) => {
    const world = createEndpoint();
    expect(jsonOf(world.post([request(1, "ping")], world.open(revision)))).toMatchObject({
      status: 400,
      body: { error: { code: -32600 } },
    });
  });

  test("are answered together, notifications silently", () => {
    const world = createEndpoint();
    const batch = [request(1, "ping"), { jsonrpc: "2.0", method: "notifications/initialized" }, request("b", "nope")];
    expect(jsonOf(world.post(batch, world.open("2025-03-26"))).body).toMatchObject([
      { id: 1, result: {} },
      { id: "b", error: { code: -32601 } },
    ]);
  });

  test("wait for the slowest, and its disconnect abandons it", async () => {
    const world = createEndpoint();
    const session = world.open("2025-03-26");
    const hold = request(2, "tools/call", { name: "hold" });
    const first = heldOf(world.post([request(1, "ping"), hold], session));
    world.held[0]?.release("done");
    expect(jsonOf(await first.reply).body).toMatchObject([{ id: 1 }, { id: 2, result: {} }]);
    const second = heldOf(world.post([request(1, "ping"), hold], session));
    second.disconnected();
    expect(jsonOf(await second.reply).body).toMatchObject([{ id: 1 }]);
    expect(world.held[1]?.context.signal.aborted).toBe(true);
  });

  test("of notifications or responses alone get no body", () => {
    const world = createEndpoint();
    const session = world.open("2025-03-26");
    expect(world.post([{ jsonrpc: "2.0", method: "n" }], session)).toEqual({ kind: "accepted" });
    expect(world.post([{ jsonrpc: "2.0", id: 1, result: {} }], session)).toEqual({ kind: "accepted" });
  });

  const illegal: [name: string, batch: unknown[]][] = [
    ["none", []],
    ["initialize", [initialize(INIT)]],
    ["rubbish", [1]],
    ["a batch", [[]]],
    ["too many", Array.from({ length: BATCH_MESSAGES_MAX + 1 }, (_, id) => request(id, "ping"))],
  ];
  test.each(illegal)("with %s are refused", (_name, batch) => {
    const world = createEndpoint();
    expect(jsonOf(world.post(batch, world.open("2025-03-26"))).status).toBe(400);
  });
});
