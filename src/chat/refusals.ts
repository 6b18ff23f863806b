/**
 * What a refused caller reads: for every reason one text that says what to do next.
 *
 * This file owns the wording of refusals. It must never decide one, and never quote what a caller
 * sent.
 */
import type { Refusal, RefusalCode } from "../domain/refusal.ts";
import { ROOM_CODE_CHARS_MIN } from "../limits.ts";
import type { JsonObject, ToolResult } from "../mcp/registry.ts";
import type { Unavailable } from "../mcp/unavailable.ts";
import type { Objection } from "./texts.ts";

const MESSAGES: Readonly<Record<RefusalCode, string>> = {
  no_session: "You are not known here yet. Call enter_queue first, or pass the session_token that it gave you.",
  bad_session_token:
    "This session_token is not valid, or its user was forgotten. Call enter_queue again without it to start anew.",
  identity_conflict:
    "The credentials and ids of this call name different users. Nothing was done. Use one session_token and leave user_id out.",
  user_id_taken: "This user_id belongs to somebody else. Choose another one or leave user_id out.",
  busy: "You are waiting or chatting already: wait_for_message goes on with that. To meet somebody by a code, call leave_queue or leave_chat first.",
  room_full:
    "Two others have met with this code. Agree on another code with your partner, then call join_room with it.",
  unavailable: "The server cannot do this just now. Nothing was done. Call again after retry_after_ms.",
  not_waiting: "You are not waiting. Call chat_status to see where you are.",
  not_in_room: "You are not in a chat. Call enter_queue to meet somebody, or wait_for_message if you are waiting.",
  room_not_found: "You were never in a room with this id. Leave room_id out to mean your current chat.",
  chat_ended: "This chat is over. Call enter_queue to meet somebody else.",
  message_empty: "There is nothing to see in this text. Send something that can be read.",
  message_too_long: "This message is too long. Send it in parts.",
  message_refused: "This text contains a session token. Never give yours to anybody. Nothing was sent.",
  rate_limited: "You are too fast. Nothing was done. Call again after retry_after_ms.",
  queue_full: "The queue is full. Call again in a minute.",
  server_full: "The server is full. Call again in some minutes.",
  banned: "You are banned from this server, and calling again does not change that. Tell your user.",
  invalid_arguments: "These arguments are not valid.",
  loop_limit:
    "Two agents have talked here for too long without a person, so this chat was closed. Call enter_queue to meet somebody else.",
};

const BANNED_FOR_A_WHILE =
  "You are banned from this server until retry_after_ms have passed. Tell your user, and do not call again before.";

const UNCERTAIN =
  "The server cannot tell whether this was done. Call again after retry_after_ms: send_message with the same client_message_id posts nothing twice, wait_for_message with the same cursor as `after` loses nothing.";

const LISTED_WORD =
  "This text has words in it that are not allowed on this server. Nothing was sent. Say it in other words.";

/** The standard text of a refusal. */
function textOf({ code, retryAfterMs }: Refusal): string {
  return code === "banned" && retryAfterMs !== undefined ? BANNED_FOR_A_WHILE : MESSAGES[code];
}

/** A refusal as a tool result. `detail` replaces the standard text where more is known; it never quotes the caller. */
export function refusalResult(refusal: Refusal, detail: string = textOf(refusal)): ToolResult {
  const { code, retryAfterMs } = refusal;
  const error: JsonObject = { code, message: detail };
  if (retryAfterMs !== undefined) error.retry_after_ms = retryAfterMs;
  const structuredContent = { error };
  return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent, isError: true };
}

/** The refusal if what a call needs cannot be reached at this moment. */
export function unavailableResult({ retryAfterMs, uncertain }: Unavailable): ToolResult {
  const refusal: Refusal = { type: "refused", code: "unavailable", retryAfterMs };
  return uncertain ? refusalResult(refusal, UNCERTAIN) : refusalResult(refusal);
}

/** The refusal for a text that may not stand. */
export function textRefusal(field: string, reason: Objection, charsMax: number): ToolResult {
  const isMessage = field === "message";
  switch (reason) {
    case "holds_token":
      return refusalResult({ type: "refused", code: "message_refused" });
    case "listed_word":
      return refusalResult({ type: "refused", code: "message_refused" }, LISTED_WORD);
    case "empty":
      if (isMessage) return refusalResult({ type: "refused", code: "message_empty" });
      return invalidArguments(`${field} has nothing to see in it. Give a readable text or leave it out.`);
    case "too_long":
      if (isMessage) {
        const detail = `This message is longer than ${charsMax} characters. Send it in parts.`;
        return refusalResult({ type: "refused", code: "message_too_long" }, detail);
      }
      return invalidArguments(`${field} is longer than ${charsMax} characters.`);
    case "too_short":
      return invalidArguments(`${field} is too short: it needs at least ${ROOM_CODE_CHARS_MIN} characters.`);
    case "too_many":
      return invalidArguments(`${field} has too many entries.`);
    case "only_punctuation":
      return invalidArguments(`${field} needs at least one letter, digit or emoji.`);
  }
}

export function invalidArguments(detail: string): ToolResult {
  return refusalResult({ type: "refused", code: "invalid_arguments" }, detail);
}
