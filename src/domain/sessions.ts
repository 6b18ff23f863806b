/**
 * Legacy sessions of users: tied by a call, untied by their end or by newer ones. What they have open
 * closes with the tie.
 *
 * This file owns the ties and the memory of ended sessions. It must never know what a session is on the wire.
 */
import { ENDED_SESSIONS_MAX, SESSION_AGE_MS_MAX, SESSIONS_PER_USER_MAX } from "../limits.ts";
import type { Command } from "./command.ts";
import { countSessionClosed, letGoOfCall } from "./connections.ts";
import type { SessionKey } from "./ids.ts";
import { noteClosed, takeOut } from "./presence.ts";
import type { Lobby, Step, User } from "./state.ts";

/** Ties a legacy session to a user, once: until the record ends it stays theirs. */
export function bindSession(lobby: Lobby, step: Step, session: SessionKey, user: User): void {
  // A call may come after the end of its session; that brings no session back.
  if (lobby.bindings.has(session) || lobby.endedSessions.has(session)) return;
  if (user.sessions.length >= SESSIONS_PER_USER_MAX) {
    const oldest = user.sessions[0];
    if (oldest !== undefined) noteClosed(lobby, step, user, unbindSession(lobby, step, oldest, user));
  }
  // A new session gets what nobody of this user is known to have read.
  const read = Math.max(user.mailbox.acknowledged, user.streamRead);
  lobby.bindings.set(session, { user: user.ref, read, streams: 0 });
  user.sessions.push(session);
  step.events.push({ type: "bound", session, user: user.ref });
}

/**
 * Ends a legacy session. A user who has no other stream and no other session has left with it;
 * else it is only unbound.
 */
export function endSession(lobby: Lobby, step: Step, command: Extract<Command, { type: "end_session" }>): void {
  const { session, issuedAt } = command;
  step.events.push({ type: "session_ended", session });
  rememberEnded(lobby, session, issuedAt);
  const user = lobby.users.get(lobby.bindings.get(session)?.user ?? 0);
  if (user === undefined) return;
  const closed = unbindSession(lobby, step, session, user);
  const { hold } = user;
  if (hold?.session === session) {
    letGoOfCall(lobby, user);
    step.events.push({ type: "hold_ended", user: user.ref, hold: hold.number });
    user.lastCallAt = step.at;
  }
  if (user.streams === 0 && user.hold === undefined && user.sessions.length === 0) {
    user.lastActivityAt = step.at;
    takeOut(lobby, step, user, "left");
  } else {
    noteClosed(lobby, step, user, closed);
  }
}

/** Unties a session, and closes its streams. Returns how many. */
function unbindSession(lobby: Lobby, step: Step, session: SessionKey, user: User): number {
  const binding = lobby.bindings.get(session);
  const closed = binding === undefined ? 0 : countSessionClosed(lobby, user, session, binding);
  lobby.bindings.delete(session);
  user.sessions.splice(user.sessions.indexOf(session), 1);
  step.events.push({ type: "unbound", session, user: user.ref });
  return closed;
}

/** Keeps an ended session from coming back, in a bounded table. */
function rememberEnded(lobby: Lobby, session: SessionKey, issuedAt: number): void {
  if (lobby.endedSessions.size >= ENDED_SESSIONS_MAX) {
    for (const [key, issued] of lobby.endedSessions) {
      if (issued + SESSION_AGE_MS_MAX > lobby.now) {
        // Giving up an entry that is still needed takes every session as old as it along.
        lobby.sessionsValidFrom = Math.max(lobby.sessionsValidFrom, issued + 1);
      }
      lobby.endedSessions.delete(key);
      break;
    }
  }
  lobby.endedSessions.set(session, issuedAt);
}
