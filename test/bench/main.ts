/**
 * The benchmark: the product beside what the same machine can do at best and beside what else there is, in one run.
 *
 * This file owns the course of a run and its exit code: 0 = every target met, 1 = one missed or a
 * measure failed, 2 = the options are wrong. It must never leave a process or a file but the one it names.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killAll } from "./child.ts";
import type { Bench, Effort, Finding, Measure } from "./finding.ts";
import { describeMachine, machineText } from "./machine.ts";
import { churn } from "./measures/churn.ts";
import { crowdMeasure } from "./measures/crowd.ts";
import { delivery } from "./measures/delivery.ts";
import { growthMeasure } from "./measures/growth.ts";
import { journals } from "./measures/journals.ts";
import { queue } from "./measures/queue.ts";
import { sessions } from "./measures/sessions.ts";
import { stall } from "./measures/stall.ts";
import { start } from "./measures/start.ts";
import { legacyThroughput, modernThroughput } from "./measures/throughput.ts";
import { type Options, readOptions } from "./options.ts";
import { markdownTable, summary, terminalTable } from "./report.ts";
import { provide, ServerProcess } from "./server-process.ts";

const MEASURES: readonly Measure[] = [
  legacyThroughput,
  modernThroughput,
  delivery,
  crowdMeasure,
  sessions,
  queue,
  start,
  stall,
  growthMeasure,
  churn,
  journals,
];

const THOROUGH: Effort = {
  rounds: 3,
  warmupMs: 1000,
  measuredMs: 3000,
  crowd: 10_000,
  crowdMs: 10_000,
  starts: 15,
  sessions: 50_000,
  settleMs: 2000,
};
const QUICK: Effort = {
  rounds: 1,
  warmupMs: 500,
  measuredMs: 1500,
  crowd: 1000,
  crowdMs: 2000,
  starts: 7,
  sessions: 5000,
  settleMs: undefined,
};

/** The benchmark ends by itself after this, whatever hangs. */
const RUN_MS_MAX = 20 * 60 * 1000;

const say = (text: string): unknown => process.stdout.write(`${text}\n`);

async function measure(one: Measure, bench: Bench): Promise<readonly Finding[]> {
  const began = performance.now();
  try {
    return await one.run(bench);
  } catch (problem) {
    const reason = problem instanceof Error ? problem.message : String(problem);
    const nothing = { others: "", ratio: "", target: "to be measured", numbers: {} };
    return [{ measure: one.name, title: one.name, product: `failed: ${reason}`, isMet: false, ...nothing }];
  } finally {
    bench.progress(`${one.name} took ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
}

async function runAll(options: Options, folder: string): Promise<number> {
  const began = performance.now();
  const machine = describeMachine();
  const effort = {
    ...(options.isQuick ? QUICK : THOROUGH),
    ...(options.rounds === undefined ? {} : { rounds: options.rounds }),
  };
  const { product } = options;
  const bench: Bench = {
    effort,
    folder,
    product,
    start: (peer, settings = []) =>
      ServerProcess.start({ peer, settings, ...(product === undefined ? {} : { product }) }),
    progress: (text) => process.stderr.write(`  ${text}\n`),
  };
  const chosen = MEASURES.filter(
    ({ name, isQuick, isAside = false }) => options.rows?.includes(name) ?? (!isAside && (isQuick || !options.isQuick)),
  );
  say(machineText(machine));
  await provide(folder);
  const findings: Finding[] = [];
  for (const one of chosen) findings.push(...(await measure(one, bench)));

  say(options.isMarkdown ? markdownTable(findings) : terminalTable(findings));
  const seconds = Math.round((performance.now() - began) / 1000);
  await Bun.write(options.json, `${JSON.stringify({ machine, effort, seconds, findings }, undefined, 2)}\n`);
  say(`\n${summary(findings)}. ${seconds} s; numbers in ${options.json}`);
  return findings.some(({ isMet }) => isMet === false) ? 1 : 0;
}

async function main(): Promise<number> {
  const options = readOptions(
    process.argv.slice(2),
    MEASURES.map(({ name }) => name),
  );
  if ("help" in options) {
    say(options.help);
    return 0;
  }
  if ("problem" in options) {
    process.stderr.write(`bench: ${options.problem}\n`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "mcp-chat-bench-"));
  // Exit handlers run on every way out, also out of a signal.
  process.on("exit", () => {
    killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
  setTimeout(() => {
    process.stderr.write("bench: took far too long\n");
    process.exit(1);
  }, RUN_MS_MAX).unref();
  return await runAll(options, folder);
}

process.exit(await main());
