/**
 * Small worlds completely: every sequence of commands up to a depth, by up to three people, each
 * distinct state entered once.
 *
 * This file owns the walk, the alphabet of commands, and when two states count as the same. It must
 * never judge an outcome: the lockstep does.
 */
import type { Caller, Command, Entry, LobbySettings, OperatorAct } from "../../src/domain/command.ts";
import { makeCursor } from "../../src/domain/ids.ts";
import type { Lobby, Room, RoomMember, User } from "../../src/domain/state.ts";
import { Lockstep } from "../support/lobby-lockstep.ts";

type Enter = Pick<Extract<Command, { type: "enter_queue" }>, "interests" | "kind" | "partnerKind" | "displayName">;

/** How somebody comes in: by the queue with what they say, or with a code. */
export type Arrival = Enter | { readonly code: string };

/** What one person can do: the command, or undefined where it would make no sense or no difference. */
export type Letter = (person: User, now: number) => Command | undefined;

/** What can be done by nobody in particular. */
export type Act = (lobby: Lobby, now: number) => Command | undefined;

/** When the next entry comes. */
export type Leap = (now: number, due: number) => number | undefined;

export interface Alphabet {
  readonly settings: LobbySettings;
  /** How a newcomer or somebody who returns may come in. */
  readonly entries: readonly Arrival[];
  /** Whether calls come in a session, one for each person. */
  readonly sessions: boolean;
  /** Where people call from at first: the first person from the first of them, and so on, again and again. */
  readonly addresses?: readonly string[];
  readonly letters: Readonly<Record<string, Letter>>;
  readonly acts?: Readonly<Record<string, Act>>;
  readonly leaps: Readonly<Record<string, Leap>>;
  /** Nodes that everything is said by, each in turn; absent = there are none. */
  readonly nodes?: readonly string[];
  /** What has happened before; not counted as depth. */
  readonly before?: readonly Entry[];
}

const callerOf = (user: User) => ({ bearer: user.tokenHash });

const lastRoomOf = (user: User): { room?: string } => {
  const room = user.pastRooms.at(-1);
  return room === undefined ? {} : { room };
};

export const LETTERS = {
  enter_again: (user) =>
    user.place.in === "nowhere" ? undefined : { type: "enter_queue", caller: callerOf(user), newToken: "none" },
  leave_queue: (user) => ({ type: "leave_queue", caller: callerOf(user) }),
  send: (user) => ({ type: "send_message", caller: callerOf(user), text: "hi" }),
  // Done twice, it is a retry.
  send_once: (user) => ({ type: "send_message", caller: callerOf(user), text: "hi", clientMessageId: "once" }),
  leave_chat: (user) => ({ type: "leave_chat", caller: callerOf(user) }),
  look: (user) => ({ type: "look", caller: callerOf(user) }),
  poll: (user) => ({ type: "wait", caller: callerOf(user), hold: false }),
  hold: (user) => ({ type: "wait", caller: callerOf(user), hold: true }),
  read_again: (user) => ({
    type: "wait",
    caller: callerOf(user),
    hold: false,
    after: makeCursor(user.mailbox.epoch, 0),
  }),
  acknowledge: (user) => ({
    type: "wait",
    caller: callerOf(user),
    hold: true,
    after: makeCursor(user.mailbox.epoch, user.mailbox.head),
  }),
  answer: (user) => user.hold && { type: "end_wait", user: user.ref, hold: user.hold.number, answered: true },
  hang_up: (user) => user.hold && { type: "end_wait", user: user.ref, hold: user.hold.number, answered: false },
  open: (user) => (user.streams < 2 ? { type: "open_stream", user: user.ref } : undefined),
  close: (user) => ({ type: "close_stream", user: user.ref }),
  open_in_session: (user) => {
    const [session] = user.sessions;
    if (session === undefined || user.streams > 1) return undefined;
    return { type: "open_stream", user: user.ref, session };
  },
  close_in_session: (user) => {
    const [session] = user.sessions;
    return session === undefined ? undefined : { type: "close_stream", user: user.ref, session };
  },
  end_call: (user) => (user.streams > 0 ? { type: "close_stream", user: user.ref, call: true } : undefined),
  end_session: (user) => {
    const [session] = user.sessions;
    return session === undefined ? undefined : { type: "end_session", session, issuedAt: 0 };
  },
  block: (user) => ({ type: "block_partner", caller: callerOf(user) }),
  block_last: (user) =>
    user.pastRooms.length > 0 ? { type: "block_partner", caller: callerOf(user), ...lastRoomOf(user) } : undefined,
  report: (user) => ({ type: "report_partner", caller: callerOf(user), category: "spam" }),
  report_last: (user) =>
    user.pastRooms.length > 0
      ? { type: "report_partner", caller: callerOf(user), category: "other", ...lastRoomOf(user) }
      : undefined,
  move: (user) => ({ type: "look", caller: { ...callerOf(user), address: user.address === "x" ? "y" : "x" } }),
  send_from_elsewhere: (user) => ({ type: "send_message", caller: { ...callerOf(user), address: "y" }, text: "hi" }),
  join_again: (user) => ({ type: "join_room", caller: callerOf(user), newToken: "none", code: "elm" }),
  ban: (user, now) => operate({ type: "ban", target: { kind: "user", userId: user.userId }, until: now + 4 }),
  kick: (user) => operate({ type: "kick", userId: user.userId }),
  close_room: (user) =>
    user.place.in === "room" ? operate({ type: "close_room", room: user.place.room.id }) : undefined,
} satisfies Readonly<Record<string, Letter>>;

