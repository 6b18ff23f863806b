/**
 * A lobby to tell stories about: people go by name, time is set by hand, and every step is checked
 * against the invariants and against the model.
 *
 * This file owns the words that rule tests are written in. It must never assert a rule itself.
 */
import type { Caller, Command, LobbySettings, OperatorAct } from "../../src/domain/command.ts";
import type { LobbyEvent, MailBody, Posted } from "../../src/domain/event.ts";
import { makeCursor } from "../../src/domain/ids.ts";
import { eventsBetween } from "../../src/domain/mailbox.ts";
import { RULES_VERSION } from "../../src/domain/nodes.ts";
import { outlook, ticketOf } from "../../src/domain/pairing.ts";
import type { RefusalCode } from "../../src/domain/refusal.ts";
import type { Lobby, Room, User } from "../../src/domain/state.ts";
import { ENTROPY_CHARS, NODE_BEAT_MS } from "../../src/limits.ts";
import { Lockstep } from "./lobby-lockstep.ts";
import { UNLIMITED } from "./lobby-rates.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;
type Said = Partial<Pick<Of<"enter_queue">, "userId" | "displayName" | "interests" | "kind" | "partnerKind">>;
type By = { readonly by?: Caller };
type Terms = { readonly until?: number; readonly note?: string };

/** The settings of a server as it comes, but without a limit on messages. */
export const ORDINARY: LobbySettings = {
  graceMs: 30_000,
  idleMs: 900_000,
  availableMs: 90_000,
  widenMs: 10_000,
  matching: "fifo",
  rates: UNLIMITED,
  usersPerAddress: 0,
  loopMessagesMax: 200,
  retainUserMs: 86_400_000,
  usersMax: 1000,
  queueMax: 1000,
  mailboxBytesMax: 1_000_000_000,
  transcriptBytesMax: 64 * 1024 * 1024,
};

/** What came of a command. */
export interface Told {
  readonly events: readonly LobbyEvent[];
  readonly refusal: RefusalCode | undefined;
  readonly retryAfterMs: number | undefined;
  readonly posted: Posted | undefined;
  /** What a wait handed out, in the words of `mailOf`; undefined if it is held. */
  readonly read: readonly string[] | undefined;
  readonly truncated: boolean;
  /** Number of the call that is held now. */
  readonly hold: number | undefined;
  /** Numbers of held calls that were ended without an answer. */
  readonly holdsEnded: readonly number[];
}

export class LobbyDriver {
  readonly lockstep: Lockstep;
  #now = 0;
  #entries = 0;
  readonly #refs = new Map<string, number>();
  readonly #tokens = new Map<string, string>();
  #node: string | undefined;
  /** Of the last entry of each node. */
  readonly #numbers = new Map<string, number>();
  /** From where the next calls of each come. */
  readonly #addresses = new Map<string, string>();

  constructor(settings: Partial<LobbySettings> = {}) {
    this.lockstep = Lockstep.start({ ...ORDINARY, ...settings });
  }

  get lobby(): Lobby {
    return this.lockstep.lobby;
  }

  // --- time -----------------------------------------------------------------------------------

  /** Lets time pass until this moment. */
  readonly at = (ms: number): Told => {
    this.#now = ms;
    return this.submit({ type: "tick" });
  };

  /** The time of the commands that follow, without a tick in between. */
  readonly from = (ms: number): void => {
    this.#now = ms;
  };

  // --- what people do -------------------------------------------------------------------------

  readonly enter = (name: string, { by, ...said }: Said & By = {}): Told => {
    const newToken = `${name}-${this.#entries}`;
    const caller = by ?? this.#callerIfKnown(name);
    return this.#meetUser(name, newToken, { type: "enter_queue", caller, newToken, displayName: name, ...said });
  };

  /** Comes with a code. */
  readonly join = (name: string, code: string, { by, ...said }: Pick<Said, "displayName" | "kind"> & By = {}): Told => {
    const newToken = `${name}-${this.#entries}`;
    const caller = by ?? this.#callerIfKnown(name);
    return this.#meetUser(name, newToken, { type: "join_room", caller, newToken, code, displayName: name, ...said });
  };

