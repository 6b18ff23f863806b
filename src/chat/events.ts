/**
 * The chat's events for the MCP Events extension: who may read whose mailbox, from where, and what
 * reading means for presence.
 *
 * This file owns the readers of this process and tells the lobby which streams and held polls are
 * open. It must never keep an event: whatever is not read yet is in the mailbox.
 */

import type { MailEvent } from "../domain/event.ts";
import { identify } from "../domain/identity.ts";
import { makeCursor, parseCursor, type UserRef } from "../domain/ids.ts";
import { eventAfter, firstOffset, isIn, readingFrom } from "../domain/mailbox.ts";
import type { User } from "../domain/state.ts";
import type {
  EventErrorCodes,
  EventFault,
  EventOccurrence,
  EventProvider,
  EventReader,
  EventRequest,
  EventRequester,
} from "../mcp/event-provider.ts";
import { type ChatEventType, EVENT_TYPES } from "./event-types.ts";
import { callerOf } from "./identity.ts";
import { addTo, removeFrom } from "./list-map.ts";
import type { LobbyHost } from "./lobby-host.ts";
import { eventView, timestampOf, typingData } from "./render.ts";
import type { TypingNotice, TypingReaders } from "./typing.ts";

/** When a poller should come again, in milliseconds: soon while something may happen to them at any time. */
const POLL_AGAIN_MS = { present: 2000, idle: 15_000 } as const;

/** The user's record has ended, and with it everything there was to read. */
const RECORD_ENDED: EventFault = { name: "Forbidden", data: { reason: "user_ended" } };

export class ChatEvents implements EventProvider, TypingReaders {
  readonly types: readonly ChatEventType[] = EVENT_TYPES;
  readonly errorCodes: EventErrorCodes;
  readonly #host: LobbyHost;
  readonly #readers = new Map<UserRef, readonly MailReader[]>();
  /** Events handed out so far, those handed out again included. */
  handedOut = 0;

