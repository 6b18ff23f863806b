/**
 * Thousands of random worlds, each from its seed: people come, talk, lose their lines, call twice and
 * vanish, while the lobby is compared with its model after every step.
 *
 * This file owns what a simulation must have shown. Seeds are fixed: MCP_CHAT_SIM_SEEDS asks for more
 * of them, MCP_CHAT_SIM_FROM for others, MCP_CHAT_SIM_STEPS for longer lives.
 */
import { describe, expect, test } from "bun:test";
import type { Entry } from "../../src/domain/command.ts";
import { createLobby, step } from "../../src/domain/lobby.ts";
import { pictureOf } from "../support/lobby-lockstep.ts";
import { runSeed, type Tally } from "./run.ts";
import { FAILED_ONCE } from "./seeds.ts";
import { World } from "./world.ts";

const SEEDS = Number(process.env.MCP_CHAT_SIM_SEEDS ?? 2000);
const FROM = Number(process.env.MCP_CHAT_SIM_FROM ?? 1);
const STEPS = Number(process.env.MCP_CHAT_SIM_STEPS ?? 300);
const TIME_MS_MAX = 60_000 + SEEDS * STEPS;

/** What must have been seen, and how often at least in a run of the ordinary size. */
const SEEN: Readonly<Record<string, number>> = {
  matched: 5000,
  posted: 10_000,
  pushed: 1000,
  queued: 1000,
  "answered again": 500,
  "closed left": 1000,
  "closed timeout": 1000,
  "closed limit": 20,
  truncated: 1000,
  "read something": 5000,
  holding: 1000,
  hold_ended: 500,
  "kept apart": 500,
  "two matches in a step": 20,
  forgotten: 1000,
  "forgotten on entering": 50,
  bound: 1000,
  unbound: 500,
  ignored: 500,
  "refused no_session": 500,
  "refused bad_session_token": 50,
  "refused identity_conflict": 50,
  "refused user_id_taken": 50,
  "refused not_waiting": 500,
  "refused not_in_room": 500,
  "refused room_not_found": 100,
  "refused chat_ended": 50,
  "refused rate_limited": 500,
  "refused loop_limit": 20,
  "refused queue_full": 200,
  "refused server_full": 10,
};

describe("worlds that once failed", () => {
  test.each(Object.entries(FAILED_ONCE))("%s", (_name, seed) => {
    runSeed(seed, STEPS);
  });
});

test(
  "T4: in every world the lobby does what the model says, and nothing before its time",
  () => {
    const tally: Tally = new Map();
    for (let seed = FROM; seed < FROM + SEEDS; seed++) runSeed(seed, STEPS, tally);
    if (SEEDS < 1000 || STEPS < 300) return;
    const rare = Object.entries(SEEN).filter(([what, least]) => (tally.get(what) ?? 0) < least);
    expect(rare.map(([what, least]) => `${what}: ${tally.get(what) ?? 0} of ${least}`)).toEqual([]);
  },
  TIME_MS_MAX,
);

test("T1: the same entries give the same events and the same state, also after a journey through JSON", () => {
  for (let seed = FROM; seed < FROM + 40; seed++) {
    const first = runSeed(seed, STEPS);
    const lobby = createLobby(new World(seed).settings);
    const events = [];
    for (const deed of JSON.parse(JSON.stringify(first.deeds))) {
      if ("block" in deed) block(lobby, deed.block);
      else events.push(step(lobby, deed as Entry));
    }
    expect(Bun.deepEquals(events, first.events)).toBe(true);
    expect(Bun.deepEquals(lobby, first.lobby)).toBe(true);
    expect(pictureOf(lobby)).toBe(pictureOf(first.lobby));
  }
});

test("T1: what is chosen by chance comes from the entropy and from nothing else", () => {
  const { deeds } = runSeed(FROM, STEPS);
  expect(runSeed(FROM, STEPS).deeds).toEqual(deeds);
  expect(runSeed(FROM + 1, STEPS).deeds).not.toEqual(deeds);
});

function block(lobby: ReturnType<typeof createLobby>, [one, other]: readonly [number, number]): void {
  const user = lobby.users.get(one);
  if (user === undefined) return;
  user.blocked ??= new Set();
  user.blocked.add(other);
}
