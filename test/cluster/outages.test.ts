/**
 * Redis ends, stands still or cannot be reached: what was answered is kept, what cannot be done is refused
 * with a time to come back, and the nodes go on by themselves.
 *
 * This file owns what happens to Redis and to the way there.
 */
import { expect } from "bun:test";
import { testWith } from "../support/client-optional.ts";
import { RawModern, RawSession } from "../support/client-raw.ts";
import { Cluster, type ClusterOptions } from "../support/cluster.ts";
import { Party } from "../support/cluster-party.ts";
import { expectAllWell } from "../support/cluster-verdict.ts";
import type { WireKind } from "../support/cluster-wires.ts";
import { REDIS_PROGRAMS } from "../support/redis-server.ts";

const TEST_MS_MAX = 90_000;
/** What an outage must not exceed without anybody being lost. */
const AWAY_MS = 10_000;
const PAIRS: readonly (readonly [WireKind, WireKind])[] = [
  ["v1", "v2-wait"],
  ["v2-legacy", "raw-events"],
  ["raw-push", "raw-wait"],
];

/** A party that talks, to whose cluster something happens; everything is accounted for. */
async function outlive(
  what: (cluster: Cluster, party: Party) => Promise<void>,
  options: Partial<ClusterOptions> = {},
): Promise<void> {
  await using cluster = await Cluster.start({ nodes: 2, ...options });
  await using party = await Party.gather(cluster.url, PAIRS, { pauseMs: 20 });
  party.talk();
  await party.progress(5);
  await what(cluster, party);
  await party.progress(5);
  await expectAllWell(cluster, party);
  for (const { program } of cluster.nodes) {
    expect(await (await fetch(`${program.origin}/healthz`)).json()).toMatchObject({ status: "ok" });
  }
}

testWith(
  REDIS_PROGRAMS,
  "Redis killed and started again on its file, several times, under load",
  () =>
    outlive(async ({ redis }, party) => {
      for (let kill = 0; kill < 4; kill++) {
        await redis.kill();
        await redis.restart();
        await party.progress(5);
      }
    }),
  TEST_MS_MAX,
);

/** What callers and the health check are told while there is no Redis. */
async function isRefused(cluster: Cluster): Promise<void> {
  const refused = await new RawModern(cluster.url).call("enter_queue", { display_name: "Late" });
  expect(refused.refusal).toBe("unavailable");
  const { error } = refused.structured;
  expect(error).toMatchObject({ retry_after_ms: expect.any(Number) });
  const health = await fetch(new URL("/healthz", cluster.url));
  expect(health.status).toBe(503);
}

testWith(
  REDIS_PROGRAMS,
  "Redis away for ten seconds: requests wait or are refused, and all goes on by itself",
  () =>
    outlive(async (cluster, party) => {
      await cluster.redis.kill();
      const away = Bun.sleep(AWAY_MS);
      await isRefused(cluster);
      await away;
      await cluster.redis.restart();
      // Whoever listened goes on listening: no stream was broken.
      await party.progress(5);
      expect(cluster.balancer.broken).toBe(0);
    }),
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "Redis stands still for ten seconds: the same",
  () =>
    outlive(async (cluster, party) => {
      cluster.redis.pause();
      const away = Bun.sleep(AWAY_MS);
      await isRefused(cluster);
      await away;
      cluster.redis.resume();
      await party.progress(5);
      expect(cluster.balancer.broken).toBe(0);
    }),
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a node that alone cannot reach Redis is lost; its users come back elsewhere, and it comes back itself",
  () =>
    outlive(
      async ({ nodes }) => {
        nodes[0]?.relay?.down();
        await Bun.sleep(AWAY_MS);
        nodes[0]?.relay?.up();
      },
      { isRelayed: true },
    ),
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "replies of Redis that get lost lose nothing and double nothing",
  () =>
    outlive(
      async ({ nodes }, party) => {
        for (let cut = 0; cut < 6; cut++) {
          const relay = nodes[cut % 2]?.relay;
          relay?.muffle();
          await Bun.sleep(100);
          relay?.cut();
          await party.progress(2);
        }
      },
      { isRelayed: true },
    ),
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "what arrives at Redis after it was written again is not done twice",
  () =>
    outlive(
      async ({ nodes }, party) => {
        for (let round = 0; round < 4; round++) {
          const relay = nodes[round % 2]?.relay;
          relay?.hold();
          await Bun.sleep(200);
          relay?.cutHeld();
          await party.progress(2);
          relay?.deliver();
          await party.progress(2);
        }
      },
      { isRelayed: true },
    ),
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a node that hears late of what others did waits until it has, before it says that it does not know somebody",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2, isRelayed: true });
    const [here, late] = [cluster.node(0), cluster.node(1)];
    const ann = await RawSession.open(here.program.url);
    late.relay?.hold();
    await ann.call("enter_queue", { display_name: "Ann" });
    const there = new RawSession(late.program.url, ann.headers);
    const asked = there.request("resources/read", { uri: "chat://inbox" });
    const opened = there.stream();
    await Bun.sleep(500);
    late.relay?.deliver();
    expect((await asked).text).toContain("waiting");
    await using stream = await opened;
    await new RawModern(here.program.url).call("enter_queue", {});
    expect((await stream.next()).method).toBe("chatroom.found");
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a Redis that has lost its last second, or everything, has it back from the nodes",
  () =>
    outlive(
      async ({ redis }, party) => {
        for (const bytes of [100, 20_000]) {
          await redis.kill();
          redis.loseTail(bytes);
          await redis.restart();
          await party.progress(5);
        }
        await redis.command("FLUSHALL");
        await party.progress(5);
      },
      { redis: { append: "everysec" } },
    ),
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a Redis that takes nothing more is waited for",
  () =>
    outlive(async ({ redis }) => {
      await redis.command("CONFIG", "SET", "maxmemory", "1mb");
      await Bun.sleep(6000);
      await redis.command("CONFIG", "SET", "maxmemory", "0");
    }),
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "where Redis loses its last second and no node lives, whoever misses something is told",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2, redis: { append: "everysec" } });
    const { redis } = cluster;
    await using party = await Party.gather(cluster.url, PAIRS, { pauseMs: 5 });
    party.talk();
    await party.progress(50);
    await redis.kill();
    await Promise.all(cluster.nodes.map((node) => cluster.kill(node)));
    redis.loseTail(10_000);
    await redis.restart();
    await Promise.all([cluster.add(), cluster.add()]);
    await party.progress(5);
    await party.settle(3000);
    expect(await party.faults({ mayLoseIfTold: true })).toEqual([]);
    expect(await cluster.differences(party.streams())).toEqual([]);
    // Something was lost indeed.
    expect(await party.faults()).not.toEqual([]);
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a node that cannot reach Redis for longer than the grace time lets its users go in time",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2, isRelayed: true, settings: ["--grace-seconds", "12"] });
    await using party = await Party.gather(cluster.url, PAIRS, { pauseMs: 50 });
    // Nobody says anything: who only listens is known by their stream alone. The balancer sends every other attempt
    // to come back to the node that is cut off, so there has to be time for several.
    const { relay } = cluster.node(0);
    relay?.down();
    await Bun.sleep(20_000);
    relay?.up();
    party.talk();
    await party.progress(5);
    await party.settle();
    expect(await party.faults()).toEqual([]);
    expect(await cluster.differences(party.streams())).toEqual([]);
  },
  TEST_MS_MAX,
);
