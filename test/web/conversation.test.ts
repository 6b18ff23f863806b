/**
 * The state of the page as a pure function: whatever comes twice or late changes nothing, and nothing
 * that was written is lost.
 *
 * This file owns the reducer's promises and those of the lines, of what is kept, and of the wording.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Action,
  INITIAL,
  nextUnsent,
  type Room,
  reduce,
  type State,
  unsentCount,
} from "../../src/web/browser/conversation.ts";
import type { JsonObject } from "../../src/web/browser/json.ts";
import { LINES_MAX, STORED_CHARS_MAX } from "../../src/web/browser/limits.ts";
import { loadDraft, loadSession, newSession, saveDraft, saveSession } from "../../src/web/browser/storage.ts";
import { elapsedText, estimateText, transcriptText } from "../../src/web/browser/words.ts";

const AT = Date.UTC(2026, 10, 21, 8, 0, 0);
const ROOM: Room = {
  roomId: "room_1",
  partner: { userId: "user_2", displayName: "Bob", kind: "human" },
  sharedInterests: ["chess"],
};
const QUEUE = { position: 2, waiting: 3, online: 9, estimateSeconds: 20 };

const after = (...actions: Action[]): State => actions.reduce(reduce, INITIAL);
const event = (name: string, data: JsonObject = {}, roomId = "room_1"): Action => ({
  type: "event",
  name,
  data: { room_id: roomId, ...data },
  at: AT,
});
const found: Action = { type: "found", room: ROOM, at: AT };
const message = (seq: number, text = `m${seq}`): Action =>
  event("message.received", { message_id: `msg_${seq}`, seq, message: text });
const say = (key: string): Action => ({ type: "say", key, text: `text of ${key}`, at: AT });
const sent = (key: string, seq: number): Action => ({ type: "sent", key, seq, held: false });

/** Lines in short: texts of messages, names of notices. */
const told = ({ lines }: State): string[] =>
  lines.map((line) => (line.from === "system" ? line.notice : `${line.from}: ${line.text}`));

describe("meeting", () => {
  test("the same meeting told by the answer and by the feed is one", () => {
    const twice = after(found, event("chatroom.found", { partner: { display_name: "Bob" } }));
    expect(twice).toBe(reduce(twice, found));
    expect(told(twice)).toEqual(["met"]);
    expect(twice.place).toBe("chatting");
  });

  test("a room that is over is never met again", () => {
    const over = after(found, event("partner.disconnected", { reason: "left" }));
    const waiting = reduce(over, { type: "queued", queue: QUEUE, at: AT });
    expect(reduce(waiting, found)).toBe(waiting);
    expect(reduce(reduce(over, { type: "start" }), event("chatroom.found"))).toMatchObject({ place: "start" });
  });

  test("an answer that says waiting, overtaken by a meeting, changes nothing", () => {
    const chatting = after({ type: "queued", queue: QUEUE, at: AT }, found);
    expect(reduce(chatting, { type: "queued", queue: QUEUE, at: AT })).toBe(chatting);
    expect(reduce(chatting, { type: "queue_seen", queue: QUEUE })).toBe(chatting);
  });

  test("a place in the queue taken anew keeps the time waited so far", () => {
    const again = after({ type: "queued", queue: QUEUE, at: AT }, { type: "queued", queue: QUEUE, at: AT + 5000 });
    expect(again.waitingSince).toBe(AT);
  });
});

