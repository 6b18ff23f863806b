/**
 * The harness, before it judges a cluster: a balancer that balances, and an account that is clean with a
 * server that is right and is not where something gets lost, doubled, changed or misdelivered on the way.
 *
 * This file owns doubts about the tests. One process with a journal on disk plays the server.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { within } from "../support/client-deadline.ts";
import { pairUp, RawModern, RawSession } from "../support/client-raw.ts";
import type { GuestOptions } from "../support/cluster-guest.ts";
import { Party } from "../support/cluster-party.ts";
import { WIRES, type WireKind } from "../support/cluster-wires.ts";
import { type Program, startProgram, temporaryFolder } from "../support/program.ts";
import { type Mischief, RoundRobin } from "../support/round-robin.ts";

/** Every kind of client speaks to the next one, and hears the one before. */
const EVERY_WIRE = WIRES.map((kind, i): readonly [WireKind, WireKind] => [kind, WIRES[(i + 1) % WIRES.length] ?? kind]);
/** What is missing stays missing: nobody needs to wait long for it. */
const DRAIN_MS = 300;

let server: Program;
beforeAll(async () => {
  const args = ["--data", temporaryFolder(), "--rate-messages-per-second", "0", "--widen-seconds", "86400"];
  server = await startProgram({ kind: "source", args });
});
afterAll(() => server.stop());

/** What the account says when this happens to some of the requests. */
async function accountUnder(
  mischief: (request: string) => Mischief | undefined,
  pairs: readonly (readonly [WireKind, WireKind])[] = EVERY_WIRE,
  options: GuestOptions = {},
): Promise<{ readonly faults: readonly string[]; readonly again: number }> {
  await using balancer = await RoundRobin.start([server.port]);
  balancer.meddle = mischief;
  await using party = await Party.gather(balancer.url, pairs, options);
  party.talk();
  await party.progress(20);
  balancer.meddle = undefined;
  await party.settle(DRAIN_MS);
  const again = party.guests.reduce((sum, guest) => sum + [...guest.again.values()].reduce((a, b) => a + b, 0), 0);
  return { faults: await party.faults(), again };
}

/** True for some of those that are asked about. */
function every(nth: number): () => boolean {
  let count = 0;
  return () => ++count % nth === 0;
}

const isSend = (request: string): boolean => request.includes('"send_message"');
const isMessage = (piece: Buffer): boolean => piece.includes('"message.received"');

test("with a server that is right, and every kind of client, the account is clean", async () => {
  const { faults, again } = await accountUnder(() => undefined);
  expect(faults).toEqual([]);
  expect(again).toBe(0);
});

test("answers that get lost are asked for again, and change nothing", async () => {
  const isLost = every(5);
  const mischief = { answer: () => undefined };
  const { faults, again } = await accountUnder((request) => (isSend(request) && isLost() ? mischief : undefined));
  expect(faults).toEqual([]);
  expect(again).toBeGreaterThan(20);
});

test("requests that arrive twice change nothing where they carry an id", async () => {
  const isDoubled = every(3);
  const { faults } = await accountUnder((request) => ({ isDoubled: isSend(request) && isDoubled() }));
  expect(faults).toEqual([]);
});

test("a request without an id that arrives twice is noticed", async () => {
  const isDoubled = every(10);
  const mischief = (request: string): Mischief => ({ isDoubled: isSend(request) && isDoubled() });
  const { faults } = await accountUnder(mischief, [["raw-push", "raw-wait"]], { isIdless: true });
  expect(faults.join("\n")).toMatch(/^(?:ann|bob)0 heard "(?:ann|bob)0 says \d+" twice, as different events$/m);
});

test.each([
  ["v1", "v2-legacy"],
  ["raw-push", "raw-events"],
] as const)("an event that gets lost on a stream is noticed: %s, %s", async (one, other) => {
  const isLost = every(3);
  const mischief: Mischief = { answer: (piece) => (isMessage(piece) && isLost() ? Buffer.alloc(0) : piece) };
  const { faults } = await accountUnder(() => mischief, [[one, other]]);
  expect(faults.join("\n")).toMatch(/^(?:ann|bob)0 never heard "(?:ann|bob)0 says \d+", which was acknowledged to/m);
});

test("a text that is changed on the way is noticed", async () => {
  const isChanged = every(2);
  const mischief: Mischief = {
    answer: (piece) =>
      isMessage(piece) && isChanged()
        ? Buffer.from(piece.toString("latin1").replace(/ says (\d)/, " said $1"), "latin1")
        : piece,
  };
  const { faults } = await accountUnder(() => mischief, [["raw-push", "v2-wait"]]);
  expect(faults.join("\n")).toMatch(/^(?:ann|bob)0 heard "(?:ann|bob)0 said \d+", which (?:ann|bob)0 never sent$/m);
});

test("requests go to the nodes in turn; one that refuses is passed over; where there is none, one is told so", async () => {
  const nodes = ["a", "b", "c"].map((name) =>
    Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => new Response(`${name} ${await request.text()}`),
    }),
  );
  const ports = nodes.map(({ port }) => port ?? 0);
  await using balancer = await RoundRobin.start(ports);
  const ask = async (body: string): Promise<string> =>
    (await fetch(balancer.url, { method: "POST", body, keepalive: false })).text();
  const long = "x".repeat(200_000);
  expect([await ask("1"), await ask(long), await ask("3"), await ask("4")]).toEqual(["a 1", `b ${long}`, "c 3", "a 4"]);
  await nodes[1]?.stop(true);
  expect([await ask("5"), await ask("6"), await ask("7")]).toEqual(["c 5", "a 6", "c 7"]);
  expect(ports.map((port) => balancer.served.get(port))).toEqual([3, 1, 3]);
  for (const node of nodes) await node.stop(true);
  const answer = await fetch(balancer.url, { method: "POST", body: "8", keepalive: false });
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([502, "1"]);
});

test("a stream passes as it comes, and breaks when its node dies", async () => {
  const node = await startProgram({ kind: "source" });
  await using balancer = await RoundRobin.start([node.port]);
  const session = await RawSession.open(balancer.url);
  await using stream = await session.stream();
  expect((await stream.event()).retry).toBe("3000");
  const partner = new RawModern(balancer.url);
  await pairUp(session, partner);
  await stream.take(1);
  await partner.call("send_message", { message: "hello" });
  expect((await stream.next()).params.message).toBe("hello");
  node.kill("SIGKILL");
  await node.exited;
  await within("the end of the stream", stream.over);
});

test("guests come back by themselves to a server that is killed and started again", async () => {
  const data = temporaryFolder();
  const args = ["--data", data, "--rate-messages-per-second", "0", "--widen-seconds", "86400"];
  let life = await startProgram({ kind: "source", args });
  await using balancer = await RoundRobin.start([life.port]);
  await using party = await Party.gather(balancer.url, EVERY_WIRE);
  party.talk();
  for (let kill = 0; kill < 3; kill++) {
    await party.progress(5);
    life.kill("SIGKILL");
    await life.exited;
    life = await startProgram({ kind: "source", args });
    balancer.add(life.port);
  }
  await party.progress(5);
  await party.settle();
  expect(await party.faults()).toEqual([]);
  await life.stop();
}, 60_000);
