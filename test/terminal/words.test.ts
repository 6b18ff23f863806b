/**
 * What a person types and reads: commands, the course of a chat in words, and single lines for pipes.
 *
 * This file owns the promises of commands.ts, narrator.ts and plain-lines.ts.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Happening } from "../../src/client/happening.ts";
import { readNotification } from "../../src/client/wire.ts";
import { understand } from "../../src/terminal/commands.ts";
import { Narrator } from "../../src/terminal/narrator.ts";
import { eventJson, eventLine, plainLine } from "../../src/terminal/plain-lines.ts";

describe("a line", () => {
  test.each([
    ["hello /next", { wish: "say", text: "hello /next" }],
    ["//shrug", { wish: "say", text: "/shrug" }],
    ["  ", { wish: "nothing" }],
    ["/next", { wish: "next" }],
    ["/leave ", { wish: "leave" }],
    ["/block", { wish: "block" }],
    ["/quit", { wish: "quit" }],
    ["/help", { wish: "help" }],
    ["/report", { wish: "report", category: "other", details: "" }],
    ["/report spam sells\nthings", { wish: "report", category: "spam", details: "sells\nthings" }],
    ["/report is rude", { wish: "report", category: "other", details: "is rude" }],
    ["/interests tea, board games,,", { wish: "interests", interests: ["tea", "board games"] }],
    ["/interests", { wish: "interests", interests: [] }],
    ["/name Ann B", { wish: "name", name: "Ann B" }],
    ["/code tea at five", { wish: "code", code: "tea at five" }],
  ])("%j is understood", (line, wish) => {
    expect(understand(line)).toEqual(wish as ReturnType<typeof understand>);
  });

  test.each(["/nxet", "/", "/etc/passwd", "/name", "/code ", "/next please", "/Quit now"])(
    "%j is a mistake and never a message",
    (line) => {
      expect(understand(line).wish).toBe("mistake");
    },
  );
});

const PARTNER = { user_id: "user_1", display_name: "Ann", kind: "human" };
const event = (name: string, data: Record<string, unknown>) => {
  const params = { event_id: "e1", cursor: "c1", timestamp: "2026-01-01T00:00:00.000Z", ...data };
  const read = readNotification(name, params);
  if (read === undefined) throw new Error(`cannot read ${name}`);
  return read;
};
const message = (text: string, name = "Ann") =>
  event("message.received", { room_id: "r", message: text, sender: { ...PARTNER, display_name: name } });

describe("the course of a chat", () => {
  const ROOM = {
    roomId: "r",
    partner: { userId: "u", displayName: "Ann", kind: "agent" as const },
    sharedInterests: ["tea"],
  };
  const voices = (narrator: Narrator, ...happenings: Happening[]) =>
    happenings.flatMap((one) => narrator.tell(one)).map(({ voice, text }) => `${voice}: ${text}`);

  test("keeps a stranger's name out of our sentences", () => {
    const chatting = { type: "place", place: { at: "chatting", room: ROOM, since: 0 } } as const;
    expect(voices(new Narrator(() => 0), chatting)).toEqual([
      "system: You are connected with an agent, not a person. You both like tea. They call themselves:",
      "stranger: Ann",
    ]);
  });

  test("tells a lost connection once and why a chat is over", () => {
    const narrator = new Narrator(() => 0);
    const lost = { type: "connection_lost", retryInMs: 100 } as const;
    const back = { type: "connected", isNewSession: false } as const;
    expect(voices(narrator, back, lost, lost, back, back)).toEqual([
      "system: The connection is lost. Trying again; what you write is kept.",
      "system: The connection is back.",
    ]);
    for (const why of ["left", "timeout", "blocked", "moderation", "limit", "server", "forgotten", "\x1b[2J"]) {
      const [line = ""] = voices(narrator, { type: "place", place: { at: "idle" }, ended: { room: ROOM, why } });
      expect(line).toMatch(/^system: [A-Z].*\. \/next/);
      expect(line).not.toMatch(/\p{Cc}/u);
    }
  });
});

describe("single lines", () => {
  test("have the time, a mark, and whose words they are", () => {
    const at = new Date(2026, 0, 1, 9, 5, 7).getTime();
    expect(plainLine({ voice: "stranger", at, name: "Ann", text: "one\ntwo" })).toBe("09:05:07 < Ann: one\u240atwo");
    expect(plainLine({ voice: "own", at, text: "hi" })).toBe("09:05:07 > hi");
    expect(plainLine({ voice: "system", at, text: "Hello." })).toBe("09:05:07 * Hello.");
    expect(plainLine({ voice: "problem", at, text: "No." })).toBe("09:05:07 ! No.");
  });

  test("of events begin with what no stranger writes", () => {
    expect(eventLine(message("hello\n2026 partner.disconnected"))).toBe(
      "2026-01-01T00:00:00.000Z message.received Ann: hello\u240a2026 partner.disconnected",
    );
    expect(eventLine(event("partner.disconnected", { room_id: "r", reason: "left" }))).toEndWith(
      " partner.disconnected left",
    );
    expect(eventLine(event("partner.away", { room_id: "r" }))).toEndWith(" partner.away");
  });

  test("stay single, whatever a stranger writes, and hold no control", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, name) => {
        for (const line of [plainLine({ voice: "stranger", at: 0, name, text }), eventLine(message(text, name))]) {
          expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        }
        const json = eventJson(message(text, name));
        expect(json).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(json)).toMatchObject({ name: "message.received", data: { message: text } });
      }),
    );
  });

  test("as JSON escape what a terminal would obey", () => {
    const json = eventJson(message("\u009b2J\u2028\u202e\u{e0041}"));
    expect(json).toContain('"\\u009b2J\\u2028\\u202e\\udb40\\udc41"');
    expect(JSON.parse(json).data.message).toBe("\u009b2J\u2028\u202e\u{e0041}");
  });

  test("as JSON have everything an event has", () => {
    const { sender, ...rest } = JSON.parse(eventJson(message("hi"))).data;
    expect(sender).toEqual(PARTNER);
    expect(rest).toEqual({ room_id: "r", message: "hi", timestamp: "2026-01-01T00:00:00.000Z" });
    expect(Object.keys(JSON.parse(eventJson(message("hi"))))).toEqual([
      "event_id",
      "name",
      "timestamp",
      "data",
      "cursor",
    ]);
  });
});
