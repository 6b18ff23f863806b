/**
 * What enter_queue and join_room have in common: what both are told, and the answer that says where the
 * caller stands now.
 *
 * This file owns that answer. Who meets whom is the lobby's.
 */
import { z } from "zod";
import type { LobbyEvent } from "../../domain/event.ts";
import { outlook, ticketOf } from "../../domain/pairing.ts";
import type { Lobby, User } from "../../domain/state.ts";
import { userOf } from "../../domain/users.ts";
import { NAME_CHARS_MAX } from "../../limits.ts";
import type { JsonObject, ToolResult } from "../../mcp/registry.ts";
import { framedSuccess, success } from "../define-tool.ts";
import { waitingHint } from "../hints.ts";
import { once } from "../once.ts";
import { refusalResult } from "../refusals.ts";
import { framedText, roomView } from "../render.ts";
import { roomSchema } from "./schemas.ts";

export const displayNameInput = once(() =>
  z.string().describe(`Your name as your partner sees it, 1 to ${NAME_CHARS_MAX} characters.`).optional(),
);

export const kindInput = once(() =>
  z
    .enum(["human", "agent"])
    .describe('Who writes the messages: "human" if a person does, also through you; "agent" if you write for yourself.')
    .optional(),
);

export const enteredOutput = once(() =>
  z.object({
    status: z.enum(["waiting", "matched"]),
    user_id: z.string().describe("Your public id; your partner sees it."),
    display_name: z.string().describe("Your name as your partner sees it."),
    session_token: z
      .string()
      .describe("Your secret, shown this once. Pass it to other tools if the connection forgets you.")
      .optional(),
    position: z
      .int()
      .describe(
        "Your place among those who wait for the same partners as you and can be paired now; 1 = next, 0 = matched.",
      ),
    estimated_wait_seconds: z.int().nullable().describe("From the recent match rate; null when nothing is known."),
    waiting: z.int().describe("How many wait in the queue in all, you included."),
    online: z.int().describe("How many are here in all."),
    room: roomSchema().optional(),
  }),
);

/**
 * Where the caller stands now, however they came there.
 * @param token what was drawn for the caller in case a user was made
 */
export function enteredResult(events: readonly LobbyEvent[], lobby: Lobby, token: string): ToolResult {
  for (const event of events) {
    if (event.type === "refused") return refusalResult(event);
    if (event.type !== "entered") continue;
    const user = userOf(lobby, event.user);
    const room = roomView(user);
    const own: JsonObject = {
      status: room === undefined ? "waiting" : "matched",
      user_id: user.userId,
      display_name: user.displayName,
      ...(event.minted ? { session_token: token } : {}),
      ...placeInLine(lobby, user),
      waiting: lobby.queue.tickets.size,
      online: lobby.online,
    };
    if (room === undefined) return success(own, waitingHint(lobby, user));
    return framedSuccess({ ...own, room }, framedText(own, { room }, "Say hello with send_message."));
  }
  throw new Error("the caller neither entered nor was refused");
}

/** Who waits for a code is next, and nobody knows when the other one comes. */
export function placeInLine(lobby: Lobby, user: User): { position: number; estimated_wait_seconds: number | null } {
  const ticket = ticketOf(lobby, user);
  if (ticket === undefined) return { position: user.place.in === "meeting" ? 1 : 0, estimated_wait_seconds: null };
  const { position, waitSeconds } = outlook(lobby, ticket);
  return { position, estimated_wait_seconds: waitSeconds };
}
