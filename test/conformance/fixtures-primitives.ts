/**
 * What the official conformance suite expects of tools, resources, prompts, completion, logging and
 * list changes, under the names it calls them by.
 *
 * This file owns those fixtures. It must use the engine's public registry only, like any application.
 */

import { ListAnnouncer } from "../../src/mcp/list-changes.ts";
import type { JsonObject, Prompt, PromptMessage, Resources, Tool, ToolResult } from "../../src/mcp/registry.ts";

/** A red pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A WAVE header without samples. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
/** Between two messages, so that a client sees them apart. */
const GAP_MS = 50;

export const conformanceLists = new ListAnnouncer(["tools", "prompts", "resources"]);

function text(words: string): ToolResult {
  return { content: [{ type: "text", text: words }] };
}

const NO_ARGUMENTS: JsonObject = { type: "object", additionalProperties: false };
const EMBEDDED = { uri: "test://embedded-resource", mimeType: "text/plain" };

const contentTools: readonly Tool[] = [
  {
    name: "test_simple_text",
    title: "Simple text",
    description: "Answers with one text.",
    annotations: { readOnlyHint: true },
    inputSchema: NO_ARGUMENTS,
    call: () => text("This is a simple text response for testing."),
  },
  {
    name: "test_image_content",
    description: "Answers with one image.",
    inputSchema: NO_ARGUMENTS,
    call: () => ({ content: [{ type: "image", data: PNG, mimeType: "image/png" }] }),
  },
  {
    name: "test_audio_content",
    description: "Answers with one sound.",
    inputSchema: NO_ARGUMENTS,
    call: () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] }),
  },
  {
    name: "test_embedded_resource",
    description: "Answers with one embedded resource.",
    inputSchema: NO_ARGUMENTS,
    call: () => ({
      content: [{ type: "resource", resource: { ...EMBEDDED, text: "This is an embedded resource content." } }],
    }),
  },
  {
    name: "test_multiple_content_types",
    description: "Answers with a text, an image and a resource.",
    inputSchema: NO_ARGUMENTS,
    call: () => ({
      content: [
        { type: "text", text: "Multiple content types test:" },
        { type: "image", data: PNG, mimeType: "image/png" },
        {
          type: "resource",
          resource: {
            uri: "test://mixed-content-resource",
            mimeType: "application/json",
            text: '{"test":"data","value":123}',
          },
        },
      ],
    }),
  },
  {
    name: "test_error_handling",
    description: "Always fails, in a result.",
    inputSchema: NO_ARGUMENTS,
    call: () => ({ ...text("This tool intentionally returns an error for testing"), isError: true }),
  },
];

const talkingTools: readonly Tool[] = [
  {
    name: "test_tool_with_progress",
    description: "Reports its progress to callers who sent a token.",
    inputSchema: NO_ARGUMENTS,
    async call(_args, context) {
      for (const progress of [0, 50, 100]) {
        context.progress({ progress, total: 100, message: `Completed step ${progress} of 100` });
        if (context.wantsProgress && progress < 100) await Bun.sleep(GAP_MS);
      }
      return text("done");
    },
  },
  {
    name: "test_tool_with_logging",
    description: "Logs three times while it runs.",
    inputSchema: NO_ARGUMENTS,
    async call(_args, context) {
      context.log("info", "Tool execution started");
      await Bun.sleep(GAP_MS);
      context.log("info", "Tool processing data");
      await Bun.sleep(GAP_MS);
      context.log("info", "Tool execution completed");
      return text("Tool with logging executed successfully");
    },
  },
  {
    name: "test_logging_tool",
    description: "Logs once, to callers who asked for it.",
    inputSchema: NO_ARGUMENTS,
    call(_args, context) {
      context.log("info", "a log message", "conformance");
      return text("logged");
    },
  },
  {
    name: "test_trigger_tool_change",
    description: "Announces that the tools have changed.",
    inputSchema: NO_ARGUMENTS,
    call() {
      conformanceLists.announce("tools");
      return text("announced");
    },
  },
  {
    name: "test_trigger_prompt_change",
    description: "Announces that the prompts have changed.",
    inputSchema: NO_ARGUMENTS,
    call() {
      conformanceLists.announce("prompts");
      return text("announced");
    },
  },
];

