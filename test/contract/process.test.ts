/**
 * The server as a process: how it ends, whom it lets in, what it writes where.
 *
 * This file owns SIGTERM, the access token and the log as an operator meets them. It must never
 * import from src.
 */

import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import {
  modernRequest,
  pairUp,
  post,
  type RawCaller,
  RawModern,
  RawSession,
  RawStream,
  read,
  type ToolAnswer,
} from "../support/client-raw.ts";
import { CHECKOUT, type Program, type Run, run, startProgram } from "../support/program.ts";

/** Starting takes a second on a busy machine. */
setDefaultTimeout(30_000);

const programs: Program[] = [];
async function start(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Program> {
  const program = await startProgram({ kind: "source", args, env });
  programs.push(program);
  return program;
}
/** Runs the program to its end. */
function runProgram(args: readonly string[]): Promise<Run> {
  return run([process.execPath, join(CHECKOUT, "src/main.ts"), ...args]);
}
afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill("SIGKILL");
    await program.exited;
  }
});

/** Has a wait held for sure: of two, the newer one ends the older. @returns both */
async function hold(caller: RawCaller, timeout_seconds: number): Promise<Promise<ToolAnswer>[]> {
  const waits = [0, 1].map(() => caller.call("wait_for_message", { timeout_seconds }));
  await Promise.race(waits);
  return waits;
}

describe("SIGTERM", () => {
  test("streams end, held calls are answered, the program ends with 0 in time", async () => {
    const server = await start();
    const [ann, bob] = [await RawSession.open(server.url), await RawSession.open(server.url, "2025-06-18")];
    const streams = [await ann.stream(), await bob.stream()];
    await pairUp(ann, bob);
    const wantsAgents = { kind: "human", partner_kind: "agent" };
    const waiting = [new RawModern(server.url), new RawModern(server.url), await RawSession.open(server.url)];
    for (const caller of waiting) await caller.call("enter_queue", wantsAgents);
    // Short holds are answered as JSON, long ones as an event stream that is open already.
    const held = await Promise.all(waiting.map((caller, n) => hold(caller, n === 0 ? 10 : 300)));
    await streams[0]?.take(1);

    const asked = performance.now();
    const stopped = server.stop();
    for (const answer of await Promise.all(held.flat())) {
      expect(answer.structured).toMatchObject({ status: "waiting", events: [], timed_out: true });
    }
    expect(await Promise.all(streams.map(({ over }) => over))).toEqual(["end", "end"]);
    expect(await stopped).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5000);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test("a client of 2025-11-25 is told when to come back", async () => {
    const server = await start();
    const ann = await RawSession.open(server.url);
    const stream = await ann.stream();
    expect(await stream.event()).toMatchObject({ data: "", retry: "3000" });
    const [farewell] = await Promise.all([stream.event(), server.stop()]);
    expect(farewell).toMatchObject({ retry: "3000" });
    expect(await stream.over).toBe("end");
  });

  test("it ends in time although a request never finishes and a reader never reads", async () => {
    const server = await start();
    const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    const cut = new AbortController();
    const headers = { "content-type": "application/json" };
    const endless = fetch(server.url, { method: "POST", body, headers, signal: cut.signal }).catch(String);
    const session = await RawSession.open(server.url);
    await using _stream = await session.stream();
    expect(await server.stop()).toBe(0);
    cut.abort();
    await endless;
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s ends it with 0 as soon as it says that it listens", async (signal) => {
    const servers = await Promise.all([start(), start(), start(), start()]);
    const codes = servers.map((server) => {
      server.kill(signal);
      return server.exited;
    });
    expect(await Promise.all(codes)).toEqual([0, 0, 0, 0]);
  });
});

describe("the access token", () => {
  const SECRET = "a-long.secret~1";
  const authorization = `Bearer ${SECRET}`;

  test("nothing without it, everything with it or with a token minted under it", async () => {
    const server = await start([], { MCP_CHAT_ACCESS_TOKEN: SECRET });
    const { body, headers } = modernRequest(1, "tools/list");
    const list = (extra: Record<string, string>) => post(server.url, body, { ...headers, ...extra });
    for (const wrong of [
      "",
      "Bearer",
      "Bearer nonsense",
      `Basic ${btoa(SECRET)}`,
      `Bearer ${SECRET}x`,
      `Bearer mcpc_${"A".repeat(43)}`,
    ]) {
      const answer = await list(wrong === "" ? {} : { authorization: wrong });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toStartWith("Bearer");
      expect(answer.message).toMatchObject({ jsonrpc: "2.0", error: { code: -32000 } });
    }
    for (const method of ["GET", "DELETE"]) {
      const answer = await read(fetch(server.url, { method, headers: { accept: "text/event-stream" } }));
      expect([answer.status, answer.headers.get("www-authenticate")?.slice(0, 6)]).toEqual([401, "Bearer"]);
    }
    expect((await list({ authorization })).status).toBe(200);
    expect((await list({ authorization: `bearer ${SECRET}` })).status).toBe(200);
    expect((await read(fetch(`${server.origin}/healthz`))).status).toBe(200);
    expect((await read(fetch(server.url, { method: "OPTIONS" }))).status).toBe(204);

    const ann = new RawModern(server.url, { authorization });
    const entered = await ann.call("enter_queue", { display_name: "Ann" });
    const own = new RawModern(server.url, { authorization: `Bearer ${entered.structured.session_token}` });
    expect((await own.call("chat_status")).structured).toMatchObject({
      status: "waiting",
      user: { display_name: "Ann" },
    });
    expect((await own.call("enter_queue")).structured).toMatchObject({ status: "waiting" });

    const bob = await RawSession.open(server.url, "2025-11-25", { authorization });
    expect((await bob.call("enter_queue")).structured).toMatchObject({ status: "matched" });
    await using stream = await bob.stream();
    expect(await stream.next()).toMatchObject({ method: "chatroom.found" });
    const { authorization: _gone, ...bare } = bob.headers;
    await expect(RawStream.open(server.url, bare)).rejects.toThrow("401");
    expect(server.stdout).not.toContain(SECRET);
    expect(await server.stop()).toBe(0);
    expect(server.stderr).not.toContain(SECRET);
  });

  test("a token minted in a session opens the session's stream", async () => {
    const server = await start(["--access-token", SECRET]);
    const ann = await RawSession.open(server.url, "2025-11-25", { authorization });
    const entered = await ann.call("enter_queue");
    const own = { ...ann.headers, authorization: `Bearer ${entered.structured.session_token}` };
    await using stream = await RawStream.open(server.url, own);
    await new RawModern(server.url, { authorization }).call("enter_queue");
    expect(await stream.next()).toMatchObject({ method: "chatroom.found" });
  });
});

describe("addresses", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1"])("%s is refused without a token", async (host) => {
    const { code, stderr, stdout } = await runProgram(["--port", "0", "--host", host]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^mcp-chat: .*(access.token|ACCESS_TOKEN).*--insecure-open.*\n$/);
  });

  test("an open server answers under its own address, and still checks Host", async () => {
    const server = await start(["--host", "0.0.0.0", "--insecure-open"]);
    const local = `http://127.0.0.1:${server.port}`;
    expect((await read(fetch(`${local}/healthz`))).status).toBe(200);
    expect((await new RawModern(`${local}/mcp`).call("enter_queue")).isError).toBe(false);
    const outer = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal);
    if (outer !== undefined) {
      const answer = await read(fetch(`http://${outer.address}:${server.port}/mcp`, { method: "DELETE" }));
      expect(answer.status).toBe(403);
    }
    expect(await server.stop()).toBe(0);
  });

  test("a port that is taken is one clear line", async () => {
    const server = await start();
    const second = start(["--port", String(server.port)]);
    await expect(second).rejects.toThrow(new RegExp(`\\nmcp-chat: .*${server.port}.*\\n$`));
  });
});

