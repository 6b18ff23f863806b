/**
 * The one reader of the stream: what it reads is applied in order, each entry once, own ones by whoever asked
 * for them.
 *
 * This file owns how far the node has come. It must never apply two things at once, hold up the process for
 * long, nor go on in a stream that has been begun anew under it.
 */
import type { Entry } from "../domain/command.ts";
import { APPLY_MS_MAX, READ_CHARS, READ_HOLD_MS, READ_TURNS_MAX } from "../journal-limits.ts";
import { faultOf, JournalFault } from "./fault.ts";
import type { RedisClock } from "./redis-clock.ts";
import type { RedisLink } from "./redis-link.ts";
import { standingOf } from "./redis-mend.ts";
import type { Outbox } from "./redis-outbox.ts";
import { RecentTurns } from "./redis-recent.ts";
import {
  compareIds,
  lastIdOf,
  NOWHERE,
  readAfter,
  readOnAfter,
  type StreamEntry,
  type StreamId,
  timeOf,
} from "./redis-stream.ts";
import { ANCHOR_KIND, entriesOfTurn } from "./redis-turn.ts";

/** Turns read at once before anything is known of their size. */
const READ_TURNS_FIRST = 64;

/** What comes next is not in the stream any more: it went into a snapshot while this node was reading. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

export interface ReaderOptions {
  readonly outbox: Outbox;
  readonly clock: RedisClock;
  /** Applies what nobody here has asked for. */
  readonly follow: (entry: Entry) => void;
  /** A turn has been applied. @param isOwn whether somebody here had asked for an entry of it */
  readonly onApplied: (turn: StreamEntry, entries: number, isOwn: boolean) => void;
  readonly onTrouble: (fault: JournalFault) => void;
}

export class Reader {
  readonly recent = new RecentTurns();
  readonly #options: ReaderOptions;
  #applied: StreamId = NOWHERE;
  #count = READ_TURNS_FIRST;
  #entries = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Place of the last turn that has been applied. */
  get applied(): StreamId {
    return this.#applied;
  }

  /** Entries applied since the process began. */
  get entries(): number {
    return this.#entries;
  }

  /** What comes next follows on this place. */
  restart(applied: StreamId): void {
    this.#applied = applied;
    this.recent.restart(applied);
  }

  /**
   * Reads as far as the stream goes now.
   * @throws Overtaken, and what the connection throws
   */
  async readToEnd(link: RedisLink): Promise<void> {
    const end = await lastIdOf(link.commands);
    while (compareIds(this.#applied, end) < 0) {
      const turns = await this.#next(link);
      // The last ones have been removed from the stream by hand.
      if (turns.length === 0) return;
      await this.#applyAll(turns, link);
    }
  }

  /**
   * Reads what comes next, and waits for it for a while. False if nothing came.
   * @throws Overtaken, and what the connection throws
   */
  async readOn(link: RedisLink): Promise<boolean> {
    const turns = await this.#next(link, READ_HOLD_MS);
    await this.#applyAll(turns, link);
    return turns.length > 0;
  }

  /** What comes next, with nothing missing in between. */
  async #next({ reader }: RedisLink, holdMs?: number): Promise<readonly StreamEntry[]> {
    if (this.#applied !== NOWHERE) {
      const turns = await readOnAfter(reader, this.#applied, this.#count, holdMs);
      if (turns === undefined) throw new Overtaken();
      return turns;
    }
    // A stream begins with an anchor, for as long as nothing has been removed from it.
    const turns = await readAfter(reader, NOWHERE, this.#count, holdMs);
    if (turns.length > 0 && turns[0]?.kind !== ANCHOR_KIND) throw new Overtaken();
    return turns;
  }

  async #applyAll(turns: readonly StreamEntry[], link: RedisLink): Promise<void> {
    let since = performance.now();
    let chars = 0;
    for (const turn of turns) {
      // Two nodes may have begun it at once; else it has been begun anew under this one.
      if (turn.kind === ANCHOR_KIND && (await this.#hasVanished(link))) return;
      chars += turn.text.length;
      this.#apply(turn);
      if (performance.now() - since < APPLY_MS_MAX) continue;
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
    if (turns.length < this.#count && chars < READ_CHARS) return;
    const fitting = chars === 0 ? READ_TURNS_MAX : (turns.length * READ_CHARS) / chars;
    this.#count = Math.max(1, Math.min(READ_TURNS_MAX, 2 * this.#count, Math.floor(fitting)));
  }

  async #hasVanished(link: RedisLink): Promise<boolean> {
    if ((await standingOf(link.commands, this.#applied)) === "here") return false;
    link.close();
    return true;
  }

  /** All entries of a turn, without a break: between turns the state is that of all nodes at the same place. */
  #apply(turn: StreamEntry): void {
    const { outbox, clock, follow, onApplied, onTrouble } = this.#options;
    const entries = entriesOfTurn(turn);
    if (entries === undefined) onTrouble(new JournalFault(`entry ${turn.id} of the journal in Redis makes no sense`));
    let askedAt: number | undefined;
    for (const entry of entries ?? []) {
      const { origin } = entry;
      const own = origin === undefined ? undefined : outbox.take(origin.n, origin.node);
      askedAt ??= own?.since;
      try {
        if (own === undefined) follow(entry);
        else own.place(entry);
      } catch (bug) {
        onTrouble(faultOf("an entry could not be applied", bug));
      }
    }
    clock.heard(timeOf(turn.id), askedAt);
    this.#applied = turn.id;
    this.#entries += entries?.length ?? 0;
    this.recent.add(turn);
    onApplied(turn, entries?.length ?? 0, askedAt !== undefined);
  }
}
