/**
 * What an arrival, a tick and a message cost, and that it does not grow with the number of people,
 * tickets or rooms.
 *
 * This file owns the bounds, in looks into tables and lists. It must never measure time.
 */
import { describe, expect, test } from "bun:test";
import type { Command } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { createLobby, nextDeadline, step } from "../../src/domain/lobby.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { ORDINARY } from "../support/lobby-driver.ts";
import { countLooks, makeCounting } from "./counting.ts";

const NEVER = 1e12;
const WAITING = [10, 10_000, 100_000] as const;
const SIZES = [10, 1000, 20_000] as const;
const TIME_MS_MAX = 60_000;

type Enter = Extract<Command, { type: "enter_queue" }>;
type Said = Omit<Partial<Enter>, "type">;

class Place {
  readonly lobby: Lobby;
  #entries = 0;

  constructor() {
    const patient = { widenMs: NEVER, availableMs: NEVER, idleMs: NEVER, retainUserMs: NEVER };
    this.lobby = makeCounting(createLobby({ ...ORDINARY, ...patient, usersMax: 1e6, queueMax: 1e6 }));
  }

  do(command: Command, at = this.lobby.now): LobbyEvent[] {
    return step(this.lobby, { at, entropy: `${this.#entries++}`.padStart(22, "e"), command });
  }

  enter(token: string, said: Said = {}): LobbyEvent[] {
    return this.do({ type: "enter_queue", caller: {}, newToken: token, ...said });
  }

  /** Looks that somebody's arrival takes; they leave again. */
  costOfArrival(said: Said): number {
    const newToken = `arrival-${this.#entries}`;
    const caller = said.caller ?? { bearer: newToken };
    const looks = countLooks(() => this.enter(newToken, said));
    this.do({ type: "leave_queue", caller });
    this.do({ type: "leave_chat", caller });
    return looks;
  }

  /** A room of two, who stay. */
  room(name: string): void {
    const kind = { kind: "agent", partnerKind: "agent" } as const;
    this.enter(`${name}-a`, kind);
    this.enter(`${name}-b`, kind);
  }

  /** Has somebody who is nowhere meet somebody new and block them. */
  block(token: string, blocked: string, address?: string): void {
    this.do({ type: "join_room", caller: { bearer: token }, newToken: "", code: "elm" });
    const caller = address === undefined ? {} : { address };
    this.do({ type: "join_room", caller, newToken: blocked, code: "elm" });
    this.do({ type: "block_partner", caller: { bearer: token } });
  }
}

describe("Q14: an arrival costs the same, however many wait", () => {
  const grows = (name: string, most: number, wait: (place: Place, i: number) => void, arrival: Said): void =>
    test(
      name,
      () => {
        const place = new Place();
        let waiting = 0;
        const costs = WAITING.map((size) => {
          for (; waiting < size; waiting++) wait(place, waiting);
          return place.costOfArrival(arrival);
        });
        tell(name, costs);
        expect(place.lobby.queue.tickets.size).toBeGreaterThanOrEqual(WAITING[2] - 10);
        expect(costs.filter((cost) => cost > most)).toEqual([]);
        expect(costs[2]).toBe(costs[1] ?? 0);
      },
      TIME_MS_MAX,
    );

  grows("all hold out, each for something else", 50, (place, i) => place.enter(`t${i}`, { interests: [`i${i}`] }), {
    interests: ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"],
  });
  grows("all want somebody else", 50, (place, i) => place.enter(`t${i}`, { kind: "agent", partnerKind: "human" }), {
    kind: "agent",
    partnerKind: "agent",
  });
  grows(
    "all share one interest of the arrival's with each other's kind of people, whom they do not want",
    50,
    (place, i) => place.enter(`t${i}`, { kind: "agent", partnerKind: "human", interests: ["tea"] }),
    { kind: "agent", interests: ["tea"] },
  );
  grows("all would do", 50, (place, i) => place.enter(`t${i}`, { kind: "human", partnerKind: "agent" }), {
    kind: "agent",
    partnerKind: "human",
  });
  grows(
    "all come from where somebody was blocked",
    20_000,
    (place, i) => {
      if (i === 0) {
        place.enter("blocker", { kind: "human", partnerKind: "agent" });
        place.do({ type: "leave_queue", caller: { bearer: "blocker" } });
        place.block("blocker", "blocked", "x");
      }
      place.enter(`t${i}`, { kind: "agent", partnerKind: "human", caller: { address: "x" } });
    },
    { caller: { bearer: "blocker" } },
  );
  grows(
    "all come from where somebody was met lately, and there is one for whom they are kept apart",
    20_000,
    (place, i) => {
      if (i === 0) {
        place.enter("friend", { kind: "human", partnerKind: "agent" });
        place.enter("met", { kind: "agent", partnerKind: "human", caller: { address: "x" } });
        place.do({ type: "leave_chat", caller: { bearer: "friend" } });
        place.enter("other", { kind: "agent", partnerKind: "human", interests: ["x"] });
      }
      place.enter(`t${i}`, { kind: "agent", partnerKind: "human", caller: { address: "x" } });
    },
    { caller: { bearer: "friend" } },
  );
});

