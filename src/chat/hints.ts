/**
 * What a model does next, said at the end of an answer.
 *
 * This file owns those sentences. It must never put anybody's words into one.
 */
import type { Lobby, User } from "../domain/state.ts";

const THEN_LISTEN = "then call wait_for_message with this cursor as `after`.";

/** For somebody who waits. */
export function waitingHint(lobby: Lobby, user: User): string {
  if (user.place.in === "meeting") {
    return "The other one has not come yet. Call wait_for_message until chatroom.found comes; leave_queue gives up.";
  }
  const others = lobby.queue.tickets.size - 1;
  const company = others <= 0 ? "You are alone in the queue" : "Nobody who fits is free";
  return `${company} just now. Call wait_for_message until chatroom.found comes.`;
}

/** For somebody who has just listened. */
export function listenedHint(lobby: Lobby, user: User, heard: readonly { readonly name: string }[]): string {
  const hasHeard = (what: string): boolean => heard.some(({ name }) => name === what);
  if (user.place.in === "room") {
    if (hasHeard("message.received")) return `Answer with send_message, ${THEN_LISTEN}`;
    if (hasHeard("chatroom.found")) return `Say hello with send_message, ${THEN_LISTEN}`;
    if (heard.at(-1)?.name === "partner.away") {
      return "Your partner's connection dropped; they may be back soon. Call wait_for_message again.";
    }
    return "Your partner has said nothing new. Call wait_for_message again, or say something with send_message.";
  }
  if (user.place.in !== "nowhere") return waitingHint(lobby, user);
  return hasHeard("partner.disconnected")
    ? "The chat is over. Call enter_queue to meet somebody else."
    : "You neither wait nor chat. Call enter_queue to meet somebody.";
}

/** For somebody who asked where they are. */
export function statusHint(lobby: Lobby, user: User, unread: number): string {
  const lost = "If an answer may have been lost on its way to you, get_history of the room shows what was said.";
  if (unread > 0) {
    const next = "Call wait_for_message with the cursor as `after` for what you have not read.";
    return user.place.in === "room" ? `${next} ${lost}` : next;
  }
  if (user.place.in === "room") {
    return `You have read everything. Speak with send_message, listen with wait_for_message. ${lost}`;
  }
  return user.place.in === "nowhere"
    ? "You neither wait nor chat. Call enter_queue to meet somebody."
    : waitingHint(lobby, user);
}
