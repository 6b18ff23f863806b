/**
 * Every sequence of commands in small worlds of three people, six commands deep, against the model.
 *
 * Once with all commands, and by alphabets of commands that act on the same things where more kinds of
 * people or a longer way to begin with are worth their states: who meets whom, what is said and read,
 * and which lines are open.
 *
 * This file owns the alphabets and the least number of states each must lead to.
 */
import { expect, test } from "bun:test";
import type { Entry, LobbySettings } from "../../src/domain/command.ts";
import { Lockstep } from "../support/lobby-lockstep.ts";
import { type Alphabet, explore, keyOf, LEAPS, LETTERS } from "./explore.ts";

/** Clocks that all differ and are all short, in the order in which they run out in an ordinary lobby. */
const SETTINGS: LobbySettings = {
  widenMs: 3,
  graceMs: 5,
  availableMs: 7,
  idleMs: 11,
  matching: "fifo",
  messageRate: 0,
  messageBurst: 1,
  loopMessagesMax: 2,
  retainUserMs: 100,
  usersMax: 3,
  queueMax: 3,
  mailboxBytesMax: 1_000_000,
};

const EVERYTHING: Alphabet = {
  settings: SETTINGS,
  entries: [{}, { interests: ["tea"] }],
  sessions: true,
  letters: LETTERS,
  leaps: LEAPS,
};

/** Who meets whom: interests, kinds, presence and time, but nothing said. */
const MEETING: Alphabet = {
  settings: SETTINGS,
  entries: [{}, { interests: ["tea"] }, { kind: "human", partnerKind: "human" }],
  sessions: false,
  letters: pick("leave_queue", "leave_chat", "open", "close", "enter_again"),
  leaps: { on_time: LEAPS.on_time, just_before: LEAPS.just_before, far: LEAPS.far },
};

/** What is said, read and held, between agents whose talk has a limit. */
const TALKING: Alphabet = {
  settings: SETTINGS,
  entries: [{ kind: "agent" }],
  sessions: false,
  letters: pick("send", "send_once", "leave_chat", "poll", "hold", "read_again", "acknowledge", "answer", "hang_up"),
  leaps: { on_time: LEAPS.on_time, far: LEAPS.far },
};

/** Streams, held calls and sessions that come and go. */
const LINES: Alphabet = {
  settings: SETTINGS,
  entries: [{}],
  sessions: true,
  letters: pick("send", "leave_chat", "look", "hold", "answer", "hang_up", "open", "close", "end_call", "end_session"),
  leaps: LEAPS,
};

/** Two agents who have just met. */
const MET = ["t1", "t2"].map(
  (name): Entry => ({
    at: 0,
    entropy: name.padEnd(22, "x"),
    command: { type: "enter_queue", caller: { session: `s-${name}` }, newToken: name, kind: "agent" },
  }),
);

test.each([
  ["everything", EVERYTHING, 6, 130_000],
  ["meeting", MEETING, 6, 45_000],
  ["talking", TALKING, 6, 6000],
  ["talking once they have met", { ...TALKING, before: MET }, 4, 4500],
  ["lines", LINES, 6, 13_000],
  ["lines once they have met", { ...LINES, before: MET }, 4, 9000],
] as const)(
  "T3: %s",
  (name, alphabet, depth, statesMin) => {
    const walk = explore(alphabet, depth);
    Bun.write(Bun.stderr, `  ${name}: ${depth} deep, ${walk.states} states, ${walk.steps} steps\n`);
    expect(walk.states).toBeGreaterThanOrEqual(statesMin);
    // The walk works on copies; the same ways gone step by step must lead to the same states.
    for (const { path, key } of walk.samples) {
      const state = Lockstep.start(alphabet.settings);
      for (const entry of path) state.apply(entry);
      expect(keyOf(state.lobby)).toBe(key);
    }
    expect(walk.samples.length).toBeGreaterThan(3);
  },
  300_000,
);

test("the commands of everything meet every outcome that three people can have", () => {
  const { seen } = explore({ ...EVERYTHING, before: MET }, 3);
  const outcomes =
    "entered queued matched left_queue posted left_room room_closed seen read holding hold_ended mail bound unbound " +
    "stream_opened stream_closed session_ended ticked forgotten not_waiting not_in_room loop_limit";
  expect(outcomes.split(" ").filter((outcome) => !seen.has(outcome))).toEqual([]);
});

function pick(...names: readonly (keyof typeof LETTERS)[]): Alphabet["letters"] {
  return Object.fromEntries(names.map((name) => [name, LETTERS[name]]));
}
