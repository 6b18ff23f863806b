/**
 * What the engine itself tells legacy sessions on their GET stream: which subscribed resources have
 * been updated, and which lists have changed (Resources, "Subscriptions"; the `list_changed`
 * notifications). It goes out before what the application pushes.
 *
 * This file owns a small outbox per session. A notice says only that something is to be looked at
 * again, so the same one never waits twice, and one that may have been lost is said again. It must
 * never keep more notices of a session than it has subscriptions and there are lists.
 */

import { IDLE_OUTBOXES_MAX, NOTICE_UNSETTLED_MS, SESSION_AGE_MS_MAX, WATCHED_RESOURCES_MAX } from "../limits.ts";
import type { Outcome } from "./dispatch.ts";
import { legacyResourceNotFound, TOO_MANY_WATCHED } from "./errors.ts";
import { notificationText } from "./jsonrpc.ts";
import type { ListKind, PushItem, PushReader, PushSource, Requester, ServerDefinition, Wakeable } from "./registry.ts";
import type { Session } from "./session.ts";

/** For servers that push nothing of their own. */
const SILENT: PushSource = {
  open: (_session, resume) =>
    resume === null || resume === "0"
      ? { next: () => NOTHING, position: "0", overrun: false, close: () => undefined }
      : "malformed",
};
const NOTHING: readonly PushItem[] = [];

const LIST_CHANGED: Readonly<Record<ListKind, string>> = {
  tools: '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
  prompts: '{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}',
  resources: '{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}',
};

/** Whether the engine has anything to tell legacy sessions of that server. */
export function hasNotices(server: ServerDefinition): boolean {
  return server.resources?.watch !== undefined || server.listChanges !== undefined;
}

export class SessionNotices {
  readonly #server: ServerDefinition;
  readonly #push: PushSource;
  readonly #now: () => number;
  /** Outboxes of sessions that have a stream. */
  readonly #attached = new Map<string, Outbox>();
  /** Those of sessions that have none at the moment, the one longest without first. */
  readonly #idle = new Map<string, Outbox>();
  /** When lists last changed (milliseconds since 1970). */
  readonly #changedAt = new Map<ListKind, number>();

  constructor(server: ServerDefinition, now: () => number) {
    this.#server = server;
    this.#push = server.push ?? SILENT;
    this.#now = now;
  }

