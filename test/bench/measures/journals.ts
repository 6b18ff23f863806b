/**
 * What a journal costs: messages a second and the delivery of a lone one beside a server that keeps nothing,
 * how fast a start catches up, and whether memory stays.
 *
 * This file owns those rows. It must never measure a journal that has not really kept what flowed: each is
 * read back.
 */
import { join } from "node:path";
import { LobbyReplica } from "../../../src/chat/lobby-replica.ts";
import { DataDirectory } from "../../../src/journal/directory.ts";
import { recover } from "../../../src/journal/recovery.ts";
import { type Bench, type Finding, figure, type Measure, median, ms, times } from "../finding.ts";
import { residentBytes } from "../load/usage.ts";
import { LoadProcess } from "../load-process.ts";
import { type Fsync, hasRedis, RedisProcess } from "../redis-process.ts";
import { flowOn, type RunReport, run } from "./runs.ts";

const PER_SECOND = 300;
const MIB = 1024 * 1024;

/** Times that messages flow on the server whose memory is watched. */
const FLOWS = 6;

/** What a journal costs is one thing, a history another. */
const NO_HISTORY = ["--history", "off"];

/** A way of keeping things. */
interface Keeper {
  readonly label: string;
  /** Lets messages flow on a server of its own, whose journal is that one and has nothing yet; 0 = as many as it answers. */
  run(bench: Bench, perSecond: number): Promise<RunReport>;
}

/** @param settings of a server that keeps things so, fresh for every server */
function keepingHere(label: string, settings: () => readonly string[]): Keeper {
  return { label, run: (bench, perSecond) => run(bench, { peer: "product", settings: settings(), perSecond }) };
}

function keepingInRedis(label: string, fsync: Fsync): Keeper {
  return {
    label,
    async run(bench, perSecond) {
      await using redis = await RedisProcess.start(bench.folder, fsync);
      await using server = await bench.start("product", ["--redis", redis.url]);
      using load = new LoadProcess();
      // Redis has the load's core, and a load that keeps it busy to be exact would hold Redis up.
      load.stepBack();
      const report = await flowOn(bench, server, load, { peer: "product", perSecond });
      await redis.checkKept(report.account.heard);
      return report;
    },
  };
}

interface Reports {
  readonly full: RunReport[];
  readonly lone: RunReport[];
}

/** Redis as it is advised to be run, and as surely as it can be. */
const IN_REDIS: readonly Keeper[] = [
  keepingInRedis("--redis", "everysec"),
  keepingInRedis("--redis, appendfsync always", "always"),
];

/** Servers take turns, so that the machine's moods reach all of them. */
async function compete(bench: Bench, keepers: readonly Keeper[]): Promise<Map<Keeper, Reports>> {
  const all = new Map<Keeper, Reports>(keepers.map((keeper) => [keeper, { full: [], lone: [] }]));
  for (let round = 0; round < bench.effort.rounds; round++) {
    for (const [keeper, { full, lone }] of all) {
      const report = await keeper.run(bench, 0);
      full.push(report);
      lone.push(await keeper.run(bench, PER_SECOND));
      bench.progress(`${keeper.label}: ${figure(report.messagesPerSecond)} messages/s`);
    }
  }
  return all;
}

const rate = ({ full }: Reports): number => median(full.map(({ messagesPerSecond }) => messagesPerSecond));
const cost = ({ full }: Reports): number => median(full.map(({ serverUs }) => serverUs));
const p50 = ({ lone }: Reports): number => median(lone.map(({ delivery }) => delivery.p50Ms));
const p99 = ({ lone }: Reports): number => median(lone.map(({ delivery }) => delivery.p99Ms));

