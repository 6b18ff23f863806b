/**
 * A server definition whose handlers talk back: they ask, go on as tasks, drop their connection. What
 * they see and when they go on is in the test's hands.
 *
 * This file owns that fixture and the messages tests send to it. It must never know a transport.
 */

import type {
  CallContext,
  InputRequest,
  JsonObject,
  Prompt,
  Resources,
  Tool,
  ToolResult,
  WorkContext,
} from "../../src/mcp/registry.ts";
import { createFixture, type Fixture } from "./mcp-fixture.ts";

export const ALL_CAPABILITIES = {
  elicitation: {},
  sampling: {},
  roots: {},
  extensions: { "io.modelcontextprotocol/tasks": {} },
};

/** Work that a test lets go on. */
export interface Held {
  readonly context: WorkContext;
  release(words: string): void;
  fail(bug: Error): void;
}

export interface TalkFixture extends Fixture {
  /** Names of the tools that were run, in order. */
  readonly runs: string[];
  /** What handlers caught. */
  readonly caught: unknown[];
  readonly held: (Held & { readonly context: CallContext })[];
  readonly works: Held[];
}

const ANY: JsonObject = { type: "object" };

export function text(words: string): ToolResult {
  return { content: [{ type: "text", text: words }] };
}

export function form(message: string, properties: JsonObject): InputRequest {
  const requestedSchema: JsonObject = { type: "object", properties, required: Object.keys(properties) };
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

export const WHO = form("Who?", { name: { type: "string", maxLength: 10 } });
export const SAMPLE: InputRequest = {
  method: "sampling/createMessage",
  params: { messages: [{ role: "user", content: { type: "text", text: "Hi" } }], maxTokens: 10 },
};
export const ROOTS: InputRequest = { method: "roots/list" };

/** Answers that fit the questions above. */
export const NAMED = { action: "accept", content: { name: "Ann" } };
export const SAMPLED = { role: "assistant", content: { type: "text", text: "Hello" }, model: "m" };
export const ROOTED = { roots: [{ uri: "file:///a" }] };

export function createTalkFixture(): TalkFixture {
  const base = createFixture();
  const runs: string[] = [];
  const caught: unknown[] = [];
  const held: TalkFixture["held"] = [];
  const works: Held[] = [];
  let questions = 0;

  function tool(name: string, call: Tool["call"], more: Partial<Tool> = {}): Tool {
    return {
      name,
      description: name,
      inputSchema: ANY,
      ...more,
      call(args, context) {
        runs.push(name);
        return call(args, context);
      },
    };
  }
  function hold<C extends WorkContext>(list: { push(held: Held & { context: C }): void }, context: C) {
    return new Promise<ToolResult>((resolve, reject) => {
      list.push({ context, release: (words) => resolve(text(words)), fail: reject });
    });
  }

  const tools: Tool[] = [
    tool("who", async (_args, context) => text(JSON.stringify(await context.input({ who: WHO })))),
    tool("three", async (_args, context) => {
      const answers = await Promise.all([
        context.input({ who: WHO }),
        context.input({ sample: SAMPLE }),
        context.input({ roots: ROOTS }),
      ]);
      return text(JSON.stringify(answers));
    }),
    tool("rounds", async (_args, context) => {
      const { first } = await context.input({ first: WHO });
      const { second } = await context.input({
        second: form("And now?", { color: { enum: ["red"], type: "string" } }),
      });
      return text(JSON.stringify({ first, second }));
    }),
    tool("stubborn", async (_args, context) => {
      try {
        return text(JSON.stringify(await context.input({ who: WHO })));
      } catch (problem) {
        caught.push(problem);
        return text("went on without");
      }
    }),
    tool("changing", async (_args, context) => {
      const { n } = await context.input({ n: form(`Question ${++questions}?`, { name: { type: "string" } }) });
      return text(JSON.stringify(n));
    }),
    tool("wavering", async (_args, context) => {
      const { a } = await context.input({
        a: form(runs.length < 3 ? "Sure?" : "Really?", { name: { type: "string" } }),
      });
      const { b } = await context.input({ b: WHO });
      return text(JSON.stringify({ a, b }));
    }),
    tool("impatient", async (_args, context) => {
      await Promise.race([context.input({ who: WHO }), hold(held, context)]);
      return text("did not wait");
    }),
    tool("pause", (_args, context) => hold(held, context)),
    tool("polled", (_args, context) => {
      context.closeStream();
      return hold(held, context);
    }),
    tool("works", (_args, context) => context.task((work) => hold(works, work), { pollMs: 200, message: "at it" }), {
      task: "optional",
    }),
    tool("brief", (_args, context) => context.task((work) => hold(works, work), { ttlMs: 1000.4 }), {
      task: "required",
    }),
    tool(
      "asks_later",
      (_args, context) =>
        context.task(async (work) => {
          const answers = await work.input({ who: WHO, again: WHO });
          const { who } = await work.input({ who: WHO });
          return text(JSON.stringify({ ...answers, last: who }));
        }),
      { task: "optional" },
    ),
    tool(
      "works_then_throws",
      (_args, context) => {
        context.task((work) => hold(works, work));
        throw new Error("changed its mind");
      },
      { task: "optional" },
    ),
    tool("needs_sampling", () => text("sampled"), { requires: ["sampling"] }),
  ];
  const prompts: Prompt[] = [
    {
      // As one of the tools, whose questions it shares.
      name: "who",
      description: "Asks.",
      async get(_args, context) {
        const { who } = await context.input({ who: WHO });
        return { messages: [{ role: "user", content: { type: "text", text: JSON.stringify(who) } }] };
      },
    },
  ];
  const resources: Resources = {
    list: [{ uri: "test://asks", name: "asks" }],
    async read(uri, context) {
      const { who } = await context.input({ who: WHO });
      return { contents: [{ uri, text: JSON.stringify(who) }] };
    },
  };
  return {
    ...base,
    definition: { ...base.definition, tools, prompts, resources, logging: true },
    runs,
    caught,
    held,
    works,
  };
}

// --- messages ---------------------------------------------------------------------------------

export function call(id: string | number, name: string, args: object = {}, meta?: object) {
  const params = { name, arguments: args, ...(meta && { _meta: meta }) };
  return { jsonrpc: "2.0", id, method: "tools/call", params };
}

const META = "io.modelcontextprotocol";

/** A modern request. @param capabilities what the client declares */
export function modernCall(
  id: string | number,
  method: string,
  params: Record<string, unknown>,
  capabilities: object = ALL_CAPABILITIES,
) {
  const _meta = { [`${META}/protocolVersion`]: "2026-07-28", [`${META}/clientCapabilities`]: capabilities };
  const headers: Record<string, string> = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
  const name = params.name ?? params.uri ?? params.taskId;
  if (typeof name === "string") headers["mcp-name"] = name;
  return { body: { jsonrpc: "2.0", id, method, params: { ...params, _meta } }, headers };
}
