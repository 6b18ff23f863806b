/**
 * Reports: what a user says about a partner, with the conversation as it was, for the operator.
 *
 * This file owns the table of reports. A report stays when its records end; it must never be shown to
 * anybody but the operator.
 */
import { REPORT_MESSAGES_MAX, REPORTS_MAX } from "../limits.ts";
import { refuseBanned } from "./bans.ts";
import { blockPartner, refuseBlock } from "./blocks.ts";
import type { Command } from "./command.ts";
import { makeId } from "./ids.ts";
import { pay, tooOften } from "./rates.ts";
import type { Refusal } from "./refusal.ts";
import { findOwnRoom, sidesOf } from "./room.ts";
import type { Lobby, Report, Room, Step, User } from "./state.ts";

type ReportCommand = Extract<Command, { type: "report_partner" }>;

/** `report_partner`: keeps the report, and blocks the partner as `block_partner` does. */
export function report(lobby: Lobby, step: Step, user: User, command: ReportCommand): Refusal | undefined {
  const banned = refuseBanned(lobby, user.userId, user.address);
  if (banned !== undefined) return banned;
  const room = findOwnRoom(lobby, user, command.room);
  if ("type" in room) return room;
  const own = sidesOf(room, user)?.own;
  if (own === undefined) throw new Error("an own room is somebody else's");
  if (own.report === undefined || !lobby.reports.has(own.report)) {
    const { address } = command.caller;
    const refusal = tooOften(lobby, "reports", user, address) ?? refuseBlock(lobby, user, room);
    if (refusal !== undefined) return refusal;
    pay(lobby, "reports", user, address);
    own.report = keepReport(lobby, step, user, room, command);
    blockPartner(lobby, step, user, room);
  }
  step.events.push({ type: "reported", user: user.ref, report: own.report });
  return undefined;
}

/** @returns its id */
function keepReport(lobby: Lobby, step: Step, user: User, room: Room, command: ReportCommand): string {
  const sides = sidesOf(room, user);
  if (sides === undefined) throw new Error("an own room is somebody else's");
  const kept: Report = {
    id: makeId("report", step.entropy, 0),
    at: step.at,
    room: room.id,
    category: command.category,
    details: command.details,
    reporter: sides.own.participant,
    reported: sides.other.participant,
    address: lobby.users.get(sides.other.user)?.address,
    messages: room.transcript.slice(-REPORT_MESSAGES_MAX),
    resolved: undefined,
  };
  lobby.reports.set(kept.id, kept);
  if (lobby.reports.size > REPORTS_MAX) dropOne(lobby);
  return kept.id;
}

/** The oldest of those that are dealt with goes first, then the oldest. */
function dropOne({ reports }: Lobby): void {
  let [goes] = reports.keys();
  for (const [id, { resolved }] of reports) {
    if (resolved === undefined) continue;
    goes = id;
    break;
  }
  if (goes !== undefined) reports.delete(goes);
}
