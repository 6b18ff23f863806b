/**
 * Whatever a seed thinks of happens to nodes, to Redis and to the ways between them, one thing after the
 * other and several at once, while people chat.
 *
 * This file owns the dice. A seed that found something gets a test of its own, by its number.
 */
import { expect } from "bun:test";
import { slowTest } from "../support/client-optional.ts";
import { Cluster, type Node } from "../support/cluster.ts";
import { Party } from "../support/cluster-party.ts";
import { WIRES, type WireKind } from "../support/cluster-wires.ts";
import { Random } from "../support/lobby-random.ts";
import { REDIS_PROGRAMS } from "../support/redis-server.ts";

const NODES_MAX = 4;
/** Longest time for which anything stands still: within the grace time, beyond what a node is waited for. */
const STILL_MS_MAX = 8000;

interface Chaos {
  readonly seed: number;
  readonly pairs: number;
  readonly ms: number;
  readonly pauseMs: number;
}

/** What a blow can hit: everything that nothing is being done to at the moment. */
interface Ring {
  readonly cluster: Cluster;
  readonly random: Random;
  /** Nodes that are whole. */
  readonly standing: readonly Node[];
  readonly isRedisStanding: boolean;
}

/** One thing that happens, and what it hits: nothing else is done to that meanwhile. */
interface Blow {
  readonly name: string;
  readonly weight: number;
  readonly at: "a node" | "Redis" | "the cluster";
  strike(ring: Ring, node: Node): Promise<void>;
}

const still = (random: Random): Promise<void> => Bun.sleep(random.below(STILL_MS_MAX));

const BLOWS: readonly Blow[] = [
  { name: "kill a node", weight: 4, at: "a node", strike: ({ cluster }, node) => cluster.kill(node) },
  {
    name: "stop a node",
    weight: 2,
    at: "a node",
    async strike({ cluster }, node) {
      expect(await cluster.stop(node)).toBe(0);
    },
  },
  {
    name: "add a node",
    weight: 4,
    at: "the cluster",
    async strike({ cluster }) {
      if (cluster.nodes.length < NODES_MAX) await cluster.add();
    },
  },
  {
    name: "a node stands still",
    weight: 2,
    at: "a node",
    async strike({ random }, { program }) {
      program.kill("SIGSTOP");
      await still(random);
      program.kill("SIGCONT");
    },
  },
  {
    name: "a node cannot reach Redis",
    weight: 2,
    at: "a node",
    async strike({ random }, { relay }) {
      relay?.down();
      await still(random);
      relay?.up();
    },
  },
  {
    name: "replies of Redis get lost",
    weight: 2,
    at: "a node",
    async strike({ random }, { relay }) {
      relay?.muffle();
      await Bun.sleep(random.below(500));
      relay?.cut();
    },
  },
  {
    name: "kill Redis",
    weight: 1,
    at: "Redis",
    async strike({ cluster: { redis }, random }) {
      await redis.kill();
      await Bun.sleep(random.below(STILL_MS_MAX / 2));
      await redis.restart();
    },
  },
  {
    name: "Redis stands still",
    weight: 1,
    at: "Redis",
    async strike({ cluster: { redis }, random }) {
      redis.pause();
      await still(random);
      redis.resume();
    },
  },
];

/** What can happen in this ring, by weight. A node is hit only where another one stands. */
function draw({ random, standing, isRedisStanding }: Ring): Blow | undefined {
  const possible = BLOWS.filter(({ at }) => (at === "a node" ? standing.length > 1 : isRedisStanding));
  let left = random.below(possible.reduce((sum, { weight }) => sum + weight, 0) || 1);
  return possible.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

async function survive({ seed, pairs, ms, pauseMs }: Chaos): Promise<void> {
  const random = new Random(seed);
  const kind = (): WireKind => random.pick(WIRES);
  await using cluster = await Cluster.start({ nodes: 3, isRelayed: true });
  const kinds = Array.from({ length: pairs }, () => [kind(), kind()] as const);
  await using party = await Party.gather(cluster.url, kinds, { pauseMs });
  // Seeds of their own: what guests do must not shift what happens to the cluster.
  const whims = new Random(-seed);
  party.mingle(() => 3 + whims.below(30));

  const struck: string[] = [];
  const out = new Set<Node | "Redis">();
  const underWay: Promise<unknown>[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const standing = cluster.nodes.filter((node) => !out.has(node));
    const ring = { cluster, random, standing, isRedisStanding: !out.has("Redis") };
    const blow = draw(ring);
    const node = standing[random.below(standing.length || 1)];
    if (blow !== undefined && node !== undefined) {
      struck.push(blow.name);
      // A node that starts needs Redis: it gives up where there is none.
      const target = blow.at === "a node" ? node : "Redis";
      out.add(target);
      const done = (): boolean => out.delete(target);
      underWay.push(blow.strike(ring, node).then(done, (problem) => struck.push(`failed: ${problem}`)));
    }
    // Often the next blow falls before this one is over.
    await Bun.sleep(random.below(3000));
  }
  await Promise.all(underWay);

  const story = `seed ${seed}: ${struck.join(", ")}`;
  expect(story).not.toContain("failed");
  await party.progress(3).catch((problem: unknown) => {
    throw new Error(`${problem}\n${story}`);
  });
  await party.settle();
  expect([story, ...(await party.faults({ mayEnd: true }))]).toEqual([story]);
  expect([story, ...(await cluster.differences(party.streams()))]).toEqual([story]);
  expect([story, ...cluster.complaints()]).toEqual([story]);
}

/** For longer runs: MCP_CHAT_CHAOS_SEEDS=3,4,5 MCP_CHAT_CHAOS_SECONDS=60. */
const { MCP_CHAT_CHAOS_SEEDS: SEEDS = "1", MCP_CHAT_CHAOS_SECONDS: SECONDS = "15" } = process.env;

for (const seed of SEEDS.split(",").map(Number)) {
  slowTest(
    `whatever happens, every message is accounted for: seed ${seed}`,
    () => survive({ seed, pairs: 15, ms: 1000 * Number(SECONDS), pauseMs: 300 }),
    150_000 + 1000 * Number(SECONDS),
    REDIS_PROGRAMS,
  );
}
