/**
 * Every refusal that can be provoked now, over raw HTTP and in both eras: a tool result that names
 * its code, fits the listed schema, and leaves everything as it was.
 *
 * This file owns refusals and their codes. It must never import from src.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as core from "@modelcontextprotocol/core";
import * as sdk from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import {
  type Json,
  newCaller,
  pairUp,
  type RawCaller,
  RawModern,
  RawSession,
  type ToolAnswer,
} from "../support/client-raw.ts";
import { type ListedTools, listTools } from "../support/client-schemas.ts";
import { type Program, startProgram } from "../support/program.ts";

const ERAS = ["legacy", "modern"] as const;
const FORGED = `mcpc_${"A".repeat(43)}`;

let server: Program;
/** With room for two users, one of them waiting, rooms of agents that end early, and slow speakers. */
let narrow: Program;
beforeAll(async () => {
  [server, narrow] = await Promise.all([
    startProgram({ kind: "source", args: ["--rate-messages-per-second", "0", "--message-chars-max", "100"] }),
    startProgram({
      kind: "source",
      args: [
        ..."--users-max 3 --queue-max 2 --loop-messages-max 3".split(" "),
        ..."--rate-messages-per-second 0.001 --rate-messages-burst 2".split(" "),
      ],
    }),
  ]);
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  expect(await narrow.stop()).toBe(0);
});

const refusalSchema = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string().min(10),
    retry_after_ms: z.int().nonnegative().optional(),
  }),
});

function expectRefusal(tools: ListedTools, tool: string, answer: ToolAnswer, code: string): void {
  expect(answer.status).toBe(200);
  expect([answer.refusal, answer.isError]).toEqual([code, true]);
  const { error } = refusalSchema.parse(answer.structured);
  expect(tools.fault(tool, answer.structured)).toBeUndefined();
  expect(answer.said).toBe(JSON.stringify(answer.structured));
  expect(() => sdk.CallToolResultSchema.parse(answer.result)).not.toThrow();
  expect(() => core.CallToolResultSchema.parse(answer.result)).not.toThrow();
  expect(error.retry_after_ms !== undefined).toBe(code === "rate_limited" || code === "unavailable");
}

