/**
 * The journal in Redis while the way to it breaks, Redis stands still, ends and forgets: what was answered is
 * there once on all nodes, and what was refused is nowhere.
 *
 * This file owns these outages. Servers and networks are real.
 */
import { expect, test } from "bun:test";
import { JournalUnavailable } from "../../src/journal/journal.ts";
import { testWith } from "../support/client-optional.ts";
import { Account, differenceOf } from "../support/journal-account.ts";
import { type OpenedRedisJournal, openRedisJournal } from "../support/journal-redis.ts";
import { Random } from "../support/lobby-random.ts";
import { REDIS_PROGRAMS, RedisServer, type RedisServerOptions } from "../support/redis-server.ts";
import { Relay } from "../support/relay.ts";

interface Scene {
  readonly server: RedisServer;
  readonly relays: readonly Relay[];
  readonly random: Random;
}

/**
 * Three nodes write while things break, each through a network of its own. Then all must have applied the same,
 * and it must be what they were told.
 * @param breaking done again and again for so long, in milliseconds
 * @returns the nodes, closed, to be asked what they have noticed
 */
async function withstand(
  seed: number,
  options: RedisServerOptions,
  ms: number,
  breaking: (scene: Scene) => Promise<void>,
): Promise<readonly OpenedRedisJournal[]> {
  await using server = await RedisServer.start(options);
  const random = new Random(seed);
  const relays = [1, 2, 3].map(() => new Relay(server.port));
  const nodes = await Promise.all(relays.map(({ port }) => openRedisJournal(`redis://127.0.0.1:${port}`)));
  try {
    const account = new Account();
    let isOver = false;
    const writing = nodes.flatMap((node) => [1, 2, 3, 4].map(() => account.write(node, random, () => isOver)));
    for (const end = performance.now() + ms; performance.now() < end; ) await breaking({ server, relays, random });
    isOver = true;
    await Promise.all(writing);
    const [first, ...others] = nodes;
    for (const node of nodes) await node.journal.settled();
    expect(account.faultsOf(first?.ledger.entries ?? [])).toEqual([]);
    for (const node of others) expect(differenceOf(first?.ledger.entries ?? [], node.ledger.entries)).toBeUndefined();
    expect(account.done.size).toBeGreaterThan(1000);
    // One that comes now has the same from Redis.
    await using late = await openRedisJournal(server.url);
    expect(differenceOf(first?.ledger.entries ?? [], late.ledger.entries)).toBeUndefined();
    expect(nodes.flatMap(({ failures, resets }) => [...failures, ...resets])).toEqual([]);
    return nodes;
  } finally {
    for (const node of nodes) await node.journal.close();
    for (const relay of relays) relay.down();
  }
}

/** Seeds that found something once, and a few more. */
const SEEDS = [1, 2];

for (const seed of SEEDS) {
  testWith(REDIS_PROGRAMS, `connections that break before the reply, seed ${seed}`, () => cuts(seed), 60_000);
}

async function cuts(seed: number): Promise<void> {
  const nodes = await withstand(seed, { append: "everysec" }, 6000, async ({ relays, random }) => {
    const relay = relays[random.below(relays.length)];
    // What was written arrives, and nobody hears of it.
    if (random.chance(0.75)) {
      relay?.muffle();
      await Bun.sleep(random.below(20));
    }
    relay?.cut();
    await Bun.sleep(random.below(60));
  });
  const reconnects = nodes.reduce((sum, { journal }) => sum + journal.figures.reconnects, 0);
  expect(reconnects).toBeGreaterThan(50);
}

testWith(
  REDIS_PROGRAMS,
  "a Redis that is killed, keeps everything, and hangs now and then",
  async () => {
    const options: RedisServerOptions = { append: "always", settings: { "enable-debug-command": "yes" } };
    await withstand(3, options, 6000, async ({ server, random }) => {
      const what = random.below(4);
      if (what === 0) await server.command("DEBUG", "SLEEP", "0.7");
      else if (what === 1) await server.command("CLIENT", "KILL", "TYPE", "normal").catch(() => "");
      else {
        await server.kill();
        await Bun.sleep(random.below(200));
        await server.restart();
      }
      await Bun.sleep(300 + random.below(1000));
    });
  },
  60_000,
);

