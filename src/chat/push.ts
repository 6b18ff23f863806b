/**
 * Legacy push: the GET stream of a session reads its user's mailbox. A stream may be open before the
 * session has a user; it starts to speak when the session is bound.
 *
 * This file owns the readers of this process and tells the lobby which streams are open. A reader begins when the
 * lobby has counted it; of several nodes the one with the newest stream of a session delivers. It must never keep an
 * event: whatever is not read yet is in the mailbox.
 */
import { makeCursor, type NodeId, parseCursor, type SessionKey, type UserRef } from "../domain/ids.ts";
import { eventAfter, firstOffset, isIn } from "../domain/mailbox.ts";
import type { Lobby, User } from "../domain/state.ts";
import { sessionReadFrom } from "../domain/users.ts";
import type { PushItem, PushReader, PushSource, Wakeable } from "../mcp/registry.ts";
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

/** A position to resume after, as a client has named it. */
type Resume = NonNullable<ReturnType<typeof parseCursor>>;

/** Where streams of a session are open, oldest first, as far as it concerns whoever has one here. */
interface Opened {
  readonly node: NodeId;
  readonly isOwn: boolean;
}

export class MailboxPush implements PushSource, TypingReaders {
  readonly #host: LobbyHost;
  readonly #bySession = new Map<SessionKey, readonly MailboxReader[]>();
  readonly #byUser = new Map<UserRef, readonly MailboxReader[]>();
  /** Of sessions with a reader here, where there are several nodes. */
  readonly #opened = new Map<SessionKey, readonly Opened[]>();
  /** Events handed out so far, those handed out again included. */
  handedOut = 0;

