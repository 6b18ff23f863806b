/**
 * Ten thousand people over simulated hours: whoever comes is paired with the one whom a look at
 * everybody who waits says they should be paired with, and the lobby keeps its invariants.
 *
 * This file owns what is asserted of a crowd. It must never depend on how long a step takes.
 */
import { expect, test } from "bun:test";
import type { Command, LobbySettings } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { createLobby, step } from "../../src/domain/lobby.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { ORDINARY } from "../support/lobby-driver.ts";
import { UNLIMITED } from "../support/lobby-rates.ts";
import { Crowd } from "./crowd.ts";
import { type Seeker, whoIsChosen } from "./matcher.ts";

const PEOPLE = 10_000;
const HOURS = Number(process.env.MCP_CHAT_SIM_HOURS ?? 2);
const SETTINGS: LobbySettings = {
  ...ORDINARY,
  rates: UNLIMITED,
  usersMax: PEOPLE,
  queueMax: PEOPLE,
  retainUserMs: 3600_000,
};

test("Q2 Q3 Q4 Q5 Q6 Q7 Q8: everybody who comes meets the one they should, in a crowd of ten thousand", () => {
  const lobby = createLobby(SETTINGS);
  const crowd = new Crowd(1, PEOPLE);
  const line = new Map<number, number>();
  const seen = new Map<string, number>();
  const add = (what: string, count = 1): void => void seen.set(what, (seen.get(what) ?? 0) + count);
  let nextCheckAt = 0;
  let steps = 0;
  while (lobby.now < HOURS * 3600_000) {
    const entry = crowd.next(lobby);
    // What happens by itself happens first, so that the line is as the newcomer finds it.
    const passed = step(lobby, crowd.tick(entry.at));
    for (const event of passed) add(`${nameOf(event)} by itself`);
    keepLine(lobby, line, passed);
    const { command } = entry;
    const seeker = command.type === "enter_queue" ? seekerOf(lobby, command) : undefined;
    const chosen = seeker === undefined ? undefined : whoIsChosen(lobby, line, seeker, opensAt(lobby, seeker));
    const events = step(lobby, entry);
    if (seeker !== undefined) {
      const matched = events.find((event) => event.type === "matched");
      if (matched?.users[0] !== chosen)
        throw new Error(`${matched?.users[0]} was chosen, not ${chosen}, at ${lobby.now}`);
      add(chosen === undefined ? "has to wait" : "is paired at once");
      add("waiting when somebody came", line.size);
    }
    keepLine(lobby, line, events);
    crowd.learn(entry, events);
    for (const event of events) add(nameOf(event));
    if (lobby.now >= nextCheckAt) {
      checkLobby(lobby);
      nextCheckAt = lobby.now + 600_000;
    }
    steps++;
  }
  checkLobby(lobby);
  Bun.write(Bun.stderr, `  ${steps} steps; ${[...seen].map(([what, count]) => `${what} ${count}`).join(", ")}\n`);
  for (const [what, least] of Object.entries(SEEN))
    expect(`${what}: ${(seen.get(what) ?? 0) >= least}`).toBe(`${what}: true`);
}, 120_000);

/** What must have been seen at least, or the crowd was about nothing. */
const SEEN = {
  "has to wait": 20_000,
  "is paired at once": 20_000,
  "waiting when somebody came": 4_000_000,
  "matched by itself": 300,
  "closed timeout by itself": 2000,
  "closed blocked": 1500,
  meeting: 1500,
  hold_ended: 300,
};

function nameOf(event: LobbyEvent): string {
  if (event.type === "refused") return event.code;
  return event.type === "room_closed" ? `closed ${event.reason}` : event.type;
}

/** Somebody as they stand at the door: what they say now, and what is known of them. */
function seekerOf(lobby: Lobby, command: Extract<Command, { type: "enter_queue" }>): Seeker | undefined {
  const user = lobby.users.get(lobby.byToken.get(command.caller.bearer ?? "") ?? 0);
  if (user !== undefined && user.place.in !== "nowhere") return undefined;
  const interests = command.interests ?? [];
  return {
    ref: user?.ref ?? 0,
    kind: command.kind ?? "unknown",
    partnerKind: command.partnerKind ?? "any",
    interests,
    address: command.caller.address,
    recentPartners: user?.recentPartners ?? [],
    blocked: user?.blocked,
  };
}

/** Keeps the plain list of who waits: who has joined goes to its end, who has left or met goes. */
function keepLine(lobby: Lobby, line: Map<number, number>, events: readonly LobbyEvent[]): void {
  for (const event of events) {
    if (event.type === "matched") for (const ref of event.users) line.delete(ref);
    if (event.type === "left_queue") line.delete(event.user);
    if (event.type === "queued") {
      const user = lobby.users.get(event.user);
      if (user !== undefined) line.set(event.user, opensAt(lobby, user));
    }
  }
}

/** When somebody who comes now stops holding out. */
function opensAt({ now, settings }: Lobby, { interests }: Pick<Seeker, "interests">): number {
  return interests.length === 0 ? now : now + settings.widenMs;
}
