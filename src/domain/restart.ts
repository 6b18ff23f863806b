/**
 * A server takes up a lobby that a journal has kept: clocks of presence go on where they stood, what
 * was connected to the process before is connected no more, and the settings may be others.
 *
 * This file owns what a restart does. It must never read a clock, nor know how a lobby is kept.
 */
import { type LobbySettings, RATED } from "./command.ts";
import { setAvailable } from "./queue.ts";
import { isAvailable, reconsider } from "./pairing.ts";
import { fitMailboxes } from "./post-office.ts";
import { goAway, loseCaller, settle } from "./presence.ts";
import { emptyAddressBook } from "./rates.ts";
import type { Allowances, Lobby, Step, User } from "./state.ts";
import { fitTranscripts } from "./transcript.ts";
import { forgetUser, userOf } from "./users.ts";

/**
 * Lets the time since the last entry pass for nobody: clocks of presence, of waiting and of records stood
 * still while nobody could be heard of. Ages and ends of bans are times of day and go on.
 */
export function resumeClocks(lobby: Lobby, at: number): void {
  const downtime = at - lobby.now;
  lobby.now = at;
  if (downtime === 0) return;
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
  forgetDeadlines(lobby);
  for (const user of lobby.users.values()) schedule(lobby, user);
}

/** Closes what was open, and applies the settings. The clocks have been set before. */
export function restart(lobby: Lobby, step: Step, settings: LobbySettings): void {
  lobby.settings = settings;
  dropUnlimited(lobby);
  // Everybody's connections are gone before anybody is told anything: nobody counts as reached by a dead stream.
  const left: { readonly user: User; readonly wasHeld: boolean }[] = [];
  for (const user of lobby.users.values()) {
    const { hold } = user;
    if (user.streams === 0 && hold === undefined) continue;
    left.push({ user, wasHeld: hold !== undefined });
    if (hold !== undefined) step.events.push({ type: "hold_ended", user: user.ref, hold: hold.number });
    user.hold = undefined;
    if (user.streams > 0) user.streamEndedAt = step.at;
    user.streams = 0;
    user.lastActivityAt = step.at;
  }
  for (const { user, wasHeld } of left) {
    if (wasHeld) loseCaller(lobby, step, user);
    else if (user.place.in !== "nowhere") goAway(lobby, step, user);
  }
  // And nobody is to be paired with somebody who is not there any more.
  for (const ticket of lobby.queue.tickets.values()) {
    if (!isAvailable(lobby, userOf(lobby, ticket.user))) setAvailable(lobby.queue, ticket, false, step.at);
  }
  forgetDeadlines(lobby);
  for (const user of lobby.users.values()) settle(lobby, step, user);
  applyBounds(lobby, step);
  reconsider(lobby, step);
  step.events.push({ type: "restarted" });
}

/** Allowances that are limited no more, and would not know how to fill up. */
function dropUnlimited(lobby: Lobby): void {
  const { rates, usersPerAddress } = lobby.settings;
  const drop = (allowances: Allowances): void => {
    for (const rated of RATED) if (rates[rated].perSecond === 0) allowances[rated] = undefined;
  };
  for (const user of lobby.users.values()) drop(user);
  if (usersPerAddress === 0) {
    const { next } = lobby.addresses;
    lobby.addresses = { ...emptyAddressBook(), next };
  } else for (const use of lobby.addresses.byAddress.values()) drop(use);
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

function forgetDeadlines(lobby: Lobby): void {
  lobby.deadlines.clear();
  for (const user of lobby.users.values()) user.checkAt = Number.POSITIVE_INFINITY;
}