  constructor(host: LobbyHost) {
    this.#host = host;
    host.listen(["mail"], ({ user }) => {
      for (const reader of this.#byUser.get(user) ?? []) reader.wake();
    });
    host.listen(["bound"], ({ session }) => this.#bound(session));
    host.listen(["session_ended", "unbound"], ({ session }) => this.#letGo(session));
    host.listen(["stream_opened"], ({ session, node }, isOwn) => {
      if (node !== undefined && session !== undefined) this.#openedAt(session, { node, isOwn });
    });
    host.listen(["stream_closed"], ({ session, node }) => {
      if (node !== undefined && session !== undefined) this.#closedAt(session, node);
    });
    host.listen(["node_lost", "node_left"], ({ node }) => this.#nodeGone(node));
  }

  /** See `PushSource.open`. Positions are cursors. */
  open(session: SessionKey, resume: string | null, listener: Wakeable, settled?: string): PushReader | "malformed" {
    const named = resume !== null && resume !== BEFORE_ALL;
    const cursor = named ? parseCursor(resume) : undefined;
    if (named && cursor === undefined) return "malformed";
    const reader = new MailboxReader(this, session, listener, cursor);
    addTo(this.#bySession, session, reader);
    const user = sessionReadFrom(this.#host.lobby, session)?.user;
    if (user !== undefined) this.#attach(reader, user, cursor, settled);
    return reader;
  }

  /** What other nodes have open is not known any more, and all that is open here is about to end. */
  forgetOthers(): void {
    this.#opened.clear();
  }

  /** See `TypingReaders.tell`. */
  tell(user: UserRef, notice: TypingNotice): void {
    for (const reader of this.#byUser.get(user) ?? []) reader.tell(typingNotification(notice));
  }

  #bound(session: SessionKey): void {
    for (const reader of this.#bySession.get(session) ?? []) {
      const bound = sessionReadFrom(this.#host.lobby, session);
      if (bound !== undefined && reader.user === undefined) this.#attachLater(reader, bound.user);
      reader.wake();
    }
  }

  /** The session's streams have closed with it; the user may live on with other sessions. */
  #letGo(session: SessionKey): void {
    for (const reader of this.#bySession.get(session) ?? []) this.#detach(reader);
    this.#opened.delete(session);
  }

  /** The session has come to a user: a position that a client has named counts if it is one of that user's. */
  #attachLater(reader: MailboxReader, user: User): void {
    const { resume } = reader;
    this.#attach(reader, user, resume?.epoch === user.mailbox.epoch ? resume : undefined, undefined);
  }

  /**
   * Lets a reader read a user's mailbox, which counts as an open stream from now on.
   * @param resume exact position to resume after; undefined = after what is known to have been read
   * @param settled position up to which a stream before this one is known to have been read
   */
  #attach(reader: MailboxReader, user: User, resume: Resume | undefined, settled: string | undefined): void {
    const { session } = reader;
    const { ref, mailbox } = user;
    const named = resume !== undefined && isIn(mailbox, resume) ? resume.offset : undefined;
    const read = resume === undefined ? offsetOf(settled, mailbox.epoch) : named;
    reader.attach(user, startOf(this.#host.lobby, reader, user, resume), this.#host.life);
    // Counted at once, nobody reads yet who would have to be woken.
    let isLater = false;
    this.#host.post(
      { type: "open_stream", user: ref, session, ...(read === undefined ? {} : { read }) },
      (events, lobby) => {
        const opened = lobby.users.get(ref);
        // Let go of meanwhile, here or with all that this process has open.
        if (reader.user?.ref !== ref || opened === undefined) return;
        // As it is now: before, others may have known more of this mailbox.
        if (events.some(({ type }) => type === "stream_opened")) {
          reader.begin(opened, startOf(lobby, reader, opened, resume));
          if (isLater) reader.wake();
        }
      },
    );
    isLater = true;
    addTo(this.#byUser, ref, reader);
  }

  #detach(reader: MailboxReader): void {
    if (reader.user === undefined) return;
    removeFrom(this.#byUser, reader.user.ref, reader);
    reader.detach();
  }

  /** A reader was closed, for itself. */
  closed(reader: MailboxReader, settled: string | undefined): void {
    const { user, session, life } = reader;
    removeFrom(this.#bySession, session, reader);
    if (!this.#bySession.has(session)) this.#opened.delete(session);
    if (user === undefined) return;
    this.#detach(reader);
    const read = offsetOf(settled, user.mailbox.epoch);
    const close = { type: "close_stream", user: user.ref, session, ...(read === undefined ? {} : { read }) } as const;
    this.#host.postIn(life, close);
  }

  // --- several nodes ----------------------------------------------------------------------------

  /** The newest stream of a session delivers, wherever it is. */
  #openedAt(session: SessionKey, opened: Opened): void {
    if (!this.#bySession.has(session)) return;
    this.#setOpened(session, [...(this.#opened.get(session) ?? []), opened]);
  }

  /** Of several at one node the older one has closed: the newer has taken over from it. */
  #closedAt(session: SessionKey, node: NodeId): void {
    const all = this.#opened.get(session);
    const closed = all?.find((one) => one.node === node);
    if (all !== undefined && closed !== undefined) {
      this.#setOpened(
        session,
        all.filter((one) => one !== closed),
      );
    }
  }

  #nodeGone(node: NodeId): void {
    for (const [session, all] of this.#opened) {
      const left = all.filter((one) => one.node !== node);
      if (left.length < all.length) this.#setOpened(session, left);
    }
  }

  #setOpened(session: SessionKey, all: readonly Opened[]): void {
    this.#opened.set(session, all);
    const delivers = all.at(-1)?.isOwn ?? true;
    for (const reader of this.#bySession.get(session) ?? []) {
      if (delivers) reader.goOn(sessionReadFrom(this.#host.lobby, session)?.from ?? 0);
      else reader.pause();
    }
  }
}

/** The offset after which a reader starts. */
function startOf(lobby: Lobby, { session }: MailboxReader, { mailbox }: User, resume: Resume | undefined): number {
  if (resume === undefined) return sessionReadFrom(lobby, session)?.from ?? 0;
  // A position of another mailbox, or of one that was lost: all that is kept is news.
  return isIn(mailbox, resume) ? resume.offset : -1;
}

class MailboxReader implements PushReader {
  readonly session: SessionKey;
  readonly #listener: Wakeable;
  readonly #push: MailboxPush;
  /** The position that its client has named. */
  readonly resume: Resume | undefined;
  user: User | undefined;
  /** In which life of this process it was attached. */
  life = 0;
  /** Whether the lobby does not count it yet. */
  #isEarly = false;
  /** Whether a stream at another node delivers. */
  #isPaused = false;
  /** Offset of the last event handed out; -1 = of another life, so that whatever is kept comes after a gap. */
  #offset = 0;
  /** The latest of what is in no mailbox, and the offset after which it came. */
  #live: { readonly item: PushItem; readonly after: number } | undefined;
  #closed = false;

  constructor(push: MailboxPush, session: SessionKey, listener: Wakeable, resume: Resume | undefined) {
    this.#push = push;
    this.session = session;
    this.#listener = listener;
    this.resume = resume;
  }

  get position(): string {
    return this.user === undefined ? BEFORE_ALL : makeCursor(this.user.mailbox.epoch, Math.max(0, this.#offset));
  }

  get overrun(): boolean {
    return this.user !== undefined && !this.isSilent && this.#offset + 1 < firstOffset(this.user.mailbox);
  }

  get isSilent(): boolean {
    return this.#isEarly || this.#isPaused;
  }

  wake(): void {
    this.#listener.wake();
  }

  /** It is to read this mailbox, once the lobby counts it. */
  attach(user: User, offset: number, life: number): void {
    this.user = user;
    this.#offset = offset;
    this.life = life;
    this.#isEarly = true;
    this.#isPaused = false;
  }

  /** The lobby counts it: it reads from now on. */
  begin(user: User, offset: number): void {
    this.user = user;
    this.#offset = offset;
    this.#isEarly = false;
    this.#isPaused = false;
  }

  detach(): void {
    this.user = undefined;
    this.#live = undefined;
    this.#isEarly = false;
    this.#isPaused = false;
  }

  /** Another stream of the session delivers. */
  pause(): void {
    this.#isPaused = true;
    this.#live = undefined;
  }

  /** It delivers, and if it has not before: after what it has handed out itself, or what is known to have been read. */
  goOn(read: number): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#offset = Math.max(this.#offset, read);
    this.wake();
  }

  /** Something is to go out between the events before it and those after it, if it can soon. */
  tell(json: string): void {
    if (this.user === undefined || this.isSilent) return;
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
    if (mailbox === undefined || this.isSilent || (this.#offset >= mailbox.head && !this.overrun)) return [];
    const items: PushItem[] = [];
    if (this.overrun) {
      items.push(RESYNC_ITEM);
      this.#offset = firstOffset(mailbox) - 1;
    }
    let bytes = 0;
    while (bytes < maxBytes) {
      const event = eventAfter(mailbox, this.#offset);
      if (event === undefined) break;
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