describe.each(ERAS)("%s", (era) => {
  let tools: ListedTools;
  beforeAll(async () => {
    tools = await listTools(await newCaller(server.url, era));
  });

  async function refused(caller: RawCaller, tool: string, args: Json, code: string): Promise<ToolAnswer> {
    const answer = await caller.call(tool, args);
    expectRefusal(tools, tool, answer, code);
    return answer;
  }

  /** Two who chat, to be parted with `leave_chat`. */
  async function pair(): Promise<{ ann: RawCaller; bob: RawCaller; room: string }> {
    const [ann, bob] = [await newCaller(server.url, era), await newCaller(server.url, era)];
    return { ann, bob, room: await pairUp(ann, bob) };
  }

  test.each([
    ["leave_queue", {}],
    ["send_message", { message: "hello" }],
    ["wait_for_message", {}],
    ["set_typing", {}],
    ["get_history", { room_id: "room_unknown" }],
    ["chat_status", {}],
    ["leave_chat", {}],
    ["report_partner", { category: "spam" }],
    ["block_partner", {}],
  ])("no_session: %s of somebody unknown", async (tool, args) => {
    await refused(await newCaller(server.url, era), tool, args, "no_session");
  });

  test.each([
    ["enter_queue", {}],
    ["leave_queue", {}],
    ["join_room", { room_code: "abcdef" }],
    ["send_message", { message: "hello" }],
    ["wait_for_message", {}],
    ["set_typing", {}],
    ["get_history", { room_id: "room_unknown" }],
    ["chat_status", {}],
    ["leave_chat", {}],
    ["report_partner", { category: "spam" }],
    ["block_partner", {}],
  ])("bad_session_token: %s with a forged token, as argument and as bearer", async (tool, args) => {
    await refused(await newCaller(server.url, era), tool, { ...args, session_token: FORGED }, "bad_session_token");
    const bearer = await newCaller(server.url, era, { authorization: `Bearer ${FORGED}` });
    await refused(bearer, tool, args, "bad_session_token");
    const { said } = await bearer.call(tool, args);
    expect(said).not.toContain("AAAA");
  });

  test("a bearer that is no session token is ignored", async () => {
    const caller = await newCaller(server.url, era, { authorization: "Bearer something-else" });
    expect((await caller.call("enter_queue")).isError).toBe(false);
    expect((await caller.call("leave_queue")).isError).toBe(false);
  });

  test("identity_conflict: two that are known, and a second id of one's own", async () => {
    const [ann, bob] = [new RawModern(server.url), new RawModern(server.url)];
    await ann.call("enter_queue", { partner_kind: "agent", kind: "human" });
    await bob.call("enter_queue", { partner_kind: "agent", kind: "human" });
    const both = await newCaller(server.url, era, { authorization: `Bearer ${ann.token}` });
    await refused(both, "chat_status", { session_token: bob.token }, "identity_conflict");
    expect((await both.call("chat_status", { session_token: ann.token })).isError).toBe(false);
    await Promise.all([ann.call("leave_queue"), bob.call("leave_queue")]);
    await refused(both, "enter_queue", { session_token: ann.token, user_id: `other-${era}` }, "identity_conflict");
  });

  test("user_id_taken, until it is called for with its own token", async () => {
    const user_id = `chosen-${era}`;
    const [ann, bob] = [await newCaller(server.url, era), await newCaller(server.url, era)];
    const entered = await ann.call("enter_queue", { user_id });
    expect(entered.structured.user_id).toBe(user_id);
    await refused(bob, "enter_queue", { user_id }, "user_id_taken");
    await ann.call("leave_queue");
    await refused(bob, "enter_queue", { user_id }, "user_id_taken");
    const again = new RawModern(server.url);
    again.token = String(entered.structured.session_token);
    expect((await again.call("enter_queue", { user_id })).structured).toMatchObject({ user_id, status: "waiting" });
    await again.call("leave_queue");
  });

  test("not_waiting, not_in_room", async () => {
    const ann = await newCaller(server.url, era);
    await ann.call("enter_queue");
    await refused(ann, "leave_chat", {}, "not_in_room");
    await refused(ann, "send_message", { message: "hello" }, "not_in_room");
    await refused(ann, "set_typing", {}, "not_in_room");
    await refused(ann, "block_partner", {}, "not_in_room");
    await refused(ann, "report_partner", { category: "spam" }, "not_in_room");
    await refused(ann, "join_room", { room_code: "abcdef" }, "busy");
    await ann.call("leave_queue");
    await refused(ann, "leave_queue", {}, "not_waiting");
  });

  test("room_not_found for rooms that never were and for other people's, chat_ended for one's own", async () => {
    const { ann, bob, room } = await pair();
    const others = await pair();
    for (const room_id of ["room_unknown", others.room, ""]) {
      await refused(ann, "send_message", { room_id, message: "hello" }, "room_not_found");
      await refused(ann, "leave_chat", { room_id }, "room_not_found");
      await refused(ann, "set_typing", { room_id }, "room_not_found");
      await refused(ann, "get_history", { room_id }, "room_not_found");
      await refused(ann, "block_partner", { room_id }, "room_not_found");
      await refused(ann, "report_partner", { room_id, category: "spam" }, "room_not_found");
    }
    await refused(ann, "leave_queue", {}, "not_waiting");
    expect((await others.bob.call("chat_status")).structured).toMatchObject({ status: "chatting", unread_count: 1 });
    await bob.call("leave_chat");
    await refused(ann, "send_message", { room_id: room, message: "late" }, "chat_ended");
    await refused(bob, "leave_chat", { room_id: room }, "chat_ended");
    await refused(bob, "set_typing", { room_id: room }, "chat_ended");
    await refused(bob, "send_message", { room_id: others.room, message: "hello" }, "room_not_found");
    await others.ann.call("leave_chat");
  });

  test.each([
    ["message_empty", ""],
    ["message_empty", " \n\t "],
    ["message_empty", "\u200b\u202e\u2066\u{e0041}"],
    ["message_too_long", "x".repeat(101)],
    ["message_refused", `keep this: ${FORGED}`],
    ["message_refused", `keep this: m\u200bcpc_${"A".repeat(20)} ${"A".repeat(20)}`],
  ])("%s", async (code, message) => {
    const { ann, bob } = await pair();
    await refused(ann, "send_message", { message }, code);
    expect((await bob.call("chat_status")).structured).toMatchObject({ unread_count: 1 });
    await ann.call("leave_chat");
  });

  test("a message of exactly the longest length is taken, counted in characters", async () => {
    const { ann, bob } = await pair();
    expect((await ann.call("send_message", { message: "\u{1f44b}".repeat(100) })).isError).toBe(false);
    await refused(ann, "send_message", { message: "\u{1f44b}".repeat(101) }, "message_too_long");
    await bob.call("leave_chat");
  });

  test.each<[string, Json]>([
    ["enter_queue", { user_id: "has a space" }],
    ["enter_queue", { user_id: "x".repeat(65) }],
    ["enter_queue", { display_name: "x".repeat(41) }],
    ["enter_queue", { display_name: "" }],
    ["enter_queue", { display_name: 7 }],
    ["enter_queue", { display_name: null }],
    ["enter_queue", { interests: "tea" }],
    ["enter_queue", { interests: [["tea"]] }],
    ["enter_queue", { interests: Array.from({ length: 11 }, (_, n) => `tag ${n}`) }],
    ["enter_queue", { kind: "robot" }],
    ["enter_queue", { partner_kind: "unknown" }],
    ["enter_queue", { nonsense: true }],
    ["enter_queue", { __proto__: null, constructor: 1 }],
    ["enter_queue", { session_token: 5 }],
    ["enter_queue", { session_token: "x".repeat(257) }],
    ["leave_queue", { reason: "bored" }],
    ["send_message", {}],
    ["send_message", { message: 5 }],
    ["send_message", { message: "x", wait_seconds: 0 }],
    ["send_message", { message: "x", wait_seconds: 301 }],
    ["send_message", { message: "x", wait_seconds: "5" }],
    ["send_message", { message: "x", client_message_id: "" }],
    ["send_message", { message: "x", client_message_id: "x".repeat(129) }],
    ["send_message", { message: "x", room_id: 5 }],
    ["wait_for_message", { after: "nonsense" }],
    ["wait_for_message", { timeout_seconds: -1 }],
    ["wait_for_message", { timeout_seconds: 301 }],
    ["join_room", {}],
    ["join_room", { room_code: "12345" }],
    ["join_room", { room_code: "x".repeat(65) }],
    ["join_room", { room_code: 123456 }],
    ["join_room", { room_code: "abcdef", interests: ["tea"] }],
    ["set_typing", { typing: "yes" }],
    ["get_history", {}],
    ["get_history", { room_id: "room", limit: 0 }],
    ["get_history", { room_id: "room", limit: 201 }],
    ["get_history", { room_id: "room", before: 0 }],
    ["get_history", { room_id: "room", before: 1.5 }],
    ["report_partner", {}],
    ["report_partner", { category: "boring" }],
    ["report_partner", { category: "spam", details: "x".repeat(2001) }],
    ["report_partner", { category: "spam", details: " \n" }],
    ["block_partner", { category: "spam" }],
    ["chat_status", { all: true }],
    ["leave_chat", { room_id: ["room"] }],
  ])("invalid_arguments: %s %j", async (tool, args) => {
    const caller = await newCaller(server.url, era);
    await refused(caller, tool, args, "invalid_arguments");
  });
});

