/**
 * A user's mailbox: one ordered, bounded log that every way of delivery reads. Offsets rise by one
 * without gaps; whoever reads from before the oldest kept event is told so.
 *
 * This file owns offsets, bounds and the marks of what was read. It must never know how events are
 * delivered or rendered.
 */
import { MAILBOX_AGE_MS_MAX, MAILBOX_BYTES_MAX, MAILBOX_EVENTS_MAX, MAILBOX_READ_EVENTS_KEPT } from "../limits.ts";
import type { MailBody, MailEvent } from "./event.ts";

export interface Mailbox {
  /** Positions of another epoch are another mailbox's, or of an earlier life of this one. */
  epoch: string;
  /** Kept events, oldest first; their offsets end at `head`. */
  events: MailEvent[];
  /** Offset of the latest event ever appended; 0 = none. */
  head: number;
  bytes: number;
  /** Offset up to which some reader said it has read. */
  acknowledged: number;
  /** Offset up to which the last completed wait handed events out. */
  returned: number;
  /** Offset up to which events went out on a stream. */
  written: number;
}

/** Shared by mailboxes that hold nothing, so that an idle user costs no array. */
const NOTHING: readonly MailEvent[] = Object.freeze([]);

export function emptyMailbox(epoch: string): Mailbox {
  return { epoch, events: NOTHING as MailEvent[], head: 0, bytes: 0, acknowledged: 0, returned: 0, written: 0 };
}

/** Offset of the oldest kept event; `head + 1` if none is kept. */
export function firstOffset(mailbox: Mailbox): number {
  return mailbox.head - mailbox.events.length + 1;
}

/** Whether a position can be one of this mailbox in its present life: it is not beyond its end. */
export function isIn({ epoch, head }: Mailbox, position: { readonly epoch: string; readonly offset: number }): boolean {
  return position.epoch === epoch && position.offset <= head;
}

/** Where a reader without a position of its own starts: after the greater of acknowledged and returned. */
export function unreadFrom(mailbox: Mailbox): number {
  return Math.max(mailbox.acknowledged, mailbox.returned);
}

/** What a reader at `after` finds: where it really starts, and whether events before that are lost to it. */
export function readingFrom(mailbox: Mailbox, after: number): { from: number; truncated: boolean } {
  const from = Math.max(after, firstOffset(mailbox) - 1);
  return { from: Math.min(from, mailbox.head), truncated: from > after };
}

/** The kept event right after an offset; undefined if there is none, or if it has been dropped. */
export function eventAfter(mailbox: Mailbox, offset: number): MailEvent | undefined {
  return mailbox.events[offset + 1 - firstOffset(mailbox)];
}

/** The kept events with offsets in (from, to]. */
export function eventsBetween(mailbox: Mailbox, from: number, to: number): readonly MailEvent[] {
  const first = firstOffset(mailbox);
  return mailbox.events.slice(Math.max(0, from + 1 - first), Math.max(0, to + 1 - first));
}

/**
 * Appends an event and drops what the bounds say: beyond the kept count those already read, then the
 * oldest.
 */
export function append<B extends MailBody>(mailbox: Mailbox, at: number, body: B): MailEvent & { readonly body: B } {
  if (mailbox.events === NOTHING) mailbox.events = [];
  const event = { offset: ++mailbox.head, at, body, bytes: bytesOf(body) };
  mailbox.events.push(event);
  mailbox.bytes += event.bytes;
  trim(mailbox);
  return event;
}

/** Applies the bounds on count, bytes and read events. Returns the change in bytes (zero or negative). */
export function trim(mailbox: Mailbox): number {
  const before = mailbox.bytes;
  let drop = 0;
  const { events } = mailbox;
  const readCount = Math.max(mailbox.written, mailbox.acknowledged) - firstOffset(mailbox) + 1;
  drop = Math.max(0, readCount - MAILBOX_READ_EVENTS_KEPT, events.length - MAILBOX_EVENTS_MAX);
  let bytes = before;
  for (let i = 0; i < drop; i++) bytes -= events[i]?.bytes ?? 0;
  while (bytes > MAILBOX_BYTES_MAX && drop < events.length - 1) bytes -= events[drop++]?.bytes ?? 0;
  return dropFirst(mailbox, drop);
}

/** Drops events older than the age bound. Returns the change in bytes (zero or negative). */
export function dropAged(mailbox: Mailbox, now: number): number {
  let drop = 0;
  for (const event of mailbox.events) {
    if (event.at + MAILBOX_AGE_MS_MAX > now) break;
    drop++;
  }
  return dropFirst(mailbox, drop);
}

/** Whether the oldest kept event was written to a stream or acknowledged. */
export function oldestIsRead(mailbox: Mailbox): boolean {
  return firstOffset(mailbox) <= Math.max(mailbox.written, mailbox.acknowledged);
}

/** Drops the `count` oldest events. Returns the change in bytes (zero or negative). */
export function dropFirst(mailbox: Mailbox, count: number): number {
  if (count === 0) return 0;
  let freed = 0;
  for (let i = 0; i < count; i++) freed += mailbox.events[i]?.bytes ?? 0;
  if (count === mailbox.events.length) mailbox.events = NOTHING as MailEvent[];
  // One by one is how a live conversation drops them, and `splice` makes an array of what it removes.
  else if (count === 1) mailbox.events.shift();
  else mailbox.events.splice(0, count);
  mailbox.bytes -= freed;
  return -freed;
}

/** What an event costs beside its own text: the objects and the array slot. */
const EVENT_BYTES = 128;

/** What a body counts for, in bytes. */
export function bytesOf(body: MailBody): number {
  const hasText = body.name === "message.received" || body.name === "server.announcement";
  return hasText ? EVENT_BYTES + 2 * body.message.length : EVENT_BYTES;
}
