/**
 * A journal that several nodes of one process share, as they would share one in Redis: every command takes its
 * time to get its place, and every node takes its own time to hear of it, at random from a seed.
 *
 * This file owns that order. It must never lose or double anything unless it is told to.
 */
import type { Command, Entry } from "../../src/domain/command.ts";
import type { NodeId } from "../../src/domain/ids.ts";
import { JournalUnavailable, type SharedJournal, type Whisper } from "../../src/journal/journal.ts";
import { createEntropySource } from "../../src/journal/memory.ts";
import type { Replica } from "../../src/journal/replica.ts";
import { Random } from "./lobby-random.ts";

interface Waiting {
  readonly origin: { readonly node: NodeId; readonly n: number };
  readonly command: Command;
  readonly entropy: string;
  readonly place: (entry: Entry) => void;
  readonly refuse: ((problem: JournalUnavailable) => void) | undefined;
}

/** What all nodes share. */
export class SharedMemory {
  readonly entries: Entry[] = [];
  readonly nodes: MemoryNode[] = [];
  readonly #random: Random;
  readonly #now: () => number;
  #at = 0;
  #isRunning = false;
  /** Nothing gets a place and nobody hears of anything while it is down. */
  #isDown = false;
  #downAfter: Command["type"] | undefined;

  constructor(seed: number, now: () => number = Date.now) {
    this.#random = new Random(seed);
    this.#now = now;
  }

