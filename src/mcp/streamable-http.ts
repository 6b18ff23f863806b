/**
 * The Streamable HTTP transport of both eras on one endpoint, without the sockets: what each verb
 * means, which session a request belongs to, and which version rules hold.
 *
 * This file owns the rules of the transport. It must never touch a request or response object of
 * the runtime: header values and decoded messages come in, replies go out.
 */

import { EMPTY_BATCH, runBatch } from "./batch.ts";
import { Call, type Caller } from "./call.ts";
import { type BugLog, Dispatcher, type MethodTable } from "./dispatch.ts";
import { decideEra, LEGACY_REVISIONS, MODERN_REVISION, namesModern } from "./era.ts";
import {
  BAD_EVENT_ID,
  invalidRequest,
  legacyMethodNotFound,
  SESSION_REQUIRED,
  SESSION_UNKNOWN,
  unavailable,
  unreadable,
  unsupportedVersionHeader,
  verbNotOffered,
  type WireError,
} from "./errors.ts";
import type { HeaderReader } from "./header-values.ts";
import {
  type Decoded,
  isRequestId,
  type RequestId,
  type RpcNotification,
  type RpcRequest,
  resultText,
} from "./jsonrpc.ts";
import { initialize, legacyMethods } from "./legacy.ts";
import { LostAnswer } from "./lost-answer.ts";
import { checkModernRequest, modernMethods } from "./modern.ts";
import { Primitives } from "./primitives.ts";
import type { ServerDefinition } from "./registry.ts";
import type { RepeatedCall } from "./repeated-call.ts";
import { ACCEPTED, DONE, errorReply, type HeldReply, jsonReply, type Reply } from "./reply.ts";
import { namesResponseStream } from "./resumable-stream.ts";
import { type Session, Sessions } from "./session.ts";
import { SessionStreams } from "./streams.ts";
import { Unavailable } from "./unavailable.ts";

export interface StreamableHttpOptions {
  readonly definition: ServerDefinition;
  /** 32 bytes that seal session tokens. */
  readonly sessionKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: BugLog;
}

export class StreamableHttp {
  readonly #server: ServerDefinition;
  readonly #primitives: Primitives;
  readonly #dispatcher: Dispatcher;
  readonly #sessions: Sessions;
  readonly #streams: SessionStreams | undefined;
  readonly #legacy: MethodTable;
  readonly #modern: MethodTable;
  /** The verbs of the endpoint, for `Allow`. Without anything to push there is no GET stream. */
  readonly verbs: readonly string[];

