/**
 * This process as one node of several: it joins before it serves, says every second that it lives, leaves when
 * it stops, and begins anew when the others have taken it for lost or its state was loaded anew.
 *
 * This file owns the lives of the node. In each new one nothing of an earlier one is open any more: whoever reads
 * here is cut, so that they come back. It must never decide who is lost: the lobby does, the same everywhere.
 */
import type { Entry, LobbySettings } from "../domain/command.ts";
import type { LobbyEvent } from "../domain/event.ts";
import type { NodeId } from "../domain/ids.ts";
import { markOf } from "../domain/mark.ts";
import { leadingNode, RULES_VERSION, rulesInForce } from "../domain/nodes.ts";
import type { SharedJournal } from "../journal/journal.ts";
import { NODE_BEAT_MS, NODE_HEALTH_MS, NODE_LEAVE_MS_MAX, NODE_RELOAD_MS, NODE_SILENT_MS } from "../limits.ts";
import type { ClusterHost } from "./cluster-host.ts";

/** Where a node says what becomes of it and of the others. */
export interface ClusterLog {
  info(message: string, fields?: Readonly<Record<string, string | number>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number>>): void;
  error(message: string, fields?: Readonly<Record<string, string | number>>): void;
}

export interface MembershipOptions {
  readonly host: ClusterHost;
  readonly journal: SharedJournal;
  readonly settings: LobbySettings;
  readonly log: ClusterLog;
  /** Called once, when the others go by rules that are not known here: the process must end. */
  readonly onOutdated: () => void;
  /** Lets go of every reader of this process. */
  readonly cut: (reason: CutReason) => void;
}

/**
 * Why readers are let go of: with a new life the lobby knows of nothing any more that is open here; after a rewind
 * their positions are of mailboxes that are no more; where a node is cut off its users are better off at another.
 */
export type CutReason = "new_life" | "rewound" | "cut_off";

/** What becomes of a node in the course of time. */
export interface MembershipCounts {
  /** Lives begun, the first included. */
  lives: number;
  /** Marks of other nodes that differed from one's own: a state that has gone astray. */
  differences: number;
  /** Loadings of the state because of that. */
  reloads: number;
}

/** The state right after a beat. */
interface Mark {
  readonly n: number;
  readonly mark: number;
}

export class Membership {
  readonly counts: MembershipCounts = { lives: 1, differences: 0, reloads: 0 };
  readonly #options: MembershipOptions;
  readonly #host: ClusterHost;
  readonly #journal: SharedJournal;
  /** Of the latest beat of each node. */
  readonly #marks = new Map<NodeId, Mark>();
  #isMember = false;
  #isOver = false;
  /** Since when a beat of this node is on its way, in milliseconds; undefined = none is. */
  #beatSentAt: number | undefined;
  /** Since when this node is none of the cluster's; undefined while it is. */
  #strangerSince: number | undefined;
  #hasSentAway = false;
  #reloadedAt = Number.NEGATIVE_INFINITY;

