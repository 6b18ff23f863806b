/**
 * What the bridge knows of the one user behind the pipe: their session token, and which of their
 * calls may be repeated when an answer was lost.
 *
 * This file owns that knowledge of the chat's tools. It must never write the token anywhere but into
 * requests to the server, and never look at what people write to each other.
 */

import { decodeText, isObject, type RpcRequest } from "../mcp/jsonrpc.ts";
import type { Era, JsonObject } from "../mcp/registry.ts";

/** Calls that make a user, and are answered with a token. */
const ENTERING: readonly (string | undefined)[] = ["enter_queue", "join_room"];
/** Calls that do the same if they are made twice. */
const REPEATABLE: readonly (string | undefined)[] = [
  "leave_queue",
  "wait_for_message",
  "set_typing",
  "get_history",
  "chat_status",
  "leave_chat",
  "report_partner",
  "block_partner",
];

export class Visitor {
  #given: string | undefined;
  #learned: string | undefined;

  /** @param given token of the user to come back as, if the environment names one */
  constructor(given: string | undefined) {
    this.#given = given;
  }

  /** What every request shows: the token of the environment, while it is good. */
  get given(): string | undefined {
    return this.#given;
  }

  /** The session token of the user behind the pipe, once known: for requests that cannot name one themselves. */
  get token(): string | undefined {
    return this.#given ?? this.#learned;
  }

  /**
   * A request was answered: learns the token that comes with it.
   * @returns "again" if it must be asked once more, without the token of the environment, which is no good
   */
  hear(request: RpcRequest, response: string): "again" | "answered" {
    if (ENTERING.includes(toolOf(request))) this.#learn(response);
    if (!this.#isRefused(request, response)) return "answered";
    this.#given = undefined;
    this.#learned = undefined;
    return "again";
  }

  /** Takes the token out of a response that brings one. */
  #learn(response: string): void {
    const token = contentOf(response)?.session_token;
    if (typeof token === "string") this.#learned = token;
  }

  /** Whether a tool refused the token that the bridge has shown for the client, who cannot do anything about it. */
  #isRefused(request: RpcRequest, response: string): boolean {
    if (this.#given === undefined || argumentsOf(request)?.session_token !== undefined) return false;
    return response.includes('"bad_session_token"') && codeOf(response) === "bad_session_token";
  }

  /**
   * The request as it is sent on: a message gets an id of its own if it has none, so that it can be sent
   * again without being posted twice.
   */
  prepare(request: RpcRequest): RpcRequest {
    const args = argumentsOf(request);
    if (toolOf(request) !== "send_message" || (args !== undefined && Object.hasOwn(args, "client_message_id"))) {
      return request;
    }
    const params = { ...request.params, arguments: { ...args, client_message_id: crypto.randomUUID() } };
    return { ...request, params };
  }

  /** Whether a prepared request that may have reached the server can be sent again without harm. */
  isRepeatable(request: RpcRequest, era: Era): boolean {
    if (request.method !== "tools/call") return true;
    const tool = toolOf(request);
    if (REPEATABLE.includes(tool)) return true;
    if (tool === "send_message") return typeof argumentsOf(request)?.client_message_id === "string";
    // A session knows whom it has made. Without one, a second call would make a second user.
    return ENTERING.includes(tool) && (era === "legacy" || argumentsOf(request)?.session_token !== undefined);
  }
}

/** The tool a request calls, if it calls one. */
export function toolOf(request: RpcRequest): string | undefined {
  const name = request.method === "tools/call" ? request.params?.name : undefined;
  return typeof name === "string" ? name : undefined;
}

function argumentsOf(request: RpcRequest): JsonObject | undefined {
  const args = request.params?.arguments;
  return isObject(args) ? args : undefined;
}

/** The structured content of a tool's response. */
function contentOf(response: string): JsonObject | undefined {
  const decoded = decodeText(response);
  const result = decoded.kind === "response" && "result" in decoded.outcome ? decoded.outcome.result : undefined;
  return isObject(result?.structuredContent) ? result.structuredContent : undefined;
}

function codeOf(response: string): unknown {
  const error = contentOf(response)?.error;
  return isObject(error) ? error.code : undefined;
}
