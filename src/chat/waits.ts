/**
 * Held calls: a reader with nothing to read is held until the mailbox grows, the time is up, a newer
 * wait takes its place or nobody can be answered any more.
 *
 * This file owns the calls held in this process. What is read and what counts as read is the lobby's.
 */
import type { Caller } from "../domain/command.ts";
import type { LobbyEvent, MailEvent } from "../domain/event.ts";
import type { UserRef } from "../domain/ids.ts";
import { makeCursor } from "../domain/ids.ts";
import { eventsBetween, unreadFrom } from "../domain/mailbox.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Lobby, User } from "../domain/state.ts";
import { userOf } from "../domain/users.ts";
import type { LobbyHost } from "./lobby-host.ts";

/** What a wait found. */
export interface WaitResult {
  readonly user: User;
  readonly events: readonly MailEvent[];
  /** The cursor after the events; acknowledges them when the next wait names it. */
  readonly cursor: string;
  readonly truncated: boolean;
  readonly timedOut: boolean;
}

export interface WaitRequest {
  readonly caller: Caller;
  readonly after: string | undefined;
  /** How long to hold, in milliseconds; 0 = answer at once. */
  readonly holdMs: number;
  /** Aborts when nobody can be answered any more. */
  readonly signal: AbortSignal;
  /** Called when the call starts being held and every `PROGRESS_MS` while it is. */
  readonly onHeld: (() => void) | undefined;
}

/** Between two progress notifications of a held call, in milliseconds: half of what impatient clients bear. */
export const PROGRESS_MS = 10_000;

interface HeldCall {
  readonly user: UserRef;
  readonly finish: (result: WaitResult | Promise<WaitResult>) => void;
  readonly release: () => void;
}

export class Waits {
  readonly #host: LobbyHost;
  readonly #held = new Map<number, HeldCall>();
  /** A user has at most one held call: a newer one ends it. */
  readonly #holdOf = new Map<UserRef, number>();
  #stopping = false;

  constructor(host: LobbyHost) {
    this.#host = host;
    host.listen((event) => {
      if (event.type === "mail") this.#end(this.#holdOf.get(event.user), true);
      else if (event.type === "hold_ended") this.#supersede(event.hold);
    });
  }

  /** Reads what there is, or holds the call. A refusal is answered at once. */
  async wait(request: WaitRequest): Promise<WaitResult | Refusal> {
    const hold = request.holdMs > 0 && !this.#stopping && !request.signal.aborted;
    const { caller, after } = request;
    return this.#host.submit<WaitResult | Refusal | Promise<WaitResult>>(
      { type: "wait", caller, hold, ...(after === undefined ? {} : { after }) },
      (events, lobby) => {
        const held = events.find((event) => event.type === "holding");
        // The call must be known as held before anything else can happen to its user.
        if (held !== undefined) return this.#hold(held.user, held.hold, request);
        return resultOf(events, lobby, false);
      },
    );
  }

  /** Answers every held call at once, and holds none from now on. */
  stop(): void {
    this.#stopping = true;
    for (const hold of [...this.#held.keys()]) this.#end(hold, true);
  }

  #hold(user: UserRef, hold: number, request: WaitRequest): Promise<WaitResult> {
    const { alarms } = this.#host;
    return new Promise((resolve) => {
      const timeout = alarms.set(alarms.now() + request.holdMs, () => this.#end(hold, true));
      let progress = 0;
      const report = (): void => {
        request.onHeld?.();
        progress = alarms.set(alarms.now() + PROGRESS_MS, report);
      };
      const abandon = (): void => this.#end(hold, false);
      request.signal.addEventListener("abort", abandon, { once: true });
      this.#held.set(hold, {
        user,
        finish: resolve,
        release: () => {
          alarms.cancel(timeout);
          alarms.cancel(progress);
          request.signal.removeEventListener("abort", abandon);
          this.#held.delete(hold);
          if (this.#holdOf.get(user) === hold) this.#holdOf.delete(user);
        },
      });
      this.#holdOf.set(user, hold);
      if (request.onHeld !== undefined) report();
    });
  }

  #end(hold: number | undefined, answered: boolean): void {
    const call = hold === undefined ? undefined : this.#held.get(hold);
    if (hold === undefined || call === undefined) return;
    call.release();
    call.finish(
      this.#host.submit({ type: "end_wait", user: call.user, hold, answered }, (events, lobby) => {
        const result = answered ? resultOf(events, lobby, true) : undefined;
        return result === undefined || "code" in result ? emptyResult(userOf(lobby, call.user)) : result;
      }),
    );
  }

  /** A newer wait of the same user reads instead of this one, which returns empty. */
  #supersede(hold: number): void {
    const call = this.#held.get(hold);
    if (call === undefined) return;
    call.release();
    call.finish(emptyResult(userOf(this.#host.lobby, call.user)));
  }
}

/** Nothing read and nothing marked: the next wait finds it all. */
function emptyResult(user: User): WaitResult {
  const { mailbox } = user;
  return {
    user,
    events: [],
    cursor: makeCursor(mailbox.epoch, unreadFrom(mailbox)),
    truncated: false,
    timedOut: true,
  };
}

function resultOf(events: readonly LobbyEvent[], lobby: Lobby, held: boolean): WaitResult | Refusal {
  for (const event of events) {
    if (event.type === "refused") return event;
    if (event.type !== "read") continue;
    const user = userOf(lobby, event.user);
    const read = eventsBetween(user.mailbox, event.from, event.to);
    return {
      user,
      events: read,
      cursor: makeCursor(user.mailbox.epoch, event.to),
      truncated: event.truncated,
      timedOut: held && read.length === 0,
    };
  }
  throw new Error("a wait was neither read, held nor refused");
}
