/**
 * The aggregate and its one door: `step` applies one entry and says what has happened. The same
 * entries give the same state and the same events, everywhere and every time.
 *
 * This file owns the order of things within a step. It must never do I/O, read a clock or draw
 * randomness; a throw means a broken invariant, never bad input.
 */
import { ArrivalOrder } from "./arrival-order.ts";
import { emptyBanIndex, refuseBanned } from "./bans.ts";
import { block } from "./blocks.ts";
import { asUser, withUser } from "./calls.ts";
import type { Command, Entry, LobbySettings, Origin } from "./command.ts";
import { countClosed, countOpened, holdCall, letGoOfCall } from "./connections.ts";
import { advance } from "./deadlines.ts";
import { enterQueue, joinRoom } from "./entering.ts";
import type { LobbyEvent } from "./event.ts";
import { forgetMe } from "./forget.ts";
import { TimeHeap } from "./heap.ts";
import { type NodeId, parseCursor, type SessionKey } from "./ids.ts";
import { isIn, readingFrom, trim, unreadFrom } from "./mailbox.ts";
import { hearNode, isHeeded, skipGap } from "./nodes.ts";
import { operate } from "./operator.ts";
import {
  endCall,
  loseCaller,
  noteCall,
  noteClosed,
  noteOpened,
  settle,
  settleMembers,
  stopWaiting,
  takeOut,
} from "./presence.ts";
import { emptyQueue } from "./queue.ts";
import { RankedList } from "./ranked-list.ts";
import { emptyAddressBook } from "./rates.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { report } from "./reports.ts";
import { restart, rewind } from "./restart.ts";
import { findRoom, post } from "./room.ts";
import { endSession } from "./sessions.ts";
import type { Lobby, Step, User } from "./state.ts";
import { emptyTranscripts } from "./transcript.ts";

export { isDue, nextDeadline } from "./deadlines.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

export function createLobby(settings: LobbySettings): Lobby {
  return {
    settings,
    inherited: { users: 0, waiting: 0 },
    now: 0,
    users: new Map(),
    userOrder: new RankedList(),
    byUserId: new Map(),
    byToken: new Map(),
    bindings: new Map(),
    endedSessions: new Map(),
    sessionsValidFrom: 0,
    rooms: new Map(),
    meetings: new Map(),
    queue: emptyQueue(),
    online: 0,
    mailboxBytes: 0,
    transcripts: emptyTranscripts(),
    transcriptBytes: 0,
    reports: new Map(),
    bans: new Map(),
    banned: emptyBanIndex(),
    addresses: emptyAddressBook(),
    audit: [],
    nodes: new Map(),
    closing: [],
    endedNodes: new Set(),
    rules: 0,
    nextNode: 1,
    nextUser: 1,
    nextHold: 1,
    nextRoom: 1,
    nextAct: 1,
    deadlines: new TimeHeap(),
    offline: new ArrivalOrder(),
    mailAges: new TimeHeap(),
  };
}

/**
 * Applies one entry. Deadlines that have come are dealt with first, so that the command meets the
 * lobby as it is at its time.
 * @returns what has happened, in order; never empty. A refusal, if there is one, is the last.
 */
export function step(lobby: Lobby, entry: Entry): LobbyEvent[] {
  const { command, entropy, origin } = entry;
  const step: Step = { at: lobby.now, entropy, events: [], roomsOpened: 0, moved: undefined, node: undefined };
  const at = Math.max(lobby.now, entry.at);
  if (command.type === "restart") {
    restart(lobby, step, at, command.settings);
    return step.events;
  }
  if (origin !== undefined) skipGap(lobby, step, at);
  advance(lobby, step, at);
  if (origin !== undefined && !isHeeded(lobby, step, origin, command)) return step.events;
  const refusal = apply(lobby, step, command, origin);
  if (refusal !== undefined) step.events.push(refusal);
  return step.events;
}

