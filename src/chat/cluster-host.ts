/**
 * The lobby in one of several processes that share a journal: every entry of anybody is applied here, in the one
 * order, and what this process asks for is answered when its entry comes back.
 *
 * This file owns what becomes of commands on their way: one that has found no place is refused, one of an earlier
 * life of this node is asked again. It must never apply anything but what the journal hands out.
 */
import type { Command, Entry } from "../domain/command.ts";
import type { LobbyEvent } from "../domain/event.ts";
import type { NodeId } from "../domain/ids.ts";
import { isDue } from "../domain/lobby.ts";
import { leadingNode } from "../domain/nodes.ts";
import type { Lobby } from "../domain/state.ts";
import type { JournalUnavailable, SharedJournal } from "../journal/journal.ts";
import { APPEND_RETRY_MS, DISREGARDED_ATTEMPTS_MAX, LIVES_KNOWN_MAX, NODE_TICK_STEP_MS } from "../limits.ts";
import { Unavailable } from "../mcp/unavailable.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import { compensate } from "./late-entries.ts";
import { LobbyHost, type Read } from "./lobby-host.ts";

/** What a node counts of its cluster. */
export interface ClusterCounts {
  /** Own commands that were asked again because they came back from an earlier life. */
  disregarded: number;
  /** How often something waited until this node knew everything. */
  settled: number;
}

export interface ClusterHostOptions {
  /** The lobby that the journal applies what it loads to; asked again after every reset. */
  readonly lobby: () => Lobby;
  readonly journal: SharedJournal;
  readonly alarms: AlarmClock;
  /** An entry could not be applied as it should: a bug, the same on every node. */
  readonly onBug: (bug: unknown) => void;
}

export class ClusterHost extends LobbyHost {
  readonly counts: ClusterCounts = { disregarded: 0, settled: 0 };
  readonly #options: ClusterHostOptions;
  readonly #journal: SharedJournal;
  readonly #entryListeners: ((entry: Entry) => void)[] = [];
  #life = 1;
  /** Ids of the latest lives of this node, the present one last. */
  #lives: readonly NodeId[];
  #isTicking = false;

  constructor(options: ClusterHostOptions) {
    const { lobby, journal, alarms } = options;
    super(lobby(), journal, alarms);
    this.#options = options;
    this.#journal = journal;
    this.#lives = [journal.node];
    journal.follow((entry) => this.#follow(entry));
  }

  override get life(): number {
    return this.#life;
  }

  override get isLeading(): boolean {
    return leadingNode(this.lobby)?.id === this.#journal.node;
  }

  /** Calls back right after each entry has been applied, before anybody hears what it did. */
  listenToEntries(listener: (entry: Entry) => void): void {
    this.#entryListeners.push(listener);
  }

  /** Begins another life: what the lobby knows of the present one is over, or about to be. */
  renew(): void {
    this.#life++;
    this.#lives = [...this.#lives, this.#journal.renew()].slice(-LIVES_KNOWN_MAX);
  }

  /** The state has been loaded anew. */
  reset(): void {
    this.#isTicking = false;
    this.replace(this.#options.lobby());
  }

  override submit<T>(command: Command, read: Read<T>): Promise<T> {
    return this.#submit(command, read, 1);
  }

  async #submit<T>(command: Command, read: Read<T>, attempt: number): Promise<T> {
    try {
      return await this.#journal.append(command, (entry): T | Promise<T> => {
        const events = this.step(entry);
        if (isDisregarded(events) && isAskedAgain(command)) {
          this.concluded(events, true);
          return this.#again(command, read, attempt);
        }
        const answer = read(events, this.lobby);
        this.concluded(events, true);
        return answer;
      });
    } catch (problem) {
      throw isUnavailable(problem) ? new Unavailable(problem.retryAfterMs, problem.uncertain) : problem;
    }
  }

  /** This node was taken for lost while the command was under way, and nothing was done. */
  #again<T>(command: Command, read: Read<T>, attempt: number): Promise<T> {
    this.counts.disregarded++;
    if (attempt >= DISREGARDED_ATTEMPTS_MAX) return Promise.reject(new Unavailable(APPEND_RETRY_MS, false));
    return this.#submit(command, read, attempt + 1);
  }

  override post(command: Command, read?: Read<void>): void {
    this.#journal.post(command, (entry) => this.#apply(entry, true, read));
  }

  override async upToDate(): Promise<void> {
    this.counts.settled++;
    try {
      await this.#journal.settled();
    } catch (problem) {
      throw isUnavailable(problem) ? new Unavailable(problem.retryAfterMs, false) : problem;
    }
  }

  /** An entry of another node, or of this one that nobody waits for any more. */
  #follow(entry: Entry): void {
    const isOwn = entry.origin !== undefined && this.#lives.includes(entry.origin.node);
    this.#apply(entry, isOwn, isOwn ? (events) => compensate(this, entry.command, events) : undefined);
  }

  /** Applies an entry that nobody waits for, so that nobody else would hear of a bug. */
  #apply(entry: Entry, isOwn: boolean, read?: Read<void>): void {
    try {
      const events = this.step(entry);
      read?.(events, this.lobby);
      this.concluded(events, isOwn);
    } catch (bug) {
      this.#options.onBug(bug);
    }
  }

  protected override step(entry: Entry): LobbyEvent[] {
    const events = super.step(entry);
    for (const listener of this.#entryListeners) listener(entry);
    return events;
  }

  /** Whoever is first deals with deadlines; the others look a moment later, each at its own. */
  protected override get tickDelayMs(): number {
    let rank = 0;
    for (const id of this.lobby.nodes.keys()) {
      if (id === this.#journal.node) break;
      rank++;
    }
    return rank * NODE_TICK_STEP_MS;
  }

  protected override tick(): void {
    if (this.#isTicking) return;
    if (!isDue(this.lobby, this.alarms.now())) {
      this.sleepOn();
      return;
    }
    this.#isTicking = true;
    this.#journal.post({ type: "tick" }, (entry) => {
      this.#isTicking = false;
      this.#apply(entry, true);
    });
  }
}

/** By its name: of the journal only types are known here. */
function isUnavailable(problem: unknown): problem is JournalUnavailable {
  return problem instanceof Error && problem.name === "JournalUnavailable";
}

/** Whether the entry was of a life of this node that was over. */
function isDisregarded(events: readonly LobbyEvent[]): boolean {
  const last = events.at(-1);
  return last?.type === "disregarded" && last.because === "not_joined";
}

/** What ends something of an earlier life has ended with it. */
function isAskedAgain({ type }: Command): boolean {
  return type !== "open_stream" && type !== "close_stream" && type !== "end_wait";
}