  constructor({ definition, sessionKey, now, log }: StreamableHttpOptions) {
    this.#server = definition;
    this.#dispatcher = new Dispatcher({ server: definition, key: sessionKey, now, log });
    this.#primitives = new Primitives(definition, now);
    const source = this.#primitives.sessionSource;
    this.#streams = source === undefined ? undefined : new SessionStreams(source, now);
    const usedAt = (session: string): number | undefined =>
      this.#streams?.isOpen(session) ? now() : definition.sessions.usedAt?.(session);
    this.#sessions = new Sessions({ key: sessionKey, now, usedAt });
    this.#legacy = legacyMethods(this.#primitives);
    this.#modern = modernMethods(this.#primitives);
    this.#primitives.facts?.tellHolder({
      cancelled: (session, id) => this.#cancel(session, id),
      moved: (session, id) => this.#dispatcher.cancel(session, id),
    });
    definition.sessions.listen?.((session) => this.#endHere(session));
    this.verbs = this.#streams === undefined ? ["POST", "DELETE"] : ["POST", "GET", "DELETE"];
  }

  /** Counts for health and metrics. */
  get counts(): { readonly held: number; readonly sessionsOpened: number } {
    return { held: this.#dispatcher.heldCount, sessionsOpened: this.#sessions.openedCount };
  }

  /** A posted message or batch. */
  post(decoded: Decoded, headers: HeaderReader, caller: Caller): Reply | HeldReply {
    if (decoded.kind === "invalid") return errorReply(unreadable(decoded), decoded.id);
    const versionHeader = headers.get("mcp-protocol-version");
    const era = decideEra(decoded, versionHeader);
    if (era === "legacy") return this.#postLegacy(decoded, versionHeader, headers.get("mcp-session-id"), caller);
    if (era === "mixed") return errorReply(invalidRequest("batches do not exist in this revision."), undefined);
    return this.#postModern(decoded, headers, caller);
  }

  #postModern(decoded: Decoded, headers: HeaderReader, caller: Caller): Reply | HeldReply {
    // 2026-07-28, Streamable HTTP: clients send nothing but requests; a stray notification is harmless.
    if (decoded.kind === "notification") return ACCEPTED;
    if (decoded.kind !== "request") return errorReply(invalidRequest("a request was expected."), undefined);
    const fault = checkModernRequest(decoded, headers, this.#modern, this.#primitives.tools);
    const method = this.#modern.get(decoded.method);
    if (fault !== undefined || method === undefined) {
      return errorReply(fault ?? invalidRequest("no method."), decoded.id);
    }
    return this.#dispatcher.run(
      method,
      new Call(decoded, "modern", MODERN_REVISION, caller, undefined, this.#dispatcher.facilities),
    );
  }

  #postLegacy(decoded: Decoded, versionHeader: string | null, token: string | null, caller: Caller): Reply | HeldReply {
    const id = decoded.kind === "request" ? decoded.id : undefined;
    if (decoded.kind === "request" && decoded.method === "initialize") return this.#initialize(decoded, token, caller);
    // No session makes an empty batch a message (JSON-RPC 2.0, section 6).
    if (decoded.kind === "batch" && decoded.items.length === 0) return errorReply(EMPTY_BATCH, undefined);
    const session = this.#session(token, versionHeader, caller, decoded.kind === "request" || decoded.kind === "batch");
    if ("code" in session) return errorReply(session, id);
    switch (decoded.kind) {
      case "request":
        return this.#request(decoded, session, caller);
      case "notification":
        this.#notification(decoded, session);
        return ACCEPTED;
      case "batch":
        return this.#batch(decoded.items, session, caller);
      case "response":
        this.#dispatcher.facilities.clientRequests.answer(session.id, decoded);
        return ACCEPTED;
      default:
        return ACCEPTED;
    }
  }

  #initialize(request: RpcRequest, token: string | null, caller: Caller): Reply {
    if (token !== null) return errorReply(invalidRequest("this session is initialized already."), request.id);
    const handshake = initialize(this.#primitives, request.params);
    if ("code" in handshake) return errorReply(handshake, request.id);
    const { revision, capabilities, client, result } = handshake;
    const issued = this.#sessions.issue({ revision, capabilities, client, subject: caller.subject });
    return { ...jsonReply(resultText(request.id, result)), headers: { "mcp-session-id": issued } };
  }

  /**
   * The live session a request names.
   * @param remember whether this kind of use will recur
   */
  #session(token: string | null, versionHeader: string | null, caller: Caller, remember: boolean): Session | WireError {
    if (token === null) return SESSION_REQUIRED;
    const session = this.#sessions.open(token, remember);
    if (session === undefined || session.subject !== caller.subject) return SESSION_UNKNOWN;
    if (this.#server.sessions.isEnded(session.id, session.issuedAt)) return SESSION_UNKNOWN;
    // 2025-06-18, Transports, "Protocol version header": any version served will do; the session's is what counts.
    if (versionHeader !== null && !LEGACY_REVISIONS.some((served) => served === versionHeader)) {
      return unsupportedVersionHeader(LEGACY_REVISIONS);
    }
    return session;
  }

  #request(request: RpcRequest, session: Session, caller: Caller): Reply | HeldReply {
    const method = this.#legacy.get(request.method);
    if (method === undefined) return errorReply(legacyMethodNotFound(request.method), request.id);
    return this.#dispatcher.run(
      method,
      new Call(request, "legacy", session.revision, caller, session, this.#dispatcher.facilities),
    );
  }

  #notification(notification: RpcNotification, session: Session): void {
    if (notification.method !== "notifications/cancelled") return;
    const id = notification.params?.requestId;
    if (!isRequestId(id)) return;
    this.#cancel(session.id, id);
    this.#primitives.facts?.cancelled(session.id, id);
  }

  #cancel(session: string, id: RequestId): void {
    this.#dispatcher.cancel(session, id);
    this.#dispatcher.facilities.resumable.noteCancelled(session, id);
  }

  /** The answers of a batch come together, so nothing can be streamed before them. */
  #batch(items: readonly unknown[], session: Session, caller: Caller): Reply | HeldReply {
    return runBatch(items, session.revision, {
      request: (request) => this.#request(request, session, { ...caller, canStream: false }),
      other: (message) => {
        if (message.kind === "notification") this.#notification(message, session);
        else this.#dispatcher.facilities.clientRequests.answer(session.id, message);
      },
    });
  }

  /** GET: opens the session's stream of notifications, or goes on with the response stream that `Last-Event-ID` names. */
  get(headers: HeaderReader, caller: Caller): Reply {
    const session = this.#sessionOfVerb(headers, caller);
    if ("code" in session) return errorReply(session, undefined);
    const lastEventId = headers.get("last-event-id");
    const { facts } = this.#primitives;
    const source = namesResponseStream(lastEventId)
      ? this.#dispatcher.facilities.resumable.resume(session.id, lastEventId)
      : this.#streams?.open(session, lastEventId);
    if (source === undefined) return errorReply(verbNotOffered(this.verbs), undefined);
    if (typeof source === "object") {
      if ("repeated" in source) return this.#repeat(source, session, caller);
      // Another server may still hold it for somebody who does not come there.
      if (source instanceof LostAnswer) facts?.moved(session.id, source.request);
      else facts?.opened(session.id, session.revision);
    }
    // HTML, "Server-sent events": 204 is what tells a client not to come back.
    if (source === "nothing") return DONE;
    return source === "malformed" ? errorReply(BAD_EVENT_ID, undefined) : { kind: "stream", source };
  }

  /** Makes a call again whose client has come here for the answer, wherever it was held. */
  #repeat({ repeated, startedAt }: RepeatedCall, session: Session, caller: Caller): Reply {
    this.#primitives.facts?.moved(session.id, repeated.id);
    const method = this.#legacy.get(repeated.method);
    if (method === undefined) return errorReply(legacyMethodNotFound(repeated.method), repeated.id);
    const call = new Call(repeated, "legacy", session.revision, caller, session, this.#dispatcher.facilities);
    const stream = call.goOnSince(startedAt);
    const reply = this.#dispatcher.run(method, call);
    if (reply.kind !== "json") return stream;
    // It was refused, so its stream is of no use.
    call.cancel();
    return reply;
  }

  /** DELETE: ends the session, its streams and what it waits for. */
  delete(headers: HeaderReader, caller: Caller): Reply | Promise<Reply> {
    const session = this.#sessionOfVerb(headers, caller);
    if ("code" in session) return errorReply(session, undefined);
    // The ledger comes first: a session that ends must not look like one whose connection was lost.
    const ended = this.#server.sessions.end(session.id, session.issuedAt);
    const end = (): Reply => {
      this.#endHere(session.id);
      return DONE;
    };
    return ended instanceof Promise ? ended.then(end, notEnded) : end();
  }

  /** A session has ended, here or elsewhere. */
  #endHere(session: string): void {
    this.#dispatcher.endScope(session);
    this.#streams?.endSession(session);
    this.#primitives.endSession(session);
  }

  /** GET and DELETE exist in the legacy era only. */
  #sessionOfVerb(headers: HeaderReader, caller: Caller): Session | WireError {
    const versionHeader = headers.get("mcp-protocol-version");
    if (namesModern(versionHeader)) return verbNotOffered(["POST"]);
    return this.#session(headers.get("mcp-session-id"), versionHeader, caller, true);
  }

  /** Forgets opened tokens that are no longer used. To be called now and then. */
  sweep(): void {
    this.#sessions.sweep();
    this.#dispatcher.facilities.sweep();
    this.#primitives.sweep();
  }

  /** Ends every stream, and says on it that its client is to come back: what it was read from is no more. */
  cut(): void {
    this.#streams?.stop();
    this.#dispatcher.endMessages();
    this.#primitives.release();
  }

  /** Answers what is held for something to happen. Its answers leave after this turn. */
  release(): void {
    this.#primitives.release();
  }

  /** Ends every stream and answers every held call, so that a transport can close. */
  stop(): void {
    this.#dispatcher.stop();
    this.#streams?.stop();
    this.#primitives.stop();
  }
}

function notEnded(problem: unknown): Reply {
  if (problem instanceof Unavailable) return errorReply(unavailable(problem.retryAfterMs), undefined);
  throw problem;
}
