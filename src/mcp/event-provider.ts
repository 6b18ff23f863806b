/**
 * What a server declares to offer the MCP Events extension (SEP-3415): types of events, who may read
 * them, and readers over them, whichever way they are delivered.
 *
 * This file owns that part of the seam between engine and application. It must never name a way the
 * application keeps its events, and nothing here may do I/O.
 */

import type { JsonObject } from "./json.ts";

/** The ways in which an event type may reach a client. */
export type EventDelivery = "poll" | "push" | "webhook";

/** The errors of the extension by their names, which are also their messages. */
export type EventFaultName =
  | "InvalidParams"
  | "NotFound"
  | "Forbidden"
  | "ResourceExhausted"
  | "Unsupported"
  | "CallbackEndpointError";

/** Why a request is refused or a subscription over. Numbers are the engine's. */
export interface EventFault {
  readonly name: EventFaultName;
  readonly data: JsonObject;
}

/** Which numbers the errors carry: those of the extension's sketch, those of the SEP, or as the client declares. */
export type EventErrorCodes = "auto" | "sketch" | "sep";

/** One type of event, as listed. */
export interface EventType {
  readonly name: string;
  readonly description: string;
  /** Not empty. */
  readonly delivery: readonly EventDelivery[];
  /** JSON Schema 2020-12 with root `type: "object"`. */
  readonly inputSchema: JsonObject;
  /** The same, for `data`. */
  readonly payloadSchema: JsonObject;
  readonly _meta?: JsonObject;
  /** Checks arguments against `inputSchema`. @returns what is wrong with which member, undefined if they are good */
  check(args: JsonObject): { readonly field: string; readonly reason: string } | undefined;
}

/** One thing that happened. */
export interface EventOccurrence {
  /** The same for the same event however often and by whichever way it is delivered: printable ASCII, at most 64. */
  readonly eventId: string;
  /** The event type's. */
  readonly name: string;
  /** ISO 8601 with an offset. */
  readonly timestamp: string;
  /** Fits the type's `payloadSchema`. */
  readonly data: JsonObject;
  /** The position just after it; null for types that keep nothing. */
  readonly cursor: string | null;
}

/** Who asks, as far as a request shows. */
export interface EventRequester {
  /** Key of the legacy session. */
  readonly session: string | undefined;
  /** The credential of `Authorization: Bearer`. */
  readonly bearer: string | undefined;
}

/** A reading to begin. */
export interface EventRequest {
  readonly type: EventType;
  readonly args: JsonObject;
  readonly requester: EventRequester;
  /** What `authorize` gave for the requester. */
  readonly principal: string;
  /** `poll` reads now, or soon if it is held; `push` for as long as a stream stays open. */
  readonly mode: "poll" | "push";
  /** Position to resume strictly after; null = from now. Any text: one that means nothing starts now, after a gap. */
  readonly cursor: string | null;
  /** With a cursor: nothing older than this, in milliseconds. */
  readonly maxAgeMs: number | undefined;
  /** To be called (possibly inside other calls, possibly often) when the reader may have something new to say. */
  readonly wake: () => void;
}

/** A place in what has happened of one type for one principal. Pulled by whoever delivers; nothing is buffered. */
export interface EventReader {
  /** Moves past what is lost for good. @returns whether anything was, since the start or the last occurrence */
  skipGap(): boolean;
  /** Whether an occurrence waits. Also moves past whatever is of other types. */
  hasNext(): boolean;
  next(): EventOccurrence | undefined;
  /** Everything up to here has been handed out or does not concern this reader; null for types that keep nothing. */
  readonly cursor: string | null;
  /** When to poll again, in milliseconds. */
  readonly nextPollMs: number;
  /** Why the subscription is over, once it is. */
  readonly ended: EventFault | undefined;
  /** A poll is being held for something to happen, until `close`. */
  hold(): void;
  /** Nobody reads any more. Called exactly once. */
  close(): void;
}

export interface EventProvider {
  /** In the order in which they are listed, to everybody. */
  readonly types: readonly EventType[];
  /** Default: `auto`. */
  readonly errorCodes?: EventErrorCodes;
  /** @returns a stable key of who the requester is, never a credential; or why they may not read */
  authorize(requester: EventRequester): string | EventFault;
  /** Begins a reading. What the request asks for has been checked, limits included. */
  open(request: EventRequest): EventReader;
}
