/**
 * Who is calling: a bearer token, a token argument, a legacy session, or none of them.
 *
 * This file owns the rule that all which is supplied and live must agree. It sees hashes only.
 */
import type { Caller } from "./command.ts";
import type { TokenHash } from "./ids.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Lobby, User } from "./state.ts";

/**
 * The user a caller has shown to be, undefined if they showed nothing, or why not:
 * `bad_session_token` for a token that names nobody, `identity_conflict` if two name different users.
 */
export function identify(lobby: Lobby, caller: Caller): User | undefined | Refusal {
  const { bearer, argument, session } = caller;
  const bound = session === undefined ? undefined : lobby.bindings.get(session)?.user;
  // Most calls show nothing else, and every message is one.
  if (bearer === undefined && argument === undefined) return bound === undefined ? undefined : lobby.users.get(bound);
  let found = bound;
  let conflict = false;
  for (const token of [bearer, argument]) {
    if (token === undefined) continue;
    const named = userByToken(lobby, token);
    if (named === undefined) return refuse("bad_session_token");
    if (found !== undefined && found !== named.ref) conflict = true;
    found = named.ref;
  }
  if (conflict) return refuse("identity_conflict");
  return found === undefined ? undefined : lobby.users.get(found);
}

/** The user a live token names. */
export function userByToken(lobby: Lobby, token: TokenHash): User | undefined {
  const ref = lobby.byToken.get(token);
  return ref === undefined ? undefined : lobby.users.get(ref);
}
