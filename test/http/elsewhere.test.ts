/**
 * What the edge does where others may know more than this server: credentials that have to be asked for, a journal
 * that is away, streams that are cut, and a stop that waits for answers.
 *
 * This file owns the edge's part of serving as one of several. What is known elsewhere is a promise here.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { Unavailable } from "../../src/mcp/unavailable.ts";
import { openSession, post, request, startServer, toolCall } from "../support/http-fixture.ts";
import { createFixture } from "../support/mcp-fixture.ts";

describe("a credential that another server may have given out", () => {
  const known = new Set(["mcpc_elsewhere"]);
  const asked: string[] = [];
  const server = startServer({
    accessToken: "open-sesame",
    async isLiveUserToken(token) {
      asked.push(token);
      if (token === "mcpc_away") throw new Unavailable(2000, false);
      return known.has(token);
    },
  });
  afterAll(() => server.http.stop());
  const ping = (token: string): Promise<Response> =>
    post(server.mcp, request(1, "ping"), { authorization: `Bearer ${token}` });

  test("is asked for, and opens or does not", async () => {
    // Without a session it gets as far as being told so.
    expect((await ping("mcpc_elsewhere")).status).toBe(400);
    expect((await ping("mcpc_nowhere")).status).toBe(401);
    expect((await ping("open-sesame")).status).toBe(400);
    expect(asked).toEqual(["mcpc_elsewhere", "mcpc_nowhere"]);
  });

  test("is not refused for good while nobody can tell", async () => {
    const response = await ping("mcpc_away");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  });

  test.each(["GET", "DELETE"])("%s waits for it too", async (method) => {
    const answer = async (token: string): Promise<number> =>
      (await fetch(server.mcp, { method, headers: { authorization: `Bearer ${token}` } })).status;
    expect(await answer("mcpc_elsewhere")).toBe(400);
    expect(await answer("mcpc_nowhere")).toBe(401);
    expect(await answer("mcpc_away")).toBe(503);
  });
});

describe("a journal that is away", () => {
  test("makes requests wait for another time, not fail", async () => {
    const fixture = createFixture();
    const [tool] = fixture.definition.tools;
    if (tool === undefined) throw new Error("no tool");
    const away = {
      ...tool,
      name: "away",
      call: () => Promise.reject(new Unavailable(1500, true)),
    };
    const definition = { ...fixture.definition, tools: [...fixture.definition.tools, away] };
    const server = startServer({}, { ...fixture, definition });
    const session = await openSession(server.mcp);
    const response = await post(server.mcp, toolCall(5, "away"), session);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await response.json()).toMatchObject({ id: 5, error: { code: -32603 } });
    await server.http.stop();
    expect(server.logged).toEqual([]);
  });

  test("is told to whatever watches over the process", async () => {
    let isHealthy = true;
    const server = startServer({ isHealthy: () => isHealthy, health: () => ({ more: 1 }) });
    const look = async (): Promise<unknown> => {
      const response = await fetch(`${server.http.url}/healthz`);
      return [response.status, await response.json()];
    };
    expect(await look()).toEqual([200, { status: "ok", more: 1 }]);
    isHealthy = false;
    expect(await look()).toEqual([503, { status: "unavailable", more: 1 }]);
    await server.http.stop();
  });
});

test("a cut ends streams with the word that their clients are to come back, and new ones are served", async () => {
  const server = startServer();
  const session = await openSession(server.mcp);
  const open = (): Promise<Response> =>
    fetch(server.mcp, { headers: { ...session, accept: "text/event-stream", "mcp-protocol-version": "2025-11-25" } });
  const stream = await open();
  server.http.cut();
  const text = await stream.text();
  expect(text).toEndWith("retry: 3000\n\n");
  const again = await open();
  expect([again.status, server.http.counts.streams]).toEqual([200, 1]);
  await server.http.stop();
});

test("a stop waits a moment for the answers of what is released", async () => {
  const released = Promise.withResolvers<void>();
  const events: string[] = [];
  const server = startServer({
    release() {
      events.push("asked");
      return released.promise.then(() => void events.push("answered"));
    },
  });
  const stopped = server.http.stop().then(() => events.push("stopped"));
  released.resolve();
  await stopped;
  expect(events).toEqual(["asked", "answered", "stopped"]);
});
