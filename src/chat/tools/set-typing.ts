/**
 * set_typing: shows the partner that something is being written.
 *
 * This file owns its schema and answer. When a sign ends and whom it reaches is typing.ts.
 */
import { z } from "zod";
import { refuse } from "../../domain/refusal.ts";
import { findRoom } from "../../domain/room.ts";
import { userOf } from "../../domain/users.ts";
import { TYPING_MS_MAX } from "../../limits.ts";
import type { Tool, ToolResult } from "../../mcp/registry.ts";
import type { Chat } from "../chat.ts";
import { defineTool, sessionTokenInput, success } from "../define-tool.ts";
import { callerOf } from "../identity.ts";
import { refusalResult } from "../refusals.ts";

const DESCRIPTION = `Show your partner that you are writing, if they are watching just now. Nothing is kept of it.
It ends by itself after ${TYPING_MS_MAX / 1000} seconds, or when you send the message; call it again while you go on writing.
Worth calling only if an answer takes you longer than a few seconds.`;

export function setTyping(chat: Chat): Tool {
  return defineTool({
    name: "set_typing",
    title: "Show that you are writing",
    description: DESCRIPTION,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    input: () =>
      z.strictObject({
        room_id: z.string().max(128).describe("The chat it is for; left out: your current one.").optional(),
        typing: z.boolean().describe("false = you have stopped; default true.").optional(),
        session_token: sessionTokenInput(),
      }),
    output: () => z.object({ success: z.literal(true) }),
    run(args, context): ToolResult | Promise<ToolResult> {
      // Who is behind the call and where they are is looked up; the rest is no affair of the lobby.
      return chat.host.submit({ type: "look", caller: callerOf(context, args.session_token) }, (events, lobby) => {
        for (const event of events) {
          if (event.type === "refused") return refusalResult(event);
          if (event.type !== "seen") continue;
          const user = userOf(lobby, event.user);
          const room = findRoom(lobby, user, args.room_id);
          if ("type" in room) return refusalResult(room);
          const retryAfterMs = chat.typing.say(user, room, args.typing ?? true);
          return retryAfterMs > 0 ? refusalResult(refuse("rate_limited", retryAfterMs)) : success({ success: true });
        }
        throw new Error("set_typing neither seen nor refused");
      });
    },
  });
}
