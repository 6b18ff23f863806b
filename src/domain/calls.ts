/**
 * Calls of users: who calls, that they have called, from where, and what follows for their session and
 * their presence.
 *
 * This file owns what every call has in common. It must never know what is called for.
 */
import type { Caller } from "./command.ts";
import { identify } from "./identity.ts";
import { noteCall, settle } from "./presence.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { bindSession } from "./sessions.ts";
import type { Lobby, Step, User } from "./state.ts";

/**
 * Runs a command of somebody who must be a user. They have called, whatever comes of it; the session
 * they called in becomes theirs if it succeeds.
 */
export function asUser(
  lobby: Lobby,
  step: Step,
  caller: Caller,
  run: (user: User) => Refusal | undefined,
): Refusal | undefined {
  const user = identify(lobby, caller);
  if (user === undefined) return refuse("no_session");
  if ("type" in user) return user;
  if (caller.address !== undefined && caller.address !== user.address) {
    user.address = caller.address;
    step.moved = user;
  }
  noteCall(lobby, step, user);
  const refusal = run(user);
  // Who asked for it has been forgotten.
  if (!lobby.users.has(user.ref)) return refusal;
  if (refusal === undefined && caller.session !== undefined) bindSession(lobby, step, caller.session, user);
  settle(lobby, step, user);
  return refusal;
}

/** Runs a command about a user by reference; one whose record has ended is none of its concern. */
export function withUser(lobby: Lobby, step: Step, ref: number, run: (user: User) => void): undefined {
  const user = lobby.users.get(ref);
  if (user === undefined) step.events.push({ type: "ignored" });
  else run(user);
}