  #meetUser(name: string, token: string, command: Command): Told {
    const told = this.submit(command);
    const minted = told.events.find((event) => event.type === "entered" && event.minted);
    if (minted?.type === "entered") {
      this.#refs.set(name, minted.user);
      this.#tokens.set(name, token);
    }
    return told;
  }

  /** Where the next calls of these people come from; undefined = it cannot be told. */
  readonly goTo = (address: string | undefined, ...names: string[]): void => {
    for (const name of names) {
      if (address === undefined) this.#addresses.delete(name);
      else this.#addresses.set(name, address);
    }
  };

  readonly leaveQueue = (name: string, { by }: By = {}): Told =>
    this.submit({ type: "leave_queue", caller: by ?? this.callerOf(name) });

  readonly send = (name: string, text: string, { by, id, room }: By & { id?: string; room?: string } = {}): Told =>
    this.submit({
      type: "send_message",
      caller: by ?? this.callerOf(name),
      text,
      ...(id === undefined ? {} : { clientMessageId: id }),
      ...(room === undefined ? {} : { room }),
    });

  readonly forgetMe = (name: string): Told => this.submit({ type: "forget_me", caller: this.callerOf(name) });

  readonly leave = (name: string, room?: string): Told =>
    this.submit({ type: "leave_chat", caller: this.callerOf(name), ...(room === undefined ? {} : { room }) });

  readonly look = (name: string, { by }: By = {}): Told =>
    this.submit({ type: "look", caller: by ?? this.callerOf(name) });

  /** Reads what is there, without holding. `after` is an offset, or a cursor as it was written. */
  readonly poll = (name: string, after?: number | string): Told => this.#wait(name, false, after);

  /** Reads what is there, or holds. */
  readonly hold = (name: string, after?: number | string, by: By = {}): Told => this.#wait(name, true, after, by);

  /** The held call is answered with what has come. */
  readonly answer = (name: string, hold = this.user(name).hold?.number ?? 0): Told =>
    this.submit({ type: "end_wait", user: this.refOf(name), hold, answered: true });

  /** The held call's client has gone. */
  readonly hangUp = (name: string, hold = this.user(name).hold?.number ?? 0): Told =>
    this.submit({ type: "end_wait", user: this.refOf(name), hold, answered: false });

  readonly open = (name: string, stream: { session?: string; read?: number } = {}): Told =>
    this.submit({ type: "open_stream", user: this.refOf(name), ...stream });

  readonly close = (name: string, stream: { session?: string; read?: number } = {}): Told =>
    this.submit({ type: "close_stream", user: this.refOf(name), ...stream });

  /** A call ends that was held like a stream. */
  readonly endCall = (name: string): Told => this.submit({ type: "close_stream", user: this.refOf(name), call: true });

  readonly endSession = (session: string, { issuedAt = 0 } = {}): Told =>
    this.submit({ type: "end_session", session, issuedAt });

  /** Blocks the partner of the present room, or of a named one. */
  readonly block = (name: string, room?: string): Told =>
    this.submit({ type: "block_partner", caller: this.callerOf(name), ...(room === undefined ? {} : { room }) });

  /** Two who are nowhere meet by a code, and the first blocks the other. */
  readonly fallOut = (name: string, other: string): void => {
    this.join(name, `of ${name}`);
    this.join(other, `of ${name}`);
    this.block(name);
  };

  readonly report = (
    name: string,
    about: Partial<Pick<Of<"report_partner">, "room" | "category" | "details">> = {},
  ): Told => this.submit({ type: "report_partner", caller: this.callerOf(name), category: "other", ...about });

  // --- what the operator does -----------------------------------------------------------------

  readonly operate = (act: OperatorAct): Told => this.submit({ type: "operate", act });

  readonly ban = (name: string, terms: Terms = {}): Told =>
    this.operate({ type: "ban", target: { kind: "user", userId: this.user(name).userId }, ...terms });

  readonly banAddress = (address: string, terms: Terms = {}): Told =>
    this.operate({ type: "ban", target: { kind: "address", address }, ...terms });

  /** Tells everybody who is online, so many users at a time. Returns how many were told in each slice. */
  readonly announce = (text: string, count = 100): number[] => {
    const told: number[] = [];
    let after = 0;
    do {
      const { events } = this.operate({ type: "announce", text, after, count });
      const slice = events.find((event) => event.type === "announced");
      told.push(slice?.told ?? 0);
      after = slice?.next ?? 0;
    } while (after !== 0);
    return told;
  };

  /** Two people meet, who have interests only if they said so before. */
  readonly meet = (one: string, other: string): void => {
    this.enter(one);
    this.enter(other);
  };

  /** Applies any command, now. */
  readonly submit = (command: Command): Told => {
    const entropy = `${this.#entries++}_`.padStart(8, "e").padEnd(ENTROPY_CHARS, "x");
    const origin = this.#node === undefined ? {} : { origin: { node: this.#node, n: this.#nextOf(this.#node) } };
    return this.#tell(this.lockstep.apply({ at: this.#now, entropy, command, ...origin }));
  };

  // --- nodes ----------------------------------------------------------------------------------

  /** The commands that follow come from this node; undefined = from no node. */
  readonly on = (node: string | undefined): void => {
    this.#node = node;
  };

  /** A node joins, and the commands that follow come from it. */
  readonly joinNode = (node: string, settings: Partial<LobbySettings> = {}, rules = RULES_VERSION): Told => {
    this.#node = node;
    return this.submit({ type: "join_node", settings: { ...this.lobby.settings, ...settings }, rules });
  };

  /** Time passes until this moment, in which these nodes beat every second. */
  readonly beatUntil = (ms: number, ...nodes: string[]): readonly LobbyEvent[] => {
    const events: LobbyEvent[] = [];
    const before = this.#node;
    for (let at = Math.min(ms, this.#now + NODE_BEAT_MS); ; at = Math.min(ms, at + NODE_BEAT_MS)) {
      this.#now = at;
      for (const node of nodes) {
        this.#node = node;
        events.push(...this.submit({ type: "beat_node" }).events);
      }
      if (at === ms) break;
    }
    this.#node = before;
    return events;
  };

  /** The last entry of the present node comes once more, with whatever command. */
  readonly repeat = (command: Command): Told => {
    if (this.#node !== undefined) this.#numbers.set(this.#node, (this.#numbers.get(this.#node) ?? 1) - 1);
    return this.submit(command);
  };

  #nextOf(node: string): number {
    const n = (this.#numbers.get(node) ?? 0) + 1;
    this.#numbers.set(node, n);
    return n;
  }

  // --- what can be seen -----------------------------------------------------------------------

  readonly refOf = (name: string): number => this.#refs.get(name) ?? 0;

  readonly tokenOf = (name: string): string => this.#tokens.get(name) ?? "none";

  readonly callerOf = (name: string): Caller => ({ bearer: this.tokenOf(name), ...this.#addressOf(name) });

  readonly user = (name: string): User => {
    const user = this.lobby.users.get(this.refOf(name));
    if (user === undefined) throw new Error(`${name} is nobody`);
    return user;
  };

  /** "waiting", "meeting" (waiting with a code), "with bob", "nowhere", or "forgotten". */
  readonly where = (name: string): string => {
    const user = this.lobby.users.get(this.refOf(name));
    if (user === undefined) return "forgotten";
    if (user.place.in === "queue") return "waiting";
    if (user.place.in === "nowhere") return "nowhere";
    if (user.place.in === "meeting") return "meeting";
    const partner = user.place.room.members.find((member) => member.user !== user.ref);
    return `with ${this.#nameOf(partner?.user ?? 0)}`;
  };

  readonly roomOf = (name: string): Room => {
    const { place } = this.user(name);
    if (place.in !== "room") throw new Error(`${name} is in no room`);
    return place.room;
  };

  readonly lineOf = (name: string): { position: number; waitSeconds: number | null } => {
    const ticket = ticketOf(this.lobby, this.user(name));
    if (ticket === undefined) throw new Error(`${name} does not wait`);
    return outlook(this.lobby, ticket);
  };

  /** What is in somebody's mailbox: `found bob (tea)`, `1: hi`, `gone: left`, `away`, `back`. */
  readonly mailOf = (name: string): string[] => this.user(name).mailbox.events.map(({ body }) => wordsFor(body));

  readonly cursorOf = (name: string, offset = this.user(name).mailbox.head): string =>
    makeCursor(this.user(name).mailbox.epoch, offset);

  // --- inside ---------------------------------------------------------------------------------

  #wait(name: string, hold: boolean, after?: number | string, { by }: By = {}): Told {
    const cursor = typeof after === "number" ? this.cursorOf(name, after) : after;
    const caller = by ?? this.callerOf(name);
    return this.submit({ type: "wait", caller, hold, ...(cursor === undefined ? {} : { after: cursor }) });
  }

  #callerIfKnown(name: string): Caller {
    return this.#refs.has(name) ? this.callerOf(name) : this.#addressOf(name);
  }

  #addressOf(name: string): { readonly address?: string } {
    const address = this.#addresses.get(name);
    return address === undefined ? {} : { address };
  }

  #nameOf(ref: number): string {
    return [...this.#refs].find(([, known]) => known === ref)?.[0] ?? `user ${ref}`;
  }

  #tell(events: readonly LobbyEvent[]): Told {
    const refusal = events.find((event) => event.type === "refused");
    const posted = events.find((event) => event.type === "posted");
    const read = events.find((event) => event.type === "read");
    const holding = events.find((event) => event.type === "holding");
    const mailbox = this.lobby.users.get(read?.user ?? 0)?.mailbox;
    return {
      events,
      refusal: refusal?.code,
      retryAfterMs: refusal?.retryAfterMs,
      posted: posted?.posted,
      read: read && mailbox ? eventsBetween(mailbox, read.from, read.to).map(({ body }) => wordsFor(body)) : undefined,
      truncated: read?.truncated ?? false,
      hold: holding?.hold,
      holdsEnded: events.filter((event) => event.type === "hold_ended").map(({ hold }) => hold),
    };
  }
}

function wordsFor(body: MailBody): string {
  switch (body.name) {
    case "chatroom.found": {
      const shared = body.sharedInterests.length === 0 ? "" : ` (${body.sharedInterests})`;
      return `found ${body.partner.displayName}${shared}`;
    }
    case "message.received":
      return `${body.seq}: ${body.message}`;
    case "partner.disconnected":
      return `gone: ${body.reason}`;
    case "partner.away":
      return "away";
    case "partner.back":
      return "back";
    case "server.announcement":
      return `all: ${body.message}`;
  }
}
