/** The official clients, unchanged: they connect, list, call, stream, and receive what is pushed. */

import { afterAll, describe, expect, test } from "bun:test";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { startServer } from "../support/http-fixture.ts";
import { until } from "../support/http-stream.ts";

const server = startServer();
afterAll(() => server.http.stop());

const INFO = { name: "test-client", version: "1.0.0" };
const PUSH = { name: "push", arguments: { text: "ding" } };

/** What both clients can do in the same words. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<Record<string, unknown>>;
}

async function expectServed(client: AnyClient): Promise<void> {
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toEqual(server.definition.tools.map((tool) => tool.name));
  const echoed = await client.callTool({ name: "echo", arguments: { text: "hello" } });
  expect(echoed).toMatchObject({ structuredContent: { text: "hello" } });
  expect(await client.callTool({ name: "refuse" })).toMatchObject({ isError: true });
  await expect(client.callTool({ name: "throw" })).rejects.toThrow("Internal error");
  await expect(client.callTool({ name: "nope" })).rejects.toMatchObject({ code: -32602 });
}

describe("the v1 client", () => {
  test("connects, lists, calls, follows progress, is pushed to, and leaves", async () => {
    const client = new Client(INFO);
    const pushed: unknown[] = [];
    client.fallbackNotificationHandler = async (notification) => {
      pushed.push(notification);
    };
    const transport = new StreamableHTTPClientTransport(new URL(server.mcp));
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    expect(client.getServerVersion()).toMatchObject({ name: "fixture", version: "1.2.3" });
    expect(client.getInstructions()).toBe("Be kind.");
    await client.ping();
    await expectServed(client as unknown as AnyClient);

    const steps: number[] = [];
    await client.callTool({ name: "steps" }, undefined, { onprogress: ({ progress }) => steps.push(progress) });
    expect(steps).toEqual([1, 2, 3]);

    await client.callTool(PUSH);
    await until(() => pushed.length === 1);
    expect(pushed[0]).toMatchObject({ method: "fixture.pushed", params: { text: "ding" } });
    await transport.terminateSession();
    await client.close();
    await until(() => server.http.counts.streams === 0);
  });

  test("cancels a held call", async () => {
    const client = new Client(INFO);
    await client.connect(
      new StreamableHTTPClientTransport(new URL(server.mcp)) as Parameters<typeof client.connect>[0],
    );
    const before = server.held.length;
    const leave = new AbortController();
    const pending = client.callTool({ name: "hold" }, undefined, { signal: leave.signal });
    await until(() => server.held.length === before + 1);
    leave.abort("enough");
    await expect(pending).rejects.toThrow();
    await until(() => server.held[before]?.context.signal.aborted === true);
    await client.close();
  });
});

describe("the v2 client", () => {
  const modes = [
    ["legacy", "legacy" as const, "legacy", "2025-11-25"],
    ["auto", "auto" as const, "modern", "2026-07-28"],
    ["pinned", { pin: "2026-07-28" }, "modern", "2026-07-28"],
  ] as const;

  test.each(modes)("%s: connects, lists, calls and follows progress", async (_name, mode, era, revision) => {
    const client = new ModernClient(INFO, { versionNegotiation: { mode } });
    await client.connect(new ModernTransport(new URL(server.mcp)));
    expect(client.getProtocolEra()).toBe(era);
    expect(client.getNegotiatedProtocolVersion()).toBe(revision);
    await expectServed(client as unknown as AnyClient);
    const steps: number[] = [];
    await client.callTool({ name: "steps" }, { onprogress: ({ progress }) => steps.push(progress) });
    expect(steps).toEqual([1, 2, 3]);
    expect(server.seen.at(-1)).toMatchObject({ era, revision, client: INFO });
    await client.close();
  });

  test("legacy: is pushed to", async () => {
    const client = new ModernClient(INFO);
    const pushed: unknown[] = [];
    client.fallbackNotificationHandler = async (notification) => {
      pushed.push(notification);
    };
    await client.connect(new ModernTransport(new URL(server.mcp)));
    await client.callTool(PUSH);
    await until(() => pushed.length === 1);
    expect(pushed[0]).toMatchObject({ method: "fixture.pushed", params: { text: "ding" } });
    await client.close();
  });

  test("modern: closing a call cancels it", async () => {
    const client = new ModernClient(INFO, { versionNegotiation: { mode: "auto" } });
    await client.connect(new ModernTransport(new URL(server.mcp)));
    const before = server.held.length;
    const leave = new AbortController();
    const pending = client.callTool({ name: "hold" }, { signal: leave.signal });
    await until(() => server.held.length === before + 1);
    leave.abort();
    await expect(pending).rejects.toThrow();
    await until(() => server.held[before]?.context.signal.aborted === true);
    await client.close();
  });
});
