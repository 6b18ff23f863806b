/**
 * The modern side of the bridge (2026-07-28): every request stands for itself, its headers repeat what
 * its body says, and long answers are opened anew when they break off.
 *
 * This file owns those headers and the long answers. It must never open one twice at a time, nor pass
 * on twice what the client has had.
 */

import { MODERN_REVISION, VERSION_CLAIM } from "../mcp/era.ts";
import { encodeHeaderValue } from "../mcp/header-values.ts";
import { decodeText, isObject, notificationText, type RequestId, type RpcRequest } from "../mcp/jsonrpc.ts";
import { SUBSCRIPTION_ID } from "../mcp/message-source.ts";
import type { Json, JsonObject } from "../mcp/registry.ts";
import { type Attempt, asFailure, type BridgeParts, isAway, relay, seeThrough, textOf } from "./exchange.ts";
import { Backoff } from "./patience.ts";
import { type Answer, UpstreamFailure } from "./upstream.ts";

/** Methods whose answer goes on until one side ends it. */
const LONG: readonly string[] = ["events/stream", "subscriptions/listen"];

/** Methods that name what they are about, and the parameter that does (2026-07-28, Streamable HTTP, "Mcp-Name"). */
const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

export class ModernRequests {
  readonly #parts: BridgeParts;
  readonly #underWay = new Map<RequestId, AbortController>();

  constructor(parts: BridgeParts) {
    this.#parts = parts;
  }

  /** Answers a request, whatever comes of it. */
  async request(request: RpcRequest): Promise<void> {
    const cancelled = new AbortController();
    const signal = AbortSignal.any([this.#parts.signal, cancelled.signal]);
    this.#underWay.set(request.id, cancelled);
    try {
      if (LONG.includes(request.method)) await this.#follow(request, signal);
      else await seeThrough(this.#parts, request, "modern", signal, () => this.#attempt(request, signal));
    } finally {
      if (this.#underWay.get(request.id) === cancelled) this.#underWay.delete(request.id);
    }
  }

  /** The client gives a request up: over HTTP that is the end of its connection. @returns whether it was one of these */
  cancel(id: Json | undefined): boolean {
    const underWay = typeof id === "string" || typeof id === "number" ? this.#underWay.get(id) : undefined;
    underWay?.abort();
    return underWay !== undefined;
  }

  #post(request: RpcRequest, signal: AbortSignal): Promise<Answer> {
    const { visitor, upstream } = this.#parts;
    // A tool can be given a token; whoever reads events or resources shows theirs only in this way.
    const bearer = request.method === "tools/call" ? visitor.given : visitor.token;
    return upstream.send("POST", headersOf(request), textOf(request), { bearer, signal });
  }

  async #attempt(request: RpcRequest, signal: AbortSignal): Promise<Attempt> {
    const answer = await this.#post(request, signal);
    const outcome = await relay(this.#parts, request, answer, (text) =>
      this.#parts.visitor.hear(request, text) === "again" ? "again" : { write: text },
    );
    return typeof outcome === "string" || "failed" in outcome ? outcome : { failed: new UpstreamFailure("lost") };
  }

  /** Keeps a long answer open for as long as the client wants it. */
  async #follow(request: RpcRequest, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.#parts.clock, Number.POSITIVE_INFINITY);
    const following = new Following(request);
    do {
      const openedAt = this.#parts.clock.now();
      try {
        const answer = await this.#post(following.request, signal);
        if (!answer.isStream && !isAway(answer)) {
          // Refused, not begun: the client decides what to do about it.
          await relay(this.#parts, request, answer, (text) => ({ write: text }));
          return;
        }
        for await (const { text } of answer.messages) {
          if (!answer.isStream) continue;
          for (const message of following.hear(text)) await this.#parts.write(message);
          if (following.isOver) return;
        }
      } catch (problem) {
        asFailure(problem);
      }
      backoff.resetAfter(openedAt);
    } while (await backoff.wait(signal));
  }
}

/** One long answer over however many connections it takes. */
class Following {
  readonly #request: RpcRequest;
  #cursor: Json | undefined;
  #opened = false;
  #terminated = false;
  isOver = false;

  constructor(request: RpcRequest) {
    this.#request = request;
  }

  /** The request that goes on where the last connection ended. */
  get request(): RpcRequest {
    if (this.#cursor === undefined) return this.#request;
    return { ...this.#request, params: { ...this.#request.params, cursor: this.#cursor } };
  }

  /** What the client is told when this message comes. */
  hear(text: string): readonly string[] {
    const message = decodeText(text);
    if (message.kind === "response") {
      // The server ends every answer when it stops; that is no end for the client, who follows on.
      this.isOver = this.#terminated || "error" in message.outcome;
      return this.isOver ? [text] : [];
    }
    if (message.kind === "invalid") return [];
    if (message.kind !== "notification") return [text];
    const { method, params } = message;
    if (typeof params?.cursor === "string") this.#cursor = params.cursor;
    if (method === "notifications/events/terminated") this.#terminated = true;
    const opens = method === "notifications/events/active" || method === "notifications/subscriptions/acknowledged";
    if (!opens) return [text];
    const again = this.#opened;
    this.#opened = true;
    if (!again || params?.truncated === true) return [text];
    // What was read before the gap may be out of date.
    return method === "notifications/events/active" ? [] : this.#updates(params);
  }

  #updates(acknowledged: JsonObject | undefined): readonly string[] {
    const filter = acknowledged?.notifications;
    const uris = isObject(filter) && Array.isArray(filter.resourceSubscriptions) ? filter.resourceSubscriptions : [];
    return uris.map((uri) =>
      notificationText("notifications/resources/updated", { uri, _meta: { [SUBSCRIPTION_ID]: this.#request.id } }),
    );
  }
}

/** The headers that repeat a request's body (2026-07-28, Streamable HTTP, "Standard headers"). */
function headersOf({ method, params }: RpcRequest): Record<string, string> {
  const claim = isObject(params?._meta) ? params._meta[VERSION_CLAIM] : undefined;
  const headers: Record<string, string> = {
    "mcp-protocol-version": encodeHeaderValue(typeof claim === "string" ? claim : MODERN_REVISION),
    "mcp-method": encodeHeaderValue(method),
  };
  const name = params?.[NAMED_BY.get(method) ?? ""];
  if (typeof name === "string") headers["mcp-name"] = encodeHeaderValue(name);
  return headers;
}
