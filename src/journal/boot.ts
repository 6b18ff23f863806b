/**
 * Which start of the machine this is: what the disk had not kept yet is lost with the machine, and never with a
 * process alone.
 *
 * This file owns that name. It must never fail: a name that cannot be read is another one each time.
 */
import { readFileSync } from "node:fs";
import { uptime } from "node:os";

/** Where Linux names each of its starts. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** Elsewhere the time of the start has to do, which is not known to the second. */
const GRAIN_S = 600;

/** The same for as long as the machine runs. */
export function bootName(): string {
  try {
    return readFileSync(BOOT_ID, "utf8").trim();
  } catch (_otherSystem) {
    return `about ${Math.round((Date.now() / 1000 - uptime()) / GRAIN_S)}`;
  }
}
