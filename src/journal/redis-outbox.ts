/**
 * The commands of this node that have no place yet: who waits for each, and which have been written to Redis.
 * Those of one turn travel together; what comes while some are on their way shares the next.
 *
 * This file owns their order and their numbers. It must never write one again under another number unless
 * Redis has said that it has no place, nor forget one silently.
 */
import type { Command, Entry } from "../domain/command.ts";
import type { NodeId } from "../domain/ids.ts";
import {
  PENDING_CHARS_MAX,
  PENDING_COMMANDS_MAX,
  REDIS_RETRY_MS,
  TURN_CHARS_MAX,
  TURN_COMMANDS_MAX,
  TURNS_UNDER_WAY_MAX,
} from "../journal-limits.ts";
import { APPEND_RETRY_MS, APPEND_WAIT_MS_MAX } from "../limits.ts";
import { type DrawEntropy, JournalUnavailable } from "./journal.ts";
import { createEntropySource } from "./memory.ts";
import { type RedisConnection, RedisRefusal } from "./redis-connection.ts";
import { JOURNAL_KEY } from "./redis-stream.ts";
import { commandText, numberedText, TURN_KIND, turnText } from "./redis-turn.ts";

/** A command without a place. */
export interface Pending {
  readonly node: NodeId;
  readonly text: string;
  /** Of `performance.now()`. */
  readonly since: number;
  /** Called once, when it has its place. */
  readonly place: (entry: Entry) => void;
  /** Called instead, if it has none; absent = nobody waits for it. */
  readonly refuse: ((problem: JournalUnavailable) => void) | undefined;
  /** Given when it is written first, so that numbers rise in the stream; undefined = it was not, or has no place for sure. */
  n: number | undefined;
  /** Written again after a connection was lost: the first writing may yet be done. */
  isAgain: boolean;
}

/** How often it is looked for those who have waited too long, in milliseconds. */
const SWEEP_MS = 250;

