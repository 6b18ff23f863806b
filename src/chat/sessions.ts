/**
 * Which legacy sessions have ended, as the engine asks it; the lobby remembers.
 *
 * This file owns the translation only. It must never keep a table of its own.
 */
import { isSessionEnded } from "../domain/lobby.ts";
import type { SessionLedger } from "../mcp/registry.ts";
import type { LobbyHost } from "./lobby-host.ts";

/** @param isShared whether a session may be ended at another node */
export function createSessionLedger(host: LobbyHost, isShared: boolean): SessionLedger {
  const ledger: SessionLedger = {
    isEnded: (session, issuedAt) => isSessionEnded(host.lobby, session, issuedAt),
    // Whoever is bound to a user is used as long as the user is there, also over a restart.
    usedAt: (session) => host.lobby.users.get(host.lobby.bindings.get(session)?.user ?? 0)?.lastActivityAt,
    // Its streams end with it, in the same step: they must not look like a connection that was lost.
    end: (session, issuedAt) => host.submit({ type: "end_session", session, issuedAt }, () => undefined),
  };
  if (!isShared) return ledger;
  const listen: SessionLedger["listen"] = (ended) => host.listen(["session_ended"], ({ session }) => ended(session));
  return { ...ledger, listen };
}
