/**
 * The journal in Redis: a stream that several nodes append to and all read, each applying the entries of all in
 * the order of the stream. Own commands take the same way: they are applied when they come back.
 *
 * This file owns the one reader that applies, and what it does when the way to Redis breaks. It must never
 * apply an entry out of order, twice or not at all, and never know what a command means.
 */
import type { Command, Entry } from "../domain/command.ts";
import type { NodeId } from "../domain/ids.ts";
import { LOSS_CENSUS_MS, REDIS_RETRY_MS, REDIS_SILENT_MS_MAX } from "../journal-limits.ts";
import { APPEND_RETRY_MS } from "../limits.ts";
import { faultOf, JournalFault } from "./fault.ts";
import { type DrawEntropy, JournalUnavailable, type SharedJournal, type Whisper } from "./journal.ts";
import { RedisClock } from "./redis-clock.ts";
import { RedisGone, RedisRefusal } from "./redis-connection.ts";
import { RedisLink } from "./redis-link.ts";
import { mend, standingOf, whileMending } from "./redis-mend.ts";
import { Outbox } from "./redis-outbox.ts";
import { Overtaken, Reader } from "./redis-reader.ts";
import { Settling } from "./redis-settled.ts";
import { loadLatest } from "./redis-snapshots.ts";
import { parseAddress, prepareRedis, type RedisFound, shareSessionKey } from "./redis-start.ts";
import {
  compareIds,
  lastEntryOf,
  NOWHERE,
  processOf,
  type StreamEntry,
  type StreamId,
  vouchFor,
  whisperChannel,
} from "./redis-stream.ts";
import { Tail } from "./redis-tail.ts";
import { Whispers } from "./redis-whispers.ts";
import type { Replica } from "./replica.ts";

export interface RedisJournalOptions {
  /** `redis://user:password@host:port/database`, or what else Bun's client takes. */
  readonly url: string;
  /** Fresh; once the journal is open it is where the others are, and entries are applied to it until `follow`. */
  readonly replica: Replica;
  /** Whether this node is the one that does what only one should do. */
  readonly leads: () => boolean;
  /**
   * Makes a snapshot of the state after an entry, in another process, where it must give this mark. Rejects if
   * it could not.
   */
  readonly compact: (id: StreamId, mark: number) => Promise<void>;
  /** Called once, when this node cannot go on: the process must end. */
  readonly onFailure: (fault: JournalFault) => void;
  /** Something went wrong that costs nothing yet. */
  readonly onTrouble: (fault: JournalFault) => void;
  /** What an operator may want to read. */
  readonly onNote: (line: string) => void;
  readonly draw?: DrawEntropy;
  /** For tests: entries after which a snapshot is made. */
  readonly tailEntriesMax?: number;
}

/** Before the first attempt to find Redis again, in milliseconds; each further one waits longer. */
const REDIS_RETRY_MS_MIN = 10;
/** Whispered by a node that has found something missing, so that all look at once. */
const LOST = "journal.lost";
/** How long a close waits for what was posted, in milliseconds. */
const CLOSE_MS_MAX = 1000;

export class RedisJournal implements SharedJournal {
  readonly sessionKey: Uint8Array;
  readonly mayLackEnd: boolean;
  readonly #options: RedisJournalOptions;
  readonly #outbox: Outbox;
  readonly #clock = new RedisClock();
  readonly #reader: Reader;
  readonly #settling: Settling;
  readonly #tail: Tail;
  readonly #whispers: Whispers;
  readonly #resetListeners: ((hasLost: boolean) => void)[] = [];
  readonly #reloads: (() => void)[] = [];
  #node = newLife();
  #link: RedisLink | undefined;
  /** The process of Redis that was last spoken to. */
  #redis = "";
  #follow: (entry: Entry) => void;
  #isClosed = false;
  /** What has been complained of since Redis was last reached. */
  #complaint = "";
  readonly #opened = Promise.withResolvers<void>();
  #isOpen = false;
  /** It reads and writes, and looks for nothing else. */
  #isUnderWay = false;
  /** The state is to be loaded anew, because the journal went on without what had been applied here, or otherwise. */
  #toLoad: "lost" | "otherwise" | undefined = "otherwise";
  readonly #counts = { reconnects: 0, reloads: 0 };

