/**
 * Who is there: streams, held calls, the clocks that run without them, and what happens when one
 * runs out. Gone happens once per departure; back within the grace time restores the room.
 *
 * This file owns presence and each user's next deadline. It must never read a clock: time is the step's.
 */
import { endBans, isBanned } from "./bans.ts";
import type { DisconnectReason } from "./event.ts";
import { leaveMeeting } from "./meetings.ts";
import {
  isAvailable,
  leaveQueue,
  passOver,
  refreshAvailability,
  seekAnew,
  stopHoldingOut,
  ticketOf,
} from "./pairing.ts";
import { deliver, dropAgedMail } from "./post-office.ts";
import { closeRoom, sidesOf } from "./room.ts";
import type { Hold, Lobby, Step, User } from "./state.ts";
import { dropAgedTranscripts } from "./transcript.ts";
import { forgetUser } from "./users.ts";

/** Whether a stream or a held call is open. */
export function isConnected(user: User): boolean {
  return user.streams > 0 || user.hold !== undefined;
}

/** Notes that the user called: they are not away any more, and the idle clock starts over. */
export function noteCall(lobby: Lobby, step: Step, user: User): void {
  user.lastCallAt = step.at;
  user.lastActivityAt = step.at;
  user.streamEndedAt = undefined;
  comeBack(lobby, step, user);
}

/** A stream was opened: no clock runs while it is. Everything in the mailbox goes out on it. */
export function noteOpened(lobby: Lobby, step: Step, user: User): void {
  user.lastActivityAt = step.at;
  user.streamEndedAt = undefined;
  user.mailbox.written = user.mailbox.head;
  comeBack(lobby, step, user);
  settle(lobby, step, user);
}

/** A call that was held like a stream has ended, which counts as a call: no grace clock starts. */
export function endCall(lobby: Lobby, step: Step, user: User): void {
  noteCall(lobby, step, user);
  settle(lobby, step, user);
}

/** So many streams have closed. With the last one the grace clock starts, unless a call is held. */
export function noteClosed(lobby: Lobby, step: Step, user: User, closed: number): void {
  user.lastActivityAt = step.at;
  if (closed > 0 && user.streams === 0) user.streamEndedAt = step.at;
  if (closed > 0 && !isConnected(user) && user.place.in !== "nowhere") goAway(lobby, step, user);
  settle(lobby, step, user);
}

/**
 * A held call has lost its caller. That counts as a call like every end of one, unless the last stream
 * closed meanwhile: then everything of this user's is gone, and the grace clock starts.
 */
export function loseCaller(lobby: Lobby, step: Step, user: User): void {
  if (user.streamEndedAt === undefined || isConnected(user) || user.place.in === "nowhere") {
    noteCall(lobby, step, user);
    return;
  }
  user.lastActivityAt = step.at;
  goAway(lobby, step, user);
}

/** What somebody had open where nothing is any more. */
export interface Loss {
  readonly user: User;
  /** Streams that are gone. */
  readonly streams: number;
  /** The held call that is gone, if there was one. */
  readonly hold: Hold | undefined;
}

/**
 * Connections of several users are lost at once: all are gone before anybody is told of it. The users are
 * not settled afterwards.
 */
export function loseConnections(lobby: Lobby, step: Step, losses: readonly Loss[]): void {
  for (const { user, streams, hold } of losses) {
    if (hold !== undefined) step.events.push({ type: "hold_ended", user: user.ref, hold: hold.number });
    if (streams > 0 && user.streams === 0) user.streamEndedAt = step.at;
    user.lastActivityAt = step.at;
  }
  for (const { user, streams, hold } of losses) {
    if (hold !== undefined) loseCaller(lobby, step, user);
    else if (streams > 0 && !isConnected(user) && user.place.in !== "nowhere") goAway(lobby, step, user);
  }
  // Nobody is paired with one of them only to lose them again.
  for (const { user } of losses) if (!isAvailable(lobby, user)) passOver(lobby, step, user);
}

/**
 * Brings everything that follows from a user's presence in line: the queue's view of them, whether
 * they count as online, and when to look again. To be called after every change of presence or place.
 */
export function settle(lobby: Lobby, step: Step, user: User): void {
  const hasMoved = step.moved === user;
  if (hasMoved) step.moved = undefined;
  if (hasMoved && user.place.in !== "nowhere" && isBanned(lobby, user.userId, user.address)) {
    // Before anything else, or somebody would meet them only to lose them again.
    takeOut(lobby, step, user, "moderation");
    return;
  }
  refreshAvailability(lobby, step, user);
  if (hasMoved) seekAnew(lobby, step, user);
  refreshOnline(lobby, user);
  schedule(lobby, user);
}

/** Keeps the count of online users and the order in which offline ones are evicted. */
export function refreshOnline(lobby: Lobby, user: User): void {
  const online = isConnected(user) || user.place.in !== "nowhere";
  if (online === (user.offlineSince === undefined)) return;
  if (online) {
    user.offlineSince = undefined;
    lobby.offline.delete(user.ref);
    lobby.online++;
  } else {
    user.offlineSince = lobby.now;
    lobby.online--;
    lobby.offline.add(user.ref);
  }
}

/**
 * Takes a user out of queue, meeting or room. A room closes with it and the partner is told why; so is
 * the user, if it is the operator's doing and not their own.
 */
export function takeOut(
  lobby: Lobby,
  step: Step,
  user: User,
  reason: Extract<DisconnectReason, "left" | "timeout" | "moderation">,
): void {
  if (user.place.in === "room") {
    const { room } = user.place;
    closeRoom(lobby, step, room, reason, reason === "moderation" ? undefined : user);
    settleMembers(lobby, step, room.members);
    return;
  }
  stopWaiting(lobby, step, user);
  settle(lobby, step, user);
}

