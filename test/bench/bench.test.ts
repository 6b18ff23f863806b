/**
 * The benchmark itself: every peer carries the chat, the load process sees what it must see, and
 * what the product puts on the wire stays within what it was.
 *
 * This file owns the correctness of the benchmark. It must never assert a time.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CrowdReport } from "./load/orders.ts";
import type { Speech } from "./load/requests.ts";
import { LoadProcess } from "./load-process.ts";
import { type PeerName, provide, ServerProcess, speechOf } from "./server-process.ts";

const USERS = 10;
const GREETINGS = 2;
const MESSAGES = USERS * GREETINGS;
const TEST_MS_MAX = 60_000;

/** Where only Bun is installed, the peer that runs on Node is left out, as it is in the benchmark. */
const PEERS = (["product", "ceiling", "sdk-v1-bun", "sdk-v2-bun", "sdk-v1-express"] as const).filter(
  (peer) => peer !== "sdk-v1-express" || Bun.which("node") !== null,
);

/** Every peer in every way it is listened to. */
const WAYS = PEERS.flatMap((peer): (readonly [PeerName, Speech])[] => {
  const [legacy, modern] = [speechOf(peer, "legacy"), speechOf(peer, "modern")];
  if (peer === "sdk-v2-bun") return [[peer, modern]];
  if (peer.startsWith("sdk-v1")) return [[peer, legacy]];
  const everyType = speechOf(peer, "modern", "every type");
  return [legacy, modern, everyType].map((speech) => [peer, speech] as const);
});

const folder = mkdtempSync(join(tmpdir(), "mcp-chat-bench-test-"));
const servers = new Map<PeerName, ServerProcess>();
let load: LoadProcess;

beforeAll(async () => {
  load = new LoadProcess();
  await provide(folder);
  await Promise.all(PEERS.map(async (peer) => servers.set(peer, await ServerProcess.start({ peer }))));
}, TEST_MS_MAX);

afterAll(async () => {
  load[Symbol.dispose]();
  await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]()));
  rmSync(folder, { recursive: true, force: true });
}, TEST_MS_MAX);

function serverOf(peer: PeerName): ServerProcess {
  const server = servers.get(peer);
  if (server === undefined) throw new Error(`${peer} does not run`);
  return server;
}

/** Lets everybody come and say a few things. @returns the account before the first word, and after the last */
async function chat(peer: PeerName, speech: Speech): Promise<[before: CrowdReport, after: CrowdReport]> {
  const { port, pid } = serverOf(peer);
  const crowd = { port, speech, users: USERS, connections: 4, enter: true, resumable: false, serverPid: pid };
  await load.carryOut("gather", crowd);
  const before = await load.carryOut("account", {});
  for (let n = 0; n < GREETINGS; n++) await load.carryOut("greet", {});
  return [before, await load.carryOut("account", {})];
}

const FLAWLESS = {
  accepted: MESSAGES,
  heard: MESSAGES,
  lost: 0,
  doubled: 0,
  reordered: 0,
  foreign: 0,
  refused: 0,
  dropped: 0,
};

describe("every server of the benchmark carries every message once, in order, to the partner alone", () => {
  test.each(WAYS)(
    "%s, %o",
    async (peer, speech) => {
      const [, after] = await chat(peer, speech);
      expect(after).toMatchObject(FLAWLESS);
    },
    TEST_MS_MAX,
  );
});

test(
  "streams that are cut while messages flow are resumed where they broke",
  async () => {
    const { port, pid } = serverOf("product");
    const crowd = { port, speech: speechOf("product", "legacy"), users: USERS, connections: 4, enter: true };
    await load.carryOut("gather", { ...crowd, resumable: true, serverPid: pid });
    await load.carryOut("greet", {});
    const flow = { perSecond: 200, warmupMs: 0, measuredMs: 500, cutsPerSecond: 50, serverPid: pid, maySpin: false };
    await load.carryOut("flow", flow);
    const { accepted, heard, resumed, ...faults } = await load.carryOut("account", {});
    expect(faults).toMatchObject({ lost: 0, doubled: 0, reordered: 0, foreign: 0, refused: 0, dropped: 0 });
    expect(heard).toBe(accepted);
    expect(resumed).toBeGreaterThan(0);
  },
  TEST_MS_MAX,
);

describe("what the product puts on the wire, HTTP and all", () => {
  /** Bytes a session's two answers, its stream's first bytes, and entering with a match take together. */
  const SET_UP_BYTES_MAX = { legacy: 4000, modern: 1900 };
  /** Bytes of the answer to one message of 64 characters and of its event on the partner's stream. */
  const MESSAGE_BYTES_MAX = { legacy: 1000, modern: 1320 };

  test.each(["legacy", "modern"] as const)(
    "%s",
    async (era) => {
      const quiet = await load.carryOut("account", {});
      const [before, after] = await chat("product", speechOf("product", era));
      const setUp = (before.receivedBytes - quiet.receivedBytes) / USERS;
      const message = (after.receivedBytes - before.receivedBytes) / MESSAGES;
      expect(setUp).toBeLessThanOrEqual(SET_UP_BYTES_MAX[era]);
      expect(message).toBeLessThanOrEqual(MESSAGE_BYTES_MAX[era]);
      // Neither is empty: otherwise nothing was counted.
      expect(message).toBeGreaterThan(64);
    },
    TEST_MS_MAX,
  );
});
