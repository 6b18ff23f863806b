/**
 * Small clusters to tell stories about.
 *
 * This file owns how they begin. It must never assert a rule.
 */
import type { Entry, LobbySettings } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { step } from "../../src/domain/lobby.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { ENTROPY_CHARS, NODE_SILENT_MS } from "../../src/limits.ts";
import { startAlone } from "./lobby-alone.ts";
import { LobbyDriver, ORDINARY, type Told } from "./lobby-driver.ts";

export const typesOf = ({ events }: Told): string[] => events.map(({ type }) => type);

/** Ann and Bob are in a room, and two nodes are there; what follows comes from the first. */
export function pair(settings: Partial<LobbySettings> = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.joinNode("y");
  driver.joinNode("x");
  driver.meet("ann", "bob");
  return driver;
}

/** A node is not heard of any more until it is lost; the others beat on. Returns the moment. */
export function lose(driver: LobbyDriver, lost: string, from = 0): number {
  const others = [...driver.lobby.nodes.keys()].filter((id) => id !== lost);
  driver.beatUntil(from + NODE_SILENT_MS, ...others);
  if (driver.lobby.nodes.has(lost)) throw new Error(`${lost} is not lost`);
  return from + NODE_SILENT_MS;
}

/** A lobby without its model, whose nodes say what they are told to. */
export function cluster(settings: Partial<LobbySettings> = {}): {
  readonly lobby: Lobby;
  readonly say: (node: string, n: number, command: Entry["command"], at?: number) => LobbyEvent[];
} {
  const { lobby } = startAlone({ ...ORDINARY, ...settings });
  let entries = 0;
  const say = (node: string, n: number, command: Entry["command"], at = lobby.now): LobbyEvent[] =>
    step(lobby, { at, entropy: `${entries++}`.padEnd(ENTROPY_CHARS, "x"), command, origin: { node, n } });
  return { lobby, say };
}