  constructor(options: MembershipOptions) {
    const { host, journal, log } = options;
    this.#options = options;
    this.#host = host;
    this.#journal = journal;
    host.listen(["node_joined"], ({ node }) => log.info("a node has joined", { node, nodes: host.lobby.nodes.size }));
    host.listen(["node_left"], ({ node }) => {
      this.#forget(node);
      log.info("a node has left", { node, nodes: host.lobby.nodes.size });
    });
    host.listen(["node_lost"], ({ node }) => {
      this.#forget(node);
      log.warn("a node is lost", { node, nodes: host.lobby.nodes.size });
      if (node === journal.node) this.#begin();
    });
    host.listen(["rewound"], () => this.#options.cut("rewound"));
    host.listenToEntries((entry) => this.#compare(entry));
    journal.onReset((hasLost) => this.#startOver(hasLost));
  }

  /** Joins for the first time. Rejects with `Unavailable` if the journal cannot be reached. @returns whether it may */
  async join(): Promise<boolean> {
    const { settings } = this.#options;
    const join = { type: "join_node", settings, rules: RULES_VERSION } as const;
    await this.#host.submit(join, (events) => this.#hearAnswer(events));
    this.#beat();
    // Nobody is there who would know what is lost, so readers have to begin anew.
    if (this.#isMember && this.#journal.mayLackEnd) await this.#host.submit({ type: "rewind" }, () => undefined);
    return this.#isMember;
  }

  /** Says that this node stops. Resolves soon, whether the others have heard it or not. */
  async leave(): Promise<void> {
    this.#isOver = true;
    if (!this.#isMember) return;
    const left = Promise.withResolvers<void>();
    const alarm = this.#host.alarms.set(this.#host.alarms.now() + NODE_LEAVE_MS_MAX, left.resolve);
    this.#host.post({ type: "leave_node" }, () => left.resolve());
    await left.promise;
    this.#host.alarms.cancel(alarm);
  }

  /** Whether what is asked for here can be done: the journal was heard of lately, and the others know this node. */
  get isHealthy(): boolean {
    return this.#silentMs <= NODE_HEALTH_MS;
  }

  /**
   * Whether this node has been out of reach for so long that its users would be taken for gone if they stayed: they
   * are sent away while there is time to come to another one.
   */
  get isCutOff(): boolean {
    return this.#silentMs > Math.max(NODE_SILENT_MS, this.#options.settings.graceMs / 2);
  }

  /** How long nothing of this node has been heard, as far as it can tell, in milliseconds. */
  get #silentMs(): number {
    const { POSITIVE_INFINITY: never } = Number;
    const silentSince = Math.min(this.#beatSentAt ?? never, this.#strangerSince ?? never);
    return this.#host.alarms.now() - silentSince;
  }

  // --- lives ------------------------------------------------------------------------------------

  #forget(node: NodeId): void {
    this.#marks.delete(node);
  }

  /** @param hasLost whether something was known here that is in the journal no more */
  #startOver(hasLost: boolean): void {
    this.#marks.clear();
    this.#host.reset();
    this.#begin();
    // Readers may hold positions of what never happened: all mailboxes begin anew.
    if (hasLost && !this.#isOver) this.#host.post({ type: "rewind" });
  }

  /** Another life begins: what was open in the last one is let go of. */
  #begin(): void {
    this.#isMember = false;
    this.#strangerSince ??= this.#host.alarms.now();
    this.#beatSentAt = undefined;
    if (this.#isOver) return;
    this.counts.lives++;
    this.#host.renew();
    // First, so that whatever is asked from now on comes after it.
    this.#joinAgain();
    this.#options.cut("new_life");
  }

  #joinAgain(): void {
    const { life } = this.#host;
    const { settings } = this.#options;
    this.#host.post({ type: "join_node", settings, rules: RULES_VERSION }, (events) => {
      if (life !== this.#host.life) return;
      this.#hearAnswer(events);
      if (this.#isMember) return;
      if (rulesInForce(this.#host.lobby) > RULES_VERSION) {
        this.#isOver = true;
        this.#options.onOutdated();
        return;
      }
      this.#options.log.error("this node may not join the others; it tries again");
      this.#host.alarms.set(this.#host.alarms.now() + NODE_SILENT_MS, () => {
        if (life === this.#host.life && !this.#isOver) this.#joinAgain();
      });
    });
  }

  #hearAnswer(events: readonly LobbyEvent[]): void {
    this.#isMember = events.some((event) => event.type === "node_joined");
    if (this.#isMember) this.#strangerSince = undefined;
  }

  // --- beats ------------------------------------------------------------------------------------

  /** Says that this node lives, unless it has not been heard yet when it said so last. */
  #beat(): void {
    if (this.#isOver) return;
    const { alarms } = this.#host;
    const now = alarms.now();
    alarms.set(now + NODE_BEAT_MS, () => this.#beat());
    if (this.isCutOff) this.#sendAway();
    if (!this.#isMember || this.#beatSentAt !== undefined) return;
    this.#beatSentAt = now;
    const mark = this.#marks.get(this.#journal.node);
    const { life } = this.#host;
    this.#host.post({ type: "beat_node", ...(mark === undefined ? {} : { mark }) }, () => {
      if (life !== this.#host.life) return;
      this.#beatSentAt = undefined;
      this.#hasSentAway = false;
    });
  }

  /** In each beat anew, as some may have come meanwhile. */
  #sendAway(): void {
    if (!this.#hasSentAway) this.#options.log.warn("this node is cut off from the others; its streams end");
    this.#hasSentAway = true;
    this.#options.cut("cut_off");
  }

  /** Notes the state after each beat, and whether its sender had the same after its last one. */
  #compare({ command, origin }: Entry): void {
    if (command.type !== "beat_node" || origin === undefined || !this.#host.lobby.nodes.has(origin.node)) return;
    const noted = this.#marks.get(origin.node);
    if (noted !== undefined && noted.n >= origin.n) return;
    const theirs = command.mark;
    if (theirs !== undefined && noted?.n === theirs.n && noted.mark !== theirs.mark) this.#differ(origin.node);
    this.#marks.set(origin.node, { n: origin.n, mark: markOf(this.#host.lobby) });
  }

  /** Two nodes are not the same any more. Which one is wrong nobody knows: all but the leading one load anew. */
  #differ(node: NodeId): void {
    this.counts.differences++;
    this.#options.log.error("the state differs from another node's", { node });
    const now = this.#host.alarms.now();
    if (leadingNode(this.#host.lobby)?.id !== node || now - this.#reloadedAt < NODE_RELOAD_MS) return;
    this.#reloadedAt = now;
    this.counts.reloads++;
    this.#journal.reload().catch(() => this.#options.log.error("the state cannot be loaded anew"));
  }
}
