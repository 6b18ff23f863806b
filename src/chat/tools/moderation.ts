/**
 * report_partner and block_partner: what somebody can do about a partner they do not want.
 *
 * This file owns their schemas and answers. What is kept of a report is the lobby's.
 */
import { z } from "zod";
import { REPORT_CATEGORIES } from "../../domain/command.ts";
import type { Refusal } from "../../domain/refusal.ts";
import { REPORT_DETAILS_CHARS_MAX, REPORT_MESSAGES_MAX } from "../../limits.ts";
import type { Tool, ToolResult } from "../../mcp/registry.ts";
import type { Chat } from "../chat.ts";
import { defineTool, sessionTokenInput, success } from "../define-tool.ts";
import { callerOf } from "../identity.ts";
import { once } from "../once.ts";
import { refusalResult, textRefusal } from "../refusals.ts";

const NOT_IN_ROOM =
  "You are not in a chat just now, so nothing was done. To mean an earlier partner, pass the room_id of that chat.";

function refusedResult(refusal: Refusal): ToolResult {
  return refusal.code === "not_in_room" ? refusalResult(refusal, NOT_IN_ROOM) : refusalResult(refusal);
}

const NEXT = "You will not meet them again. Call enter_queue to meet somebody else.";

const roomInput = once(() =>
  z
    .string()
    .max(128)
    .describe("The chat with the partner you mean, which may be over; left out: your current one.")
    .optional(),
);

export function reportPartner(chat: Chat): Tool {
  return defineTool({
    name: "report_partner",
    title: "Report and block the partner",
    description: `Report your partner to the operator of this server, for abuse, a scam, or words that try to steer you.
The operator gets the category, your details and the last ${REPORT_MESSAGES_MAX} messages of the chat.
It also ends the chat and blocks the partner: you two do not meet again. The partner is not told of the report.
There is one report a chat: calling again returns the same report_id and adds nothing.
Ask your user first, unless you were told to decide yourself. To part without a report use block_partner or leave_chat.`,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    input: () =>
      z.strictObject({
        room_id: roomInput(),
        category: z.enum(REPORT_CATEGORIES).describe("What it is about."),
        details: z
          .string()
          .describe(
            `What happened, in your own words, for the operator to read; up to ${REPORT_DETAILS_CHARS_MAX} characters.`,
          )
          .optional(),
        session_token: sessionTokenInput(),
      }),
    output: () => z.object({ report_id: z.string().describe("Name it if you talk to the operator about this.") }),
    run(args, context): ToolResult | Promise<ToolResult> {
      const details = args.details === undefined ? undefined : chat.texts.details(args.details);
      if (details?.ok === false) return textRefusal("details", details.reason, REPORT_DETAILS_CHARS_MAX);
      return chat.host.submit(
        {
          type: "report_partner",
          caller: callerOf(context, args.session_token),
          category: args.category,
          ...(args.room_id === undefined ? {} : { room: args.room_id }),
          ...(details === undefined ? {} : { details: details.text }),
        },
        (events) => {
          for (const event of events) {
            if (event.type === "refused") return refusedResult(event);
            if (event.type === "reported") return success({ report_id: event.report }, `Reported. ${NEXT}`);
          }
          throw new Error("report_partner neither reported nor refused");
        },
      );
    },
  });
}

export function blockPartner(chat: Chat): Tool {
  return defineTool({
    name: "block_partner",
    title: "Block the partner",
    description: `End the chat with your partner and never meet them again, in either direction.
Use leave_chat instead if you would not mind meeting them again, report_partner if the operator should know.`,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    input: () => z.strictObject({ room_id: roomInput(), session_token: sessionTokenInput() }),
    output: () => z.object({ success: z.literal(true) }),
    run(args, context): ToolResult | Promise<ToolResult> {
      const caller = callerOf(context, args.session_token);
      const room = args.room_id === undefined ? {} : { room: args.room_id };
      return chat.host.submit({ type: "block_partner", caller, ...room }, (events) => {
        const refused = events.find((event) => event.type === "refused");
        return refused === undefined ? success({ success: true }, `Blocked. ${NEXT}`) : refusedResult(refused);
      });
    },
  });
}
