/**
 * Messages a second, as many as the server can: each is one POST, its answer, and one event on the
 * partner's stream. One message is under way on each connection.
 *
 * This file owns the rows of throughput. Servers run side by side and take short turns, as a machine that is not one's
 * own alone is a third faster or slower from one second to the next: what counts is each turn beside its neighbour's.
 */
import { type Bench, type Finding, figure, LIMIT_SHARE, type Measure, median, times } from "../finding.ts";
import type { Speech } from "../load/requests.ts";
import { type PeerName, speechOf } from "../server-process.ts";
import { type RunReport, Standing } from "./runs.ts";

const CEILING_SHARE_MIN = 0.6;
const SDK_V1_TIMES_MIN = 4;

/** One competitor of a row. */
interface Entrant {
  readonly label: string;
  readonly peer: PeerName;
  readonly speech: Speech;
  /** Of so many rounds it takes part in the first only: slow peers need no precision. */
  readonly roundsMax?: number;
}

/** Turns in a round, which share its time. */
const TURNS = 4;

/** Of a server that has had a turn before. */
const REWARM_MS = 200;

type Results = ReadonlyMap<Entrant, readonly RunReport[]>;

async function compete(bench: Bench, entrants: readonly Entrant[]): Promise<Results> {
  const { rounds, warmupMs, measuredMs } = bench.effort;
  await using stands = new AsyncDisposableStack();
  const results = new Map<Entrant, RunReport[]>();
  const standing = new Map<Entrant, Standing>();
  for (const entrant of entrants) {
    results.set(entrant, []);
    if (entrant.roundsMax === 0) continue;
    const stand = stands.use(await Standing.of(bench, entrant));
    standing.set(entrant, stand);
    await stand.flow({ warmupMs, measuredMs: REWARM_MS });
  }
  for (let turn = 0; turn < rounds * TURNS; turn++) {
    for (const [entrant, stand] of standing) {
      if (turn >= (entrant.roundsMax ?? rounds) * TURNS) continue;
      const report = await stand.flow({ warmupMs: REWARM_MS, measuredMs: measuredMs / TURNS });
      bench.progress(`${entrant.label}: ${summary(report)}`);
      results.get(entrant)?.push(report);
    }
  }
  return results;
}

function summary({ messagesPerSecond, serverUs, serverShare, loadShare }: RunReport): string {
  const shares = `server ${figure(100 * serverShare)} %, load ${figure(100 * loadShare)} % of a core`;
  return `${figure(messagesPerSecond)} messages/s, ${figure(serverUs)} µs of the server each (${shares})`;
}

/** How often as much one entrant does as another, round by round. */
interface Relation {
  readonly ratio: number;
  /** The same by the server's processor time for a message. */
  readonly byProcessor: number;
  /** Whether `ratio` is that by processor time, as messages a second say nothing when a server was not at its limit. */
  readonly isByProcessor: boolean;
}

function relate(one: readonly RunReport[], other: readonly RunReport[]): Relation {
  const rounds = Math.min(one.length, other.length);
  const each = (ratio: (a: RunReport, b: RunReport) => number): number =>
    median(
      Array.from({ length: rounds }, (_, n) => {
        const [a, b] = [one[n], other[n]];
        return a === undefined || b === undefined ? Number.NaN : ratio(a, b);
      }),
    );
  const byClock = each((a, b) => a.messagesPerSecond / b.messagesPerSecond);
  const byProcessor = each((a, b) => b.serverUs / a.serverUs);
  const isByProcessor = [one, other].some((runs) => median(runs.map((run) => run.serverShare)) < LIMIT_SHARE);
  return { ratio: isByProcessor ? byProcessor : byClock, byProcessor, isByProcessor };
}

const rate = (reports: readonly RunReport[]): number => median(reports.map((one) => one.messagesPerSecond));
const cost = (reports: readonly RunReport[]): number => median(reports.map((one) => one.serverUs));
const shown = (reports: readonly RunReport[]): string => `${figure(rate(reports))}/s (${figure(cost(reports))} µs)`;

