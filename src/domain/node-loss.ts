/**
 * The end of a node's life: it was silent for too long, or has said that it leaves. What its users had
 * open there closes, a slice of them at a time.
 *
 * This file owns that end. It must never let a life that is over come back.
 */
import { ENDED_NODES_MAX, NODE_SILENT_MS } from "../limits.ts";
import { countAllClosedAt } from "./connections.ts";
import { reconsider } from "./pairing.ts";
import { type Loss, loseConnections, settle } from "./presence.ts";
import type { Lobby, LobbyNode, Step } from "./state.ts";

/** When the next node counts as lost, unless it is heard of before; infinite if there is none. */
export function nextLossAt({ nodes }: Lobby): number {
  let at = Number.POSITIVE_INFINITY;
  // Asked in every step, mostly by a server that is alone.
  if (nodes.size === 0) return at;
  for (const { heardAt } of nodes.values()) at = Math.min(at, heardAt + NODE_SILENT_MS);
  return at;
}

/** The longest-joined of the nodes that have been silent until this time is lost. */
export function loseSilentNode(lobby: Lobby, step: Step, time: number): void {
  for (const node of lobby.nodes.values()) {
    if (node.heardAt + NODE_SILENT_MS > time) continue;
    endNode(lobby, node);
    step.events.push({ type: "node_lost", node: node.id });
    return;
  }
}

/** Ends a node's life: none of its entries is heeded any more, and its connections are to be closed. */
export function endNode(lobby: Lobby, node: LobbyNode): void {
  lobby.nodes.delete(node.id);
  lobby.endedNodes.add(node.id);
  if (lobby.endedNodes.size > ENDED_NODES_MAX) {
    for (const longest of lobby.endedNodes) {
      lobby.endedNodes.delete(longest);
      break;
    }
  }
  if (node.attached.size > 0) lobby.closing.push(node);
  agreeOnRules(lobby);
}

/**
 * The rules in force are the latest that all nodes know. They never go back, as the state was made by them: who
 * does not know them is not let in, and they stay when nobody is there.
 */
export function agreeOnRules(lobby: Lobby): void {
  if (lobby.nodes.size === 0) return;
  let known = Number.POSITIVE_INFINITY;
  for (const { rules } of lobby.nodes.values()) known = Math.min(known, rules);
  lobby.rules = known;
}

/**
 * Closes what users have open at nodes that are no more. Streams close as such, held calls have lost their callers.
 * @param usersMax how many users are dealt with
 * @returns how many were
 */
export function closeConnections(lobby: Lobby, step: Step, usersMax: number): number {
  let users = 0;
  while (users < usersMax) {
    const node = lobby.closing[0];
    if (node === undefined) break;
    users += closeSlice(lobby, step, node, usersMax - users);
    if (node.attached.size === 0) lobby.closing.shift();
  }
  return users;
}

function closeSlice(lobby: Lobby, step: Step, node: LobbyNode, usersMax: number): number {
  const losses: Loss[] = [];
  for (const [ref, attachment] of node.attached) {
    if (losses.length >= usersMax) break;
    const user = lobby.users.get(ref);
    if (user === undefined) throw new Error("a node has connections of nobody");
    losses.push({ user, ...countAllClosedAt(lobby, user, attachment) });
    node.attached.delete(ref);
  }
  loseConnections(lobby, step, losses);
  for (const { user } of losses) settle(lobby, step, user);
  reconsider(lobby, step);
  return losses.length;
}
