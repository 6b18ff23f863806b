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
  mark = mix(mark, lobby.transcriptBytes);
  if (lobby.nextNode > 1) mark = mixNodes(mark, lobby);
  return mark >>> 0;
}

/** Where there never was a node, marks are as they were before there could be any. */
function mixNodes(before: number, { nextNode, nodes, closing, rules }: Lobby): number {
  let mark = mix(before, nextNode);
  for (const node of nodes.values()) {
    mark = mix(mark, node.number);
    mark = mix(mark, node.n);
    mark = mix(mark, node.attached.size);
  }
  mark = mix(mark, closing.length);
  for (const { attached } of closing) mark = mix(mark, attached.size);
  return mix(mark, rules);
}

/** One round of FNV-1a, of a number's lower 32 bits. */
function mix(mark: number, value: number): number {
  return Math.imul(mark ^ value, 0x01000193);
}
