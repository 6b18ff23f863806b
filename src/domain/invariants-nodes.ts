/**
 * What must be true of connections and nodes after every step.
 *
 * This file owns that part of the list of invariants. It must never change what it looks at.
 */
import { ENDED_NODES_MAX, NODES_MAX } from "../limits.ts";
import { streamsOfSessions } from "./connections.ts";
import { must } from "./invariants-must.ts";
import type { Attachment, Lobby, LobbyNode, User } from "./state.ts";
import { userOf } from "./users.ts";

export function checkNodes(lobby: Lobby): void {
  const { nodes, closing, endedNodes } = lobby;
  must(nodes.size <= NODES_MAX, "too many nodes");
  must(endedNodes.size <= ENDED_NODES_MAX, "too many lives are remembered");
  let number = 0;
  let rules = Number.POSITIVE_INFINITY;
  for (const [id, node] of nodes) {
    must(node.id === id && !endedNodes.has(id), "a node is known by another name, or is over");
    must(node.number > number && node.number < lobby.nextNode, "nodes are not in the order of joining");
    must(node.heardAt <= lobby.now, "a node was heard of in the future");
    number = node.number;
    rules = Math.min(rules, node.rules);
  }
  must(nodes.size === 0 || lobby.rules >= rules, "a rule that all nodes know is not in force");
  for (const user of lobby.users.values()) checkConnections(lobby, user, [...nodes.values(), ...closing]);
  for (const { attached } of [...nodes.values(), ...closing]) {
    for (const ref of attached.keys()) userOf(lobby, ref);
  }
}

function checkConnections(lobby: Lobby, user: User, nodes: readonly LobbyNode[]): void {
  must(streamsOfSessions(lobby, user) <= user.streams, "sessions have more streams than their user");
  let streams = 0;
  let holds = 0;
  for (const { id, attached } of nodes) {
    const attachment = attached.get(user.ref);
    if (attachment === undefined) continue;
    checkAttachment(user, attachment);
    streams += attachment.streams;
    if (!attachment.holds) continue;
    holds++;
    must(user.hold?.node === id, "a call is held at another node than it seems");
  }
  must(streams <= user.streams, "a user has more streams at nodes than at all");
  must(holds === (user.hold?.node === undefined ? 0 : 1), "a node does not know of a call that is held there");
  for (const session of user.sessions) {
    let open = 0;
    for (const { attached } of nodes) open += attached.get(user.ref)?.sessions?.get(session) ?? 0;
    must(open <= (lobby.bindings.get(session)?.streams ?? 0), "a session has more streams at nodes than at all");
  }
}

function checkAttachment(user: User, { streams, sessions, holds }: Attachment): void {
  must(streams > 0 || holds, "a node remembers somebody who has nothing open there");
  let ofSessions = 0;
  for (const [session, open] of sessions ?? []) {
    must(user.sessions.includes(session) && open > 0, "a node has streams of a session that is not its user's");
    ofSessions += open;
  }
  must(ofSessions <= streams, "a node has more streams of sessions than of their user");
}
