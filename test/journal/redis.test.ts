/**
 * The journal in Redis where nothing is amiss, and where Redis says no.
 *
 * This file owns what single nodes and operators see of it. Outages under load are in redis-outages.test.ts.
 */
import { describe, expect } from "bun:test";
import { JournalFault } from "../../src/journal/fault.ts";
import { JournalUnavailable } from "../../src/journal/journal.ts";
import { compactRedis } from "../../src/journal/redis-compaction.ts";
import { PENDING_COMMANDS_MAX } from "../../src/journal-limits.ts";
import { DEADLINE_MS, within } from "../support/client-deadline.ts";
import { testWith } from "../support/client-optional.ts";
import { freePort } from "../support/free-port.ts";
import { differenceOf } from "../support/journal-account.ts";
import { Ledger } from "../support/journal-ledger.ts";
import { type OpenedRedisJournal, openRedisJournal } from "../support/journal-redis.ts";
import { REDIS_PROGRAMS, RedisServer } from "../support/redis-server.ts";
import { Relay } from "../support/relay.ts";

const JOURNAL = "{mcp-chat}:journal";

function redisTest(title: string, body: () => Promise<void>): void {
  testWith(REDIS_PROGRAMS, title, body, 2 * DEADLINE_MS);
}

/** What an append was refused with. */
async function refusalOf(appended: Promise<unknown>): Promise<JournalUnavailable> {
  const problem = await appended.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (problem instanceof JournalUnavailable) return problem;
  throw new Error(`not refused: ${problem}`);
}

