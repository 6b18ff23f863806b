/**
 * A lobby goes on where it stood: a server takes up what a journal has kept, clocks of presence go on
 * where they stood, and the settings may be others.
 *
 * This file owns what a restart does, and what other settings change. It must never know how a lobby is kept.
 */
import { type LobbySettings, RATED } from "./command.ts";
import { countAllClosed } from "./connections.ts";
import { advance } from "./deadlines.ts";
import { makeEpochOf } from "./ids.ts";
import { isAvailable, reconsider } from "./pairing.ts";
import { fitMailboxes } from "./post-office.ts";
import { type Loss, loseConnections, setTime, settleAll } from "./presence.ts";
import { setAvailable } from "./queue.ts";
import { applyRates } from "./rates.ts";
import type { Lobby, Step } from "./state.ts";
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
  takeSettings(lobby, settings);
  disconnectAll(lobby, step);
  applySettings(lobby, step);
  step.events.push({ type: "restarted" });
}

/**
 * Other settings hold from now on. Costs nothing if they are the same, as they are for most nodes that join. What
 * a node of another version does not know of stays as it was.
 */
export function changeSettings(lobby: Lobby, step: Step, settings: LobbySettings): void {
  if (areSame(lobby.settings, settings)) return;
  takeSettings(lobby, { ...lobby.settings, ...settings });
  applySettings(lobby, step);
}

/**
 * What orders the entries has lost its latest ones. Mailboxes begin anew, as positions that readers hold may name
 * what never happened.
 */
export function rewind(lobby: Lobby, step: Step): void {
  for (const user of lobby.users.values()) user.mailbox.epoch = makeEpochOf(step.entropy, user.ref);
  step.events.push({ type: "rewound" });
}

/** Clocks of presence, of waiting and of records stood still. Ages, ends of bans and rates are real time and did not. */
export function putOff(lobby: Lobby, downtime: number): void {
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
  for (const node of lobby.nodes.values()) node.heardAt += downtime;
}

/** Streams, held calls and nodes were those of the process before. */
function disconnectAll(lobby: Lobby, step: Step): void {
  const losses: Loss[] = [];
  for (const user of lobby.users.values()) {
    const { streams, hold } = user;
    if (streams === 0 && hold === undefined) continue;
    losses.push({ user, streams, hold });
    countAllClosed(lobby, user);
  }
  lobby.nodes.clear();
  lobby.closing.length = 0;
  loseConnections(lobby, step, losses);
}

function takeSettings(lobby: Lobby, settings: LobbySettings): void {
  lobby.settings = settings;
  applyRates(lobby);
}

/** Applies new settings to everything at once. Of clocks that are set shorter now, some run out with it. */
function applySettings(lobby: Lobby, step: Step): void {
  for (const ticket of lobby.queue.tickets.values()) {
    if (!isAvailable(lobby, userOf(lobby, ticket.user))) setAvailable(lobby.queue, ticket, false, step.at);
  }
  settleAll(lobby, step);
  applyBounds(lobby, step);
  reconsider(lobby, step);
  advance(lobby, step, step.at);
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

/** Whether everything that the second says is as the first says. */
function areSame({ rates: known, ...rest }: LobbySettings, { rates, ...said }: LobbySettings): boolean {
  const isOther = RATED.some(
    (rated) => known[rated].perSecond !== rates[rated].perSecond || known[rated].burst !== rates[rated].burst,
  );
  const names = Object.keys(said) as (keyof typeof said)[];
  return !isOther && names.every((name) => rest[name] === said[name]);
}
