/**
 * The lobby in a running process: commands go through the journal into `step`, what has happened
 * wakes the readers, and the next deadline becomes a tick.
 *
 * This file owns the lobby and the order apply, answer, wake. It must never interpret a command or
 * an event beyond handing it on.
 */
import type { Command, Entry } from "../domain/command.ts";
import type { LobbyEvent, LobbyEventOf, LobbyEventType } from "../domain/event.ts";
import { isDue, isWithoutEffect, nextDeadline, step } from "../domain/lobby.ts";
import type { Lobby } from "../domain/state.ts";
import type { Journal } from "../journal/journal.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import { addTo } from "./list-map.ts";

/**
 * Called for events of every step, after the step is over. It may submit commands.
 * @param isOwn whether the entry was appended by this process
 */
export type LobbyListener<T extends LobbyEventType = LobbyEventType> = (event: LobbyEventOf<T>, isOwn: boolean) => void;

/** Computes the answer from the lobby as it is right after the command. */
export type Read<T> = (events: readonly LobbyEvent[], lobby: Lobby) => T;

export class LobbyHost {
  readonly alarms: AlarmClock;
  #lobby: Lobby;
  readonly #journal: Journal;
  /** By type: most of what happens concerns few of them. */
  readonly #listeners = new Map<LobbyEventType, readonly LobbyListener[]>();
  readonly #listenersToAll: LobbyListener[] = [];
  #pending: LobbyEvent[] = [];
  #dispatching = false;
  #tickAt = Number.POSITIVE_INFINITY;
  #tickAlarm = 0;

  /** @param lobby the one that the journal's entries are applied to */
  constructor(lobby: Lobby, journal: Journal, alarms: AlarmClock) {
    this.#lobby = lobby;
    this.#journal = journal;
    this.alarms = alarms;
  }

  /** As it is at this moment. Where several nodes share a journal it may be another object later. */
  get lobby(): Lobby {
    return this.#lobby;
  }

  /**
   * Which life of this process the lobby knows. What was opened in one is not to be closed in another: it ended with
   * its life.
   */
  get life(): number {
    return 0;
  }

  /** Whether this process does what only one should do. */
  get isLeading(): boolean {
    return true;
  }

  /** Adds a listener to events of these types for the life of the host. */
  listen<T extends LobbyEventType>(types: readonly T[], listener: LobbyListener<T>): void {
    // It is called for no other types.
    for (const type of types) addTo(this.#listeners, type, listener as LobbyListener);
  }

  /** Adds a listener to whatever happens, which hears of it after those who asked for it. */
  listenToAll(listener: LobbyListener): void {
    this.#listenersToAll.push(listener);
  }

  /**
   * Has a command applied.
   * @returns what `read` returned: at once where this process alone orders entries, else when this one has its place.
   *   Only then it may reject, with `Unavailable`
   */
  submit<T>(command: Command, read: Read<T>): T | Promise<T> {
    return this.#journal.append(command, (entry) => {
      const { leaveOut } = this.#journal;
      const isQuiet = leaveOut !== undefined && !isDue(this.#lobby, entry.at);
      const events = step(this.#lobby, entry);
      if (isQuiet && isWithoutEffect(events)) leaveOut();
      const answer = read(events, this.#lobby);
      this.concluded(events, true);
      return answer;
    });
  }

  /**
   * Has a command applied whose outcome nobody waits for.
   * @param read as for `submit`, for whoever has something to do then. Of several nodes one may have lost its life
   *   meanwhile: then it is given `disregarded`, or it is never called, and whoever reads here has been let go of
   */
  post(command: Command, read: Read<void> = nothing): void {
    this.submit(command, read);
  }

  /** The same for the end of something that was opened in that life: in another one it has ended with it. */
  postIn(life: number, command: Command): void {
    if (life === this.life) this.post(command);
  }

  /** Has everything known here that anybody was answered before, wherever; undefined where nobody else answers. */
  upToDate(): Promise<void> | undefined {
    return undefined;
  }

  // --- for hosts of several nodes -----------------------------------------------------------------

  /** Applies one entry, and nothing else. */
  protected step(entry: Entry): LobbyEvent[] {
    return step(this.#lobby, entry);
  }

  /** A step is over and answered: wakes whom it concerns, and sees when the next tick is due. */
  protected concluded(events: readonly LobbyEvent[], isOwn: boolean): void {
    this.#dispatch(events, isOwn);
    this.#sleep();
  }

  /** Goes on with another lobby, as if everything that happened to it had been heard. */
  protected replace(lobby: Lobby): void {
    this.#lobby = lobby;
    this.alarms.cancel(this.#tickAlarm);
    this.#tickAt = Number.POSITIVE_INFINITY;
    this.#sleep();
  }

  /** How long after a deadline this process looks whether nobody else has dealt with it, in milliseconds. */
  protected get tickDelayMs(): number {
    return 0;
  }

  /** A deadline has come, or had when its alarm was set. */
  protected tick(): void {
    this.post({ type: "tick" });
  }

  /** Listeners may submit: their events wait until those before them have been heard by all. */
  #dispatch(events: readonly LobbyEvent[], isOwn: boolean): void {
    if (this.#dispatching) {
      this.#pending.push(...events);
      return;
    }
    this.#dispatching = true;
    try {
      for (const event of events) this.#tell(event, isOwn);
      // Also what is added while this goes on.
      for (const event of this.#pending) this.#tell(event, isOwn);
    } finally {
      if (this.#pending.length > 0) this.#pending = [];
      this.#dispatching = false;
    }
  }

  #tell(event: LobbyEvent, isOwn: boolean): void {
    for (const listener of this.#listeners.get(event.type) ?? NOBODY) listener(event, isOwn);
    for (const listener of this.#listenersToAll) listener(event, isOwn);
  }

  #sleep(): void {
    const { pulseMs } = this.#journal;
    const pulse = pulseMs === undefined ? Number.POSITIVE_INFINITY : this.#lobby.now + pulseMs;
    const at = Math.min(nextDeadline(this.#lobby) ?? Number.POSITIVE_INFINITY, pulse);
    if (at >= this.#tickAt) return;
    this.alarms.cancel(this.#tickAlarm);
    this.#tickAt = at;
    this.#tickAlarm = this.alarms.set(at + this.tickDelayMs, () => {
      this.#tickAt = Number.POSITIVE_INFINITY;
      this.tick();
    });
  }

  /** Sees anew when the next tick is due, after an alarm that was of no use. */
  protected sleepOn(): void {
    this.#sleep();
  }
}

const NOBODY: readonly LobbyListener[] = [];

function nothing(): void {
  // Nobody waits.
}
