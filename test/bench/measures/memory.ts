/**
 * How much memory a server has, once it has been left alone for a moment and what it let go of is gone.
 *
 * This file owns that reading. It must never tell the server to collect anything: an operator would not either.
 */
import type { Bench } from "../finding.ts";
import { residentBytes } from "../load/usage.ts";

/** Resident bytes of a process; NaN where they cannot be read or are not measured. */
export async function settledBytes({ effort }: Bench, pid: number): Promise<number> {
  if (effort.settleMs === undefined) return Number.NaN;
  await Bun.sleep(effort.settleMs);
  return residentBytes(pid) ?? Number.NaN;
}
