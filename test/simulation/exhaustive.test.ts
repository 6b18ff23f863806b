/**
 * Every sequence of commands in small worlds of three people, against the model.
 *
 * Once with all that people can do, five commands deep, and deeper by alphabets of commands that act on
 * the same things: who meets whom, what is said and read, which lines are open, what becomes of a code,
 * who blocks whom, what an operator does, and what a restart makes of it all.
 *
 * This file owns the alphabets and the least number of states each must lead to.
 */
import { expect, test } from "bun:test";
import type { Caller, Entry, LobbySettings } from "../../src/domain/command.ts";
import { NODE_GAP_MS } from "../../src/limits.ts";
import { Lockstep } from "../support/lobby-lockstep.ts";
import { UNLIMITED } from "../support/lobby-rates.ts";
import { ACTS, type Alphabet, explore, keyOf, LEAPS, LETTERS } from "./explore.ts";

/** Clocks that all differ and are all short, in the order in which they run out in an ordinary lobby. */
const SETTINGS: LobbySettings = {
  widenMs: 3,
  graceMs: 5,
  availableMs: 7,
  idleMs: 11,
  matching: "fifo",
  rates: UNLIMITED,
  usersPerAddress: 0,
  loopMessagesMax: 2,
  retainUserMs: 100,
  usersMax: 3,
  queueMax: 3,
  mailboxBytesMax: 1_000_000,
  transcriptBytesMax: 64 * 1024 * 1024,
};

/** All commands, but not each in every way. */
const EVERYTHING: Alphabet = {
  settings: SETTINGS,
  entries: [{}, { interests: ["tea"] }],
  sessions: true,
  letters: allBut(
    "read_again",
    "block_last",
    "report_last",
    "move",
    "send_from_elsewhere",
    "open_in_session",
    "close_in_session",
  ),
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
  letters: pick(
    "send",
    "leave_chat",
    "look",
    "hold",
    "answer",
    "hang_up",
    "open",
    "close",
    "end_call",
    "end_session",
    "open_in_session",
    "close_in_session",
  ),
  leaps: LEAPS,
};

/** Meeting by a code: the first, the second and the third, and what becomes of the code. */
const CODES: Alphabet = {
  settings: SETTINGS,
  entries: [{ code: "elm" }, {}],
  sessions: false,
  letters: pick("leave_queue", "leave_chat", "block", "open", "close"),
  leaps: { on_time: LEAPS.on_time, just_before: LEAPS.just_before, far: LEAPS.far },
};

/** Three people, two of them from one address, who block and report each other and move. */
const BLOCKS: Alphabet = {
  settings: SETTINGS,
  entries: [{}],
  sessions: false,
  addresses: ["x", "y", "x"],
  letters: pick("leave_chat", "block", "block_last", "report_last", "move"),
  leaps: { on_time: LEAPS.on_time, far: LEAPS.far },
};

/** The operator, who bans by person and by address, kicks, closes and changes their mind. */
const BANS: Alphabet = {
  settings: SETTINGS,
  entries: [{}, { code: "elm" }],
  sessions: false,
  addresses: ["x", "y", "x"],
  letters: pick("ban", "kick", "close_room", "leave_chat", "send", "report", "move", "hold"),
  acts: ACTS,
  leaps: { on_time: LEAPS.on_time, a_little: (now) => now + 4, far: LEAPS.far },
};

/** A server that is started again and again, at any moment, whatever is open or under way. */
const RESTARTS: Alphabet = {
  settings: SETTINGS,
  entries: [{}, { interests: ["tea"] }, { code: "elm" }],
  sessions: false,
  letters: pick("leave_chat", "send", "look", "open", "close", "hold", "hang_up"),
  acts: { restart: () => ({ type: "restart", settings: SETTINGS }) },
  leaps: { on_time: LEAPS.on_time, just_before: LEAPS.just_before },
};

