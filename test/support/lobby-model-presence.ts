/**
 * Presence in the model: calls, streams, held calls and sessions, who is away and who is back.
 *
 * This file owns what can be known of somebody's line. It must never choose partners.
 */
import type { Command } from "../../src/domain/command.ts";
import { parseCursor } from "../../src/domain/ids.ts";
import * as limits from "../../src/limits.ts";
import { bansAgainst } from "./lobby-model-bans.ts";
import { trim } from "./lobby-model-mail.ts";
import { dropForgottenRooms, leave, lookAgain, seekPartner, takeOut, tellPartner } from "./lobby-model-meeting.ts";
import {
  isConnected,
  isHere,
  isReachable,
  type ModelLine,
  type ModelUser,
  noticeWhoIsOnline,
} from "./lobby-model-people.ts";
import type { ModelState } from "./lobby-model-state.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

/** The lobby takes notice of a user's presence, and of where they are. */
export function notice(state: ModelState, user: ModelUser): void {
  if (isHere(user) && bansAgainst(state, user).length > 0) takeOut(state, [user]);
  noticeWhoIsOnline(state.users, state.now);
  const { waiting } = user;
  if (waiting === undefined) return;
  const available = isReachable(user, state.now, state.settings.availableMs);
  const hasMoved = waiting.address !== user.address;
  const wasAvailable = waiting.available;
  waiting.available = available;
  waiting.address = user.address;
  if (available && !wasAvailable && waiting.opensAt <= state.now) waiting.open = true;
  if (available && (!wasAvailable || hasMoved)) seekPartner(state, user);
  if (wasAvailable && (!available || hasMoved)) lookAgain(state);
  noticeWhoIsOnline(state.users, state.now);
}

export function hearFrom(state: ModelState, user: ModelUser): void {
  user.lastCall = state.now;
  user.lastActivity = state.now;
  user.streamIsOver = false;
  comeBack(state, user);
}

export function goAway(state: ModelState, user: ModelUser): void {
  user.awaySince = state.now;
  user.lastActivity = state.now;
  tellPartner(state, user, "partner.away");
}

function comeBack(state: ModelState, user: ModelUser): void {
  if (user.awaySince === undefined) return;
  user.awaySince = undefined;
  tellPartner(state, user, "partner.back");
}

// --- waiting for mail ---------------------------------------------------------------------------

export function wait(state: ModelState, user: ModelUser, command: Of<"wait">): void {
  notice(state, user);
  endHold(state, user);
  let after = Math.max(user.acknowledged, user.returned);
  if (command.after !== undefined) {
    const cursor = parseCursor(command.after);
    if (cursor?.epoch === user.epoch && cursor.offset <= user.head) {
      after = cursor.offset;
      user.acknowledged = Math.max(user.acknowledged, after);
      trim(user);
    } else after = -1;
  }
  if (!read(state, user, after, command.hold)) {
    user.hold = { number: state.nextHold++, from: after, session: command.caller.session, node: state.step.node };
    state.step.events.push({ type: "holding", user: user.ref, hold: user.hold.number });
  }
}

/** Hands out what is kept after an offset. False if there is nothing and that is not good enough. */
function read(state: ModelState, user: ModelUser, after: number, onlyIfSomething: boolean): boolean {
  const oldest = user.mail[0]?.offset ?? user.head + 1;
  const from = Math.max(after, oldest - 1);
  const truncated = from !== after;
  if (onlyIfSomething && !truncated && from === user.head) return false;
  user.returned = user.head;
  state.step.events.push({ type: "read", user: user.ref, from, to: user.head, truncated });
  return true;
}

export function endWait(state: ModelState, command: Of<"end_wait">): void {
  const user = state.users.find((one) => one.ref === command.user && one.hold?.number === command.hold);
  const hold = user?.hold;
  if (user === undefined || hold === undefined) {
    state.step.events.push({ type: "ignored" });
    return;
  }
  if (command.answered) user.hold = undefined;
  else endHold(state, user);
  if (!command.answered && user.streamIsOver && isHere(user)) goAway(state, user);
  else hearFrom(state, user);
  if (command.answered) read(state, user, hold.from, false);
  notice(state, user);
}

function endHold(state: ModelState, user: ModelUser): void {
  if (user.hold === undefined) return;
  state.step.events.push({ type: "hold_ended", user: user.ref, hold: user.hold.number });
  user.hold = undefined;
}

// --- streams ------------------------------------------------------------------------------------

