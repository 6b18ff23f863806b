/**
 * The nodes of a world: they join, beat, fall silent, come back when nobody waits for them any more, say
 * things twice and leave.
 *
 * This file owns what nodes do. It must never judge whether they are heeded.
 */
import type { Command, Entry, LobbySettings, Origin } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { NODE_GAP_MS, NODE_SILENT_MS } from "../../src/limits.ts";
import type { Random } from "../support/lobby-random.ts";

/** One life of a node. */
interface Life {
  readonly node: string;
  n: number;
  /** It says nothing by itself any more, but may still do so. */
  isMute: boolean;
}

type Told = Pick<Required<Entry>, "command" | "origin">;

/** Entries that are remembered to be said once more. */
const REMEMBERED = 12;

export class Nodes {
  readonly #random: Random;
  /** How many there are at a time; 0 = the world is one process. */
  readonly #count: number;
  readonly #restless: number;
  readonly #isUpgraded: boolean;
  #lives: readonly Life[] = [];
  readonly #said: Told[] = [];
  #born = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#count = random.pick([0, 0, 0, 1, 2, 3, 4]);
    // Few worlds have nodes of two versions, as only the newer ones come in once they are alone.
    this.#isUpgraded = random.chance(0.1);
    this.#restless = random.pick([0.03, 0.1, 0.25]);
  }

  get exist(): boolean {
    return this.#count > 0;
  }

  /** A time that matters to nodes. */
  leap(): number {
    const around = this.#random.pick([1000, NODE_GAP_MS, NODE_GAP_MS, NODE_SILENT_MS, NODE_SILENT_MS - NODE_GAP_MS]);
    return Math.max(0, around + this.#random.pick([-1, 0, 0, 1]));
  }

  /** One of the nodes, mostly one that is heard of. */
  any(): string | undefined {
    const random = this.#random;
    const heard = this.#lives.filter(({ isMute }) => !isMute);
    return (random.chance(0.95) ? (random.any(heard) ?? random.any(this.#lives)) : random.any(this.#lives))?.node;
  }

  /** The next number of a node, of any if none is wanted; undefined if there are no nodes. */
  originOf(wanted: string | undefined): Origin | undefined {
    const node = wanted ?? this.any();
    const life = this.#lives.find((one) => one.node === node);
    if (life === undefined) return node === undefined ? undefined : { node, n: 1 };
    // Numbers rise, but what was never sent leaves gaps.
    life.n += this.#random.chance(0.05) ? 1 + this.#random.below(3) : 1;
    return { node: life.node, n: life.n };
  }

  /** What a node says next of itself, if one does. */
  next(settings: LobbySettings, others: () => LobbySettings): Told | undefined {
    const random = this.#random;
    if (!this.exist) return undefined;
    if (this.#lives.length < this.#count) return this.#join(settings);
    if (!random.chance(this.#restless)) return undefined;
    const life = random.any(this.#lives);
    if (life === undefined) return undefined;
    const kind = random.weighted({
      beat: 40,
      mute: 8,
      repeat: 14,
      join: 6,
      leave: 4,
      renew: 4,
      rewind: 3,
      stranger: 2,
    });
    switch (kind) {
      case "mute":
        life.isMute = !life.isMute;
        return undefined;
      case "repeat":
        return random.any(this.#said);
      case "join":
        return this.#say(life, this.#joining(random.chance(0.3) ? others() : settings));
      case "leave":
        return this.#say(life, { type: "leave_node" });
      case "renew":
        // Its old life is not over by that: it may still be heard of.
        life.isMute = true;
        return this.#join(random.chance(0.3) ? others() : settings);
      case "rewind":
        return this.#say(life, { type: "rewind" });
      case "stranger":
        return { command: { type: "beat_node" }, origin: { node: "stranger", n: 1 } };
      default:
        return this.#say(life, { type: "beat_node" });
    }
  }

  /** Remembers an entry, to be said once more. */
  note({ command, origin }: Entry): void {
    if (origin === undefined) return;
    this.#said.push({ command, origin });
    if (this.#said.length > REMEMBERED) this.#said.shift();
  }

  /** Whoever hears that it is lost begins another life, or does not hear it yet. */
  learn(events: readonly LobbyEvent[]): void {
    for (const event of events) {
      if (event.type === "restarted") this.#lives = [];
      if (event.type !== "node_lost" && event.type !== "node_left" && event.type !== "node_refused") continue;
      const life = this.#lives.find(({ node }) => node === event.node);
      if (life !== undefined) life.isMute = true;
      if (this.#random.chance(0.8)) this.#lives = this.#lives.filter((one) => one !== life);
    }
    // Some are heard of in none of their lives any more.
    if (this.#lives.length > this.#count + 2) this.#lives = this.#lives.filter(({ isMute }) => !isMute);
  }

  #join(settings: LobbySettings): Told {
    const life: Life = { node: `node${this.#born++}`, n: 0, isMute: false };
    this.#lives = [...this.#lives, life];
    return this.#say(life, this.#joining(settings));
  }

  #joining(settings: LobbySettings): Command {
    return { type: "join_node", settings, rules: this.#isUpgraded && this.#random.chance(0.5) ? 2 : 1 };
  }

  #say(life: Life, command: Command): Told {
    life.n++;
    return { command, origin: { node: life.node, n: life.n } };
  }
}
