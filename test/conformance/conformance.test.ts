/** The official conformance suite in all its configurations, against a server of fixtures: every check, and no failure. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { CHECKOUT, run, startProgram, temporaryFolder } from "../support/program.ts";

const SUITE = join(CHECKOUT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
/** One configuration takes about ten seconds; a busy machine may need many times that. */
const SUITE_MS_MAX = 180_000;

const CONFIGURATIONS: readonly [args: string, passed: number][] = [
  ["--requirements 2026-07-28", 196],
  // 84 for servers that answer every request with an event stream: one more check concerns such streams only.
  ["--requirements 2025-11-25", 83],
  ["--spec-version 2025-06-18", 56],
  ["--spec-version 2025-03-26", 3],
  ["--suite all", 233],
];

test.each(CONFIGURATIONS)(
  "%s: %d checks pass",
  async (args, passed) => {
    const command = [process.execPath, join(import.meta.dir, "server.ts")];
    const server = await startProgram({ kind: { command } });
    const { code, stdout, stderr } = await run([
      process.execPath,
      SUITE,
      "server",
      "--url",
      server.url,
      ...args.split(" "),
      "-o",
      temporaryFolder(),
    ]);
    const failures = stdout.split("\n").filter((line) => /: \d+ passed, [1-9]\d* failed/.test(line));
    expect(failures).toEqual([]);
    const [, ...totals] = /^Total: (\d+) passed, (\d+) failed$/m.exec(stdout) ?? [];
    expect(totals.map(Number)).toEqual([passed, 0]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await server.stop()).toBe(0);
  },
  SUITE_MS_MAX,
);
