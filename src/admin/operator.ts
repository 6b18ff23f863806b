/**
 * What the operator does, done: each act goes into the lobby as a command, and into the audit trail as
 * the lobby has noted it.
 *
 * This file owns that order, and the slices of an announcement. It must never act beside the lobby.
 */
import type { LobbyHost } from "../chat/lobby-host.ts";
import type { OperatorAct } from "../domain/command.ts";
import type { LobbyEvent } from "../domain/event.ts";
import type { AuditEntry, Lobby } from "../domain/state.ts";
import { ANNOUNCE_SLICE_USERS } from "../limits.ts";
import type { AuditTrail } from "./audit-trail.ts";

/** What became of an act. */
export interface Operated {
  /** Whether what it named was there. */
  readonly done: boolean;
  /** Of the ban it made, if it made one. */
  readonly id: string | undefined;
}

/** One slice of an announcement. */
interface Slice {
  readonly told: number;
  /** Where the next one begins; 0 = that was the last. */
  readonly next: number;
}

export class Operator {
  readonly #host: LobbyHost;
  readonly #trail: AuditTrail;
  #announcing = false;
  #stopped = false;

  constructor(host: LobbyHost, trail: AuditTrail) {
    this.#host = host;
    this.#trail = trail;
  }

  get lobby(): Lobby {
    return this.#host.lobby;
  }

  /** Resolves when everything is known here that was done at other nodes; undefined where there are none. */
  upToDate(): Promise<void> | undefined {
    return this.#host.upToDate();
  }

  /** Has one act done. */
  act(act: Exclude<OperatorAct, { type: "announce" }>): Operated | Promise<Operated> {
    return this.#submit(act, (events) => {
      const operated = events.find((event) => event.type === "operated");
      return { done: operated !== undefined, id: operated?.id };
    });
  }

  /**
   * Tells everybody who is online, some in each turn.
   * @param text clean
   * @returns how many were told, or undefined if another announcement is still going out
   */
  async announce(text: string): Promise<number | undefined> {
    if (this.#announcing) return undefined;
    this.#announcing = true;
    try {
      let told = 0;
      let after = 0;
      do {
        const slice: Slice = await this.#submit(
          { type: "announce", text, after, count: ANNOUNCE_SLICE_USERS },
          sliceOf,
        );
        told += slice.told;
        after = slice.next;
        if (after !== 0) await new Promise((resolve) => setImmediate(resolve));
      } while (after !== 0 && !this.#stopped);
      return told;
    } finally {
      this.#announcing = false;
    }
  }

  /** Submits nothing more by itself. */
  stop(): void {
    this.#stopped = true;
    this.#trail.close();
  }

  /** The lobby notes each act, but only the first slice of an announcement. */
  #submit<T>(act: OperatorAct, read: (events: readonly LobbyEvent[]) => T): T | Promise<T> {
    const isNoted = act.type !== "announce" || act.after === 0;
    let noted: AuditEntry | undefined;
    const settle = (answer: T): T => {
      if (noted !== undefined) this.#trail.note(noted);
      return answer;
    };
    const answer = this.#host.submit({ type: "operate", act }, (events, lobby) => {
      if (isNoted) noted = lobby.audit.at(-1);
      return read(events);
    });
    return answer instanceof Promise ? answer.then(settle) : settle(answer);
  }
}

function sliceOf(events: readonly LobbyEvent[]): Slice {
  const announced = events.find((event) => event.type === "announced");
  return { told: announced?.told ?? 0, next: announced?.next ?? 0 };
}
