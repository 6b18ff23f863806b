/** The modern era: the checks in their order, where an earlier fault hides a later one, and the envelope. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CACHE_TTL_MS } from "../../src/limits.ts";
import { decodeHeaderValue } from "../../src/mcp/header-values.ts";
import { connect, createEndpoint, heldOf, jsonOf } from "../support/mcp-endpoint.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

const NS = "io.modelcontextprotocol/";

/** A faultless request, to be made faulty. */
interface Sent {
  body: Record<string, unknown> & { params: Record<string, unknown> & { _meta: Record<string, unknown> } };
  headers: Record<string, string>;
}

function faultless(method = "tools/call", params: Record<string, unknown> = { name: "echo" }): Sent {
  const _meta = { [`${NS}protocolVersion`]: "2026-07-28", [`${NS}clientCapabilities`]: {} };
  const headers: Record<string, string> = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
  if (typeof params.name === "string") headers["mcp-name"] = params.name;
  return { body: { jsonrpc: "2.0", id: 7, method, params: { ...params, _meta } }, headers };
}

interface Rung {
  readonly name: string;
  readonly breakIt: (sent: Sent) => void;
  readonly status: number;
  readonly code: number;
}

/** In the order in which they are checked. */
const LADDER: readonly Rung[] = [
  {
    name: "the shape of the message",
    breakIt: ({ body }) => {
      body.jsonrpc = "1.0";
    },
    status: 400,
    code: -32600,
  },
  {
    name: "the envelope",
    breakIt: ({ body }) => {
      delete body.params._meta[`${NS}clientCapabilities`];
    },
    status: 400,
    code: -32602,
  },
  {
    name: "the version header",
    breakIt: ({ headers }) => {
      delete headers["mcp-protocol-version"];
    },
    status: 400,
    code: -32020,
  },
  {
    name: "the version",
    breakIt: ({ body, headers }) => {
      body.params._meta[`${NS}protocolVersion`] = "2027-01-01";
      if (headers["mcp-protocol-version"] !== undefined) headers["mcp-protocol-version"] = "2027-01-01";
    },
    status: 400,
    code: -32022,
  },
  {
    name: "the method header",
    breakIt: ({ headers }) => {
      headers["mcp-method"] = "TOOLS/CALL";
    },
    status: 400,
    code: -32020,
  },
  {
    name: "the method",
    breakIt: ({ body, headers }) => {
      body.method = "ping";
      if (headers["mcp-method"] === "tools/call") headers["mcp-method"] = "ping";
    },
    status: 404,
    code: -32601,
  },
  {
    name: "the name header",
    breakIt: ({ headers }) => {
      headers["mcp-name"] = "Echo";
    },
    status: 400,
    code: -32020,
  },
  {
    name: "the parameters",
    breakIt: ({ body }) => {
      body.params.arguments = "none";
    },
    status: 200,
    code: -32602,
  },
];

function send({ body, headers }: Sent) {
  return jsonOf(createEndpoint().post(body, headers));
}

describe("the order of the checks", () => {
  test("a faultless request is served", () => {
    expect(send(faultless())).toMatchObject({ status: 200, body: { id: 7, result: { resultType: "complete" } } });
  });

  test.each(LADDER.map((rung) => [rung.name, rung] as const))("%s alone", (_name, rung) => {
    const sent = faultless();
    rung.breakIt(sent);
    expect(send(sent)).toMatchObject({ status: rung.status, body: { id: 7, error: { code: rung.code } } });
  });

  const pairs = LADDER.flatMap((earlier, at) =>
    LADDER.slice(at + 1).map((later) => [`${earlier.name} before ${later.name}`, earlier, later] as const),
  );
  test.each(pairs)("%s", (_name, earlier, later) => {
    const sent = faultless();
    earlier.breakIt(sent);
    later.breakIt(sent);
    // Codes repeat along the ladder, so the whole answer must be that of the earlier fault alone.
    const alone = faultless();
    earlier.breakIt(alone);
    expect(send(sent)).toEqual(send(alone));
  });
});

describe("single faults", () => {
  const meta = (change: Record<string, unknown>): Sent => {
    const sent = faultless();
    Object.assign(sent.body.params._meta, change);
    return sent;
  };
  const header = (change: Record<string, string>): Sent => {
    const sent = faultless();
    Object.assign(sent.headers, change);
    return sent;
  };
  const cells: [name: string, sent: Sent, status: number, code: number][] = [
    ["a numeric version", meta({ [`${NS}protocolVersion`]: 1 }), 400, -32602],
    ["capabilities that are an array", meta({ [`${NS}clientCapabilities`]: [] }), 400, -32602],
    ["an unknown log level", meta({ [`${NS}logLevel`]: "loud" }), 400, -32602],
    ["a numeric log level", meta({ [`${NS}logLevel`]: 3 }), 400, -32602],
    [
      "a legacy date per request",
      {
        ...meta({ [`${NS}protocolVersion`]: "2025-11-25" }),
        headers: { ...faultless().headers, "mcp-protocol-version": "2025-11-25" },
      },
      400,
      -32022,
    ],
    ["a header twice, joined by a comma", header({ "mcp-method": "tools/call, tools/call" }), 400, -32020],
    ["a name that is encoded badly", header({ "mcp-name": "=?base64?ZWNobw=?=" }), 400, -32020],
    ["a name that is encoded, of another tool", header({ "mcp-name": "=?base64?aG9sZA==?=" }), 400, -32020],
    ["an unknown tool", faultless("tools/call", { name: "nope" }), 200, -32602],
    ["a cursor nobody gave out", faultless("tools/list", { cursor: "abc" }), 200, -32602],
  ];
  test.each(cells)("%s", (_name, sent, status, code) => {
    expect(send(sent)).toMatchObject({ status, body: { id: 7, error: { code } } });
  });

  const absent = [
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "tasks/list",
    "tasks/result",
    "toString",
  ];
  test.each(absent)("%s does not exist, whatever else is missing", (method) => {
    expect(send(faultless(method))).toMatchObject({ status: 404, body: { id: 7, error: { code: -32601 } } });
  });

  test("an unsupported version is told what is supported", () => {
    const sent = meta({ [`${NS}protocolVersion`]: "2027-01-01" });
    sent.headers["mcp-protocol-version"] = "2027-01-01";
    expect(send(sent)).toMatchObject({
      body: { error: { data: { supported: ["2026-07-28"], requested: "2027-01-01" } } },
    });
  });

  test("a header names the modern era, the body does not: -32602, so that the client mends its request", () => {
    const { headers } = faultless();
    const bare = { jsonrpc: "2.0", id: 7, method: "tools/list" };
    expect(send({ body: bare as unknown as Sent["body"], headers })).toMatchObject({
      status: 400,
      body: { error: { code: -32602 } },
    });
  });

  test("notifications are taken and dropped", () => {
    const world = createEndpoint();
    expect(
      world.post({ jsonrpc: "2.0", method: "notifications/cancelled" }, { "mcp-protocol-version": "2026-07-28" }),
    ).toEqual({
      kind: "accepted",
    });
  });

  test("session and resumption headers mean nothing", () => {
    const sent = faultless();
    Object.assign(sent.headers, { "mcp-session-id": "forged", "last-event-id": "g.x" });
    expect(send(sent).status).toBe(200);
  });
});

