/**
 * The chat of the peers that are built on an SDK: the least there can be, the same for all of them.
 *
 * This file owns who is paired with whom. It must never know how anybody is told.
 */

/** Tells a user something. */
export type Notify = (user: string, event: string, data: Readonly<Record<string, unknown>>) => void;

const partners = new Map<string, string>();
let waiting: string | undefined;

/** @returns what the tool answers */
export function enterQueue(user: string, notify: Notify): string {
  if (waiting === undefined || waiting === user) {
    waiting = user;
    return "waiting";
  }
  const partner = waiting;
  waiting = undefined;
  partners.set(user, partner);
  partners.set(partner, user);
  notify(partner, "chatroom.found", {});
  notify(user, "chatroom.found", {});
  return "matched";
}

/** @returns whether there is anybody to hear it */
export function sendMessage(user: string, message: string, notify: Notify): boolean {
  const partner = partners.get(user);
  if (partner === undefined) return false;
  notify(partner, "message.received", { message });
  return true;
}