/** There is no stream. */
const GONE = "GONE";
/** Answers after which Redis is looked for anew: another one may have taken over, or this one is about to start. */
const ELSEWHERE = [GONE, "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "TRYAGAIN", "BUSY", "NOAUTH"];

export interface OutboxOptions {
  /** A connection has answered that Redis is to be looked for anew. */
  readonly onElsewhere: () => void;
  /** Redis takes nothing. The word says why. */
  readonly onRefusal: (word: string) => void;
  /** What was posted has been given up. */
  readonly onGivenUp: () => void;
  readonly draw?: DrawEntropy | undefined;
}

export class Outbox {
  /** Number of the last command written by this process, in whichever life. */
  #n = 0;
  #waiting: Pending[] = [];
  /** By number, in the order of writing. */
  readonly #written = new Map<number, Pending>();
  #chars = 0;
  #turns = 0;
  #connection: RedisConnection | undefined;
  #isFlushing = false;
  #sweep: Timer | undefined;
  readonly #draw: DrawEntropy;
  readonly #options: OutboxOptions;
  /** Of own entries that have come back: how many, and for how long they were on their way, in milliseconds. */
  readonly figures = { turns: 0, commands: 0, appendMs: 0 };

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#draw = options.draw ?? createEntropySource();
  }

  get count(): number {
    return this.#waiting.length + this.#written.size;
  }

  /** Puts a command in line. @returns false if there is no room for it */
  add(node: NodeId, command: Command, place: Pending["place"], refuse?: Pending["refuse"]): boolean {
    const text = commandText(this.#draw(), command);
    const share = refuse === undefined ? 2 : 1;
    if (this.count >= share * PENDING_COMMANDS_MAX || this.#chars + text.length > share * PENDING_CHARS_MAX)
      return false;
    const since = performance.now();
    this.#waiting.push({ node, text, since, place, refuse, n: undefined, isAgain: false });
    this.#chars += text.length;
    this.#sweep ??= setInterval(() => this.#refuseLate(), SWEEP_MS);
    this.#flushSoon();
    return true;
  }

  /** The command of this process that an entry is of, if it still has no place; it has now. */
  take(n: number, node: NodeId): Pending | undefined {
    const pending = this.#written.get(n);
    if (pending?.node !== node) return undefined;
    this.#written.delete(n);
    this.#done(pending);
    this.figures.commands++;
    this.figures.appendMs += performance.now() - pending.since;
    return pending;
  }

  /** Writes to this connection from now on: first what was written before and has not come back, under the same numbers. */
  resume(connection: RedisConnection): void {
    const again = [...this.#written.values()];
    this.#written.clear();
    for (const pending of again) pending.isAgain = true;
    this.#waiting.unshift(...again);
    this.#connection = connection;
    this.#turns = 0;
    this.#flush();
  }

  /** Writes nothing until the next `resume`. */
  suspend(): void {
    this.#connection = undefined;
  }

  /** The state is about to be loaded anew: what has been written may be in it and will not be recognised. */
  forgetWritten(): void {
    const written = [...this.#written.values()];
    this.#written.clear();
    for (const pending of written) this.#refuse(pending, true);
  }

  /** Gives up everything that nobody waits for. */
  giveUpPosts(): void {
    for (const [n, pending] of this.#written) {
      if (pending.refuse !== undefined) continue;
      this.#written.delete(n);
      this.#done(pending);
    }
    this.#waiting = this.#waiting.filter((pending) => {
      if (pending.refuse === undefined) this.#done(pending);
      return pending.refuse !== undefined;
    });
  }

  /** Refuses everything. */
  close(): void {
    this.suspend();
    for (const pending of this.#waiting.splice(0)) this.#refuse(pending, pending.n !== undefined);
    this.forgetWritten();
    clearInterval(this.#sweep);
  }

  // --- writing ----------------------------------------------------------------------------------

  /** At the end of the turn, so that all of it travels together. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#connection === undefined) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#connection !== undefined && this.#turns < TURNS_UNDER_WAY_MAX && this.#waiting.length > 0) {
      this.#write(this.#connection, this.#nextTurn());
    }
  }

  /** The longest-waiting commands of one life, as many as fit. */
  #nextTurn(): readonly Pending[] {
    const node = this.#waiting[0]?.node;
    let chars = 0;
    let count = 0;
    for (const pending of this.#waiting) {
      if (pending.node !== node || count === TURN_COMMANDS_MAX) break;
      if (count > 0 && chars + pending.text.length > TURN_CHARS_MAX) break;
      chars += pending.text.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #write(connection: RedisConnection, turn: readonly Pending[]): void {
    const [first] = turn;
    if (first === undefined) return;
    const texts = turn.map((pending) => {
      pending.n ??= ++this.#n;
      this.#written.set(pending.n, pending);
      return numberedText(pending.n, pending.text);
    });
    this.#turns++;
    this.figures.turns++;
    // A stream that has gone must not be begun anew in passing: what it held would be gone unnoticed.
    connection.send("XADD", [JOURNAL_KEY, "NOMKSTREAM", "*", TURN_KIND, turnText(first.node, texts)]).then(
      (id) => {
        if (id === null) this.#refused(connection, turn, GONE);
        else if (this.#connection === connection) {
          this.#turns--;
          this.#flush();
        }
      },
      (problem: unknown) => {
        if (problem instanceof RedisRefusal) this.#refused(connection, turn, problem.word);
        // A lost connection is heard of elsewhere, and what has been written is written again.
      },
    );
  }

  /** Redis has said that a turn has no place, so its numbers are free: later ones may have theirs already. */
  #refused(connection: RedisConnection, turn: readonly Pending[], word: string): void {
    const isElsewhere = ELSEWHERE.includes(word);
    const again: Pending[] = [];
    let isGivenUp = false;
    for (const pending of turn) {
      if (pending.n === undefined || this.#written.get(pending.n) !== pending) continue;
      this.#written.delete(pending.n);
      // Its first writing may yet have a place, under this number or, too late, none.
      if (pending.isAgain) {
        isGivenUp ||= pending.refuse === undefined;
        this.#refuse(pending, true);
      } else if (pending.refuse !== undefined && !isElsewhere) {
        this.#refuse(pending, false);
      } else {
        pending.n = undefined;
        again.push(pending);
      }
    }
    this.#waiting.unshift(...again);
    if (isGivenUp) this.#options.onGivenUp();
    if (this.#connection !== connection) return;
    if (isElsewhere) {
      this.#options.onElsewhere();
      return;
    }
    this.#options.onRefusal(word);
    // It will take nothing the next moment either.
    setTimeout(() => {
      if (this.#connection !== connection) return;
      this.#turns--;
      this.#flush();
    }, REDIS_RETRY_MS);
  }

  // --- the end of waiting -----------------------------------------------------------------------

  #refuseLate(): void {
    const before = performance.now() - APPEND_WAIT_MS_MAX;
    const isLate = ({ refuse, since }: Pending): boolean => refuse !== undefined && since <= before;
    for (const [n, pending] of this.#written) {
      if (!isLate(pending)) continue;
      this.#written.delete(n);
      this.#refuse(pending, true);
    }
    const late = this.#waiting.filter(isLate);
    if (late.length > 0) this.#waiting = this.#waiting.filter((pending) => !isLate(pending));
    for (const pending of late) this.#refuse(pending, pending.n !== undefined);
    if (this.count > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #refuse(pending: Pending, uncertain: boolean): void {
    this.#done(pending);
    pending.refuse?.(new JournalUnavailable(APPEND_RETRY_MS, uncertain));
  }

  #done(pending: Pending): void {
    this.#chars -= pending.text.length;
  }
}
