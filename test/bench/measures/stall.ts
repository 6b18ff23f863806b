/**
 * How long the server is deaf to everybody while it does something for very many: a watcher asks
 * the cheapest question every few milliseconds, and the latest answer tells.
 *
 * This file owns that row. The watcher is a process of its own, and the crowd's steps behind it, so that it is
 * not the crowd's own work that makes an answer late.
 */
import { type Bench, type Finding, figure, type Measure, ms } from "../finding.ts";
import { LoadProcess } from "../load-process.ts";
import { type PeerName, type ServerProcess, speechOf } from "../server-process.ts";
import { checkAccount } from "./runs.ts";

const MS_MAX = 10;

/** Between two questions, in milliseconds. */
const EVERY_MS = 2;

/** How long each operation is watched, in milliseconds: until well after it. */
const WATCHED_MS = 2000;

/** Short, so that the end of it can be waited for; long enough to come after the cutting. */
const GRACE_SECONDS = 3;

/** How long before the end of the grace time the watching begins, in milliseconds. */
const WATCH_AHEAD_MS = 500;

/** Operations are seen twice, and the better time counts: a hiccup of the machine looks like a stall. */
const ROUNDS = 2;

const SETTINGS = ["--grace-seconds", String(GRACE_SECONDS)];

type Operation = "idle" | "all meet" | "half are cut" | "half are given up";
type Stalls = Record<Operation, number>;

class Stage implements Disposable {
  readonly #server: ServerProcess;
  readonly crowd = new LoadProcess();
  readonly #watcher = new LoadProcess();

  constructor(server: ServerProcess) {
    this.#server = server;
    this.crowd.stepBack();
  }

  /** @returns the latest answer while something goes on, in milliseconds */
  async watch(work: () => Promise<unknown>): Promise<number> {
    const watching = this.#watcher.carryOut("watch", { port: this.#server.port, ms: WATCHED_MS, everyMs: EVERY_MS });
    await Bun.sleep(100);
    await work();
    return (await watching).worstMs;
  }

  [Symbol.dispose](): void {
    this.crowd[Symbol.dispose]();
    this.#watcher[Symbol.dispose]();
  }
}

async function stallsOf(bench: Bench, peer: PeerName): Promise<Stalls> {
  const users = bench.effort.crowd;
  await using server = await bench.start(peer, peer === "product" ? SETTINGS : []);
  using stage = new Stage(server);
  const { crowd } = stage;
  await crowd.carryOut("gather", {
    port: server.port,
    serverPid: server.pid,
    speech: speechOf(peer, "legacy"),
    users,
    connections: 16,
    enter: false,
    resumable: false,
  });
  // Twice, so that the first answers of a watcher who has just come are not counted.
  await stage.watch(async () => undefined);
  const idle = await stage.watch(async () => undefined);
  const meet = await stage.watch(() => crowd.carryOut("enter", { from: 0, to: users }));
  await crowd.carryOut("greet", {});
  checkAccount(peer, await crowd.carryOut("account", {}));
  const cutAt = performance.now();
  const cut = await stage.watch(() => crowd.carryOut("cut", { from: 0, to: users, step: 2 }));
  const grace = GRACE_SECONDS * 1000 - (performance.now() - cutAt) - WATCH_AHEAD_MS;
  await Bun.sleep(Math.max(0, grace));
  const givenUp = await stage.watch(async () => undefined);
  return { idle, "all meet": meet, "half are cut": cut, "half are given up": givenUp };
}

/** The better time of each operation. */
function better(all: readonly Stalls[]): Stalls {
  const least = (operation: Operation): number => Math.min(...all.map((one) => one[operation]));
  return {
    idle: least("idle"),
    "all meet": least("all meet"),
    "half are cut": least("half are cut"),
    "half are given up": least("half are given up"),
  };
}

const shown = (stalls: Stalls): string =>
  Object.entries(stalls)
    .map(([operation, time]) => `${operation} ${ms(time)}`)
    .join(", ");

export const stall: Measure = {
  name: "stall",
  isQuick: false,
  async run(bench) {
    const rounds: Stalls[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push(await stallsOf(bench, "product"));
      bench.progress(`stall: ${shown(rounds.at(-1) ?? better(rounds))}`);
    }
    const ceiling = await stallsOf(bench, "ceiling");
    bench.progress(`stall of the ceiling: ${shown(ceiling)}`);
    const product = better(rounds);
    const worst = Math.max(...Object.values(product));
    const finding: Finding = {
      measure: "stall",
      title: `Longest wait for an answer beside ${figure(bench.effort.crowd)} streams`,
      product: `${ms(worst)} (${shown(product)})`,
      others: `ceiling ${shown(ceiling)}`,
      ratio: "",
      target: `≤ ${ms(MS_MAX)}`,
      isMet: worst <= MS_MAX,
      numbers: {
        worstMs: worst,
        ...Object.fromEntries(Object.entries(product).map(([operation, time]) => [`${operation} ms`, time])),
        ...Object.fromEntries(Object.entries(ceiling).map(([operation, time]) => [`ceiling ${operation} ms`, time])),
      },
    };
    return [finding];
  },
};
