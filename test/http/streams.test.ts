/** Event streams over real connections: delivery, disconnects, readers that stall, keep-alives, a polite stop. */

import { afterEach, describe, expect, test } from "bun:test";
import { createConnection, type Socket } from "node:net";
import type { HttpServerOptions } from "../../src/http/server.ts";
import { STREAM_STALL_MS_MAX } from "../../src/limits.ts";
import {
  modern,
  openSession,
  POST_HEADERS,
  post,
  request,
  startServer,
  type TestServer,
  toolCall,
} from "../support/http-fixture.ts";
import { StreamReader, until } from "../support/http-stream.ts";
import { createFixture } from "../support/mcp-fixture.ts";

const servers: TestServer[] = [];
function start(options: Partial<HttpServerOptions> = {}, kept?: number): TestServer {
  const server = startServer(options, createFixture(kept));
  servers.push(server);
  return server;
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.http.stop();
});

/** A session and its key, with a way to push numbers to it. */
async function openChat(server: TestServer, revision?: string) {
  const headers = await openSession(server.mcp, revision);
  await post(server.mcp, toolCall("who", "echo"), headers);
  const session = server.seen.at(-1)?.session ?? "";
  let pushed = 0;
  return { headers, session, notify: (padding = "") => server.push.push(session, "n", { n: ++pushed, padding }) };
}

function numberOf(got: Awaited<ReturnType<StreamReader["message"]>>): unknown {
  return (got?.message.params as { n?: number } | undefined)?.n;
}

describe("a GET stream", () => {
  test("sends its headers and a first byte at once", async () => {
    const server = start();
    const { headers } = await openChat(server);
    const stream = await StreamReader.get(server.mcp, headers);
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.response.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(stream.response.headers.get("x-accel-buffering")).toBe("no");
    expect(await stream.next()).toEqual({ id: "g.0", retryMs: 3000, data: "" });
  });

  test("delivers what was pushed before and after it opened, in order", async () => {
    const server = start();
    const chat = await openChat(server);
    chat.notify();
    chat.notify();
    const stream = await StreamReader.get(server.mcp, chat.headers);
    expect(numberOf(await stream.message())).toBe(1);
    expect(numberOf(await stream.message())).toBe(2);
    chat.notify();
    expect(numberOf(await stream.message())).toBe(3);
  });

  test("resumes exactly after Last-Event-ID", async () => {
    const server = start();
    const chat = await openChat(server);
    for (let n = 0; n < 4; n++) chat.notify();
    const first = await StreamReader.get(server.mcp, chat.headers);
    await first.message();
    const seen = await first.message();
    await first.close();
    const second = await StreamReader.get(server.mcp, { ...chat.headers, "last-event-id": seen?.id ?? "" });
    expect(numberOf(await second.message())).toBe(3);
  });

  test("two at once: each message on exactly one, and the older takes over when the newer closes", async () => {
    const server = start();
    const chat = await openChat(server, "2025-06-18");
    const older = await StreamReader.get(server.mcp, chat.headers);
    await older.more();
    const newer = await StreamReader.get(server.mcp, chat.headers);
    chat.notify();
    expect(numberOf(await newer.message())).toBe(1);
    await newer.close();
    await until(() => server.http.counts.streams === 1);
    chat.notify();
    expect(numberOf(await older.message())).toBe(1);
    expect(numberOf(await older.message())).toBe(2);
    expect(older.raw.match(/"n":1/g)).toHaveLength(1);
  });

  test("a fourth one ends the oldest cleanly", async () => {
    const server = start();
    const chat = await openChat(server);
    const streams: StreamReader[] = [];
    for (let n = 0; n < 4; n++) streams.push(await StreamReader.get(server.mcp, chat.headers));
    expect((await streams[0]?.next())?.data).toBe("");
    expect(await streams[0]?.next()).toBeUndefined();
    expect(server.http.counts.streams).toBe(3);
  });

  test("DELETE ends it cleanly", async () => {
    const server = start();
    const chat = await openChat(server, "2025-06-18");
    const stream = await StreamReader.get(server.mcp, chat.headers);
    await fetch(server.mcp, { method: "DELETE", headers: chat.headers });
    expect(await stream.next()).toBeUndefined();
    await until(() => server.http.counts.streams === 0);
  });

  test("a client that leaves is noticed, whichever way it goes", async () => {
    const server = start();
    const chat = await openChat(server);
    const polite = await StreamReader.get(server.mcp, chat.headers);
    await polite.more();
    await polite.close();
    await until(() => server.http.counts.streams === 0);
    const socket = await rawGet(server, chat.headers);
    await until(() => server.http.counts.streams === 1);
    socket.resetAndDestroy();
    await until(() => server.http.counts.streams === 0);
    expect(server.push.readers.every((reader) => reader.closed)).toBe(true);
  });

  test("beyond the bound a stream is refused, with when to try again", async () => {
    const server = start({ streamsMax: 1 });
    const chat = await openChat(server);
    const first = await StreamReader.get(server.mcp, chat.headers);
    await first.more();
    const second = await fetch(server.mcp, { headers: { accept: "text/event-stream", ...chat.headers } });
    expect(second.status).toBe(503);
    expect(second.headers.get("retry-after")).toBe("5");
    expect(await second.json()).toMatchObject({ error: { code: -32000 } });
    await first.close();
    await until(() => server.http.counts.streams === 0);
    expect((await StreamReader.get(server.mcp, chat.headers)).response.status).toBe(200);
  });
});

