/**
 * What the official conformance suite expects of handlers that talk back to the client, under the
 * names it calls them by. One handler serves both eras.
 *
 * This file owns those fixtures. It must use the engine's public registry only, like any application.
 */

import type {
  CallContext,
  InputRequest,
  InputRequests,
  JsonObject,
  Prompt,
  Tool,
  ToolResult,
} from "../../src/mcp/registry.ts";

function text(words: string): ToolResult {
  return { content: [{ type: "text", text: words }] };
}

const NO_ARGUMENTS: JsonObject = { type: "object", additionalProperties: false };

function form(message: string, properties: JsonObject): InputRequest {
  const requestedSchema: JsonObject = { type: "object", properties, required: Object.keys(properties) };
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

function sampling(prompt: string, maxTokens: number): InputRequest {
  const messages = [{ role: "user", content: { type: "text", text: prompt } }];
  return { method: "sampling/createMessage", params: { messages, maxTokens } };
}

const ROOTS: InputRequest = { method: "roots/list", params: {} };
const ASK_NAME = form("What is your name?", { name: { type: "string" } });

/** A tool without arguments that asks once and shows the answers. */
function asking(name: string, description: string, requests: InputRequests, words = "Answered"): Tool {
  return {
    name,
    description,
    inputSchema: NO_ARGUMENTS,
    call: async (_args, context) => text(`${words}: ${JSON.stringify(await context.input(requests))}`),
  };
}

const legacyTools: readonly Tool[] = [
  {
    name: "test_sampling",
    description: "Has the client's model answer a prompt.",
    inputSchema: { type: "object", properties: { prompt: { type: "string" } }, required: ["prompt"] },
    async call(args, context) {
      const { answer } = await context.input({ answer: sampling(String(args.prompt), 100) });
      return text(`LLM response: ${JSON.stringify(answer.content)}`);
    },
  },
  {
    name: "test_elicitation",
    description: "Asks the user for a name and an address.",
    inputSchema: { type: "object", properties: { message: { type: "string" } }, required: ["message"] },
    async call(args, context) {
      const fields = {
        username: { type: "string", description: "User's response" },
        email: { type: "string", description: "User's email address" },
      };
      const { user } = await context.input({ user: form(String(args.message), fields) });
      return text(`User response: ${JSON.stringify(user)}`);
    },
  },
  asking(
    "test_elicitation_sep1034_defaults",
    "Asks with a default for every kind of field.",
    {
      form: form("Check these values", {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true },
      }),
    },
    "Elicitation completed",
  ),
  asking(
    "test_elicitation_sep1330_enums",
    "Asks with every kind of choice.",
    {
      form: form("Choose", {
        untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
        titledSingle: { type: "string", oneOf: titled("First Option", "Second Option", "Third Option") },
        legacyEnum: {
          type: "string",
          enum: ["opt1", "opt2", "opt3"],
          enumNames: ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
        titledMulti: { type: "array", items: { anyOf: titled("First Choice", "Second Choice", "Third Choice") } },
      }),
    },
    "Elicitation completed",
  ),
  {
    name: "test_reconnection",
    description: "Drops the connection in the middle of the call.",
    inputSchema: NO_ARGUMENTS,
    async call(_args, context) {
      context.closeStream();
      await Bun.sleep(100);
      return text("Reconnection test completed");
    },
  },
];

function titled(...titles: readonly string[]): JsonObject[] {
  return titles.map((title, index) => ({ const: `value${index + 1}`, title }));
}

/** Asks whatever the client has declared. */
async function askWhatIsPossible(context: CallContext): Promise<ToolResult> {
  const requests: Record<string, InputRequest> = {};
  if (context.supports("elicitationForm")) requests.name = ASK_NAME;
  if (context.supports("sampling")) requests.greeting = sampling("Generate a greeting", 50);
  if (context.supports("roots")) requests.roots = ROOTS;
  return text(`Answered: ${JSON.stringify(await context.input(requests))}`);
}

const modernTools: readonly Tool[] = [
  {
    name: "test_missing_capability",
    description: "Needs a client that samples.",
    inputSchema: NO_ARGUMENTS,
    requires: ["sampling"],
    call: () => text("This client samples."),
  },
  {
    name: "test_streaming_elicitation",
    description: "Streams, then asks the user.",
    inputSchema: NO_ARGUMENTS,
    async call(_args, context) {
      context.openStream();
      context.progress({ progress: 1 });
      const { user_name } = await context.input({ user_name: ASK_NAME });
      return text(`Hello: ${JSON.stringify(user_name)}`);
    },
  },
  asking("test_input_required_result_elicitation", "Asks for a name.", { user_name: ASK_NAME }, "Hello"),
  asking("test_input_required_result_sampling", "Asks the client's model.", {
    capital_question: sampling("What is the capital of France?", 100),
  }),
  asking("test_input_required_result_list_roots", "Asks for the roots.", { client_roots: ROOTS }),
  asking(
    "test_input_required_result_request_state",
    "Asks for a confirmation.",
    { confirm: form("Please confirm", { ok: { type: "boolean" } }) },
    "state-ok",
  ),
  asking("test_input_required_result_tampered_state", "Asks for a confirmation.", {
    confirm: form("Please confirm", { ok: { type: "boolean" } }),
  }),
  asking("test_input_required_result_multiple_inputs", "Asks three things at once.", {
    user_name: ASK_NAME,
    greeting: sampling("Generate a greeting", 50),
    client_roots: ROOTS,
  }),
  {
    name: "test_input_required_result_multi_round",
    description: "Asks a second question after the first.",
    inputSchema: NO_ARGUMENTS,
    async call(_args, context) {
      const { step1 } = await context.input({
        step1: form("Step 1: What is your name?", { name: { type: "string" } }),
      });
      const { step2 } = await context.input({
        step2: form("Step 2: What is your favorite color?", { color: { type: "string" } }),
      });
      return text(`Answered: ${JSON.stringify({ step1, step2 })}`);
    },
  },
  {
    name: "test_input_required_result_capabilities",
    description: "Asks only what the client can answer.",
    inputSchema: NO_ARGUMENTS,
    call: (_args, context) => askWhatIsPossible(context),
  },
];

export const interactiveTools: readonly Tool[] = [...legacyTools, ...modernTools];

export const interactivePrompts: readonly Prompt[] = [
  {
    name: "test_input_required_result_prompt",
    description: "Asks for its context.",
    async get(_args, context) {
      const { user_context } = await context.input({
        user_context: form("What context should the prompt use?", { context: { type: "string" } }),
      });
      return {
        messages: [{ role: "user", content: { type: "text", text: `Context: ${JSON.stringify(user_context)}` } }],
      };
    },
  },
];
