/**
 * Nodes in the model: whose entries count, who is lost, and when nobody could be heard of.
 *
 * This file owns that. What is open at a node, its users know.
 */
import type { Command, Entry } from "../../src/domain/command.ts";
import * as limits from "../../src/limits.ts";
import { lookAgain } from "./lobby-model-meeting.ts";
import type { ModelUser } from "./lobby-model-people.ts";
import { loseLines, notice } from "./lobby-model-presence.ts";
import { changeSettings } from "./lobby-model-restart.ts";
import type { ModelNode, ModelState } from "./lobby-model-state.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

/** When the next node is lost if nothing is heard of it. */
export function nextLoss({ nodes }: ModelState): number {
  return Math.min(...nodes.map(({ heardAt }) => heardAt + limits.NODE_SILENT_MS));
}

/** Whether no node can have been heard of before this entry for a while. */
export function isAfterGap(state: ModelState, entry: Entry, at: number): boolean {
  return entry.origin !== undefined && at - state.now > limits.NODE_GAP_MS;
}

/** Of the nodes that have been silent for too long, the one that joined first is lost. */
export function loseOne(state: ModelState): void {
  const silent = state.nodes.find(({ heardAt }) => heardAt + limits.NODE_SILENT_MS <= state.now);
  if (silent === undefined) throw new Error("no node is silent");
  state.step.events.push({ type: "node_lost", node: silent.id });
  end(state, silent);
}

/** Whether an entry is to be heeded; if not, that is all that happens. */
export function isHeeded(state: ModelState, { origin, command }: Entry): boolean {
  if (origin === undefined) return true;
  const { node: id, n } = origin;
  const node = state.nodes.find((one) => one.id === id);
  if (node === undefined) {
    if (command.type === "join_node" && !state.endedNodes.includes(id)) return true;
    state.step.events.push({ type: "disregarded", because: "not_joined" });
    return false;
  }
  if (n <= node.latest) {
    state.step.events.push({ type: "disregarded", because: "repeated" });
    return false;
  }
  node.latest = n;
  node.heardAt = state.now;
  return true;
}

/** What a node says of itself; nothing, if nobody says it. */
export function hearNode(
  state: ModelState,
  command: Of<"join_node" | "beat_node" | "leave_node">,
  { origin }: Entry,
): void {
  const { events } = state.step;
  if (origin === undefined) events.push({ type: "ignored" });
  else if (command.type === "beat_node") events.push({ type: "ticked" });
  else if (command.type === "join_node") join(state, command, origin.node, origin.n);
  else {
    const node = state.nodes.find(({ id }) => id === origin.node);
    if (node === undefined) throw new Error("a node leaves that is none");
    events.push({ type: "node_left", node: node.id });
    end(state, node);
  }
}

function join(state: ModelState, { settings, rules }: Of<"join_node">, id: string, n: number): void {
  if (!state.nodes.some((node) => node.id === id)) {
    if (state.nodes.length >= limits.NODES_MAX || rules < state.rules) {
      state.step.events.push({ type: "node_refused", node: id });
      return;
    }
    state.nodes.push({ id, rules, latest: n, heardAt: state.now });
    agree(state);
  }
  state.step.events.push({ type: "node_joined", node: id });
  changeSettings(state, settings);
}

/** What all know is in force, and stays so. */
function agree(state: ModelState): void {
  if (state.nodes.length > 0) state.rules = Math.max(state.rules, Math.min(...state.nodes.map(({ rules }) => rules)));
}

function end(state: ModelState, node: ModelNode): void {
  state.nodes = state.nodes.filter((one) => one !== node);
  state.endedNodes = [...state.endedNodes, node.id].slice(-limits.ENDED_NODES_MAX);
  agree(state);
  const isThere = (line: { readonly node: string | undefined } | undefined): boolean => line?.node === node.id;
  const cutOff = state.users.filter((user: ModelUser) => user.streams.some(isThere) || isThere(user.hold));
  if (cutOff.length > limits.DEADLINES_PER_STEP_MAX) throw new Error("so many are not cut off at once");
  loseLines(state, cutOff, isThere);
  for (const user of cutOff) notice(state, user);
  lookAgain(state);
}
