/**
 * What a server tells a client, read from untrusted JSON: events and the answers of tools.
 *
 * This file owns the shapes a client relies on. It must never throw on what a server sent, and never
 * change a stranger's words: whoever shows them makes them harmless.
 */

import * as z from "zod";

export type JsonObject = Record<string, unknown>;

/** How a member of a room describes themselves. */
export interface Partner {
  readonly userId: string;
  /** Written by a stranger. */
  readonly displayName: string;
  readonly kind: "human" | "agent" | "unknown";
}

/** An open chat. */
export interface Room {
  readonly roomId: string;
  readonly partner: Partner;
  readonly sharedInterests: readonly string[];
}

/** What every event has. Live ones, such as typing, have neither id nor cursor. */
interface EventHead {
  readonly eventId: string | undefined;
  readonly cursor: string | undefined;
  /** ISO-8601, as the server wrote it. */
  readonly timestamp: string;
  /** The event's data as it came, for whoever passes it on. */
  readonly data: JsonObject;
}

/** Something that happened in the chat. */
export type ChatEvent = EventHead &
  (
    | { readonly name: "chatroom.found"; readonly room: Room }
    | {
        readonly name: "message.received";
        readonly roomId: string;
        /** Written by a stranger. */
        readonly message: string;
        readonly sender: Partner;
      }
    | { readonly name: "partner.disconnected"; readonly roomId: string; readonly reason: string }
    | { readonly name: "partner.away" | "partner.back"; readonly roomId: string }
    | { readonly name: "partner.typing"; readonly roomId: string; readonly typing: boolean }
    | { readonly name: "server.announcement"; readonly message: string }
  );

export type EventName = ChatEvent["name"];

// --- schemas ----------------------------------------------------------------------------------

const partner = z
  .object({
    user_id: z.string(),
    display_name: z.string(),
    kind: z.enum(["human", "agent", "unknown"]).catch("unknown"),
  })
  .transform((one): Partner => ({ userId: one.user_id, displayName: one.display_name, kind: one.kind }));

const room = z
  .object({ room_id: z.string(), partner, shared_interests: z.array(z.string()).catch([]) })
  .transform((one): Room => ({ roomId: one.room_id, partner: one.partner, sharedInterests: one.shared_interests }));

const inRoom = z.object({ room_id: z.string() });
const message = z.object({ room_id: z.string(), message: z.string(), sender: partner });
const disconnected = z.object({ room_id: z.string(), reason: z.string() });
const typing = z.object({ room_id: z.string(), typing: z.boolean() });
const announcement = z.object({ message: z.string() });

/** The part of an event that depends on its name; undefined if it is none or not as it should be. */
const READERS: { readonly [Name in EventName]: (head: EventHead) => ChatEvent | undefined } = {
  "chatroom.found": (head) => {
    const read = room.safeParse(head.data).data;
    return read && { ...head, name: "chatroom.found", room: read };
  },
  "message.received": (head) => {
    const read = message.safeParse(head.data).data;
    return (
      read && { ...head, name: "message.received", roomId: read.room_id, message: read.message, sender: read.sender }
    );
  },
  "partner.disconnected": (head) => {
    const read = disconnected.safeParse(head.data).data;
    return read && { ...head, name: "partner.disconnected", roomId: read.room_id, reason: read.reason };
  },
  "partner.away": (head) => {
    const read = inRoom.safeParse(head.data).data;
    return read && { ...head, name: "partner.away", roomId: read.room_id };
  },
  "partner.back": (head) => {
    const read = inRoom.safeParse(head.data).data;
    return read && { ...head, name: "partner.back", roomId: read.room_id };
  },
  "partner.typing": (head) => {
    const read = typing.safeParse(head.data).data;
    return read && { ...head, name: "partner.typing", roomId: read.room_id, typing: read.typing };
  },
  "server.announcement": (head) => {
    const read = announcement.safeParse(head.data).data;
    return read && { ...head, name: "server.announcement", message: read.message };
  },
};

function isEventName(name: string): name is EventName {
  return Object.hasOwn(READERS, name);
}

/** An event pushed as a notification: its name is the method, its data the params. */
export function readNotification(method: string, params: JsonObject): ChatEvent | undefined {
  const { event_id, cursor, _meta, ...data } = params;
  return readEvent(method, data, { event_id, cursor, timestamp: data.timestamp });
}

function readEvent(name: string, data: JsonObject, head: JsonObject): ChatEvent | undefined {
  if (!isEventName(name)) return undefined;
  return READERS[name]({
    eventId: textOf(head.event_id),
    cursor: textOf(head.cursor),
    timestamp: textOf(head.timestamp) ?? "",
    data,
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

// --- answers ----------------------------------------------------------------------------------

/** What a tool answered. `lost` means that nobody knows whether it was done. */
export type Answer =
  | { readonly kind: "success"; readonly value: JsonObject }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "lost" };

/** Why a tool said no, in the server's words. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

const refusal = z.object({
  error: z.object({ code: z.string(), message: z.string(), retry_after_ms: z.number().nonnegative().optional() }),
});

/** Reads the result of `tools/call`. */
export function readAnswer(result: { readonly structuredContent?: unknown; readonly isError?: unknown }): Answer {
  const value = z.record(z.string(), z.unknown()).safeParse(result.structuredContent).data ?? {};
  if (result.isError !== true) return { kind: "success", value };
  const error = refusal.safeParse(value).data?.error ?? {
    code: "unknown",
    message: "The server refused without a reason.",
  };
  return { kind: "refused", refusal: { code: error.code, message: error.message, retryAfterMs: error.retry_after_ms } };
}

/** Whether the server does not know who calls. */
export function isUnknown(answer: Answer): boolean {
  return answer.kind === "refused" && /^(?:no_session|bad_session_token)$/.test(answer.refusal.code);
}

/** Where somebody stands, as far as a tool's answer tells. */
export interface Standing {
  readonly status: "idle" | "waiting" | "chatting";
  readonly room: Room | undefined;
  readonly userId: string | undefined;
  readonly displayName: string | undefined;
  /** Only when newly made: the server never repeats it. */
  readonly sessionToken: string | undefined;
  /** Place in line, 1 = next. */
  readonly position: number;
  readonly estimatedWaitSeconds: number | undefined;
  /** How many wait and are here in all, where the answer tells. */
  readonly waiting: number | undefined;
  readonly online: number | undefined;
}

const standing = z.object({
  status: z.enum(["idle", "waiting", "matched", "chatting"]),
  user_id: z.string().optional(),
  display_name: z.string().optional(),
  user: z.object({ user_id: z.string(), display_name: z.string() }).optional(),
  session_token: z.string().optional(),
  position: z.number().catch(0),
  estimated_wait_seconds: z.number().nullish(),
  waiting: z.number().optional(),
  online: z.number().optional(),
  room: room.optional(),
});

/** Reads the answer of `enter_queue`, `join_room` or `chat_status`; undefined if it is none. */
export function readStanding(value: JsonObject): Standing | undefined {
  const read = standing.safeParse(value).data;
  if (read === undefined) return undefined;
  return {
    status: read.status === "matched" ? "chatting" : read.status,
    room: read.room,
    userId: read.user_id ?? read.user?.user_id,
    displayName: read.display_name ?? read.user?.display_name,
    sessionToken: read.session_token,
    position: read.position,
    estimatedWaitSeconds: read.estimated_wait_seconds ?? undefined,
    waiting: read.waiting,
    online: read.online,
  };
}
