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

/** How many checks pass, by scenario and revision. Where the suite knows a scenario at no other revision, it is left out. */
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
/** Those the suite can speak; it does not know 2024-11-05. */
const REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source" });
});
afterAll(async () => {
  expect(server.stderr).not.toContain("unexpectedly");
  expect(await server.stop()).toBe(0);
});

for (const [scenario, checks] of Object.entries(SCENARIOS)) {
  test.concurrent(
    scenario,
    async () => {
      const results = await Promise.all(REVISIONS.map((revision) => runScenario(scenario, revision)));
      const expected = REVISIONS.map((revision) => [revision, checks[revision] ?? "not applicable"]);
      expect(Object.fromEntries(results)).toEqual(Object.fromEntries(expected));
    },
    SCENARIO_MS_MAX,
  );
}

/** @returns the revision, and how many checks passed; what the suite said if one did not pass or none could be counted */
async function runScenario(scenario: string, revision: string): Promise<[revision: string, outcome: number | string]> {
  const args = ["--url", server.url, "--scenario", scenario, "--spec-version", revision, "-o", temporaryFolder()];
  const { code, stdout, stderr } = await run([process.execPath, SUITE, "server", ...args]);
  if (/^SKIPPED: .* is not applicable at spec version/m.test(stdout + stderr)) return [revision, "not applicable"];
  const [, passed, total, failed, warnings] =
    /^Passed: (\d+)\/(\d+), (\d+) failed, (\d+) warnings$/m.exec(stdout) ?? [];
  const isGreen = code === 0 && passed !== undefined && passed === total && failed === "0" && warnings === "0";
  return [revision, isGreen ? Number(passed) : `${code}\n${stdout}\n${stderr}`];
}