  private constructor(options: RedisJournalOptions, found: RedisFound) {
    this.#options = options;
    this.sessionKey = found.sessionKey;
    this.mayLackEnd = found.mayLackEnd;
    this.#follow = (entry) => options.replica.apply(entry);
    this.#outbox = new Outbox({
      draw: options.draw,
      onElsewhere: () => this.#link?.close(),
      onRefusal: (word) => this.#complain(`Redis takes nothing: ${word}`),
      onGivenUp: () => this.#giveUpPosts(),
    });
    this.#reader = new Reader({
      outbox: this.#outbox,
      clock: this.#clock,
      follow: (entry) => this.#follow(entry),
      onApplied: (turn, entries, isOwn) => this.#applied(turn, entries, isOwn),
      onTrouble: options.onTrouble,
    });
    this.#settling = new Settling(NOWHERE, () => this.#lastEntry());
    this.#tail = new Tail(options);
    this.#whispers = new Whispers(parseAddress(options.url).database);
    this.#whispers.listen((topic) => {
      if (topic === LOST && this.#isUnderWay) this.#link?.close();
    });
  }

  /**
   * Finds Redis, brings the replica to where the journal has come, and goes on from there.
   * @throws JournalFault if anything is in the way, in words for the operator
   */
  static async open(options: RedisJournalOptions): Promise<RedisJournal> {
    const found = await prepareRedis(options.url);
    for (const warning of found.warnings) options.onTrouble(new JournalFault(warning));
    const journal = new RedisJournal(options, found);
    void journal.#live();
    await journal.#opened.promise;
    return journal;
  }

  get node(): NodeId {
    return this.#node;
  }

  get isReachable(): boolean {
    return this.#link !== undefined && performance.now() - this.#link.heardAt < REDIS_SILENT_MS_MAX;
  }

  get applied(): string {
    return this.#reader.applied;
  }

  /** For those who watch: all are counted from the start of the process. */
  get figures(): RedisFigures {
    const { turns, commands, appendMs } = this.#outbox.figures;
    const { entries: tailEntries, snapshots, snapshotFailures } = this.#tail;
    const pending = this.#outbox.count;
    const { entries } = this.#reader;
    return { entries, ...this.#counts, turns, commands, appendMs, pending, tailEntries, snapshots, snapshotFailures };
  }

  /** Milliseconds since the epoch. */
  readonly now = (): number => this.#clock.now();

  append<T>(command: Command, apply: (entry: Entry) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const place = (entry: Entry): void => {
        try {
          resolve(apply(entry));
        } catch (bug) {
          reject(bug);
        }
      };
      const hasRoom = !this.#isClosed && this.#outbox.add(this.#node, command, place, reject);
      if (!hasRoom) reject(new JournalUnavailable(APPEND_RETRY_MS, false));
    });
  }

  post(command: Command, apply: (entry: Entry) => void): void {
    if (this.#isClosed) return;
    if (!this.#outbox.add(this.#node, command, apply, undefined)) this.#giveUpPosts();
  }

  follow(apply: (entry: Entry) => void): void {
    this.#follow = apply;
  }

  renew(): NodeId {
    this.#node = newLife();
    return this.#node;
  }

  settled(): Promise<void> {
    return this.#settling.wait();
  }

  reload(): Promise<void> {
    return new Promise((resolve) => {
      this.#reloads.push(resolve);
      this.#link?.close();
    });
  }

  onReset(listener: (hasLost: boolean) => void): void {
    this.#resetListeners.push(listener);
  }

  whisper(topic: string, message: Whisper): void {
    this.#whispers.say(this.#link?.commands, topic, message);
  }

  onWhisper(listener: (topic: string, message: Whisper) => void): void {
    this.#whispers.listen(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const end = performance.now() + CLOSE_MS_MAX;
    while (this.#outbox.count > 0 && this.isReachable && performance.now() < end) await Bun.sleep(5);
    this.#link?.close();
    this.#outbox.close();
    this.#settling.close();
    for (const loaded of this.#reloads.splice(0)) loaded();
  }

  // --- the way to Redis -------------------------------------------------------------------------

  /** One link after the other, until the end. */
  async #live(): Promise<void> {
    const { url, onNote, leads, replica } = this.#options;
    const channel = whisperChannel(parseAddress(url).database);
    let retryMs = REDIS_RETRY_MS_MIN;
    while (!this.#isClosed) {
      let link: RedisLink | undefined;
      let isOvertaken = false;
      try {
        link = await RedisLink.open(url, channel, (message) => this.#whispers.hear(message));
        this.#link = link;
        await this.#resume(link);
        this.#isUnderWay = true;
        retryMs = REDIS_RETRY_MS_MIN;
        if (this.#complaint !== "") onNote("Redis is back");
        this.#complaint = "";
        this.#isOpen = true;
        this.#opened.resolve();
        while (link.isOpen) {
          const hasRead = await this.#reader.readOn(link);
          // Nobody writes, so nobody else would notice.
          if (!hasRead) await this.#lastEntry();
          if (this.#tail.isLong && leads()) void this.#tail.compact(link.commands, this.#reader.applied, replica.mark);
        }
      } catch (problem) {
        isOvertaken = problem instanceof Overtaken;
        if (!isOvertaken) this.#failed(problem);
      } finally {
        this.#isUnderWay = false;
        this.#outbox.suspend();
        this.#link = undefined;
        link?.close();
      }
      if (this.#isClosed) return;
      // Who was overtaken finds its place anew: most likely the latest snapshot has what is missing.
      if (!isOvertaken) {
        this.#counts.reconnects++;
        if (this.#reloads.length === 0) this.#complain("Redis cannot be reached");
      }
      await Bun.sleep(retryMs);
      retryMs = Math.min(REDIS_RETRY_MS, 2 * retryMs);
    }
  }

  #failed(problem: unknown): void {
    if (problem instanceof RedisGone) return;
    if (problem instanceof RedisRefusal) {
      this.#complain(`Redis refuses: ${problem.word}`);
      return;
    }
    const fault = faultOf("the journal cannot go on", problem);
    this.#isClosed = true;
    this.#outbox.close();
    this.#settling.close();
    if (this.#isOpen) this.#options.onFailure(fault);
    else this.#opened.reject(fault);
  }

  /** One complaint an outage: the first, and a better one. */
  #complain(what: string): void {
    if (this.#isClosed || this.#complaint === what) return;
    if (this.#complaint !== "" && what === "Redis cannot be reached") return;
    this.#options.onTrouble(new JournalFault(what));
    this.#complaint = what;
  }

  /** Finds the place in the stream again, reads up to its end, and only then writes what has not come back. */
  async #resume(link: RedisLink): Promise<void> {
    const { commands } = link;
    const redis = await processOf(commands);
    const isAnother = redis !== this.#redis;
    this.#redis = redis;
    await shareSessionKey(commands, this.sessionKey);
    // A Redis that was started anew may have lost what another node has: that one is heard of in a moment.
    if (isAnother && this.#isOpen && (await standingOf(commands, this.#reader.applied)) === "here") {
      await Bun.sleep(LOSS_CENSUS_MS / 2);
    }
    if (this.#reloads.length > 0) this.#toLoad ??= "otherwise";
    if (this.#toLoad === undefined) await this.#findPlace(link);
    if (this.#toLoad !== undefined) await this.#load(link, this.#toLoad === "lost");
    await this.#reader.readToEnd(link);
    await vouchFor(commands, redis);
    this.#outbox.resume(commands);
    this.#settling.askAgain();
    await this.#tail.learn(commands);
  }

  async #findPlace({ commands }: RedisLink): Promise<void> {
    const { replica, onTrouble, onNote } = this.#options;
    let standing = await standingOf(commands, this.#reader.applied);
    if (standing === "here") await whileMending(commands);
    if (standing === "lost") {
      onTrouble(new JournalFault("Redis has lost the end of the journal"));
      this.#whispers.say(commands, LOST, null);
      standing = await mend(commands, this.#reader.applied, this.#reader.recent, replica);
      if (standing !== "lost") onNote("the journal in Redis is whole again");
    }
    if (standing !== "here") this.#toLoad = standing === "lost" ? "lost" : "otherwise";
  }

  /**
   * Drops the state and takes that of the journal.
   * @param hasLost whether this node had applied what nobody will know of any more
   */
  async #load(link: RedisLink, hasLost: boolean): Promise<void> {
    const { replica, onNote } = this.#options;
    // What has been written may be in the snapshot, and nobody could tell.
    this.#outbox.forgetWritten();
    const follow = this.#follow;
    this.#follow = (entry) => replica.apply(entry);
    try {
      await whileMending(link.commands);
      replica.clear();
      this.#reader.restart(NOWHERE);
      const snapshot = await loadLatest(link.commands, replica);
      this.#reader.restart(snapshot);
      this.#tail.restart(snapshot);
      await this.#reader.readToEnd(link);
    } finally {
      this.#follow = follow;
    }
    this.#toLoad = undefined;
    if (!this.#isOpen) return;
    this.#counts.reloads++;
    onNote("the state has been loaded anew");
    this.#outbox.giveUpPosts();
    for (const loaded of this.#reloads.splice(0)) loaded();
    for (const listener of this.#resetListeners) listener(hasLost);
  }

  #giveUpPosts(): void {
    this.#outbox.giveUpPosts();
    this.#options.onTrouble(new JournalFault("too much waits for Redis: this node begins anew"));
    for (const listener of this.#resetListeners) listener(false);
  }

  #applied({ id, text }: StreamEntry, entries: number, isOwn: boolean): void {
    this.#tail.add(entries, text.length);
    this.#settling.reached(id);
    if (!isOwn || this.#complaint === "") return;
    this.#options.onNote("Redis takes entries again");
    this.#complaint = "";
  }

  /** Place of the last entry of all; undefined if it cannot be had now. */
  async #lastEntry(): Promise<StreamId | undefined> {
    const link = this.#link;
    // More may be applied while the question is under way.
    const { applied } = this.#reader;
    const last = link === undefined ? undefined : await lastEntryOf(link.commands).catch(() => undefined);
    if (last === undefined || compareIds(last, applied) >= 0) return last;
    // What has been applied is not there any more: it is brought back first.
    link?.close();
    return undefined;
  }
}

/** What has happened in this process's journal. Durations in milliseconds. */
export interface RedisFigures {
  /** Applied, of all nodes. */
  readonly entries: number;
  /** Written by this one, and commands in them that have come back. */
  readonly turns: number;
  readonly commands: number;
  /** From the asking to the applying, summed over these commands. */
  readonly appendMs: number;
  /** Without a place now. */
  readonly pending: number;
  /** Entries after the last snapshot. */
  readonly tailEntries: number;
  readonly snapshots: number;
  readonly snapshotFailures: number;
  readonly reconnects: number;
  readonly reloads: number;
}

function newLife(): NodeId {
  return `node_${crypto.getRandomValues(Buffer.alloc(12)).toString("base64url")}`;
}
