/**
 * Lives long enough to reach the bounds that no ordinary world reaches, in lockstep with the model: it
 * looks at the lobby now and then, not after every step.
 *
 * This file owns reaching them. It must never say what happens then: the model does.
 */
import { expect, test } from "bun:test";
import type { Command, LobbySettings } from "../../src/domain/command.ts";
import { step } from "../../src/domain/lobby.ts";
import {
  AUDIT_ENTRIES_MAX,
  BANS_MAX,
  BLOCKS_PER_USER_MAX,
  REPORT_MESSAGES_MAX,
  REPORTS_MAX,
  TRANSCRIPT_BYTES_MAX,
  TRANSCRIPT_MESSAGES_MAX,
} from "../../src/limits.ts";
import { ORDINARY } from "../support/lobby-driver.ts";
import { compareEvents, Lockstep } from "../support/lobby-lockstep.ts";
import { Random } from "../support/lobby-random.ts";

const TIME_MS_MAX = 60_000;

class LongLife {
  readonly state: Lockstep;
  readonly random = new Random(1);
  readonly refusals = new Map<string, number>();
  #at = 0;

  constructor(settings: Partial<LobbySettings> = {}) {
    this.state = Lockstep.start({ ...ORDINARY, ...settings });
  }

  do(command: Command, afterMs = 1): void {
    this.#at += afterMs;
    const entry = { at: this.#at, entropy: this.random.entropy(), command };
    const events = step(this.state.lobby, entry);
    compareEvents(events, this.state.model.apply(entry, events));
    const last = events.at(-1);
    if (last?.type === "refused") this.refusals.set(last.code, (this.refusals.get(last.code) ?? 0) + 1);
  }

  /** Two meet; who they are if they are nobody yet is as their tokens say. */
  meet(one: string, other: string): void {
    for (const token of [one, other]) {
      const caller = this.state.lobby.byToken.has(token) ? { bearer: token } : {};
      this.do({ type: "join_room", caller, newToken: token, code: "elm" });
    }
  }

  compare(): void {
    this.state.comparePictures();
    this.state.compareAll();
    this.state.check();
  }
}

test("H2 B5: a transcript of many messages and then of long ones, and a report of it", () => {
  const life = new LongLife();
  life.meet("ann", "bob");
  for (let i = 0; i < 1.3 * TRANSCRIPT_MESSAGES_MAX; i++) {
    life.do({ type: "send_message", caller: { bearer: i % 3 === 0 ? "ann" : "bob" }, text: `${i}` });
    if (i % 50 === 0) life.compare();
  }
  const [room] = life.state.lobby.rooms.values();
  expect(room?.transcript.length).toBe(TRANSCRIPT_MESSAGES_MAX);
  for (let i = 0; i < 30; i++) {
    life.do({ type: "send_message", caller: { bearer: "ann" }, text: "x".repeat(life.random.below(20_000)) });
    life.compare();
  }
  expect(room?.transcriptBytes).toBeGreaterThan(TRANSCRIPT_BYTES_MAX / 2);
  expect(room?.transcriptBytes).toBeLessThanOrEqual(TRANSCRIPT_BYTES_MAX);
  for (let i = 0; i < 2 * REPORT_MESSAGES_MAX; i++)
    life.do({ type: "send_message", caller: { bearer: "bob" }, text: "Buy!" });
  life.do({ type: "report_partner", caller: { bearer: "ann" }, category: "spam" });
  life.compare();
  const [report] = life.state.lobby.reports.values();
  expect(report?.messages.length).toBe(REPORT_MESSAGES_MAX);
});

test("B6 B7: more reports than are kept, some of them resolved, and the first one made again", () => {
  // Only the first two stay; the others make place for each other.
  const life = new LongLife({ usersMax: 20 });
  const report = (name: string): void => {
    const user = life.state.lobby.users.get(life.state.lobby.byToken.get(name) ?? 0);
    const room = user?.pastRooms.at(-1);
    const about = room === undefined ? {} : { room };
    life.do({ type: "report_partner", caller: { bearer: name }, category: "spam", ...about });
  };
  life.meet("ann", "bob");
  const [first] = life.state.lobby.rooms.keys();
  for (const user of [1, 2]) life.do({ type: "open_stream", user });
  report("ann");
  for (let i = 0; i < 1.2 * REPORTS_MAX; i++) {
    life.meet(`a${i}`, `b${i}`);
    report(`a${i}`);
    if (i % 20 === 3) {
      const resolved = life.random.any([...life.state.lobby.reports.keys()]) ?? "";
      life.do({ type: "operate", act: { type: "resolve_report", report: resolved } });
    }
    if (i % 100 === 0) {
      report("ann");
      life.compare();
    }
  }
  report("ann");
  life.compare();
  expect(life.state.lobby.reports.size).toBe(REPORTS_MAX);
  expect([...life.state.lobby.reports.values()].findIndex(({ room }) => room === first)).toBeGreaterThan(0);
});

test(
  "T3 B4: more blocks than are kept, of those who are gone and of those who stay",
  () => {
    const life = new LongLife({ usersMax: 2 * BLOCKS_PER_USER_MAX });
    const block = (name: string): void => {
      life.meet("ann", name);
      life.do({ type: "block_partner", caller: { bearer: "ann" } });
      life.do({ type: "leave_chat", caller: { bearer: "ann" } });
    };
    for (let i = 0; i < BLOCKS_PER_USER_MAX + 5; i++) block(`b${i}`);
    expect(life.refusals.get("unavailable")).toBe(5);
    life.compare();
    // A day later those are gone, a few at a time, and there is place again.
    for (let hour = 0; hour < 25; hour++) life.do({ type: "look", caller: { bearer: "ann" } }, 3600_000);
    for (let i = 0; i < 20; i++) life.do({ type: "tick" });
    life.compare();
    for (let i = 0; i < 3; i++) block(`c${i}`);
    expect(life.refusals.get("unavailable")).toBe(5);
    life.compare();
    const ann = life.state.lobby.users.get(life.state.lobby.byToken.get("ann") ?? 0);
    expect(ann?.blocked?.size).toBe(3);
  },
  TIME_MS_MAX,
);

test(
  "B11 B14: more bans and more acts than are kept",
  () => {
    const life = new LongLife();
    for (let i = 0; i < BANS_MAX + 300; i++) {
      // All end later than this takes, some at the same time.
      const until = life.random.chance(0.02) ? {} : { until: 1_000_000 + life.random.below(2000) };
      const target = { kind: "address", address: `a${life.random.below(3000)}` } as const;
      life.do({ type: "operate", act: { type: "ban", target, ...until } }, 0);
      if (i % 50 === 0) {
        const ban = life.random.any([...life.state.lobby.bans.keys()]) ?? "";
        life.do({ type: "operate", act: { type: "unban", ban } });
      }
    }
    life.compare();
    expect(life.state.lobby.bans.size).toBe(BANS_MAX);
    expect(life.state.lobby.audit.length).toBe(AUDIT_ENTRIES_MAX);
    // They end one after the other.
    for (let i = 0; i < 10; i++) {
      life.do({ type: "tick" }, i === 0 ? 1_000_000 : 200);
      life.compare();
    }
    expect(life.state.lobby.bans.size).toBeLessThan(BANS_MAX / 2);
  },
  TIME_MS_MAX,
);
