/**
 * What every journal promises, whether it keeps anything or not, and whether others append to it too.
 *
 * This file owns the promises of the port. What only a journal on disk or in Redis can do is in their own tests.
 */
import { describe, expect, test } from "bun:test";
import type { Entry } from "../../src/domain/command.ts";
import type { Journal, Safety } from "../../src/journal/journal.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import { ENTROPY_CHARS } from "../../src/limits.ts";
import { testWith } from "../support/client-optional.ts";
import { numbered, openJournal } from "../support/journal-ledger.ts";
import { openRedisJournal } from "../support/journal-redis.ts";
import { temporaryFolder } from "../support/program.ts";
import { REDIS_PROGRAMS, RedisServer } from "../support/redis-server.ts";
import { SharedMemory } from "../support/shared-journal.ts";

/** A journal, and what has to happen before anything may be told. */
interface Subject extends AsyncDisposable {
  readonly journal: Journal;
  readonly safety: Safety | undefined;
}

type Open = (now: () => number) => Subject | Promise<Subject>;
type Run = (title: string, body: () => Promise<void>) => void;

const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };

const JOURNALS: readonly (readonly [name: string, run: Run, open: Open])[] = [
  ["memory", test, (now) => ({ journal: createMemoryJournal(now), safety: undefined, ...nothing })],
  [
    "disk",
    test,
    (now) => {
      const { journal } = openJournal(temporaryFolder(), { now });
      return { journal, safety: journal, ...nothing };
    },
  ],
  [
    "memory that is shared",
    test,
    (now) => ({ journal: new SharedMemory(1, now).open(), safety: undefined, ...nothing }),
  ],
  [
    "Redis",
    (title, body) => testWith(REDIS_PROGRAMS, title, body, 20_000),
    async () => {
      const server = await RedisServer.start();
      const { journal } = await openRedisJournal(server.url);
      return {
        journal,
        safety: undefined,
        [Symbol.asyncDispose]: async () => {
          await journal.close();
          await server.kill();
        },
      };
    },
  ],
];

/** Appends a number and gives what was applied. */
async function append(journal: Journal, n: number): Promise<Entry> {
  return journal.append(numbered(n), (entry) => entry);
}

describe.each(JOURNALS)("a journal in %s", (_name, run, open) => {
  run("applies each command once, as it was given, with entropy of its own", async () => {
    await using subject = await open(() => 5);
    const { journal } = subject;
    const entries: Entry[] = [];
    for (let n = 0; n < 600; n++) entries.push(await append(journal, n));
    expect(entries.map(({ command }) => command)).toEqual(entries.map((_, n) => numbered(n)));
    expect(new Set(entries.map(({ entropy }) => entropy)).size).toBe(600);
    for (const { entropy } of entries) expect(entropy).toMatch(new RegExp(`^[A-Za-z0-9_-]{${ENTROPY_CHARS}}$`));
  });

  run("keeps the order of the calls, also of those made while another is applied", async () => {
    await using subject = await open(() => 5);
    const { journal } = subject;
    const called: string[] = [];
    const applied: string[] = [];
    const appendNamed = (name: string, n: number, meanwhile?: () => void): unknown => {
      called.push(name);
      return journal.append(numbered(n), () => {
        applied.push(name);
        meanwhile?.();
      });
    };
    const inner: unknown[] = [];
    const outer = appendNamed("outer", 1, () => {
      inner.push(appendNamed("inner", 2));
      applied.push("outer ends");
    });
    const later = appendNamed("later", 3);
    await outer;
    await Promise.all([later, ...inner]);
    expect(called.toSorted()).toEqual(["inner", "later", "outer"]);
    expect(applied.filter((name) => name !== "outer ends")).toEqual(called);
    expect(applied).toContain("outer ends");
  });

  run("gives times that never go back, though the clock does", async () => {
    const clock = [100, 200, 150, 201, 0];
    await using subject = await open(() => clock.shift() ?? 300);
    const { journal } = subject;
    const times: number[] = [];
    for (let n = 0; n < 4; n++) times.push((await append(journal, n)).at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThanOrEqual(200);
  });

  run("gives back what applying gave", async () => {
    await using subject = await open(() => 5);
    const { journal } = subject;
    expect(await journal.append(numbered(1), ({ command }) => `applied ${command.type}`)).toBe("applied end_wait");
  });

  run("lets what applying throws through, and goes on", async () => {
    await using subject = await open(() => 5);
    const { journal } = subject;
    const failing = async (): Promise<void> =>
      journal.append(numbered(1), () => {
        throw new Error("a bug");
      });
    await expect(failing()).rejects.toThrow("a bug");
    expect((await append(journal, 2)).command).toEqual(numbered(2));
  });

  run("says when everything may be told", async () => {
    await using subject = await open(() => 5);
    const { journal, safety } = subject;
    await append(journal, 1);
    await safety?.whenSafe();
    expect(safety?.whenSafe()).toBeUndefined();
    expect(safety?.makeSafe() ?? true).toBe(true);
  });
});
