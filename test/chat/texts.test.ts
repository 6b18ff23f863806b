/** What of a stranger's texts may stand: first the sanitising boundary, then the operator's word list. */
import { describe, expect, test } from "bun:test";
import { Texts } from "../../src/chat/texts.ts";
import type { WordFilter } from "../../src/chat/words.ts";
import type { JsonObject } from "../../src/mcp/registry.ts";
import { ChatWorld, refusalCode } from "../support/chat-world.ts";

/** Refuses `forbidden`, masks `darn` and empties `void`. */
const LIST: WordFilter = {
  check: (text) =>
    /forbidden/i.test(text)
      ? { ok: false }
      : { ok: true, text: text.replaceAll(/darn/gi, "****").replaceAll("void", "") },
};

describe("with a word list", () => {
  const texts = new Texts(30, LIST);

  test("a message is refused, masked or left as it is", () => {
    expect(texts.message("hello")).toEqual({ ok: true, text: "hello" });
    expect(texts.message("oh darn it")).toEqual({ ok: true, text: "oh **** it" });
    expect(texts.message("Forbidden!")).toEqual({ ok: false, reason: "listed_word" });
  });

  test("the list sees what others would see: hidden characters split no word", () => {
    expect(texts.message("for\u200bbid\u00adden")).toEqual({ ok: false, reason: "listed_word" });
    expect(texts.message("da\u2060rn")).toEqual({ ok: true, text: "****" });
  });

  test("what a text fails by itself it fails first, and a token is named whatever else is in it", () => {
    expect(texts.message("")).toEqual({ ok: false, reason: "empty" });
    expect(texts.message("forbidden".repeat(10))).toEqual({ ok: false, reason: "too_long" });
    expect(texts.message(`forbidden mcpc_${"A".repeat(43)}`)).toEqual({ ok: false, reason: "holds_token" });
  });

  test("what a mask leaves must still be able to stand", () => {
    expect(texts.message("void")).toEqual({ ok: false, reason: "listed_word" });
    expect(texts.name("darn")).toEqual({ ok: false, reason: "listed_word" });
    expect(texts.name("darn Ann")).toEqual({ ok: true, text: "**** Ann" });
  });

  test("who reports quotes what was said", () => {
    expect(texts.details("he said darn and forbidden")).toEqual({ ok: true, text: "he said darn and forbidden" });
  });

  test("an interest of which only the mask is left is left out; others stand", () => {
    expect(texts.interests(["tea", "darn", "darn good tea"])).toEqual({
      ok: true,
      interests: ["tea", "**** good tea"],
    });
    expect(texts.interests(["tea", "forbidden things"])).toEqual({ ok: false, reason: "listed_word" });
    expect(texts.interests(["a", "b"])).toEqual({ ok: true, interests: ["a", "b"] });
  });

  test("a chosen id is never masked, and never a token", () => {
    expect(texts.userId("ann-1")).toEqual({ ok: true, text: "ann-1" });
    expect(texts.userId("darn")).toEqual({ ok: false, reason: "listed_word" });
    expect(texts.userId("forbidden")).toEqual({ ok: false, reason: "listed_word" });
    expect(texts.userId(`mcpc_${"A".repeat(43)}`)).toEqual({ ok: false, reason: "holds_token" });
  });
});

test("without a word list nothing is looked for, and a plain message stays the very same text", () => {
  const texts = new Texts(30, undefined);
  expect(texts.message("forbidden darn")).toEqual({ ok: true, text: "forbidden darn" });
  expect(texts.interests(["darn"])).toEqual({ ok: true, interests: ["darn"] });
});

test("every tool that carries a text asks the list, and says that it was the words", async () => {
  const world = new ChatWorld({}, { words: LIST });
  const { ann, bob } = await world.pair();
  const calls: [string, JsonObject][] = [
    ["send_message", { session_token: ann, message: "forbidden" }],
    ["enter_queue", { display_name: "forbidden" }],
    ["enter_queue", { interests: ["forbidden"] }],
    ["enter_queue", { user_id: "forbidden" }],
    ["join_room", { room_code: "abcdef", display_name: "forbidden" }],
  ];
  for (const [tool, args] of calls) {
    const result = await world.call(tool, args);
    expect([tool, refusalCode(result)]).toEqual([tool, "message_refused"]);
    expect(JSON.stringify(result)).toContain("not allowed on this server");
    expect(JSON.stringify(result)).not.toContain("forbidden");
  }
  await world.ask("send_message", { session_token: ann, message: "oh darn" });
  const heard = await world.ask("wait_for_message", { session_token: bob });
  expect(JSON.stringify(heard.events)).toContain("oh ****");
});
