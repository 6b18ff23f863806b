/**
 * The legacy side of the bridge (2025-11-25 and older): one session with the server for the one client,
 * its GET stream kept open, and opened anew when the server knows it no more.
 *
 * This file owns the session and the stream. What the client asked for in it is asked for again in a new
 * one; it must never ask the client anything for that.
 */

import { BRIDGE_EVENTS_REMEMBERED, BRIDGE_PATIENCE_MS } from "../client-limits.ts";
import { WATCHED_RESOURCES_MAX } from "../limits.ts";
import { errorText, NOT_INITIALIZED } from "../mcp/errors.ts";
import { decodeText, isObject, notificationText, type RequestId, type RpcRequest } from "../mcp/jsonrpc.ts";
import type { JsonObject } from "../mcp/registry.ts";
import { CHANNEL_CAPABILITY, type Doorbell } from "./doorbell.ts";
import { type Attempt, asFailure, type BridgeParts, isAway, isMessage, relay, seeThrough, textOf } from "./exchange.ts";
import { Backoff } from "./patience.ts";
import { type Answer, UpstreamFailure } from "./upstream.ts";

/** A session the server has opened for us. */
interface Session {
  readonly id: string;
  readonly revision: string;
}

const SESSION_HEADER = "mcp-session-id";

export class LegacySession {
  readonly #parts: BridgeParts;
  readonly #doorbell: Doorbell | undefined;
  /** The client's own `initialize`, which is said again when the session is lost. */
  #initialize: RpcRequest | undefined;
  #session: Session | undefined;
  #renewing: Promise<boolean> | undefined;
  #streaming = false;
  #lastEventId: string | undefined;
  /** What the client follows and how loud it wants the log, as it said so. */
  readonly #settings = new Map<string, RpcRequest>();
  readonly #heard = new Set<string>();
  readonly #underWay = new Map<RequestId, AbortController>();
  #ownRequests = 0;

  constructor(parts: BridgeParts, doorbell: Doorbell | undefined) {
    this.#parts = parts;
    this.#doorbell = doorbell;
  }

  /** Answers a request, whatever comes of it. */
  async request(request: RpcRequest): Promise<void> {
    if (request.method === "initialize") this.#initialize = request;
    else if (this.#session === undefined) {
      await this.#parts.write(errorText(request.id, NOT_INITIALIZED));
      return;
    }
    this.#doorbell?.answered();
    this.#note(request);
    const cancelled = new AbortController();
    const signal = AbortSignal.any([this.#parts.signal, cancelled.signal]);
    this.#underWay.set(request.id, cancelled);
    try {
      let lost: Session | undefined;
      await seeThrough(
        this.#parts,
        request,
        "legacy",
        signal,
        () => {
          lost = this.#session;
          return this.#attempt(request, signal);
        },
        () => this.#renew(lost),
      );
    } finally {
      this.#underWay.delete(request.id);
    }
  }

  /** Passes on what wants no answer: a notification, an answer to a question of the server, a batch. */
  async tell(text: string, method: string | undefined, params: JsonObject | undefined): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    try {
      const answer = await this.#post(session, text);
      for await (const received of answer.messages) {
        // A batch is answered by a batch.
        if (answer.status === 200 && isMessage(received.text)) await this.#parts.write(received.text);
      }
      if (answer.status === 404) await this.#renew(session);
    } catch (problem) {
      asFailure(problem);
      // Whoever expects nothing misses nothing; a question will be given up by the server's own time limit.
      this.#parts.warn("a notification did not reach the server");
    }
    if (method === "notifications/initialized") this.#startStream();
    if (method === "notifications/cancelled") {
      const id = params?.requestId;
      if (typeof id === "string" || typeof id === "number") this.#underWay.get(id)?.abort();
    }
  }

  /** Ends the session, so that its user does not stay behind as somebody lost. */
  async end(signal: AbortSignal): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    try {
      const headers = this.#headers(session);
      const { token } = this.#parts.visitor;
      const { messages } = await this.#parts.upstream.send("DELETE", headers, undefined, { bearer: token, signal });
      for await (const _nothing of messages);
    } catch (problem) {
      asFailure(problem);
      // The server is away: it ends the session itself when the user's time is up.
    }
  }

