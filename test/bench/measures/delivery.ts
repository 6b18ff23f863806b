/**
 * How long a message takes from its writing to the partner's hearing, when the server is not at its limit.
 *
 * This file owns the rows of latency at a fixed rate. The load process keeps its core awake, so that
 * the waking of a sleeping process does not hide what servers differ in.
 */
import { type Finding, figure, type Measure, median, ms, times } from "../finding.ts";
import { type RunReport, run } from "./runs.ts";

const PER_SECOND = 300;
const CEILING_TIMES_MAX = 2;

/** Long enough that, over all rounds, the 99th percentile is that of some thousand messages. */
const MEASURED_TIMES = 1.5;

const P50 = ({ delivery }: RunReport): number => delivery.p50Ms;
const P99 = ({ delivery }: RunReport): number => delivery.p99Ms;

export const delivery: Measure = {
  name: "delivery",
  isQuick: false,
  async run(bench) {
    const options = { perSecond: PER_SECOND, measuredMs: MEASURED_TIMES * bench.effort.measuredMs };
    const [ceiling, product]: [RunReport[], RunReport[]] = [[], []];
    for (let round = 0; round < bench.effort.rounds; round++) {
      ceiling.push(await run(bench, { ...options, peer: "ceiling" }));
      product.push(await run(bench, { ...options, peer: "product" }));
      bench.progress(`delivery: round ${round + 1}`);
    }
    const ratioOf = (read: (report: RunReport) => number): number =>
      median(product.map((one, n) => read(one) / read(ceiling[n] ?? one)));
    const [p50Ratio, p99Ratio] = [ratioOf(P50), ratioOf(P99)];
    const shown = (reports: RunReport[]): string =>
      `p50 ${ms(median(reports.map(P50)))}, p99 ${ms(median(reports.map(P99)))}`;
    const finding: Finding = {
      measure: "delivery",
      title: `Delivery at ${figure(PER_SECOND)} messages/s`,
      product: shown(product),
      others: `ceiling ${shown(ceiling)}`,
      ratio: `p50 ${times(p50Ratio)}, p99 ${times(p99Ratio)} the ceiling`,
      target: `p50 and p99 ≤ ${CEILING_TIMES_MAX} × the ceiling`,
      isMet: Math.max(p50Ratio, p99Ratio) <= CEILING_TIMES_MAX && !product.some(({ isBehind }) => isBehind),
      numbers: {
        p50Ms: median(product.map(P50)),
        p99Ms: median(product.map(P99)),
        ceilingP50Ms: median(ceiling.map(P50)),
        ceilingP99Ms: median(ceiling.map(P99)),
        p50Ratio,
        p99Ratio,
      },
    };
    return [finding];
  },
};
