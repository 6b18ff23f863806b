/**
 * Entries that found their place when nobody waited for them any more: their callers were told to ask again,
 * as nobody knew whether they would.
 *
 * This file owns what is done about those that would stay behind. It must never touch what a caller can find again.
 */
import type { Command } from "../domain/command.ts";
import type { LobbyEvent } from "../domain/event.ts";
import type { LobbyHost } from "./lobby-host.ts";

/** Undoes what nobody can know of. */
export function compensate(host: LobbyHost, command: Command, events: readonly LobbyEvent[]): void {
  for (const event of events) {
    // A call is held whose caller has been answered.
    if (event.type === "holding") host.post({ type: "end_wait", user: event.user, hold: event.hold, answered: false });
    if (event.type === "entered" && event.minted) goAgain(host, command);
  }
}

/** A user whom nobody can be: their token was never given out, and no session is theirs. */
function goAgain(host: LobbyHost, command: Command): void {
  if (command.type !== "enter_queue" && command.type !== "join_room") return;
  if (command.caller.session !== undefined) return;
  const caller = { bearer: command.newToken };
  const { lobby } = host;
  const user = lobby.users.get(lobby.byToken.get(command.newToken) ?? 0);
  host.post({ type: user?.place.in === "room" ? "leave_chat" : "leave_queue", caller });
}
