/**
 * From what happens in the lobby to what is written down: rooms as they open and close, and every line. Of
 * several nodes, which all see everything, one writes a line: that which had it happen.
 *
 * This file owns that translation, and what the lobby still holds for whoever has missed something. It runs
 * in the path of every message: it must never wait, and copies no text.
 */
import { sha256 } from "../crypto.ts";
import type { LobbyEventOf, LobbyEventType, Posted } from "../domain/event.ts";
import type { TokenHash } from "../domain/ids.ts";
import type { Line, Lobby, Room, RoomMember } from "../domain/state.ts";
import { HISTORY_LOST_NODE_MS } from "../history-limits.ts";
import type { Item, PersonRecord, RoomRecord, Side } from "./records.ts";
import type { HistoryWriter } from "./writer.ts";

/** Where lobby events come from; `LobbyHost` fits. */
export interface LobbySource {
  /** The present one: it may be replaced by another. */
  readonly lobby: Lobby;
  /** Whether this process does what only one should do. */
  readonly isLeading: boolean;
  listen<T extends LobbyEventType>(
    types: readonly T[],
    listener: (event: LobbyEventOf<T>, isOwn: boolean) => void,
  ): void;
}

/** Who somebody is in the history: of their token, so that it is nobody else's, and so that it does not tell the token's hash. */
export function identityOf(token: TokenHash): string {
  return sha256(`history of ${token}`);
}

export class Recorder {
  readonly #source: LobbySource;
  readonly #writer: HistoryWriter;

  constructor(source: LobbySource, writer: HistoryWriter) {
    this.#source = source;
    this.#writer = writer;
    writer.remaining = (rooms) => this.#remaining(({ id }) => rooms === undefined || rooms.has(id));
    // Every node writes these, as a line can only be written after its room.
    source.listen(["matched", "room_closed"], ({ room }) => this.#record(source.lobby.rooms.get(room)));
    source.listen(["posted"], ({ room, posted }, isOwn) => {
      if (isOwn) this.#posted(room, posted);
    });
    source.listen(["node_lost"], () => {
      // What it had not written yet is lost with it.
      if (source.isLeading) this.catchUp(HISTORY_LOST_NODE_MS);
    });
  }

  /** Has written again what the lobby holds of rooms in which something has happened in so many milliseconds. */
  catchUp(lastMs: number): void {
    const since = this.#source.lobby.now - lastMs;
    this.#writer.catchUp(this.#remaining((room) => lastActivityOf(room) >= since));
  }

  #posted(roomId: string, { seq }: Posted): void {
    const room = this.#source.lobby.rooms.get(roomId);
    // Of an answer that is given again the line may be gone; else it is written again, which changes nothing.
    const line = room?.transcript.findLast(({ body }) => body.seq === seq);
    if (room !== undefined && line !== undefined) this.#writer.add({ type: "line", line, side: sideOf(room, line) });
  }

  #record(room: Room | undefined): void {
    if (room !== undefined) this.#writer.add({ type: "room", room: recordOf(this.#source.lobby, room) });
  }

  /** Rooms and lines that the lobby has now, made as they are asked for. */
  *#remaining(isWanted: (room: Room) => boolean): Generator<Item, void, undefined> {
    const { lobby } = this.#source;
    const end = lobby.nextRoom;
    for (const room of lobby.rooms.values()) {
      // Those that have opened since are written anyway.
      if (room.number >= end) return;
      if (lobby !== this.#source.lobby) return;
      if (!isWanted(room)) continue;
      yield { type: "room", room: recordOf(lobby, room) };
      for (const line of [...room.transcript]) yield { type: "line", line, side: sideOf(room, line) };
    }
  }
}

function recordOf(lobby: Lobby, { id, createdAt, members, closed, seq }: Room): RoomRecord {
  return {
    id,
    openedAt: createdAt,
    people: [personOf(lobby, members[0]), personOf(lobby, members[1])],
    closed: closed === undefined ? undefined : { at: closed.at, reason: closed.reason, messages: seq },
  };
}

function personOf(lobby: Lobby, { user, participant }: RoomMember): PersonRecord {
  const token = lobby.users.get(user)?.tokenHash;
  const { userId, displayName, kind } = participant;
  return { identity: token === undefined ? undefined : identityOf(token), userId, displayName, kind };
}

function sideOf({ members }: Room, { body }: Line): Side {
  return members[0].participant.userId === body.sender.userId ? 0 : 1;
}

function lastActivityOf({ closed, transcript, createdAt }: Room): number {
  return closed?.at ?? transcript.at(-1)?.at ?? createdAt;
}