/** Looks again and again until something is so. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const look = async (): Promise<void> => {
    while (!isSo()) await Bun.sleep(5);
  };
  await within(what, look());
}

const messagesOf = ({ troubles }: OpenedRedisJournal): string[] => troubles.map(({ message }) => message);

describe("several nodes", () => {
  redisTest("apply the same entries in the same order, each with its origin and the time of Redis", async () => {
    await using server = await RedisServer.start();
    await using one = await openRedisJournal(server.url);
    await using two = await openRedisJournal(server.url);
    const before = Date.now();
    await Promise.all(Array.from({ length: 300 }, (_, n) => (n % 2 === 0 ? one : two).append(n)));
    await one.journal.settled();
    await two.journal.settled();
    expect(differenceOf(one.ledger.entries, two.ledger.entries)).toBeUndefined();
    expect(one.ledger.numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    for (const { at, origin } of one.ledger.entries) {
      expect([one.journal.node, two.journal.node]).toContain(origin?.node ?? "");
      expect(at).toBeWithin(before - 5, Date.now() + 5);
    }
    for (const { node } of [one.journal, two.journal]) expect(node).toMatch(/^node_[A-Za-z0-9_-]{16}$/);
    expect(one.journal.applied).toBe(two.journal.applied);
    // What was asked for at once travelled together.
    expect(one.journal.figures.turns).toBeLessThan(20);
    expect(one.journal.figures.commands).toBe(150);
  });

  redisTest("share the key that seals sessions, and read what anybody wrote once settled", async () => {
    await using server = await RedisServer.start();
    await using one = await openRedisJournal(server.url);
    await using two = await openRedisJournal(server.url);
    expect(two.journal.sessionKey).toEqual(one.journal.sessionKey);
    expect(one.journal.sessionKey.length).toBe(32);
    for (let n = 0; n < 100; n++) {
      await one.append(n);
      await two.journal.settled();
      expect(two.ledger.numbers.at(-1)).toBe(n);
    }
  });

  redisTest("hear what another whispers, and no rubbish", async () => {
    await using server = await RedisServer.start();
    await using one = await openRedisJournal(server.url);
    await using two = await openRedisJournal(server.url);
    const heard: unknown[] = [];
    for (const { journal } of [one, two]) {
      journal.onWhisper((topic, message) => heard.push([journal === one.journal ? "one" : "two", topic, message]));
    }
    for (const rubbish of ["", "[", "{}", "[1,2,3]", '["x"]', `["x","y","${"z".repeat(5000)}"]`]) {
      await server.command("PUBLISH", "{mcp-chat}:whispers:0", rubbish);
    }
    one.journal.whisper("typing", { user: 1, isTyping: true });
    one.journal.whisper("long", "x".repeat(10_000));
    two.journal.whisper("typing", null);
    await until("both have heard", () => heard.length === 2);
    expect(heard).toContainEqual(["two", "typing", { user: 1, isTyping: true }]);
    expect(heard).toContainEqual(["one", "typing", null]);
    // Again after the connection was lost.
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await until("both have connected again", () => {
      one.journal.whisper("again", 1);
      return heard.length > 2;
    });
  });

  redisTest("begin another life when they are told to: what was appended before keeps its origin", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    const first = node.journal.node;
    const old = node.append(1);
    const second = node.journal.renew();
    await Promise.all([old, node.append(2)]);
    expect(second).not.toBe(first);
    expect(node.ledger.entries.map(({ origin }) => origin?.node ?? "")).toEqual([first, second]);
    const [before, after] = node.ledger.entries.map(({ origin }) => origin?.n ?? 0);
    expect(after).toBeGreaterThan(before ?? 0);
  });

  redisTest("use one database each, or the same", async () => {
    await using server = await RedisServer.start();
    await using one = await openRedisJournal(`redis://127.0.0.1:${server.port}/1`);
    await using two = await openRedisJournal(`redis://127.0.0.1:${server.port}/2`);
    await Promise.all([one.append(1), two.append(2)]);
    expect([one.ledger.numbers, two.ledger.numbers]).toEqual([[1], [2]]);
  });
});

describe("a snapshot", () => {
  redisTest("is made by the node that leads, the stream is trimmed, and who comes later begins with it", async () => {
    await using server = await RedisServer.start();
    await using leader = await openRedisJournal(server.url, { leads: () => true, tailEntriesMax: 100 });
    await using other = await openRedisJournal(server.url, { tailEntriesMax: 100 });
    for (let n = 0; n < 1000; n++) await (n % 2 === 0 ? leader : other).append(n);
    await until("there are two snapshots", () => leader.journal.figures.snapshots >= 2);
    const length = Number(await server.command("XLEN", JOURNAL));
    expect(length).toBeLessThan(800);
    await using late = await openRedisJournal(server.url);
    await leader.append(1000);
    await late.journal.settled();
    expect(differenceOf(late.ledger.entries, leader.ledger.entries)).toBeUndefined();
    expect(late.journal.figures.entries).toBeLessThan(900);
    expect(other.journal.figures.snapshots).toBe(0);
    expect([messagesOf(leader), other.resets, leader.resets].flat()).toEqual(expect.not.arrayContaining([true, false]));
    // Of older ones nothing stays but the one before.
    expect(Number(await server.command("ZCARD", "{mcp-chat}:snapshots"))).toBeLessThanOrEqual(2);
    expect((await server.command("KEYS", "{mcp-chat}:snapshot:*")).split("\n").length).toBeLessThanOrEqual(2);
  });

  redisTest("that does not give what the node has is not kept, and nothing is trimmed for it", async () => {
    await using server = await RedisServer.start();
    const compact = async (id: string): Promise<void> => compactRedis(server.url, id, 12_345, new Ledger());
    await using leader = await openRedisJournal(server.url, { leads: () => true, tailEntriesMax: 50, compact });
    for (let n = 0; n < 60; n++) await leader.append(n);
    await until("it has failed", () => leader.journal.figures.snapshotFailures === 1);
    expect(messagesOf(leader).at(-1)).toContain("does not give what it gave on the node");
    expect(await server.command("EXISTS", "{mcp-chat}:snapshots")).toBe("0");
    expect(await server.command("XLEN", JOURNAL)).toBe("61");
  });

  redisTest("that is damaged, cut short or newer stops a node from starting, in one line", async () => {
    await using server = await RedisServer.start();
    await using leader = await openRedisJournal(server.url, { leads: () => true, tailEntriesMax: 50 });
    for (let n = 0; n < 60; n++) await leader.append(n);
    await until("there is one", () => leader.journal.figures.snapshots === 1);
    await leader.journal.close();
    const key = await server.command("KEYS", "{mcp-chat}:snapshot:*");
    const id = key.slice(key.lastIndexOf(":") + 1);
    const whole = await server.command("LINDEX", key, "0");
    const tries: readonly (readonly [text: string, why: string])[] = [
      [whole.replace('"user":3', '"user":4'), "is damaged"],
      [whole.slice(0, 2000), "is damaged"],
      [whole.replace('"rows":1', '"rows":9'), "was written by a newer version of mcp-chat"],
      ["{}", "is no snapshot"],
    ];
    for (const [text, why] of tries) {
      await server.command("LSET", key, "0", `${text}\n`);
      await expect(openRedisJournal(server.url)).rejects.toThrow(new JournalFault(`snapshot ${id} in Redis ${why}`));
    }
    await server.command("LSET", key, "0", `${whole}\n`);
    await using again = await openRedisJournal(server.url);
    expect(again.ledger.numbers).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });
});

describe("a start is refused, in one line,", () => {
  const starts: readonly (readonly [title: string, url: (server: RedisServer) => string, says: string])[] = [
    ["if nobody listens", () => `redis://127.0.0.1:${freePort()}`, "nobody listens there"],
    ["if there is no such host", () => "redis://nobody.invalid", "there is no such host"],
    ["without the password", ({ port }) => `redis://127.0.0.1:${port}`, "see user name, password"],
    ["with a wrong one", ({ port }) => `redis://:wrong-secret@127.0.0.1:${port}`, "see user name, password"],
    ["if there is no such database", ({ url }) => url.replace(/0$/, "99"), "it has no database 99"],
    ["if it is no address", () => "http://127.0.0.1", "is to be like redis://host:6379/0"],
    ["if the database is no number", ({ url }) => url.replace(/0$/, "one"), "is to be like redis://host:6379/0"],
  ];
  for (const [title, url, says] of starts) {
    redisTest(title, async () => {
      await using server = await RedisServer.start({ settings: { requirepass: "right-secret" } });
      const problem: unknown = await openRedisJournal(url(server)).catch((reason: unknown) => reason);
      expect(problem).toBeInstanceOf(JournalFault);
      expect(String(problem)).toContain(says);
      expect(String(problem)).not.toMatch(/secret|\n/);
    });
  }

  redisTest("if something else lies where the journal should", async () => {
    await using server = await RedisServer.start();
    await server.command("SET", JOURNAL, "mine");
    await expect(openRedisJournal(server.url)).rejects.toThrow("{mcp-chat}:journal in database 0 is not mcp-chat's");
  });

  redisTest("if a newer version has written to the journal; and a node that runs stops", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await node.append(1);
    await server.command("XADD", JOURNAL, "*", "turn2", "{}");
    await until("it has stopped", () => node.failures.length === 1);
    expect(String(node.failures[0])).toContain("written by a newer version of mcp-chat");
    await refusalOf(node.append(2));
    await expect(openRedisJournal(server.url)).rejects.toThrow("written by a newer version of mcp-chat");
  });
});

describe("a Redis that takes nothing", () => {
  redisTest("as its memory is full: callers are refused at once, posts wait, and it goes on by itself", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await node.append(1);
    await server.command("CONFIG", "SET", "maxmemory", "1");
    node.post(2);
    const refusal = await refusalOf(node.append(3));
    expect(refusal).toMatchObject({ uncertain: false, retryAfterMs: 2000 });
    expect(messagesOf(node)).toContain("Redis takes nothing: OOM");
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await node.append(4);
    expect(node.ledger.numbers.toSorted()).toEqual([1, 2, 4]);
    expect(node.notes).toContain("Redis takes entries again");
    expect(node.journal.isReachable).toBe(true);
  });

  redisTest("as it has become a replica: who asks waits until it is a master again", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await node.append(1);
    await server.command("REPLICAOF", "127.0.0.1", String(freePort()));
    const waiting = node.append(2);
    await until("it has noticed", () => node.journal.figures.reconnects > 0);
    await server.command("REPLICAOF", "NO", "ONE");
    await waiting;
    expect(node.ledger.numbers).toEqual([1, 2]);
  });

  redisTest("as the user may not: nothing is done", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await server.command("ACL", "SETUSER", "default", "-xadd");
    expect(await refusalOf(node.append(1))).toMatchObject({ uncertain: false });
    await server.command("ACL", "SETUSER", "default", "+xadd");
    await node.append(2);
    expect(node.ledger.numbers).toEqual([2]);
  });

  redisTest("as the journal is something else now: nothing is done, and it is said why", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await node.append(1);
    await server.command("DEL", JOURNAL);
    await server.command("SET", JOURNAL, "mine");
    await refusalOf(node.append(2));
    expect(messagesOf(node).join()).toContain("WRONGTYPE");
    await server.command("DEL", JOURNAL);
    await node.append(3);
    expect(node.ledger.numbers).toEqual([1, 3]);
  });

  redisTest("as it is out of reach: so much may wait, and not more", async () => {
    await using server = await RedisServer.start();
    const relay = new Relay(server.port);
    await using node = await openRedisJournal(`redis://127.0.0.1:${relay.port}`);
    await node.append(0);
    relay.down();
    await until("it has noticed", () => !node.journal.isReachable);
    const waiting = Array.from({ length: PENDING_COMMANDS_MAX }, (_, n) => node.append(n + 1));
    const late = await refusalOf(node.append(-5));
    expect(late).toMatchObject({ uncertain: false });
    for (let n = 0; n < PENDING_COMMANDS_MAX; n++) node.post(-6);
    expect(node.resets).toEqual([]);
    // One more, and all of them are given up, but nobody who waits.
    node.post(-7);
    expect(node.resets).toEqual([false]);
    relay.up();
    await Promise.all(waiting);
    expect(node.ledger.numbers).toEqual(Array.from({ length: PENDING_COMMANDS_MAX + 1 }, (_, n) => n));
    relay.down();
  });
});

describe("a node", () => {
  redisTest("loads the state anew when it is told to", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    for (let n = 0; n < 10; n++) await node.append(n);
    node.ledger.entries.splice(3, 2);
    await node.journal.reload();
    expect(node.ledger.numbers).toEqual(Array.from({ length: 10 }, (_, n) => n));
    expect(node.resets).toEqual([false]);
    await node.append(10);
    expect(messagesOf(node).filter((line) => line.includes("reached"))).toEqual([]);
  });

  redisTest("goes on when applying an entry of another fails, and reports it", async () => {
    await using server = await RedisServer.start();
    await using one = await openRedisJournal(server.url);
    await using two = await openRedisJournal(server.url);
    two.journal.follow((entry) => {
      if (entry.command.type === "end_wait" && entry.command.user === 1) throw new Error("a bug");
      two.ledger.apply(entry);
    });
    await one.append(1);
    await one.append(2);
    await two.journal.settled();
    expect(two.ledger.numbers).toEqual([2]);
    expect(messagesOf(two).at(-1)).toStartWith("an entry could not be applied");
  });

  redisTest("that comes when Redis was started anew says whether the end may be missing", async () => {
    for (const append of ["always", "everysec"] as const) {
      await using server = await RedisServer.start({ append });
      await using first = await openRedisJournal(server.url);
      expect(first.journal.mayLackEnd).toBe(false);
      await first.append(1);
      await using beside = await openRedisJournal(server.url);
      expect(beside.journal.mayLackEnd).toBe(false);
      await first.journal.close();
      await beside.journal.close();
      await using sameRedis = await openRedisJournal(server.url);
      expect(sameRedis.journal.mayLackEnd).toBe(false);
      await sameRedis.journal.close();
      await server.kill();
      await server.restart();
      await using later = await openRedisJournal(server.url);
      expect(later.journal.mayLackEnd).toBe(append === "everysec");
      expect(later.ledger.numbers).toEqual([1]);
      await later.journal.close();
    }
  });

  redisTest("writes what was posted before it closes, and refuses everything afterwards", async () => {
    await using server = await RedisServer.start();
    await using other = await openRedisJournal(server.url);
    const node = await openRedisJournal(server.url);
    node.post(1);
    await node.journal.close();
    await other.journal.settled();
    expect(other.ledger.numbers).toEqual([1]);
    expect(await refusalOf(node.append(2))).toMatchObject({ uncertain: false });
    expect(node.journal.isReachable).toBe(false);
  });

  redisTest("is not held up by an entry that somebody else has put into the stream", async () => {
    await using server = await RedisServer.start();
    await using node = await openRedisJournal(server.url);
    await server.command("XADD", JOURNAL, "*", "turn1", "no JSON");
    await server.command("XADD", JOURNAL, "*", "something", "else");
    await node.append(1);
    expect(node.ledger.numbers).toEqual([1]);
    expect(messagesOf(node).filter((line) => line.includes("makes no sense"))).toHaveLength(2);
  });
});
