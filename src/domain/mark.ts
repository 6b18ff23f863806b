/**
 * A lobby's counts as one number: two that have gone the same way have the same one, and one that has
 * gone astray has, as good as always, another. It costs next to nothing, unlike a hash of everything.
 *
 * This file owns that number. It must never depend on the time alone: an entry that changed nothing may
 * be missing in a replay.
 */
import type { Lobby } from "./state.ts";

/** 32 bits, without a sign. */
export function markOf(lobby: Lobby): number {
  const { queue } = lobby;
  let mark = mix(0, lobby.nextUser);
  mark = mix(mark, lobby.nextHold);
  mark = mix(mark, lobby.nextRoom);
  mark = mix(mark, lobby.nextAct);
  mark = mix(mark, queue.nextTicket);
  mark = mix(mark, queue.tickets.size);
  mark = mix(mark, lobby.users.size);
  mark = mix(mark, lobby.rooms.size);
  mark = mix(mark, lobby.bindings.size);
  mark = mix(mark, lobby.online);
  mark = mix(mark, lobby.mailboxBytes);
  return mix(mark, lobby.transcriptBytes) >>> 0;
}

/** One round of FNV-1a, of a number's lower 32 bits. */
function mix(mark: number, value: number): number {
  return Math.imul(mark ^ value, 0x01000193);
}
