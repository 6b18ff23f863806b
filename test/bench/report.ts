/**
 * What was found, for people: a table for the terminal and one for the README.
 *
 * This file owns the layout. It must never change a number or a verdict.
 */
import type { Finding } from "./finding.ts";

const VERDICTS = { met: "met", missed: "MISSED", none: "-" };

function verdict({ isMet }: Finding): string {
  if (isMet === undefined) return VERDICTS.none;
  return isMet ? VERDICTS.met : VERDICTS.missed;
}

/** The table for a terminal: a line for the verdict and the row, and what belongs to it below. */
export function terminalTable(findings: readonly Finding[]): string {
  const lines = findings.flatMap((finding) => {
    const { title, product, others, ratio, target } = finding;
    const below = [
      `mcp-chat ${product}`,
      ...(others === "" ? [] : [others]),
      [ratio, target === "" ? "" : `wanted: ${target}`].filter((part) => part !== "").join("; "),
    ];
    return [
      `${verdict(finding).padEnd(8)}${title}`,
      ...below.filter((line) => line !== "").map((line) => `        ${line}`),
    ];
  });
  return lines.join("\n");
}

/** The table of the README. */
export function markdownTable(findings: readonly Finding[]): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    row(["What", "mcp-chat", "For comparison", "Ratio", "Wanted", ""]),
    row(["---", "---", "---", "---", "---", "---"]),
    ...findings.map((one) => row([one.title, one.product, one.others, one.ratio, one.target, verdict(one)])),
  ].join("\n");
}

/** One line that sums up: how many targets, how many met. */
export function summary(findings: readonly Finding[]): string {
  const targets = findings.filter(({ isMet }) => isMet !== undefined);
  const met = targets.filter(({ isMet }) => isMet === true).length;
  const missed = targets.filter(({ isMet }) => isMet === false).map(({ title }) => title);
  const rest = missed.length === 0 ? "" : `; missed: ${missed.join(", ")}`;
  return `${met} of ${targets.length} targets met${rest}`;
}
