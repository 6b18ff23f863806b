/**
 * Blocking a partner: the room in which the two are closes, and they never meet again.
 *
 * This file owns each user's list of blocks and its bound. It must never tell the partner more than
 * that the room is closed.
 */
import { BLOCK_RETRY_MS, BLOCKS_PER_USER_MAX } from "../limits.ts";
import type { AddressKey, UserRef } from "./ids.ts";
import { seekAnew } from "./pairing.ts";
import { settleMembers } from "./presence.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { closeRoom, findOwnRoom, sidesOf } from "./room.ts";
import type { Lobby, Room, Step, User } from "./state.ts";

/** `block_partner`: of the present room, or of a named one of one's own. */
export function block(lobby: Lobby, step: Step, user: User, roomId: string | undefined): Refusal | undefined {
  const room = findOwnRoom(lobby, user, roomId);
  if ("type" in room) return room;
  const full = refuseBlock(lobby, user, room);
  if (full !== undefined) return full;
  blockPartner(lobby, step, user, room);
  step.events.push({ type: "blocked", user: user.ref, room: room.id });
  return undefined;
}

/** Why the partner of a room cannot be blocked, or undefined if they can. */
export function refuseBlock(lobby: Lobby, user: User, room: Room): Refusal | undefined {
  const { blocked } = user;
  const partner = sidesOf(room, user)?.other.user ?? 0;
  if (blocked === undefined || blocked.size < BLOCKS_PER_USER_MAX) return undefined;
  if (blocked.has(partner) || !lobby.users.has(partner)) return undefined;
  for (const ref of blocked.keys()) if (!lobby.users.has(ref)) return undefined;
  return refuse("unavailable", BLOCK_RETRY_MS);
}

/** Blocks the partner of a room, if their record lives, and closes the room in which the two are. */
export function blockPartner(lobby: Lobby, step: Step, user: User, room: Room): void {
  const partner = lobby.users.get(sidesOf(room, user)?.other.user ?? 0);
  if (partner === undefined) return;
  addBlock(lobby, user, partner);
  if (user.place.in === "room" && sidesOf(user.place.room, partner) !== undefined) {
    const shared = user.place.room;
    closeRoom(lobby, step, shared, "blocked", user);
    settleMembers(lobby, step, shared.members);
  }
  // From a past room somebody can be blocked while both wait; and forgotten blocks hold nobody apart.
  seekAnew(lobby, step, user);
}

function addBlock(lobby: Lobby, user: User, partner: User): void {
  user.blocked ??= new Map();
  const address = partner.address ?? user.blocked.get(partner.ref);
  user.blocked.delete(partner.ref);
  if (user.blocked.size >= BLOCKS_PER_USER_MAX) {
    for (const ref of user.blocked.keys()) if (!lobby.users.has(ref)) user.blocked.delete(ref);
  }
  user.blocked.set(partner.ref, address);
  user.blockedAddresses = addressesOf(user.blocked);
}

/** The addresses among somebody's blocks, if there are any. */
export function addressesOf(blocked: ReadonlyMap<UserRef, AddressKey | undefined>): Set<AddressKey> | undefined {
  const addresses = new Set<AddressKey>();
  for (const address of blocked.values()) if (address !== undefined) addresses.add(address);
  return addresses.size === 0 ? undefined : addresses;
}