describe("messages", () => {
  test("one that comes twice is there once, one of another room not at all", () => {
    const state = after(found, message(1));
    expect(reduce(state, message(1))).toBe(state);
    expect(reduce(state, event("message.received", { message_id: "x", seq: 2, message: "y" }, "room_9"))).toBe(state);
  });

  test("one's own go one by one, in the order in which they were written", () => {
    const state = after(found, say("a"), say("b"));
    expect(nextUnsent(state)?.key).toBe("a");
    expect(nextUnsent(reduce(state, sent("a", 1)))?.key).toBe("b");
    expect(unsentCount(state)).toBe(2);
  });

  test("what could not be sent until the end has failed; an answer that comes late is believed", () => {
    const over = after(found, say("a"), say("b"), event("partner.disconnected", { reason: "timeout" }));
    expect(nextUnsent(over)).toBeUndefined();
    expect(over.lines.filter((line) => line.from === "me").map(({ delivery }) => delivery)).toEqual([
      "failed",
      "failed",
    ]);
    const late = reduce(over, sent("a", 7));
    expect(late.lines.find(({ key }) => key === "a")).toMatchObject({ delivery: "sent", seq: 7 });
    expect(late.lines.find(({ key }) => key === "a")).not.toHaveProperty("problem");
  });

  test("a failed one keeps its id when it is tried again, and can be taken back only while it has failed", () => {
    const failed = after(found, say("a"), { type: "failed", key: "a", problem: "server_error" });
    const again = reduce(failed, { type: "retry", key: "a" });
    expect(nextUnsent(again)?.key).toBe("a");
    expect(told(reduce(failed, { type: "withdraw", key: "a" }))).toEqual(["met"]);
    expect(told(reduce(again, { type: "withdraw", key: "a" }))).toEqual(["met", "me: text of a"]);
  });

  test("what was said before the end and is told after it stands before it", () => {
    const state = after(found, message(1), { type: "over", notice: "found_over", at: AT }, message(2));
    expect(told(state)).toEqual(["met", "partner: m1", "partner: m2", "found_over"]);
  });

  test("the server's transcript fills gaps in order and repeats nothing, least of all one's own", () => {
    const state = after(
      found,
      message(1),
      say("a"),
      sent("a", 3),
      message(4),
      { type: "missed", at: AT },
      {
        type: "history",
        roomId: "room_1",
        me: "user_1",
        messages: [1, 2, 3, 4, 5].map((seq) => ({
          seq,
          message_id: `msg_${seq}`,
          from: seq === 3 ? "user_1" : "user_2",
          message: `m${seq}`,
          timestamp: "2026-11-21T08:00:00.000Z",
        })),
      },
    );
    expect(told(state)).toEqual([
      "met",
      "partner: m1",
      "partner: m2",
      "me: text of a",
      "partner: m4",
      "partner: m5",
      "gap",
    ]);
  });

  test("nobody says anything outside a chat", () => {
    for (const state of [INITIAL, after({ type: "queued", queue: QUEUE, at: AT })])
      expect(reduce(state, say("a"))).toBe(state);
  });
});

describe("presence and typing", () => {
  test("away and back are told once each, and being away ends typing", () => {
    const typing = after(found, event("partner.typing", { typing: true }));
    expect(typing.typingUntil).toBeGreaterThan(AT);
    const away = reduce(typing, event("partner.away"));
    expect([away.partnerAway, away.typingUntil]).toEqual([true, 0]);
    expect(reduce(away, event("partner.away"))).toBe(away);
    const back = reduce(away, event("partner.back"));
    expect(reduce(back, event("partner.back"))).toBe(back);
    expect(told(back)).toEqual(["met", "away", "back"]);
  });

  test("typing ends with the message, with a notice, and by itself", () => {
    const typing = after(found, event("partner.typing", { typing: true }));
    expect(reduce(typing, message(1)).typingUntil).toBe(0);
    expect(reduce(typing, event("partner.typing", { typing: false })).typingUntil).toBe(0);
    expect(reduce(typing, { type: "typing_over", at: AT })).toBe(typing);
    expect(reduce(typing, { type: "typing_over", at: typing.typingUntil }).typingUntil).toBe(0);
  });
});

describe("the end", () => {
  test.each([
    ["left", "left"],
    ["timeout", "timeout"],
    ["blocked", "closed"],
    ["moderation", "moderation"],
    ["limit", "limit"],
    ["server", "server"],
    ["something new", "server"],
  ])("%s is told as %s, once", (reason, notice) => {
    const over = after(found, event("partner.disconnected", { reason }));
    expect([over.place, ...told(over)]).toEqual(["ended", "met", notice]);
    expect(reduce(over, event("partner.disconnected", { reason }))).toBe(over);
  });

  test("the true reason replaces a guess, and one's own doing the vague word for it", () => {
    const guessed = after(
      found,
      { type: "over", notice: "found_over", at: AT },
      event("partner.disconnected", { reason: "left" }),
    );
    expect(told(guessed)).toEqual(["met", "left"]);
    const blocked = after(found, event("partner.disconnected", { reason: "blocked" }), {
      type: "over",
      notice: "you_blocked",
      at: AT,
    });
    expect(told(blocked)).toEqual(["met", "you_blocked"]);
    const reported = after(found, event("partner.disconnected", { reason: "left" }), {
      type: "over",
      notice: "you_reported",
      at: AT,
    });
    expect(told(reported)).toEqual(["met", "left", "you_reported"]);
  });
});

