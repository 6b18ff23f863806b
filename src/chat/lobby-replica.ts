/**
 * The lobby as a journal knows it: something that is rebuilt from rows and entries.
 *
 * This file owns the translation. It must never tell anybody what happens while entries are replayed: it
 * has happened before, and was told then.
 */
import type { Entry, LobbySettings } from "../domain/command.ts";
import { freeze } from "../domain/freeze.ts";
import type { NodeId } from "../domain/ids.ts";
import { createLobby, step } from "../domain/lobby.ts";
import { markOf } from "../domain/mark.ts";
import { leadingNode } from "../domain/nodes.ts";
import { todaysRows } from "../domain/older-rows.ts";
import { SNAPSHOT_VERSION } from "../domain/snapshot.ts";
import type { Lobby } from "../domain/state.ts";
import { thaw } from "../domain/thaw.ts";
import type { Replica } from "../journal/replica.ts";

export class LobbyReplica implements Replica {
  readonly version = SNAPSHOT_VERSION;
  #lobby: Lobby | undefined;

  /**
   * The lobby as far as it has come, a new one if nothing has happened yet. Further entries are applied by
   * whoever uses it, the first of which is a restart with these settings, or a node that joins.
   */
  begin(settings: LobbySettings): Lobby {
    this.#lobby ??= createLobby(settings);
    return this.#lobby;
  }

  get now(): number {
    return this.#lobby?.now ?? 0;
  }

  get mark(): number {
    return this.#lobby === undefined ? 0 : markOf(this.#lobby);
  }

  /** The node that does what only one should do; undefined where there are none. */
  get leader(): NodeId | undefined {
    return this.#lobby === undefined ? undefined : leadingNode(this.#lobby)?.id;
  }

  clear(): void {
    this.#lobby = undefined;
  }

  load(rows: Iterable<unknown>): void {
    this.#lobby = thaw(todaysRows(rows));
  }

  apply(entry: Entry): void {
    this.#lobby ??= firstLobby(entry);
    try {
      step(this.#lobby, entry);
    } catch (_bug) {
      // It was reported when it happened. The server lived on with what had been done until then, and so does this.
    }
  }

  rows(): Iterable<unknown> {
    return this.#lobby === undefined ? [] : freeze(this.#lobby);
  }
}

/** Every server begins with a restart, and every cluster with a node that joins: both say what they are set to. */
function firstLobby({ command }: Entry): Lobby {
  if (command.type !== "restart" && command.type !== "join_node") {
    throw new Error("a journal begins with neither a restart nor a node that joins");
  }
  return createLobby(command.settings);
}
