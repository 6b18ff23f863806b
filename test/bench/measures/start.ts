/**
 * The start of the executable, from the making of the process to the first request that is answered.
 *
 * This file owns that row. The executable is built by the build script of package.json, into a
 * folder that is removed afterwards.
 */
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { cleanEnvironment, end, keepTrack, onCore } from "../child.ts";
import { type Bench, type Finding, type Measure, median, ms } from "../finding.ts";

const MS_MAX = 25;
const CHECKOUT = join(import.meta.dir, "../../..");

async function build(folder: string): Promise<string> {
  const outfile = join(folder, "mcp-chat");
  const [, ...args] = packageJson.scripts.build.split(" ").map((word) => (word === "dist/mcp-chat" ? outfile : word));
  const child = keepTrack(
    Bun.spawn([process.execPath, ...args], { cwd: CHECKOUT, stdio: ["ignore", "ignore", "inherit"] }),
  );
  if ((await child.exited) !== 0) throw new Error("the executable could not be built");
  return outfile;
}

/** @returns milliseconds until the first answer */
async function startOnce(command: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = keepTrack(
    Bun.spawn(onCore("server", command), { env: cleanEnvironment(), stdio: ["ignore", "pipe", "inherit"] }),
  );
  try {
    const { value } = await child.stdout.getReader().read();
    const [, origin] = /listening on (http:\/\/[\d.:]+)\//.exec(new TextDecoder().decode(value)) ?? [];
    if (origin === undefined) throw new Error(`${command[0]} did not say where it listens`);
    const response = await fetch(`${origin}/healthz`);
    await response.text();
    if (!response.ok) throw new Error(`the first answer was ${response.status}`);
    return performance.now() - began;
  } finally {
    await end(child, 5000);
  }
}

async function startOften(bench: Bench, label: string, command: readonly string[]): Promise<number> {
  const all: number[] = [];
  for (let n = 0; n < bench.effort.starts; n++) all.push(await startOnce(command));
  bench.progress(`${label}: ${ms(median(all))} (${ms(Math.min(...all))} to ${ms(Math.max(...all))})`);
  return median(all);
}

export const start: Measure = {
  name: "start",
  isQuick: true,
  async run(bench) {
    const executable = await build(bench.folder);
    const quiet = ["--port", "0", "--log-level", "error"];
    const compiled = await startOften(bench, "executable", [executable, ...quiet]);
    const source = await startOften(bench, "sources", [process.execPath, join(CHECKOUT, "src/main.ts"), ...quiet]);
    const ceiling = await startOften(bench, "ceiling", [
      process.execPath,
      join(CHECKOUT, "test/bench/peers/ceiling.ts"),
    ]);
    const finding: Finding = {
      measure: "start",
      title: "Start of the executable to the first answered request",
      product: ms(compiled),
      others: `from the sources ${ms(source)}; ceiling from its source ${ms(ceiling)}`,
      ratio: "",
      target: `≤ ${ms(MS_MAX)}`,
      isMet: compiled <= MS_MAX,
      numbers: { compiledMs: compiled, sourceMs: source, ceilingSourceMs: ceiling },
    };
    return [finding];
  },
};