const schemaTools: readonly Tool[] = [
  {
    name: "test_x_mcp_header",
    description: "Has an argument that requests repeat in a header.",
    inputSchema: {
      type: "object",
      properties: { region: { type: "string", "x-mcp-header": "Region" } },
    },
    call: (args) => text(`region: ${String(args.region)}`),
  },
  {
    name: "json_schema_2020_12_tool",
    description: "Tool with JSON Schema 2020-12 features",
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it that.
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    },
    call: (args) => text(JSON.stringify(args)),
  },
];

export const primitiveTools: readonly Tool[] = [...contentTools, ...talkingTools, ...schemaTools];

const TEMPLATED = /^test:\/\/template\/([^/]+)\/data$/;

export const primitiveResources: Resources = {
  list: [
    {
      uri: "test://static-text",
      name: "static-text",
      title: "Static text",
      description: "A text that never changes.",
      mimeType: "text/plain",
    },
    {
      uri: "test://static-binary",
      name: "static-binary",
      description: "An image that never changes.",
      mimeType: "image/png",
    },
    {
      uri: "test://watched-resource",
      name: "watched-resource",
      description: "A text one may subscribe to.",
      mimeType: "text/plain",
    },
  ],
  templates: [
    {
      uriTemplate: "test://template/{id}/data",
      name: "template",
      description: "Data of any id.",
      mimeType: "application/json",
      complete: { id: (typed) => ["123", "124", "200"].filter((id) => id.startsWith(typed)) },
    },
  ],
  read(uri) {
    const forever = { ttlMs: 60_000, scope: "public" } as const;
    switch (uri) {
      case "test://static-text":
        return {
          contents: [{ uri, mimeType: "text/plain", text: "This is the content of the static text resource." }],
          cache: forever,
        };
      case "test://static-binary":
        return { contents: [{ uri, mimeType: "image/png", blob: PNG }], cache: forever };
      case "test://watched-resource":
        return { contents: [{ uri, mimeType: "text/plain", text: "Watched resource content" }] };
    }
    const id = TEMPLATED.exec(uri)?.[1];
    if (id === undefined) return undefined;
    const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { contents: [{ uri, mimeType: "application/json", text: data }] };
  },
  watch: (uri) => (uri === "test://watched-resource" ? () => undefined : undefined),
};

function says(content: PromptMessage["content"]): PromptMessage {
  return { role: "user", content };
}

export const primitivePrompts: readonly Prompt[] = [
  {
    name: "test_simple_prompt",
    title: "Simple prompt",
    description: "One message without blanks.",
    get: () => ({ messages: [says({ type: "text", text: "This is a simple prompt for testing." })] }),
  },
  {
    name: "test_prompt_with_arguments",
    description: "One message with two blanks.",
    arguments: [
      {
        name: "arg1",
        description: "First test argument",
        required: true,
        complete: (typed) => ["paris", "park", "party"].filter((word) => word.startsWith(typed)),
      },
      { name: "arg2", description: "Second test argument", required: true },
    ],
    get: ({ arg1, arg2 }) => ({
      messages: [says({ type: "text", text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` })],
    }),
  },
  {
    name: "test_prompt_with_embedded_resource",
    description: "A resource, and what to do with it.",
    arguments: [{ name: "resourceUri", description: "URI of the resource to embed", required: true }],
    get: ({ resourceUri = "" }) => ({
      messages: [
        says({
          type: "resource",
          resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." },
        }),
        says({ type: "text", text: "Please process the embedded resource above." }),
      ],
    }),
  },
  {
    name: "test_prompt_with_image",
    description: "An image, and what to do with it.",
    get: () => ({
      messages: [
        says({ type: "image", data: PNG, mimeType: "image/png" }),
        says({ type: "text", text: "Please analyze the image above." }),
      ],
    }),
  },
];
