/**
 * What the benchmark ran on, as numbers without their machine say little.
 *
 * This file owns that description. It must never name the machine itself or its user.
 */
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import packageJson from "../../package.json" with { type: "json" };
import { CORES } from "./child.ts";

export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly bun: string;
  readonly version: string;
  /** Whether the server and the load each have a core to themselves. */
  readonly isPinned: boolean;
  /** Processes that wanted a core in the minute before. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? "an unknown processor",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    bun: Bun.version,
    version: packageJson.version,
    isPinned: CORES !== undefined,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** Load average above which other programs take a share of what is measured. */
const BUSY_LOAD = 0.5;

/** The same in a sentence. */
export function machineText({ isPinned, loadBefore, ...machine }: Machine): string {
  const where = isPinned
    ? "server on one core, load on another"
    : "server and load wherever the system puts them, as processes cannot be tied to two cores here";
  const { date, version, processor, cores, memoryGiB, system, bun } = machine;
  const others = loadBefore > BUSY_LOAD ? `; the machine was busy before (load average ${loadBefore})` : "";
  return `${date}, mcp-chat ${version}, Bun ${bun}, ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; ${where}${others}`;
}