/** Ends a user's waiting, in the queue or for a code. */
export function stopWaiting(lobby: Lobby, step: Step, user: User): void {
  if (user.place.in === "queue") leaveQueue(lobby, step, user);
  else leaveMeeting(lobby, step, user);
}

/** Settles the members of a room that has just opened or closed. */
export function settleMembers(lobby: Lobby, step: Step, members: readonly { readonly user: number }[]): void {
  for (const member of members) {
    const user = lobby.users.get(member.user);
    if (user !== undefined) settle(lobby, step, user);
  }
}

/** Starts the grace clock, and tells the partner if there is one. */
export function goAway(lobby: Lobby, step: Step, user: User): void {
  user.awaySince = step.at;
  tellPartner(lobby, step, user, "partner.away");
}

function comeBack(lobby: Lobby, step: Step, user: User): void {
  if (user.awaySince === undefined) return;
  user.awaySince = undefined;
  tellPartner(lobby, step, user, "partner.back");
}

function tellPartner(lobby: Lobby, step: Step, user: User, name: "partner.away" | "partner.back"): void {
  if (user.place.in !== "room") return;
  const partner = lobby.users.get(sidesOf(user.place.room, user)?.other.user ?? 0);
  if (partner !== undefined) deliver(lobby, step, partner, { name, room: user.place.room.id });
}

/** When a user in queue or room counts as gone, unless they show up before; infinite while connected. */
function goneAt(lobby: Lobby, user: User): number {
  if (user.place.in === "nowhere" || isConnected(user)) return Number.POSITIVE_INFINITY;
  if (user.awaySince !== undefined) return user.awaySince + lobby.settings.graceMs;
  return user.lastCallAt + lobby.settings.idleMs;
}

/** When an unconnected waiting user is passed over from. */
function unavailableAt(lobby: Lobby, user: User): number {
  if (ticketOf(lobby, user)?.available !== true || isConnected(user)) return Number.POSITIVE_INFINITY;
  return user.lastCallAt + lobby.settings.availableMs;
}

/** When a waiting user who can be paired stops holding out for a shared interest. */
function opensAt(lobby: Lobby, user: User): number {
  const ticket = ticketOf(lobby, user);
  return ticket?.available === true && !ticket.open ? ticket.holdsOutUntil : Number.POSITIVE_INFINITY;
}

/** When the record of an offline user ends. */
function forgottenAt(lobby: Lobby, user: User): number {
  return user.offlineSince === undefined ? Number.POSITIVE_INFINITY : user.lastActivityAt + lobby.settings.retainUserMs;
}

function deadlineOf(lobby: Lobby, user: User): number {
  return Math.min(goneAt(lobby, user), unavailableAt(lobby, user), opensAt(lobby, user), forgottenAt(lobby, user));
}

/** Makes sure the heap looks at the user no later than their deadline. A later deadline needs nothing. */
function schedule(lobby: Lobby, user: User): void {
  const deadline = deadlineOf(lobby, user);
  if (deadline >= user.checkAt) return;
  user.checkAt = deadline;
  lobby.deadlines.push(deadline, user.ref);
  // Hints that were overtaken, or whose users are forgotten, wait in the heap for their time: up to a day.
  if (lobby.deadlines.isMostlyStale(lobby.users.size)) {
    lobby.deadlines.clear();
    for (const one of lobby.users.values()) {
      if (Number.isFinite(one.checkAt)) lobby.deadlines.push(one.checkAt, one.ref);
    }
  }
}

/** Makes it so late, and lets go what has become too old. */
export function setTime(lobby: Lobby, step: Step, time: number): void {
  step.at = time;
  lobby.now = time;
  dropAgedMail(lobby);
  dropAgedTranscripts(lobby);
  endBans(lobby);
}

/** Makes the deadlines of all users anew, after what they come from has been changed for all. */
export function settleAll(lobby: Lobby, step: Step): void {
  lobby.deadlines.clear();
  for (const user of lobby.users.values()) user.checkAt = Number.POSITIVE_INFINITY;
  for (const user of lobby.users.values()) settle(lobby, step, user);
}

/** Lets the deadline heap look at every user at their deadline. */
export function scheduleAll(lobby: Lobby): void {
  for (const user of lobby.users.values()) schedule(lobby, user);
}

/** Looks at a user whose hint has come. Returns whether something happened: the hint may have been early or overtaken. */
export function lookAt(lobby: Lobby, step: Step, user: User, time: number): boolean {
  // Only the latest hint of a user counts; older ones were overtaken by an earlier deadline.
  if (user.checkAt !== time) return false;
  user.checkAt = Number.POSITIVE_INFINITY;
  const isDue = deadlineOf(lobby, user) <= time;
  if (isDue) expire(lobby, step, user, time);
  if (lobby.users.has(user.ref)) schedule(lobby, user);
  return isDue;
}

/** One deadline of this user has come. */
function expire(lobby: Lobby, step: Step, user: User, time: number): void {
  if (forgottenAt(lobby, user) <= time) {
    forgetUser(lobby, step, user);
    return;
  }
  if (goneAt(lobby, user) <= time) takeOut(lobby, step, user, "timeout");
  const ticket = ticketOf(lobby, user);
  if (ticket !== undefined && opensAt(lobby, user) <= time) stopHoldingOut(lobby, step, ticket);
  settle(lobby, step, user);
}
