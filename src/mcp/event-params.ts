/**
 * The parameters of the events methods: read, and refused in the order that clients rely on (name,
 * mode, arguments and the rest; authorization comes after).
 *
 * This file owns that order and the bounds on what is looked at. Its functions are total.
 */

import {
  EVENT_ARGUMENTS_BYTES_MAX,
  EVENT_ARGUMENTS_DEPTH_MAX,
  EVENT_CURSOR_CHARS_MAX,
  EVENT_PARAMS_BYTES_MAX,
  EVENT_POLL_HOLD_MS_MAX,
  EVENTS_PER_POLL,
  EVENTS_PER_POLL_MAX,
} from "../limits.ts";
import type { EventDelivery, EventFault, EventType } from "./event-provider.ts";
import type { Json, JsonObject } from "./json.ts";
import { isObject } from "./jsonrpc.ts";

export type EventTypes = ReadonlyMap<string, EventType>;

/** What `events/poll` and `events/stream` ask for. */
export interface EventQuery {
  readonly type: EventType;
  readonly args: JsonObject;
  readonly cursor: string | null;
  readonly maxAgeMs: number | undefined;
}

/** What `events/poll` asks for besides. */
export interface PollBounds {
  readonly maxEvents: number;
  /** How long to wait for something to happen, in milliseconds; 0 = not at all. */
  readonly timeoutMs: number;
}

export function invalid(field: string, reason: string): EventFault {
  return { name: "InvalidParams", data: { field, reason } };
}

/** Finds the event type of a request and whether it can be had this way. */
export function readType(params: JsonObject, types: EventTypes, mode: EventDelivery): EventType | EventFault {
  if (typeof params.name !== "string") return invalid("name", "must be a string");
  const type = types.get(params.name);
  if (type === undefined) return { name: "NotFound", data: { kind: "event" } };
  if (!type.delivery.includes(mode)) {
    return { name: "Unsupported", data: { feature: "deliveryMode", value: mode } };
  }
  return type;
}

/** Reads what poll and stream have in common. */
export function readQuery(params: JsonObject, types: EventTypes, mode: "poll" | "push"): EventQuery | EventFault {
  const type = readType(params, types, mode);
  if ("data" in type) return type;
  if (Buffer.byteLength(JSON.stringify(params)) > EVENT_PARAMS_BYTES_MAX) return invalid("params", "is too large");
  const args = readArguments(params.arguments, type);
  if ("data" in args) return args;
  const { cursor = null } = params;
  if (cursor !== null && typeof cursor !== "string") return invalid("cursor", "must be a string or null");
  if (cursor !== null && cursor.length > EVENT_CURSOR_CHARS_MAX) {
    return invalid("cursor", `has at most ${EVENT_CURSOR_CHARS_MAX} characters`);
  }
  const maxAgeMs = params.maxAgeMs ?? undefined;
  if (maxAgeMs !== undefined && !isWhole(maxAgeMs, 0)) return invalid("maxAgeMs", "must be a whole number from 0");
  return { type, args: args.args, cursor, maxAgeMs };
}

function readArguments(given: Json | undefined, type: EventType): { readonly args: JsonObject } | EventFault {
  const args = given ?? {};
  if (!isObject(args)) return invalid("arguments", "must be an object");
  if (Buffer.byteLength(JSON.stringify(args)) > EVENT_ARGUMENTS_BYTES_MAX) return invalid("arguments", "is too large");
  const unsafe = findUnsafe(args, EVENT_ARGUMENTS_DEPTH_MAX);
  if (unsafe !== undefined) return invalid("arguments", unsafe);
  const fault = type.check(args);
  return fault === undefined ? { args } : invalid(fault.field, fault.reason);
}

/** Names with which a careless consumer would reach into its own objects. */
const UNSAFE_KEYS: readonly string[] = ["__proto__", "constructor", "prototype"];

/** @param depth levels that may still follow */
function findUnsafe(value: Json, depth: number): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (depth === 0) return `nests deeper than ${EVENT_ARGUMENTS_DEPTH_MAX}`;
  if (!Array.isArray(value) && Object.keys(value).some((key) => UNSAFE_KEYS.includes(key))) {
    return "has a member name that is not allowed";
  }
  for (const member of Object.values(value)) {
    const found = findUnsafe(member, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Reads what only a poll has. Too much of either is given as much as there is. */
export function readBounds(params: JsonObject): PollBounds | EventFault {
  const maxEvents = params.maxEvents ?? EVENTS_PER_POLL;
  if (!isWhole(maxEvents, 1)) return invalid("maxEvents", "must be a whole number from 1");
  const timeoutMs = params.timeoutMs ?? 0;
  if (!isWhole(timeoutMs, 0)) return invalid("timeoutMs", "must be a whole number from 0");
  return {
    maxEvents: Math.min(maxEvents, EVENTS_PER_POLL_MAX),
    timeoutMs: Math.min(timeoutMs, EVENT_POLL_HOLD_MS_MAX),
  };
}

function isWhole(value: Json, min: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min;
}
