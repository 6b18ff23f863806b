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
import { pictureOf } from "../support/lobby-pictures.ts";
import { emptyIntoText } from "../support/lobby-plain.ts";
import { runSeed, type Tally } from "./run.ts";
import { FAILED_ONCE } from "./seeds.ts";
import { World } from "./world.ts";

const SEEDS = Number(process.env.MCP_CHAT_SIM_SEEDS ?? 2000);
const FROM = Number(process.env.MCP_CHAT_SIM_FROM ?? 1);
const STEPS = Number(process.env.MCP_CHAT_SIM_STEPS ?? 300);
const TIME_MS_MAX = 60_000 + SEEDS * STEPS;

/** What must have been seen, and how often at least in a run of the ordinary size. */
const SEEN: Readonly<Record<string, number>> = {
  matched: 10_000,
  posted: 8000,
  pushed: 1000,
  queued: 1000,
  meeting: 10_000,
  left_meeting: 5000,
  "answered again": 500,
  "closed left": 1000,
  "closed timeout": 1000,
  "closed limit": 20,
  "closed blocked": 1000,
  "closed moderation": 500,
  truncated: 1000,
  "read something": 5000,
  holding: 1000,
  hold_ended: 500,
  "kept apart": 300,
  "two matches in a step": 20,
  forgotten: 1000,
  "forgotten on entering": 50,
  "forgotten as wished": 1000,
  bound: 1000,
  unbound: 500,
  ignored: 500,
  blocked: 1000,
  reported: 1000,
  "taken out where a ban is": 5,
  "operated ban": 1000,
  "operated unban": 100,
  "operated kick": 500,
  "operated close_room": 200,
  "operated resolve_report": 500,
  "in vain ban": 200,
  "in vain unban": 500,
  "in vain kick": 50,
  "in vain close_room": 200,
  "in vain resolve_report": 200,
  "announced to some": 1000,
  "an open transcript cut": 1000,
  "a closed transcript cut": 1000,
  "a transcript too old": 1000,
  "too often enter_queue": 1000,
  "too often join_room": 1000,
  "too often send_message": 500,
  "too often report_partner": 50,
  "banned enter_queue": 1000,
  "banned join_room": 1000,
  "banned send_message": 200,
  "banned report_partner": 50,
  restarted: 3000,
  node_joined: 5000,
  node_lost: 1000,
  "node_lost and somebody told": 100,
  "node_lost with a call": 150,
  node_left: 500,
  "node_left with a call": 80,
  node_refused: 300,
  "disregarded not_joined": 5000,
  "disregarded repeated": 2000,
  rewound: 500,
  "several nodes": 100_000,
  "somebody at two nodes": 10_000,
  "a hold superseded at a node": 300,
  "newer rules": 5000,
  "refused no_session": 500,
  "refused bad_session_token": 50,
  "refused identity_conflict": 50,
  "refused user_id_taken": 50,
  "refused not_waiting": 500,
  "refused not_in_room": 500,
  "refused room_not_found": 100,
  "refused chat_ended": 50,
  "refused busy": 1000,
  "refused room_full": 1000,
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
    for (const deed of first.deeds) events.push(step(lobby, JSON.parse(JSON.stringify(deed)) as Entry));
    expect(Bun.deepEquals(events, first.events)).toBe(true);
    expect(pictureOf(lobby)).toBe(pictureOf(first.lobby));
    expect(emptyIntoText(lobby)).toBe(emptyIntoText(first.lobby));
  }
}, 60_000);

test("T1: what is chosen by chance comes from the entropy and from nothing else", () => {
  const { deeds } = runSeed(FROM, STEPS);
  expect(runSeed(FROM, STEPS).deeds).toEqual(deeds);
  expect(runSeed(FROM + 1, STEPS).deeds).not.toEqual(deeds);
});
