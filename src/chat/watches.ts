/**
 * Who wants to hear that a resource has changed. A watch belongs to a legacy session, whose user may
 * come later, or to the user of a token for as long as a stream is open.
 *
 * This file owns the watches of this process. It must never read what changed.
 */
import type { SessionKey, UserRef } from "../domain/ids.ts";
import { addTo, removeFrom } from "./list-map.ts";
import type { LobbyHost } from "./lobby-host.ts";

interface Watch {
  /** Only changes of this room; undefined = of everything the user is told. */
  readonly room: string | undefined;
  readonly changed: () => void;
}

export class Watches {
  readonly #host: LobbyHost;
  readonly #ofUser = new Map<UserRef, readonly Watch[]>();
  readonly #ofSession = new Map<SessionKey, readonly Watch[]>();

  constructor(host: LobbyHost) {
    this.#host = host;
    host.listen(["mail", "queued", "left_queue", "meeting", "left_meeting"], ({ user }) => this.#tell(user, undefined));
    host.listen(["posted", "room_closed"], ({ room }) => this.#tellRoom(room));
    host.listen(["bound", "unbound"], ({ session }) => {
      for (const watch of this.#ofSession.get(session) ?? []) watch.changed();
    });
  }

  /** Watches for a session, whoever it belongs to at the time. @returns how to stop */
  watchSession(session: SessionKey, room: string | undefined, changed: () => void): () => void {
    return add(this.#ofSession, session, { room, changed });
  }

  /** Watches for a user on a stream of theirs, which counts as their presence. @returns how to stop */
  watchUser(user: UserRef, room: string | undefined, changed: () => void): () => void {
    const stop = add(this.#ofUser, user, { room, changed });
    const { life } = this.#host;
    this.#host.post({ type: "open_stream", user });
    return () => {
      stop();
      this.#host.postIn(life, { type: "close_stream", user });
    };
  }

  #tellRoom(id: string): void {
    // Few servers have anybody who watches, and every message comes past here.
    if (this.#ofUser.size === 0 && this.#ofSession.size === 0) return;
    for (const member of this.#host.lobby.rooms.get(id)?.members ?? []) this.#tell(member.user, id);
  }

  #tell(user: UserRef, room: string | undefined): void {
    if (this.#ofUser.size > 0) tellAll(this.#ofUser.get(user), room);
    if (this.#ofSession.size === 0) return;
    for (const session of this.#host.lobby.users.get(user)?.sessions ?? []) tellAll(this.#ofSession.get(session), room);
  }
}

function tellAll(watches: readonly Watch[] | undefined, room: string | undefined): void {
  for (const watch of watches ?? []) if (watch.room === room) watch.changed();
}

function add<K>(watches: Map<K, readonly Watch[]>, key: K, watch: Watch): () => void {
  addTo(watches, key, watch);
  return () => removeFrom(watches, key, watch);
}
