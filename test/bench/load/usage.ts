/**
 * What a process has used so far: processor time and memory, as the system counts them.
 *
 * This file owns reading those counts. It must never run a program to get at them, as that would
 * show in what is measured; where the system does not publish them it says so.
 */
import { readdirSync, readFileSync } from "node:fs";

const NS_PER_S = 1e9;

/** Seconds of processor time a process has used, all threads together; undefined where that cannot be read. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    let ns = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
    }
    return ns / NS_PER_S;
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in bytes; undefined where that cannot be read. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

/** Time that something took, by the clock and of processors. */
export interface Spent {
  readonly seconds: number;
  /** Of the server; undefined where it cannot be read. */
  readonly serverCpuSeconds: number | undefined;
  /** Of this process. */
  readonly loadCpuSeconds: number;
}

/** Starts to measure. @returns how to end it */
export function startSpending(serverPid: number): () => Spent {
  const [began, serverBefore, loadBefore] = [performance.now(), cpuSeconds(serverPid), process.cpuUsage()];
  return () => {
    const [ended, serverAfter, load] = [performance.now(), cpuSeconds(serverPid), process.cpuUsage(loadBefore)];
    const isKnown = serverAfter !== undefined && serverBefore !== undefined;
    return {
      seconds: (ended - began) / 1000,
      serverCpuSeconds: isKnown ? serverAfter - serverBefore : undefined,
      loadCpuSeconds: (load.user + load.system) / 1_000_000,
    };
  };
}

/** What some work takes. */
export async function spent(serverPid: number, work: () => Promise<void>): Promise<Spent> {
  const end = startSpending(serverPid);
  await work();
  return end();
}
