/**
 * What users see of an operator at work, over raw HTTP and in both eras: rates, bans, words that are
 * not wanted, and announcements by every way of delivery.
 *
 * This file owns the users' side; the operator's surface is tested beside it. It must never import from src.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
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
import { type Program, startProgram, temporaryFolder } from "../support/program.ts";

const ERAS = ["legacy", "modern"] as const;
const OPERATOR = "operator-".repeat(5);

let server: Program;
beforeAll(async () => {
  const words = join(temporaryFolder(), "words.txt");
  writeFileSync(words, "# what nobody wants to hear\nblimey\n");
  server = await startProgram({
    kind: "source",
    args: [
      ...["--rate-entries-per-second", "0.001", "--rate-entries-burst", "2"],
      ...["--rate-joins-per-minute", "0.01", "--rate-joins-burst", "2"],
      ...["--rate-reports-per-hour", "0.01", "--rate-reports-burst", "1"],
      ...["--words-file", words],
    ],
    env: { MCP_CHAT_ADMIN_TOKEN: OPERATOR },
  });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

/** The operator does something. */
async function operate(path: string, body: Json): Promise<Json> {
  const headers = { authorization: `Bearer ${OPERATOR}`, "content-type": "application/json" };
  const response = await fetch(`${server.origin}/admin/${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const answer = z.record(z.string(), z.unknown()).parse(await response.json());
  if (!response.ok) throw new Error(`the operator was refused: ${JSON.stringify(answer)}`);
  return answer;
}

const retryAfter = ({ structured }: ToolAnswer): number =>
  z.object({ error: z.object({ retry_after_ms: z.int() }) }).parse(structured).error.retry_after_ms;

describe.each(ERAS)("%s", (era) => {
  let tools: ListedTools;
  beforeAll(async () => {
    tools = await listTools(await newCaller(server.url, era));
  });

  const someone = (): Promise<RawCaller> => newCaller(server.url, era);

  async function refused(caller: RawCaller, tool: string, args: Json, code: string): Promise<ToolAnswer> {
    const answer = await caller.call(tool, args);
    expect(tools.fault(tool, answer.structured)).toBeUndefined();
    expect([answer.refusal, answer.isError, answer.status]).toEqual([code, true, 200]);
    return answer;
  }

  test("rate_limited: entering, joining, reporting and signs of writing, each with the time to wait", async () => {
    const ann = await someone();
    const wish = { kind: "human", partner_kind: "agent" };
    for (let n = 0; n < 2; n++) {
      expect((await ann.call("enter_queue", wish)).isError).toBe(false);
      // Calling while waiting enters nothing.
      expect((await ann.call("enter_queue", wish)).isError).toBe(false);
      await ann.call("leave_queue");
    }
    expect(retryAfter(await refused(ann, "enter_queue", wish, "rate_limited"))).toBeGreaterThan(1000);
    for (let n = 0; n < 2; n++) {
      expect((await ann.call("join_room", { room_code: `${era} oak ${n}` })).isError).toBe(false);
      await ann.call("leave_queue");
    }
    const tried = await refused(ann, "join_room", { room_code: `${era} oak 2` }, "rate_limited");
    expect(retryAfter(tried)).toBeGreaterThan(1000);
    expect((await ann.call("chat_status")).structured).toMatchObject({ status: "idle" });

    const [bob, cid] = [await someone(), await someone()];
    const first = await pairUp(bob, cid);
    expect((await bob.call("report_partner", { category: "spam" })).isError).toBe(false);
    expect((await bob.call("report_partner", { room_id: first, category: "spam" })).isError).toBe(false);
    const dan = await someone();
    const room_id = await pairUp(dan, bob);
    expect(retryAfter(await refused(bob, "report_partner", { category: "spam" }, "rate_limited"))).toBeGreaterThan(
      1000,
    );
    // Nothing was done: the chat goes on, and blocking it costs nothing.
    expect((await bob.call("chat_status")).structured).toMatchObject({ status: "chatting", room: { room_id } });
    for (let n = 0; n < 5; n++) expect((await bob.call("set_typing", { typing: n % 2 === 0 })).isError).toBe(false);
    let signs = 0;
    let sign = await bob.call("set_typing");
    while (!sign.isError && ++signs < 20) sign = await bob.call("set_typing");
    expect(sign.refusal).toBe("rate_limited");
    expect(retryAfter(sign)).toBeLessThanOrEqual(500);
    expect((await bob.call("block_partner")).isError).toBe(false);
  });

  test("banned: out at once, told for how long, and what is one's own stays readable", async () => {
    const [ann, eve] = [await someone(), await someone()];
    const room_id = await pairUp(ann, eve);
    await eve.call("send_message", { message: "hello" });
    const { user } = z
      .object({ user: z.object({ user_id: z.string() }) })
      .parse((await eve.call("chat_status")).structured);
    await operate("bans", { user_id: user.user_id, expires_in_seconds: 60 });
    const heard = await ann.call("wait_for_message");
    expect(heard.structured).toMatchObject({ status: "idle" });
    expect(heard.said).toContain('"reason":"moderation"');
    for (const [tool, args] of [
      ["enter_queue", {}],
      ["join_room", { room_code: "our old oak" }],
      ["send_message", { room_id, message: "let me in" }],
      ["report_partner", { room_id, category: "other" }],
    ] as const) {
      const answer = await refused(eve, tool, args, "banned");
      expect(retryAfter(answer)).toBeGreaterThan(50_000);
      expect(retryAfter(answer)).toBeLessThanOrEqual(60_000);
      expect(answer.said).toContain("retry_after_ms");
    }
    expect((await eve.call("chat_status")).structured).toMatchObject({ status: "idle" });
    expect((await eve.call("wait_for_message")).said).toContain("moderation");
    expect((await eve.call("get_history", { room_id })).structured).toMatchObject({ messages: [{ message: "hello" }] });
    expect((await eve.call("block_partner", { room_id })).isError).toBe(false);
    await operate("bans", { user_id: user.user_id });
    const forGood = await refused(eve, "enter_queue", {}, "banned");
    expect(forGood.structured).not.toHaveProperty("error.retry_after_ms");
  });

  test("message_refused: a word of the operator's list, in whatever others would see, and not what it was", async () => {
    const [ann, bob] = [await someone(), await someone()];
    await refused(ann, "enter_queue", { display_name: "Blimey" }, "message_refused");
    await refused(ann, "enter_queue", { interests: ["tea", "BLIMEY"] }, "message_refused");
    await pairUp(ann, bob);
    const answer = await refused(ann, "send_message", { message: "well, bli\u200bmey!" }, "message_refused");
    expect(answer.said).toContain("not allowed on this server");
    expect(answer.said.toLowerCase()).not.toContain("blimey");
    expect((await bob.call("chat_status")).structured).toMatchObject({ unread_count: 1 });
    await ann.call("leave_chat");
  });
});

test("an announcement reaches everybody who is there by every way, as the operator's words", async () => {
  const [ann, bob] = [await RawSession.open(server.url), new RawModern(server.url)];
  await pairUp(ann, bob);
  await bob.call("wait_for_message");
  await using stream = await ann.stream();
  await stream.next();
  const polls = new RawModern(server.url, { authorization: `Bearer ${bob.token}` });
  const name = "server.announcement";
  const start = await polls.request("events/poll", { name, arguments: {} });
  const { cursor } = z.object({ result: z.object({ cursor: z.string() }) }).parse(start.message).result;
  const waiting = bob.call("wait_for_message", { timeout_seconds: 20 });
  await operate("announcements", { text: "Restart at noon.\nCome back then." });
  const data = { message: "Restart at noon.\nCome back then." };
  expect(await stream.next()).toMatchObject({ id: expect.any(String), method: name, params: data });
  const heard = await waiting;
  expect(heard.structured).toMatchObject({ status: "chatting", events: [{ name, data }] });
  expect(heard.said).not.toContain("stranger");
  const polled = await polls.request("events/poll", { name, arguments: {}, cursor });
  expect(polled.message.result).toMatchObject({ events: [{ name, data }] });
  const inbox = await ann.request("resources/read", { uri: "chat://inbox" });
  expect(JSON.stringify(inbox.message)).toContain("by the operator");
  await ann.call("leave_chat");
});