test("the log holds no token and nothing a stranger wrote, not even at its most talkative", async () => {
  const server = await start(["--log-level", "debug", "--grace-seconds", "0.2"]);
  const ann = await RawSession.open(server.url);
  const bob = new RawModern(server.url);
  const words = { display_name: "Zaphod", interests: ["heart of gold"], user_id: "beeblebrox" };
  const entered = await ann.call("enter_queue", words);
  await bob.call("enter_queue", { display_name: "Trillian", interests: ["heart of gold"] });
  const stream = await ann.stream();
  await stream.take(1);
  await bob.call("send_message", { message: "six by nine" });
  await bob.call("send_message", { message: `take this ${bob.token}` });
  await bob.call("send_message", { nonsense: "infinite improbability" });
  await bob.call("marvin", {}).catch(String);
  await post(server.url, '{"jsonrpc": "depressed', ann.headers);
  await post(server.url, {}, { "mcp-session-id": "slartibartfast" });
  await stream.close();
  await bob.call("wait_for_message", { timeout_seconds: 5 });
  await ann.end();
  expect(await server.stop()).toBe(0);

  const written = server.stderr + server.stdout;
  const secrets = [
    String(entered.structured.session_token),
    String(bob.token),
    ann.headers["mcp-session-id"] ?? "none",
  ];
  const texts = [
    "Zaphod",
    "heart of gold",
    "beeblebrox",
    "Trillian",
    "six by nine",
    "improbability",
    "marvin",
    "depressed",
    "slartibart",
  ];
  expect([...secrets, ...texts, "mcpc_"].filter((text) => written.includes(text))).toEqual([]);
});
