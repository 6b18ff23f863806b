/**
 * A restart in the model: what stood still, what went on, and who is still there.
 *
 * This file owns that. It must never know how anything was kept.
 */
import { type LobbySettings, RATED } from "../../src/domain/command.ts";
import { giveUpOldest } from "./lobby-model-mail.ts";
import { lookAgain } from "./lobby-model-meeting.ts";
import { isConnected, isHere, isReachable, longestOffline, noticeWhoIsOnline } from "./lobby-model-people.ts";
import { forget, goAway, hearFrom, notice } from "./lobby-model-presence.ts";
import type { ModelState } from "./lobby-model-state.ts";
import { giveUpTranscripts } from "./lobby-model-transcripts.ts";

/** @param at when; `state.now` is still that of the entry before */
export function standStill(state: ModelState, at: number): void {
  const later = at - state.now;
  for (const user of state.users) {
    user.lastCall += later;
    user.lastActivity += later;
    if (user.awaySince !== undefined) user.awaySince += later;
    if (user.offlineSince !== undefined) user.offlineSince += later;
    if (user.waiting !== undefined) user.waiting = { ...user.waiting, opensAt: user.waiting.opensAt + later };
  }
  state.now = at;
}

export function restart(state: ModelState, settings: LobbySettings): void {
  state.settings = settings;
  forgetUnlimited(state);
  loseEverybody(state);
  for (const user of state.users) {
    if (user.waiting !== undefined && !isReachable(user, state.now, settings.availableMs))
      user.waiting.available = false;
  }
  for (const user of state.users) notice(state, user);
  while (state.users.length > settings.usersMax) {
    const forgotten = state.step.seen.flatMap((event) => (event.type === "forgotten" ? [event.user] : []));
    const longest = longestOffline(state.users);
    const user = longest.find(({ ref }) => forgotten.includes(ref)) ?? longest[0];
    if (user === undefined) break;
    forget(state, user);
  }
  giveUpOldest(state.users, settings.mailboxBytesMax);
  giveUpTranscripts(state);
  lookAgain(state);
  state.step.events.push({ type: "restarted" });
}

/** What is not limited any more leaves no trace. */
function forgetUnlimited({ users, addresses, settings }: ModelState): void {
  for (const rated of RATED) {
    if (settings.rates[rated].perSecond > 0) continue;
    for (const { allowances } of users) allowances.delete(rated);
    for (const allowances of addresses.values()) allowances.delete(rated);
  }
  if (settings.usersPerAddress === 0) addresses.clear();
}

/** Streams and held calls were the other process's. */
function loseEverybody(state: ModelState): void {
  const lost = state.users.filter(isConnected).map((user) => ({ user, hold: user.hold }));
  for (const { user, hold } of lost) {
    if (hold !== undefined) state.step.events.push({ type: "hold_ended", user: user.ref, hold: hold.number });
    user.hold = undefined;
    if (user.streams > 0) user.streamIsOver = true;
    user.streams = 0;
    user.lastActivity = state.now;
  }
  for (const { user, hold } of lost) {
    if (isHere(user) && user.streamIsOver) goAway(state, user);
    else if (hold !== undefined) hearFrom(state, user);
  }
  noticeWhoIsOnline(state.users, state.now);
}
