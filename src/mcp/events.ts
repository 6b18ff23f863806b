/**
 * The MCP Events extension (SEP-3415): listing event types, polling them, and streams of them, over
 * whatever the application's provider reads.
 *
 * This file owns the methods and the limits of each principal. It must never keep an occurrence,
 * nor look at what one says.
 */

import { EVENT_POLLS_BURST_MAX, EVENT_POLLS_PER_S_MAX, EVENT_STREAMS_PER_PRINCIPAL_MAX } from "../limits.ts";
import type { Call } from "./call.ts";
import { EVENTS_EXTENSION } from "./capabilities.ts";
import type { Method, Outcome } from "./dispatch.ts";
import type { Envelope } from "./envelope.ts";
import { type EventErrorProfile, eventError, type WireError } from "./errors.ts";
import {
  type EventQuery,
  type EventTypes,
  invalid,
  type PollBounds,
  readBounds,
  readQuery,
  readType,
} from "./event-params.ts";
import type { EventFault, EventOccurrence, EventProvider, EventReader, EventType } from "./event-provider.ts";
import { EventStream } from "./event-stream.ts";
import type { JsonObject } from "./json.ts";
import { isObject } from "./jsonrpc.ts";
import type { MessageSource } from "./message-source.ts";
import { requesterOf } from "./requester.ts";
import { TokenBuckets } from "./token-buckets.ts";

const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** A reading that a request may begin. */
interface Admitted extends EventQuery {
  readonly principal: string;
}

/** The methods of one endpoint and what they count. */
export class Events {
  readonly #provider: EventProvider;
  readonly #types: EventTypes;
  readonly #envelope: Envelope;
  readonly #now: () => number;
  /** The list as JSON text, from when it is first asked for. */
  #list: string | undefined;
  readonly #polls: TokenBuckets;
  /** Open streams by principal. */
  readonly #streams = new Map<string, number>();
  /** Ends the poll held for a principal and an event type. */
  readonly #held = new Map<string, () => void>();

