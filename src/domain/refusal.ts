/**
 * Every reason for which the rules say no. A refusal is an answer, not an error: it does nothing of
 * what was asked, and the chat layer turns it into a tool result a model can act on.
 *
 * This file owns the closed list. It must never carry wording for people or models.
 */

export const REFUSAL_CODES = [
  "no_session",
  "bad_session_token",
  "identity_conflict",
  "user_id_taken",
  "busy",
  "room_full",
  "unavailable",
  "not_waiting",
  "not_in_room",
  "room_not_found",
  "chat_ended",
  "message_empty",
  "message_too_long",
  "message_refused",
  "rate_limited",
  "queue_full",
  "server_full",
  "banned",
  "invalid_arguments",
  "loop_limit",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

export interface Refusal {
  readonly type: "refused";
  readonly code: RefusalCode;
  /** Milliseconds after which the same call may succeed; always there for `rate_limited`. */
  readonly retryAfterMs?: number;
}

const PLAIN = new Map<RefusalCode, Refusal>(REFUSAL_CODES.map((code) => [code, { type: "refused", code }]));

/** The refusal with this code. Refusals without a delay are shared objects. */
export function refuse(code: RefusalCode, retryAfterMs?: number): Refusal {
  if (retryAfterMs !== undefined) return { type: "refused", code, retryAfterMs };
  return PLAIN.get(code) ?? { type: "refused", code };
}
