/**
 * The lobby a second time, written from its rules and from nothing else: lists, linear scans,
 * everything computed anew whenever somebody asks. Slow and dumb on purpose, so that it is easy to
 * believe; the real lobby must agree with it after every step.
 *
 * This file owns what should happen when somebody calls or time passes; the files beside it own what
 * follows. None may borrow a rule from the code it checks: of that they know types, bounds and the
 * spelling of ids only.
 */
import type { Caller, Command, Entry, LobbySettings } from "../../src/domain/command.ts";
import type { LobbyEvent, Posted } from "../../src/domain/event.ts";
import { makeEpoch, makeEpochOf, makeId } from "../../src/domain/ids.ts";
import * as limits from "../../src/limits.ts";
import { mustNotBeBanned } from "./lobby-model-bans.ts";
import { delayOf, type Purse, spend } from "./lobby-model-limits.ts";
import { deliver, dropOldMail, nextMailEnd, weigh } from "./lobby-model-mail.ts";
import { closeRoom, leave, openRoom, queueOf, roomOf, seekPartner, whomToTake } from "./lobby-model-meeting.ts";
import {
  anyRoomOf,
  blockPartner,
  earlierReport,
  makePlaceForBlock,
  operate,
  reportOn,
} from "./lobby-model-moderation.ts";
import { hearNode, isAfterGap, isHeeded, loseOne, nextLoss } from "./lobby-model-nodes.ts";
import {
  areBlocked,
  dueOf,
  goneAt,
  inLine,
  isConnected,
  isHere,
  isOnline,
  longestOffline,
  type ModelRoom,
  type ModelUser,
  newcomer,
  noticeWhoIsOnline,
  partnerOf,
  Refused,
  sideOf,
} from "./lobby-model-people.ts";
import { bind, changeStream, endSession, endWait, forget, hearFrom, notice, wait } from "./lobby-model-presence.ts";
import { restart, standStill } from "./lobby-model-restart.ts";
import { copyState, emptyState, type ModelState } from "./lobby-model-state.ts";
import { dropOldTranscripts, eraseFromTranscripts, keepLine, nextTranscriptEnd } from "./lobby-model-transcripts.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

export class LobbyModel {
  readonly state: ModelState;

  constructor(settings: LobbySettings, state = emptyState(settings)) {
    this.state = state;
  }

  get users(): readonly ModelUser[] {
    return this.state.users;
  }

