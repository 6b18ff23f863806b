/**
 * What a conversation tells whoever shows it, and what it is told of its user.
 *
 * This file owns these shapes. It must never hold behaviour.
 */

import type { Outgoing } from "./outbox.ts";
import type { LinkFault } from "./server-link.ts";
import type { ChatEvent, Refusal, Room } from "./wire.ts";

/** Where the user is. */
export type Place =
  | { readonly at: "idle" }
  | { readonly at: "waiting"; readonly since: number; readonly outlook: Outlook }
  | { readonly at: "chatting"; readonly room: Room; readonly since: number };

/** What a waiting user may expect. */
export interface Outlook {
  /** 1 = next. */
  readonly position: number;
  /** Undefined when nobody knows. */
  readonly estimatedWaitSeconds: number | undefined;
  readonly waiting: number | undefined;
  readonly online: number | undefined;
}

/** Why a room is no more. */
export type RoomEnd = "you_left" | "forgotten" | "missed" | (string & {});

/** What a face is told, in the order in which it happens. */
export type Happening =
  | { readonly type: "connected"; readonly isNewSession: boolean }
  | { readonly type: "connection_lost"; readonly retryInMs: number }
  | { readonly type: "connection_ended"; readonly fault: LinkFault }
  /** Every event once. It is told before what follows from it. */
  | { readonly type: "event"; readonly event: ChatEvent }
  | { readonly type: "place"; readonly place: Place; readonly ended?: { readonly room: Room; readonly why: RoomEnd } }
  /** The secret that proves to be this user. To be kept, never shown. */
  | { readonly type: "token"; readonly token: string }
  | { readonly type: "sent"; readonly message: Outgoing; readonly timestamp: string }
  /** Not sent and never will be. */
  | { readonly type: "unsent"; readonly message: Outgoing; readonly reason: string }
  /** Some events came too late to be kept. */
  | { readonly type: "gap" }
  /** The server does not know this user any more: it was restarted, or too much time has passed. */
  | { readonly type: "forgotten" };

/** How a user presents themselves and whom they want to meet. */
export interface Wishes {
  readonly name: string | undefined;
  readonly interests: readonly string[];
  readonly kind: "human" | "agent";
  readonly partnerKind: "any" | "human" | "agent";
}

/** What became of a wish. `undefined` is success. */
export type Outcome = Refusal | undefined;
