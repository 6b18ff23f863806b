/**
 * Where this person is and what was said, as a pure function of what has happened.
 *
 * This file owns the state of the page that outlives a reload. It must never touch the document, the
 * network or the clock: times come with actions. Everything may come twice, or late, and must then
 * change nothing.
 */
import { type JsonObject, numberIn, objectIn, objectsIn, textIn, textsIn } from "./json.ts";
import { PAST_ROOMS_MAX, TYPING_SHOWN_MS } from "./limits.ts";
import { appendLine, type Line, type Notice, type OwnLine, placeInOrder, updateOwn } from "./lines.ts";

export interface Partner {
  readonly userId: string;
  readonly displayName: string;
  readonly kind: "human" | "agent" | "unknown";
}

export interface Room {
  readonly roomId: string;
  readonly partner: Partner;
  readonly sharedInterests: readonly string[];
}

/** What the server says of the queue, as long as this person is in it. */
export interface Queue {
  /** Place in line, 1 = next. */
  readonly position: number;
  /** How many wait in all and how many are here in all; undefined where nothing was said of it. */
  readonly waiting: number | undefined;
  readonly online: number | undefined;
  readonly estimateSeconds: number | undefined;
}

export interface State {
  readonly place: "start" | "waiting" | "chatting" | "ended";
  /** Up to where the mailbox was read. */
  readonly cursor: string | undefined;
  readonly queue: Queue | undefined;
  /** Milliseconds since 1970 at which the waiting began. */
  readonly waitingSince: number;
  /** The code agreed on with somebody, while waiting for them. */
  readonly code: string | undefined;
  /** The room of the lines, open while chatting, closed when ended. */
  readonly room: Room | undefined;
  readonly lines: readonly Line[];
  /** Whether older lines were dropped. */
  readonly shortened: boolean;
  readonly partnerAway: boolean;
  /** Until when the partner counts as typing, in milliseconds since 1970. */
  readonly typingUntil: number;
  readonly pastRooms: readonly string[];
}

export type Action =
  /** This person asked to wait, and does. */
  | { readonly type: "queued"; readonly queue: Queue; readonly at: number; readonly code?: string | undefined }
  /** A look at the queue. */
  | { readonly type: "queue_seen"; readonly queue: Queue }
  | { readonly type: "found"; readonly room: Room; readonly at: number }
  /** An event of the feed. */
  | { readonly type: "event"; readonly name: string; readonly data: JsonObject; readonly at: number }
  /** Everything up to this cursor has been told. */
  | { readonly type: "read"; readonly cursor: string }
  /** Something before what is told next is lost. */
  | { readonly type: "missed"; readonly at: number }
  | { readonly type: "history"; readonly roomId: string; readonly messages: readonly JsonObject[]; readonly me: string }
  | { readonly type: "say"; readonly key: string; readonly text: string; readonly at: number }
  | { readonly type: "sent"; readonly key: string; readonly seq: number | undefined; readonly held: boolean }
  | { readonly type: "failed"; readonly key: string; readonly problem: string }
  | { readonly type: "retry" | "withdraw"; readonly key: string }
  /** The room is over, by this person's doing or for a reason the feed did not tell. */
  | { readonly type: "over"; readonly notice: Notice; readonly at: number }
  | { readonly type: "start" }
  | { readonly type: "typing_over"; readonly at: number };

export const INITIAL: State = {
  place: "start",
  cursor: undefined,
  queue: undefined,
  waitingSince: 0,
  code: undefined,
  room: undefined,
  lines: [],
  shortened: false,
  partnerAway: false,
  typingUntil: 0,
  pastRooms: [],
};

/** The state after an action; the same object if the action changes nothing. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "queued":
      if (state.place === "chatting") return state;
      return {
        ...retire(state),
        place: "waiting",
        queue: action.queue,
        code: action.code,
        waitingSince: state.place === "waiting" ? state.waitingSince : action.at,
      };
    case "queue_seen":
      return state.place === "waiting" ? { ...state, queue: action.queue } : state;
    case "found":
      return meet(state, action.room, action.at);
    case "event":
      return happen(state, action.name, action.data, action.at);
    case "read":
      return state.cursor === action.cursor ? state : { ...state, cursor: action.cursor };
    case "missed":
      return state.room === undefined ? state : note(state, "gap", action.at);
    case "history":
      return state.room?.roomId === action.roomId ? recall(state, action.messages, action.me) : state;
    case "say":
      return state.place === "chatting" ? say(state, action) : state;
    case "sent":
      return updateOwn(state, action.key, (line) => ({
        ...withoutProblem(line),
        delivery: action.held ? "held" : "sent",
        ...(action.seq === undefined ? {} : { seq: action.seq }),
      }));
    case "failed":
      return updateOwn(state, action.key, (line) => ({ ...line, delivery: "failed", problem: action.problem }));
    case "retry":
      return updateOwn(state, action.key, (line) =>
        line.delivery === "failed" ? { ...withoutProblem(line), delivery: "sending" } : line,
      );
    case "withdraw":
      return {
        ...state,
        lines: state.lines.filter(
          (line) => !(line.from === "me" && line.key === action.key && line.delivery === "failed"),
        ),
      };
    case "over":
      return end(state, action.notice, action.at);
    case "start":
      return state.place === "chatting" ? state : { ...retire(state), place: "start" };
    case "typing_over":
      return state.typingUntil !== 0 && state.typingUntil <= action.at ? { ...state, typingUntil: 0 } : state;
  }
}

/** The message that is to be sent next: they go one by one, in the order in which they were written. */
export function nextUnsent({ lines }: State): OwnLine | undefined {
  for (const line of lines) if (line.from === "me" && line.delivery === "sending") return line;
  return undefined;
}

