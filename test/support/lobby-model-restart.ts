/**
 * A restart in the model: what stood still, what went on, and who is still there.
 *
 * This file owns that. It must never know how anything was kept.
 */
import { type LobbySettings, RATED } from "../../src/domain/command.ts";
import { giveUpOldest } from "./lobby-model-mail.ts";
import { lookAgain } from "./lobby-model-meeting.ts";
import { isConnected, longestOffline } from "./lobby-model-people.ts";
import { forget, loseLines, notice, passOverUnreachable } from "./lobby-model-presence.ts";
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
  for (const node of state.nodes) node.heardAt += later;
  state.now = at;
}

export function restart(state: ModelState, settings: LobbySettings): void {
  state.settings = settings;
  forgetUnlimited(state);
  // Streams, held calls and nodes were the other process's.
  loseLines(state, state.users.filter(isConnected), () => true);
  state.nodes = [];
  bringInLine(state);
  state.step.events.push({ type: "restarted" });
}

/** Other settings hold from now on, for everybody. */
export function changeSettings(state: ModelState, settings: LobbySettings): void {
  // Who does not know of a setting says nothing of it.
  const all = { ...state.settings, ...settings };
  if (Bun.deepEquals(state.settings, all)) return;
  state.settings = all;
  forgetUnlimited(state);
  bringInLine(state);
}

function bringInLine(state: ModelState): void {
  const { settings } = state;
  passOverUnreachable(state, state.users);
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