testWith(
  REDIS_PROGRAMS,
  "a Redis that forgets everything: the nodes bring it back",
  async () => {
    const nodes = await withstand(4, {}, 9000, async ({ server, random }) => {
      if (random.chance(0.5)) await server.command("FLUSHALL");
      else {
        await server.kill();
        await server.restart();
      }
      await Bun.sleep(random.below(2500));
    });
    expect(nodes[0]?.notes).toContain("the journal in Redis is whole again");
  },
  60_000,
);

testWith(
  REDIS_PROGRAMS,
  "a Redis that stands still for longer than a connection may be silent",
  async () => {
    let pauses = 0;
    const nodes = await withstand(5, { append: "everysec" }, 6000, async ({ server }) => {
      await Bun.sleep(500);
      server.pause();
      await Bun.sleep(3800);
      server.resume();
      pauses++;
      await Bun.sleep(2000);
    });
    expect(pauses).toBe(1);
    for (const { troubles } of nodes)
      expect(troubles.map(({ message }) => message)).toContain("Redis cannot be reached");
  },
  60_000,
);

testWith(
  REDIS_PROGRAMS,
  "a Redis that stands still for too long: who waits is refused, and told that it may have been done",
  async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await node.append(1);
    server.pause();
    const written = node.append(2);
    const refusal = await written.then(
      () => undefined,
      (problem: unknown) => problem,
    );
    expect(refusal).toBeInstanceOf(JournalUnavailable);
    expect(refusal).toMatchObject({ uncertain: true, retryAfterMs: 2000 });
    expect(node.journal.isReachable).toBe(false);
    // By now the connection is given up: what is asked for now is written nowhere.
    const unwritten = node.append(3).catch((problem: unknown) => problem);
    expect(await unwritten).toMatchObject({ uncertain: false });
    server.resume();
    await node.append(4);
    expect(node.journal.isReachable).toBe(true);
    expect(node.ledger.numbers).not.toContain(3);
    expect(node.ledger.numbers.filter((n) => n !== 2)).toEqual([1, 4]);
  },
  60_000,
);

testWith(
  REDIS_PROGRAMS,
  "what comes twice is applied by whoever asked once, and is told from the first by its number",
  async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await using other = await openRedisJournal(server.url);
    await node.append(1);
    const [id = ""] = (await server.command("XREVRANGE", "{mcp-chat}:journal", "+", "-", "COUNT", "1")).split("\n");
    const text = (await server.command("XRANGE", "{mcp-chat}:journal", id, id)).split("\n").at(-1) ?? "";
    await server.command("XADD", "{mcp-chat}:journal", "*", "turn1", text);
    await node.append(2);
    await other.journal.settled();
    for (const { ledger } of [node, other]) {
      expect(ledger.numbers).toEqual([1, 1, 2]);
      const [first, second] = ledger.entries;
      expect(second?.origin).toEqual({ node: node.journal.node, n: first?.origin?.n ?? 0 });
    }
  },
  20_000,
);

testWith(
  REDIS_PROGRAMS,
  "what was written to a connection that was lost, and arrives after it was written again, counts once",
  async () => {
    await using server = await RedisServer.start();
    const relay = new Relay(server.port);
    await using node = await openRedisJournal(`redis://127.0.0.1:${relay.port}`);
    await node.append(1);
    relay.hold();
    const written = [node.append(2), node.append(3)];
    await Bun.sleep(50);
    relay.cutHeld();
    await Promise.all(written);
    await node.append(4);
    relay.deliver();
    while (node.ledger.entries.length < 6) await Bun.sleep(10);
    expect(node.ledger.numbers).toEqual([1, 2, 3, 4, 2, 3]);
    const account = new Account();
    for (const n of [1, 2, 3, 4]) account.done.add(n);
    expect(account.faultsOf(node.ledger.entries)).toEqual([]);
    relay.down();
  },
  20_000,
);