export function unsentCount({ lines }: State): number {
  return lines.filter((line) => line.from === "me" && line.delivery === "sending").length;
}

/** A room as the server describes it, in a result or an event. */
export function roomIn(value: unknown): Room {
  const room = objectIn(value);
  const partner = objectIn(room.partner);
  const { kind } = partner;
  return {
    roomId: textIn(room.room_id),
    partner: {
      userId: textIn(partner.user_id),
      displayName: textIn(partner.display_name),
      kind: kind === "human" || kind === "agent" ? kind : "unknown",
    },
    sharedInterests: textsIn(room.shared_interests),
  };
}

/** The queue as the server describes it in a result. */
export function queueIn(result: JsonObject): Queue {
  return {
    position: numberIn(result.position) ?? 1,
    waiting: numberIn(result.waiting),
    online: numberIn(result.online),
    estimateSeconds: numberIn(result.estimated_wait_seconds),
  };
}

// --- what happens -------------------------------------------------------------------------------

const REASONS: Readonly<Record<string, Notice>> = {
  left: "left",
  timeout: "timeout",
  blocked: "closed",
  moderation: "moderation",
  limit: "limit",
};

function happen(state: State, name: string, data: JsonObject, at: number): State {
  if (name === "chatroom.found") return meet(state, roomIn(data), at);
  if (name === "server.announcement") return announce(state, textIn(data.message), at);
  if (state.room === undefined || data.room_id !== state.room.roomId) return state;
  switch (name) {
    case "message.received":
      return hear(state, data, at);
    case "partner.disconnected":
      return end(state, REASONS[textIn(data.reason)] ?? "server", at);
    case "partner.away":
      if (state.place !== "chatting" || state.partnerAway) return state;
      return { ...note(state, "away", at), partnerAway: true, typingUntil: 0 };
    case "partner.back":
      return state.place === "chatting" && state.partnerAway
        ? { ...note(state, "back", at), partnerAway: false }
        : state;
    case "partner.typing":
      return { ...state, typingUntil: data.typing === true ? at + TYPING_SHOWN_MS : 0 };
    default:
      return state;
  }
}

function meet(state: State, room: Room, at: number): State {
  if (room.roomId === "" || room.roomId === state.room?.roomId) return state;
  if (state.pastRooms.includes(room.roomId)) return state;
  const fresh: State = { ...retire(state), place: "chatting", room };
  return note(fresh, "met", at);
}

function hear(state: State, data: JsonObject, at: number): State {
  const key = textIn(data.message_id);
  if (key === "" || state.lines.some((line) => line.key === key)) return state;
  const line: Line = { from: "partner", key, text: textIn(data.message), at, seq: numberIn(data.seq) ?? 0 };
  // Whoever has sent the message has stopped typing it.
  const heard = { ...state, typingUntil: 0 };
  // What was said before the end and comes only now is told before it.
  return state.place === "ended" ? placeInOrder(heard, line) : appendLine(heard, line);
}

function say(state: State, { key, text, at }: { key: string; text: string; at: number }): State {
  return appendLine(state, { from: "me", key, text, at, delivery: "sending" });
}

/** Adds a message of the server's transcript that is not here yet, at its place. */
function recall(state: State, messages: readonly JsonObject[], me: string): State {
  let next = state;
  for (const message of objectsIn(messages)) {
    const key = textIn(message.message_id);
    const seq = numberIn(message.seq);
    if (key === "" || seq === undefined || message.from === me) continue;
    if (next.lines.some((line) => line.key === key)) continue;
    const at = Date.parse(textIn(message.timestamp));
    next = placeInOrder(next, { from: "partner", key, text: textIn(message.message), at, seq });
  }
  return next;
}

function end(state: State, notice: Notice, at: number): State {
  if (state.place === "ended") return explainEnd(state, notice, at);
  if (state.place !== "chatting") return state;
  // Nobody reads any more what could not be sent until now; an answer that is under way may still say otherwise.
  const lines = state.lines.map(
    (line): Line =>
      line.from === "me" && line.delivery === "sending" ? { ...line, delivery: "failed", problem: "over" } : line,
  );
  return { ...note({ ...state, lines }, notice, at), place: "ended", partnerAway: false, typingUntil: 0 };
}

/** What is learned of an end after it: the true reason, or that this person was its cause. */
function explainEnd(state: State, notice: Notice, at: number): State {
  const last = state.lines.at(-1);
  if (last?.from !== "system" || last.notice === notice) return state;
  const isOwnDoing = notice === "you_left" || notice === "you_blocked" || notice === "you_reported";
  const isVague = last.notice === "found_over" || (last.notice === "closed" && isOwnDoing);
  if (isVague) return { ...state, lines: [...state.lines.slice(0, -1), { ...last, notice }] };
  // Reporting and blocking are possible after the end too; leaving is not.
  return isOwnDoing && notice !== "you_left" ? note(state, notice, at) : state;
}

function announce(state: State, words: string, at: number): State {
  const line: Line = { from: "system", key: `announcement ${at}`, notice: "announcement", at, words };
  return state.lines.some(({ key }) => key === line.key) ? state : appendLine(state, line);
}

// --- small changes --------------------------------------------------------------------------------

function note(state: State, notice: Notice, at: number): State {
  return appendLine(state, { from: "system", key: `${notice} ${at} ${state.lines.length}`, notice, at });
}

/** Without the room and what belongs to it; its id is remembered as over. */
function retire(state: State): State {
  const past = state.room === undefined ? [] : [state.room.roomId];
  return {
    ...INITIAL,
    cursor: state.cursor,
    pastRooms: [...state.pastRooms, ...past].slice(-PAST_ROOMS_MAX),
  };
}

function withoutProblem({ problem: _, ...line }: OwnLine): OwnLine {
  return line;
}
