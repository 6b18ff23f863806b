/**
 * What the official conformance suite expects of tools that run as tasks, under the names it calls
 * them by.
 *
 * This file owns those fixtures. It must use the engine's public registry only, like any application.
 */

import type { InputRequest, JsonObject, Tool, ToolResult } from "../../src/mcp/registry.ts";

function text(words: string): ToolResult {
  return { content: [{ type: "text", text: words }] };
}

const NO_ARGUMENTS: JsonObject = { type: "object", additionalProperties: false };

function form(message: string, properties: JsonObject): InputRequest {
  const requestedSchema: JsonObject = { type: "object", properties, required: Object.keys(properties) };
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

/** Waits as long as asked, or until nobody wants the result any more. */
function sleepUntil(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

export const taskTools: readonly Tool[] = [
  {
    name: "greet",
    description: "Greets at once.",
    inputSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
    call: (args) => text(`Hello, ${String(args.name)}!`),
  },
  {
    name: "slow_compute",
    description: "Computes for a while.",
    inputSchema: { type: "object", properties: { seconds: { type: "number" }, label: { type: "string" } } },
    task: "optional",
    call(args, context) {
      return context.task(
        async ({ signal }) => {
          await sleepUntil(Number(args.seconds ?? 0), signal);
          return text(`Computed: ${String(args.label ?? "")}`);
        },
        { pollMs: 200 },
      );
    },
  },
  {
    name: "failing_job",
    description: "Ends with an error of the tool.",
    inputSchema: NO_ARGUMENTS,
    task: "required",
    call(_args, context) {
      return context.task(async ({ signal }) => {
        await sleepUntil(1, signal);
        return { ...text("The job failed."), isError: true };
      });
    },
  },
  {
    name: "protocol_error_job",
    description: "Ends with a bug.",
    inputSchema: NO_ARGUMENTS,
    task: "optional",
    call(_args, context) {
      return context.task(() => {
        throw new Error("this is the bug");
      });
    },
  },
  {
    name: "confirm_delete",
    description: "Asks before it pretends to delete.",
    inputSchema: { type: "object", properties: { filename: { type: "string" } }, required: ["filename"] },
    task: "optional",
    call(args, context) {
      return context.task(async (task) => {
        const { confirm } = await task.input({
          confirm: form(`Delete ${String(args.filename)}?`, { confirm: { type: "boolean" } }),
        });
        return text(confirm.action === "accept" ? `Deleted ${String(args.filename)}` : "Nothing was deleted");
      });
    },
  },
  {
    name: "multi_input",
    description: "Asks two things at once.",
    inputSchema: NO_ARGUMENTS,
    task: "optional",
    call(_args, context) {
      return context.task(async (task) => {
        const answers = await task.input({
          first: form("First name?", { name: { type: "string" } }),
          second: form("Second name?", { name: { type: "string" } }),
        });
        return text(`Answered: ${JSON.stringify(answers)}`);
      });
    },
  },
  {
    name: "test_tool_with_task",
    description: "Asks first, then goes on as a task.",
    inputSchema: NO_ARGUMENTS,
    task: "required",
    async call(_args, context) {
      const { user_name } = await context.input({
        user_name: form("What is your name?", { name: { type: "string" } }),
      });
      return context.task(async ({ signal }) => {
        await sleepUntil(0.2, signal);
        return text(`Done for ${JSON.stringify(user_name.content)}`);
      });
    },
  },
];
