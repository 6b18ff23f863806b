/**
 * Running a world: in lockstep with the model, with everything that must hold on the way, and, when
 * something does not, down to the few deeds it takes.
 *
 * This file owns the running and the report of a failure. It must never choose what people do.
 */
import type { Entry } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { nextDeadline } from "../../src/domain/lobby.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { TRANSCRIPT_AGE_MS_MAX } from "../../src/limits.ts";
import { Lockstep } from "../support/lobby-lockstep.ts";
import { pictureOf } from "../support/lobby-pictures.ts";
import { World } from "./world.ts";

/** How often each thing was seen, to know that a simulation was not about nothing. */
export type Tally = Map<string, number>;

export interface Outcome {
  readonly deeds: readonly Entry[];
  readonly events: readonly (readonly LobbyEvent[])[];
  readonly lobby: Lobby;
}

/** Runs a world. Throws with seed, settings and a short way to the failure. */
export function runSeed(seed: number, steps: number, tally: Tally = new Map()): Outcome {
  const world = new World(seed);
  const state = Lockstep.start(world.settings);
  const deeds: Entry[] = [];
  const events: LobbyEvent[][] = [];
  try {
    for (let i = 0; i < steps; i++) {
      const deed = world.next(state.lobby);
      deeds.push(deed);
      const happened = doDeed(state, deed);
      events.push(happened);
      world.learn(deed, happened, state.lobby);
      count(tally, deed, happened, state.lobby);
    }
    state.compareAll();
  } catch (error) {
    throw new Error(report(seed, steps, deeds, error), { cause: error });
  }
  return { deeds, events, lobby: state.lobby };
}

function doDeed(state: Lockstep, deed: Entry): LobbyEvent[] {
  const { lobby } = state;
  // A node that says something has been heard of, which is a change.
  const isTick = deed.command.type === "tick" && deed.origin === undefined;
  const isEarly = isTick && Math.max(deed.at, lobby.now) < (nextDeadline(lobby) ?? 0);
  const before = isEarly ? timeless(lobby) : "";
  const events = state.apply(deed);
  // T4: before the next deadline nothing happens by itself.
  if (isEarly && (events.length !== 1 || timeless(lobby) !== before)) throw new Error("something happened early");
  return events;
}

function timeless(lobby: Lobby): string {
  return pictureOf(lobby).replace(/^now \d+/, "");
}

function count(tally: Tally, { command, origin }: Entry, events: readonly LobbyEvent[], lobby: Lobby): void {
  const add = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  for (const event of events) {
    add(event.type === "refused" ? `refused ${event.code}` : event.type);
    if (event.type === "read" && event.truncated) add("truncated");
    if (event.type === "read" && event.to > event.from) add("read something");
    if (event.type === "room_closed") add(`closed ${event.reason}`);
    if (event.type === "posted" && event.posted.at < lobby.now) add("answered again");
    if (event.type === "posted") add(event.posted.delivery);
    if (event.type === "forgotten" && command.type === "forget_me") add("forgotten as wished");
    if (event.type === "forgotten" && (command.type === "enter_queue" || command.type === "join_room"))
      add("forgotten on entering");
    if (event.type === "room_closed" && event.reason === "moderation" && command.type !== "operate")
      add("taken out where a ban is");
    if (event.type === "operated") add(`operated ${event.act}`);
    if (event.type === "operated_nothing") add(`in vain ${event.act}`);
    if (event.type === "announced" && event.next > 0) add("announced to some");
    if (event.type === "refused" && event.code === "rate_limited") add(`too often ${command.type}`);
    if (event.type === "refused" && event.code === "banned") add(`banned ${command.type}`);
    if (event.type === "disregarded") add(`disregarded ${event.because}`);
    if (event.type === "node_lost" && events.some(({ type }) => type === "mail")) add("node_lost and somebody told");
    if (event.type === "node_lost" && events.some(({ type }) => type === "hold_ended")) add("node_lost with a call");
    if (event.type === "node_left" && events.some(({ type }) => type === "hold_ended")) add("node_left with a call");
    if (event.type === "hold_ended" && command.type === "wait" && origin !== undefined)
      add("a hold superseded at a node");
  }
  if (events.filter((event) => event.type === "matched").length > 1) add("two matches in a step");
  if (lobby.queue.keptApart.size > 0) add("kept apart");
  const connectedAt = [...lobby.nodes.values()].map(({ attached }) => [...attached.keys()]);
  if (connectedAt.flat().length > new Set(connectedAt.flat()).size) add("somebody at two nodes");
  if (lobby.nodes.size > 1) add("several nodes");
  if (lobby.rules > 1) add("newer rules");
  for (const { seq, transcript, closed } of lobby.rooms.values()) {
    if (transcript.length < seq) add(closed === undefined ? "an open transcript cut" : "a closed transcript cut");
    if (closed !== undefined && seq > 0 && lobby.now >= closed.at + TRANSCRIPT_AGE_MS_MAX) add("a transcript too old");
  }
}

// --- when it fails ------------------------------------------------------------------------------

function report(seed: number, steps: number, deeds: readonly Entry[], error: unknown): string {
  const few = shrink(seed, deeds);
  return [
    `seed ${seed}, step ${deeds.length}: ${messageOf(error)}`,
    `settings: ${JSON.stringify(new World(seed).settings)}`,
    `the last deeds of ${deeds.length}:`,
    ...deeds.slice(-6).map((deed) => `  ${JSON.stringify(deed)}`),
    `${few.length} deeds are enough for a failure:`,
    ...few.map((deed) => `  ${JSON.stringify(deed)}`),
    `again: MCP_CHAT_SIM_FROM=${seed} MCP_CHAT_SIM_SEEDS=1 MCP_CHAT_SIM_STEPS=${steps} bun test ./test/simulation/lobby.test.ts`,
  ].join("\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Leaves out deeds, in ever smaller runs of them, as long as something still fails. */
function shrink(seed: number, deeds: readonly Entry[]): readonly Entry[] {
  const { settings } = new World(seed);
  const fails = (some: readonly Entry[]): boolean => {
    const state = Lockstep.start(settings);
    try {
      for (const deed of some) doDeed(state, deed);
      return false;
    } catch {
      return true;
    }
  };
  let few = deeds;
  if (!fails(few)) return few;
  for (let size = few.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < few.length; ) {
      const rest = [...few.slice(0, at), ...few.slice(at + size)];
      if (fails(rest)) few = rest;
      else at += size;
    }
  }
  return few;
}
