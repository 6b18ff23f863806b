/**
 * What the benchmark says and how it is asked: options, tables, and the exit code that a missed target gives.
 *
 * This file owns the benchmark's face. It must never run a measure.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../support/program.ts";
import { type Finding, figure, median } from "./finding.ts";
import { readOptions } from "./options.ts";
import { markdownTable, summary, terminalTable } from "./report.ts";

const NAMES = ["queue", "stall"];

const FINDING: Finding = {
  measure: "queue",
  title: "Arrivals",
  product: "12 µs",
  others: "ceiling 6 µs",
  ratio: "2 ×",
  target: "≤ 2 ×",
  isMet: true,
  numbers: {},
};
const MISSED: Finding = { ...FINDING, title: "Sta|ls", isMet: false };
const UNWANTED: Finding = { ...FINDING, title: "Memory", others: "", target: "", ratio: "", isMet: undefined };

describe("options", () => {
  test("everything has a default, and the numbers go to a file of their own", () => {
    const options = readOptions([], NAMES);
    expect(options).toMatchObject({ isQuick: false, isMarkdown: false });
    expect(options).toHaveProperty("json", expect.stringContaining("mcp-chat-bench-"));
  });

  test("rows go by name", () => {
    expect(readOptions(["--quick", "--only", "stall, queue"], NAMES)).toMatchObject({
      isQuick: true,
      rows: ["stall", "queue"],
    });
  });

  test.each([
    [["--only", "speed"], "no row is called speed; there are queue, stall"],
    [["--rounds", "0"], "--rounds is a number from 1 to 25"],
    [["--fast"], expect.stringContaining("--fast")],
    [["more"], expect.stringContaining("more")],
  ])("%j is refused", (argv, problem) => {
    expect(readOptions(argv, NAMES)).toEqual({ problem });
  });

  test("a wrong option ends the program with 2, and help with 0", async () => {
    const main = join(import.meta.dir, "main.ts");
    const wrong = await run([process.execPath, main, "--rounds", "many"]);
    expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([2, "", "bench: --rounds is a number from 1 to 25\n"]);
    const help = await run([process.execPath, main, "--help"]);
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toStartWith("usage: bun run bench");
  });
});

describe("tables", () => {
  test("for a terminal", () => {
    expect(terminalTable([FINDING, MISSED, UNWANTED]).split("\n")).toEqual([
      "met     Arrivals",
      "        mcp-chat 12 µs",
      "        ceiling 6 µs",
      "        2 ×; wanted: ≤ 2 ×",
      "MISSED  Sta|ls",
      "        mcp-chat 12 µs",
      "        ceiling 6 µs",
      "        2 ×; wanted: ≤ 2 ×",
      "-       Memory",
      "        mcp-chat 12 µs",
    ]);
  });

  test("for the README", () => {
    expect(markdownTable([MISSED]).split("\n").at(-1)).toBe(
      "| Sta\\|ls | 12 µs | ceiling 6 µs | 2 × | ≤ 2 × | MISSED |",
    );
  });

  test("in one line", () => {
    expect(summary([FINDING, MISSED, UNWANTED])).toBe("1 of 2 targets met; missed: Sta|ls");
    expect(summary([FINDING])).toBe("1 of 1 targets met");
  });

  test("numbers have as many places as help", () => {
    expect([31_049.4, 12.34, 0.456, 0, Number.NaN].map(figure)).toEqual(["31,049", "12.3", "0.46", "0", "?"]);
    expect([[3, 1, 2], [4, 1, 2, 3], []].map(median)).toEqual([2, 2.5, Number.NaN]);
  });
});
