/**
 * The official schemas as a measure for what the server says: those of SDK 1 for the legacy era,
 * those of the second generation for the modern one.
 *
 * This file owns which schema a message has to fit. It must never repair a message.
 */

import * as modern from "@modelcontextprotocol/core";
import * as legacy from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import type { Era } from "../../src/mcp/registry.ts";

interface Schema {
  safeParse(value: unknown): { readonly success: boolean; readonly error?: { readonly message: string } };
}

/** Members of every modern result, and of those that may be cached (2026-07-28, Base protocol, "Results"; "Caching"). */
const result = z.looseObject({ resultType: z.string(), _meta: z.looseObject({}) });
const cacheable = result.extend({ ttlMs: z.int().min(0), cacheScope: z.enum(["public", "private"]) });

// --- MCP Events (SEP-3415), of which the official packages know nothing --------------------------

const occurrence = z.strictObject({
  eventId: z.string().regex(/^[!-~]{1,64}$/),
  name: z.string(),
  timestamp: z.iso.datetime({ offset: true }),
  data: z.looseObject({}),
});
const cursor = z.string().nullable();
const objectSchema = z.looseObject({ type: z.literal("object") });

const EVENTS_RESULTS: Readonly<Record<string, Schema>> = {
  "events/list": z.looseObject({
    events: z.array(
      z.strictObject({
        name: z.string(),
        description: z.string(),
        delivery: z.array(z.enum(["poll", "push", "webhook"])).nonempty(),
        inputSchema: objectSchema,
        payloadSchema: objectSchema,
      }),
    ),
  }),
  "events/poll": z.looseObject({
    events: z.array(occurrence),
    cursor,
    truncated: z.boolean(),
    hasMore: z.boolean(),
    nextPollMs: z.int().min(0),
  }),
  "events/unsubscribe": z.looseObject({}),
};

const tagged = z.strictObject({ "io.modelcontextprotocol/subscriptionId": z.union([z.string(), z.int()]) });
const eventNotice = (params: z.ZodObject): Schema => z.looseObject({ params: params.extend({ _meta: tagged }) });

const EVENTS_NOTIFICATIONS: Readonly<Record<string, Schema>> = {
  "notifications/events/active": eventNotice(z.strictObject({ cursor, truncated: z.boolean() })),
  "notifications/events/event": eventNotice(occurrence.extend({ cursor })),
  "notifications/events/heartbeat": eventNotice(z.strictObject({ cursor })),
  "notifications/events/terminated": eventNotice(z.strictObject({ error: z.looseObject({ code: z.int() }) })),
};

// --- everything by its era ------------------------------------------------------------------------

const LEGACY_RESULTS: Readonly<Record<string, Schema>> = {
  initialize: legacy.InitializeResultSchema,
  ping: legacy.EmptyResultSchema,
  "tools/list": legacy.ListToolsResultSchema,
  "tools/call": legacy.CallToolResultSchema,
  "resources/list": legacy.ListResourcesResultSchema,
  "resources/templates/list": legacy.ListResourceTemplatesResultSchema,
  "resources/read": legacy.ReadResourceResultSchema,
  "resources/subscribe": legacy.EmptyResultSchema,
  "resources/unsubscribe": legacy.EmptyResultSchema,
  "prompts/list": legacy.ListPromptsResultSchema,
  "prompts/get": legacy.GetPromptResultSchema,
  "completion/complete": legacy.CompleteResultSchema,
  "logging/setLevel": legacy.EmptyResultSchema,
  ...EVENTS_RESULTS,
};

const MODERN_RESULTS: Readonly<Record<string, readonly Schema[]>> = {
  "server/discover": [cacheable, modern.DiscoverResultSchema],
  "tools/list": [cacheable, modern.ListToolsResultSchema],
  "tools/call": [result, modern.CallToolResultSchema],
  "resources/list": [cacheable, modern.ListResourcesResultSchema],
  "resources/templates/list": [cacheable, modern.ListResourceTemplatesResultSchema],
  "resources/read": [cacheable, modern.ReadResourceResultSchema],
  "prompts/list": [cacheable, modern.ListPromptsResultSchema],
  "prompts/get": [result, modern.GetPromptResultSchema],
  "completion/complete": [result, modern.CompleteResultSchema],
  "subscriptions/listen": [result, modern.SubscriptionsListenResultSchema],
  ...Object.fromEntries(Object.entries(EVENTS_RESULTS).map(([method, schema]) => [method, [result, schema]])),
  "events/stream": [result.extend({ _meta: tagged.loose() })],
};

const LEGACY_NOTIFICATIONS: Readonly<Record<string, Schema>> = {
  "notifications/message": legacy.LoggingMessageNotificationSchema,
  "notifications/progress": legacy.ProgressNotificationSchema,
  "notifications/resources/updated": legacy.ResourceUpdatedNotificationSchema,
  "notifications/resources/list_changed": legacy.ResourceListChangedNotificationSchema,
  "notifications/tools/list_changed": legacy.ToolListChangedNotificationSchema,
  "notifications/prompts/list_changed": legacy.PromptListChangedNotificationSchema,
};

const MODERN_NOTIFICATIONS: Readonly<Record<string, Schema>> = {
  "notifications/message": modern.LoggingMessageNotificationSchema,
  "notifications/progress": modern.ProgressNotificationSchema,
  "notifications/resources/updated": modern.ResourceUpdatedNotificationSchema,
  "notifications/resources/list_changed": modern.ResourceListChangedNotificationSchema,
  "notifications/tools/list_changed": modern.ToolListChangedNotificationSchema,
  "notifications/prompts/list_changed": modern.PromptListChangedNotificationSchema,
  "notifications/subscriptions/acknowledged": modern.SubscriptionsAcknowledgedNotificationSchema,
  ...EVENTS_NOTIFICATIONS,
};

const message = z.looseObject({ method: z.string().optional(), result: z.unknown().optional() });

/**
 * Asserts that a message the server sent fits its era.
 * @param method of the request it answers, or that was being answered when it came
 * @throws Error that names the schema it fits not, or a method that no schema is known of
 */
export function expectOfficial(era: Era, method: string, sent: unknown): void {
  fits(era === "legacy" ? legacy.JSONRPCMessageSchema : modern.JSONRPCMessageSchema, sent, "a JSON-RPC message");
  const read = message.parse(sent);
  if (read.method !== undefined) {
    const schemas = era === "legacy" ? LEGACY_NOTIFICATIONS : MODERN_NOTIFICATIONS;
    // An application's own notifications are as JSON-RPC has it, and the official packages pass them on.
    const isOwn = !read.method.startsWith("notifications/");
    fits(isOwn ? modern.JSONRPCNotificationSchema : known(schemas, read.method), sent, read.method);
  } else if (read.result !== undefined) {
    const schemas = era === "legacy" ? [known(LEGACY_RESULTS, method)] : known(MODERN_RESULTS, method);
    for (const schema of schemas) fits(schema, read.result, `a result of ${method}`);
  }
}

function known<T>(schemas: Readonly<Record<string, T>>, method: string): T {
  const schema = schemas[method];
  if (schema === undefined) throw new Error(`no schema is known of ${method}`);
  return schema;
}

function fits(schema: Schema, value: unknown, what: string): void {
  const { success, error } = schema.safeParse(value);
  if (!success) throw new Error(`not ${what}: ${error?.message}\n${JSON.stringify(value)}`);
}