  constructor(host: LobbyHost, errorCodes: EventErrorCodes) {
    this.#host = host;
    this.errorCodes = errorCodes;
    host.listen(["mail"], ({ user }) => {
      for (const reader of this.#readers.get(user) ?? []) reader.wake();
    });
    host.listen(["forgotten"], ({ user }) => {
      for (const reader of this.#readers.get(user) ?? []) reader.end();
    });
  }

  /** See `TypingReaders.tell`. */
  tell(user: UserRef, notice: TypingNotice): void {
    for (const reader of this.#readers.get(user) ?? []) reader.tell(notice);
  }

  /** The principal is the public user id. */
  authorize(requester: EventRequester): string | EventFault {
    const user = identify(this.#host.lobby, callerOf(requester));
    if (user === undefined) return { name: "Forbidden", data: { reason: "authentication_required" } };
    return "type" in user ? { name: "Forbidden", data: { reason: user.code } } : user.userId;
  }

  open(request: EventRequest): EventReader {
    const { lobby } = this.#host;
    const type = this.types.find(({ name }) => name === request.type.name);
    const user = lobby.users.get(lobby.byUserId.get(request.principal) ?? 0);
    if (type === undefined || user === undefined) throw new Error("a reader was opened that nobody authorized");
    const start = type.shows === "live" ? NOW : startOf(user, request, type, this.#host.alarms.now());
    const reader = new MailReader(this, this.#host, user, type, request, start, () =>
      removeFrom(this.#readers, user.ref, reader),
    );
    addTo(this.#readers, user.ref, reader);
    reader.announce();
    return reader;
  }
}

/** Where a reader starts. */
interface Start {
  /** Reads what comes after; undefined = whatever comes after the moment it is opened. */
  readonly after: number | undefined;
  /** Whether that is later than what was asked for. */
  readonly gap: boolean;
  /** Offset up to which the request shows that everything was read. */
  readonly read?: number;
}

const NOW: Start = { after: undefined, gap: false };

function startOf({ mailbox }: User, request: EventRequest, type: ChatEventType, now: number): Start {
  if (request.cursor === null) return NOW;
  const cursor = parseCursor(request.cursor);
  // A text that says nothing about this mailbox: nobody knows what its reader has missed.
  if (cursor === undefined) return { after: undefined, gap: true };
  // A position in another life of the mailbox is before everything in this one.
  const asked = isIn(mailbox, cursor) ? cursor.offset : -1;
  const { from, truncated } = readingFrom(mailbox, asked);
  let after = from;
  let gap = truncated;
  if (request.maxAgeMs !== undefined) {
    const oldest = now - request.maxAgeMs;
    for (; after < mailbox.head; after++) {
      const event = eventAfter(mailbox, after);
      if (event === undefined || event.at >= oldest) break;
      if (concerns(type, event)) gap = true;
    }
  }
  return { after, gap, ...(type.shows === "all" && asked >= 0 ? { read: asked } : {}) };
}

function concerns(type: ChatEventType, event: MailEvent): boolean {
  return type.shows === "all" || (type.shows === "own" && event.body.name === type.name);
}

/**
 * One place in one user's mailbox, and beside it the latest of what is in no mailbox: a live type reads
 * only that, the feed of everything both in their order.
 */
class MailReader implements EventReader {
  readonly user: User;
  readonly wake: () => void;
  readonly #all: ChatEvents;
  readonly #host: LobbyHost;
  readonly #type: ChatEventType;
  readonly #request: EventRequest;
  readonly #read: number | undefined;
  readonly #onClose: () => void;
  /** Offset of the last event looked at. */
  #offset: number;
  #gap: boolean;
  #held = false;
  /** In which life of this process its stream or held call was opened. */
  readonly #life: number;
  /** The latest notice not handed out yet, and the offset after which it came. */
  #live: { readonly notice: TypingNotice; readonly after: number } | undefined;
  ended: EventFault | undefined;

  constructor(
    all: ChatEvents,
    host: LobbyHost,
    user: User,
    type: ChatEventType,
    request: EventRequest,
    { after = user.mailbox.head, gap, read }: Start,
    onClose: () => void,
  ) {
    this.#all = all;
    this.#host = host;
    this.user = user;
    this.wake = request.wake;
    this.#type = type;
    this.#request = request;
    this.#offset = after;
    this.#gap = gap;
    this.#read = read;
    this.#onClose = onClose;
    this.#life = host.life;
  }

  /** A stream counts as one for presence, a poll as a call. */
  announce(): void {
    const user = this.user.ref;
    if (this.#request.mode === "poll") this.#host.post({ type: "look", caller: callerOf(this.#request.requester) });
    else this.#host.post({ type: "open_stream", user, ...(this.#read === undefined ? {} : { read: this.#read }) });
  }

  hold(): void {
    this.#held = true;
    this.#host.post({ type: "open_stream", user: this.user.ref, call: true });
  }

  close(): void {
    this.#onClose();
    const user = this.user.ref;
    if (this.#request.mode === "push") this.#host.postIn(this.#life, { type: "close_stream", user });
    else if (this.#held) this.#host.postIn(this.#life, { type: "close_stream", user, call: true });
  }

  /** Hands a notice out if this is a stream that shows such. */
  tell(notice: TypingNotice): void {
    if (this.#request.mode === "poll" || this.#type.shows === "own") return;
    this.#live = { notice, after: this.#type.shows === "live" ? 0 : this.user.mailbox.head };
    this.wake();
  }

  end(): void {
    this.ended = RECORD_ENDED;
    this.wake();
  }

  skipGap(): boolean {
    const first = firstOffset(this.user.mailbox);
    const gap = this.#gap || this.#offset + 1 < first;
    this.#gap = false;
    this.#offset = Math.max(this.#offset, first - 1);
    return gap && this.#type.shows !== "live";
  }

  hasNext(): boolean {
    return this.#live !== undefined || this.#peek() !== undefined;
  }

  next(): EventOccurrence | undefined {
    if (this.#live !== undefined && this.#offset >= this.#live.after) return this.#takeLive(this.#live.notice);
    const event = this.#peek();
    if (event === undefined) return undefined;
    this.#offset = event.offset;
    this.#all.handedOut++;
    const { event_id, name, timestamp, data, cursor } = eventView(this.user.mailbox.epoch, event);
    const shown = this.#type.shows === "all" ? { name, data } : data;
    return { eventId: event_id, name: this.#type.name, timestamp, data: shown, cursor };
  }

  #takeLive(notice: TypingNotice): EventOccurrence {
    this.#live = undefined;
    const data = typingData(notice);
    const shown = this.#type.shows === "all" ? { name: "partner.typing", data } : data;
    const { cursor } = this;
    return { eventId: notice.id, name: this.#type.name, timestamp: timestampOf(notice.at), data: shown, cursor };
  }

  /** The next event of this type; whatever is of others before it has been looked at then. */
  #peek(): MailEvent | undefined {
    const { mailbox } = this.user;
    for (; this.#offset < mailbox.head; this.#offset++) {
      const event = eventAfter(mailbox, this.#offset);
      // Lost in the meantime: `skipGap` says so first.
      if (event === undefined) return undefined;
      if (concerns(this.#type, event)) return event;
    }
    return undefined;
  }

  get cursor(): string | null {
    return this.#type.shows === "live" ? null : makeCursor(this.user.mailbox.epoch, this.#offset);
  }

  get nextPollMs(): number {
    return this.user.place.in === "nowhere" ? POLL_AGAIN_MS.idle : POLL_AGAIN_MS.present;
  }
}
