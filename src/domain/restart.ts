/**
 * A server takes up a lobby that a journal has kept: clocks of presence go on where they stood, what
 * was connected to the process before is connected no more, and the settings may be others.
 *
 * This file owns what a restart does. It must never know how a lobby is kept.
 */
import type { LobbySettings } from "./command.ts";
import { isAvailable, reconsider } from "./pairing.ts";
import { fitMailboxes } from "./post-office.ts";
import { advance, goAway, loseCaller, setTime, settleAll } from "./presence.ts";
import { setAvailable } from "./queue.ts";
import { applyRates } from "./rates.ts";
import type { Lobby, Step, User } from "./state.ts";
import { fitTranscripts } from "./transcript.ts";
import { forgetUser, userOf } from "./users.ts";

/**
 * Restarts a lobby. No deadline comes before it: those of users are put off by the time the server was
 * down, and what was to be searched for is searched for when it is known who is still there.
 * @param at the time of the restart, not before the last entry
 */
export function restart(lobby: Lobby, step: Step, at: number, settings: LobbySettings): void {
  putOff(lobby, at - lobby.now);
  setTime(lobby, step, at);
  lobby.settings = settings;
  applyRates(lobby);
  disconnectAll(lobby, step);
  for (const ticket of lobby.queue.tickets.values()) {
    if (!isAvailable(lobby, userOf(lobby, ticket.user))) setAvailable(lobby.queue, ticket, false, at);
  }
  settleAll(lobby, step);
  applyBounds(lobby, step);
  reconsider(lobby, step);
  // Of clocks that are set shorter now, some have run out.
  advance(lobby, step, at);
  step.events.push({ type: "restarted" });
}

/** Clocks of presence, of waiting and of records stood still. Ages, ends of bans and rates are real time and did not. */
function putOff(lobby: Lobby, downtime: number): void {
  for (const user of lobby.users.values()) {
    user.lastCallAt += downtime;
    user.lastActivityAt += downtime;
    if (user.awaySince !== undefined) user.awaySince += downtime;
    if (user.streamEndedAt !== undefined) user.streamEndedAt += downtime;
    if (user.offlineSince !== undefined) user.offlineSince += downtime;
  }
  for (const ticket of lobby.queue.tickets.values()) {
    ticket.joinedAt += downtime;
    ticket.holdsOutUntil += downtime;
  }
  for (const { pace } of lobby.queue.classes) {
    if (pace.takings > 0) pace.latestAt += downtime;
    if (pace.since !== undefined) pace.since += downtime;
  }
}

/** Streams and held calls were those of the process before. All are gone before anybody is told of it. */
function disconnectAll(lobby: Lobby, step: Step): void {
  const lost: { readonly user: User; readonly wasHeld: boolean }[] = [];
  for (const user of lobby.users.values()) {
    const { hold } = user;
    if (user.streams === 0 && hold === undefined) continue;
    lost.push({ user, wasHeld: hold !== undefined });
    if (hold !== undefined) step.events.push({ type: "hold_ended", user: user.ref, hold: hold.number });
    user.hold = undefined;
    if (user.streams > 0) user.streamEndedAt = step.at;
    user.streams = 0;
    user.lastActivityAt = step.at;
  }
  for (const { user, wasHeld } of lost) {
    if (wasHeld) loseCaller(lobby, step, user);
    else if (user.place.in !== "nowhere") goAway(lobby, step, user);
  }
}

/** Bounds that have become smaller: what nobody needs goes at once, and nobody who is there is turned out. */
function applyBounds(lobby: Lobby, step: Step): void {
  const { users, offline, queue, settings } = lobby;
  while (users.size > settings.usersMax && offline.first !== undefined) {
    forgetUser(lobby, step, userOf(lobby, offline.first));
  }
  lobby.inherited = { users: users.size, waiting: queue.tickets.size };
  fitMailboxes(lobby);
  fitTranscripts(lobby);
}