/** What the operator can do that is about nobody in particular. */
export const ACTS = {
  ban_x: (_lobby, now) => operate({ type: "ban", target: { kind: "address", address: "x" }, until: now + 6 }),
  // The first ban there is, or one that is not.
  unban: ({ bans }) => {
    const [ban = "ban_of_nobody"] = bans.keys();
    return operate({ type: "unban", ban });
  },
  resolve: ({ reports }) => {
    const [report] = reports.keys();
    return report === undefined ? undefined : operate({ type: "resolve_report", report });
  },
  announce: () => operate({ type: "announce", text: "hi", after: 0, count: 2 }),
} satisfies Readonly<Record<string, Act>>;

function operate(act: OperatorAct): Command {
  return { type: "operate", act };
}

export const LEAPS = {
  just_before: (_now, due) => due - 1,
  on_time: (_now, due) => due,
  just_after: (_now, due) => due + 1,
  far: (now) => now + 60,
} satisfies Readonly<Record<string, Leap>>;

const PEOPLE_MAX = 3;

interface Node {
  readonly state: Lockstep;
  /** The way there, for the report of a failure. */
  readonly path: readonly Entry[];
}

export interface Walk {
  readonly states: number;
  readonly steps: number;
  /** One way to some of the states, to be walked again step by step. */
  readonly samples: readonly { readonly path: readonly Entry[]; readonly key: string }[];
  /** Types of events seen, refusals with their codes. */
  readonly seen: ReadonlySet<string>;
}

/** Walks every sequence of commands up to `depth`. Throws with the way there at the first difference. */
export function explore(alphabet: Alphabet, depth: number): Walk {
  const known = new Set<string>();
  const seen = new Set<string>();
  const samples: { path: readonly Entry[]; key: string }[] = [];
  let steps = 0;
  const start: Node = { state: Lockstep.start(alphabet.settings), path: alphabet.before ?? [] };
  for (const entry of start.path) start.state.apply(entry);
  let frontier = [start];
  for (let level = 1; level <= depth; level++) {
    const next: Node[] = [];
    for (const { state, path } of frontier) {
      for (const entry of entriesFrom(alphabet, state, steps)) {
        steps++;
        const child = state.copy();
        const way = [...path, entry];
        try {
          for (const event of child.applyUnchecked(entry)) seen.add(event.type === "refused" ? event.code : event.type);
        } catch (error) {
          throw new Error(`${(error as Error).message}\nafter ${way.map((one) => JSON.stringify(one)).join("\n  ")}`);
        }
        const key = keyOf(child.lobby);
        if (known.has(key)) continue;
        known.add(key);
        child.check();
        if (known.size % 997 === 0) samples.push({ path: way, key });
        if (level < depth) next.push({ state: child, path: way });
      }
    }
    frontier = next;
  }
  return { states: known.size, steps, samples, seen };
}

/** Everything that can be done next. Nobody has a face, so newcomers come in a fixed order. */
function entriesFrom(alphabet: Alphabet, { lobby, model }: Lockstep, salt: number): Entry[] {
  const entries: Entry[] = [];
  const add = (command: Command, at = lobby.now): void => {
    for (const node of alphabet.nodes ?? [undefined]) {
      const origin = node === undefined ? {} : { origin: { node, n: (lobby.nodes.get(node)?.n ?? 0) + 1 } };
      entries.push({ at, entropy: entropyOf(salt + entries.length), command, ...origin });
    }
  };
  for (const user of lobby.users.values()) {
    if (user.place.in === "nowhere") {
      for (const said of alphabet.entries) add(comeIn(callerOf(user), "none", said));
    }
    for (const letter of Object.values(alphabet.letters)) {
      const command = letter(user, lobby.now);
      if (command !== undefined) add(command);
    }
  }
  if (lobby.users.size < PEOPLE_MAX) {
    const number = lobby.nextUser;
    const address = alphabet.addresses?.[(number - 1) % alphabet.addresses.length];
    const caller: Caller = {
      ...(alphabet.sessions ? { session: `s${number}` } : {}),
      ...(address === undefined ? {} : { address }),
    };
    for (const said of alphabet.entries) add(comeIn(caller, `t${number}`, said));
  }
  for (const act of Object.values(alphabet.acts ?? {})) {
    const command = act(lobby, lobby.now);
    if (command !== undefined) add(command);
  }
  const due = model.nextChange();
  for (const leap of Object.values(alphabet.leaps)) {
    const at = leap(lobby.now, due);
    if (at !== undefined && at > lobby.now && Number.isFinite(at)) add({ type: "tick" }, at);
  }
  return entries;
}

