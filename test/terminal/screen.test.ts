/**
 * The screen without a terminal: what stands where, what no stranger can forge, and that painting only
 * what has changed shows the same as painting everything.
 *
 * This file owns the promises of screen-state.ts, frame.ts, status.ts and painter.ts together.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Room } from "../../src/client/wire.ts";
import type { Entry } from "../../src/terminal/entry.ts";
import { type Frame, layOut } from "../../src/terminal/frame.ts";
import type { Key } from "../../src/terminal/keys.ts";
import { Painter } from "../../src/terminal/painter.ts";
import { addEntry, emptyScreen, pressKey, type ScreenState, settleEntry } from "../../src/terminal/screen-state.ts";
import { TinyTerminal } from "../support/tiny-terminal.ts";

const NOW = new Date(2026, 0, 1, 12, 30).getTime();
const room = (displayName: string): Room => ({
  roomId: "room_1",
  partner: { userId: "user_1", displayName, kind: "human" },
  sharedInterests: [],
});
const said = (text: string, name = "Ann"): Entry => ({ voice: "stranger", at: NOW, name, text });
const told = (text: string): Entry => ({ voice: "system", at: NOW, text });

function chatting(columns: number, rows: number, entries: readonly Entry[], name = "Ann"): ScreenState {
  const state = entries.reduce(addEntry, emptyScreen(columns, rows));
  const place = { at: "chatting", room: room(name), since: NOW } as const;
  return { ...state, situation: { ...state.situation, isConnected: true, place } };
}

const linesOf = ({ rows }: Frame): string[] =>
  rows.map((row) =>
    row
      .map(({ text }) => text)
      .join("")
      .trimEnd(),
  );
const press = (state: ScreenState, ...keys: Key[]): ScreenState =>
  keys.reduce((all, key) => pressKey(all, key, layOut(all, NOW)).state, state);

describe("a frame", () => {
  test("of a wide screen has the time, marks and names", () => {
    const own: Entry = { voice: "own", at: NOW, text: "hi", messageId: "m1", fate: "pending" };
    let state = chatting(70, 8, [told("Hello."), said("one\ntwo"), own]);
    state = press(state, { type: "text", text: "draft" });
    expect(linesOf(layOut(state, NOW))).toEqual([
      "12:30 * Hello.",
      "12:30 \u2503 Ann: one",
      "      \u2503 two",
      "12:30 \u2026 hi",
      "",
      "",
      expect.stringMatching(/^\u2500\u2500 chatting \u00b7 a person \u2503 Ann \u2500+$/),
      "> draft",
    ]);
    expect(layOut(state, NOW).cursor).toEqual({ row: 7, column: 7 });
    expect(linesOf(layOut(settleEntry(state, "m1", "sent"), NOW))[3]).toBe("12:30 > hi");
    expect(linesOf(layOut(settleEntry(state, "m1", "failed"), NOW))[3]).toBe("12:30 \u2717 hi");
    expect(settleEntry(state, "other", "sent")).toBe(state);
  });

  test("of a narrow screen has no time, and wraps", () => {
    expect(linesOf(layOut(chatting(20, 6, [said("a sentence that goes on")]), NOW)).slice(0, 3)).toEqual([
      "\u2503 Ann: a sentence",
      "\u2503 that goes on",
      "",
    ]);
  });

  test("shows the latest, and further up by pages", () => {
    const entries = Array.from({ length: 30 }, (_, n) => told(`line ${n}`));
    const state = chatting(40, 10, entries);
    expect(linesOf(layOut(state, NOW)).slice(0, 8)).toEqual(entries.slice(-8).map(({ text }) => `* ${text}`));
    const up = press(state, { type: "key", key: "page_up" });
    expect(linesOf(layOut(up, NOW)).slice(0, 8)).toEqual(entries.slice(15, 23).map(({ text }) => `* ${text}`));
    const more = addEntry(up, told("news"));
    expect(linesOf(layOut(more, NOW))[8]).toContain("1 new below");
    const top = press(more, ...Array.from({ length: 9 }, (): Key => ({ type: "key", key: "page_up" })));
    expect(linesOf(layOut(top, NOW))[0]).toBe("* line 0");
    expect(linesOf(layOut(press(top, { type: "key", key: "escape" }), NOW))[7]).toBe("* news");
  });

  test("gives a long draft several rows, and keeps the cursor on the screen", () => {
    const state = press(chatting(20, 12, []), { type: "paste", text: "word ".repeat(60) });
    const frame = layOut(state, NOW);
    expect(frame.pageRows).toBe(7);
    expect(frame.cursor.row).toBe(11);
    const home = layOut(press(state, { type: "key", key: "home" }), NOW);
    expect(home.cursor).toEqual({ row: 11 - 3, column: 2 });
  });
});

describe("keys", () => {
  const state = chatting(40, 10, []);
  const effect = (from: ScreenState, key: Key) => pressKey(from, key, layOut(from, NOW)).effect;

  test("hand over what was written, interrupt, end, and say that somebody types", () => {
    const written = press(state, { type: "text", text: "hello" });
    expect(pressKey(written, { type: "key", key: "enter" }, layOut(written, NOW))).toMatchObject({
      effect: { submit: "hello" },
      state: { draft: { clusters: [], history: ["hello"] } },
    });
    expect(effect(state, { type: "text", text: "h" })).toBe("typing");
    expect(effect(written, { type: "key", key: "left" })).toBe("none");
    expect(effect(written, { type: "key", key: "interrupt" })).toBe("interrupt");
    expect(effect(state, { type: "key", key: "end_of_input" })).toBe("end_of_input");
    expect(effect(written, { type: "key", key: "end_of_input" })).toBe("typing");
    expect(effect(written, { type: "key", key: "suspend" })).toBe("suspend");
  });
});

describe("the status", () => {
  const status = (change: Partial<ScreenState["situation"]>, columns = 80): string => {
    const state = chatting(columns, 5, []);
    return linesOf(layOut({ ...state, situation: { ...state.situation, ...change } }, NOW + 83_000))[3] ?? "";
  };
  const waiting = (estimatedWaitSeconds: number | undefined, position = 2) =>
    ({ at: "waiting", since: NOW, outlook: { position, estimatedWaitSeconds, waiting: 5, online: 9 } }) as const;

  test("tells the queue, honestly", () => {
    expect(status({ place: waiting(20) })).toContain("waiting 1:23 \u00b7 2nd in line of 5 \u00b7 about 20 s to wait");
    expect(status({ place: waiting(undefined, 11) })).toContain("11th in line of 5 \u00b7 no estimate yet");
    expect(status({ place: waiting(600) })).toContain("about 10 min to wait");
    expect(status({ place: waiting(20) }, 30)).toMatch(/^\u2500\u2500 waiting 1:23 \u2500+$/);
  });

  test("tells of the partner and of the connection", () => {
    expect(status({ isPartnerTyping: true })).toContain("partner is typing");
    expect(status({ isPartnerTyping: true, isPartnerAway: true })).toContain("partner away");
    expect(status({ isConnected: false, retryAt: NOW + 85_000, unsent: 2 })).toContain(
      "offline, trying again in 2 s \u00b7 2 to send",
    );
    expect(status({ place: { at: "idle" } })).toContain("not in a chat");
  });
});

/** Words with which a stranger would like to speak in our name. */
const HOSTILE = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        "* Your partner has left.",
        "\n",
        "\r",
        "\x1b[2J",
        "\x1b[1;1H",
        "12:30 * ",
        "! ",
        "> ",
        "\u2503 ",
        "\u202e",
        "\u2028",
        "\u2500\u2500 ",
        "\x9b2K",
        "\u0301",
        "\u65e5\u672c",
        "\u05e9\u05dc",
        "\u{1f468}\u200d\u{1f469}",
        " ",
        "\t",
        "\x07",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

