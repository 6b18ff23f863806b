/**
 * The lobby as a journal knows it: something that is rebuilt from rows and entries.
 *
 * This file owns the translation. It must never tell anybody what happens while entries are replayed: it
 * has happened before, and was told then.
 */
import type { Entry, LobbySettings } from "../domain/command.ts";
import { freeze } from "../domain/freeze.ts";
import { createLobby, step } from "../domain/lobby.ts";
import { markOf } from "../domain/mark.ts";
import { SNAPSHOT_VERSION, type SnapshotRow } from "../domain/snapshot.ts";
import type { Lobby } from "../domain/state.ts";
import { thaw } from "../domain/thaw.ts";
import type { Replica } from "../journal/replica.ts";

export class LobbyReplica implements Replica {
  readonly version = SNAPSHOT_VERSION;
  #lobby: Lobby | undefined;

  /**
   * The lobby as far as it has come, a new one if nothing has happened yet. Further entries are applied by
   * whoever uses it, the first of which is a restart with these settings.
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

  clear(): void {
    this.#lobby = undefined;
  }

  load(rows: Iterable<unknown>): void {
    this.#lobby = thaw(rows as Iterable<SnapshotRow>);
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

/** Every server begins with a restart, which says what it is set to. */
function firstLobby({ command }: Entry): Lobby {
  if (command.type !== "restart") throw new Error("a journal does not begin with a restart");
  return createLobby(command.settings);
}