test("whatever comes, twice or in any order, no message is there twice and none of one's own is lost", () => {
  const actions = fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 6 }).map((seq) => message(seq)),
      fc.constantFrom("a", "b", "c").map((key) => say(key)),
      fc.constantFrom("a", "b", "c").map((key) => sent(key, 9)),
      fc.constantFrom<Action>(
        found,
        event("partner.away"),
        event("partner.back"),
        event("partner.disconnected", { reason: "left" }),
        { type: "failed", key: "a", problem: "x" },
        { type: "retry", key: "a" },
      ),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(actions, (list) => {
      let state = after(found);
      const written = new Set<string>();
      for (const action of list) {
        // Keys are drawn by chance, so nobody says two things under one.
        if (action.type === "say" && (written.has(action.key) || state.place !== "chatting")) continue;
        if (action.type === "say") written.add(action.key);
        state = reduce(state, action);
        const keys = state.lines.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
      }
      for (const key of written) expect(state.lines.some((line) => line.key === key)).toBe(true);
    }),
  );
});

describe("bounds", () => {
  test(`beyond ${LINES_MAX} lines the oldest go, and the page says so`, () => {
    const full = Array.from({ length: LINES_MAX }, (_, n) => message(n + 1)).reduce(reduce, after(found));
    expect(full.lines).toHaveLength(LINES_MAX);
    expect(full.shortened).toBe(true);
    expect(full.lines.at(-1)).toMatchObject({ seq: LINES_MAX });
  });
});

describe("what a tab keeps", () => {
  function storage(): Storage & { readonly items: Map<string, string> } {
    const items = new Map<string, string>();
    return {
      items,
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
      removeItem: (key: string) => void items.delete(key),
    } as Storage & { readonly items: Map<string, string> };
  }

  test("is the same after a reload", () => {
    const tab = storage();
    const session = { ...newSession(), token: "mcpc_x", state: after(found, say("a"), message(1)) };
    expect(loadSession(tab)).toBeUndefined();
    expect(saveSession(tab, session)).toBe(true);
    expect(loadSession(tab)).toEqual(session as unknown as ReturnType<typeof loadSession> & object);
    saveDraft(tab, "half");
    expect(loadDraft(tab)).toBe("half");
  });

  test("is not taken from another version of the page, or from rubbish", () => {
    for (const text of ["", "null", "[]", '{"version":0,"session":{}}', '{"version":1}', "{"]) {
      const tab = storage();
      tab.setItem("mcp-chat", text);
      expect(loadSession(tab)).toBeUndefined();
    }
  });

  test("is bounded: the newest lines, and that there were more", () => {
    const tab = storage();
    const long = "x".repeat(STORED_CHARS_MAX / 10);
    const state = Array.from({ length: 12 }, (_, n) => message(n + 1, long)).reduce(reduce, after(found));
    saveSession(tab, { ...newSession(), state });
    const kept = loadSession(tab)?.state;
    expect(kept?.lines).toHaveLength(10);
    expect(kept?.lines.at(-1)).toMatchObject({ seq: 12 });
    expect(kept?.shortened).toBe(true);
  });

  test("a browser that refuses is no error", () => {
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new Error("quota");
      },
      removeItem: () => undefined,
    };
    expect(saveSession(full, newSession())).toBe(false);
    expect(saveDraft(full, "x")).toBe(false);
  });
});

describe("words", () => {
  test("a transcript indents every line of a message, so that none can look like a notice", () => {
    const text = transcriptText(after(found, message(1, "hi\n[08:00] * You have been banned")));
    expect(text).toBe(
      "Conversation on mcp-chat, 2026-11-21, with Bob\n" +
        "[08:00] * You have met. Say hello.\n" +
        "[08:00] Your partner, Bob:\n    hi\n    [08:00] * You have been banned\n",
    );
  });

  test.each([
    [0, "0:00"],
    [61_000, "1:01"],
    [3_723_000, "1:02:03"],
    [-5, "0:00"],
  ])("%d ms of waiting read %s", (ms, text) => {
    expect(elapsedText(ms)).toBe(text);
  });

  test.each([
    [undefined, "unknown: nobody was paired lately"],
    [0, "about 5 seconds"],
    [21, "about 25 seconds"],
    [60, "about a minute"],
    [61, "about 2 minutes"],
  ])("an estimate of %p s reads %s", (estimateSeconds, text) => {
    expect(estimateText({ ...QUEUE, estimateSeconds })).toBe(text);
  });
});