describe("results", () => {
  const serverInfo = { name: "fixture", title: "Fixture", version: "1.2.3", description: "For tests" };

  test("server/discover", () => {
    expect(send(faultless("server/discover", {})).body).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: {
        resultType: "complete",
        supportedVersions: ["2026-07-28"],
        capabilities: { tools: {} },
        instructions: "Be kind.",
        ttlMs: CACHE_TTL_MS,
        cacheScope: "public",
        _meta: { [`${NS}serverInfo`]: serverInfo },
      },
    });
  });

  test("tools/list is cacheable and names every tool", () => {
    const { body } = send(faultless("tools/list", {}));
    expect(body).toMatchObject({ result: { resultType: "complete", ttlMs: CACHE_TTL_MS, cacheScope: "public" } });
    const { tools } = (body as { result: { tools: { name: string }[] } }).result;
    expect(tools.map((tool) => tool.name)).toEqual(createEndpoint().definition.tools.map((tool) => tool.name));
  });

  test("tools/call is not cacheable and keeps the tool's own _meta", () => {
    const { body } = send(faultless("tools/call", { name: "refuse" }));
    expect((body as { result: object }).result).toEqual({
      resultType: "complete",
      content: [{ type: "text", text: "no" }],
      isError: true,
      _meta: { "example.test/why": "rules", [`${NS}serverInfo`]: serverInfo },
    });
  });

  test("what a tool knows of its caller", () => {
    const world = createEndpoint();
    const sent = faultless();
    sent.body.params._meta[`${NS}clientInfo`] = { name: "m", version: "2", extra: true };
    world.post(sent.body, sent.headers);
    expect(world.seen[0]).toMatchObject({ era: "modern", revision: "2026-07-28", session: undefined });
    expect(world.seen[0]?.client).toEqual({ name: "m", version: "2" });
  });

  test("a malformed introduction is none", () => {
    const world = createEndpoint();
    const sent = faultless();
    sent.body.params._meta[`${NS}clientInfo`] = { name: 5 };
    world.post(sent.body, sent.headers);
    expect(world.seen[0]?.client).toBeUndefined();
  });

  test("an id may be in flight twice: requests know nothing of each other", async () => {
    const world = createEndpoint();
    const { body, headers } = faultless("tools/call", { name: "hold" });
    const replies = [heldOf(world.post(body, headers)).reply, heldOf(world.post(body, headers)).reply];
    for (const held of world.held) held.release("done");
    for (const reply of replies) expect(jsonOf(await reply).body).toMatchObject({ id: 7 });
  });

  test("progress streams, then the answer", () => {
    const world = createEndpoint();
    const { body, headers } = faultless("tools/call", { name: "steps" });
    body.params._meta.progressToken = "t";
    const messages = connect(world.post(body, headers)).messages();
    expect(messages).toHaveLength(4);
    expect(messages.at(-1)).toMatchObject({ id: 7, result: { resultType: "complete" } });
  });
});

describe("encoded header values", () => {
  const encode = (text: string): string => `=?base64?${Buffer.from(text).toString("base64")}?=`;

  test("every text survives", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(decodeHeaderValue(encode(text))).toBe(text);
      }),
    );
  });

  const cells: [value: string | null, decoded: string | undefined][] = [
    [null, undefined],
    ["", ""],
    ["plain", "plain"],
    ["=?base64?", "=?base64?"],
    ["=?base64?=", "=?base64?="],
    ["=?base64??=", ""],
    ["=?BASE64?ZWNobw==?=", "=?BASE64?ZWNobw==?="],
    ["x=?base64?ZWNobw==?=", "x=?base64?ZWNobw==?="],
    ["=?base64?ZWNobw?=", undefined],
    ["=?base64?ZWNob-==?=", undefined],
    ["=?base64?ZWNo bw==?=", undefined],
    ["=?base64?ZWNobx==?=", undefined],
    ["=?base64?/w==?=", undefined],
  ];
  test.each(cells)("%j", (value, decoded) => {
    expect(decodeHeaderValue(value)).toBe(decoded);
  });

  test("any text is decided", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => decodeHeaderValue(value) !== null));
  });
});
