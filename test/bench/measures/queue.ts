/**
 * The queue at three lengths: what an arrival with interests costs when few or very many wait, and what one who
 * only waits costs in memory.
 *
 * This file owns those rows. Those who wait are agents who want humans, so that they do not fit each other
 * and the queue can be long; each arrival that waits is followed by one who is matched, so that it stays as long.
 */
import { type Bench, type Finding, figure, kib, type Measure, times } from "../finding.ts";
import { LoadProcess } from "../load-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { settledBytes } from "./memory.ts";

const LENGTHS = [10, 1000, 100_000] as const;
const TIMES_MAX = 2;
const BYTES_MAX = 3 * 1024;

/** Arrivals that make the server used to them, and arrivals that are measured. */
const WARMING = 2000;
const MEASURED = 3000;

/** While the queue fills. Arrivals that are measured come one by one, so that each finds what the one before left. */
const CONNECTIONS_FILLING = 32;

const INTERESTS = 3;
const VOCABULARY = 1000;

/** Nobody is given up meanwhile, however long the filling takes. */
const SETTINGS = "--users-max 1000000 --queue-max 1000000 --available-seconds 3600 --idle-seconds 7200".split(" ");

/** Memory is measured over what is added to a queue of so many. */
const EARLIER = 10_000;

interface Arrivals {
  readonly server: ServerProcess;
  readonly load: LoadProcess;
}

/** @returns microseconds of an arrival: by the clock, and of the server's processor */
async function arrive({ server, load }: Arrivals, arrivals: number, matched: boolean): Promise<[number, number]> {
  const spent = await load.carryOut("arrive", {
    port: server.port,
    serverPid: server.pid,
    arrivals,
    connections: matched ? 1 : CONNECTIONS_FILLING,
    interests: INTERESTS,
    vocabulary: VOCABULARY,
    matched,
  });
  const count = matched ? 2 * arrivals : arrivals;
  const us = (seconds: number | undefined): number => ((seconds ?? Number.NaN) / count) * 1_000_000;
  return [us(spent.seconds), us(spent.serverCpuSeconds)];
}

export const queue: Measure = {
  name: "queue",
  isQuick: false,
  async run(bench: Bench) {
    await using server = await bench.start("product", SETTINGS);
    using load = new LoadProcess();
    const arrivals = { server, load };
    const byClock: number[] = [];
    const byProcessor: number[] = [];
    let waiting = 0;
    let bytesEach = Number.NaN;
    for (const length of LENGTHS) {
      if (length > EARLIER) {
        await arrive(arrivals, EARLIER - waiting, false);
        const before = await settledBytes(bench, server.pid);
        await arrive(arrivals, length - EARLIER, false);
        bytesEach = ((await settledBytes(bench, server.pid)) - before) / (length - EARLIER);
      } else await arrive(arrivals, length - waiting, false);
      waiting = length;
      await arrive(arrivals, WARMING, true);
      const [clockUs, processorUs] = await arrive(arrivals, MEASURED, true);
      bench.progress(
        `${figure(length)} wait: ${figure(clockUs)} µs an arrival, ${figure(processorUs)} µs of the server`,
      );
      byClock.push(clockUs);
      byProcessor.push(processorUs);
    }
    const growth = (us: readonly number[]): number => (us.at(-1) ?? Number.NaN) / (us[0] ?? Number.NaN);
    // The processor's time is what an arrival costs; the clock's holds the load process too.
    const isKnown = !Number.isNaN(byProcessor[0] ?? Number.NaN);
    const us = isKnown ? byProcessor : byClock;
    const at = (n: number): string => `${figure(us[n] ?? Number.NaN)} µs at ${figure(LENGTHS[n] ?? 0)} waiting`;
    const arriving: Finding = {
      measure: "queue",
      title: "enter_queue with interests, half of them matched",
      product: at(2),
      others: `${at(0)}, ${at(1)}`,
      ratio: times(growth(us)),
      target: `≤ ${TIMES_MAX} × of 10 waiting`,
      isMet: growth(us) <= TIMES_MAX,
      numbers: {
        ...Object.fromEntries(LENGTHS.map((length, n) => [`serverUsAt${length}`, byProcessor[n]])),
        ...Object.fromEntries(LENGTHS.map((length, n) => [`clockUsAt${length}`, byClock[n]])),
        growth: growth(us),
      },
    };
    const memory: Finding = {
      measure: "queue",
      title: "Memory of a waiting user who only calls tools",
      product: kib(bytesEach),
      others: `${figure((LENGTHS.at(-1) ?? 0) - EARLIER)} more than ${figure(EARLIER)}`,
      ratio: "",
      target: `≤ ${kib(BYTES_MAX)}`,
      isMet: Number.isNaN(bytesEach) ? undefined : bytesEach <= BYTES_MAX,
      numbers: { bytesEach },
    };
    return [arriving, memory];
  },
};
