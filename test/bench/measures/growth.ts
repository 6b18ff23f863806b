/**
 * What must not grow: the cost of a message with the number of rooms, and of a tick with the number of
 * users. Arrivals have their row with the queue.
 *
 * This file owns those rows. Ticks are timed inside this process, as nobody outside can order one.
 */
import type { Command } from "../../../src/domain/command.ts";
import { createLobby, step } from "../../../src/domain/lobby.ts";
import { ENTROPY_CHARS } from "../../../src/limits.ts";
import { LOBBY_SETTINGS } from "../../support/chat-world.ts";
import { type Bench, type Finding, figure, type Measure, median, times } from "../finding.ts";
import { run } from "./runs.ts";

/** Largest growth, with sizes a hundred times as large, that memory caches and not the program account for. */
const TIMES_MAX = 2;

const ROOM_COUNTS = [50, 500, 5000] as const;
const USER_COUNTS = [1000, 10_000, 100_000] as const;

/** Deadlines that come one by one, each with a tick of its own, several times over. */
const TICKS = 100;
const TICK_ROUNDS = 5;

const growth = (costs: readonly number[]): number => (costs.at(-1) ?? Number.NaN) / (costs[0] ?? Number.NaN);

function finding(
  title: string,
  unit: string,
  sizes: readonly number[],
  costs: readonly number[],
  name: string,
): Finding {
  const at = (n: number): string => `${figure(costs[n] ?? Number.NaN)} µs at ${figure(sizes[n] ?? 0)} ${unit}`;
  return {
    measure: "growth",
    title,
    product: at(2),
    others: `${at(0)}, ${at(1)}`,
    ratio: times(growth(costs)),
    target: `≤ ${TIMES_MAX} ×`,
    isMet: costs.some(Number.isNaN) ? undefined : growth(costs) <= TIMES_MAX,
    numbers: { ...Object.fromEntries(sizes.map((size, n) => [`${name}${size}`, costs[n]])), growth: growth(costs) },
  };
}

async function messagesByRooms(bench: Bench): Promise<Finding> {
  const costs: number[] = [];
  for (const rooms of ROOM_COUNTS) {
    const report = await run(bench, { peer: "product", users: 2 * rooms });
    bench.progress(`${figure(rooms)} rooms: ${figure(report.serverUs)} µs of the server for a message`);
    costs.push(report.serverUs);
  }
  return finding("A message, by the number of rooms", "rooms", ROOM_COUNTS, costs, "serverUsAtRooms");
}

/** Everybody stops being available so long after they came: later than the last of them has come. */
const AVAILABLE_MS = 1_000_000;
const SETTINGS = {
  ...LOBBY_SETTINGS,
  availableMs: AVAILABLE_MS,
  idleMs: 10 * AVAILABLE_MS,
  usersMax: 1e6,
  queueMax: 1e6,
};

/** Microseconds of a tick in which one of so many users stops being available. */
function tickUs(users: number): number {
  const lobby = createLobby(SETTINGS);
  let entries = 0;
  const at = (ms: number, command: Command): void => {
    step(lobby, { at: ms, entropy: String(entries++).padStart(ENTROPY_CHARS, "e"), command });
  };
  for (let user = 0; user < users; user++) {
    // One a millisecond, all of a kind, so that nobody meets anybody and deadlines come one by one.
    at(user, { type: "enter_queue", caller: {}, newToken: `t${user}`, kind: "agent", partnerKind: "human" });
  }
  const rounds: number[] = [];
  for (let round = 0; round < TICK_ROUNDS; round++) {
    const began = performance.now();
    for (let tick = 0; tick < TICKS; tick++) at(AVAILABLE_MS + round * TICKS + tick, { type: "tick" });
    rounds.push(((performance.now() - began) * 1000) / TICKS);
  }
  return median(rounds);
}

async function ticksByUsers(bench: Bench): Promise<Finding> {
  // Once beforehand, so that the first size does not pay for compiling.
  tickUs(1000);
  const costs: number[] = [];
  for (const users of USER_COUNTS) {
    costs.push(tickUs(users));
    bench.progress(`${figure(users)} users: ${figure(costs.at(-1) ?? 0)} µs for a tick with one deadline`);
  }
  return finding("A tick with one deadline, by the number of users", "users", USER_COUNTS, costs, "tickUsAtUsers");
}

export const growthMeasure: Measure = {
  name: "growth",
  isQuick: false,
  run: async (bench) => [await messagesByRooms(bench), await ticksByUsers(bench)],
};