/** A GET over a bare socket that does not read until it is told to. */
function rawGet(server: TestServer, headers: Record<string, string>): Promise<Socket> {
  const lines = Object.entries({ host: "localhost", accept: "text/event-stream", ...headers });
  return new Promise((resolve, reject) => {
    const socket = createConnection(server.http.port, "127.0.0.1", () => {
      socket.pause();
      socket.write(`GET /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
      resolve(socket);
    });
    socket.on("error", reject);
  });
}

describe("a reader that does not read", () => {
  const KEPT = 100;
  const PADDING = "x".repeat(60_000);

  /** Pushes until the kernel takes no more and the stream has stalled. */
  async function stall(server: TestServer, chat: Awaited<ReturnType<typeof openChat>>): Promise<void> {
    const { stalled } = server.http.counts;
    for (let n = 0; n < 500 && server.http.counts.stalled === stalled; n++) {
      chat.notify(PADDING);
      await Bun.sleep(0);
    }
    expect(server.http.counts.stalled).toBe(stalled + 1);
  }

  test("is cut as soon as something it has not been given is dropped; then it resumes what is kept", async () => {
    const server = start({ keepAliveMs: 600 }, KEPT);
    const chat = await openChat(server);
    const socket = await rawGet(server, chat.headers);
    await until(() => server.http.counts.streams === 1);
    await stall(server, chat);
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    for (let n = 0; n < 2000; n++) {
      chat.notify(PADDING);
      if (n % 100 === 0) await Bun.sleep(0);
    }
    await until(() => server.http.counts.streams === 0);
    expect(server.http.counts.streamsClosed).toMatchObject({ overrun: 1, stalled: 0, client: 0 });
    Bun.gc(true);
    // 120 MB went by; what may stay is the fixture's own log and one write.
    expect(process.memoryUsage.rss() - before).toBeLessThan(60e6);
    socket.destroy();
    const stream = await StreamReader.get(server.mcp, { ...chat.headers, "last-event-id": "g.0" });
    const first = server.push.countOf(chat.session) - KEPT + 1;
    expect(numberOf(await stream.message())).toBe(first);
    for (let n = first + 1; n < first + KEPT; n++) expect(numberOf(await stream.message())).toBe(n);
  });

  test("is cut when it has not drained for too long, and others are not disturbed", async () => {
    const clock = { at: 1_000_000 };
    const server = start({ keepAliveMs: 600, now: () => clock.at });
    const [lazy, lively] = [await openChat(server), await openChat(server)];
    const socket = await rawGet(server, lazy.headers);
    const stream = await StreamReader.get(server.mcp, lively.headers);
    await until(() => server.http.counts.streams === 2);
    await stall(server, lazy);
    clock.at += STREAM_STALL_MS_MAX - 1;
    await Bun.sleep(50);
    expect(server.http.counts.streams).toBe(2);
    clock.at += 1;
    await until(() => server.http.counts.streams === 1);
    expect(server.http.counts.streamsClosed).toMatchObject({ stalled: 1, overrun: 0, client: 0 });
    lively.notify();
    expect(numberOf(await stream.message())).toBe(1);
    socket.destroy();
  });

  test("goes on where it stopped if it reads again in time", async () => {
    const server = start();
    const chat = await openChat(server, "2025-06-18");
    const socket = await rawGet(server, chat.headers);
    await until(() => server.http.counts.streams === 1);
    await stall(server, chat);
    for (let n = 0; n < 20; n++) chat.notify(PADDING);
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
    });
    socket.resume();
    const log = server.push.countOf(chat.session);
    await until(() => text.includes(`"n":${log},`));
    const numbers = [...text.matchAll(/"n":(\d+),/g)].map((match) => Number(match[1]));
    expect(numbers).toEqual(Array.from({ length: log }, (_, n) => n + 1));
    socket.destroy();
  });
});

describe("keep-alives", () => {
  test("come to every quiet stream, GET and POST", async () => {
    const server = start({ keepAliveMs: 60 });
    const chat = await openChat(server);
    const get = await StreamReader.get(server.mcp, chat.headers);
    const held = await StreamReader.open(server.mcp, {
      method: "POST",
      headers: { ...POST_HEADERS, ...chat.headers },
      body: JSON.stringify(toolCall(1, "hold", { stream: true })),
    });
    for (const stream of [get, held]) {
      while ((stream.raw.match(/: ka\n\n/g) ?? []).length < 3) await stream.more();
    }
    server.held[0]?.release("done");
    expect((await held.message())?.message).toMatchObject({ id: 1 });
  });
});

describe("a response that becomes a stream", () => {
  test("in the legacy era", async () => {
    const server = start();
    const chat = await openChat(server);
    const body = request(9, "tools/call", { name: "steps", _meta: { progressToken: 5 } });
    const stream = await StreamReader.open(server.mcp, {
      method: "POST",
      headers: { ...POST_HEADERS, ...chat.headers },
      body: JSON.stringify(body),
    });
    const methods: unknown[] = [];
    for (let got = await stream.message(); got !== undefined; got = await stream.message()) {
      methods.push(got.message.method ?? got.message.id);
    }
    expect(methods).toEqual([...Array(3).fill("notifications/progress"), 9]);
  });

  test("never for a client that takes JSON only", async () => {
    const server = start();
    const { body, headers } = modern(9, "tools/call", { name: "steps" }, { progressToken: 5 });
    const response = await post(server.mcp, body, { ...headers, accept: "application/json" });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ id: 9, result: { resultType: "complete" } });
  });

  test.each([true, false])("a modern client that leaves cancels the call (stream open: %p)", async (stream) => {
    const server = start();
    const { body, headers } = modern(1, "tools/call", { name: "hold", arguments: { stream } });
    const leave = new AbortController();
    const pending = fetch(server.mcp, {
      method: "POST",
      headers: { ...POST_HEADERS, ...headers },
      body: JSON.stringify(body),
      signal: leave.signal,
    });
    await until(() => server.held.length === 1);
    if (stream) await pending;
    leave.abort();
    await pending.catch(() => undefined);
    await until(() => server.held[0]?.context.signal.aborted === true);
    expect(server.http.counts).toMatchObject({ held: 0, streams: 0 });
  });

  test("notifications/cancelled ends a legacy call without a response", async () => {
    const server = start();
    const chat = await openChat(server);
    const pending = post(server.mcp, toolCall("c", "hold"), chat.headers);
    await until(() => server.held.length === 1);
    const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "c" } };
    expect((await post(server.mcp, cancelled, chat.headers)).status).toBe(202);
    const response = await pending;
    expect([response.status, await response.text()]).toEqual([202, ""]);
  });
});

describe("a stop", () => {
  test("ends streams and held calls cleanly and leaves nobody hanging", async () => {
    const server = startServer();
    const chat = await openChat(server);
    const stream = await StreamReader.get(server.mcp, chat.headers);
    await stream.next();
    const held = post(server.mcp, toolCall(1, "hold"), chat.headers);
    const streaming = post(server.mcp, toolCall(2, "hold", { stream: true }), chat.headers);
    await until(() => server.held.length === 2);
    const started = performance.now();
    const stopped = server.http.stop();
    expect(await stream.next()).toEqual({ retryMs: 3000 });
    expect(await stream.next()).toBeUndefined();
    const answer = await held;
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await answer.json()).toMatchObject({ id: 1, error: { code: -32603 } });
    expect(await (await streaming).text()).toContain('"id":2,"error"');
    await stopped;
    expect(performance.now() - started).toBeLessThan(2000);
    await expect(fetch(server.mcp)).rejects.toThrow();
  });

  test("a reader that does not read cannot hold it up", async () => {
    const server = startServer({ stopMs: 200 });
    const chat = await openChat(server);
    const socket = await rawGet(server, chat.headers);
    await until(() => server.http.counts.streams === 1);
    while (server.http.counts.stalled === 0) {
      chat.notify("x".repeat(60_000));
      await Bun.sleep(0);
    }
    const started = performance.now();
    await server.http.stop();
    expect(performance.now() - started).toBeLessThan(2000);
    socket.destroy();
  });
});
