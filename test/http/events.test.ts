/** MCP Events over real HTTP: what the response is, what keeps it alive, and what its end leaves. */

import { afterEach, describe, expect, test } from "bun:test";
import { createEventFixture } from "../support/event-fixture.ts";
import { modern, POST_HEADERS, post, startServer } from "../support/http-fixture.ts";
import { StreamReader, until } from "../support/http-stream.ts";

const servers: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

function serve(options: Parameters<typeof startServer>[0] = {}) {
  const fixture = createEventFixture();
  const server = startServer(options, fixture);
  servers.push(server.http);
  const ask = (method: string, params: Record<string, unknown>, more: Record<string, string> = {}) => {
    const { body, headers } = modern("s", method, params);
    const { "mcp-name": _, ...rest } = headers;
    return { body, headers: { ...rest, authorization: "Bearer ann", ...more } };
  };
  const open = (params: Record<string, unknown> = {}) => {
    const { body, headers } = ask("events/stream", { name: "note", ...params });
    return StreamReader.open(server.mcp, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { ...POST_HEADERS, ...headers },
    });
  };
  return { ...server, events: fixture.events, ask, open };
}

const word = (said: Awaited<ReturnType<StreamReader["message"]>>) =>
  String(said?.message.method ?? "result").replace("notifications/events/", "");

describe("an event stream", () => {
  test("is one of messages alone: active, events, heartbeats, never a comment", async () => {
    const { open, events } = serve({ keepAliveMs: 60 });
    const stream = await open();
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(word(await stream.message())).toBe("active");
    expect(word(await stream.message())).toBe("heartbeat");
    events.add("note", { text: "a" });
    let next = word(await stream.message());
    while (next === "heartbeat") next = word(await stream.message());
    expect(next).toBe("event");
    expect(word(await stream.message())).toBe("heartbeat");
    expect(stream.raw).not.toMatch(/^:/m);
    expect(stream.raw).not.toMatch(/^id:/m);
    await stream.close();
  });

  test("that its client drops is over here too", async () => {
    const { open, events, http } = serve();
    const stream = await open();
    await stream.message();
    expect([events.readers.size, http.counts.streams]).toEqual([1, 1]);
    await stream.close();
    await until(() => events.readers.size === 0 && http.counts.streams === 0 && http.counts.held === 0);
  });

  test("ends with its result when the server stops", async () => {
    const { open, http } = serve();
    const stream = await open();
    expect(word(await stream.message())).toBe("active");
    const stopped = http.stop();
    expect(await stream.message()).toMatchObject({ message: { id: "s", result: { resultType: "complete" } } });
    expect(await stream.message()).toBeUndefined();
    await stopped;
  });

  test("of a long backlog arrives whole and in order", async () => {
    const { open, events } = serve();
    for (let i = 0; i < 2000; i++) events.add("note", { text: "x".repeat(500) });
    const stream = await open({ cursor: "m.0" });
    expect(word(await stream.message())).toBe("active");
    for (let i = 1; i <= 2000; i++) {
      const said = await stream.message();
      expect(said?.message).toMatchObject({ params: { eventId: `evt_${i}` } });
    }
    await stream.close();
  });

  test.each([
    ["a name nobody knows", { name: "gone" }, {}, 200, -32011],
    ["nobody known", { name: "note" }, { authorization: "Basic x" }, 200, -32012],
    ["a client that takes JSON only", { name: "note" }, { accept: "application/json" }, 406, -32000],
  ] as const)("is none for %s, but an error as JSON", async (_what, params, more, status, code) => {
    const { ask, mcp, events } = serve();
    const { body, headers } = ask("events/stream", params, more);
    const response = await post(mcp, body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(events.opened).toBe(0);
  });

  test("beyond what the server can hold is refused before anything is opened", async () => {
    const { open, ask, mcp, events } = serve({ streamsMax: 1 });
    const stream = await open();
    await stream.message();
    const { body, headers } = ask("events/stream", { name: "note" });
    const refused = await post(mcp, body, headers);
    expect([refused.status, refused.headers.has("retry-after")]).toEqual([503, true]);
    await refused.text();
    expect(events.opened).toBe(1);
    await stream.close();
  });
});

describe("a poll", () => {
  test("is plain JSON, and held ones are freed with their connection", async () => {
    const { ask, mcp, events, http } = serve();
    const plain = ask("events/poll", { name: "note" });
    const response = await post(mcp, plain.body, plain.headers);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ result: { resultType: "complete", events: [] } });
    const { body, headers } = ask("events/poll", { name: "note", timeoutMs: 20_000 });
    const abort = new AbortController();
    const held = fetch(mcp, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { ...POST_HEADERS, ...headers },
      signal: abort.signal,
    });
    await until(() => events.held === 1);
    abort.abort();
    await held.catch(() => undefined);
    await until(() => events.readers.size === 0 && http.counts.held === 0);
  });
});
