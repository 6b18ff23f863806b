/**
 * Legacy push: the GET stream of a session reads its user's mailbox. A stream may be open before the
 * session has a user; it starts to speak when the session is bound.
 *
 * This file owns the readers of this process and tells the lobby which streams are open. It must
 * never keep an event: whatever is not read yet is in the mailbox.
 */
import type { LobbyEvent } from "../domain/event.ts";
import { makeCursor, parseCursor, type SessionKey, type UserRef } from "../domain/ids.ts";
import { eventsBetween, firstOffset } from "../domain/mailbox.ts";
import type { User } from "../domain/state.ts";
import { sessionReadFrom } from "../domain/users.ts";
import type { PushItem, PushReader, PushSource } from "../mcp/registry.ts";
import { addTo, removeFrom } from "./list-map.ts";
import type { LobbyHost } from "./lobby-host.ts";
import { eventNotification, typingNotification } from "./render.ts";
import type { TypingNotice, TypingReaders } from "./typing.ts";

/** Position of a reader whose session has no user yet. */
const BEFORE_ALL = "0";

/** Tells a legacy client that it missed something: the inbox is to be read anew. */
const RESYNC_ITEM: PushItem = {
  json: '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"chat://inbox"}}',
};

export class MailboxPush implements PushSource, TypingReaders {
  readonly #host: LobbyHost;
  readonly #bySession = new Map<SessionKey, readonly MailboxReader[]>();
  readonly #byUser = new Map<UserRef, readonly MailboxReader[]>();
  /** Events handed out so far, those handed out again included. */
  handedOut = 0;

