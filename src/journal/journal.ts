/**
 * The journal's port: where a command gets its place in the order of everything that happens.
 *
 * This file owns the interface only. A journal must never know what a command means.
 */
import type { Command, Entry } from "../domain/command.ts";
import type { NodeId } from "../domain/ids.ts";

export interface Journal {
  /**
   * Gives a command its time, entropy and place, and applies it there.
   * @param apply called exactly once, in the order of the journal; what it returns is the result
   * @returns the result, at once if entries are applied before they are kept, else when the entry has its place.
   *   Where it is kept later, nothing that follows from it may leave the process before `Safety` says so.
   *   Where others append too, it rejects with `JournalUnavailable` if no place was found in time.
   */
  append<T>(command: Command, apply: (entry: Entry) => T): T | Promise<T>;

  /**
   * For `apply` to say that its entry has changed nothing but the time, so that it need not be kept.
   * Absent where nothing is kept.
   */
  readonly leaveOut?: () => void;

  /**
   * Whether the journal, as this process found it, may lack an end that somebody has been told: then what the
   * numbers of events stand for is to be changed, as after such a loss.
   */
  readonly mayLackEnd?: boolean;

  /** How often a tick is wanted at least, in milliseconds, so that it is known until when the server lived. */
  readonly pulseMs?: number;

  /**
   * Where others append too: from now on `apply` is given their entries, in the one order with one's own. Called
   * once, before the first `append`.
   */
  follow?(apply: (entry: Entry) => void): void;
}

/** What may be whispered. */
export type Whisper = null | boolean | number | string | readonly Whisper[] | { readonly [key: string]: Whisper };

/** A journal that several nodes share: each applies the entries of all, in the same order. */
export interface SharedJournal extends Journal {
  /** This life of this node. Every entry of it carries it. */
  readonly node: NodeId;
  /** False once nothing has been heard for a while of what orders the entries. */
  readonly isReachable: boolean;
  /** Place of the last entry applied here, as text: two nodes with the same one have the same state. */
  readonly applied: string;

  /** Never at once, and never applied before it has its place. Rejects with `JournalUnavailable`. */
  append<T>(command: Command, apply: (entry: Entry) => T): Promise<T>;
  /**
   * Appends what nobody waits for. It is given up never for having waited long, only together with everything
   * else that this life has told: then `onReset` is heard and `apply` is not called.
   */
  post(command: Command, apply: (entry: Entry) => void): void;
  follow(apply: (entry: Entry) => void): void;

  /**
   * Begins another life: what is appended from now on carries it. Entries of the old one that are still under way
   * have their places all the same.
   */
  renew(): NodeId;
  /** Resolves when everything that anybody had appended before the call has been applied here. Rejects as `append`. */
  settled(): Promise<void>;
  /** Drops the state and loads it anew, as when it has gone astray. Whoever listens to `onReset` hears of it. */
  reload(): Promise<void>;
  /**
   * Calls back after the state has been loaded anew into the replica, or posts were given up: nothing that this
   * process has told the others of its readers may be relied on. All of them must be let go of, and another life begun.
   * @param listener told whether this node had applied, and perhaps told somebody, what the journal has lost: then
   *   what the numbers of events stand for is to be changed as well
   */
  onReset(listener: (hasLost: boolean) => void): void;

  /** Tells the other nodes something, at most once, in no order with anything, and possibly not at all. */
  whisper(topic: string, message: Whisper): void;
  /** Calls back for what other nodes whisper; never for one's own. */
  onWhisper(listener: (topic: string, message: Whisper) => void): void;

  /** The clock that gives entries their times, as far as it is known here: never ahead of it. Milliseconds. */
  now(): number;
  /** Writes what was posted, if it can be, and lets go of everything. Nothing may be appended afterwards. */
  close(): Promise<void>;
}

/** A command found no place in the journal in time: whoever asked is to ask again. */
export class JournalUnavailable extends Error {
  override readonly name = "JournalUnavailable";
  /** What to wait before asking again, in milliseconds. */
  readonly retryAfterMs: number;
  /** Whether it may have been done all the same, or may yet be. */
  readonly uncertain: boolean;

  constructor(retryAfterMs: number, uncertain: boolean) {
    super(uncertain ? "the journal did not answer" : "the journal cannot be reached");
    this.retryAfterMs = retryAfterMs;
    this.uncertain = uncertain;
  }
}

/** What stands between a turn and the telling of it. */
export interface Safety {
  /** When everything done so far is kept; undefined if it is already. If it never will be, this never resolves. */
  whenSafe(): Promise<void> | undefined;
  /** Has everything done so far kept now. False: it cannot be, and nothing may be told any more. */
  makeSafe(): boolean;
}

/** Draws the entropy of one entry: `ENTROPY_CHARS` base64url characters. */
export type DrawEntropy = () => string;
