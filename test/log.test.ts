/**
 * The log: what a line looks like, and what no value can do to it.
 *
 * This file owns the promises of src/log.ts. It must never write to the real stderr.
 */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { createLog, formatValue, LOG_LEVELS, type LogLevel } from "../src/log.ts";

function linesAt(level: LogLevel): string[] {
  const lines: string[] = [];
  const log = createLog({ level, write: (line) => lines.push(line), now: () => Date.UTC(2026, 0, 1) });
  for (const entryLevel of LOG_LEVELS) log[entryLevel]("stream cut", { user: "user_1", bytes: 70_000, resumed: false });
  return lines;
}

test("an entry is its time, level, message and fields on one line", () => {
  expect(linesAt("error")).toEqual([
    "2026-01-01T00:00:00.000Z error stream cut user=user_1 bytes=70000 resumed=false\n",
  ]);
});

test("a level lets through itself and those that are rarer", () => {
  const levels = LOG_LEVELS.map((level) => linesAt(level).map((line) => line.split(" ")[1] ?? ""));
  expect(levels).toEqual([["error"], ["error", "warn"], ["error", "warn", "info"], ["error", "warn", "info", "debug"]]);
});

test("a value that is no plain word is quoted", () => {
  expect(formatValue("")).toBe('""');
  expect(formatValue("two words")).toBe('"two words"');
  expect(formatValue('a="b\\')).toBe('"a=\\"b\\\\"');
});

test("line breaks, terminal sequences and bidirectional marks are escaped", () => {
  expect(formatValue("a\nb\u001b[2J\u202e\u00e9")).toBe('"a\\u000ab\\u001b[2J\\u202e\\u00e9"');
});

test("a long value is cut, and no text makes more than one printable line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ unit: "binary" }), (value, message) => {
      const lines: string[] = [];
      createLog({ level: "info", write: (line) => lines.push(line) }).info(message, { value });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^[ -~]+\n$/);
      expect(formatValue(value).length).toBeLessThan(1300);
    }),
  );
});