  /** Another node. @param replica brought to where the others have come; absent = it hears of what comes from now on */
  open(replica?: Replica): MemoryNode {
    const node = new MemoryNode(this, replica);
    this.nodes.push(node);
    return node;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  down(): void {
    this.#isDown = true;
  }

  up(): void {
    this.#isDown = false;
    this.wake();
  }

  now(): number {
    return Math.max(this.#at, this.#now());
  }

  /** Gives places and news, one after the other, until there is nothing to give. */
  wake(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const run = (): void => {
      // Some at a time, as whatever comes in meanwhile takes its turn too.
      for (let i = this.#random.below(8); i >= 0 && this.#oneStep(); i--);
      this.#isRunning = this.#oneStep();
      if (this.#isRunning) setImmediate(run);
    };
    setImmediate(run);
  }

  #oneStep(): boolean {
    if (this.#isDown) return false;
    const ready = this.nodes.filter((node) => node.hasNext);
    const node = ready[this.#random.below(ready.length)];
    node?.next(this.#random);
    return node !== undefined;
  }

  /** Goes away right after the next command of this type has its place. */
  downAfter(type: Command["type"]): void {
    this.#downAfter = type;
  }

  /** Gives a command its place. */
  put({ origin, command, entropy }: Waiting): void {
    this.#at = this.now();
    this.entries.push({ at: this.#at, entropy, command, origin });
    if (command.type !== this.#downAfter) return;
    this.#downAfter = undefined;
    this.down();
  }
}

export class MemoryNode implements SharedJournal {
  readonly #shared: SharedMemory;
  readonly #replica: Replica | undefined;
  readonly #draw = createEntropySource();
  readonly #onWhisper: ((topic: string, message: Whisper) => void)[] = [];
  readonly #onReset: ((hasLost: boolean) => void)[] = [];
  readonly #settling: { readonly until: number; readonly resolve: () => void }[] = [];
  readonly #written = new Map<number, Waiting>();
  #waiting: Waiting[] = [];
  #follow: ((entry: Entry) => void) | undefined;
  #read: number;
  #n = 0;
  #node = newLife();
  #isClosed = false;

  constructor(shared: SharedMemory, replica: Replica | undefined) {
    this.#shared = shared;
    this.#replica = replica;
    this.#read = shared.entries.length;
    if (replica !== undefined) for (const entry of shared.entries) replica.apply(entry);
  }

  get node(): NodeId {
    return this.#node;
  }

  get isReachable(): boolean {
    return !this.#shared.isDown;
  }

  readonly mayLackEnd = false;

  get applied(): string {
    return String(this.#read);
  }

  append<T>(command: Command, apply: (entry: Entry) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const place = (entry: Entry): void => {
        try {
          resolve(apply(entry));
        } catch (bug) {
          reject(bug);
        }
      };
      this.#add(command, place, reject);
    });
  }

  post(command: Command, apply: (entry: Entry) => void): void {
    this.#add(command, apply, undefined);
  }

  follow(apply: (entry: Entry) => void): void {
    this.#follow = apply;
  }

  renew(): NodeId {
    this.#node = newLife();
    return this.#node;
  }

  settled(): Promise<void> {
    const until = this.#shared.entries.length;
    if (this.#read >= until) return Promise.resolve();
    return new Promise((resolve) => this.#settling.push({ until, resolve }));
  }

  reload(): Promise<void> {
    this.reset(false);
    return Promise.resolve();
  }

  onReset(listener: (hasLost: boolean) => void): void {
    this.#onReset.push(listener);
  }

  whisper(topic: string, message: Whisper): void {
    if (this.#shared.isDown) return;
    for (const node of this.#shared.nodes) if (node !== this) setImmediate(() => node.#hear(topic, message));
  }

  onWhisper(listener: (topic: string, message: Whisper) => void): void {
    this.#onWhisper.push(listener);
  }

  now(): number {
    return this.#shared.now();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  // --- what a test does to it -------------------------------------------------------------------

  /** Its process is killed: nothing of it is heard any more, and it hears nothing. */
  kill(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }

  /** Everybody who waits is refused; posts stay. What has a place already and was not heard of here is uncertain. */
  refuseAll(): void {
    const refused = [...this.#waiting, ...this.#written.values()];
    this.#waiting = this.#waiting.filter(({ refuse }) => refuse === undefined);
    for (const { origin, refuse } of refused) {
      refuse?.(new JournalUnavailable(2000, this.#written.delete(origin.n)));
    }
  }

  /** The state is loaded anew into the replica, and everybody is told. */
  reset(hasLost: boolean): void {
    for (const { refuse } of this.#written.values()) refuse?.(new JournalUnavailable(2000, true));
    this.#written.clear();
    this.#waiting = this.#waiting.filter(({ refuse }) => refuse !== undefined);
    this.#read = this.#shared.entries.length;
    this.#replica?.clear();
    for (const entry of this.#shared.entries) this.#replica?.apply(entry);
    for (const listener of this.#onReset) listener(hasLost);
  }

  // --- for what is shared -----------------------------------------------------------------------

  get hasNext(): boolean {
    return !this.#isClosed && (this.#waiting.length > 0 || this.#read < this.#shared.entries.length);
  }

  /** Writes the longest-waiting command, or hears of the next entry. */
  next(random: Random): void {
    const entry = this.#shared.entries[this.#read];
    const [first] = this.#waiting;
    if (entry === undefined || (first !== undefined && random.below(2) === 0)) {
      if (first === undefined) return;
      this.#waiting.shift();
      this.#written.set(first.origin.n, first);
      this.#shared.put(first);
      return;
    }
    this.#read++;
    const { node, n } = entry.origin ?? { node: "", n: 0 };
    const own = this.#written.get(n);
    if (own?.origin.node === node) {
      this.#written.delete(n);
      own.place(entry);
    } else this.#follow?.(entry);
    for (const one of this.#settling.filter(({ until }) => until <= this.#read)) {
      this.#settling.splice(this.#settling.indexOf(one), 1);
      one.resolve();
    }
  }

  #hear(topic: string, message: Whisper): void {
    if (this.#isClosed || this.#shared.isDown) return;
    for (const listener of this.#onWhisper) listener(topic, message);
  }

  #add(command: Command, place: Waiting["place"], refuse: Waiting["refuse"]): void {
    if (this.#isClosed) {
      refuse?.(new JournalUnavailable(2000, false));
      return;
    }
    const origin = { node: this.#node, n: ++this.#n };
    this.#waiting.push({ origin, command: structuredClone(command), entropy: this.#draw(), place, refuse });
    this.#shared.wake();
  }
}

function newLife(): NodeId {
  return `node_${crypto.getRandomValues(Buffer.alloc(12)).toString("base64url")}`;
}
