/**
 * One run of messages against one server: everybody comes, greets, and speaks; nothing may be lost.
 *
 * This file owns that course of events. It must never compare.
 */
import { type Bench, CONNECTIONS, FEW_USERS } from "../finding.ts";
import type { FlowReport } from "../load/flow.ts";
import type { CrowdReport } from "../load/orders.ts";
import type { Speech } from "../load/requests.ts";
import { LoadProcess } from "../load-process.ts";
import { type PeerName, type ServerProcess, speechOf } from "../server-process.ts";

/** What flows in a run; what is left out is as in most of them. */
export interface RunOptions {
  readonly peer: PeerName;
  readonly speech?: Speech;
  /** More settings of the product. */
  readonly settings?: readonly string[];
  readonly users?: number;
  readonly connections?: number;
  /** 0 = as many as the server answers. */
  readonly perSecond?: number;
  readonly warmupMs?: number;
  readonly measuredMs?: number;
  readonly cutsPerSecond?: number;
  /** Called when everybody has come and greeted, before messages flow. */
  readonly gathered?: () => Promise<void>;
}

export interface RunReport extends FlowReport {
  readonly messagesPerSecond: number;
  /** Processor time of the server for one message, in microseconds; NaN where it cannot be read. */
  readonly serverUs: number;
  /** Shares of one core. */
  readonly serverShare: number;
  readonly loadShare: number;
  /** Less than was asked for has arrived in the time: the rate was too high for the server, or the machine too busy. */
  readonly isBehind: boolean;
  readonly account: CrowdReport;
}

/** Share of a rate below which it was not reached; the last messages of the time are heard after it. */
const RATE_SHARE_MIN = 0.98;

/** The account of a run, in words; throws if anything is wrong with it. */
export function checkAccount(peer: string, account: CrowdReport): void {
  const { lost, doubled, reordered, foreign, refused, dropped, complaint } = account;
  const faults = Object.entries({ lost, doubled, reordered, foreign, refused, dropped }).filter(
    ([, count]) => count > 0,
  );
  if (faults.length === 0) return;
  const said = faults.map(([fault, count]) => `${count} ${fault}`).join(", ");
  throw new Error(`${peer}: ${said}${complaint === undefined ? "" : ` (${complaint})`}`);
}

/** Starts a server and lets messages flow. Rejects if one is lost, doubled, reordered, misdirected or refused. */
export async function run(bench: Bench, options: RunOptions): Promise<RunReport> {
  await using standing = await Standing.of(bench, options);
  return await standing.flow();
}

/** The same on a server that runs already. */
export async function flowOn(
  bench: Bench,
  server: ServerProcess,
  load: LoadProcess,
  options: RunOptions,
): Promise<RunReport> {
  await gather(server, load, options);
  await options.gathered?.();
  return await flow(bench, server, load, options);
}

/** Lets those speak who have come. May be called again. */
async function flow(bench: Bench, server: ServerProcess, load: LoadProcess, options: RunOptions): Promise<RunReport> {
  const { effort } = bench;
  const report = await load.carryOut("flow", {
    perSecond: options.perSecond ?? 0,
    warmupMs: options.warmupMs ?? effort.warmupMs,
    measuredMs: options.measuredMs ?? effort.measuredMs,
    cutsPerSecond: options.cutsPerSecond ?? 0,
    serverPid: server.pid,
    maySpin: (options.perSecond ?? 0) > 0,
  });
  const account = await load.carryOut("account", {});
  checkAccount(options.peer, account);
  const described = describe(report);
  const isBehind = described.messagesPerSecond < RATE_SHARE_MIN * (options.perSecond ?? 0);
  return { ...described, isBehind, account };
}

/** A server whose people have come and stay, so that it can take turns with others as often as is wanted. */
export class Standing implements AsyncDisposable {
  readonly #bench: Bench;
  readonly #server: ServerProcess;
  readonly #load: LoadProcess;
  readonly #options: RunOptions;

  private constructor(bench: Bench, server: ServerProcess, load: LoadProcess, options: RunOptions) {
    this.#bench = bench;
    this.#server = server;
    this.#load = load;
    this.#options = options;
  }

  static async of(bench: Bench, options: RunOptions): Promise<Standing> {
    const server = await bench.start(options.peer, options.settings);
    const standing = new Standing(bench, server, new LoadProcess(), options);
    try {
      await gather(server, standing.#load, options);
      return standing;
    } catch (problem) {
      await standing[Symbol.asyncDispose]();
      throw problem;
    }
  }

  /** Lets messages flow once more, with these options instead of its own. */
  flow(options: Pick<RunOptions, "warmupMs" | "measuredMs"> = {}): Promise<RunReport> {
    return flow(this.#bench, this.#server, this.#load, { ...this.#options, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#load[Symbol.dispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Everybody comes and says one thing. */
export async function gather(server: ServerProcess, load: LoadProcess, options: RunOptions): Promise<void> {
  const { peer, users = FEW_USERS, connections = CONNECTIONS, cutsPerSecond = 0 } = options;
  await load.carryOut("gather", {
    port: server.port,
    serverPid: server.pid,
    speech: options.speech ?? speechOf(peer, "legacy"),
    users,
    connections,
    enter: true,
    resumable: cutsPerSecond > 0,
  });
  await load.carryOut("greet", {});
}

function describe(report: FlowReport): Omit<RunReport, "account" | "isBehind"> {
  const { seconds, messages, serverCpuSeconds = Number.NaN, loadCpuSeconds } = report;
  return {
    ...report,
    messagesPerSecond: messages / seconds,
    serverUs: (serverCpuSeconds / messages) * 1_000_000,
    serverShare: serverCpuSeconds / seconds,
    loadShare: loadCpuSeconds / seconds,
  };
}
