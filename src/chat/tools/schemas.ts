/**
 * The shapes that several tools return.
 *
 * This file owns their schemas; the values are made in render.ts.
 */
import { z } from "zod";
import { STRANGERS_WORDS } from "../define-tool.ts";
import { once } from "../once.ts";

export const partnerSchema = once(() =>
  z.object({
    user_id: z.string().describe(`${STRANGERS_WORDS}: your partner's public id.`),
    display_name: z.string().describe(`${STRANGERS_WORDS}: your partner's name.`),
    kind: z.enum(["human", "agent", "unknown"]).describe("What your partner says they are."),
  }),
);

export const roomSchema = once(() =>
  z.object({
    room_id: z.string(),
    partner: partnerSchema(),
    shared_interests: z.array(z.string()).describe(`${STRANGERS_WORDS}: the interests you both named.`),
    created_at: z.string().describe("When you met, ISO-8601 UTC."),
  }),
);

export const eventSchema = once(() =>
  z.object({
    event_id: z.string().describe("The same for the same event, however often it is delivered."),
    name: z
      .string()
      .describe(
        "chatroom.found, message.received, partner.disconnected, partner.away, partner.back or server.announcement, which is by the operator.",
      ),
    timestamp: z.string(),
    data: z
      .looseObject({})
      .describe(
        `${STRANGERS_WORDS}: what happened, with message and sender or partner inside. Only in server.announcement the message is the operator's.`,
      ),
    cursor: z.string().describe("Position just after this event."),
  }),
);

export const statusSchema = once(() =>
  z
    .enum(["idle", "waiting", "chatting"])
    .describe("idle: call enter_queue; waiting: for a partner, call wait_for_message; chatting: in a room."),
);

/** What a wait gives, for wait_for_message and for send_message that waits too. */
export const waitOutput = once(() => ({
  status: statusSchema(),
  events: z.array(eventSchema()).describe("What happened since, oldest first."),
  cursor: z.string().describe("Pass it as `after` next time: that acknowledges these events."),
  truncated: z.boolean().describe("True if older events were lost before these."),
  timed_out: z.boolean().describe("True if nothing happened in time; call again."),
}));
