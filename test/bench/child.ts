/**
 * Processes of the benchmark: servers and load, each on a core of its own where there are two.
 *
 * This file owns child processes: how they are started, where they run, and that none of them stays. It
 * must never end a process it did not start.
 */
import { readFileSync } from "node:fs";

/** Cores for the server and for the load; undefined where processes cannot be tied to two cores. */
export const CORES: { readonly server: number; readonly load: number } | undefined = findCores();

function findCores(): typeof CORES {
  if (Bun.which("taskset") === null) return undefined;
  const [server, load] = allowedCores();
  return server === undefined || load === undefined ? undefined : { server, load };
}

/** The cores this process may use, where the system shows them (Linux): a container may have been given any. */
function allowedCores(): number[] {
  try {
    const [, list = ""] = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync("/proc/self/status", "latin1")) ?? [];
    return list.split(",").flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, n) => first + n);
    });
  } catch {
    return [];
  }
}

const running = new Set<Bun.Subprocess>();

/** Ends what is still running, at once. For the end of the benchmark, whatever its reason. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A command tied to a core, where that is possible. */
export function onCore(core: "server" | "load", command: readonly string[]): string[] {
  return CORES === undefined ? [...command] : ["taskset", "-c", String(CORES[core]), ...command];
}

/** Notes a child, so that it is ended with the benchmark if not before. */
export function keepTrack<Child extends Bun.Subprocess>(child: Child): Child {
  running.add(child);
  child.exited.finally(() => running.delete(child));
  return child;
}

/** The variables of this process without settings of the product, which would change what is measured. */
export function cleanEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MCP_CHAT_")));
}

/** Waits at most so long. Rejects with `what` otherwise. */
export async function within<T>(what: string, ms: number, promise: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms / 1000} s`)), ms);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks a child to end, and ends it if it does not. */
export async function end(child: Bun.Subprocess, ms: number): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  await child.exited.finally(() => clearTimeout(timer));
}
