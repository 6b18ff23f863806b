/**
 * The black-box tests of the contract and those with the official clients, unchanged, on three servers that are one:
 * every request goes to another of them, and none hears of anything at the same time as the others.
 *
 * This file owns which of them run there. What a balancer itself stands in the way of is left out: bodies without
 * a length, half requests, and readers that stall, whom it keeps from the servers.
 */

import { expect, test } from "bun:test";
import { CHECKOUT, run } from "../support/program.ts";

const RUN_MS_MAX = 180_000;

/** Runs tests with a seed for the delays. @returns how many passed, and what was said if any failed */
async function runTests(seed: number, paths: readonly string[]): Promise<{ passed: number; complaint: string }> {
  const command = [process.execPath, "test", ...paths.map((path) => `./${path}`)];
  const env = { TEST_NODES: "3", TEST_SEED: String(seed), TEST_CHECKED: "1" };
  const { code, stdout, stderr } = await run(command, { cwd: CHECKOUT, env });
  const said = stdout + stderr;
  return { passed: Number(/^ *(\d+) pass$/m.exec(said)?.[1] ?? 0), complaint: code === 0 ? "" : said };
}

test.each([1, 2])(
  "the contract holds wherever a request goes, seed %p",
  async (seed) => {
    const files = ["tools", "refusals", "rooms", "push", "moderated", "churn"];
    const { passed, complaint } = await runTests(
      seed,
      files.map((name) => `test/contract/${name}.test.ts`),
    );
    expect(complaint).toBe("");
    expect(passed).toBeGreaterThan(230);
  },
  RUN_MS_MAX,
);

test(
  "the official clients notice nothing",
  async () => {
    const { passed, complaint } = await runTests(3, ["test/clients/pairings.test.ts", "test/clients/returns.test.ts"]);
    expect(complaint).toBe("");
    expect(passed).toBeGreaterThan(20);
  },
  RUN_MS_MAX,
);
