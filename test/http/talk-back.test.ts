/** The official clients, unchanged, being asked and coming back for answers, over real connections. */

import { afterAll, describe, expect, test } from "bun:test";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { post, startServer } from "../support/http-fixture.ts";
import { StreamReader, until } from "../support/http-stream.ts";
import { call, createTalkFixture, modernCall } from "../support/talk-fixture.ts";

const fixture = createTalkFixture();
const server = startServer({}, fixture);
afterAll(() => server.http.stop());

const INFO = { name: "test-client", version: "1.0.0" };
const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const ROOTED = { roots: [{ uri: "file:///a" }] };
const SAMPLED = { role: "assistant" as const, content: { type: "text" as const, text: "Hello" }, model: "m" };

/** What all clients can do in the same words. */
interface AnyClient {
  callTool(params: { name: string }): Promise<{ content?: unknown; isError?: unknown }>;
  close(): Promise<void>;
}

type Wire = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** Somebody who fills in whatever field a form has. */
function fillIn(params: Record<string, unknown>) {
  const schema = params.requestedSchema as { properties: Record<string, unknown> };
  const content = Object.hasOwn(schema.properties, "color") ? { color: "red" } : { name: "Ann" };
  return { action: "accept" as const, content };
}

async function connectV1(wire: Wire = fetch): Promise<AnyClient> {
  const client = new Client(INFO, { capabilities: CAPABILITIES });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => fillIn(params));
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTED);
  const transport = new StreamableHTTPClientTransport(new URL(server.mcp), { fetch: wire });
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return client as unknown as AnyClient;
}

function v2(mode: "legacy" | "auto" | { pin: string }) {
  return async (wire: Wire = fetch): Promise<AnyClient> => {
    const client = new ModernClient(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } });
    client.setRequestHandler("elicitation/create", ({ params }) => fillIn(params));
    client.setRequestHandler("sampling/createMessage", () => SAMPLED);
    client.setRequestHandler("roots/list", () => ROOTED);
    await client.connect(new ModernTransport(new URL(server.mcp), { fetch: wire }));
    return client as unknown as AnyClient;
  };
}

const FLAVOURS = [
  ["v1", connectV1],
  ["v2 legacy", v2("legacy")],
  ["v2 auto", v2("auto")],
  ["v2 pinned", v2({ pin: "2026-07-28" })],
] as const;
const LEGACY = FLAVOURS.slice(0, 2);

describe.each(FLAVOURS)("the client %s", (_name, connect) => {
  test("is asked, in parallel and in rounds, and its answers reach the handler", async () => {
    const client = await connect();
    const who = { action: "accept", content: { name: "Ann" } };
    expect(await client.callTool({ name: "who" })).toMatchObject({ content: [{ text: JSON.stringify({ who }) }] });
    expect(await client.callTool({ name: "rounds" })).toMatchObject({
      content: [{ text: JSON.stringify({ first: who, second: { action: "accept", content: { color: "red" } } }) }],
    });
    const three = await client.callTool({ name: "three" });
    expect(JSON.stringify(three)).toContain("Hello");
    expect(JSON.stringify(three)).toContain("file:///a");
    expect(await client.callTool({ name: "needs_sampling" })).toMatchObject({ content: [{ text: "sampled" }] });
    await client.close();
    await until(() => server.http.counts.streams === 0);
    expect(server.logged).toEqual([]);
  });
});

