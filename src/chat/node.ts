/**
 * What a chat server needs beyond itself to be one of several that share a journal: its host, its membership, and
 * the way in which the nodes tell each other what is in no journal.
 *
 * This file owns how these belong together. Where a server is alone, none of it exists.
 */
import type { LobbySettings } from "../domain/command.ts";
import { markOf } from "../domain/mark.ts";
import type { Lobby } from "../domain/state.ts";
import type { SharedJournal } from "../journal/journal.ts";
import { describeBug } from "../mcp/dispatch.ts";
import type { JsonObject, Peers } from "../mcp/registry.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import { ClusterHost } from "./cluster-host.ts";
import { type ClusterLog, type CutReason, Membership } from "./membership.ts";
import { NodePeers } from "./peers.ts";

export interface NodeOptions {
  readonly journal: SharedJournal;
  /** The lobby that the journal applies what it loads to. */
  readonly lobby: () => Lobby;
  readonly settings: LobbySettings;
  readonly alarms: AlarmClock;
  readonly log: ClusterLog;
  /** See `MembershipOptions`. */
  readonly onOutdated: () => void;
}

/** What a node counts, for whoever watches over it. */
export interface NodeFigures {
  readonly nodes: number;
  readonly isReachable: boolean;
  readonly lives: number;
  readonly differences: number;
  readonly reloads: number;
  readonly disregarded: number;
  readonly settled: number;
}

export class ChatNode {
  readonly host: ClusterHost;
  readonly membership: Membership;
  readonly peers: Peers;
  readonly #journal: SharedJournal;
  readonly #cutListeners: ((reason: CutReason) => void)[] = [];

  constructor({ journal, lobby, settings, alarms, log, onOutdated }: NodeOptions) {
    this.#journal = journal;
    const onBug = (what: string) => (bug: unknown) => log.error(`${what} failed unexpectedly`, describeBug(bug));
    this.host = new ClusterHost({ journal, lobby, alarms, onBug: onBug("an entry") });
    const cut = (reason: CutReason): void => {
      for (const listener of this.#cutListeners) listener(reason);
    };
    this.membership = new Membership({ host: this.host, journal, settings, log, onOutdated, cut });
    const others = (): number => Math.max(0, this.host.lobby.nodes.size - 1);
    this.peers = new NodePeers(journal, alarms, others, onBug("a whisper"));
  }

  /** Calls back when whoever reads here is to be let go of. */
  onCut(listener: (reason: CutReason) => void): void {
    this.#cutListeners.push(listener);
  }

  /** Whether what is asked for here can be done, or could be a moment ago. */
  get isHealthy(): boolean {
    return this.membership.isHealthy;
  }

  /** Whether streams of this node should be elsewhere. */
  get isCutOff(): boolean {
    return this.membership.isCutOff;
  }

  get figures(): NodeFigures {
    const { nodes } = this.host.lobby;
    const { isReachable } = this.#journal;
    return { nodes: nodes.size, isReachable, ...this.membership.counts, ...this.host.counts };
  }

  /** For the operator: which node this is, how far it has come, and a number that is the same on all that are there. */
  get summary(): JsonObject {
    const { lobby } = this.host;
    const { node, applied } = this.#journal;
    return { node, nodes: lobby.nodes.size, applied, mark: markOf(lobby) };
  }
}

/** Whether a journal is one of several nodes. */
export function isShared(journal: object): journal is SharedJournal {
  return "whisper" in journal;
}
