/**
 * Nodes come and go while people chat through one address: killed, added, stopped, standing still. Nobody
 * loses a message or a partner.
 *
 * This file owns what happens to nodes; what happens to Redis is in outages.test.ts.
 */
import { expect } from "bun:test";
import { z } from "zod";
import { connect, type Outcome } from "../support/client-flavours.ts";
import { slowTest, testWith } from "../support/client-optional.ts";
import { pairUp, RawModern, RawSession } from "../support/client-raw.ts";
import { Cluster } from "../support/cluster.ts";
import { Party } from "../support/cluster-party.ts";
import { expectAllWell } from "../support/cluster-verdict.ts";
import { WIRES, type WireKind } from "../support/cluster-wires.ts";
import { REDIS_PROGRAMS } from "../support/redis-server.ts";

const TEST_MS_MAX = 60_000;

const person = z.object({ user_id: z.string() });
const statusSchema = z.object({ user: person, room: z.object({ room_id: z.string(), partner: person }) });

/** So many pairs; every kind of client speaks to every other one, if there are pairs enough. */
function pairsOf(count: number, kinds: readonly WireKind[] = WIRES): (readonly [WireKind, WireKind])[] {
  const at = (i: number): WireKind => kinds[i % kinds.length] ?? "v1";
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1 + Math.floor(i / kinds.length))]);
}

/** Three nodes, of which one is killed and one is added while so many pairs chat. */
async function killOneAddOne(pairs: number, pauseMs: number, rounds: number): Promise<void> {
  await using cluster = await Cluster.start({ nodes: 3 });
  await using party = await Party.gather(cluster.url, pairsOf(pairs), { pauseMs });
  party.talk();
  for (let round = 0; round < rounds; round++) {
    await party.progress(2);
    // Not always the oldest, which leads.
    await cluster.kill(cluster.node(round % 3));
    await party.progress(2);
    await cluster.add();
  }
  await party.progress(2);
  await expectAllWell(cluster, party);
  expect(cluster.balancer.broken).toBeGreaterThan(0);
}

testWith(
  REDIS_PROGRAMS,
  "three nodes, of which one is killed and one is added, again and again: every message is accounted for",
  () => killOneAddOne(12, 50, 3),
  TEST_MS_MAX,
);

slowTest(
  "three nodes, of which one is killed and one is added while 200 pairs chat",
  () => killOneAddOne(200, 1000, 1),
  240_000,
  REDIS_PROGRAMS,
);

