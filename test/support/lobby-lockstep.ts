/**
 * The lobby and its model, side by side: every entry goes to both, and whatever an outsider or a
 * later step could notice must be the same afterwards.
 *
 * This file owns the comparison. It must never know why something should have happened.
 */
import type { Entry, LobbySettings } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { createLobby, nextDeadline, step } from "../../src/domain/lobby.ts";
import { outlook, ticketOf } from "../../src/domain/pairing.ts";
import type { Lobby, User } from "../../src/domain/state.ts";
import { sessionReadFrom } from "../../src/domain/users.ts";
import { copyLobby } from "./lobby-copy.ts";
import { LobbyModel } from "./lobby-model.ts";
import { bytesOf } from "./lobby-model-mail.ts";
import { dueOf, isOnline, type ModelUser, positionOf } from "./lobby-model-people.ts";

export class Divergence extends Error {}

export class Lockstep {
  readonly lobby: Lobby;
  readonly model: LobbyModel;
  /** Offsets up to which the mail of each user has been compared. */
  readonly #compared = new Map<number, number>();

  constructor(lobby: Lobby, model: LobbyModel) {
    this.lobby = lobby;
    this.model = model;
  }

  static start(settings: LobbySettings): Lockstep {
    return new Lockstep(createLobby(settings), new LobbyModel(settings));
  }

  copy(): Lockstep {
    const copy = new Lockstep(copyLobby(this.lobby), this.model.copy());
    for (const [user, offset] of this.#compared) copy.#compared.set(user, offset);
    return copy;
  }

  /** Applies an entry to both. Throws if they differ, or if the lobby breaks an invariant. */
  apply(entry: Entry): LobbyEvent[] {
    const events = this.applyUnchecked(entry);
    this.check();
    return events;
  }

  /** Applies an entry to both. Throws if they differ. */
  applyUnchecked(entry: Entry): LobbyEvent[] {
    const events = step(this.lobby, entry);
    compareEvents(events, this.model.apply(entry, events));
    this.comparePictures();
    for (const user of this.lobby.users.values()) this.#compareNewMail(user);
    return events;
  }

  /** Throws if the lobby breaks an invariant, or means to look at somebody later than their next change. */
  check(): void {
    checkLobby(this.lobby);
    for (const expected of this.model.users) {
      const checkAt = this.lobby.users.get(expected.ref)?.checkAt ?? Number.NaN;
      if (!(checkAt <= dueOf(expected, this.model.settings)))
        throw new Divergence(`a deadline of user ${expected.ref} is missed`);
    }
    if ((nextDeadline(this.lobby) ?? Number.POSITIVE_INFINITY) > this.model.nextChange()) {
      throw new Divergence("the next deadline is late");
    }
  }

  comparePictures(): void {
    if (looksAsExpected(this.lobby, this.model)) return;
    throw new Divergence(difference(pictureOf(this.lobby).split("\n"), pictureOfModel(this.model).split("\n")));
  }

  /** Compares all mail that is kept; a step compares only what is new. */
  compareMail(): void {
    this.#compared.clear();
    for (const user of this.lobby.users.values()) this.#compareNewMail(user);
  }

  /** Blocks somebody for a user; there is no command for that yet. */
  block(blocker: number, blocked: number): void {
    const user = this.lobby.users.get(blocker);
    if (user === undefined) return;
    user.blocked ??= new Set();
    user.blocked.add(blocked);
    this.model.users.find(({ ref }) => ref === blocker)?.blocked.push(blocked);
  }

  #compareNewMail(user: User): void {
    const { events, head } = user.mailbox;
    const from = this.#compared.get(user.ref) ?? 0;
    if (from === head) return;
    this.#compared.set(user.ref, head);
    const expected = this.model.users.find(({ ref }) => ref === user.ref)?.mail ?? [];
    const real = events.filter(({ offset }) => offset > from);
    const wanted = expected.filter(({ offset }) => offset > from);
    if (!Bun.deepEquals(real, wanted, true)) {
      throw new Divergence(
        difference(
          real.map((event) => JSON.stringify(event)),
          wanted.map((event) => JSON.stringify(event)),
        ),
      );
    }
  }
}

