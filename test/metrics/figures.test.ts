/**
 * The figures of a server against a conversation that the test holds over HTTP, and what the page may never
 * show.
 *
 * This file owns the promises of src/metrics/ as a whole.
 */

import { describe, expect, test } from "bun:test";
import { createHttpServer, type HttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { createMetrics, type Metrics, type MetricsOptions } from "../../src/metrics/metrics.ts";
import { ChatWorld } from "../support/chat-world.ts";
import { pairUp, RawModern, RawSession, RawStream } from "../support/client-raw.ts";
import { SESSION_KEY } from "../support/http-fixture.ts";
import { until } from "../support/http-stream.ts";
import { UNLIMITED } from "../support/lobby-rates.ts";
import { type Family, readPrometheusText } from "../support/prometheus-text.ts";

/** A chat over HTTP whose clock stands still, and its figures. */
class MeteredHouse implements AsyncDisposable {
  readonly world: ChatWorld;
  readonly http: HttpServer;
  readonly #metrics: Metrics;

  constructor(
    world = new ChatWorld(),
    options: Partial<HttpServerOptions> = {},
    metrics: Partial<MetricsOptions> = {},
  ) {
    this.world = world;
    const { server } = world;
    this.#metrics = createMetrics({
      version: "1.2.3",
      host: server.host,
      streamsMax: 100,
      handedOut: () => server.handedOut,
      journal: () => ({ entries: 7, commits: 3, commitSeconds: 0.25, tailEntries: 2 }),
      ...metrics,
    });
    this.http = createHttpServer({
      host: "127.0.0.1",
      port: 0,
      definition: this.#metrics.metered(server.definition),
      metrics: this.#metrics.page,
      sessionKey: SESSION_KEY,
      allowedHosts: [],
      allowedOrigins: [],
      accessToken: undefined,
      isLiveUserToken: server.isLiveToken,
      streamsMax: 100,
      stopMs: 200,
      log: { error: (message) => process.stderr.write(`${message}\n`) },
      ...options,
    });
  }

  get mcp(): string {
    return `${this.http.url}/mcp`;
  }

  async text(): Promise<string> {
    const response = await fetch(`${this.http.url}/metrics`);
    expect(response.status).toBe(200);
    return await response.text();
  }

  async families(): Promise<Map<string, Family>> {
    return readPrometheusText(await this.text());
  }

  /** Values of samples, by the sample without `mcp_chat_`. */
  async figures(...names: string[]): Promise<(number | undefined)[]> {
    const samples = [...(await this.families()).values()].flatMap((family) => [...family.samples]);
    const byName = new Map(samples);
    return names.map((name) => byName.get(`mcp_chat_${name}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http.stop();
    this.#metrics.stop();
  }
}

describe("the page", () => {
  test("is well-formed, and its families are named as they should be", async () => {
    await using house = new MeteredHouse();
    const families = await house.families();
    expect(families.size).toBeGreaterThan(35);
    for (const [name, { type, help }] of families) {
      expect(name).toMatch(/^(?:mcp_chat|process)_[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(help).toMatch(/^[A-Z][ -~]*\.$/);
      expect(name).not.toMatch(/_(?:ms|milliseconds|kib|mib|minutes)(?:_|$)/);
    }
  });

  test("every label has its values from the beginning, and no conversation adds one", async () => {
    await using house = new MeteredHouse();
    const series = async () => [...(await house.families()).values()].flatMap(({ samples }) => [...samples.keys()]);
    const before = await series();
    expect(before.length).toBeLessThan(400);
    for (let n = 0; n < 20; n++) {
      const [ann, bob] = [new RawModern(house.mcp), new RawModern(house.mcp)];
      const room = await pairUp(ann, bob);
      await ann.call("send_message", { message: `Marmalade ${n}`, client_message_id: `m${n}` });
      await ann.call("send_message", { message: "x", room_id: `${room}x` });
      await ann.call("report_partner", { category: "spam", details: "Marmalade" });
      await ann.call("enter_queue", { user_id: `marmalade${n}`, surprise: 1 });
      await fetch(`${house.http.url}/marmalade/${n}`, { method: "MARMALADE" });
      await fetch(house.mcp, { method: "PATCH" });
    }
    expect(await series()).toEqual(before);
    const text = (await house.text()).toLowerCase();
    const { users, rooms, reports } = house.world.lobby;
    const ids = [...users.values()].map(({ userId }) => userId);
    expect(ids.length).toBe(40);
    for (const secret of [...ids, ...rooms.keys(), ...reports.keys(), "marmalade", "mcpc_", "127.0.0.1"]) {
      expect(text.includes(secret.toLowerCase())).toBe(false);
    }
  });
});

describe("figures", () => {
  test("of a conversation", async () => {
    await using house = new MeteredHouse();
    const [ann, bob] = [new RawModern(house.mcp), new RawModern(house.mcp)];
    await ann.call("enter_queue", { display_name: "Ann" });
    expect(await house.figures("users_waiting", "users", "rooms_open")).toEqual([1, 1, 0]);
    await house.world.clock.pass(7000);
    await bob.call("enter_queue", { display_name: "Bob" });
    const waits = [0.1, 5, 10].map((bound) => `wait_seconds_bucket{le="${bound}"}`);
    expect(await house.figures(...waits, "wait_seconds_sum", "wait_seconds_count")).toEqual([1, 1, 2, 7, 2]);
    expect(await house.figures("users_waiting", "users", "users_created_total")).toEqual([0, 2, 2]);
    expect(await house.figures('matches_total{by="queue"}', 'matches_total{by="code"}')).toEqual([1, 0]);
    expect(await house.figures("rooms_open", "messages_total")).toEqual([1, 0]);

    const say = { message: "hello", client_message_id: "1" };
    await ann.call("send_message", say);
    await ann.call("send_message", say);
    await ann.call("send_message", { message: "again" });
    await bob.call("wait_for_message");
    expect(await house.figures("messages_total", "mailbox_events_total")).toEqual([2, 4]);
    expect(await house.figures('events_delivered_total{by="call"}')).toEqual([3]);
    const [bytes = 0, transcript = 0] = await house.figures("mailbox_bytes", "transcript_bytes");
    expect([bytes, transcript]).toEqual([house.world.lobby.mailboxBytes, house.world.lobby.transcriptBytes]);
    expect(Math.min(bytes, transcript)).toBeGreaterThan(0);

    await ann.call("leave_chat");
    await ann.call("send_message", say);
    expect(await house.figures("rooms_open", 'rooms_closed_total{reason="left"}', "messages_total")).toEqual([0, 1, 2]);
    const calls = (tool: string, outcome: string) => `tool_calls_total{tool="${tool}",outcome="${outcome}"}`;
    expect(await house.figures(calls("send_message", "done"), calls("send_message", "refused"))).toEqual([4, 0]);
    await ann.call("send_message", { message: "anybody?" });
    await ann.call("send_message", { message: "" });
    await ann.call("leave_queue", { surprise: true });
    expect(
      await house.figures(
        calls("send_message", "refused"),
        'refusals_total{code="not_in_room"}',
        'refusals_total{code="message_empty"}',
        'refusals_total{code="invalid_arguments"}',
      ),
    ).toEqual([2, 1, 1, 1]);
  });

  test("of a meeting by code, of blocks, reports and bans", async () => {
    await using house = new MeteredHouse();
    const [ann, bob] = [new RawModern(house.mcp), new RawModern(house.mcp)];
    await ann.call("join_room", { room_code: "marmalade" });
    await bob.call("join_room", { room_code: "marmalade" });
    const matches = ['matches_total{by="queue"}', 'matches_total{by="code"}', "wait_seconds_count"];
    expect(await house.figures(...matches)).toEqual([0, 1, 0]);
    await bob.call("report_partner", { category: "spam" });
    await pairUp(ann, new RawModern(house.mcp));
    await ann.call("block_partner");
    const told = ["reports_total", "blocks_total", 'rooms_closed_total{reason="blocked"}', "bans"];
    expect(await house.figures(...told)).toEqual([1, 1, 2, 0]);
    const userId = [...house.world.lobby.users.values()][0]?.userId ?? "";
    const ban = { type: "ban", target: { kind: "user", userId } } as const;
    house.world.server.host.post({ type: "operate", act: ban });
    expect((await ann.call("enter_queue")).refusal).toBe("banned");
    expect(await house.figures("bans", 'refusals_total{code="banned"}')).toEqual([1, 1]);
  });

  test("of who goes: out of the queue, and for good", async () => {
    const world = new ChatWorld({ retainUserMs: 900_000 });
    await using house = new MeteredHouse(world);
    const ann = new RawModern(house.mcp);
    await ann.call("enter_queue");
    await world.clock.pass(60_000);
    await ann.call("leave_queue");
    const bob = new RawModern(house.mcp);
    await bob.call("enter_queue");
    await world.clock.pass(1000);
    await ann.call("enter_queue");
    expect(await house.figures("wait_seconds_sum", "wait_seconds_count")).toEqual([1, 2]);
    await world.clock.pass(2_000_000);
    expect(await house.figures("users", "users_forgotten_total", "users_online", "rooms_open")).toEqual([0, 2, 0, 0]);
  });

  test("of a lobby that was there before anybody counted", async () => {
    const world = new ChatWorld();
    const { ann } = await world.pair();
    await world.ask("leave_chat", { session_token: ann });
    await world.pair();
    await world.ask("enter_queue");
    await world.clock.pass(50_000);
    await using house = new MeteredHouse(world);
    await new RawModern(house.mcp).call("enter_queue");
    // How long the first one has waited is not known; the second one found somebody at once.
    expect(await house.figures("rooms_open", "wait_seconds_count", "wait_seconds_sum")).toEqual([2, 1, 0]);
  });

  test("of streams and of what they deliver", async () => {
    await using house = new MeteredHouse();
    const [ann, bob] = [await RawSession.open(house.mcp), new RawModern(house.mcp)];
    await using stream = await ann.stream();
    const counts = ["streams_open", "streams_opened_total", 'streams_closed_total{reason="client"}'];
    expect(await house.figures(...counts, "streams_max")).toEqual([1, 1, 0, 100]);
    await pairUp(ann, bob);
    await bob.call("send_message", { message: "hello" });
    await stream.take(2);
    const told = ['events_delivered_total{by="push"}', "sessions_bound", "users_online"];
    expect(await house.figures(...told)).toEqual([2, 1, 2]);
    await stream.close();
    await until(() => house.http.counts.streams === 0);
    expect(await house.figures(...counts)).toEqual([0, 1, 1]);

    await using ending = await RawStream.open(house.mcp, ann.headers);
    await ann.end();
    await ending.over;
    expect(await house.figures("streams_open", 'streams_closed_total{reason="server"}')).toEqual([0, 1]);
  });

  test("of MCP Events and of held calls", async () => {
    await using house = new MeteredHouse();
    const [ann, bob] = [new RawModern(house.mcp), new RawModern(house.mcp)];
    await ann.call("enter_queue");
    const held = ann.call("wait_for_message", { timeout_seconds: 20 });
    await until(() => house.http.counts.held === 1);
    expect(await house.figures("calls_held", "users_online")).toEqual([1, 1]);
    await bob.call("enter_queue");
    expect((await held).isError).toBe(false);
    const waited = 'tool_calls_total{tool="wait_for_message",outcome="done"}';
    expect(await house.figures("calls_held", 'events_delivered_total{by="call"}', waited)).toEqual([0, 1, 1]);
    const bearer = new RawModern(house.mcp, { authorization: `Bearer ${bob.token}` });
    const polled = await bearer.request("events/poll", { name: "chat.activity", arguments: {}, cursor: null });
    expect(polled.status).toBe(200);
    const from = { cursor: (polled.message.result as { cursor: string }).cursor };
    await ann.call("send_message", { message: "hello" });
    await bearer.request("events/poll", { name: "chat.activity", arguments: {}, ...from });
    expect(await house.figures('events_delivered_total{by="events"}')).toEqual([1]);
  });

  test("of requests, by kind and status, and of those that were too many", async () => {
    const few = { ...UNLIMITED, entries: { perSecond: 0.001, burst: 1 } };
    await using house = new MeteredHouse(new ChatWorld({ rates: few }));
    const ann = new RawModern(house.mcp);
    await ann.call("enter_queue");
    await ann.call("leave_queue");
    expect((await ann.call("enter_queue")).refusal).toBe("rate_limited");
    await fetch(house.mcp, { method: "OPTIONS" });
    await fetch(house.mcp, { method: "POST", body: "{" });
    await fetch(house.mcp, { headers: { accept: "text/event-stream" } });
    await fetch(house.mcp, { method: "PUT" });
    await fetch(`${house.http.url}/healthz`);
    await fetch(`${house.http.url}/nowhere`);
    const requests = (kind: string, status: string) => `http_requests_total{kind="${kind}",status="${status}"}`;
    expect(
      await house.figures(
        requests("post", "2xx"),
        requests("post", "4xx"),
        requests("options", "2xx"),
        requests("get", "4xx"),
        requests("health", "2xx"),
        requests("other", "4xx"),
        requests("metrics", "2xx"),
        'refusals_total{code="rate_limited"}',
        "http_rate_limited_total",
      ),
    ).toEqual([3, 1, 1, 1, 1, 2, 0, 1, 0]);
    expect(await house.figures(requests("metrics", "2xx"))).toEqual([1]);
  });

  test("of addresses that begin too many sessions", async () => {
    const perAddress = { sessionsPerMinute: 0.001, sessionsBurst: 1, streams: 0 };
    await using house = new MeteredHouse(undefined, { trustedProxies: ["127.0.0.1"], perAddress });
    const open = () => RawSession.open(house.mcp, "2025-11-25", { "x-forwarded-for": "198.51.100.1" });
    await open();
    await expect(open()).rejects.toThrow("429");
    expect(await house.figures("http_rate_limited_total")).toEqual([1]);
  });

  test("of the journal and of the process", async () => {
    await using house = new MeteredHouse();
    const journal = ["entries_total", "commit_seconds_sum", "commit_seconds_count", "tail_entries"];
    expect(await house.figures(...journal.map((name) => `journal_${name}`))).toEqual([7, 0.25, 3, 2]);
    const families = await house.families();
    expect([...(families.get("mcp_chat_build_info")?.samples ?? [])]).toEqual([
      [`mcp_chat_build_info{version="1.2.3",runtime="bun ${Bun.version}"}`, 1],
    ]);
    const startedAt = families.get("process_start_time_seconds")?.samples.get("process_start_time_seconds") ?? 0;
    expect(Math.abs(Date.now() / 1000 - startedAt)).toBeLessThan(3600);
    const resident = families.get("process_resident_memory_bytes")?.samples.get("process_resident_memory_bytes") ?? 0;
    expect(resident).toBeGreaterThan(10 * 2 ** 20);
  });

  test("of a node of several, and of the journal they share", async () => {
    const node = { nodes: 3, isReachable: true, lives: 2, differences: 4, reloads: 1, disregarded: 5, settled: 6 };
    const sharedJournal = { entries: 70, commands: 30, appendMs: 1500, pending: 8, tailEntries: 9, reconnects: 10 };
    const own = { journal: undefined, node: () => node, sharedJournal: () => sharedJournal };
    await using house = new MeteredHouse(undefined, {}, own);
    const cluster = ["nodes", "lives_total", "mark_differences_total", "reloads_total", "disregarded_total"];
    expect(await house.figures(...cluster.map((name) => `cluster_${name}`), "cluster_settled_waits_total")).toEqual([
      ...[3, 2, 4, 1, 5, 6],
    ]);
    const journal = ["reachable", "entries_total", "append_seconds_sum", "append_seconds_count", "pending"];
    expect(await house.figures(...journal.map((name) => `journal_${name}`))).toEqual([1, 70, 1.5, 30, 8]);
    expect(await house.figures("journal_tail_entries", "journal_reconnects_total")).toEqual([9, 10]);
  });

  test("of an event loop that something keeps busy", async () => {
    await using house = new MeteredHouse();
    const slow = async (): Promise<number> => {
      const [all = 0, quick = 0] = await house.figures(
        'event_loop_lag_seconds_bucket{le="+Inf"}',
        'event_loop_lag_seconds_bucket{le="0.1"}',
      );
      return all - quick;
    };
    const before = await slow();
    const busyUntil = performance.now() + 250;
    while (performance.now() < busyUntil);
    let after = before;
    for (let looks = 0; looks < 100 && after === before; looks++) after = await slow();
    expect(after).toBeGreaterThan(before);
  });
});