  constructor(host: LobbyHost) {
    this.#host = host;
    host.listen((event) => this.#hear(event));
  }

  /** See `PushSource.open`. Positions are cursors. */
  open(session: SessionKey, resume: string | null, wake: () => void, settled?: string): PushReader | "malformed" {
    const named = resume !== null && resume !== BEFORE_ALL;
    const cursor = named ? parseCursor(resume) : undefined;
    if (named && cursor === undefined) return "malformed";
    const reader = new MailboxReader(this, session, wake);
    addTo(this.#bySession, session, reader);
    const user = sessionReadFrom(this.#host.lobby, session)?.user;
    if (user === undefined) return reader;
    const { epoch, head } = user.mailbox;
    if (cursor === undefined) this.#attach(reader, user, undefined, offsetOf(settled, epoch));
    // A position of another mailbox, or of one that was lost: all that is kept is news.
    else this.#attach(reader, user, cursor.epoch === epoch ? Math.min(cursor.offset, head) : -1, undefined);
    return reader;
  }

  /** Detaches a session's readers, as it ends. Returns how many of them counted as open streams. */
  release(session: SessionKey): number {
    let streams = 0;
    for (const reader of this.#bySession.get(session) ?? []) {
      if (reader.user !== undefined) streams++;
      this.#detach(reader);
    }
    return streams;
  }

  /** See `TypingReaders.tell`. */
  tell(user: UserRef, notice: TypingNotice): void {
    for (const reader of this.#byUser.get(user) ?? []) reader.tell(typingNotification(notice));
  }

  #hear(event: LobbyEvent): void {
    switch (event.type) {
      case "mail":
        for (const reader of this.#byUser.get(event.user) ?? []) reader.wake();
        return;
      case "bound":
        for (const reader of this.#bySession.get(event.session) ?? []) {
          const bound = sessionReadFrom(this.#host.lobby, event.session);
          if (bound !== undefined && reader.user === undefined) this.#attach(reader, bound.user, undefined, undefined);
          reader.wake();
        }
        return;
      case "unbound":
        for (const reader of this.#bySession.get(event.session) ?? []) {
          const user = reader.user;
          this.#detach(reader);
          // The user may live on with other sessions; this stream is no longer theirs.
          if (user !== undefined) this.#host.post({ type: "close_stream", user: user.ref });
        }
        return;
    }
  }

  /**
   * Lets a reader read a user's mailbox, which counts as an open stream from now on.
   * @param after exact offset to resume after; undefined = after what is known to have been read
   * @param known offset a stream before this one is known to have been read up to
   */
  #attach(reader: MailboxReader, user: User, after: number | undefined, known: number | undefined): void {
    const read = after === undefined || after < 0 ? known : after;
    const { session } = reader;
    this.#host.post({ type: "open_stream", user: user.ref, session, ...(read === undefined ? {} : { read }) });
    reader.attach(user, after ?? sessionReadFrom(this.#host.lobby, session)?.from ?? 0);
    addTo(this.#byUser, user.ref, reader);
  }

  #detach(reader: MailboxReader): void {
    if (reader.user === undefined) return;
    removeFrom(this.#byUser, reader.user.ref, reader);
    reader.detach();
  }

  /** A reader was closed, for itself. */
  closed(reader: MailboxReader, settled: string | undefined): void {
    removeFrom(this.#bySession, reader.session, reader);
    const { user, session } = reader;
    if (user === undefined) return;
    this.#detach(reader);
    const read = offsetOf(settled, user.mailbox.epoch);
    this.#host.post({ type: "close_stream", user: user.ref, session, ...(read === undefined ? {} : { read }) });
  }
}

class MailboxReader implements PushReader {
  readonly session: SessionKey;
  readonly wake: () => void;
  readonly #push: MailboxPush;
  user: User | undefined;
  /** Offset of the last event handed out; -1 = of another life, so that whatever is kept comes after a gap. */
  #offset = 0;
  /** The latest of what is in no mailbox, and the offset after which it came. */
  #live: { readonly item: PushItem; readonly after: number } | undefined;
  #closed = false;

  constructor(push: MailboxPush, session: SessionKey, wake: () => void) {
    this.#push = push;
    this.session = session;
    this.wake = wake;
  }

  get position(): string {
    return this.user === undefined ? BEFORE_ALL : makeCursor(this.user.mailbox.epoch, Math.max(0, this.#offset));
  }

  get overrun(): boolean {
    return this.user !== undefined && this.#offset + 1 < firstOffset(this.user.mailbox);
  }

  attach(user: User, offset: number): void {
    this.user = user;
    this.#offset = offset;
  }

  detach(): void {
    this.user = undefined;
    this.#live = undefined;
  }

  /** Something is to go out between the events before it and those after it, if it can soon. */
  tell(json: string): void {
    if (this.user === undefined) return;
    this.#live = { item: { json }, after: this.user.mailbox.head };
    this.wake();
  }

  next(maxBytes: number): readonly PushItem[] {
    const items = this.#nextMail(maxBytes);
    return this.#live === undefined || this.#offset < this.#live.after ? items : this.#withLive(items, this.#live);
  }

  /** Puts the live item among events that reach beyond it. */
  #withLive(items: readonly PushItem[], { item, after }: { item: PushItem; after: number }): readonly PushItem[] {
    this.#live = undefined;
    const index = Math.max(0, items.length - (this.#offset - after));
    return [...items.slice(0, index), item, ...items.slice(index)];
  }

  #nextMail(maxBytes: number): readonly PushItem[] {
    const mailbox = this.user?.mailbox;
    if (mailbox === undefined || (this.#offset >= mailbox.head && !this.overrun)) return [];
    const items: PushItem[] = [];
    if (this.overrun) {
      items.push(RESYNC_ITEM);
      this.#offset = firstOffset(mailbox) - 1;
    }
    let bytes = 0;
    for (const event of eventsBetween(mailbox, this.#offset, mailbox.head)) {
      if (bytes >= maxBytes) break;
      const position = makeCursor(mailbox.epoch, event.offset);
      const json = eventNotification(mailbox.epoch, event, position);
      bytes += json.length;
      items.push({ json, position });
      this.#offset = event.offset;
      this.#push.handedOut++;
    }
    return items;
  }

  close(settled: string | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#push.closed(this, settled);
  }
}

/** The offset a position names in the mailbox of this epoch, if it is one of it. */
function offsetOf(position: string | undefined, epoch: string): number | undefined {
  const cursor = position === undefined ? undefined : parseCursor(position);
  return cursor?.epoch === epoch ? cursor.offset : undefined;
}