  /**
   * Applies an entry and says what should have happened; the order is right for refusals only.
   * @param seen what the real lobby says, to follow it where the rules allow more than one outcome
   */
  apply(entry: Entry, seen: readonly LobbyEvent[]): LobbyEvent[] {
    const { state } = this;
    const node = entry.command.type === "restart" ? undefined : entry.origin?.node;
    state.step = { entropy: entry.entropy, node, roomsOpened: 0, events: [], seen };
    const at = Math.max(state.now, entry.at);
    if (entry.command.type === "restart" || isAfterGap(state, entry, at)) {
      standStill(state, at);
      dropWhatIsOld(state);
    }
    if (entry.command.type !== "restart") passTime(state, at);
    try {
      if (entry.command.type === "restart" || isHeeded(state, entry)) run(state, entry.command, entry);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { code, retryAfterMs } = error;
      state.step.events.push({ type: "refused", code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    }
    noticeWhoIsOnline(state.users, state.now);
    return state.step.events;
  }

  /** A second model in the same state. */
  copy(): LobbyModel {
    return new LobbyModel(this.state.settings, copyState(this.state));
  }

  /** When the next thing happens by itself. */
  nextChange(): number {
    return nextChange(this.state);
  }
}

// --- time ---------------------------------------------------------------------------------------

function nextChange(state: ModelState): number {
  return Math.min(
    nextMailEnd(state.users),
    nextTranscriptEnd(state),
    nextLoss(state),
    ...state.users.map((user) => dueOf(user, state.settings)),
  );
}

/** Lets everything happen that is due, one thing after the other, each at its own time; only so much of it at once. */
function passTime(state: ModelState, until: number): void {
  for (let turns = 0; ; ) {
    const time = nextChange(state);
    if (time > until) break;
    state.now = Math.max(state.now, time);
    dropWhatIsOld(state);
    if (nextLoss(state) <= time) {
      loseOne(state);
      continue;
    }
    // Of those whose time it is, the older record comes first.
    const user = state.users.find((one) => dueOf(one, state.settings) <= time);
    if (user === undefined) continue;
    if (turns++ >= limits.DEADLINES_PER_STEP_MAX) break;
    takeTurn(state, user);
  }
  state.now = until;
  dropWhatIsOld(state);
}

function dropWhatIsOld(state: ModelState): void {
  dropOldMail(state.users, state.now);
  dropOldTranscripts(state);
}

function takeTurn(state: ModelState, user: ModelUser): void {
  if (!isOnline(user)) {
    forget(state, user);
    return;
  }
  if (!isConnected(user) && goneAt(user, state.settings) <= state.now) leave(state, user, "timeout");
  if (user.waiting?.available === true && !user.waiting.open && user.waiting.opensAt <= state.now) {
    user.waiting.open = true;
    seekPartner(state, user);
  }
  notice(state, user);
}

// --- commands -----------------------------------------------------------------------------------

function run(state: ModelState, command: Command, entry: Entry): void {
  switch (command.type) {
    case "enter_queue":
      enterQueue(state, command);
      break;
    case "leave_queue":
      call(state, command.caller, (user) => {
        if (user.waiting === undefined && user.code === undefined) throw new Refused("not_waiting");
        leave(state, user, "left");
      });
      break;
    case "join_room":
      joinRoom(state, command);
      break;
    case "send_message":
      call(state, command.caller, (user) => send(state, user, command));
      break;
    case "leave_chat":
      call(state, command.caller, (user) => {
        const room = openRoomOf(state, user, command.room);
        leave(state, user, "left");
        state.step.events.push({ type: "left_room", user: user.ref, room: room.id });
      });
      break;
    case "forget_me":
      forgetMe(state, command.caller);
      break;
    case "block_partner":
      call(state, command.caller, (user) => {
        const room = anyRoomOf(state, user, command.room);
        blockPartner(state, user, room);
        state.step.events.push({ type: "blocked", user: user.ref, room: room.id });
      });
      break;
    case "report_partner":
      call(state, command.caller, (user) => report(state, user, command));
      break;
    case "look":
      call(state, command.caller, (user) => {
        notice(state, user);
        state.step.events.push({ type: "seen", user: user.ref });
      });
      break;
    case "wait":
      call(state, command.caller, (user) => wait(state, user, command));
      break;
    case "end_wait":
      endWait(state, command);
      break;
    case "open_stream":
    case "close_stream":
      changeStream(state, command);
      break;
    case "end_session":
      endSession(state, command);
      break;
    case "operate":
      operate(state, command.act);
      break;
    case "restart":
      restart(state, command.settings);
      passTime(state, state.now);
      break;
    case "join_node":
    case "beat_node":
    case "leave_node":
      hearNode(state, command, entry);
      // Of clocks that are set shorter now, some run out with it.
      if (command.type === "join_node") passTime(state, state.now);
      break;
    case "rewind":
      for (const user of state.users) user.epoch = makeEpochOf(state.step.entropy, user.ref);
      state.step.events.push({ type: "rewound" });
      break;
    case "tick":
      state.step.events.push({ type: "ticked" });
      break;
  }
}

/** Everybody the caller claims to be: must be one and the same. */
function identify({ users }: ModelState, caller: Caller): ModelUser | undefined {
  const tokens = [caller.bearer, caller.argument].filter((token) => token !== undefined);
  const named = tokens.map((token) => users.find((user) => user.token === token));
  if (named.includes(undefined)) throw new Refused("bad_session_token");
  const bound = users.find((user) => user.sessions.some(({ key }) => key === caller.session));
  const all = [...named, bound].filter((user) => user !== undefined);
  if (new Set(all).size > 1) throw new Refused("identity_conflict");
  return all[0];
}

function call(state: ModelState, caller: Caller, run: (user: ModelUser) => void): void {
  const user = identify(state, caller);
  if (user === undefined) throw new Refused("no_session");
  user.address = caller.address ?? user.address;
  hearFrom(state, user);
  try {
    run(user);
    if (caller.session !== undefined) bind(state, user, caller.session);
  } finally {
    notice(state, user);
  }
}

/** Nothing of them is left but that there was somebody. */
function forgetMe(state: ModelState, caller: Caller): void {
  const user = identify(state, caller);
  if (user === undefined) throw new Refused("no_session");
  user.address = caller.address ?? user.address;
  hearFrom(state, user);
  if (user.hold !== undefined) {
    state.step.events.push({ type: "hold_ended", user: user.ref, hold: user.hold.number });
    user.hold = undefined;
  }
  user.streams = [];
  leave(state, user, "left");
  eraseFromTranscripts(state, user);
  forget(state, user);
}

/** What pays for a call: the user, if there is one yet, and the address it comes from. */
function pursesOf(state: ModelState, caller: Caller, user: ModelUser | undefined): Purse[] {
  const purses: Purse[] = user === undefined ? [] : [{ allowances: user.allowances, users: 1 }];
  const { usersPerAddress } = state.settings;
  if (caller.address === undefined || usersPerAddress === 0) return purses;
  const allowances = state.addresses.get(caller.address) ?? new Map();
  state.addresses.set(caller.address, allowances);
  return [...purses, { allowances, users: usersPerAddress }];
}

function mustNotBeTooOften(
  state: ModelState,
  what: Parameters<typeof delayOf>[1],
  caller: Caller,
  user: ModelUser | undefined,
): void {
  const delay = delayOf(pursesOf(state, caller, user), what, state.settings, state.now);
  if (delay > 0) throw new Refused("rate_limited", delay);
}

function pay(state: ModelState, what: Parameters<typeof delayOf>[1], caller: Caller, user: ModelUser): void {
  spend(pursesOf(state, caller, user), what, state.settings, state.now);
}

// --- coming in ----------------------------------------------------------------------------------

function enterQueue(state: ModelState, command: Of<"enter_queue">): void {
  const { caller, userId } = command;
  const join = (user: ModelUser): void => {
    pay(state, "entries", caller, user);
    Object.assign(user, inLine(user, command, state.nextArrival++, state.now, state.settings.widenMs));
    if (!seekPartner(state, user)) state.step.events.push({ type: "queued", user: user.ref });
  };
  // Whoever finds a partner at once needs no place in the line.
  const mustFindPlace = (user: ModelUser): void => {
    const asWaiting = inLine(user, command, 0, state.now, state.settings.widenMs);
    if (queueOf(state).length >= state.settings.queueMax && whomToTake(state, asWaiting).length === 0)
      throw new Refused("queue_full");
  };
  if (identify(state, caller) !== undefined) {
    call(state, caller, (user) => {
      mustNotBeBanned(state, user);
      if (isHere(user)) notice(state, user);
      else {
        if (userId !== undefined && userId !== user.userId) throw new Refused("identity_conflict");
        mustNotBeTooOften(state, "entries", caller, user);
        mustFindPlace(user);
        join(user);
      }
      state.step.events.push({ type: "entered", user: user.ref, minted: false });
    });
    return;
  }
  mustNotBeBanned(state, { address: caller.address, userId });
  mustNotBeTooOften(state, "entries", caller, undefined);
  if (state.users.some((user) => user.userId === userId)) throw new Refused("user_id_taken");
  const user = makeUser(state, command, userId, () => mustFindPlace(nobodyYet(state, command, userId)));
  join(user);
  notice(state, user);
}

function joinRoom(state: ModelState, command: Of<"join_room">): void {
  const { caller, code, displayName, kind } = command;
  const waiter = state.users.find((user) => user.code === code);
  const mayJoin = (user: ModelUser): void => {
    const isInUse = state.rooms.some((room) => room.code === code && room.closed === undefined);
    if (isInUse || (waiter !== undefined && areBlocked(user, waiter))) throw new Refused("room_full");
  };
  const join = (user: ModelUser): void => {
    pay(state, "joins", caller, user);
    user.name = displayName ?? user.name;
    user.kind = kind ?? user.kind;
    if (waiter !== undefined) openRoom(state, waiter, user, code);
    else {
      user.code = code;
      state.step.events.push({ type: "meeting", user: user.ref });
    }
  };
  if (identify(state, caller) !== undefined) {
    call(state, caller, (user) => {
      mustNotBeBanned(state, user);
      if (isHere(user)) throw new Refused("busy");
      mustNotBeTooOften(state, "joins", caller, user);
      mayJoin(user);
      join(user);
      state.step.events.push({ type: "entered", user: user.ref, minted: false });
    });
    return;
  }
  mustNotBeBanned(state, { address: caller.address });
  mustNotBeTooOften(state, "joins", caller, undefined);
  const user = makeUser(state, command, undefined, () => mayJoin(nobodyYet(state, command, undefined)));
  join(user);
  notice(state, user);
}

function nobodyYet(state: ModelState, command: Of<"enter_queue" | "join_room">, userId: string | undefined): ModelUser {
  const who = {
    ref: state.nextUser,
    userId: userId ?? makeId("user", state.step.entropy, 0),
    token: command.newToken,
    epoch: makeEpoch(state.step.entropy),
  };
  return newcomer(who, state.now, command.caller.address);
}

/** @param mayCome throws if there is no place for this newcomer */
function makeUser(
  state: ModelState,
  command: Of<"enter_queue" | "join_room">,
  userId: string | undefined,
  mayCome: () => void,
): ModelUser {
  mayCome();
  makeRoomForOneMore(state);
  const user = nobodyYet(state, command, userId);
  state.nextUser++;
  state.users.push(user);
  state.step.events.push({ type: "entered", user: user.ref, minted: true });
  if (command.caller.session !== undefined) bind(state, user, command.caller.session);
  return user;
}

function makeRoomForOneMore(state: ModelState): void {
  // More than one too many there are only after a restart with a smaller bound.
  while (state.users.length >= state.settings.usersMax) forgetLongest(state);
}

function forgetLongest(state: ModelState): void {
  const forgotten = state.step.seen.filter((event) => event.type === "forgotten").map((event) => event.user);
  const longest = longestOffline(state.users);
  const user = longest.find(({ ref }) => forgotten.includes(ref)) ?? longest[0];
  if (user === undefined) throw new Refused("server_full");
  forget(state, user);
}

// --- talking ------------------------------------------------------------------------------------

function openRoomOf(state: ModelState, user: ModelUser, named: string | undefined): ModelRoom {
  const room = anyRoomOf(state, user, named);
  if (room.closed !== undefined) throw new Refused("chat_ended");
  return room;
}

function send(state: ModelState, user: ModelUser, command: Of<"send_message">): void {
  const { caller, room: named, text, clientMessageId: id } = command;
  mustNotBeBanned(state, user);
  if (id !== undefined) {
    const about = named === undefined ? (user.room ?? user.pastRooms.at(-1)) : roomOf(state, user, named);
    const own = about?.answers.filter((answer) => answer.by === user.ref) ?? [];
    const earlier = own.slice(-limits.CLIENT_MESSAGE_IDS_MAX).find((answer) => answer.id === id);
    if (about !== undefined && earlier !== undefined) {
      state.step.events.push({ type: "posted", user: user.ref, room: about.id, posted: earlier.posted });
      return;
    }
  }
  const room = openRoomOf(state, user, named);
  const kinds = room.sides.map(({ kind }) => kind);
  const { loopMessagesMax } = state.settings;
  if (loopMessagesMax > 0 && kinds.includes("agent") && !kinds.includes("human") && room.seq >= loopMessagesMax) {
    closeRoom(state, room, "limit", undefined);
    throw new Refused("loop_limit");
  }
  mustNotBeTooOften(state, "messages", caller, user);
  pay(state, "messages", caller, user);
  const partner = partnerOf(user, room);
  room.seq++;
  const posted: Posted = {
    messageId: makeId("msg", state.step.entropy, 0),
    seq: room.seq,
    at: state.now,
    delivery: isConnected(partner) ? "pushed" : "queued",
  };
  if (id !== undefined) room.answers.push({ by: user.ref, id, posted });
  const { messageId, seq } = posted;
  const body = {
    name: "message.received",
    room: room.id,
    messageId,
    seq,
    message: text,
    sender: sideOf(user, room),
  } as const;
  deliver(state, partner, body);
  keepLine(state, room, { at: state.now, body, bytes: weigh(body) });
  state.step.events.push({ type: "posted", user: user.ref, room: room.id, posted });
}

function report(state: ModelState, user: ModelUser, command: Of<"report_partner">): void {
  const { caller } = command;
  mustNotBeBanned(state, user);
  const room = anyRoomOf(state, user, command.room);
  let id = earlierReport(state, user, room);
  if (id === undefined) {
    mustNotBeTooOften(state, "reports", caller, user);
    makePlaceForBlock(state, user, partnerOf(user, room));
    pay(state, "reports", caller, user);
    id = reportOn(state, user, room, command);
    blockPartner(state, user, room);
  }
  state.step.events.push({ type: "reported", user: user.ref, report: id });
}
