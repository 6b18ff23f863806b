/**
 * How long people are told to wait, against how long they then wait, with arrivals by chance at a rate
 * that is known.
 *
 * What is promised: the estimate is about the mean of a wait, not about one wait, which by chance is
 * now a third and now thrice of that. It comes from some fifteen earlier waits and is therefore off by
 * a quarter as a rule: nine of ten are within half and twice the mean, and their own mean is within a
 * quarter of it, rounded up to seconds. When the rate changes, two dozen waits later it is believed.
 * When nothing is known, nothing is told.
 *
 * This file owns that promise. It must never look at how the estimate is made.
 */
import { describe, expect, test } from "bun:test";
import type { Kind, PartnerKind } from "../../src/domain/command.ts";
import { createLobby, step } from "../../src/domain/lobby.ts";
import { outlook, ticketOf } from "../../src/domain/pairing.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { ORDINARY } from "../support/lobby-driver.ts";
import { Random } from "../support/lobby-random.ts";

/** People who come at a rate, for which a wait is looked at if they are watched. */
interface Stream {
  /** A second, by the second. */
  readonly rate: (second: number) => number;
  readonly said?: { readonly kind: Kind; readonly partnerKind: PartnerKind };
  readonly isWatched?: boolean;
}

interface Wait {
  readonly begun: number;
  readonly told: number | null;
  readonly position: number;
  /** Seconds until they met somebody. */
  readonly took: number;
}

const seldom = { kind: "human", partnerKind: "human" } as const;
const agent = { kind: "agent", partnerKind: "human" } as const;
const human = { kind: "human", partnerKind: "agent" } as const;

describe("Q13: at a constant rate the estimate is that of the mean wait", () => {
  test.each<[string, readonly Stream[], number, (position: number) => number]>([
    ["a lively line", [{ rate: () => 2, isWatched: true }], 3000, () => 0.5],
    ["a quiet one", [{ rate: () => 0.02, isWatched: true }], 100_000, () => 50],
    [
      "a line that is never empty, as more want agents than there are",
      [
        { rate: (s) => (s < 400 ? 0.6 : 0.5), said: human, isWatched: true },
        { rate: (s) => (s < 400 ? 0.4 : 0.5), said: agent },
      ],
      5000,
      (position) => position / 0.5,
    ],
    [
      "people with a rare wish among many with none",
      [{ rate: () => 2 }, { rate: () => 0.02, said: seldom, isWatched: true }],
      20_000,
      () => 50,
    ],
  ])("%s", (_name, streams, seconds, meanAt) => {
    const waits = simulate(streams, seconds).filter(({ begun }) => begun > seconds / 5);
    const told = waits.filter((wait) => wait.told !== null);
    expect(waits.length).toBeGreaterThan(100);
    expect(told.length).toBeGreaterThan(0.95 * waits.length);
    const lengths = waits.map(({ took, position }) => took / meanAt(position));
    expect(Math.abs(meanOf(lengths) - 1)).toBeLessThan(0.25);
    const ratios = told.map(({ told, position }) => {
      // Whole seconds, rounded up, are half a second too much as a rule.
      return Math.max(0, (told ?? 0) - 0.5) / meanAt(position);
    });
    expect(meanOf(ratios)).toBeGreaterThan(0.75);
    expect(meanOf(ratios)).toBeLessThan(1.25);
    expect(ratios.filter((ratio) => ratio >= 0.5 && ratio <= 2).length).toBeGreaterThan(0.9 * told.length);
  });
});

describe("Q13: a changed rate is believed two dozen waits later", () => {
  test.each([
    ["twenty times slower", 1, 0.05],
    ["twenty times faster", 0.05, 1],
  ])("%s", (_name, before, after) => {
    const turn = 200 / before;
    const waits = simulate([{ rate: (s) => (s < turn ? before : after), isWatched: true }], turn + 200 / after);
    const later = waits.filter(({ begun }) => begun > turn).slice(24, 48);
    expect(later.length).toBe(24);
    const told = later.map((wait) => wait.told ?? Number.NaN).sort((a, b) => a - b)[12] ?? Number.NaN;
    expect(told).toBeGreaterThan(1 / after / 2);
    expect(told - 1).toBeLessThan((1 / after) * 2);
  });
});

