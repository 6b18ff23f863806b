/** `mcp-chat stdio --url` as clients start it: the official ones of both eras, and how it ends. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as TransportV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { z } from "zod";
import { within } from "../support/client-deadline.ts";
import { CHECKOUT, type Program, run, startProgram } from "../support/program.ts";

const INFO = { name: "test", version: "1" };
const MODES = { "v2 legacy": "legacy", "v2 auto": "auto", "v2 pinned": { pin: "2026-07-28" } } as const;
const FLAVOURS = ["v1", ...(Object.keys(MODES) as (keyof typeof MODES)[])] as const;

let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source", args: ["--grace-seconds", "1"] });
});
afterAll(async () => {
  await server.stop();
});

const answerSchema = z.looseObject({ structuredContent: z.looseObject({}).optional() });

/** A client behind a bridge process of its own. */
interface Bridged {
  readonly pid: number;
  tool(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

async function connect(flavour: (typeof FLAVOURS)[number]): Promise<Bridged> {
  const command = { command: process.execPath, args: ["src/main.ts", "stdio", "--url", server.origin], cwd: CHECKOUT };
  let token: string | undefined;
  const isModern = flavour === "v2 auto" || flavour === "v2 pinned";
  const { client, transport } = flavour === "v1" ? await connectV1(command) : await connectV2(command, MODES[flavour]);
  return {
    pid: transport.pid ?? 0,
    async tool(name, args = {}) {
      // Modern clients carry their token themselves.
      const shown = isModern && token !== undefined ? { session_token: token } : {};
      const called: Promise<unknown> = client.callTool({ name, arguments: { ...args, ...shown } });
      const content = answerSchema.parse(await within(`the answer of ${name}`, called)).structuredContent ?? {};
      if (typeof content.session_token === "string") token = content.session_token;
      return content;
    },
    close: () => client.close(),
  };
}

async function connectV1(command: ConstructorParameters<typeof TransportV1>[0]) {
  const transport = new TransportV1(command);
  const client = new ClientV1(INFO);
  await client.connect(transport);
  return { client, transport };
}

async function connectV2(
  command: ConstructorParameters<typeof TransportV2>[0],
  mode: (typeof MODES)[keyof typeof MODES],
) {
  const transport = new TransportV2(command);
  const client = new ClientV2(INFO, { versionNegotiation: { mode } });
  await client.connect(transport);
  return { client, transport };
}

/** Waits until an event of this name has come; the events before it are passed over. */
async function hear(one: Bridged, name: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { events } = await one.tool("wait_for_message", { timeout_seconds: 5 });
    const found = z.array(z.looseObject({ name: z.string(), data: z.looseObject({}) })).parse(events);
    const event = found.find((candidate) => candidate.name === name);
    if (event !== undefined) return event.data;
  }
}

describe("official clients over a bridge", () => {
  test.each(FLAVOURS.map((flavour, at) => [flavour, FLAVOURS[(at + 1) % FLAVOURS.length] ?? "v1"] as const))(
    "%s meets %s, both talk, one leaves",
    async (first, second) => {
      const [ann, bob] = [await connect(first), await connect(second)];
      await ann.tool("enter_queue", { display_name: "Ann" });
      expect(await bob.tool("enter_queue", { display_name: "Bob" })).toMatchObject({ status: "matched" });
      for (let n = 1; n <= 3; n++) {
        await ann.tool("send_message", { message: `a${n}` });
        expect(await hear(bob, "message.received")).toMatchObject({ message: `a${n}` });
        await bob.tool("send_message", { message: `b${n}` });
        expect(await hear(ann, "message.received")).toMatchObject({ message: `b${n}` });
      }
      await ann.tool("leave_chat");
      expect(await hear(bob, "partner.disconnected")).toMatchObject({ reason: "left" });
      await Promise.all([ann.close(), bob.close()]);
    },
    20_000,
  );

  test("a client that closes leaves its partner politely; a bridge that is killed leaves them after the grace time", async () => {
    const [ann, bob, cleo] = [await connect("v1"), await connect("v2 auto"), await connect("v2 legacy")];
    await ann.tool("enter_queue", { display_name: "Ann" });
    await bob.tool("enter_queue", { display_name: "Bob" });
    await ann.close();
    expect(await hear(bob, "partner.disconnected")).toMatchObject({ reason: "left" });
    await cleo.tool("enter_queue", { display_name: "Cleo" });
    await bob.tool("enter_queue");
    await hear(bob, "chatroom.found");
    process.kill(cleo.pid, "SIGKILL");
    expect(await hear(bob, "partner.disconnected")).toMatchObject({ reason: "timeout" });
    await Promise.all([bob.close(), cleo.close()]);
  }, 20_000);
});

const runStdio = (args: readonly string[]) => run([process.execPath, "src/main.ts", "stdio", ...args]);

describe("its command line", () => {
  test("nothing is asked of the server before the client speaks, and the end of the input is the end", async () => {
    expect(await runStdio(["--url", "http://127.0.0.1:1"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  test.each([
    [["--url", "ftp://example.org"], "--url: this value is not allowed"],
    [["--url", "http://user:secret@example.org"], "--url: this value is not allowed"],
    [["--url", "http://127.0.0.1:1", "--grace-seconds", "5"], "unknown option --grace-seconds"],
    [["--channel"], "unknown option --channel"],
  ])("%j is refused in one line", async (args, said) => {
    const { code, stderr } = await runStdio(args);
    expect([code, stderr.trim().split("\n")]).toEqual([2, [expect.stringContaining(said)]]);
    expect(stderr).not.toContain("secret");
  });
});