  /**
   * @param now milliseconds since 1970
   * @throws RangeError on two types of one name
   */
  constructor(provider: EventProvider, envelope: Envelope, now: () => number) {
    this.#provider = provider;
    this.#types = new Map(provider.types.map((type) => [type.name, type]));
    if (this.#types.size !== provider.types.length) throw new RangeError("two event types have the same name");
    this.#envelope = envelope;
    this.#now = now;
    this.#polls = new TokenBuckets(EVENT_POLLS_PER_S_MAX, EVENT_POLLS_BURST_MAX);
  }

  /** What a legacy session can call. A stream is defined for 2026-07-28 only. */
  legacyMethods(): readonly (readonly [string, Method])[] {
    return [
      ["events/list", (call) => this.#listTypes(call)],
      ["events/poll", (call) => this.#poll(call)],
      ["events/subscribe", (call) => this.#subscribe(call)],
      ["events/unsubscribe", (call) => this.#unsubscribe(call)],
    ];
  }

  /** Answers every held poll now, with nothing: the server is about to stop. */
  release(): void {
    for (const release of [...this.#held.values()]) release();
  }

  modernMethods(): readonly (readonly [string, Method])[] {
    return [...this.legacyMethods(), ["events/stream", (call) => this.#stream(call)]];
  }

  #listTypes(call: Call): Outcome {
    // The list has one page, so no cursor was ever given out.
    if (call.request.params?.cursor !== undefined) return this.#refuse(call, invalid("cursor", "is unknown"));
    this.#list ??= JSON.stringify({ events: this.#provider.types.map(describe) });
    return this.#result(call, this.#list);
  }

  #poll(call: Call): Outcome | Promise<Outcome> {
    const params = call.request.params ?? {};
    const query = readQuery(params, this.#types, "poll");
    if ("data" in query) return this.#refuse(call, query);
    const bounds = readBounds(params);
    if ("data" in bounds) return this.#refuse(call, bounds);
    const admitted = this.#admit(call, query);
    if ("data" in admitted) return this.#refuse(call, admitted);
    const retryAfterMs = this.#polls.take(admitted.principal, this.#now());
    if (retryAfterMs > 0) return this.#refuse(call, exhausted("polls", { retryAfterMs }));

    let wake = (): void => undefined;
    const reader = this.#provider.open({ ...admitted, requester: requesterOf(call), mode: "poll", wake: () => wake() });
    const truncated = reader.skipGap();
    if (bounds.timeoutMs === 0 || truncated || reader.ended !== undefined || reader.hasNext()) {
      return this.#finishPoll(call, reader, bounds, truncated);
    }
    return new Promise((resolve) => {
      const release = this.#holdPoll(call, admitted, bounds, () => {
        wake = () => undefined;
        resolve(this.#finishPoll(call, reader, bounds, reader.skipGap()));
      });
      wake = () => {
        if (reader.ended !== undefined || reader.hasNext()) release();
      };
      reader.hold();
      // Something may have happened while the hold was announced.
      wake();
    });
  }

  /**
   * Has a poll wait for `release`, the time, the loss of its client or a newer poll, whichever is first.
   * @param finish called exactly once, then
   * @returns `release`
   */
  #holdPoll(call: Call, { principal, type }: Admitted, { timeoutMs }: PollBounds, finish: () => void): () => void {
    const key = `${type.name} ${principal}`;
    this.#held.get(key)?.();
    let over = false;
    const release = (): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      call.signal.removeEventListener("abort", release);
      if (this.#held.get(key) === release) this.#held.delete(key);
      finish();
    };
    const timer = setTimeout(release, timeoutMs);
    this.#held.set(key, release);
    call.signal.addEventListener("abort", release, { once: true });
    return release;
  }

  #finishPoll(call: Call, reader: EventReader, { maxEvents }: PollBounds, truncated: boolean): Outcome {
    if (reader.ended !== undefined) {
      const { ended } = reader;
      reader.close();
      return this.#refuse(call, ended);
    }
    const events: Omit<EventOccurrence, "cursor">[] = [];
    while (events.length < maxEvents) {
      const occurrence = reader.next();
      if (occurrence === undefined) break;
      // What is polled has one position for all: that of the answer.
      const { cursor: _, ...rest } = occurrence;
      events.push(rest);
    }
    const hasMore = reader.hasNext();
    const { cursor, nextPollMs } = reader;
    reader.close();
    return this.#result(call, JSON.stringify({ events, cursor, truncated, hasMore, nextPollMs }));
  }

  #stream(call: Call): MessageSource | WireError {
    if (call.streamRefusal !== undefined) return call.streamRefusal;
    const query = readQuery(call.request.params ?? {}, this.#types, "push");
    if ("data" in query) return this.#refuse(call, query);
    const admitted = this.#admit(call, query);
    if ("data" in admitted) return this.#refuse(call, admitted);
    const { principal } = admitted;
    const open = this.#streams.get(principal) ?? 0;
    if (open >= EVENT_STREAMS_PER_PRINCIPAL_MAX) {
      return this.#refuse(call, exhausted("streams", { max: EVENT_STREAMS_PER_PRINCIPAL_MAX }));
    }
    this.#streams.set(principal, open + 1);
    return new EventStream(
      {
        id: call.request.id,
        result: (_meta) => this.#envelope.complete({ _meta }),
        profile: this.#profileOf(call),
        onClosed: () => this.#streamClosed(principal),
      },
      (wake) => this.#provider.open({ ...admitted, requester: requesterOf(call), mode: "push", wake }),
    );
  }

  #streamClosed(principal: string): void {
    const open = this.#streams.get(principal) ?? 0;
    if (open > 1) this.#streams.set(principal, open - 1);
    else this.#streams.delete(principal);
  }

  /** Webhooks are what one subscribes to, and no type offers them. */
  #subscribe(call: Call): Outcome {
    const type = readType(call.request.params ?? {}, this.#types, "webhook");
    const webhooks: EventFault = { name: "Unsupported", data: { feature: "deliveryMode", value: "webhook" } };
    return this.#refuse(call, "data" in type ? type : webhooks);
  }

  /** A type that is no more can be unsubscribed from all the same, so its name is not looked up. */
  #unsubscribe(call: Call): Outcome {
    const { name } = call.request.params ?? {};
    if (typeof name !== "string") return this.#refuse(call, invalid("name", "must be a string"));
    const principal = this.#provider.authorize(call);
    if (typeof principal !== "string") return this.#refuse(call, principal);
    // The SEP has unknown subscriptions refused; clients of the sketch take that for a failure.
    if (this.#profileOf(call) === "sketch") return this.#result(call, "{}");
    return this.#refuse(call, { name: "NotFound", data: { kind: "subscription" } });
  }

  #admit(call: Call, query: EventQuery): Admitted | EventFault {
    const principal = this.#provider.authorize(call);
    return typeof principal === "string" ? { ...query, principal } : principal;
  }

  /** @param members the result's own, as a JSON object */
  #result(call: Call, members: string): string {
    if (call.era === "legacy") return members;
    return this.#envelope.around(members);
  }

  #refuse(call: Call, fault: EventFault): WireError {
    return eventError(fault, this.#profileOf(call));
  }

  /** Whose error numbers a request gets: those of the SEP only if it declares the extension. */
  #profileOf(call: Call): EventErrorProfile {
    const { errorCodes = "auto" } = this.#provider;
    if (errorCodes !== "auto") return errorCodes;
    return call.era === "modern" && declaresExtension(call.request.params) ? "sep" : "sketch";
  }
}

function exhausted(limit: string, more: JsonObject): EventFault {
  return { name: "ResourceExhausted", data: { limit, ...more } };
}

function declaresExtension(params: JsonObject | undefined): boolean {
  const meta = params?._meta;
  const capabilities = isObject(meta) ? meta[CLIENT_CAPABILITIES] : undefined;
  const extensions = isObject(capabilities) ? capabilities.extensions : undefined;
  return isObject(extensions) && isObject(extensions[EVENTS_EXTENSION]);
}

/** What `events/list` says of a type. */
function describe({ name, description, delivery, inputSchema, payloadSchema, _meta }: EventType): JsonObject {
  const shown: JsonObject = { name, description, delivery: [...delivery], inputSchema, payloadSchema };
  if (_meta !== undefined) shown._meta = _meta;
  return shown;
}