/** One row: an entrant against the ceiling and perhaps against an SDK. */
function finding(
  row: { readonly measure: string; readonly title: string },
  product: readonly RunReport[],
  ceiling: readonly RunReport[],
  sdk: { readonly label: string; readonly reports: readonly RunReport[]; readonly timesMin?: number } | undefined,
  others: readonly (readonly [label: string, reports: readonly RunReport[]])[] = [],
): Finding {
  const toCeiling = relate(product, ceiling);
  const toSdk = sdk === undefined ? undefined : relate(product, sdk.reports);
  const ratios = [`${figure(toCeiling.ratio)} of the ceiling${toCeiling.isByProcessor ? " (by processor time)" : ""}`];
  const targets = [`≥ ${CEILING_SHARE_MIN} of the ceiling`];
  let isMet = toCeiling.ratio >= CEILING_SHARE_MIN;
  if (sdk !== undefined && toSdk !== undefined) {
    ratios.push(`${times(toSdk.ratio)} ${sdk.label}${toSdk.isByProcessor ? " (by processor time)" : ""}`);
    if (sdk.timesMin !== undefined) {
      targets.push(`≥ ${sdk.timesMin} × ${sdk.label}`);
      isMet &&= toSdk.ratio >= sdk.timesMin;
    }
  }
  const peers = [
    ["ceiling", ceiling] as const,
    ...(sdk === undefined ? [] : [[sdk.label, sdk.reports] as const]),
    ...others,
  ];
  const measured = peers.filter(([, reports]) => reports.length > 0);
  return {
    ...row,
    product: shown(product),
    others: measured.map(([label, reports]) => `${label} ${shown(reports)}`).join("; "),
    ratio: ratios.join(", "),
    target: targets.join(", "),
    isMet,
    numbers: {
      messagesPerSecond: rate(product),
      serverUsPerMessage: cost(product),
      ofCeiling: toCeiling.ratio,
      ofCeilingByProcessor: toCeiling.byProcessor,
      timesSdk: toSdk?.ratio,
      timesSdkByProcessor: toSdk?.byProcessor,
      serverShare: median(product.map((one) => one.serverShare)),
      serverShareAtCeiling: median(ceiling.map((one) => one.serverShare)),
      loadShare: median(product.map((one) => one.loadShare)),
      loadShareAtCeiling: median(ceiling.map((one) => one.loadShare)),
      deliveryP50Ms: median(product.map((one) => one.delivery.p50Ms)),
      deliveryP99Ms: median(product.map((one) => one.delivery.p99Ms)),
      ...Object.fromEntries(measured.map(([label, reports]) => [`${label} messages/s`, rate(reports)])),
    },
  };
}

export const legacyThroughput: Measure = {
  name: "legacy-throughput",
  isQuick: true,
  async run(bench) {
    const entrant = (label: string, peer: PeerName, roundsMax = Number.POSITIVE_INFINITY): Entrant => ({
      label,
      peer,
      speech: speechOf(peer, "legacy"),
      roundsMax,
    });
    const [ceiling, product, sdk] = [
      entrant("ceiling", "ceiling"),
      entrant("mcp-chat", "product"),
      entrant("SDK v1 on Bun", "sdk-v1-bun"),
    ];
    const express = entrant(
      "SDK v1 with Express on Node",
      "sdk-v1-express",
      Bun.which("node") === null || bench.effort.rounds < 2 ? 0 : 1,
    );
    const results = await compete(bench, [ceiling, product, sdk, express]);
    const of = (one: Entrant): readonly RunReport[] => results.get(one) ?? [];
    const row = { measure: "legacy-throughput", title: "Messages a second, legacy sessions" };
    const against = { label: sdk.label, reports: of(sdk), timesMin: SDK_V1_TIMES_MIN };
    return [finding(row, of(product), of(ceiling), against, [[express.label, of(express)]])];
  },
};

export const modernThroughput: Measure = {
  name: "modern-throughput",
  isQuick: true,
  async run(bench) {
    const isThorough = bench.effort.rounds > 1;
    const ceiling: Entrant = { label: "ceiling", peer: "ceiling", speech: speechOf("ceiling", "modern") };
    const product: Entrant = { label: "mcp-chat", peer: "product", speech: speechOf("product", "modern") };
    const activity: Entrant = {
      label: "mcp-chat, chat.activity",
      peer: "product",
      speech: speechOf("product", "modern", "every type"),
      roundsMax: isThorough ? 2 : 0,
    };
    const sdk: Entrant = {
      label: "SDK v2 on Bun",
      peer: "sdk-v2-bun",
      speech: speechOf("sdk-v2-bun", "modern"),
      roundsMax: isThorough ? 1 : 0,
    };
    const results = await compete(bench, [ceiling, product, activity, sdk]);
    const of = (one: Entrant): readonly RunReport[] => results.get(one) ?? [];
    const row = (title: string) => ({ measure: "modern-throughput", title: `Messages a second, 2026-07-28, ${title}` });
    const against = isThorough ? { label: sdk.label, reports: of(sdk) } : undefined;
    const findings = [finding(row("message.received"), of(product), of(ceiling), against)];
    if (isThorough) findings.push(finding(row("chat.activity"), of(activity), of(ceiling), undefined));
    return findings;
  },
};