describe("Q13: when nothing is known, nothing is told", () => {
  const enter = (lobby: Lobby, at: number, name: string, said = {}): void => {
    const entropy = name.padEnd(22, "x");
    step(lobby, { at, entropy, command: { type: "enter_queue", caller: {}, newToken: name, ...said } });
  };
  const toldTo = (lobby: Lobby, name: string): number | null | undefined => {
    const user = lobby.users.get(lobby.byToken.get(name) ?? 0);
    const ticket = user && ticketOf(lobby, user);
    return ticket && outlook(lobby, ticket).waitSeconds;
  };

  test("before two have been waited for, and ten minutes after the last", () => {
    const lobby = createLobby({ ...ORDINARY, availableMs: 1e9, idleMs: 1e9 });
    enter(lobby, 0, "a");
    expect(toldTo(lobby, "a")).toBeNull();
    enter(lobby, 10_000, "b");
    enter(lobby, 20_000, "c");
    expect(toldTo(lobby, "c")).toBeNull();
    enter(lobby, 30_000, "d");
    enter(lobby, 40_000, "e");
    expect(toldTo(lobby, "e")).toBe(10);
    // The longer nobody comes, the longer it may take.
    step(lobby, { at: 340_000, entropy: "y".repeat(22), command: { type: "tick" } });
    expect(toldTo(lobby, "e")).toBeGreaterThan(100);
    step(lobby, { at: 629_999, entropy: "y".repeat(22), command: { type: "tick" } });
    expect(toldTo(lobby, "e")).not.toBeNull();
    step(lobby, { at: 630_000, entropy: "z".repeat(22), command: { type: "tick" } });
    expect(toldTo(lobby, "e")).toBeNull();
  });

  test("to somebody whose wish nobody had before, whatever others wait", () => {
    const lobby = createLobby(ORDINARY);
    for (let i = 0; i < 20; i++) enter(lobby, 1000 * i, `t${i}`);
    enter(lobby, 20_000, "any");
    expect(toldTo(lobby, "any")).toBe(1);
    enter(lobby, 20_000, "seldom", seldom);
    expect(toldTo(lobby, "seldom")).toBeNull();
  });
});

function simulate(streams: readonly Stream[], seconds: number): Wait[] {
  const random = new Random(7);
  const never = 1e12;
  const lobby = createLobby({
    ...ORDINARY,
    usersMax: 1e6,
    queueMax: 1e6,
    availableMs: never,
    idleMs: never,
    retainUserMs: 1000,
  });
  const watched = new Map<number, Omit<Wait, "took">>();
  const waits: Wait[] = [];
  const apply = (second: number, command: Parameters<typeof step>[1]["command"]) =>
    step(lobby, { at: Math.floor(second * 1000), entropy: random.entropy(), command });
  for (const [second, stream] of arrivals(random, streams, seconds)) {
    const newToken = random.entropy();
    for (const event of apply(second, { type: "enter_queue", caller: {}, newToken, ...stream.said })) {
      if (event.type === "queued" && stream.isWatched) {
        const user = lobby.users.get(event.user);
        const ticket = user && ticketOf(lobby, user);
        if (ticket === undefined) continue;
        const { waitSeconds, position } = outlook(lobby, ticket);
        watched.set(event.user, { begun: second, told: waitSeconds, position });
      }
      if (event.type !== "matched") continue;
      for (const ref of event.users) {
        const wait = watched.get(ref);
        if (wait !== undefined) waits.push({ ...wait, took: second - wait.begun });
        watched.delete(ref);
      }
      apply(second, { type: "leave_chat", caller: { bearer: newToken } });
    }
  }
  return waits;
}

/** When who comes: by chance, as people do who know nothing of each other. */
function arrivals(random: Random, streams: readonly Stream[], seconds: number): [number, Stream][] {
  const all: [number, Stream][] = [];
  for (const stream of streams) {
    let at = 0;
    for (;;) {
      at -= Math.log(1 - random.below(1e6) / 1e6) / stream.rate(at);
      if (at >= seconds) break;
      all.push([at, stream]);
    }
  }
  return all.sort(([a], [b]) => a - b);
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}
