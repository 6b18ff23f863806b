/**
 * Running a world: in lockstep with the model, with everything that must hold on the way, and, when
 * something does not, down to the few deeds it takes.
 *
 * This file owns the running and the report of a failure. It must never choose what people do.
 */
import type { LobbyEvent } from "../../src/domain/event.ts";
import { nextDeadline } from "../../src/domain/lobby.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { Lockstep, pictureOf } from "../support/lobby-lockstep.ts";
import { type Deed, World } from "./world.ts";

/** How often each thing was seen, to know that a simulation was not about nothing. */
export type Tally = Map<string, number>;

export interface Outcome {
  readonly deeds: readonly Deed[];
  readonly events: readonly (readonly LobbyEvent[])[];
  readonly lobby: Lobby;
}

/** Runs a world. Throws with seed, settings and a short way to the failure. */
export function runSeed(seed: number, steps: number, tally: Tally = new Map()): Outcome {
  const world = new World(seed);
  const state = Lockstep.start(world.settings);
  const deeds: Deed[] = [];
  const events: LobbyEvent[][] = [];
  try {
    for (let i = 0; i < steps; i++) {
      const deed = world.next(state.lobby);
      deeds.push(deed);
      const happened = doDeed(state, deed);
      if ("block" in deed) continue;
      events.push(happened);
      world.learn(deed, happened, state.lobby);
      count(tally, deed, happened, state.lobby);
    }
    state.compareMail();
  } catch (error) {
    throw new Error(report(seed, steps, deeds, error), { cause: error });
  }
  return { deeds, events, lobby: state.lobby };
}

function doDeed(state: Lockstep, deed: Deed): LobbyEvent[] {
  if ("block" in deed) {
    state.block(...deed.block);
    return [];
  }
  const { lobby } = state;
  const isEarly = deed.command.type === "tick" && Math.max(deed.at, lobby.now) < (nextDeadline(lobby) ?? 0);
  const before = isEarly ? timeless(lobby) : "";
  const events = state.apply(deed);
  // T4: before the next deadline nothing happens by itself.
  if (isEarly && (events.length !== 1 || timeless(lobby) !== before)) throw new Error("something happened early");
  return events;
}

function timeless(lobby: Lobby): string {
  return pictureOf(lobby).replace(/^now \d+/, "");
}

function count(
  tally: Tally,
  { command }: Exclude<Deed, { block: unknown }>,
  events: readonly LobbyEvent[],
  lobby: Lobby,
): void {
  const add = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  for (const event of events) {
    add(event.type === "refused" ? `refused ${event.code}` : event.type);
    if (event.type === "read" && event.truncated) add("truncated");
    if (event.type === "read" && event.to > event.from) add("read something");
    if (event.type === "room_closed") add(`closed ${event.reason}`);
    if (event.type === "posted" && event.posted.at < lobby.now) add("answered again");
    if (event.type === "posted") add(event.posted.delivery);
    if (event.type === "forgotten" && command.type === "enter_queue") add("forgotten on entering");
  }
  if (events.filter((event) => event.type === "matched").length > 1) add("two matches in a step");
  if (lobby.queue.keptApart.size > 0) add("kept apart");
}

// --- when it fails ------------------------------------------------------------------------------

function report(seed: number, steps: number, deeds: readonly Deed[], error: unknown): string {
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
function shrink(seed: number, deeds: readonly Deed[]): readonly Deed[] {
  const { settings } = new World(seed);
  const fails = (some: readonly Deed[]): boolean => {
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