/** A network for one client: it can be cut, counts who comes back, and makes nobody wait three seconds for that. */
function network() {
  const cuts = new Set<AbortController>();
  const resumptions: string[] = [];
  const counts = { primed: 0 };
  const wire: Wire = async (input, init) => {
    const cut = new AbortController();
    const lastEventId = new Headers(init?.headers).get("last-event-id");
    if (lastEventId !== null) resumptions.push(lastEventId);
    const signals = init?.signal ? [init.signal, cut.signal] : [cut.signal];
    const response = await fetch(input, { ...init, signal: AbortSignal.any(signals) });
    if (!response.headers.get("content-type")?.startsWith("text/event-stream") || response.body === null)
      return response;
    if (init?.method === "POST" || lastEventId !== null) cuts.add(cut);
    const impatient = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(
        new TransformStream<string, string>({
          transform(text, out) {
            if (text.startsWith("id: p")) counts.primed++;
            out.enqueue(text.replaceAll(/^retry: \d+$/gm, "retry: 1"));
          },
        }),
      )
      .pipeThrough(new TextEncoderStream());
    return new Response(impatient, { status: response.status, headers: response.headers });
  };
  return {
    wire,
    resumptions,
    /** How often the client has read the beginning of a response stream. */
    counts,
    cut() {
      for (const one of cuts) one.abort();
      cuts.clear();
    },
  };
}

describe.each(LEGACY)("the client %s comes back", (_name, connect) => {
  test("after its connection broke in the middle of a call", async () => {
    const { wire, cut, counts } = network();
    const client = await connect(wire);
    const before = fixture.held.length;
    const pending = client.callTool({ name: "pause" });
    await until(() => fixture.held.length === before + 1);
    const held = fixture.held.at(-1);
    held?.context.openStream();
    for (const times of [1, 2, 3]) {
      await until(() => counts.primed === times);
      if (times < 3) cut();
    }
    held?.release("worth the wait");
    expect(await pending).toMatchObject({ content: [{ text: "worth the wait" }] });
    expect(held?.context.signal.aborted).toBe(false);
    await client.close();
    await until(() => server.http.counts.streams === 0);
  });

  test("after the server dropped the connection", async () => {
    const { wire, resumptions } = network();
    const client = await connect(wire);
    const pending = client.callTool({ name: "polled" });
    await until(() => resumptions.length === 1);
    fixture.held.at(-1)?.release("polled for");
    expect(await pending).toMatchObject({ content: [{ text: "polled for" }] });
    await client.close();
    await until(() => server.http.counts.streams === 0);
  });

  test("once only for an answer that was an error", async () => {
    const { wire, resumptions } = network();
    const client = await connect(wire);
    const before = fixture.held.length;
    const pending = client.callTool({ name: "pause" });
    await until(() => fixture.held.length === before + 1);
    fixture.held.at(-1)?.context.openStream();
    fixture.held.at(-1)?.fail(new Error("bug"));
    await expect(pending).rejects.toThrow("Internal error");
    await Bun.sleep(50);
    expect(resumptions.length).toBeLessThanOrEqual(1);
    expect(server.http.counts.streams).toBe(1);
    server.logged.length = 0;
    await client.close();
    await until(() => server.http.counts.streams === 0);
  });
});

describe("over raw HTTP", () => {
  test("a resumption after the last message is 204, a posted answer 202, a bad state 200", async () => {
    const params = { protocolVersion: "2025-11-25", capabilities: CAPABILITIES, clientInfo: INFO };
    const opened = await post(server.mcp, { jsonrpc: "2.0", id: 0, method: "initialize", params });
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    const stream = await StreamReader.open(server.mcp, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
      body: JSON.stringify(call(1, "who")),
    });
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    const question = await stream.message();
    const result = { action: "cancel" };
    const accepted = await post(server.mcp, { jsonrpc: "2.0", id: question?.message.id, result }, headers);
    expect([accepted.status, await accepted.text()]).toEqual([202, ""]);
    const last = await stream.message();
    expect(last?.message).toMatchObject({ id: 1, result: {} });
    expect(await stream.next()).toBeUndefined();
    const over = await StreamReader.get(server.mcp, { ...headers, "last-event-id": last?.id ?? "" });
    expect(over.response.status).toBe(204);

    const { body, headers: modern } = modernCall(1, "tools/call", { name: "who", requestState: "forged" });
    const refused = await post(server.mcp, body, modern);
    expect([refused.status, await refused.json()]).toMatchObject([200, { error: { code: -32602 } }]);
    const lacking = modernCall(1, "tools/call", { name: "who" }, {});
    expect((await post(server.mcp, lacking.body, lacking.headers)).status).toBe(400);
  });
});
