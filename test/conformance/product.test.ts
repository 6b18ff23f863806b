/**
 * The official conformance suite against the product itself, as a process: every scenario that asks
 * for no fixture, at every revision at which it runs.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { CHECKOUT, type Program, run, startProgram, temporaryFolder } from "../support/program.ts";

const SUITE = join(CHECKOUT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
/** One scenario takes half a second; a busy machine may need many times that. */
const SCENARIO_MS_MAX = 60_000;

/** How many checks pass, by scenario and revision: all at which the suite has the scenario. It does not speak 2024-11-05. */
const SCENARIOS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "server-initialize": { "2025-06-18": 3, "2025-11-25": 3 },
  ping: { "2025-06-18": 2, "2025-11-25": 2 },
  "logging-set-level": { "2025-06-18": 2, "2025-11-25": 2 },
  "server-session-lifecycle": { "2025-03-26": 3, "2025-06-18": 3, "2025-11-25": 3 },
  // One more check is for servers that answer every request with an event stream.
  "server-sse-multiple-streams": { "2025-11-25": 1, "2026-07-28": 1 },
  "dns-rebinding-protection": { "2025-11-25": 2, "2026-07-28": 2 },
  "tools-list": { "2025-06-18": 2, "2025-11-25": 3, "2026-07-28": 4 },
  "resources-list": { "2025-06-18": 2, "2025-11-25": 2, "2026-07-28": 2 },
  "prompts-list": { "2025-06-18": 2, "2025-11-25": 2, "2026-07-28": 2 },
  caching: { "2026-07-28": 8 },
  "sep-2164-resource-not-found": { "2026-07-28": 4 },
  "http-header-validation": { "2026-07-28": 14 },
  "input-required-result-unsupported-methods": { "2026-07-28": 2 },
};
let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source" });
});
afterAll(async () => {
  expect(server.stderr).not.toContain("unexpectedly");
  expect(await server.stop()).toBe(0);
});

test.each(Object.entries(SCENARIOS))(
  "%s",
  async (scenario, checks) => {
    const outcomes = await Promise.all(
      Object.keys(checks).map(async (revision) => [revision, await passedChecks(scenario, revision)]),
    );
    expect(Object.fromEntries(outcomes)).toEqual(checks);
  },
  SCENARIO_MS_MAX,
);

/** @returns how many checks passed, or what the suite said if not all did */
async function passedChecks(scenario: string, revision: string): Promise<number | string> {
  const args = ["--url", server.url, "--scenario", scenario, "--spec-version", revision, "-o", temporaryFolder()];
  const { code, stdout, stderr } = await run([process.execPath, SUITE, "server", ...args]);
  const [, passed, total, failed, warnings] =
    /^Passed: (\d+)\/(\d+), (\d+) failed, (\d+) warnings$/m.exec(stdout) ?? [];
  const isGreen = code === 0 && passed !== undefined && passed === total && failed === "0" && warnings === "0";
  return isGreen ? Number(passed) : `exit ${code}\n${stdout}\n${stderr}`;
}
