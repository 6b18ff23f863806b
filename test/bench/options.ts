/**
 * The command line of the benchmark.
 *
 * This file owns its options. It must never start anything.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

export interface Options {
  readonly isQuick: boolean;
  /** Names of the measures to run; undefined = all of them, or those of a quick run. */
  readonly rows: readonly string[] | undefined;
  /** Where the numbers go. */
  readonly json: string;
  /** Prints the table as it stands in the README. */
  readonly isMarkdown: boolean;
  readonly rounds: number | undefined;
  readonly product: readonly string[] | undefined;
}

export const USAGE = `usage: bun run bench [options]
  --quick          the most important rows, in half a minute
  --only NAMES     these rows, by commas
  --rounds N       times that servers take turns in a row [3]
  --json FILE      where the numbers go [a new file in the system's temporary folder]
  --markdown       the table as it stands in the README
  --product CMD    another build of the product: its command line, by spaces
  --help           this text`;

const ROUNDS_MAX = 25;

/** @returns the options, the text to print instead, or what is wrong with them */
export function readOptions(
  argv: readonly string[],
  names: readonly string[],
): Options | { readonly help: string } | { readonly problem: string } {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (problem) {
    return { problem: problem instanceof Error ? problem.message : String(problem) };
  }
  if (values.help) return { help: `${USAGE}\n\nrows: ${names.join(", ")}` };
  const { only } = values;
  const rows = only?.split(",").map((name) => name.trim());
  const unknown = rows?.find((name) => !names.includes(name));
  if (unknown !== undefined) return { problem: `no row is called ${unknown}; there are ${names.join(", ")}` };
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX)) {
    return { problem: `--rounds is a number from 1 to ${ROUNDS_MAX}` };
  }
  return {
    isQuick: values.quick ?? false,
    rows,
    json: values.json ?? join(tmpdir(), `mcp-chat-bench-${Date.now()}.json`),
    isMarkdown: values.markdown ?? false,
    rounds,
    product: values.product?.split(" ").filter((word) => word !== ""),
  };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean" },
      only: { type: "string" },
      rounds: { type: "string" },
      json: { type: "string" },
      markdown: { type: "boolean" },
      product: { type: "string" },
      help: { type: "boolean" },
    },
  }).values;
}