function costOf(keeper: Keeper, kept: Reports, nothing: Reports): Finding[] {
  // By the clock: a server that waits for its disk does not use its core meanwhile.
  const ratio = rate(kept) / rate(nothing);
  const shown = (reports: Reports): string => `${figure(rate(reports))}/s (${figure(cost(reports))} µs)`;
  const latency = (reports: Reports): string => `p50 ${ms(p50(reports))}, p99 ${ms(p99(reports))}`;
  return [
    {
      measure: "journals",
      title: `Messages a second, ${keeper.label}`,
      product: shown(kept),
      others: `keeping nothing ${shown(nothing)}`,
      ratio: `${figure(ratio)} of it`,
      target: "",
      isMet: undefined,
      numbers: { messagesPerSecond: rate(kept), serverUsPerMessage: cost(kept), ofMemory: ratio },
    },
    {
      measure: "journals",
      title: `Delivery at ${PER_SECOND} messages/s, ${keeper.label}`,
      product: latency(kept),
      others: `keeping nothing ${latency(nothing)}`,
      ratio: `p50 ${times(p50(kept) / p50(nothing))}`,
      target: "",
      isMet: undefined,
      numbers: { p50Ms: p50(kept), p99Ms: p99(kept), p50OfMemory: p50(kept) / p50(nothing) },
    },
  ];
}

/** How fast a start reads what a killed server has left, and what the server's memory was meanwhile. */
async function catchUpFromDisk(bench: Bench): Promise<Finding[]> {
  const path = join(bench.folder, "data-caught-up");
  const resident: number[] = [];
  {
    await using server = await bench.start("product", ["--data", path]);
    using load = new LoadProcess();
    for (let time = 0; time < FLOWS; time++) {
      await flowOn(bench, server, load, { peer: "product" });
      resident.push(residentBytes(server.pid) ?? Number.NaN);
    }
    server.kill();
  }
  const directory = new DataDirectory(path);
  const began = performance.now();
  const { replayed, snapshot, segments } = recover(directory, new LobbyReplica(), "read only");
  const seconds = (performance.now() - began) / 1000;
  for (const segment of segments) segment.close();
  if (replayed === 0) throw new Error("nothing was left to catch up with");
  const perMillion = (seconds / replayed) * 1_000_000;
  const [half = Number.NaN, whole = Number.NaN] = [resident[FLOWS / 2 - 1], resident.at(-1)];
  return [
    {
      measure: "journals",
      title: "A start after a crash with --data, for a million entries",
      product: `${figure(perMillion)} s`,
      others: `${figure(replayed)} entries after a snapshot of ${figure(snapshot)}`,
      ratio: "",
      target: "",
      isMet: undefined,
      numbers: { secondsPerMillion: perMillion, replayed, snapshot },
    },
    {
      measure: "journals",
      title: "Memory of a server with --data, after messages and as many again",
      product: `${figure(whole / MIB)} MiB`,
      others: `${figure(half / MIB)} MiB after the first half`,
      ratio: times(whole / half),
      target: "",
      isMet: undefined,
      numbers: { halfBytes: half, wholeBytes: whole },
    },
  ];
}

export const journals: Measure = {
  name: "journals",
  isQuick: false,
  isAside: true,
  async run(bench) {
    let servers = 0;
    const folder = (): string => join(bench.folder, `data-${servers++}`);
    const nothing = keepingHere("keeping nothing", () => []);
    const keepers: readonly Keeper[] = [
      keepingHere("--data --history off", () => ["--data", folder(), ...NO_HISTORY]),
      keepingHere("--data --durability full --history off", () => [
        ...["--data", folder(), "--durability", "full"],
        ...NO_HISTORY,
      ]),
      keepingHere("--history sqlite:FILE", () => ["--history", `sqlite:${folder()}.db`]),
      keepingHere("--data, with its history", () => ["--data", folder()]),
      ...(hasRedis() ? IN_REDIS : []),
    ];
    if (!hasRedis()) bench.progress("there is no redis-server on this machine: the rows of --redis are left out");
    const results = await compete(bench, [nothing, ...keepers]);
    const plain = results.get(nothing);
    if (plain === undefined) throw new Error("nothing was measured");
    const findings: Finding[] = [];
    for (const [keeper, reports] of results) {
      if (keeper !== nothing) findings.push(...costOf(keeper, reports, plain));
    }
    return [...findings, ...(await catchUpFromDisk(bench))];
  },
};