/**
 * Whether a step in which nothing was due has changed nothing but the time: whoever asked could not be told
 * from anybody, or asked for something of a user or hold that is no more. It may be missing in a replay, unless
 * it has an origin: then it has told that its node is alive.
 */
export function isWithoutEffect([event, ...more]: readonly LobbyEvent[]): boolean {
  if (more.length > 0 || event === undefined) return false;
  if (event.type === "refused") return event.code === "no_session" || event.code === "bad_session_token";
  return event.type === "ignored";
}

/** Whether a session was ended, or is too old to be told from an ended one. */
export function isSessionEnded(lobby: Lobby, session: string, issuedAt: number): boolean {
  return issuedAt < lobby.sessionsValidFrom || lobby.endedSessions.has(session);
}

function apply(
  lobby: Lobby,
  step: Step,
  command: Exclude<Command, { type: "restart" }>,
  origin: Origin | undefined,
): Refusal | undefined {
  switch (command.type) {
    case "enter_queue":
      return enterQueue(lobby, step, command);
    case "join_room":
      return joinRoom(lobby, step, command);
    case "leave_queue":
      return asUser(lobby, step, command.caller, (user) => {
        if (user.place.in !== "queue" && user.place.in !== "meeting") return refuse("not_waiting");
        stopWaiting(lobby, step, user);
        return undefined;
      });
    case "send_message":
      return asUser(lobby, step, command.caller, (user) => sendMessage(lobby, step, user, command));
    case "leave_chat":
      return asUser(lobby, step, command.caller, (user) => leaveChat(lobby, step, user, command.room));
    case "forget_me":
      return asUser(lobby, step, command.caller, (user) => forgetMe(lobby, step, user));
    case "block_partner":
      return asUser(lobby, step, command.caller, (user) => block(lobby, step, user, command.room));
    case "report_partner":
      return asUser(lobby, step, command.caller, (user) => report(lobby, step, user, command));
    case "look":
      return asUser(lobby, step, command.caller, (user) => {
        settle(lobby, step, user);
        step.events.push({ type: "seen", user: user.ref });
        return undefined;
      });
    case "wait":
      return asUser(lobby, step, command.caller, (user) => {
        wait(lobby, step, user, command);
        return undefined;
      });
    case "end_wait":
      return endWait(lobby, step, command);
    case "open_stream":
      return withUser(lobby, step, command.user, (user) => openStream(lobby, step, user, command));
    case "close_stream":
      return withUser(lobby, step, command.user, (user) => closeStream(lobby, step, user, command));
    case "end_session":
      endSession(lobby, step, command);
      return undefined;
    case "operate":
      operate(lobby, step, command.act);
      return undefined;
    case "tick":
      step.events.push({ type: "ticked" });
      return undefined;
    case "join_node":
    case "beat_node":
    case "leave_node":
      hearNode(lobby, step, command, origin);
      return undefined;
    case "rewind":
      rewind(lobby, step);
      return undefined;
  }
}

function sendMessage(lobby: Lobby, step: Step, user: User, command: Of<"send_message">): Refusal | undefined {
  const banned = refuseBanned(lobby, user.userId, user.address);
  if (banned !== undefined) return banned;
  const members = user.place.in === "room" ? user.place.room.members : [];
  const refusal = post(lobby, step, user, command);
  // The loop guard may have closed the room under both.
  if (refusal?.code === "loop_limit") settleMembers(lobby, step, members);
  return refusal;
}

function leaveChat(lobby: Lobby, step: Step, user: User, roomId: string | undefined): Refusal | undefined {
  const room = findRoom(lobby, user, roomId);
  if ("type" in room) return room;
  takeOut(lobby, step, user, "left");
  step.events.push({ type: "left_room", user: user.ref, room: room.id });
  return undefined;
}

