/**
 * What every journal promises, whether it keeps anything or not.
 *
 * This file owns the promises of the port. What only a journal on disk can do is in disk.test.ts.
 */
import { describe, expect, test } from "bun:test";
import type { Entry } from "../../src/domain/command.ts";
import type { Journal, Safety } from "../../src/journal/journal.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import { ENTROPY_CHARS } from "../../src/limits.ts";
import { numbered, openJournal } from "../support/journal-ledger.ts";
import { temporaryFolder } from "../support/program.ts";

/** A journal, and what has to happen before anything may be told. */
interface Subject {
  readonly journal: Journal;
  readonly safety: Safety | undefined;
}

const JOURNALS: readonly (readonly [name: string, open: (now: () => number) => Subject])[] = [
  ["memory", (now) => ({ journal: createMemoryJournal(now), safety: undefined })],
  [
    "disk",
    (now) => {
      const { journal } = openJournal(temporaryFolder(), { now });
      return { journal, safety: journal };
    },
  ],
];

/** Appends a number and gives what was applied. */
async function append(journal: Journal, n: number): Promise<Entry> {
  return journal.append(numbered(n), (entry) => entry);
}

describe.each(JOURNALS)("a journal in %s", (_name, open) => {
  test("applies each command once, as it was given, with entropy of its own", async () => {
    const { journal } = open(() => 5);
    const entries: Entry[] = [];
    for (let n = 0; n < 600; n++) entries.push(await append(journal, n));
    expect(entries.map(({ command }) => command)).toEqual(entries.map((_, n) => numbered(n)));
    expect(new Set(entries.map(({ entropy }) => entropy)).size).toBe(600);
    for (const { entropy } of entries) expect(entropy).toMatch(new RegExp(`^[A-Za-z0-9_-]{${ENTROPY_CHARS}}$`));
  });

  test("keeps the order of the calls, also of those made while another is applied", async () => {
    const { journal } = open(() => 5);
    const order: string[] = [];
    const inner: unknown[] = [];
    const outer = journal.append(numbered(1), () => {
      order.push("outer begins");
      inner.push(journal.append(numbered(2), () => order.push("inner")));
      order.push("outer ends");
    });
    const later = journal.append(numbered(3), () => order.push("later"));
    await Promise.all([outer, ...inner, later]);
    expect(order.indexOf("outer begins")).toBe(0);
    expect(order.at(-1)).toBe("later");
    expect(order.toSorted()).toEqual(["inner", "later", "outer begins", "outer ends"]);
  });

  test("gives times that never go back, though the clock does", async () => {
    const clock = [100, 200, 150, 201, 0];
    const { journal } = open(() => clock.shift() ?? 300);
    const times: number[] = [];
    for (let n = 0; n < 4; n++) times.push((await append(journal, n)).at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThanOrEqual(200);
  });

  test("gives back what applying gave", async () => {
    const { journal } = open(() => 5);
    expect(await journal.append(numbered(1), ({ at }) => `at ${at}`)).toBe("at 5");
  });

  test("lets what applying throws through, and goes on", async () => {
    const { journal } = open(() => 5);
    const failing = async (): Promise<void> =>
      journal.append(numbered(1), () => {
        throw new Error("a bug");
      });
    await expect(failing()).rejects.toThrow("a bug");
    expect((await append(journal, 2)).command).toEqual(numbered(2));
  });

  test("says when everything may be told", async () => {
    const { journal, safety } = open(() => 5);
    await append(journal, 1);
    await safety?.whenSafe();
    expect(safety?.whenSafe()).toBeUndefined();
    expect(safety?.makeSafe() ?? true).toBe(true);
  });
});
