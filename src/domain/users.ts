/**
 * Users' records: made with a token's hash, found by id, token or session, evicted when the server
 * is full, forgotten when nobody asked for them for long enough.
 *
 * This file owns the life of a record and every index onto it. It must never move a user between
 * queue and room.
 */
import { type AddressKey, makeEpoch, makeId, type SessionKey, type TokenHash, type UserRef } from "./ids.ts";
import { emptyMailbox } from "./mailbox.ts";
import { letGoOfRoom } from "./room.ts";
import type { Description, Lobby, Step, User } from "./state.ts";

/** Who has said nothing about themselves. */
export const UNDESCRIBED: Description = {
  displayName: "Stranger",
  kind: "unknown",
  partnerKind: "any",
  interests: [],
};

/** Makes room for one more user by evicting whoever is offline the longest. False if everybody is present. */
export function makeRoomForUser(lobby: Lobby, step: Step): boolean {
  while (lobby.users.size >= lobby.settings.usersMax) {
    const longest = lobby.offline.first;
    if (longest === undefined) return false;
    forgetUser(lobby, step, userOf(lobby, longest));
  }
  return true;
}

/** What is known of somebody who comes. */
export interface NewUser {
  /** The id they have chosen, if they have. */
  readonly userId: string | undefined;
  readonly description: Description;
  readonly address: AddressKey | undefined;
}

/** Shared, as most people are in their first room. */
const NO_ROOMS: readonly string[] = Object.freeze([]);

/** Makes a user, nowhere and not online yet. */
export function createUser(lobby: Lobby, step: Step, tokenHash: TokenHash, newUser: NewUser): User {
  const { userId, description, address } = newUser;
  const user: User = {
    ref: lobby.nextUser++,
    userId: userId ?? makeId("user", step.entropy, 0),
    tokenHash,
    ...description,
    place: { in: "nowhere" },
    mailbox: emptyMailbox(makeEpoch(step.entropy)),
    streams: 0,
    hold: undefined,
    lastCallAt: step.at,
    awaySince: undefined,
    streamEndedAt: undefined,
    lastActivityAt: step.at,
    offlineSince: step.at,
    streamRead: 0,
    sessions: [],
    pastRooms: NO_ROOMS,
    recentPartners: [],
    address,
    blocked: undefined,
    blockedAddresses: undefined,
    messages: undefined,
    entries: undefined,
    joins: undefined,
    reports: undefined,
    checkAt: Number.POSITIVE_INFINITY,
  };
  lobby.users.set(user.ref, user);
  lobby.userOrder.add(user.ref);
  lobby.byUserId.set(user.userId, user.ref);
  lobby.byToken.set(tokenHash, user.ref);
  return user;
}

/** Ends the record of an offline user: id, token, mailbox, sessions and rooms are free again. */
export function forgetUser(lobby: Lobby, step: Step, user: User): void {
  if (user.offlineSince === undefined) throw new Error("a present user was to be forgotten");
  for (const session of user.sessions) {
    lobby.bindings.delete(session);
    step.events.push({ type: "unbound", session, user: user.ref });
  }
  for (const room of user.pastRooms) letGoOfRoom(lobby, room);
  lobby.mailboxBytes -= user.mailbox.bytes;
  lobby.byUserId.delete(user.userId);
  lobby.byToken.delete(user.tokenHash);
  lobby.users.delete(user.ref);
  lobby.userOrder.delete(user.ref);
  lobby.offline.delete(user.ref);
  step.events.push({ type: "forgotten", user: user.ref });
}

/** Where a session's reader starts that names no position: after what is known to have been read. */
export function sessionReadFrom(lobby: Lobby, session: SessionKey): { user: User; from: number } | undefined {
  const binding = lobby.bindings.get(session);
  const user = binding === undefined ? undefined : lobby.users.get(binding.user);
  if (binding === undefined || user === undefined) return undefined;
  return { user, from: Math.max(binding.read, user.mailbox.acknowledged) };
}

/** The user with this reference, for callers to whom one without a record is a bug. */
export function userOf(lobby: Lobby, ref: UserRef): User {
  const user = lobby.users.get(ref);
  if (user === undefined) throw new Error("a reference names nobody");
  return user;
}
