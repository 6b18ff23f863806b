/**
 * The lobby in a running process: commands go through the journal into `step`, what has happened
 * wakes the readers, and the next deadline becomes a tick.
 *
 * This file owns the lobby and the order apply, answer, wake. It must never interpret a command or
 * an event beyond handing it on.
 */
import type { Command } from "../domain/command.ts";
import type { LobbyEvent } from "../domain/event.ts";
import { isDue, isWithoutEffect, nextDeadline, step } from "../domain/lobby.ts";
import type { Lobby } from "../domain/state.ts";
import type { Journal } from "../journal/journal.ts";
import type { AlarmClock } from "./alarm-clock.ts";

/** Called for every event of every step, after the step is over. It may submit commands. */
export type LobbyListener = (event: LobbyEvent) => void;

export class LobbyHost {
  readonly lobby: Lobby;
  readonly alarms: AlarmClock;
  readonly #journal: Journal;
  readonly #listeners: LobbyListener[] = [];
  #pending: LobbyEvent[] = [];
  #dispatching = false;
  #tickAt = Number.POSITIVE_INFINITY;
  #tickAlarm = 0;

  /** @param lobby the one that the journal's entries are applied to */
  constructor(lobby: Lobby, journal: Journal, alarms: AlarmClock) {
    this.lobby = lobby;
    this.#journal = journal;
    this.alarms = alarms;
  }

  /** Adds a listener for the life of the host. */
  listen(listener: LobbyListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Has a command applied.
   * @param read computes the answer from the lobby as it is right after the command
   * @returns what `read` returned: at once where this process alone orders entries, else when this one has its place
   */
  submit<T>(command: Command, read: (events: readonly LobbyEvent[], lobby: Lobby) => T): T | Promise<T> {
    return this.#journal.append(command, (entry) => {
      const { leaveOut } = this.#journal;
      const isQuiet = leaveOut !== undefined && !isDue(this.lobby, entry.at);
      const events = step(this.lobby, entry);
      if (isQuiet && isWithoutEffect(events)) leaveOut();
      const answer = read(events, this.lobby);
      this.#dispatch(events);
      this.#sleep();
      return answer;
    });
  }

  /** Has a command applied whose outcome nobody waits for. */
  post(command: Command): void {
    this.submit(command, () => undefined);
  }

  /** Listeners may submit: their events wait until those before them have been heard by all. */
  #dispatch(events: readonly LobbyEvent[]): void {
    this.#pending.push(...events);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let i = 0; i < this.#pending.length; i++) {
        const event = this.#pending[i];
        if (event === undefined) break;
        for (const listener of this.#listeners) listener(event);
      }
    } finally {
      this.#pending = [];
      this.#dispatching = false;
    }
  }

  #sleep(): void {
    const { pulseMs } = this.#journal;
    const pulse = pulseMs === undefined ? Number.POSITIVE_INFINITY : this.lobby.now + pulseMs;
    const at = Math.min(nextDeadline(this.lobby) ?? Number.POSITIVE_INFINITY, pulse);
    if (at >= this.#tickAt) return;
    this.alarms.cancel(this.#tickAlarm);
    this.#tickAt = at;
    this.#tickAlarm = this.alarms.set(at, () => {
      this.#tickAt = Number.POSITIVE_INFINITY;
      this.post({ type: "tick" });
    });
  }
}