testWith(
  REDIS_PROGRAMS,
  "a node that is away while the others go on and the stream is trimmed takes up their state",
  async () => {
    await using server = await RedisServer.start();
    const relay = new Relay(server.port);
    await using busy = await openRedisJournal(server.url, { leads: () => true, tailEntriesMax: 50 });
    await using away = await openRedisJournal(`redis://127.0.0.1:${relay.port}`);
    await away.append(1);
    relay.down();
    for (let n = 2; busy.journal.figures.snapshots === 0 || n < 400; n++) await busy.append(n);
    expect(await server.command("EXISTS", "{mcp-chat}:snapshots")).toBe("1");
    relay.up();
    await away.append(1000);
    await busy.journal.settled();
    expect(away.resets).toEqual([false]);
    expect(differenceOf(away.ledger.entries, busy.ledger.entries)).toBeUndefined();
    relay.down();
  },
  30_000,
);

testWith(
  REDIS_PROGRAMS,
  "a node that reads so slowly that the stream is trimmed past its place misses nothing",
  async () => {
    await using server = await RedisServer.start();
    const relay = new Relay(server.port);
    await using busy = await openRedisJournal(server.url, { leads: () => true, tailEntriesMax: 50 });
    await using slow = await openRedisJournal(`redis://127.0.0.1:${relay.port}`);
    await slow.append(1);
    relay.hold();
    for (let n = 2; busy.journal.figures.snapshots === 0 || n < 400; n++) await busy.append(n);
    while (Number(await server.command("XLEN", "{mcp-chat}:journal")) > 300) await Bun.sleep(10);
    // Its connections have been open all the time, and what it had asked for comes first.
    relay.deliver();
    while (slow.ledger.entries.length < busy.ledger.entries.length) await Bun.sleep(10);
    await slow.append(1000);
    await busy.journal.settled();
    expect(slow.resets).toEqual([false]);
    expect(differenceOf(slow.ledger.entries, busy.ledger.entries)).toBeUndefined();
    relay.down();
  },
  30_000,
);

testWith(
  REDIS_PROGRAMS,
  "a node without which the others have gone on knows that it has told what nobody will know of",
  async () => {
    await using server = await RedisServer.start();
    const relay = new Relay(server.port);
    await using away = await openRedisJournal(`redis://127.0.0.1:${relay.port}`);
    await away.append(1);
    relay.down();
    await server.kill();
    await server.restart();
    await using other = await openRedisJournal(server.url);
    await other.append(2);
    relay.up();
    await away.append(3);
    await other.journal.settled();
    expect(away.resets).toEqual([true]);
    for (const { ledger } of [away, other]) expect(ledger.numbers).toEqual([2, 3]);
    relay.down();
  },
  30_000,
);

testWith(
  REDIS_PROGRAMS,
  "more is lost than the nodes remember: they write down their state",
  async () => {
    await using server = await RedisServer.start();
    await using one = await openRedisJournal(server.url, { leads: () => true, tailEntriesMax: 50 });
    await using two = await openRedisJournal(server.url);
    for (let n = 1; one.journal.figures.snapshots === 0; n++) await one.append(n);
    // What came before its snapshot is nothing that a node remembers turn by turn.
    await using late = await openRedisJournal(server.url);
    await one.journal.close();
    await two.journal.close();
    const before = [...late.ledger.numbers];
    await server.command("FLUSHALL");
    await late.append(10_000);
    await using fresh = await openRedisJournal(server.url);
    expect(late.resets).toEqual([]);
    expect(late.ledger.numbers).toEqual([...before, 10_000]);
    expect(differenceOf(fresh.ledger.entries, late.ledger.entries)).toBeUndefined();
    expect(fresh.journal.sessionKey).toEqual(late.journal.sessionKey);
  },
  30_000,
);

test("the account notices what it is there for", () => {
  const account = new Account();
  account.done.add(1).add(2);
  account.refused.add(3);
  const entry = (user: number, n: number) => ({
    at: 1,
    entropy: "",
    origin: { node: "node_a", n },
    command: { type: "end_wait" as const, user, hold: 0, answered: true },
  });
  expect(account.faultsOf([entry(1, 1), entry(1, 1), entry(2, 2)])).toEqual([]);
  expect(account.faultsOf([entry(1, 1), entry(1, 2), entry(3, 3), entry(4, 4)])).toEqual([
    "1 was done 2 times",
    "2 was answered and is lost",
    "3 was refused and was done",
    "nobody knows where 3 comes from",
    "nobody knows where 4 comes from",
  ]);
  expect(differenceOf([entry(1, 1)], [])).toStartWith("entry 0");
});