/** What has happened must be the same; in which order within a step is left open, but a refusal comes last. */
function compareEvents(real: readonly LobbyEvent[], expected: readonly LobbyEvent[]): void {
  if (real.length === 0) throw new Divergence("a step without an event");
  if (real.slice(0, -1).some(({ type }) => type === "refused")) throw new Divergence("a refusal is not the last event");
  if (Bun.deepEquals(real, expected)) return;
  const realWords = real.map(wordsOf).sort();
  const expectedWords = expected.map(wordsOf).sort();
  if (realWords.join("\n") !== expectedWords.join("\n")) throw new Divergence(difference(realWords, expectedWords));
}

function wordsOf(event: LobbyEvent): string {
  // Who was found and who looked is seen in the order of the room's members.
  if (event.type === "matched") return `matched ${event.room} ${[...event.users].sort().join()}`;
  return JSON.stringify(event);
}

function difference(real: readonly string[], expected: readonly string[]): string {
  const surplus = real.filter((line) => !expected.includes(line)).map((line) => `  is:        ${line}`);
  const missing = expected.filter((line) => !real.includes(line)).map((line) => `  should be: ${line}`);
  return ["lobby and model differ", ...surplus, ...missing].join("\n");
}

// --- the same, quickly --------------------------------------------------------------------------

/** Whether both pictures below are the same, found out without drawing them. */
function looksAsExpected(lobby: Lobby, model: LobbyModel): boolean {
  if (lobby.now !== model.now || lobby.users.size !== model.users.length) return false;
  if (lobby.rooms.size !== model.rooms.length) return false;
  let online = 0;
  let bytes = 0;
  for (const expected of model.users) {
    const real = lobby.users.get(expected.ref);
    if (real === undefined || !isAsExpected(lobby, real, model, expected)) return false;
    if (isOnline(expected)) online++;
    bytes += real.mailbox.bytes;
  }
  for (const expected of model.rooms) {
    const room = lobby.rooms.get(expected.id);
    if (room?.seq !== expected.seq || (room.closed !== undefined) !== expected.closed) return false;
  }
  return lobby.online === online && lobby.mailboxBytes === bytes;
}

function isAsExpected(lobby: Lobby, real: User, model: LobbyModel, expected: ModelUser): boolean {
  const { mailbox: mail, hold, place } = real;
  const { waiting } = expected;
  const ticket = ticketOf(lobby, real);
  return (
    real.userId === expected.userId &&
    real.displayName === expected.name &&
    real.kind === expected.kind &&
    real.partnerKind === expected.wants &&
    sameList(real.interests, expected.interests) &&
    (place.in === "room" ? place.room.id : undefined) === expected.room?.id &&
    ticket?.available === waiting?.available &&
    ticket?.open === waiting?.open &&
    (ticket?.open !== false || ticket.holdsOutUntil === waiting?.opensAt) &&
    (ticket?.available !== true || outlook(lobby, ticket).position === positionOf(expected, model.users)) &&
    real.streams === expected.streams &&
    hold?.number === expected.hold?.number &&
    hold?.from === expected.hold?.from &&
    hold?.session === expected.hold?.session &&
    real.lastCallAt === expected.lastCall &&
    real.awaySince === expected.awaySince &&
    real.lastActivityAt === expected.lastActivity &&
    real.offlineSince === expected.offlineSince &&
    mail.head === expected.head &&
    mail.events.length === expected.mail.length &&
    mail.bytes === bytesOf(expected) &&
    mail.acknowledged === expected.acknowledged &&
    mail.returned === expected.returned &&
    mail.written === expected.written &&
    real.streamRead === expected.streamRead &&
    real.sessions.length === expected.sessions.length &&
    expected.sessions.every(
      ({ key, read }, i) =>
        real.sessions[i] === key && sessionReadFrom(lobby, key)?.from === Math.max(read, expected.acknowledged),
    ) &&
    real.pastRooms.length === expected.pastRooms.length &&
    expected.pastRooms.every(({ id }, i) => real.pastRooms[i] === id) &&
    sameList(real.recentPartners, expected.recentPartners)
  );
}

function sameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one === other || (one.length === other.length && one.every((item, i) => item === other[i]));
}

// --- pictures -----------------------------------------------------------------------------------

/** Everything that is to be the same, one line for the whole and one for each user. */
export function pictureOf(lobby: Lobby): string {
  const rooms = [...lobby.rooms.values()].map((room) => `${room.id}:${room.seq}:${room.closed === undefined}`);
  let picture = `now ${lobby.now} online ${lobby.online} bytes ${lobby.mailboxBytes} rooms ${rooms.sort().join(" ")}`;
  for (const user of lobby.users.values()) picture += `\n${lineOf(lobby, user)}`;
  return picture;
}

export function pictureOfModel(model: LobbyModel): string {
  const rooms = model.rooms.map((room) => `${room.id}:${room.seq}:${!room.closed}`);
  const online = model.users.filter((user) => isOnline(user)).length;
  const bytes = model.users.reduce((sum, user) => sum + bytesOf(user), 0);
  let picture = `now ${model.now} online ${online} bytes ${bytes} rooms ${rooms.sort().join(" ")}`;
  for (const user of model.users) picture += `\n${lineOfModel(model, user)}`;
  return picture;
}

function lineOf(lobby: Lobby, user: User): string {
  const { mailbox: mail, hold, place } = user;
  const ticket = ticketOf(lobby, user);
  const where =
    ticket !== undefined
      ? `waits ${ticket.available ? outlook(lobby, ticket).position : "absent"} ${ticket.open ? "open" : ticket.holdsOutUntil}`
      : place.in === "room"
        ? `in ${place.room.id}`
        : "nowhere";
  const sessions = user.sessions.map((session) => `${session}:${sessionReadFrom(lobby, session)?.from}`);
  return (
    `${user.ref} ${user.userId} ${user.displayName} ${user.kind} for ${user.partnerKind} [${user.interests}] ${where}; ` +
    `streams ${user.streams} hold ${hold?.number} ${hold?.from} ${hold?.session} called ${user.lastCallAt} ` +
    `away ${user.awaySince} active ${user.lastActivityAt} offline ${user.offlineSince}; ` +
    `mail ${mail.head} kept ${mail.events.length} bytes ${mail.bytes} ` +
    `read ${mail.acknowledged} ${mail.returned} ${mail.written} ${user.streamRead}; ` +
    `sessions ${sessions} past ${user.pastRooms} recent ${user.recentPartners}`
  );
}

function lineOfModel(model: LobbyModel, user: ModelUser): string {
  const { hold, waiting } = user;
  const where =
    waiting !== undefined
      ? `waits ${waiting.available ? positionOf(user, model.users) : "absent"} ${waiting.open ? "open" : waiting.opensAt}`
      : user.room !== undefined
        ? `in ${user.room.id}`
        : "nowhere";
  const sessions = user.sessions.map(({ key, read }) => `${key}:${Math.max(read, user.acknowledged)}`);
  return (
    `${user.ref} ${user.userId} ${user.name} ${user.kind} for ${user.wants} [${user.interests}] ${where}; ` +
    `streams ${user.streams} hold ${hold?.number} ${hold?.from} ${hold?.session} called ${user.lastCall} ` +
    `away ${user.awaySince} active ${user.lastActivity} offline ${user.offlineSince}; ` +
    `mail ${user.head} kept ${user.mail.length} bytes ${bytesOf(user)} ` +
    `read ${user.acknowledged} ${user.returned} ${user.written} ${user.streamRead}; ` +
    `sessions ${sessions} past ${user.pastRooms.map(({ id }) => id)} recent ${user.recentPartners}`
  );
}
