/**
 * A lobby without its model, for stories too long to compare step by step.
 *
 * This file owns the shortest way to talk to a lobby. Whoever uses it checks the invariants at the end.
 */
import type { Command, LobbySettings } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { createLobby, step } from "../../src/domain/lobby.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { ENTROPY_CHARS } from "../../src/limits.ts";

/** @returns the lobby and how to have a command applied at a time */
export function startAlone(settings: LobbySettings): {
  readonly lobby: Lobby;
  readonly at: (time: number, command: Command) => LobbyEvent[];
} {
  const lobby = createLobby(settings);
  let entries = 0;
  const at = (time: number, command: Command): LobbyEvent[] =>
    step(lobby, { at: time, entropy: `${entries++}_`.padStart(8, "e").padEnd(ENTROPY_CHARS, "x"), command });
  return { lobby, at };
}
