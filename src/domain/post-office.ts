/**
 * Putting events into mailboxes under the bound on all of them together, and letting old ones go.
 *
 * This file owns the total of mailbox bytes and the order in which events are given up. It must
 * never look at who is present beyond whether a stream is open.
 */
import { MAILBOX_AGE_MS_MAX } from "../limits.ts";
import type { MailBody, MailEvent } from "./event.ts";
import { append, dropAged, dropFirst, oldestIsRead } from "./mailbox.ts";
import type { Lobby, Step, User } from "./state.ts";

/** Unread mailboxes passed over in search of read events, before unread ones are given up: bounds one step's work. */
const PASSED_OVER_MAX = 64;

/** Puts an event into a user's mailbox, reports that it grew, and gives the event. */
export function deliver<B extends MailBody>(
  lobby: Lobby,
  step: Step,
  user: User,
  body: B,
): MailEvent & { readonly body: B } {
  const { mailbox } = user;
  const wasEmpty = mailbox.events.length === 0;
  // Whoever has a stream open is written to in this very turn: the event counts as written.
  if (user.streams > 0) mailbox.written = mailbox.head + 1;
  const bytesBefore = mailbox.bytes;
  const event = append(mailbox, step.at, body);
  lobby.mailboxBytes += mailbox.bytes - bytesBefore;
  if (wasEmpty) lobby.mailAges.push(step.at, user.ref);
  // Mailboxes of forgotten users are still among the ages, until their mail would have been too old.
  if (lobby.mailAges.isMostlyStale(lobby.users.size)) {
    lobby.mailAges.clear();
    for (const one of lobby.users.values()) keepAge(lobby, one);
  }
  fitMailboxes(lobby);
  step.events.push({ type: "mail", user: user.ref });
  return event;
}

/** Drops events past their age in every mailbox. Cost: the mailboxes that have one. */
export function dropAgedMail(lobby: Lobby): void {
  for (;;) {
    const oldest = lobby.mailAges.earliest;
    if (oldest === undefined || oldest + MAILBOX_AGE_MS_MAX > lobby.now) return;
    const user = lobby.users.get(lobby.mailAges.pop() ?? 0);
    if (user === undefined) continue;
    lobby.mailboxBytes += dropAged(user.mailbox, lobby.now);
    keepAge(lobby, user);
  }
}

/** When the next event reaches its age, or undefined. May be early, never late. */
export function nextMailDeadline(lobby: Lobby): number | undefined {
  const oldest = lobby.mailAges.earliest;
  return oldest === undefined ? undefined : oldest + MAILBOX_AGE_MS_MAX;
}

/** Frees mailboxes until their total is in bounds: the oldest read events first, then the oldest unread. */
export function fitMailboxes(lobby: Lobby): void {
  if (lobby.mailboxBytes <= lobby.settings.mailboxBytesMax) return;
  const passedOver: User[] = [];
  while (lobby.mailboxBytes > lobby.settings.mailboxBytesMax) {
    const oldest = lobby.mailAges.earliest;
    if (oldest === undefined) break;
    const user = lobby.users.get(lobby.mailAges.pop() ?? 0);
    const first = user?.mailbox.events[0];
    if (user === undefined || first === undefined) continue;
    if (first.at !== oldest) {
      keepAge(lobby, user);
    } else if (oldestIsRead(user.mailbox)) {
      lobby.mailboxBytes += dropFirst(user.mailbox, 1);
      keepAge(lobby, user);
    } else if (passedOver.push(user) >= PASSED_OVER_MAX) {
      break;
    }
  }
  for (const user of passedOver) keepAge(lobby, user);
  while (lobby.mailboxBytes > lobby.settings.mailboxBytesMax) {
    const oldest = lobby.mailAges.earliest;
    if (oldest === undefined) throw new Error("mailboxes weigh more than they hold");
    const user = lobby.users.get(lobby.mailAges.pop() ?? 0);
    if (user === undefined) continue;
    // An age that was overtaken says nothing: what goes must not depend on when it was last looked at.
    if (user.mailbox.events[0]?.at === oldest) lobby.mailboxBytes += dropFirst(user.mailbox, 1);
    keepAge(lobby, user);
  }
}

/** Every mailbox that holds something has exactly one entry among the ages. */
export function keepAge(lobby: Lobby, user: User): void {
  const first = user.mailbox.events[0];
  if (first !== undefined) lobby.mailAges.push(first.at, user.ref);
}
