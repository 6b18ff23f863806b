/**
 * The operator of a simulated world: bans, kicks, closes, resolves and announces, mostly for a reason
 * and at times in vain.
 *
 * This file owns the choice of acts. It must never judge an outcome: the lockstep does.
 */
import type { BanTarget, OperatorAct } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import type { Lobby } from "../../src/domain/state.ts";
import type { Random } from "../support/lobby-random.ts";

const ACTS = { ban: 5, unban: 4, kick: 3, close_room: 2, resolve_report: 4, announce: 4 } as const;

export class Operator {
  readonly #random: Random;
  readonly #addresses: readonly string[];
  readonly #bans: string[] = [];
  readonly #reports: string[] = [];
  readonly #rooms: string[] = [];
  /** The announcement under way, and where its next slice begins. */
  #slice: Extract<OperatorAct, { type: "announce" }> | undefined;

  constructor(random: Random, addresses: readonly string[]) {
    this.#random = random;
    this.#addresses = addresses;
  }

  /** What to do next. */
  next(lobby: Lobby, now: number): OperatorAct {
    const random = this.#random;
    const slice = this.#slice;
    if (slice !== undefined && random.chance(0.6)) return slice;
    const type = random.weighted(ACTS);
    const note = random.chance(0.3) ? { note: `n${random.below(100)}` } : {};
    switch (type) {
      case "ban":
        return { type, target: this.#target(lobby), ...this.#end(now), ...note };
      case "unban":
        return { type, ban: random.any(this.#bans) ?? "ban_of_nobody" };
      case "kick":
        return { type, userId: this.#userId(lobby) };
      case "close_room":
        return { type, room: this.#room(lobby) };
      case "resolve_report":
        return { type, report: random.any(this.#reports) ?? "report_of_nothing", ...note };
      case "announce":
        return { type, text: "y".repeat(random.below(20)), after: 0, count: 1 + random.below(4) };
    }
  }

  learn(act: OperatorAct | undefined, events: readonly LobbyEvent[]): void {
    for (const event of events) {
      if (event.type === "operated" && event.id !== undefined) this.#bans.push(event.id);
      if (event.type === "reported") this.#reports.push(event.report);
      if (event.type === "matched") this.#rooms.push(event.room);
      if (event.type === "announced" && act?.type === "announce")
        this.#slice = event.next === 0 ? undefined : { ...act, after: event.next };
    }
  }

  #target(lobby: Lobby): BanTarget {
    const address = this.#random.any(this.#addresses);
    if (address !== undefined && this.#random.chance(0.4)) return { kind: "address", address };
    return { kind: "user", userId: this.#userId(lobby) };
  }

  /** Mostly soon over, as a world of banned people is a quiet one. */
  #end(now: number): { until?: number } {
    if (this.#random.chance(0.1)) return {};
    return { until: now + this.#random.below(this.#random.pick([3, 30, 300, 300])) };
  }

  /** Mostly an open room. */
  #room(lobby: Lobby): string {
    const recent = this.#rooms.slice(-4);
    const open = recent.filter((id) => lobby.rooms.get(id)?.closed === undefined);
    return this.#random.any(this.#random.chance(0.8) ? open : this.#rooms) ?? "room_of_nobody";
  }

  #userId(lobby: Lobby): string {
    // At times by a name that somebody has chosen, or would like to.
    if (this.#random.chance(0.25)) return this.#random.pick(["ann", "bob", "cat"]);
    return this.#random.any([...lobby.users.values()])?.userId ?? "nobody";
  }
}
