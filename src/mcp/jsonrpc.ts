/**
 * JSON-RPC 2.0 as MCP narrows it: what a received value is, and how an answer is written.
 *
 * This file owns the shape of messages. Its functions are total: any value in, one of the variants
 * out, nothing thrown. It must never know a method, an era or a transport.
 */

import type { Json, JsonObject } from "./registry.ts";

/** MCP, Base protocol, "Requests": a string or an integer, never null. */
export type RequestId = string | number;

export interface RpcRequest {
  readonly kind: "request";
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
}

export interface RpcNotification {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject | undefined;
}

export interface RpcResponse {
  readonly kind: "response";
  /** Absent only on an error whose sender could not read our request's id. */
  readonly id: RequestId | undefined;
  readonly outcome: { readonly result: JsonObject } | { readonly error: JsonObject };
}

/** An array; its elements are not looked at. */
export interface RpcBatch {
  readonly kind: "batch";
  readonly items: readonly unknown[];
}

export interface RpcInvalid {
  readonly kind: "invalid";
  /** The id to answer with, if one could be read. */
  readonly id: RequestId | undefined;
  readonly fault: "json" | "shape";
  /** What is wrong, in words that quote nothing received. */
  readonly problem: string;
}

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;
export type Decoded = RpcMessage | RpcBatch | RpcInvalid;

/** Whether a value is a JSON object: not null, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether a value may be a request id. Integers beyond 2^53 are refused, as they cannot be echoed
 * unchanged.
 */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === "string" || Number.isSafeInteger(value);
}

function invalid(id: unknown, problem: string): RpcInvalid {
  return { kind: "invalid", id: isRequestId(id) ? id : undefined, fault: "shape", problem };
}

/** Reads the text of one message. */
export function decodeText(text: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (_syntaxError) {
    return UNPARSABLE;
  }
  return decode(value);
}

/** What stands for a text that is no JSON at all. */
export const UNPARSABLE: RpcInvalid = {
  kind: "invalid",
  id: undefined,
  fault: "json",
  problem: "The message is not JSON.",
};

/** Reads one parsed JSON value as a message. Elements of a batch are decoded by calling this for each. */
export function decode(value: unknown): Decoded {
  if (Array.isArray(value)) return { kind: "batch", items: value };
  if (!isObject(value)) return invalid(undefined, "A message must be an object.");
  const { id, method, params } = value;
  if (value.jsonrpc !== "2.0") return invalid(id, 'jsonrpc must be "2.0".');
  if (method === undefined) return decodeResponse(value);
  if (typeof method !== "string") return invalid(id, "method must be a string.");
  if (id !== undefined && !isRequestId(id)) return invalid(id, "id must be a string or an integer.");
  if (params !== undefined && !isObject(params)) return invalid(id, "params must be an object.");
  if (id === undefined) return { kind: "notification", method, params };
  return { kind: "request", id, method, params };
}

function decodeResponse(value: JsonObject): RpcResponse | RpcInvalid {
  const { id, result, error } = value;
  if (id !== undefined && !isRequestId(id)) return invalid(id, "id must be a string or an integer.");
  if (result === undefined && error === undefined)
    return invalid(id, "A message needs a method, a result or an error.");
  if (result !== undefined && error !== undefined) return invalid(id, "A response has a result or an error, not both.");
  if (error !== undefined) {
    const wellFormed = isObject(error) && Number.isInteger(error.code) && typeof error.message === "string";
    return wellFormed ? { kind: "response", id, outcome: { error } } : invalid(id, "error needs a code and a message.");
  }
  if (!isObject(result)) return invalid(id, "result must be an object.");
  if (id === undefined) return invalid(id, "A result needs an id.");
  return { kind: "response", id, outcome: { result } };
}

/** An id as JSON text. */
export function idText(id: RequestId): string {
  return typeof id === "number" ? String(id) : JSON.stringify(id);
}

/**
 * A successful response.
 * @param result the result object, already JSON text on one line
 */
export function resultText(id: RequestId, result: string): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"result":${result}}`;
}

/** A notification on one line. */
export function notificationText(method: string, params: Json): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;
}
