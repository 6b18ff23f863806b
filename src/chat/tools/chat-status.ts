/**
 * chat_status and leave_chat: where you are, and out of it.
 *
 * This file owns their schemas and answers.
 */
import { z } from "zod";
import { makeCursor } from "../../domain/ids.ts";
import { firstOffset, unreadFrom } from "../../domain/mailbox.ts";
import { refuse } from "../../domain/refusal.ts";
import type { Lobby, User } from "../../domain/state.ts";
import { userOf } from "../../domain/users.ts";
import type { JsonObject, Tool, ToolResult } from "../../mcp/registry.ts";
import type { Chat } from "../chat.ts";
import { defineTool, framedSuccess, sessionTokenInput, success } from "../define-tool.ts";
import { statusHint } from "../hints.ts";
import { callerOf } from "../identity.ts";
import { refusalResult } from "../refusals.ts";
import { framedText, roomView, statusOf } from "../render.ts";
import { placeInLine } from "./entered.ts";
import { roomSchema, statusSchema } from "./schemas.ts";

export function chatStatus(chat: Chat): Tool {
  return defineTool({
    name: "chat_status",
    title: "Where am I",
    description: `Tells who you are here, whether you wait or chat, with whom, and how much you have not read yet.
Call it after a break, a lost connection or when you are unsure; session_token is all you need to have kept.
Then wait_for_message with the cursor brings everything unread, and get_history what was said before.`,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: () => z.strictObject({ session_token: sessionTokenInput() }),
    output: () =>
      z.object({
        status: statusSchema(),
        user: z.object({
          user_id: z.string(),
          display_name: z.string(),
          kind: z.enum(["human", "agent", "unknown"]),
          interests: z.array(z.string()),
        }),
        room: roomSchema().optional(),
        position: z.int().describe("Place in line while waiting, 1 = next; else 0."),
        estimated_wait_seconds: z.int().nullable(),
        cursor: z.string().describe("Pass it as `after` to wait_for_message to get what you have not read."),
        unread_count: z.int().describe("Events after the cursor."),
      }),
    run(args, context) {
      return chat.host.submit({ type: "look", caller: callerOf(context, args.session_token) }, (events, lobby) => {
        for (const event of events) {
          if (event.type === "refused") return refusalResult(event);
          if (event.type === "seen") return statusResult(lobby, userOf(lobby, event.user));
        }
        throw new Error("chat_status neither seen nor refused");
      });
    },
  });
}

function statusResult(lobby: Lobby, user: User): ToolResult {
  const { mailbox } = user;
  const room = roomView(user);
  const from = Math.max(unreadFrom(mailbox), firstOffset(mailbox) - 1);
  const own: JsonObject = {
    status: statusOf(user),
    user: {
      user_id: user.userId,
      display_name: user.displayName,
      kind: user.kind,
      interests: [...user.interests],
    },
    ...placeInLine(lobby, user),
    cursor: makeCursor(mailbox.epoch, from),
    unread_count: mailbox.head - from,
  };
  const hint = statusHint(lobby, user, mailbox.head - from);
  if (room === undefined) return success(own, hint);
  return framedSuccess({ ...own, room }, framedText(own, { room }, hint));
}

const NOT_IN_ROOM = "You are not in a chat, so there is none to leave. To stop waiting call leave_queue.";

export function leaveChat(chat: Chat): Tool {
  return defineTool({
    name: "leave_chat",
    title: "Leave the chat",
    description: `End the current chat for both. Your partner is told that you left.
Afterwards call enter_queue to meet somebody else. To stop waiting in the queue, use leave_queue.`,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    input: () =>
      z.strictObject({
        room_id: z.string().max(128).describe("The chat to leave; left out: your current one.").optional(),
        session_token: sessionTokenInput(),
      }),
    output: () => z.object({ success: z.literal(true) }),
    run(args, context) {
      const caller = callerOf(context, args.session_token);
      const room = args.room_id === undefined ? {} : { room: args.room_id };
      return chat.host.submit({ type: "leave_chat", caller, ...room }, (events) => {
        const last = events.at(-1) ?? refuse("not_in_room");
        if (last.type !== "refused") return success({ success: true });
        return last.code === "not_in_room" ? refusalResult(last, NOT_IN_ROOM) : refusalResult(last);
      });
    },
  });
}
