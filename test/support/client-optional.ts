/**
 * Tests that not every machine or every run can afford. One that is left out says so and why; where
 * REQUIRE_ALL_TESTS is set nothing is left out, so that no skip goes unseen.
 *
 * This file owns the decision to skip. No test decides it for itself.
 */

import { test } from "bun:test";

const REQUIRED = process.env.REQUIRE_ALL_TESTS === "1";

type Run = (title: string, body: () => Promise<void>, ms: number) => void;

/** A test that is left out if `reason` is given. The others of a file run beside it, unless it is run otherwise. */
function unless(
  reason: string | undefined,
  title: string,
  body: () => Promise<void>,
  ms: number,
  run: Run = test.concurrent,
): void {
  if (reason === undefined || REQUIRED) run(title, body, ms);
  else test.skipIf(true)(`${title} (skipped: ${reason})`, body);
}

/** A test that uses programs of the system. */
export function testWith(programs: readonly string[], title: string, body: () => Promise<void>, ms: number): void {
  unless(missingOf(programs), title, body, ms);
}

/** The same, one after the other: for programs that need the whole machine. */
export function testAloneWith(programs: readonly string[], title: string, body: () => Promise<void>, ms: number): void {
  unless(missingOf(programs), title, body, ms, test);
}

function missingOf(programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => Bun.which(program) === null);
  return missing.length === 0 ? undefined : `there is no ${missing.join(", ")}`;
}

/** A test that takes real time: runs where MCP_CHAT_SLOW_TESTS=1 is set, and there are these programs of the system. */
export function slowTest(title: string, body: () => Promise<void>, ms: number, programs: readonly string[] = []): void {
  const isAsked = process.env.MCP_CHAT_SLOW_TESTS === "1";
  const reason = isAsked ? missingOf(programs) : "takes over a minute; set MCP_CHAT_SLOW_TESTS=1";
  unless(reason, title, body, ms);
}
