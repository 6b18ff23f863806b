/**
 * What must not grow: the work of an arrival with the length of the queue, and what is remembered
 * with the number of things that have happened.
 *
 * This file owns counts, never times: it is as right on a slow machine as on a fast one.
 */
import { describe, expect, test } from "bun:test";
import { emptyQueue, join, type Queue, type Ticket } from "../../src/domain/queue.ts";
import { findPartner, type Obstacle } from "../../src/domain/search.ts";
import { MATCH_SCAN_MAX } from "../../src/limits.ts";
import { startAlone } from "../support/lobby-alone.ts";
import { ORDINARY } from "../support/lobby-driver.ts";

const FEW = 10;
const MANY = 10_000;

/** Tickets that are counted when they are looked at. */
class CountedTickets extends Map<number, Ticket> {
  looks = 0;
  override get(number: number): Ticket | undefined {
    this.looks++;
    return super.get(number);
  }
}

interface Scene {
  /** What the one at this place in the queue is like. */
  readonly waiting: (i: number) => {
    kind?: "human" | "agent";
    wants?: "human" | "agent";
    interests?: readonly string[];
  };
  readonly arrival: readonly string[];
  readonly obstacle?: (candidate: Ticket, seeker: Ticket) => Obstacle;
  readonly random?: boolean;
}

/** How many looks at tickets and at obstacles one arrival costs, with so many waiting. */
function costOf(scene: Scene, waiting: number): { looks: number; found: boolean } {
  const tickets = new CountedTickets();
  const queue: Queue = { ...emptyQueue(), tickets };
  for (let i = 0; i < waiting; i++) {
    const { kind = "unknown", wants = "any", interests = [] } = scene.waiting(i);
    const holdsOutUntil = interests.length > 0 ? 10 : 0;
    join(queue, i + 1, { kind, partnerKind: wants, interests }, holdsOutUntil, 0);
  }
  const who = { kind: "human", partnerKind: "any", interests: scene.arrival } as const;
  const arrival = join(queue, waiting + 1, who, 0, 0);
  let obstacles = 0;
  const obstacle = (seeker: Ticket, candidate: Ticket): Obstacle => {
    obstacles++;
    return scene.obstacle?.(candidate, seeker) ?? "none";
  };
  tickets.looks = 0;
  const { partner } = findPartner(queue, arrival, obstacle, scene.random === true ? (below) => below - 1 : undefined);
  return { looks: tickets.looks + obstacles, found: partner !== undefined };
}

const SCENES: Readonly<Record<string, Scene & { found: boolean; looksMax: number }>> = {
  "somebody fits at once": { waiting: () => ({}), arrival: [], found: true, looksMax: 20 },
  "everybody holds out for another interest": {
    waiting: (i) => ({ interests: [`i${i % 50}`] }),
    arrival: ["tea"],
    found: false,
    looksMax: 20,
  },
  "nobody is of a kind that fits": {
    waiting: () => ({ kind: "agent", wants: "agent" }),
    arrival: ["tea"],
    found: false,
    looksMax: 20,
  },
  "everybody shares three interests": {
    waiting: () => ({ interests: ["tea", "go", "jazz"] }),
    arrival: ["tea", "go", "jazz"],
    found: true,
    looksMax: 3 * 2 * MATCH_SCAN_MAX,
  },
  "everybody fits, and chance decides": {
    waiting: () => ({}),
    arrival: [],
    random: true,
    found: true,
    looksMax: 4 * MATCH_SCAN_MAX,
  },
  "everybody is blocked": {
    waiting: () => ({}),
    arrival: [],
    obstacle: () => "blocked",
    found: false,
    looksMax: 3 * MATCH_SCAN_MAX,
  },
  "everybody is blocked and shares three interests": {
    waiting: () => ({ interests: ["tea", "go", "jazz"] }),
    arrival: ["tea", "go", "jazz"],
    obstacle: () => "blocked",
    found: false,
    looksMax: 3 * 3 * MATCH_SCAN_MAX,
  },
  "everybody has met everybody lately": {
    waiting: () => ({}),
    arrival: [],
    obstacle: () => "recent",
    found: true,
    looksMax: 2 * 3 * MATCH_SCAN_MAX,
  },
  "everybody was met lately but one, who holds out": {
    waiting: (i) => (i === 0 ? { interests: ["go"] } : {}),
    arrival: [],
    obstacle: (candidate) => (candidate.number === 1 ? "none" : "recent"),
    found: false,
    looksMax: 3 * MATCH_SCAN_MAX,
  },
  "everybody was met lately, and has somebody else": {
    waiting: () => ({}),
    arrival: [],
    // Only the arrival is of another kind.
    obstacle: (candidate, seeker) => (candidate.class === seeker.class ? "none" : "recent"),
    found: false,
    looksMax: 4 * MATCH_SCAN_MAX,
  },
  "one was met lately, all others hold out": {
    waiting: (i) => (i === 0 ? {} : { interests: [`i${i % 50}`] }),
    arrival: [],
    obstacle: (candidate) => (candidate.number === 1 ? "recent" : "none"),
    found: false,
    looksMax: 20,
  },
};

describe("what an arrival looks at", () => {
  test.each(Object.entries(SCENES))("does not grow with the queue: %s", (_name, scene) => {
    const few = costOf(scene, FEW);
    const many = costOf(scene, MANY);
    expect(many.found).toBe(scene.found);
    expect(few.found).toBe(scene.found);
    expect(many.looks).toBeLessThanOrEqual(scene.looksMax);
    // The least number of entries that costs its bound costs no more with a hundred times as many.
    expect(many.looks).toBe(costOf(scene, 10 * MATCH_SCAN_MAX).looks);
  });
});

describe("what is remembered", () => {
  test("does not grow with coming and going", () => {
    const { lobby, at } = startAlone(ORDINARY);
    const caller = { bearer: "t" };
    at(0, { type: "enter_queue", caller: {}, newToken: "t", interests: ["tea"] });
    for (let i = 1; i < 5000; i++) {
      const time = i * 11_000;
      at(time, { type: "leave_queue", caller });
      at(time, { type: "open_stream", user: 1 });
      at(time, { type: "close_stream", user: 1 });
      at(time, { type: "enter_queue", caller, newToken: "none" });
    }
    expect(lobby.deadlines.size).toBeLessThan(100);
    expect(lobby.mailAges.size).toBeLessThan(100);
    expect(lobby.offline.size).toBeLessThan(2);
    expect(lobby.queue.keptApart.size).toBe(0);
  });

  test("does not grow with users who were evicted", () => {
    const { lobby, at } = startAlone({ ...ORDINARY, usersMax: 4 });
    for (let i = 0; i < 3000; i++) {
      const [one, other] = [`a${i}`, `b${i}`];
      at(i, { type: "enter_queue", caller: { session: one }, newToken: one });
      at(i, { type: "enter_queue", caller: { session: other }, newToken: other });
      at(i, { type: "send_message", caller: { bearer: one }, text: "hi", clientMessageId: "m" });
      at(i, { type: "leave_chat", caller: { bearer: one } });
    }
    expect(lobby.users.size).toBe(4);
    expect(lobby.rooms.size).toBeLessThan(4);
    expect(lobby.bindings.size).toBe(4);
    expect([lobby.byUserId.size, lobby.byToken.size]).toEqual([4, 4]);
    expect(lobby.deadlines.size).toBeLessThan(100);
    expect(lobby.mailAges.size).toBeLessThan(100);
    expect(lobby.queue.tickets.size).toBe(0);
    expect(lobby.queue.classes.every(({ byInterest }) => byInterest.size === 0)).toBe(true);
  });
});
