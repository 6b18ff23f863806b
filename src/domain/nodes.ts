/**
 * The nodes of a cluster as the lobby knows them: who has joined, whose entries count, and the time in
 * which none of them could be heard of.
 *
 * This file owns that knowledge. It must never know how nodes reach each other, and does nothing at all
 * where entries have no origin.
 */
import { DEADLINES_PER_STEP_MAX, NODE_GAP_MS, NODES_MAX } from "../limits.ts";
import type { Command, Origin } from "./command.ts";
import { agreeOnRules, closeConnections, endNode } from "./node-loss.ts";
import { setTime } from "./presence.ts";
import { changeSettings, putOff } from "./restart.ts";
import type { Lobby, LobbyNode, Step } from "./state.ts";

/**
 * Of the rules as they are in these files. Raised with every change that gives another state or other events
 * for the same entries; what is new must then depend on `rulesInForce`, so that nodes can be replaced one by one.
 */
export const RULES_VERSION = 1;

type NodeCommand = Extract<Command, { type: "join_node" | "beat_node" | "leave_node" }>;

/** The rules that every node knows. More than `RULES_VERSION` = this lobby can not be gone on with here. */
export function rulesInForce(lobby: Lobby): number {
  return lobby.rules === 0 ? RULES_VERSION : lobby.rules;
}

/** The node that does what only one should do: the longest-joined; undefined where there is none. */
export function leadingNode(lobby: Lobby): LobbyNode | undefined {
  for (const node of lobby.nodes.values()) return node;
  return undefined;
}

/**
 * Nodes beat every second. If none was heard of for longer than two beats, none could reach the journal:
 * presence stood still meanwhile, of users and of nodes.
 */
export function skipGap(lobby: Lobby, step: Step, at: number): void {
  const silence = at - lobby.now;
  if (silence <= NODE_GAP_MS) return;
  putOff(lobby, silence);
  setTime(lobby, step, at);
}

/**
 * Whether an entry counts: its node has joined, and it has not been here before. If it does, the node was
 * heard of.
 */
export function isHeeded(lobby: Lobby, step: Step, { node: id, n }: Origin, command: Command): boolean {
  const node = lobby.nodes.get(id);
  const isNew = node === undefined && command.type === "join_node" && !lobby.endedNodes.has(id);
  if (isNew) return true;
  if (node === undefined || n <= node.n) {
    step.events.push({ type: "disregarded", because: node === undefined ? "not_joined" : "repeated" });
    return false;
  }
  node.n = n;
  node.heardAt = step.at;
  step.node = node;
  return true;
}

/** What a node says of itself. Nothing, if no node says it. */
export function hearNode(lobby: Lobby, step: Step, command: NodeCommand, origin: Origin | undefined): void {
  if (origin === undefined) {
    step.events.push({ type: "ignored" });
    return;
  }
  switch (command.type) {
    case "join_node":
      joinNode(lobby, step, command, origin);
      return;
    case "beat_node":
      step.events.push({ type: "ticked" });
      return;
    case "leave_node":
      leaveNode(lobby, step);
      return;
  }
}

function joinNode(
  lobby: Lobby,
  step: Step,
  { settings, rules }: Extract<Command, { type: "join_node" }>,
  { node: id, n }: Origin,
): void {
  // It may say so twice, if it does not know whether it was heard.
  if (step.node === undefined) {
    if (lobby.nodes.size >= NODES_MAX || rules < lobby.rules) {
      step.events.push({ type: "node_refused", node: id });
      return;
    }
    const node: LobbyNode = { id, number: lobby.nextNode++, rules, n, heardAt: step.at, attached: new Map() };
    lobby.nodes.set(id, node);
    agreeOnRules(lobby);
  }
  step.events.push({ type: "node_joined", node: id });
  changeSettings(lobby, step, settings);
}

function leaveNode(lobby: Lobby, step: Step): void {
  const { node } = step;
  if (node === undefined) return;
  step.node = undefined;
  endNode(lobby, node);
  step.events.push({ type: "node_left", node: node.id });
  closeConnections(lobby, step, DEADLINES_PER_STEP_MAX);
}
