/**
 * The stdio transport of both eras without the pipes: one connection, at most one legacy session,
 * and what each message means (2025-11-25 and 2026-07-28, Transports, "stdio").
 *
 * This file owns the rules of the transport. It must never touch a stream of the runtime: decoded
 * messages come in, replies go out.
 */

import { randomBytes } from "../crypto.ts";
import { runBatch } from "./batch.ts";
import { Call, type Caller } from "./call.ts";
import { type BugLog, Dispatcher, type MethodTable } from "./dispatch.ts";
import { decideEra, MODERN_REVISION } from "./era.ts";
import { invalidRequest, legacyMethodNotFound, NOT_INITIALIZED, unreadable } from "./errors.ts";
import { type Decoded, isRequestId, type RpcNotification, type RpcRequest, resultText } from "./jsonrpc.ts";
import { initialize, legacyMethods } from "./legacy.ts";
import { checkModernRequest, modernMethods } from "./modern.ts";
import { Primitives } from "./primitives.ts";
import type { PushReader, ServerDefinition, Wakeable } from "./registry.ts";
import { ACCEPTED, errorReply, type HeldReply, jsonReply, type Reply } from "./reply.ts";
import type { MessageKind } from "./response-stream.ts";
import type { Session } from "./session.ts";

export interface StdioEndpointOptions {
  readonly definition: ServerDefinition;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: BugLog;
  /** The credential of whoever started the process, which they gave by its environment (Authorization, "stdio"). */
  readonly bearer?: string | undefined;
  /** Sends a message that precedes an answer. */
  readonly send: (json: string, kind: MessageKind) => void;
  /**
   * The client of the legacy session is ready to be told things of the server's own accord. Called at
   * most once, and not at all if there is nothing the server could tell.
   * @param open to be called at once
   */
  readonly onInitialized: (open: (listener: Wakeable) => PushReader) => void;
}

const SESSION_ID_BYTES = 16;

export class StdioEndpoint {
  readonly #options: StdioEndpointOptions;
  readonly #primitives: Primitives;
  readonly #dispatcher: Dispatcher;
  readonly #legacy: MethodTable;
  readonly #modern: MethodTable;
  readonly #caller: Caller;
  readonly #connection = randomBytes(SESSION_ID_BYTES).toString("base64url");
  #session: Session | undefined;
  #initialized = false;

  constructor(options: StdioEndpointOptions) {
    this.#options = options;
    this.#primitives = new Primitives(options.definition, options.now);
    const { definition, now, log } = options;
    // Only this process opens what it has sealed: its clients end with it.
    this.#dispatcher = new Dispatcher({ server: definition, key: randomBytes(32), now, log });
    this.#legacy = legacyMethods(this.#primitives);
    this.#modern = modernMethods(this.#primitives);
    this.#caller = {
      transport: "stdio",
      bearer: options.bearer,
      subject: "",
      canStream: true,
      connection: this.#connection,
      send: options.send,
    };
  }

  /** Requests without an answer at this moment. */
  get heldCount(): number {
    return this.#dispatcher.heldCount;
  }

  /** One message of the client, or a batch. */
  receive(decoded: Decoded): Reply | HeldReply {
    if (decoded.kind === "invalid") return errorReply(unreadable(decoded), decoded.id);
    if (decoded.kind === "response") {
      this.#dispatcher.facilities.clientRequests.answer(this.#connection, decoded);
      return ACCEPTED;
    }
    const era = decideEra(decoded, null);
    if (era === "mixed") return errorReply(invalidRequest("batches do not exist in this revision."), undefined);
    switch (decoded.kind) {
      case "notification":
        this.#notification(decoded);
        return ACCEPTED;
      case "request":
        return era === "modern" ? this.#modernRequest(decoded) : this.#legacyRequest(decoded);
      case "batch":
        return this.#batch(decoded.items);
    }
  }

  #modernRequest(request: RpcRequest): Reply | HeldReply {
    const fault = checkModernRequest(request, undefined, this.#modern, this.#primitives.tools);
    const method = this.#modern.get(request.method);
    if (fault !== undefined || method === undefined) {
      return errorReply(fault ?? invalidRequest("no method."), request.id);
    }
    return this.#dispatcher.run(
      method,
      new Call(request, "modern", MODERN_REVISION, this.#caller, undefined, this.#dispatcher.facilities),
    );
  }

  #legacyRequest(request: RpcRequest, caller = this.#caller): Reply | HeldReply {
    if (request.method === "initialize") return this.#initialize(request);
    const session = this.#session;
    if (session === undefined) {
      // Lifecycle, "Initialization": pings are the one thing a client may send before.
      return request.method === "ping"
        ? jsonReply(resultText(request.id, "{}"))
        : errorReply(NOT_INITIALIZED, request.id);
    }
    const method = this.#legacy.get(request.method);
    if (method === undefined) return errorReply(legacyMethodNotFound(request.method), request.id);
    return this.#dispatcher.run(
      method,
      new Call(request, "legacy", session.revision, caller, session, this.#dispatcher.facilities),
    );
  }

  #initialize(request: RpcRequest): Reply {
    if (this.#session !== undefined) return errorReply(invalidRequest("already initialized."), request.id);
    const handshake = initialize(this.#primitives, request.params);
    if ("code" in handshake) return errorReply(handshake, request.id);
    const { revision, capabilities, client, result } = handshake;
    const issuedAt = this.#options.now();
    this.#session = { id: this.#connection, revision, capabilities, client, subject: "", issuedAt };
    return jsonReply(resultText(request.id, result));
  }

  /** Notifications claim no era: a cancellation is meant for whichever request has the id. */
  #notification({ method, params }: RpcNotification): void {
    if (method === "notifications/cancelled") {
      if (isRequestId(params?.requestId)) this.#dispatcher.cancel(this.#connection, params.requestId);
    } else if (method === "notifications/initialized" && this.#session !== undefined && !this.#initialized) {
      this.#initialized = true;
      this.#beginPush(this.#session);
    }
  }

  #beginPush(session: Session): void {
    const { notices } = this.#primitives;
    const { push } = this.#options.definition;
    if (notices === undefined && push === undefined) return;
    this.#options.onInitialized((listener) => {
      const reader = notices?.open(session, null, listener) ?? push?.open(session.id, null, listener);
      if (reader === undefined || reader === "malformed") throw new Error("a fresh reader was refused");
      return reader;
    });
  }

  #batch(items: readonly unknown[]): Reply | HeldReply {
    if (this.#session === undefined) return errorReply(NOT_INITIALIZED, undefined);
    return runBatch(items, this.#session.revision, {
      request: (request) => this.#legacyRequest(request, { ...this.#caller, canStream: false }),
      other: (message) => {
        if (message.kind === "notification") this.#notification(message);
        else this.#dispatcher.facilities.clientRequests.answer(this.#connection, message);
      },
    });
  }

  /** Gives up what has waited too long. To be called now and then. */
  sweep(): void {
    this.#primitives.sweep();
    this.#dispatcher.facilities.sweep();
  }

  /** The client has gone: its legacy session, if there is one, ends as by DELETE. */
  end(): void | Promise<void> {
    const session = this.#session;
    if (session === undefined) return undefined;
    const ended = this.#options.definition.sessions.end(session.id, session.issuedAt);
    this.#primitives.endSession(session.id);
    return ended;
  }

  /** Answers what is held for something to happen. Its answers leave after this turn. */
  release(): void {
    this.#primitives.release();
  }

  /** Answers everything that is held. */
  stop(): void {
    this.#dispatcher.stop();
    this.#primitives.stop();
  }
}
