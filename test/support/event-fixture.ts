/**
 * Events in memory: one log of everything, a few types over it, and callers who are whoever their
 * bearer says. Every reader is recorded, so that tests can see what is left open.
 *
 * This file owns the fixture's behaviour. It must never know how it is transported.
 */

import type {
  EventErrorCodes,
  EventFault,
  EventOccurrence,
  EventProvider,
  EventReader,
  EventRequest,
  EventRequester,
  EventType,
} from "../../src/mcp/event-provider.ts";
import type { JsonObject } from "../../src/mcp/registry.ts";
import { createFixture, type Fixture } from "./mcp-fixture.ts";

const ANY: JsonObject = { type: "object" };
const check: EventType["check"] = (args) =>
  Object.keys(args).every((key) => key === "only") ? undefined : { field: "arguments", reason: "knows `only` alone" };

const TYPES: readonly EventType[] = [
  {
    name: "note",
    description: "Polled and pushed.",
    delivery: ["poll", "push"],
    inputSchema: ANY,
    payloadSchema: ANY,
    check,
  },
  { name: "polled", description: "Polled alone.", delivery: ["poll"], inputSchema: ANY, payloadSchema: ANY, check },
  {
    name: "live",
    description: "Pushed alone, never kept.",
    delivery: ["push"],
    inputSchema: ANY,
    payloadSchema: ANY,
    check,
  },
];

interface Entry {
  readonly name: string;
  readonly at: number;
  readonly data: JsonObject;
}

export class MemoryEvents implements EventProvider {
  readonly types = TYPES;
  errorCodes: EventErrorCodes = "auto";
  /** Everything that happened, of which the first `dropped` are lost. */
  readonly #log: Entry[] = [];
  dropped = 0;
  /** Readers that are open. */
  readonly readers = new Set<MemoryReader>();
  /** How many there ever were, and how many were held. */
  opened = 0;
  held = 0;

  add(name: string, data: JsonObject = {}): void {
    this.#log.push({ name, at: this.#log.length, data });
    for (const reader of [...this.readers]) reader.request.wake();
  }

  /** Loses everything so far, as a bounded log does. */
  drop(): void {
    this.dropped = this.#log.length;
  }

  /** Ends every reading of a principal. */
  end(principal: string, fault: EventFault): void {
    for (const reader of [...this.readers]) {
      if (reader.request.principal !== principal) continue;
      reader.ended = fault;
      reader.request.wake();
    }
  }

  get head(): number {
    return this.#log.length;
  }

  at(index: number): Entry | undefined {
    return this.#log[index];
  }

  authorize({ bearer, session }: EventRequester): string | EventFault {
    const principal = bearer ?? session;
    return principal ?? { name: "Forbidden", data: { reason: "authentication_required" } };
  }

  open(request: EventRequest): EventReader {
    const reader = new MemoryReader(this, request);
    this.opened++;
    this.readers.add(reader);
    return reader;
  }
}

class MemoryReader implements EventReader {
  readonly request: EventRequest;
  readonly #events: MemoryEvents;
  #at: number;
  #gap = false;
  ended: EventFault | undefined;

  constructor(events: MemoryEvents, request: EventRequest) {
    this.request = request;
    this.#events = events;
    const named = /^m\.(\d{1,9})$/.exec(request.cursor ?? "")?.[1];
    this.#at = named === undefined ? events.head : Number(named);
    this.#gap = request.cursor !== null && named === undefined && request.type.name !== "live";
  }

  skipGap(): boolean {
    const gap = this.#gap || this.#at < this.#events.dropped;
    this.#gap = false;
    this.#at = Math.max(this.#at, this.#events.dropped);
    return gap;
  }

  hasNext(): boolean {
    for (; this.#at < this.#events.head; this.#at++) {
      if (this.#events.at(this.#at)?.name === this.request.type.name) return true;
    }
    return false;
  }

  next(): EventOccurrence | undefined {
    if (!this.hasNext()) return undefined;
    const entry = this.#events.at(this.#at++);
    if (entry === undefined) return undefined;
    const { name, data } = entry;
    const timestamp = "2026-01-01T00:00:00.000Z";
    return { eventId: `evt_${this.#at}`, name, timestamp, data, cursor: this.cursor };
  }

  get cursor(): string | null {
    return this.request.type.name === "live" ? null : `m.${this.#at}`;
  }

  readonly nextPollMs = 2000;

  hold(): void {
    this.#events.held++;
  }

  close(): void {
    if (!this.#events.readers.delete(this)) throw new Error("a reader was closed twice");
  }
}

/** The general fixture with events. */
export function createEventFixture(): Fixture & { readonly events: MemoryEvents } {
  const fixture = createFixture();
  const events = new MemoryEvents();
  return { ...fixture, events, definition: { ...fixture.definition, events } };
}
