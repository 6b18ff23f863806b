/** The official clients over stdio: against the program as they start it, and two of them in one lobby. */

import { describe, expect, test } from "bun:test";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as TransportV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema, type ElicitResult } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { ListAnnouncer } from "../../src/mcp/list-changes.ts";
import { ChatWorld } from "../support/chat-world.ts";
import { Arrivals, within } from "../support/client-deadline.ts";
import { CHECKOUT } from "../support/program.ts";
import { PipeTransport, StdioPipe } from "../support/stdio-pipe.ts";
import { createTalkFixture, NAMED } from "../support/talk-fixture.ts";

const PROGRAM = { command: process.execPath, args: ["src/main.ts", "stdio"], cwd: CHECKOUT };
const INFO = { name: "test", version: "1" };

/** What both generations have in common, for those who only call. */
interface Connected {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

const answerSchema = z.looseObject({
  isError: z.boolean().optional(),
  structuredContent: z.looseObject({}).optional(),
});
const ask = async (client: Connected, name: string, args: Record<string, unknown> = {}) =>
  answerSchema.parse(await client.callTool({ name, arguments: args })).structuredContent ?? {};

const MODES = { "v2 legacy": "legacy", "v2 auto": "auto", "v2 pinned": { pin: "2026-07-28" } } as const;

async function start(flavour: "v1" | keyof typeof MODES): Promise<{ client: Connected; pid: number; era: string }> {
  if (flavour === "v1") {
    const transport = new TransportV1(PROGRAM);
    const client = new ClientV1(INFO);
    await client.connect(transport);
    return { client, pid: transport.pid ?? 0, era: "legacy" };
  }
  const transport = new TransportV2(PROGRAM);
  const client = new ClientV2(INFO, { versionNegotiation: { mode: MODES[flavour] } });
  await client.connect(transport);
  return { client, pid: transport.pid ?? 0, era: client.getProtocolEra() ?? "" };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (_noSuchProcess) {
    return false;
  }
}

describe("the program", () => {
  test.each([
    ["v1", "legacy"],
    ["v2 legacy", "legacy"],
    ["v2 auto", "modern"],
    ["v2 pinned", "modern"],
  ] as const)("serves %s in the %s era, and ends with it", async (flavour, era) => {
    const { client, pid, era: spoken } = await within(`${flavour} to connect`, start(flavour));
    expect(spoken).toBe(era);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("enter_queue");
    const entered = await ask(client, "enter_queue", { display_name: "Ann" });
    expect(entered).toMatchObject({ status: "waiting", position: 1, waiting: 1 });
    const me = era === "modern" ? { session_token: entered.session_token } : {};
    expect(await ask(client, "chat_status", me)).toMatchObject({ status: "waiting" });
    expect(await ask(client, "wait_for_message", { ...me, timeout_seconds: 1 })).toMatchObject({ timed_out: true });
    expect(await ask(client, "send_message", { ...me, message: "anybody?" })).toMatchObject({
      error: { code: "not_in_room" },
    });
    const before = performance.now();
    await within(`${flavour} to close`, client.close());
    expect(isAlive(pid)).toBe(false);
    // The clients send SIGTERM after two seconds: the end of the input was enough.
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe("a question to the client", () => {
  const capabilities = { elicitation: {} };

  test("is asked and answered over the pipe in the legacy era", async () => {
    const client = new ClientV1(INFO, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, async () => NAMED as ElicitResult);
    await client.connect(new PipeTransport(createTalkFixture().definition) as unknown as TransportV1);
    expect(JSON.stringify(await client.callTool({ name: "who" }))).toContain("Ann");
    await client.close();
  });

  test("is asked and answered in rounds in the modern era", async () => {
    const client = new ClientV2(INFO, { capabilities, versionNegotiation: { mode: { pin: "2026-07-28" } } });
    client.setRequestHandler("elicitation/create", async () => NAMED as ElicitResult);
    await client.connect(new PipeTransport(createTalkFixture().definition) as unknown as TransportV2);
    expect(JSON.stringify(await client.callTool({ name: "who" }))).toContain("Ann");
    await client.close();
  });

  test("a listen subscription of an official client is told of changes over the pipe, and ends with it", async () => {
    const lists = new ListAnnouncer(["tools"]);
    const pipe = new PipeTransport({ ...createTalkFixture().definition, listChanges: lists });
    const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    const changes = new Arrivals<string>();
    client.setNotificationHandler("notifications/tools/list_changed", () => changes.put("changed"));
    await client.connect(pipe as unknown as TransportV2);
    const subscription = await client.listen({ toolsListChanged: true });
    lists.announce("tools");
    expect(await changes.take()).toBe("changed");
    await pipe.pipe.server.stop();
    expect(await within("the subscription to end", subscription.closed)).toBe("graceful");
  });
});

describe("two connections to one lobby", () => {
  const chatroomFound = z.object({
    method: z.literal("chatroom.found"),
    params: z.looseObject({ room_id: z.string() }),
  });
  const messageReceived = z.object({
    method: z.literal("message.received"),
    params: z.looseObject({ message: z.string() }),
  });

  test("a legacy client that hears by push and a modern one that waits talk to each other", async () => {
    const { definition } = new ChatWorld().server;
    const heard = new Arrivals<string>();
    const ann = new ClientV1(INFO);
    ann.setNotificationHandler(chatroomFound, () => heard.put("found"));
    ann.setNotificationHandler(messageReceived, ({ params }) => heard.put(params.message));
    const annsPipe = new PipeTransport(definition);
    await ann.connect(annsPipe as unknown as TransportV1);
    const bob = new ClientV2(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    const bobsPipe = new PipeTransport(definition);
    await bob.connect(bobsPipe as unknown as TransportV2);
    expect([bob.getProtocolEra(), bob.getServerVersion()?.name]).toEqual(["modern", "mcp-chat"]);

    await ask(ann, "enter_queue", { display_name: "Ann" });
    const { session_token } = await ask(bob, "enter_queue", { display_name: "Bob" });
    expect(await heard.take()).toBe("found");
    expect(await ask(bob, "send_message", { session_token, message: "hello Ann" })).toMatchObject({
      delivery: "pushed",
    });
    expect(await heard.take()).toBe("hello Ann");
    await ask(ann, "send_message", { message: "hello Bob" });
    const { events } = await ask(bob, "wait_for_message", { session_token });
    expect(JSON.stringify(events)).toContain("hello Bob");

    // The end of Ann's pipe is a farewell.
    await ann.close();
    expect(JSON.stringify(await ask(bob, "wait_for_message", { session_token }))).toContain('"reason":"left"');
    await bob.close();
    expect([...annsPipe.pipe.logged, ...bobsPipe.pipe.logged]).toEqual([]);
  });

  test("a user whose token the process was given hears by an event stream, which is their presence", async () => {
    const world = new ChatWorld();
    const { ann, bob } = await world.pair();
    const pipe = new StdioPipe(world.server.definition, { bearer: bob });
    pipe.askModern("events/stream", { name: "chat.activity" }, "s");
    expect((await pipe.said()).method).toBe("notifications/events/active");
    expect((await world.ask("send_message", { message: "hi" }, { bearer: ann })).delivery).toBe("pushed");
    expect((await pipe.said()).params?.data).toMatchObject({ name: "message.received", data: { message: "hi" } });
    pipe.notify("notifications/cancelled", { requestId: "s" });
    expect((await pipe.callModern("server/discover")).result).toBeDefined();
    expect(await world.ask("wait_for_message", {}, { bearer: ann })).toMatchObject({
      events: [{ name: "chatroom.found" }, { name: "partner.away" }],
    });
    pipe.end();
    await pipe.server.done;
  });
});
