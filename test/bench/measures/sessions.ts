/**
 * Sessions: how many can be opened a second, and what one that never calls a tool leaves behind.
 *
 * This file owns those rows. A session is set up when `initialize` and `notifications/initialized` have been
 * answered.
 */
import { type Bench, CONNECTIONS, type Finding, figure, LIMIT_SHARE, type Measure, times } from "../finding.ts";
import { LoadProcess } from "../load-process.ts";
import type { PeerName } from "../server-process.ts";
import { settledBytes } from "./memory.ts";

const PER_SECOND_MIN = 5000;

/** Growth for each session that is taken for the noise of the runtime's memory. */
const NOISE_BYTES = 64;

/** Peers open fewer: what they do shows soon, and SDK sessions are slow to open. */
const CEILING_SHARE = 0.2;
const SDK_SHARE = 0.04;

/** Share of the sessions that come before, so that the server is used to it. */
const EARLIER_SHARE = 0.1;

interface SessionsRun {
  readonly perSecond: number;
  /** What a core to itself would have let it do. */
  readonly capacity: number;
  readonly serverUs: number;
  /** What each session added, in bytes: of the first so many, and of as many after them. */
  readonly firstBytes: number;
  readonly laterBytes: number;
}

async function open(bench: Bench, peer: PeerName, sessions: number): Promise<SessionsRun> {
  await using server = await bench.start(peer);
  using load = new LoadProcess();
  const some = (count: number) =>
    load.carryOut("initialize", {
      port: server.port,
      serverPid: server.pid,
      sessions: count,
      connections: CONNECTIONS,
    });
  await some(Math.ceil(sessions * EARLIER_SHARE));
  const before = await settledBytes(bench, server.pid);
  const spent = await some(sessions);
  const between = await settledBytes(bench, server.pid);
  if (bench.effort.settleMs !== undefined) await some(sessions);
  const after = await settledBytes(bench, server.pid);

  const perSecond = sessions / spent.seconds;
  const cpuSeconds = spent.serverCpuSeconds ?? Number.NaN;
  const serverUs = (cpuSeconds / sessions) * 1_000_000;
  const capacity = cpuSeconds / spent.seconds < LIMIT_SHARE ? 1_000_000 / serverUs : perSecond;
  const [firstBytes, laterBytes] = [(between - before) / sessions, (after - between) / sessions];
  const memory = Number.isNaN(firstBytes) ? "" : `, ${figure(firstBytes)}, then ${figure(laterBytes)} bytes each`;
  bench.progress(`${peer}: ${figure(perSecond)} sessions/s, ${figure(serverUs)} µs of the server each${memory}`);
  return { perSecond, capacity, serverUs, firstBytes, laterBytes };
}

export const sessions: Measure = {
  name: "sessions",
  isQuick: true,
  async run(bench) {
    const count = bench.effort.sessions;
    const ceiling = await open(bench, "ceiling", Math.ceil(count * CEILING_SHARE));
    const product = await open(bench, "product", count);
    const sdk = await open(bench, "sdk-v1-bun", Math.ceil(count * SDK_SHARE));
    const shown = ({ perSecond, capacity, serverUs }: SessionsRun): string => {
      const rate = capacity === perSecond ? `${figure(perSecond)}/s` : `${figure(capacity)}/s by processor time`;
      return `${rate} (${figure(serverUs)} µs)`;
    };
    const toCeiling = figure(product.capacity / ceiling.capacity);
    const toSdk = times(product.capacity / sdk.capacity);
    const setUp: Finding = {
      measure: "sessions",
      title: "Session set-up",
      product: shown(product),
      others: `ceiling ${shown(ceiling)}; SDK v1 on Bun ${shown(sdk)}`,
      ratio: `${toCeiling} of the ceiling, ${toSdk} SDK v1 on Bun`,
      target: `≥ ${figure(PER_SECOND_MIN)}/s`,
      isMet: product.capacity >= PER_SECOND_MIN,
      numbers: {
        perSecond: product.perSecond,
        capacity: product.capacity,
        serverUs: product.serverUs,
        ceilingPerSecond: ceiling.perSecond,
        sdkPerSecond: sdk.perSecond,
      },
    };
    const bytes = ({ firstBytes, laterBytes }: SessionsRun): string =>
      `the first ${figure(firstBytes)} bytes, later ones ${figure(laterBytes)} bytes`;
    const kept = Math.min(product.firstBytes, product.laterBytes);
    const memory: Finding = {
      measure: "sessions",
      title: `Memory of a session that never calls a tool, ${figure(count)} and as many again`,
      product: bytes(product),
      others: `ceiling ${bytes(ceiling)}; SDK v1 on Bun ${bytes(sdk)}`,
      ratio: "",
      target: `0 for ever more of them (≤ ${NOISE_BYTES} bytes of noise)`,
      // Whatever is kept of each session shows in both halves; what shows in one only is the runtime's memory at work.
      isMet: Number.isNaN(kept) ? undefined : kept <= NOISE_BYTES,
      numbers: {
        firstBytes: product.firstBytes,
        laterBytes: product.laterBytes,
        ceilingLaterBytes: ceiling.laterBytes,
        sdkLaterBytes: sdk.laterBytes,
      },
    };
    return bench.effort.settleMs === undefined ? [setUp] : [setUp, memory];
  },
};