/** Streams and held calls of two people at two nodes, of which each may fall silent, leave and come back. */
const NODES: Alphabet = {
  settings: { ...SETTINGS, graceMs: 2000, idleMs: 6000, availableMs: 4000 },
  entries: [{}],
  sessions: true,
  letters: pick("look", "open", "close", "open_in_session", "close_in_session", "hold", "hang_up", "end_session"),
  acts: {
    beat: () => ({ type: "beat_node" }),
    leave: () => ({ type: "leave_node" }),
    join: ({ settings }) => ({ type: "join_node", settings, rules: 1 }),
  },
  nodes: ["x", "y"],
  leaps: {
    on_time: LEAPS.on_time,
    nearly_a_gap: (now) => now + NODE_GAP_MS,
    a_gap: (now) => now + NODE_GAP_MS + 1,
  },
};

/** Two nodes, and nobody at them. */
const JOINED: readonly Entry[] = ["x", "y"].map((node) => ({
  at: 0,
  entropy: node.padEnd(22, "x"),
  command: { type: "join_node", settings: NODES.settings, rules: 1 },
  origin: { node, n: 1 },
}));

/** Two agents who have just met. */
const MET = ["t1", "t2"].map((name) => cameIn(name, { session: `s-${name}` }));

/** They have met at the first of two nodes. */
const MET_AT_NODES: readonly Entry[] = [
  ...JOINED,
  ...MET.map((entry, i): Entry => ({ ...entry, origin: { node: "x", n: 2 + i } })),
];

/** Two agents from different places who have just met. */
const MET_AT_X_AND_Y = [cameIn("t1", { address: "x" }), cameIn("t2", { address: "y" })];

function cameIn(name: string, caller: Caller): Entry {
  const command = { type: "enter_queue", caller, newToken: name, kind: "agent" } as const;
  return { at: 0, entropy: name.padEnd(22, "x"), command };
}

test.each([
  ["everything", EVERYTHING, 5, 26_000],
  ["meeting", MEETING, 5, 8000],
  ["talking", TALKING, 6, 6000],
  ["talking once they have met", { ...TALKING, before: MET }, 4, 4500],
  ["codes", CODES, 6, 15_000],
  ["blocks once they have met", { ...BLOCKS, before: MET_AT_X_AND_Y }, 5, 10_000],
  ["bans", BANS, 5, 12_000],
  ["bans once they have met", { ...BANS, before: MET_AT_X_AND_Y }, 4, 24_000],
  ["lines", LINES, 6, 13_000],
  ["restarts", RESTARTS, 5, 7500],
  ["restarts once they have met", { ...RESTARTS, before: MET }, 4, 7000],
  ["nodes", { ...NODES, before: JOINED }, 6, 5000],
  ["nodes once they have met", { ...NODES, before: MET_AT_NODES }, 4, 10_000],
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

test("the commands of all alphabets meet every outcome that three people can have", () => {
  const seen = new Set<string>();
  for (const [alphabet, depth] of [
    [{ ...EVERYTHING, before: MET }, 3],
    [CODES, 4],
    [{ ...BANS, before: MET_AT_X_AND_Y }, 3],
  ] as const)
    for (const outcome of explore(alphabet, depth).seen) seen.add(outcome);
  const outcomes =
    "entered queued matched left_queue posted left_room room_closed seen read holding hold_ended mail bound unbound " +
    "stream_opened stream_closed session_ended ticked forgotten not_waiting not_in_room loop_limit meeting " +
    "left_meeting blocked reported operated operated_nothing announced busy room_full banned";
  expect(outcomes.split(" ").filter((outcome) => !seen.has(outcome))).toEqual([]);
});

function pick(...names: readonly (keyof typeof LETTERS)[]): Alphabet["letters"] {
  return Object.fromEntries(names.map((name) => [name, LETTERS[name]]));
}

function allBut(...names: readonly (keyof typeof LETTERS)[]): Alphabet["letters"] {
  return Object.fromEntries(Object.entries(LETTERS).filter(([name]) => !(names as readonly string[]).includes(name)));
}