export function changeStream(state: ModelState, command: Of<"open_stream" | "close_stream">): void {
  const { session, type } = command;
  const { node } = state.step;
  const user = state.users.find((one) => one.ref === command.user);
  const bound = user?.sessions.find(({ key }) => key === session);
  // What is open is looked for where it would be: at the same node, in the same session or in none.
  const index = user?.streams.findIndex((line) => line.session === session && line.node === node) ?? -1;
  const isTheirs = session === undefined || bound !== undefined;
  if (user === undefined || !isTheirs || (type === "close_stream" && index < 0)) {
    state.step.events.push({ type: "ignored" });
    return;
  }
  if (command.read !== undefined) {
    const upTo = Math.min(command.read, user.head);
    user.streamRead = Math.max(user.streamRead, upTo);
    if (bound !== undefined) bound.read = Math.max(bound.read, upTo);
  }
  if (type === "open_stream") {
    user.streams = [...user.streams, { session, node }];
    user.streamIsOver = false;
    user.lastActivity = state.now;
    user.written = user.head;
    comeBack(state, user);
    notice(state, user);
  } else {
    user.streams = user.streams.filter((_, i) => i !== index);
    if (command.call === true) {
      hearFrom(state, user);
      notice(state, user);
    } else haveClosed(state, user, 1);
  }
  const where = { ...(session === undefined ? {} : { session }), ...(node === undefined ? {} : { node }) };
  const what = type === "open_stream" ? "stream_opened" : "stream_closed";
  state.step.events.push({ type: what, user: user.ref, ...where });
}

/** So many streams of a user are not there any more. */
function haveClosed(state: ModelState, user: ModelUser, closed: number): void {
  user.lastActivity = state.now;
  if (closed > 0 && user.streams.length === 0) user.streamIsOver = true;
  if (closed > 0 && isHere(user) && !isConnected(user)) goAway(state, user);
  notice(state, user);
}

/** Everything of these people's that is open and lost is gone at once, before anybody hears of anything. */
export function loseLines(state: ModelState, people: readonly ModelUser[], isLost: (line: ModelLine) => boolean): void {
  const lost = people.map((user) => {
    const before = user.streams.length;
    const hold = user.hold !== undefined && isLost(user.hold) ? user.hold : undefined;
    user.streams = user.streams.filter((line) => !isLost(line));
    if (hold !== undefined) endHold(state, user);
    const hasLostStreams = user.streams.length < before;
    if (hasLostStreams && user.streams.length === 0) user.streamIsOver = true;
    user.lastActivity = state.now;
    return { user, hold, hasLostStreams };
  });
  for (const { user, hold, hasLostStreams } of lost) {
    const isCutOff = isHere(user) && !isConnected(user) && user.streamIsOver;
    if (isCutOff && (hold !== undefined || hasLostStreams)) goAway(state, user);
    else if (hold !== undefined) hearFrom(state, user);
  }
  noticeWhoIsOnline(state.users, state.now);
  passOverUnreachable(state, people);
}

/** The queue knows at once who of these cannot be met any more: nobody meets them only to lose them. */
export function passOverUnreachable(state: ModelState, people: readonly ModelUser[]): void {
  for (const user of people) {
    if (user.waiting !== undefined && !isReachable(user, state.now, state.settings.availableMs))
      user.waiting.available = false;
  }
}

// --- sessions -----------------------------------------------------------------------------------

export function endSession(state: ModelState, { session }: Of<"end_session">): void {
  state.step.events.push({ type: "session_ended", session });
  state.endedSessions.push(session);
  const user = state.users.find((one) => one.sessions.some(({ key }) => key === session));
  if (user === undefined) return;
  const closed = unbind(state, user, session);
  if (user.hold?.session === session) {
    endHold(state, user);
    user.lastCall = state.now;
  }
  user.lastActivity = state.now;
  if (user.sessions.length > 0 || isConnected(user)) haveClosed(state, user, closed);
  else leave(state, user, "left");
}

export function bind(state: ModelState, user: ModelUser, session: string): void {
  if (state.endedSessions.includes(session)) return;
  if (state.users.some((one) => one.sessions.some(({ key }) => key === session))) return;
  const [longestBound] = user.sessions;
  if (longestBound !== undefined && user.sessions.length >= limits.SESSIONS_PER_USER_MAX)
    haveClosed(state, user, unbind(state, user, longestBound.key));
  user.sessions.push({ key: session, read: Math.max(user.acknowledged, user.streamRead) });
  state.step.events.push({ type: "bound", session, user: user.ref });
}

/** Returns how many streams have closed with the tie. */
function unbind(state: ModelState, user: ModelUser, session: string): number {
  const before = user.streams.length;
  user.streams = user.streams.filter((line) => line.session !== session);
  user.sessions = user.sessions.filter(({ key }) => key !== session);
  state.step.events.push({ type: "unbound", session, user: user.ref });
  return before - user.streams.length;
}

// --- records ------------------------------------------------------------------------------------

/** Ends a record, and with it what only it knew. */
export function forget(state: ModelState, user: ModelUser): void {
  for (const { key } of user.sessions) state.step.events.push({ type: "unbound", session: key, user: user.ref });
  user.sessions = [];
  user.pastRooms = [];
  state.users = state.users.filter((one) => one !== user);
  state.step.events.push({ type: "forgotten", user: user.ref });
  dropForgottenRooms(state);
}
