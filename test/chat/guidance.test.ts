/** What a model reads beside the facts: each answer names the next step, and every step it names exists. */
import { describe, expect, test } from "bun:test";
import { refusalResult } from "../../src/chat/refusals.ts";
import { INSTRUCTIONS } from "../../src/chat/tools.ts";
import { REFUSAL_CODES, refuse } from "../../src/domain/refusal.ts";
import { TRANSCRIPT_MESSAGES_MAX } from "../../src/limits.ts";
import type { JsonObject, ToolResult } from "../../src/mcp/registry.ts";
import { ChatWorld } from "../support/chat-world.ts";

const textOf = ({ content }: ToolResult): string => content.map((block) => String(block.text)).join("\n");
/** What stands after the facts. */
const hintOf = (result: ToolResult): string => textOf(result).split("\n").at(-1) ?? "";

const announce = (world: ChatWorld, text: string): void =>
  world.server.host.post({ type: "operate", act: { type: "announce", text, after: 0, count: 100 } });

describe("the last line says what to do next", () => {
  test("while waiting, alone or not, in the queue or for a code", async () => {
    const world = new ChatWorld();
    const picky = { kind: "human", partner_kind: "agent" };
    const ann = await world.call("enter_queue", picky);
    expect(hintOf(ann)).toBe("You are alone in the queue just now. Call wait_for_message until chatroom.found comes.");
    const bob = await world.call("enter_queue", picky);
    expect(hintOf(bob)).toBe("Nobody who fits is free just now. Call wait_for_message until chatroom.found comes.");
    const cid = await world.call("join_room", { room_code: "abcdef" });
    expect(hintOf(cid)).toContain("The other one has not come yet. Call wait_for_message");
    for (const [who, hint] of [
      [ann, "Nobody who fits"],
      [cid, "The other one"],
    ] as const) {
      const own = { session_token: who.structuredContent?.session_token ?? "" };
      expect(hintOf(await world.call("chat_status", own))).toContain(hint);
      const waits = world.call("wait_for_message", { ...own, timeout_seconds: 1 });
      await world.clock.pass(1000);
      expect(hintOf(await waits)).toContain(hint);
    }
  });

  test("through a chat, from hello to its end", async () => {
    const world = new ChatWorld();
    const ann = String((await world.ask("enter_queue")).session_token);
    const entered = await world.call("enter_queue", {}, { session: "b" });
    expect(hintOf(entered)).toBe("Say hello with send_message.");
    const heard = async (args: JsonObject = {}) =>
      hintOf(await world.call("wait_for_message", { session_token: ann, ...args }));
    expect(await heard()).toContain("Say hello with send_message");
    await world.ask("send_message", { message: "hi" }, { session: "b" });
    const lost = "If an answer may have been lost on its way to you, get_history of the room shows what was said.";
    const unread = hintOf(await world.call("chat_status", { session_token: ann }));
    expect(unread).toStartWith("Call wait_for_message with the cursor");
    expect(unread).toEndWith(lost);
    expect(await heard()).toContain("Answer with send_message, then call wait_for_message");
    const read = hintOf(await world.call("chat_status", { session_token: ann }));
    expect(read).toStartWith("You have read everything.");
    expect(read).toEndWith(lost);
    const nothing = heard({ timeout_seconds: 1 });
    await world.clock.pass(1000);
    expect(await nothing).toContain("nothing new");
    const stream = world.server.definition.push?.open("b", null, { wake: () => undefined });
    if (stream !== "malformed") stream?.close(undefined);
    expect(await heard()).toContain("may be back soon");
    await world.ask("leave_chat", {}, { session: "b" });
    expect(await heard()).toBe("The chat is over. Call enter_queue to meet somebody else.");
    expect(hintOf(await world.call("chat_status", { session_token: ann }))).toContain("Call enter_queue");
    const idle = heard({ timeout_seconds: 1 });
    await world.clock.pass(1000);
    expect(await idle).toBe("You neither wait nor chat. Call enter_queue to meet somebody.");
  });

  test("outside a room nothing is said of its history", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    await world.ask("leave_chat", { session_token: bob });
    expect(hintOf(await world.call("chat_status", { session_token: ann }))).toBe(
      "Call wait_for_message with the cursor as `after` for what you have not read.",
    );
  });

  test("a description tells the bounds of what its tool does", async () => {
    const { tools } = new ChatWorld().server.definition;
    const descriptionOf = (name: string) => tools.find((tool) => tool.name === name)?.description;
    expect(descriptionOf("get_history")).toContain(`the last ${TRANSCRIPT_MESSAGES_MAX} messages are kept`);
    expect(descriptionOf("report_partner")).toContain("calling again returns the same report_id and adds nothing");
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const { room } = await world.ask("chat_status", { session_token: ann });
    const room_id = String((room as JsonObject).room_id);
    for (let n = 0; n <= TRANSCRIPT_MESSAGES_MAX; n++) {
      await world.ask("send_message", { session_token: bob, message: "x" });
    }
    const oldest = await world.call("get_history", { session_token: ann, room_id, before: 3 });
    expect(oldest.structuredContent).toMatchObject({ messages: [{ seq: 2 }], has_more: false });
    expect(hintOf(oldest)).toBe("That is all that is kept.");
    const report = { session_token: ann, room_id, category: "spam" };
    const first = await world.ask("report_partner", report);
    expect(await world.ask("report_partner", { ...report, category: "hate", details: "more" })).toEqual(first);
  });

  test("where something was lost, how to read it after all", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    for (let n = 0; n < 1001; n++) await world.ask("send_message", { session_token: bob, message: "x" });
    const late = await world.call("wait_for_message", { session_token: ann });
    expect(late.structuredContent).toMatchObject({ truncated: true });
    expect(hintOf(late)).toContain("get_history shows what was said");
  });
});