test(
  "Q14: whoever has blocked a thousand at the head of a long line meets the first behind them",
  () => {
    const place = new Place();
    const agent = { kind: "agent", partnerKind: "human" } as const;
    place.enter("blocker", { kind: "human", partnerKind: "agent" });
    place.do({ type: "leave_queue", caller: { bearer: "blocker" } });
    for (let i = 0; i < 1000; i++) place.block("blocker", `b-${i}`);
    for (let i = 0; i < 1000; i++)
      place.do({ type: "enter_queue", caller: { bearer: `b-${i}` }, newToken: "", ...agent });
    for (let i = 0; i < 10_000; i++) place.enter(`t${i}`, agent);
    const costs: number[] = [];
    let matched: LobbyEvent | undefined;
    const count = (command: Command): void => {
      costs.push(
        countLooks(() => {
          matched = place.do(command).find((event) => event.type === "matched");
        }),
      );
    };
    count({ type: "enter_queue", caller: { bearer: "blocker" }, newToken: "" });
    while (matched === undefined && costs.length < 100) {
      expect(nextDeadline(place.lobby)).toBe(place.lobby.now);
      count({ type: "tick" });
    }
    const found = place.lobby.byToken.get("t0");
    expect(matched).toMatchObject({ users: [found, place.lobby.byToken.get("blocker")] });
    tell("a thousand blocked at the head of a line", costs);
    expect(Math.max(...costs)).toBeLessThan(20_000);
  },
  TIME_MS_MAX,
);

test(
  "T4: a tick costs what is due, however many users there are",
  () => {
    const costs = SIZES.map((size) => {
      const place = new Place();
      for (let i = 0; i < size; i++) {
        place.enter(`t${i}`, { kind: "agent", partnerKind: "human" });
        place.do({ type: "open_stream", user: i + 1 });
      }
      // Ten of them go away; the grace time ends for all ten at once.
      for (let i = 1; i <= 10; i++) place.do({ type: "close_stream", user: i });
      const quiet = countLooks(() => place.do({ type: "tick" }, 1000));
      expect(quiet).toBeLessThan(10);
      return countLooks(() => expect(place.do({ type: "tick" }, 30_000).length).toBe(11));
    });
    tell("a tick with ten things due", costs);
    expect(costs.filter((cost) => cost > 300)).toEqual([]);
    expect(costs[2]).toBe(costs[1] ?? 0);
  },
  TIME_MS_MAX,
);

test(
  "R3 H3: a message costs the same, however many rooms there are",
  () => {
    const costs = SIZES.map((size) => {
      const place = new Place();
      for (let i = 0; i < size / 2; i++) place.room(`r${i}`);
      const say = (token: string) =>
        countLooks(() => place.do({ type: "send_message", caller: { bearer: token }, text: "hi" }));
      for (let i = 0; i < size / 2; i++) say(`r${i}-a`);
      const looks = say("r1-a");
      expect([...place.lobby.rooms.values()].map(({ seq }) => seq).filter((seq) => seq === 2).length).toBe(1);
      return looks;
    });
    tell("a message", costs);
    expect(costs.filter((cost) => cost > 30)).toEqual([]);
    expect(costs[2]).toBe(costs[1] ?? 0);
  },
  TIME_MS_MAX,
);

test(
  "H3: a message that makes the oldest transcripts go costs the same, however many there are",
  () => {
    const costs = [10, 5000].map((rooms) => {
      const place = new Place();
      Object.assign(place.lobby.settings, { transcriptBytesMax: rooms * 132 });
      for (let i = 0; i < rooms; i++) place.room(`r${i}`);
      const say = (token: string) =>
        countLooks(() => place.do({ type: "send_message", caller: { bearer: token }, text: "hi" }));
      for (let i = 0; i < rooms; i++) say(`r${i}-a`);
      expect(place.lobby.transcriptBytes).toBe(rooms * 132);
      return say("r5-a");
    });
    tell("a message that makes an old transcript go", costs);
    expect(costs[1]).toBe(costs[0] ?? 0);
  },
  TIME_MS_MAX,
);

function tell(what: string, costs: readonly number[]): void {
  Bun.write(Bun.stderr, `  ${what}: ${costs.join(", ")} looks\n`);
}