function comeIn(caller: Caller, newToken: string, said: Arrival): Command {
  return "code" in said
    ? { type: "join_room", caller, newToken, ...said }
    : { type: "enter_queue", caller, newToken, ...said };
}

function entropyOf(count: number): string {
  return count.toString(36).padStart(8, "0").padEnd(22, "x");
}

// --- sameness -----------------------------------------------------------------------------------

/** Names a state by what can still make a difference: ages instead of times, order instead of ids. */
export function keyOf(lobby: Lobby): string {
  const rooms: Room[] = [];
  const numberOf = (room: Room): number => {
    if (!rooms.includes(room)) rooms.push(room);
    return rooms.indexOf(room);
  };
  const tickets = [...lobby.queue.tickets.keys()].sort((a, b) => a - b);
  const age = (time: number | undefined): string => (time === undefined ? "-" : `${lobby.now - time}`);
  const refs = [...lobby.users.keys()];
  let key = "";
  for (const user of lobby.users.values()) {
    const { mailbox: mail, place, hold } = user;
    const isUnconnected = user.streams === 0 && hold === undefined;
    if (place.in === "queue") {
      const ticket = lobby.queue.tickets.get(place.ticket);
      key += `w${tickets.indexOf(place.ticket)}${ticket?.available}${ticket?.open || age(ticket?.holdsOutUntil)}`;
    } else if (place.in === "room") key += `r${numberOf(place.room)}`;
    else key += place.in === "meeting" ? `m${place.code}` : "n";
    // A call of long ago matters only where the idle clock runs.
    if (isUnconnected && place.in !== "nowhere")
      key += user.awaySince === undefined ? `c${age(user.lastCallAt)}` : `a${age(user.awaySince)}`;
    if (user.offlineSince !== undefined) key += `o${[...lobby.offline].indexOf(user.ref)}:${age(user.lastActivityAt)}`;
    if (hold !== undefined && user.streamEndedAt !== undefined) key += "e";
    key += `,${user.streams}${hold === undefined ? "" : `h${mail.head - hold.from}${hold.session}`}`;
    key += `,${mail.events.length},${mail.head - mail.acknowledged},${mail.head - mail.returned},${mail.head - mail.written}`;
    const ofSessions = user.sessions.map((session) => lobby.bindings.get(session)?.streams);
    key += `,${user.kind}${user.partnerKind}${user.interests},${ofSessions}`;
    key += `,${user.address}@${user.recentPartners.map(({ user: ref, address }) => `${refs.indexOf(ref)}@${address}`)}`;
    for (const [ref, address] of user.blocked ?? []) key += `x${refs.indexOf(ref)}@${address}`;
    const last = lobby.rooms.get(user.pastRooms.at(-1) ?? "");
    if (last !== undefined) key += `p${numberOf(last)}`;
    key += ";";
  }
  for (const { id, heardAt, attached } of lobby.nodes.values()) {
    key += `node${id}${age(heardAt)}`;
    for (const [ref, { streams, sessions, holds }] of [...attached].sort(([a], [b]) => a - b))
      key += `${refs.indexOf(ref)}:${streams}${[...(sessions ?? [])]}${holds}`;
  }
  if (lobby.endedNodes.size > 0) key += [...lobby.endedNodes].sort();
  for (const { until, user, target } of lobby.bans.values())
    key += `ban${until - lobby.now}:${user === undefined ? JSON.stringify(target) : refs.indexOf(user)}`;
  for (const { resolved, messages } of lobby.reports.values()) key += `report${resolved?.note}${messages.length}`;
  for (const room of rooms) {
    key += `${room.closed === undefined}${room.seq}${room.code}${room.transcript.length}`;
    for (const member of room.members)
      key += `${refs.indexOf(member.user)}${member.participant.kind}[${[...(member.answers?.keys() ?? [])]}]${isReportedBy(lobby, room, member)}`;
  }
  return key;
}

function isReportedBy(lobby: Lobby, { id }: Room, { participant }: RoomMember): boolean {
  return [...lobby.reports.values()].some(
    ({ room, reporter }) => room === id && reporter.userId === participant.userId,
  );
}