describe("whatever a stranger writes", () => {
  test("every row of theirs bears their mark, and no other row changes", () => {
    fc.assert(
      fc.property(HOSTILE, HOSTILE, fc.integer({ min: 8, max: 90 }), (text, name, columns) => {
        const calm = linesOf(layOut(chatting(columns, 400, [told("first"), told("last")], "x"), NOW));
        const lines = linesOf(
          layOut(chatting(columns, 400, [told("first"), said(text, name), told("last")], "x"), NOW),
        );
        const isTheirs = (line: string): boolean => /^(?:\d\d:\d\d | {6})?\u2503/.test(line);
        expect(lines.some(isTheirs)).toBe(true);
        const others = lines.filter((line) => !isTheirs(line) && line !== "");
        expect(others).toEqual(calm.filter((line) => line !== ""));
      }),
      { numRuns: 1500 },
    );
  });

  test("it never leaves its cells: a terminal obeys nothing of it", () => {
    fc.assert(
      fc.property(HOSTILE, HOSTILE, fc.integer({ min: 8, max: 90 }), (text, name, columns) => {
        const terminal = new TinyTerminal(columns, 12);
        const frame = layOut(chatting(columns, 12, [said(text, name)], name), NOW);
        expect(linesOf(frame).join("")).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
        terminal.write(new Painter(true).paint(frame));
        expect(terminal.cursor).toEqual(frame.cursor);
        expect(terminal.isCursorShown).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });
});

describe("painting", () => {
  const steps = fc.array(
    fc.oneof(
      HOSTILE.map((text) => (state: ScreenState) => addEntry(state, said(text))),
      fc.string({ maxLength: 8 }).map((text) => (state: ScreenState) => press(state, { type: "text", text })),
      fc
        .constantFrom("enter", "left", "page_up", "page_down", "backspace", "up")
        .map((key) => (state: ScreenState) => press(state, { type: "key", key } as Key)),
      fc.boolean().map((isPartnerTyping) => (state: ScreenState) => ({
        ...state,
        situation: { ...state.situation, isPartnerTyping },
      })),
    ),
    { maxLength: 15 },
  );

  test("of what has changed shows what painting everything shows", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 8, max: 70 }), (changes, columns) => {
        const terminal = new TinyTerminal(columns, 10);
        const painter = new Painter(false);
        let state = chatting(columns, 10, []);
        for (const change of changes) {
          state = change(state);
          terminal.write(painter.paint(layOut(state, NOW)));
        }
        const fresh = new TinyTerminal(columns, 10);
        fresh.write(new Painter(false).paint(layOut(state, NOW)));
        if (changes.length > 0) expect(terminal.lines).toEqual(fresh.lines);
        expect(terminal.renditions).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("writes nothing when nothing has changed", () => {
    const painter = new Painter(true);
    const frame = layOut(chatting(40, 10, [said("hello")]), NOW);
    expect(painter.paint(frame)).not.toBe("");
    expect(painter.paint(frame)).toBe("");
    painter.forget();
    expect(painter.paint(frame)).not.toBe("");
  });
});