  #headers({ id, revision }: Session): Record<string, string> {
    return { [SESSION_HEADER]: id, "mcp-protocol-version": revision };
  }

  #post(session: Session | undefined, text: string, signal = this.#parts.signal): Promise<Answer> {
    const headers = session === undefined ? {} : this.#headers(session);
    return this.#parts.upstream.send("POST", headers, text, { bearer: this.#parts.visitor.given, signal });
  }

  async #attempt(request: RpcRequest, signal: AbortSignal): Promise<Attempt> {
    const opens = request.method === "initialize";
    const session = opens ? undefined : this.#session;
    let answer = await this.#post(session, textOf(request), signal);
    if (answer.status === 404 && !opens) return "session lost";
    for (;;) {
      const { headers } = answer;
      const outcome = await relay(this.#parts, request, answer, (text) => {
        if (opens) return { write: this.#opened(headers, text) };
        return this.#parts.visitor.hear(request, text) === "again" ? "again" : { write: text };
      });
      if (typeof outcome === "string" || "failed" in outcome) return outcome;
      if (signal.aborted) return "answered";
      const resumed = outcome.after === undefined ? undefined : await this.#resume(session, outcome.after, signal);
      if (resumed === undefined) return { failed: new UpstreamFailure("lost") };
      answer = resumed;
    }
  }

  /** The rest of an answer whose connection broke; undefined if there is none to be had. */
  async #resume(session: Session | undefined, after: string, signal: AbortSignal): Promise<Answer | undefined> {
    if (session === undefined) return undefined;
    const backoff = new Backoff(this.#parts.clock, BRIDGE_PATIENCE_MS);
    const headers = { ...this.#headers(session), "last-event-id": after };
    const { given } = this.#parts.visitor;
    do {
      try {
        const answer = await this.#parts.upstream.send("GET", headers, undefined, { bearer: given, signal });
        if (answer.status === 200) return answer;
        if (!isAway(answer)) return undefined;
      } catch (problem) {
        asFailure(problem);
      }
    } while (await backoff.wait(signal));
    return undefined;
  }

  /** The server has opened a session. Returns what the client is told of it. */
  #opened(headers: Headers, text: string): string {
    const decoded = decodeText(text);
    if (decoded.kind !== "response" || !("result" in decoded.outcome)) return text;
    const { result } = decoded.outcome;
    const id = headers.get(SESSION_HEADER);
    if (id !== null) this.#session = { id, revision: String(result.protocolVersion) };
    if (this.#doorbell === undefined) return text;
    const capabilities = isObject(result.capabilities) ? result.capabilities : {};
    const experimental = isObject(capabilities.experimental) ? capabilities.experimental : {};
    capabilities.experimental = { ...experimental, ...CHANNEL_CAPABILITY };
    result.capabilities = capabilities;
    return JSON.stringify({ jsonrpc: "2.0", id: decoded.id, result });
  }

  /** Opens a new session in place of a lost one, once for everybody who found it lost. */
  #renew(lost: Session | undefined): Promise<boolean> {
    if (this.#session !== lost) return Promise.resolve(this.#session !== undefined);
    this.#renewing ??= this.#openAnew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #openAnew(): Promise<boolean> {
    if (this.#initialize === undefined) return false;
    try {
      const answer = await this.#post(undefined, textOf({ ...this.#initialize, id: this.#ownId() }));
      for await (const { text } of answer.messages) if (answer.status === 200) this.#opened(answer.headers, text);
      if (answer.status !== 200) return false;
      this.#lastEventId = undefined;
      await this.#say(notificationText("notifications/initialized", {}));
      // Whoever the old session belonged to is the new one's user by their first call in it.
      const { token } = this.#parts.visitor;
      if (token !== undefined)
        await this.#ask("tools/call", { name: "chat_status", arguments: { session_token: token } });
      for (const { method, params } of this.#settings.values()) await this.#ask(method, params);
      this.#parts.warn("the server did not know the session any more; a new one was opened");
      return true;
    } catch (problem) {
      asFailure(problem);
      return false;
    }
  }

  #ownId(): string {
    this.#ownRequests++;
    return `bridge:${this.#ownRequests}`;
  }

  /** A request of the bridge's own, whose answer nobody reads. */
  #ask(method: string, params: JsonObject | undefined): Promise<void> {
    return this.#say(textOf({ kind: "request", id: this.#ownId(), method, params }));
  }

  async #say(text: string): Promise<void> {
    const { messages } = await this.#post(this.#session, text);
    for await (const _unread of messages);
  }

  /** Remembers what outlives a request: it has to be said again in a new session. */
  #note({ method, params, id, kind }: RpcRequest): void {
    const uri = params?.uri;
    if (method === "logging/setLevel") this.#settings.set(method, { kind, id, method, params });
    if (typeof uri !== "string") return;
    if (method === "resources/unsubscribe") this.#settings.delete(uri);
    // The server bounds its side by the same number and refuses more.
    if (method === "resources/subscribe" && this.#settings.size <= WATCHED_RESOURCES_MAX) {
      this.#settings.set(uri, { kind, id, method, params });
    }
  }

  #startStream(): void {
    if (this.#streaming) return;
    this.#streaming = true;
    this.#stream().then(
      () => {
        this.#streaming = false;
      },
      (bug: unknown) => this.#parts.fail(bug),
    );
  }

  /** Keeps a GET stream open for as long as the client is there, each resuming where the last one ended. */
  async #stream(): Promise<void> {
    const { signal, clock, upstream, visitor } = this.#parts;
    const backoff = new Backoff(clock, Number.POSITIVE_INFINITY);
    do {
      const session = this.#session;
      if (session === undefined) return;
      const resume = this.#lastEventId === undefined ? {} : { "last-event-id": this.#lastEventId };
      const openedAt = clock.now();
      try {
        const headers = { ...this.#headers(session), ...resume };
        const answer = await upstream.send("GET", headers, undefined, { bearer: visitor.given, signal });
        if (answer.status === 404) {
          await this.#renew(session);
        } else if (answer.status === 200 && answer.isStream) {
          for await (const { text, id } of answer.messages) {
            this.#lastEventId = id ?? this.#lastEventId;
            if (text !== "") await this.#pushed(text);
          }
        } else if (!isAway(answer)) {
          this.#parts.warn(`the server gives no event stream: HTTP status ${answer.status}`);
          return;
        }
      } catch (problem) {
        asFailure(problem);
      }
      backoff.resetAfter(openedAt);
    } while (await backoff.wait(signal));
  }

  /** Passes on what the server says of its own accord, each event once. */
  async #pushed(text: string): Promise<void> {
    const message = decodeText(text);
    if (message.kind === "invalid") return;
    if (message.kind === "notification") {
      const eventId = message.params?.event_id;
      if (typeof eventId === "string") {
        if (this.#heard.has(eventId)) return;
        this.#heard.add(eventId);
        if (this.#heard.size > BRIDGE_EVENTS_REMEMBERED) {
          for (const oldest of this.#heard) {
            this.#heard.delete(oldest);
            break;
          }
        }
      }
      const ring = this.#doorbell?.hear(message.method);
      if (ring !== undefined) await this.#parts.write(ring);
    }
    await this.#parts.write(text);
  }
}