describe("where there is little room", () => {
  let tools: ListedTools;
  beforeAll(async () => {
    tools = await listTools(new RawModern(narrow.url));
  });

  const newcomer = (): RawModern => new RawModern(narrow.url);

  test("queue_full, server_full, rate_limited and loop_limit", async () => {
    const [ann, bob, cid, dan] = [newcomer(), newcomer(), newcomer(), newcomer()];
    const wantsHumans = { kind: "agent", partner_kind: "human" };
    await ann.call("enter_queue", wantsHumans);
    await cid.call("enter_queue", wantsHumans);
    expectRefusal(tools, "enter_queue", await dan.call("enter_queue", wantsHumans), "queue_full");
    await ann.call("leave_queue");
    await cid.call("leave_queue");

    await ann.call("enter_queue", { kind: "agent", partner_kind: "any" });
    await bob.call("enter_queue", { kind: "agent" });
    await cid.call("enter_queue");
    expectRefusal(tools, "enter_queue", await dan.call("enter_queue", wantsHumans), "server_full");

    const room = z
      .object({ room: z.object({ room_id: z.string() }) })
      .parse((await ann.call("chat_status")).structured).room;
    const say = (caller: RawModern): Promise<ToolAnswer> =>
      caller.call("send_message", { message: "hello", room_id: room.room_id });
    expect([(await say(ann)).isError, (await say(ann)).isError]).toEqual([false, false]);
    const limited = await say(ann);
    expectRefusal(tools, "send_message", limited, "rate_limited");
    expect(refusalSchema.parse(limited.structured).error.retry_after_ms).toBeGreaterThan(1000);

    expect((await say(bob)).structured).toMatchObject({ seq: 3 });
    expectRefusal(tools, "send_message", await say(bob), "loop_limit");
    expectRefusal(tools, "send_message", await say(ann), "chat_ended");
    for (const caller of [ann, bob]) {
      const { structured } = await caller.call("wait_for_message");
      expect(structured.events).toContainEqual(
        expect.objectContaining({ name: "partner.disconnected", data: expect.objectContaining({ reason: "limit" }) }),
      );
    }
  });
});

test("a refused legacy call binds nothing", async () => {
  const session = await RawSession.open(server.url);
  await session.call("enter_queue", { session_token: FORGED });
  expect((await session.call("chat_status")).refusal).toBe("no_session");
  const entered = await session.call("enter_queue");
  expect(entered.isError).toBe(false);
  // Bound now: the session alone is enough, and another user's token is not.
  expect((await session.call("chat_status")).structured).toMatchObject({ status: "waiting" });
  expect((await session.call("leave_queue")).isError).toBe(false);
});

test("a full queue lets in whoever is paired at once", async () => {
  const tiny = await startProgram({ kind: "source", args: ["--queue-max", "1"] });
  await new RawModern(tiny.url).call("enter_queue");
  expect((await new RawModern(tiny.url).call("enter_queue")).structured).toMatchObject({ status: "matched" });
  expect(await tiny.stop()).toBe(0);
});
