/**
 * Ten thousand people in pairs on one server: what each of them costs in memory, and how messages
 * travel among them.
 *
 * This file owns the rows of the large crowd. Memory is what the crowd adds to a server that has already
 * served others, so that the runtime's own start is not counted as anybody's.
 */
import { type Bench, type Finding, figure, kib, type Measure, ms, times } from "../finding.ts";
import { LoadProcess } from "../load-process.ts";
import { type PeerName, speechOf } from "../server-process.ts";
import { settledBytes } from "./memory.ts";
import { flowOn, gather, type RunReport } from "./runs.ts";

const PER_USER_AND_SECOND = 1;
const CEILING_TIMES_MAX = 3;
const BYTES_MAX = 10 * 1024;

/** Share of the crowd that comes and goes before. */
const EARLIER_SHARE = 0.1;

interface CrowdRun {
  readonly report: RunReport;
  readonly bytesPerUser: number;
}

async function crowd(bench: Bench, peer: PeerName): Promise<CrowdRun> {
  const users = bench.effort.crowd;
  const speech = speechOf(peer, "legacy");
  await using server = await bench.start(peer);
  {
    using earlier = new LoadProcess();
    await gather(server, earlier, { peer, speech, users: Math.ceil(users * EARLIER_SHARE) });
  }
  const before = await settledBytes(bench, server.pid);
  using load = new LoadProcess();
  let after = Number.NaN;
  const report = await flowOn(bench, server, load, {
    peer,
    users,
    perSecond: users * PER_USER_AND_SECOND,
    measuredMs: bench.effort.crowdMs,
    async gathered() {
      after = await settledBytes(bench, server.pid);
    },
  });
  const bytesPerUser = (after - before) / users;
  const { p50Ms, p99Ms } = report.delivery;
  const memory = Number.isNaN(bytesPerUser) ? "" : `, ${kib(bytesPerUser)} each`;
  bench.progress(`${peer}: ${figure(users)} users${memory}; p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}`);
  return { report, bytesPerUser };
}

export const crowdMeasure: Measure = {
  name: "crowd",
  isQuick: true,
  async run(bench) {
    const ceiling = await crowd(bench, "ceiling");
    const product = await crowd(bench, "product");
    const users = figure(bench.effort.crowd);
    const ratio = product.report.delivery.p99Ms / ceiling.report.delivery.p99Ms;
    const shown = ({ report }: CrowdRun): string =>
      `p50 ${ms(report.delivery.p50Ms)}, p99 ${ms(report.delivery.p99Ms)}`;
    const behind = ({ report }: CrowdRun): string =>
      report.isBehind ? `, but only ${figure(report.messagesPerSecond)} a second` : "";
    const flowing: Finding = {
      measure: "crowd",
      title: `${users} users, ${figure(bench.effort.crowd * PER_USER_AND_SECOND)} messages/s`,
      product: `${shown(product)}; ${figure(product.report.account.heard)} messages, none lost, doubled or reordered${behind(product)}`,
      others: `ceiling ${shown(ceiling)}${behind(ceiling)}`,
      ratio: `p99 ${times(ratio)} the ceiling`,
      target: `nothing lost, p99 ≤ ${CEILING_TIMES_MAX} × the ceiling`,
      isMet: ratio <= CEILING_TIMES_MAX && !product.report.isBehind,
      numbers: {
        p50Ms: product.report.delivery.p50Ms,
        p99Ms: product.report.delivery.p99Ms,
        ceilingP50Ms: ceiling.report.delivery.p50Ms,
        ceilingP99Ms: ceiling.report.delivery.p99Ms,
        p99Ratio: ratio,
        messages: product.report.account.heard,
        messagesPerSecond: product.report.messagesPerSecond,
        serverShare: product.report.serverShare,
        ceilingServerShare: ceiling.report.serverShare,
      },
    };
    const memory: Finding = {
      measure: "crowd",
      title: `Memory of a connected user, ${users} in pairs after a message each`,
      product: kib(product.bytesPerUser),
      others: `ceiling ${kib(ceiling.bytesPerUser)}`,
      ratio: `${times(product.bytesPerUser / ceiling.bytesPerUser)} the ceiling`,
      target: `≤ ${kib(BYTES_MAX)}`,
      isMet: Number.isNaN(product.bytesPerUser) ? undefined : product.bytesPerUser <= BYTES_MAX,
      numbers: { bytesPerUser: product.bytesPerUser, ceilingBytesPerUser: ceiling.bytesPerUser },
    };
    return bench.effort.settleMs === undefined ? [flowing] : [flowing, memory];
  },
};
