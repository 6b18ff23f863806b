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
import type { Line, Lobby, User } from "../../src/domain/state.ts";
import { copyLobby } from "./lobby-copy.ts";
import { LobbyModel } from "./lobby-model.ts";
import { bansOf } from "./lobby-model-bans.ts";
import { dueOf } from "./lobby-model-people.ts";
import { looksAsExpected, pictureOf, pictureOfModel } from "./lobby-pictures.ts";

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
    // Only these change what the operator sees, but for bans that end.
    if (entry.command.type === "operate" || entry.command.type === "report_partner") this.compareOffice();
    return events;
  }

  /** Throws if the lobby breaks an invariant, or means to look at somebody later than their next change. */
  check(): void {
    checkLobby(this.lobby);
    for (const expected of this.model.users) {
      const checkAt = this.lobby.users.get(expected.ref)?.checkAt ?? Number.NaN;
      if (!(checkAt <= dueOf(expected, this.model.state.settings)))
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

  /** Compares everything that is kept; a step compares only what is new. */
  compareAll(): void {
    this.#compared.clear();
    for (const user of this.lobby.users.values()) this.#compareNewMail(user);
    for (const { id, lines } of this.model.state.rooms)
      mustBeSame((this.lobby.rooms.get(id)?.transcript ?? []).map(plainLine), lines);
    this.compareOffice();
  }

  /** Compares what the operator sees. */
  compareOffice(): void {
    const { bans, reports, audit } = this.lobby;
    mustBeSame(
      [...bans.values()].map(({ number: _, ...ban }) => ban),
      bansOf(this.model.state),
    );
    mustBeSame(
      [...reports.values()].map((report) => ({ ...report, messages: report.messages.map(plainLine) })),
      this.model.state.reports,
    );
    mustBeSame(audit, this.model.state.audit);
  }

  #compareNewMail(user: User): void {
    const { events, head } = user.mailbox;
    const from = this.#compared.get(user.ref) ?? 0;
    if (from === head) return;
    this.#compared.set(user.ref, head);
    const expected = this.model.users.find(({ ref }) => ref === user.ref)?.mail ?? [];
    mustBeSame(
      events.filter(({ offset }) => offset > from),
      expected.filter(({ offset }) => offset > from),
    );
  }
}

/** A line as such: the object may be the one in a mailbox, and know its place there. */
function plainLine({ at, body, bytes }: Line): Line {
  return { at, body, bytes };
}

function mustBeSame(real: readonly object[], expected: readonly object[]): void {
  if (Bun.deepEquals(real, expected, true)) return;
  const words = (things: readonly object[]): string[] => things.map((thing) => JSON.stringify(thing));
  throw new Divergence(difference(words(real), words(expected)));
}

/** What has happened must be the same; in which order within a step is left open, but a refusal comes last. */
export function compareEvents(real: readonly LobbyEvent[], expected: readonly LobbyEvent[]): void {
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