  /** As `PushSource.open`: one reader for both, the engine's notices and what the application pushes. */
  open(session: Session, resume: string | null, listener: Wakeable, settled?: string): PushReader | "malformed" {
    const pushed = this.#push.open(session.id, resume, listener, settled);
    if (pushed === "malformed") return pushed;
    const outbox = this.#outbox(session.id) ?? this.#catchUp(session);
    this.#idle.delete(session.id);
    this.#attached.set(session.id, outbox);
    outbox.sayAgain(this.#now());
    const reader = new NoticeReader(this, session.id, outbox, pushed);
    outbox.reader = reader;
    outbox.listener = listener;
    return reader;
  }

  /** `resources/subscribe` for a session. */
  subscribe(session: string, requester: Requester, uri: string): Outcome {
    const outbox = this.#outbox(session) ?? new Outbox();
    if (outbox.has(uri)) return "{}";
    if (outbox.subscribed >= WATCHED_RESOURCES_MAX) return TOO_MANY_WATCHED;
    const notice = notificationText("notifications/resources/updated", { uri });
    const stop = this.#server.resources?.watch?.(uri, requester, () => {
      if (outbox.has(uri)) outbox.say(notice);
    });
    if (stop === undefined) return legacyResourceNotFound(uri);
    outbox.add(uri, { notice, stop });
    if (outbox.reader === undefined) this.#keepIdle(session, outbox);
    return "{}";
  }

  /** What a session has subscribed to, as far as it is known here. */
  subscriptionsOf(session: string): readonly string[] {
    return this.#outbox(session)?.uris ?? [];
  }

  /** `resources/unsubscribe`. Nothing happens if it was not subscribed. */
  unsubscribe(session: string, uri: string): void {
    this.#outbox(session)?.forget(uri);
  }

  /** A list of the server has changed. */
  announce(kind: ListKind): void {
    this.#changedAt.set(kind, this.#now());
    for (const outbox of this.#idle.values()) outbox.say(LIST_CHANGED[kind]);
    for (const outbox of this.#attached.values()) outbox.say(LIST_CHANGED[kind]);
  }

  /** A session ends, and its subscriptions with it. */
  endSession(session: string): void {
    this.#outbox(session)?.end();
    this.#attached.delete(session);
    this.#idle.delete(session);
  }

  /** Drops what sessions left behind that have ended of themselves. To be called now and then. */
  sweep(): void {
    const now = this.#now();
    for (const [session, outbox] of this.#idle) {
      if (now - outbox.idleSince < SESSION_AGE_MS_MAX) return;
      this.endSession(session);
    }
  }

  /** The server stops: no watch stays behind. */
  stop(): void {
    for (const outbox of [...this.#attached.values(), ...this.#idle.values()]) outbox.end();
  }

  #outbox(session: string): Outbox | undefined {
    return this.#attached.get(session) ?? this.#idle.get(session);
  }

  /** A session not known here: it may know the lists as they were when it began. */
  #catchUp(session: Session): Outbox {
    const outbox = new Outbox();
    for (const [kind, at] of this.#changedAt) if (at >= session.issuedAt) outbox.say(LIST_CHANGED[kind]);
    return outbox;
  }

  #keepIdle(session: string, outbox: Outbox): void {
    outbox.idleSince = this.#now();
    this.#idle.delete(session);
    this.#idle.set(session, outbox);
    if (this.#idle.size <= IDLE_OUTBOXES_MAX) return;
    const longest = this.#idle.keys().next();
    if (longest.done === false) this.endSession(longest.value);
  }

  /** What waits for a reader, as much as fits but at least one; nothing for one that another has taken over from. */
  take(reader: NoticeReader, maxChars: number): readonly PushItem[] {
    const { outbox } = reader;
    return outbox.reader === reader ? outbox.take(maxChars, this.#now()) : NOTHING;
  }

  /** A reader was closed, for itself. */
  closed(reader: NoticeReader): void {
    const { session, outbox } = reader;
    // The reader that took over has the outbox already; an ended session has none.
    if (outbox.reader !== reader) return;
    outbox.reader = undefined;
    outbox.listener = undefined;
    if (!this.#attached.delete(session)) return;
    if (!outbox.isEmpty) this.#keepIdle(session, outbox);
  }
}

interface Subscription {
  /** The notification, as JSON text. */
  readonly notice: string;
  stop(): void;
}

/** What one session is to be told, and what it was told just now. */
class Outbox {
  // Most sessions have a stream and neither subscribe nor see a list change, so each part is made when it is needed.
  /** By URI. */
  #subscriptions: Map<string, Subscription> | undefined;
  #waiting: Set<string> | undefined;
  /** Notices written and when (milliseconds since 1970). */
  #written: Map<string, number> | undefined;
  reader: NoticeReader | undefined;
  listener: Wakeable | undefined;
  idleSince = 0;

  get isEmpty(): boolean {
    return this.subscribed === 0 && !this.#waiting?.size && !this.#written?.size;
  }

  /** How many resources are subscribed to. */
  get subscribed(): number {
    return this.#subscriptions?.size ?? 0;
  }

  get uris(): readonly string[] {
    return [...(this.#subscriptions?.keys() ?? [])];
  }

  has(uri: string): boolean {
    return this.#subscriptions?.has(uri) ?? false;
  }

  add(uri: string, subscription: Subscription): void {
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(uri, subscription);
  }

  say(notice: string): void {
    this.#waiting ??= new Set();
    this.#waiting.add(notice);
    this.listener?.wake();
  }

  /** What waits, as much as fits but at least one. */
  take(maxChars: number, now: number): readonly PushItem[] {
    const waiting = this.#waiting;
    if (waiting === undefined || waiting.size === 0) return NOTHING;
    this.#written ??= new Map();
    const items: PushItem[] = [];
    let chars = 0;
    for (const json of waiting) {
      if (items.length > 0 && chars + json.length > maxChars) break;
      chars += json.length;
      items.push({ json });
      waiting.delete(json);
      this.#written.set(json, now);
    }
    return items;
  }

  /** A new stream: what was written to the old one shortly before may never have arrived. */
  sayAgain(now: number): void {
    for (const [notice, at] of this.#written ?? []) {
      if (now - at >= NOTICE_UNSETTLED_MS) continue;
      this.#written?.delete(notice);
      this.say(notice);
    }
  }

  forget(uri: string): void {
    const subscription = this.#subscriptions?.get(uri);
    if (subscription === undefined) return;
    this.#subscriptions?.delete(uri);
    this.#waiting?.delete(subscription.notice);
    this.#written?.delete(subscription.notice);
    subscription.stop();
  }

  end(): void {
    for (const uri of [...(this.#subscriptions?.keys() ?? [])]) this.forget(uri);
    this.#waiting = undefined;
    this.listener = undefined;
  }
}

/** One stream's reader: notices first. They carry no position, as resuming says them again anyway. */
class NoticeReader implements PushReader {
  readonly session: string;
  readonly outbox: Outbox;
  readonly #notices: SessionNotices;
  readonly #pushed: PushReader;

  constructor(notices: SessionNotices, session: string, outbox: Outbox, pushed: PushReader) {
    this.#notices = notices;
    this.session = session;
    this.outbox = outbox;
    this.#pushed = pushed;
  }

  get position(): string {
    return this.#pushed.position;
  }

  get overrun(): boolean {
    return this.#pushed.overrun;
  }

  get isSilent(): boolean {
    return this.#pushed.isSilent === true;
  }

  next(maxBytes: number): readonly PushItem[] {
    // What is on the session's other stream is not said on this one too.
    if (this.isSilent) return NOTHING;
    const notices = this.#notices.take(this, maxBytes);
    if (notices.length === 0) return this.#pushed.next(maxBytes);
    const chars = notices.reduce((sum, { json }) => sum + json.length, 0);
    return chars >= maxBytes ? notices : [...notices, ...this.#pushed.next(maxBytes - chars)];
  }

  close(settled: string | undefined): void {
    this.#notices.closed(this);
    this.#pushed.close(settled);
  }
}
