/**
 * Held calls: a reader with nothing to read is held until the mailbox grows, the time is up, a newer
 * wait takes its place or nobody can be answered any more.
 *
 * This file owns the calls held in this process. What is read and what counts as read is the lobby's.
 */
import type { Caller, Command } from "../domain/command.ts";
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
  /** Hears of connections lost and regained while the call is held, where that can happen. */
  readonly watchConnection: (listener: (connected: boolean) => void) => void;
  /** Called when the call starts being held and every `PROGRESS_MS` while it is. */
  readonly onHeld: (() => void) | undefined;
}

/** Between two progress notifications of a held call, in milliseconds: half of what impatient clients bear. */
export const PROGRESS_MS = 10_000;

export class Waits {
  readonly #host: LobbyHost;
  /** A user has at most one held call: a newer one ends it. */
  readonly #calls = new Map<UserRef, HeldCall>();
  #stopping = false;

  constructor(host: LobbyHost) {
    this.#host = host;
    host.listen(["mail"], ({ user }) => this.#calls.get(user)?.mailCame());
    host.listen(["hold_ended"], ({ user, hold }) => this.#calls.get(user)?.holdEnded(hold));
  }

  /** Reads what there is, or holds the call. A refusal is answered at once. */
  async wait(request: WaitRequest): Promise<WaitResult | Refusal> {
    const hold = request.holdMs > 0 && !this.#stopping && !request.signal.aborted;
    return this.#host.submit<WaitResult | Refusal | Promise<WaitResult | Refusal>>(
      waitCommand(request, hold),
      (events, lobby) => {
        for (const event of events) {
          if (event.type === "read" || event.type === "holding") this.#calls.get(event.user)?.supersede();
          // The call must be known as held before anything else can happen to its user.
          if (event.type === "holding") return this.#hold(userOf(lobby, event.user), event.hold, request);
        }
        return resultOf(events, lobby, false);
      },
    );
  }

  /** Answers every held call at once, and holds none from now on. Resolves when all are answered. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const calls = [...this.#calls.values()];
    for (const call of calls) call.end(true);
    await Promise.allSettled(calls.map(({ result }) => result));
  }

  /**
   * Answers every held call with nothing, so that its client calls again.
   * @param isForgotten whether the lobby does not know of them any more; else it is told that they have ended
   */
  letGo(isForgotten: boolean): void {
    for (const call of [...this.#calls.values()]) {
      if (isForgotten) call.supersede();
      else call.end(false);
    }
  }

  #hold(user: User, hold: number, request: WaitRequest): Promise<WaitResult | Refusal> {
    const call: HeldCall = new HeldCall(this.#host, user, hold, request, () => {
      if (this.#calls.get(user.ref) === call) this.#calls.delete(user.ref);
    });
    this.#calls.set(user.ref, call);
    // Much may have happened while the command was on its way.
    if (request.signal.aborted) call.end(false);
    else if (this.#stopping) call.end(true);
    return call.result;
  }
}

function waitCommand({ caller, after }: WaitRequest, hold: boolean): Command {
  return { type: "wait", caller, hold, ...(after === undefined ? {} : { after }) };
}

/** One call from its first hold to its answer. */
class HeldCall {
  readonly result: Promise<WaitResult | Refusal>;
  readonly #host: LobbyHost;
  readonly #onOver: () => void;
  readonly #user: User;
  readonly #request: WaitRequest;
  readonly #resolve: (result: WaitResult | Refusal | Promise<WaitResult | Refusal>) => void;
  readonly #abandon = (): void => this.end(false);
  readonly #timeout: number;
  #progress = 0;
  /** What the lobby knows the call by; undefined while its caller is lost. */
  #hold: number | undefined;
  #isConnected = true;
  /** Whether the lobby is being asked to hold it again. */
  #isAsking = false;
  #over = false;

  constructor(host: LobbyHost, user: User, hold: number, request: WaitRequest, onOver: () => void) {
    this.#host = host;
    this.#user = user;
    this.#hold = hold;
    this.#request = request;
    this.#onOver = onOver;
    const { promise, resolve } = Promise.withResolvers<WaitResult | Refusal>();
    this.result = promise;
    this.#resolve = resolve;
    const { alarms } = host;
    this.#timeout = alarms.set(alarms.now() + request.holdMs, () => this.end(true));
    request.signal.addEventListener("abort", this.#abandon, { once: true });
    request.watchConnection((connected) => (connected ? this.#regained() : this.#lost()));
    if (request.onHeld !== undefined) this.#report(request.onHeld);
  }

  /** There is something to read. While the caller is lost it stays unread. */
  mailCame(): void {
    if (this.#hold !== undefined) this.end(true);
  }

  /** Ends the call: with what has come since, or with nothing if nobody can be answered. */
  end(answered: boolean): void {
    if (this.#over) return;
    const hold = this.#hold;
    this.#finish();
    if (hold !== undefined && answered) {
      this.#resolve(this.#read(hold));
      return;
    }
    if (hold !== undefined) this.#endHold(hold);
    this.#resolve(emptyResult(this.#user));
  }

  /** Ends the hold by reading what has come since. Should that find no place, it is ended all the same, unread. */
  #read(hold: number): WaitResult | Refusal | Promise<WaitResult | Refusal> {
    const { ref: user } = this.#user;
    const found = this.#host.submit({ type: "end_wait", user, hold, answered: true }, (events, lobby) => {
      const wasHeld = events.some(({ type }) => type === "read");
      return wasHeld ? resultOf(events, lobby, true) : emptyResult(lobby.users.get(user) ?? this.#user);
    });
    if (!(found instanceof Promise)) return found;
    return found.catch((problem: unknown) => {
      // Or the user would count as present for as long as this process lives, whether anybody is there or not.
      this.#endHold(hold);
      throw problem;
    });
  }

  /** A newer wait of the same user reads instead of this one, which returns empty. */
  supersede(): void {
    if (this.#over) return;
    this.#finish();
    this.#resolve(emptyResult(this.#user));
  }

  /** The lobby has ended a hold; nothing happens if it was an earlier one. */
  holdEnded(hold: number): void {
    if (this.#hold === hold) this.supersede();
  }

  /** Nobody is there to be answered just now: the lobby must not think so, and what comes stays unread. */
  #lost(): void {
    this.#isConnected = false;
    const hold = this.#hold;
    if (this.#over || hold === undefined) return;
    this.#hold = undefined;
    this.#endHold(hold);
  }

  #endHold(hold: number): void {
    this.#host.post({ type: "end_wait", user: this.#user.ref, hold, answered: false });
  }

  /** The caller is back for the same answer: as if they had called again. */
  #regained(): void {
    this.#isConnected = true;
    if (this.#over || this.#isAsking || this.#hold !== undefined) return;
    this.#isAsking = true;
    const found = this.#host.submit(waitCommand(this.#request, true), (events, lobby) => {
      this.#isAsking = false;
      const held = events.find((event) => event.type === "holding");
      if (held === undefined) return resultOf(events, lobby, false);
      // Nobody may be there any more by the time the command has its place.
      if (this.#over || !this.#isConnected) this.#endHold(held.hold);
      else this.#hold = held.hold;
      return undefined;
    });
    const settle = (result: WaitResult | Refusal | undefined): void => {
      if (result === undefined || this.#over) return;
      this.#finish();
      this.#resolve(result);
    };
    if (found instanceof Promise) found.then(settle, (problem: unknown) => this.#fail(problem));
    else settle(found);
  }

  #fail(problem: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#resolve(Promise.reject(problem));
  }

  #report(onHeld: () => void): void {
    onHeld();
    const { alarms } = this.#host;
    this.#progress = alarms.set(alarms.now() + PROGRESS_MS, () => this.#report(onHeld));
  }

  #finish(): void {
    this.#over = true;
    this.#hold = undefined;
    this.#onOver();
    this.#host.alarms.cancel(this.#timeout);
    this.#host.alarms.cancel(this.#progress);
    this.#request.signal.removeEventListener("abort", this.#abandon);
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
