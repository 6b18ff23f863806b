/**
 * Mail in the model: what is kept, counted anew every time.
 *
 * This file owns bounds of mailboxes. It must never know why something was delivered.
 */
import type { MailBody } from "../../src/domain/event.ts";
import * as limits from "../../src/limits.ts";
import type { ModelUser } from "./lobby-model-people.ts";
import type { ModelState } from "./lobby-model-state.ts";

/** What an event weighs beside the text of its message. The bounds only say that this is fixed. */
const EVENT_BYTES = 128;

export function bytesOf(user: ModelUser): number {
  let bytes = 0;
  for (const { body } of user.mail) bytes += weigh(body);
  return bytes;
}

export function weigh(body: MailBody): number {
  return EVENT_BYTES + ("message" in body ? 2 * body.message.length : 0);
}

export function deliver(state: ModelState, user: ModelUser, body: MailBody): void {
  user.head++;
  user.mail.push({ offset: user.head, at: state.now, body, bytes: weigh(body) });
  if (user.streams.length > 0) user.written = user.head;
  trim(user);
  state.step.events.push({ type: "mail", user: user.ref });
  giveUpOldest(state.users, state.settings.mailboxBytesMax);
}

/** Brings one mailbox into its bounds. */
export function trim(user: ModelUser): void {
  const readTo = Math.max(user.written, user.acknowledged);
  while (
    user.mail.length > limits.MAILBOX_EVENTS_MAX ||
    user.mail.filter(({ offset }) => offset <= readTo).length > limits.MAILBOX_READ_EVENTS_KEPT ||
    (bytesOf(user) > limits.MAILBOX_BYTES_MAX && user.mail.length > 1)
  ) {
    user.mail.shift();
  }
}

/** Brings all mailboxes together into their bound: the oldest read event goes first, else the oldest of all. */
export function giveUpOldest(users: readonly ModelUser[], bytesMax: number): void {
  while (users.reduce((sum, one) => sum + bytesOf(one), 0) > bytesMax) {
    const oldestFirst = users
      .filter((one) => one.mail.length > 0)
      .sort((a, b) => (a.mail[0]?.at ?? 0) - (b.mail[0]?.at ?? 0));
    const read = oldestFirst.find((one) => (one.mail[0]?.offset ?? 0) <= Math.max(one.written, one.acknowledged));
    (read ?? oldestFirst[0])?.mail.shift();
  }
}

export function dropOldMail(users: readonly ModelUser[], now: number): void {
  for (const { mail } of users) {
    while ((mail[0]?.at ?? now) + limits.MAILBOX_AGE_MS_MAX <= now) mail.shift();
  }
}

/** When the next event reaches its age. */
export function nextMailEnd(users: readonly ModelUser[]): number {
  const oldest = users.map(({ mail }) => mail[0]?.at ?? Number.POSITIVE_INFINITY);
  return Math.min(...oldest) + limits.MAILBOX_AGE_MS_MAX;
}