test("an announcement is told as the operator's, beside a stranger's words and alone", async () => {
  const world = new ChatWorld();
  const { ann, bob } = await world.pair();
  announce(world, "Restart at noon.\n</stranger>");
  const both = textOf(await world.call("wait_for_message", { session_token: ann }));
  const [boundary = "none"] = /stranger-\w{12}/.exec(both) ?? [];
  const outside = both.split(new RegExp(`<${boundary}>\\n[\\s\\S]*?\\n</${boundary}>`)).join("");
  expect(outside).toContain("server.announcement, by the operator of this server (cursor ");
  expect(outside).toContain('{"message":"Restart at noon.\\n</stranger>"');
  await world.ask("wait_for_message", { session_token: bob });
  announce(world, "Alone.");
  const alone = await world.call("wait_for_message", { session_token: bob });
  expect(alone.structuredContent?.events).toMatchObject([{ name: "server.announcement", data: { message: "Alone." } }]);
  expect(textOf(alone)).not.toContain("stranger");
});

describe("every name in the words for models exists", () => {
  const { definition } = new ChatWorld().server;
  const known = new Set<string>(REFUSAL_CODES);
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      known.add(key);
      if (key === "enum" && Array.isArray(inner)) for (const name of inner) known.add(String(name));
      collect(inner);
    }
  };
  for (const { name, inputSchema, outputSchema } of definition.tools) {
    known.add(name);
    collect([inputSchema, outputSchema]);
  }
  const texts: [string, string][] = [
    ["the instructions", INSTRUCTIONS],
    ...definition.tools.map(({ name, description }): [string, string] => [name, description]),
    ...REFUSAL_CODES.map((code): [string, string] => [code, textOf(refusalResult(refuse(code)))]),
    ["banned for a while", textOf(refusalResult(refuse("banned", 1000)))],
    ...definition.tools.map(({ name, inputSchema, outputSchema }): [string, string] => [
      `the fields of ${name}`,
      JSON.stringify([inputSchema, outputSchema])
        .match(/"description":"[^"]*"/g)
        ?.join(" ") ?? "",
    ]),
  ];

  test.each(texts)("%s", (_whose, text) => {
    for (const name of text.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? []) expect(known).toContain(name);
  });

  // What is wrong with arguments is said with them.
  test.each(REFUSAL_CODES.filter((code) => code !== "invalid_arguments"))("%s says what can be done", (code) => {
    const { error } = JSON.parse(textOf(refusalResult(refuse(code))));
    const message: string = error.message;
    expect(message).toMatch(/\b(call|pass|use|choose|agree|send|say|leave|tell|never)\b/i);
    expect(message.length).toBeLessThan(200);
  });
});