/** Reads after a cursor, or after what was read last; holds the call if there is nothing and it asked to. */
function wait(lobby: Lobby, step: Step, user: User, command: Of<"wait">): void {
  settle(lobby, step, user);
  endHold(lobby, step, user);
  const { mailbox } = user;
  let after = unreadFrom(mailbox);
  if (command.after !== undefined) {
    const cursor = parseCursor(command.after);
    // A cursor of another life of this mailbox says nothing about this one: all that is kept is unread.
    after = cursor !== undefined && isIn(mailbox, cursor) ? cursor.offset : -1;
    mailbox.acknowledged = Math.max(mailbox.acknowledged, after);
    lobby.mailboxBytes += trim(mailbox);
  }
  const { from, truncated } = readingFrom(mailbox, after);
  if (from < mailbox.head || truncated || !command.hold) {
    handOut(step, user, from, truncated);
  } else {
    const number = lobby.nextHold++;
    holdCall(step, user, { number, from, session: command.caller.session, node: step.node?.id });
    step.events.push({ type: "holding", user: user.ref, hold: number });
  }
}

function endWait(lobby: Lobby, step: Step, command: Of<"end_wait">): undefined {
  const user = lobby.users.get(command.user);
  const hold = user?.hold;
  if (user === undefined || hold === undefined || hold.number !== command.hold) {
    step.events.push({ type: "ignored" });
    return;
  }
  letGoOfCall(lobby, user);
  if (command.answered) {
    noteCall(lobby, step, user);
    const { from, truncated } = readingFrom(user.mailbox, hold.from);
    handOut(step, user, from, truncated);
  } else {
    step.events.push({ type: "hold_ended", user: user.ref, hold: hold.number });
    loseCaller(lobby, step, user);
  }
  settle(lobby, step, user);
}

function handOut(step: Step, user: User, from: number, truncated: boolean): void {
  const to = user.mailbox.head;
  user.mailbox.returned = to;
  step.events.push({ type: "read", user: user.ref, from, to, truncated });
}

function endHold(lobby: Lobby, step: Step, user: User): void {
  const { hold } = user;
  if (hold === undefined) return;
  letGoOfCall(lobby, user);
  step.events.push({ type: "hold_ended", user: user.ref, hold: hold.number });
}

/** A stream of a session that is not this user's, or not any more, is none of theirs. */
function openStream(lobby: Lobby, step: Step, user: User, command: Of<"open_stream">): void {
  if (!countOpened(lobby, step, user, command.session)) {
    step.events.push({ type: "ignored" });
    return;
  }
  noteStreamRead(lobby, user, command);
  noteOpened(lobby, step, user);
  step.events.push(streamChange("stream_opened", user, command.session, step.node?.id));
}

function closeStream(lobby: Lobby, step: Step, user: User, command: Of<"close_stream">): void {
  if (!countClosed(lobby, step, user, command.session)) {
    step.events.push({ type: "ignored" });
    return;
  }
  noteStreamRead(lobby, user, command);
  if (command.call) endCall(lobby, step, user);
  else noteClosed(lobby, step, user, 1);
  step.events.push(streamChange("stream_closed", user, command.session, step.node?.id));
}

/** Where a stream was opened or closed, without the names of what there is not. */
function streamChange(
  type: "stream_opened" | "stream_closed",
  { ref: user }: User,
  session: SessionKey | undefined,
  node: NodeId | undefined,
): LobbyEvent {
  if (node === undefined) return session === undefined ? { type, user } : { type, user, session };
  return session === undefined ? { type, user, node } : { type, user, session, node };
}

/** A stream says how far its reader is known to have read: its session need not hear that again. */
function noteStreamRead(lobby: Lobby, user: User, command: Of<"open_stream" | "close_stream">): void {
  if (command.read === undefined) return;
  const read = Math.min(command.read, user.mailbox.head);
  user.streamRead = Math.max(user.streamRead, read);
  const binding = command.session === undefined ? undefined : lobby.bindings.get(command.session);
  if (binding?.user === user.ref) binding.read = Math.max(binding.read, read);
}