testWith(
  REDIS_PROGRAMS,
  "a balancer that sends on what a killed node did not answer doubles nothing",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2 });
    cluster.balancer.isHasty = true;
    await using party = await Party.gather(cluster.url, pairsOf(6), { pauseMs: 5 });
    party.talk();
    for (let round = 0; round < 3; round++) {
      await party.progress(5);
      await Promise.all([cluster.kill(cluster.node(0)), cluster.add()]);
    }
    await expectAllWell(cluster, party);
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a rolling restart: one node after the other ends politely and another comes, under load",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2 });
    await using party = await Party.gather(cluster.url, pairsOf(6), { pauseMs: 20 });
    party.talk();
    for (const node of [...cluster.nodes]) {
      await cluster.add();
      await party.progress(2);
      expect(await cluster.stop(node)).toBe(0);
      await party.progress(2);
    }
    await expectAllWell(cluster, party);
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "from one node to four and back to one",
  async () => {
    await using cluster = await Cluster.start({ nodes: 1 });
    await using party = await Party.gather(cluster.url, pairsOf(6), { pauseMs: 20 });
    party.talk();
    while (cluster.nodes.length < 4) {
      await cluster.add();
      await party.progress(3);
    }
    while (cluster.nodes.length > 1) {
      await cluster.stop(cluster.node(0));
      await party.progress(3);
    }
    await expectAllWell(cluster, party);
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a node that stands still for longer than the others wait is lost, and comes back by itself",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2 });
    await using party = await Party.gather(cluster.url, pairsOf(6), { pauseMs: 50 });
    party.talk();
    await party.progress(3);
    const { program } = cluster.node(0);
    program.kill("SIGSTOP");
    await Bun.sleep(7000);
    program.kill("SIGCONT");
    await party.progress(5);
    await expectAllWell(cluster, party);
    expect(await (await fetch(`${program.origin}/healthz`)).json()).toMatchObject({ status: "ok" });
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "the last node is killed as well: the next one finds everything",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2 });
    await using party = await Party.gather(cluster.url, pairsOf(6), { pauseMs: 20 });
    party.talk();
    await party.progress(5);
    await Promise.all(cluster.nodes.map((node) => cluster.kill(node)));
    await Promise.all([cluster.add(), cluster.add()]);
    await party.progress(5);
    await expectAllWell(cluster, party);
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "official clients as they come out of the box go on when the node of their stream is killed",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2 });
    await using ann = await connect("v1", cluster.url);
    await using bob = await connect("v2-legacy", cluster.url);
    for (const one of [ann, bob]) await one.enter({ interests: ["boxes"] });
    for (const one of [ann, bob]) expect((await one.hear()).name).toBe("chatroom.found");
    // Each of the first two nodes in turn, so that every stream breaks once.
    for (const text of ["one", "two"]) {
      await cluster.add();
      await cluster.kill(cluster.node(0));
      const send = (): Promise<Outcome> => ann.send(text, `id of ${text}`);
      expect((await send().catch(send)).structuredContent).toMatchObject({ success: true });
      expect((await bob.hear()).data.message).toBe(text);
      await bob.send(`${text} to you`, `id of ${text}`).catch(() => bob.send(`${text} to you`, `id of ${text}`));
      expect((await ann.hear()).data.message).toBe(`${text} to you`);
    }
    for (const one of [ann, bob]) expect(await one.resumptions()).toBeGreaterThan(0);
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "who does not come back from a killed node is gone after the grace time, and the partner is told; who does is not missed",
  async () => {
    await using cluster = await Cluster.start({ nodes: 2, settings: ["--grace-seconds", "2"] });
    const [first, second] = [cluster.node(0), cluster.node(1)];
    const [ann, bob] = [await RawSession.open(first.program.url), await RawSession.open(second.program.url)];
    await using annHears = await ann.stream();
    await using bobHears = await bob.stream();
    const kim = await RawSession.open(first.program.url);
    const lee = new RawModern(second.program.url);
    await using kimHears = await kim.stream();
    await pairUp(ann, bob);
    await pairUp(kim, lee);
    await Promise.all([annHears, bobHears, kimHears].map((stream) => stream.take(1)));
    await cluster.kill(first);
    await using kimAgain = await new RawSession(second.program.url, kim.headers).stream();
    const told = await bobHears.take(2);
    expect(told.map(({ method }) => method)).toEqual(["partner.away", "partner.disconnected"]);
    expect(told[1]?.params.reason).toBe("timeout");
    await lee.call("send_message", { message: "still there?" });
    expect((await kimAgain.take(2)).map(({ method }) => method)).toEqual(["chatroom.found", "message.received"]);
    const waited = await lee.call("wait_for_message", { timeout_seconds: 1 });
    expect(waited.said).not.toContain("partner.away");
  },
  TEST_MS_MAX,
);

testWith(
  REDIS_PROGRAMS,
  "a crowd that comes at once, to all nodes: everybody gets one partner, whose partner they are",
  async () => {
    await using cluster = await Cluster.start({ nodes: 3 });
    const crowd = Array.from({ length: 60 }, () => new RawModern(cluster.url));
    await Promise.all(crowd.map((one, i) => one.call("enter_queue", { display_name: `Guest ${i}` })));
    const found = await Promise.all(
      crowd.map(async (one) => statusSchema.parse((await one.call("chat_status")).structured)),
    );
    const partnerOf = new Map(found.map(({ user, room }) => [user.user_id, room.partner.user_id]));
    expect(partnerOf.size).toBe(60);
    for (const [me, partner] of partnerOf) expect([partner === me, partnerOf.get(partner)]).toEqual([false, me]);
    expect(new Set(found.map(({ room }) => room.room_id)).size).toBe(30);
  },
  TEST_MS_MAX,
);
