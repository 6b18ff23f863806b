/**
 * Blocks, reports, and what the operator does, in the model.
 *
 * This file owns moderation. It must never know who waits for whom.
 */
import type { Command, OperatorAct } from "../../src/domain/command.ts";
import { makeId } from "../../src/domain/ids.ts";
import * as limits from "../../src/limits.ts";
import { bansAgainst, bansOf } from "./lobby-model-bans.ts";
import { deliver } from "./lobby-model-mail.ts";
import { closeRoom, lookAgain, roomOf, takeOut } from "./lobby-model-meeting.ts";
import { isOnline, type ModelRoom, type ModelUser, partnerOf, Refused, sideOf } from "./lobby-model-people.ts";
import type { ModelState } from "./lobby-model-state.ts";

// --- blocks and reports -------------------------------------------------------------------------

/** The room that is meant, open or closed. */
export function anyRoomOf(state: ModelState, user: ModelUser, named: string | undefined): ModelRoom {
  const room = named === undefined ? user.room : roomOf(state, user, named);
  if (room === undefined) throw new Refused(named === undefined ? "not_in_room" : "room_not_found");
  return room;
}

/** Throws if one more cannot be blocked. */
export function makePlaceForBlock(state: ModelState, user: ModelUser, partner: ModelUser): void {
  const isFurther = state.users.includes(partner) && !user.blocked.some(({ ref }) => ref === partner.ref);
  if (!isFurther || user.blocked.length < limits.BLOCKS_PER_USER_MAX) return;
  user.blocked = user.blocked.filter(({ ref }) => state.users.some((one) => one.ref === ref));
  if (user.blocked.length >= limits.BLOCKS_PER_USER_MAX) throw new Refused("unavailable", limits.BLOCK_RETRY_MS);
}

/** The two never meet again; if they are together, they are no longer. */
export function blockPartner(state: ModelState, user: ModelUser, room: ModelRoom): void {
  const partner = partnerOf(user, room);
  makePlaceForBlock(state, user, partner);
  if (state.users.includes(partner)) {
    const earlier = user.blocked.find(({ ref }) => ref === partner.ref);
    const address = partner.address ?? earlier?.address;
    user.blocked = [...user.blocked.filter((met) => met !== earlier), { ref: partner.ref, address }];
  }
  if (user.room?.members.includes(partner)) closeRoom(state, user.room, "blocked", user);
  lookAgain(state);
}

/** Keeps a report about this room. @returns its id */
export function reportOn(
  state: ModelState,
  user: ModelUser,
  room: ModelRoom,
  { category, details }: Extract<Command, { type: "report_partner" }>,
): string {
  const partner = partnerOf(user, room);
  const id = makeId("report", state.step.entropy, 0);
  state.reports.push({
    id,
    at: state.now,
    room: room.id,
    category,
    details,
    reporter: sideOf(user, room),
    reported: sideOf(partner, room),
    address: state.users.includes(partner) ? partner.address : undefined,
    messages: room.lines.slice(-limits.REPORT_MESSAGES_MAX),
    resolved: undefined,
  });
  if (state.reports.length > limits.REPORTS_MAX) {
    const leastNeeded = state.reports.find(({ resolved }) => resolved !== undefined) ?? state.reports[0];
    state.reports = state.reports.filter((report) => report !== leastNeeded);
  }
  return id;
}

/** The id of the report there is already, as long as it is kept. */
export function earlierReport(state: ModelState, user: ModelUser, room: ModelRoom): string | undefined {
  return state.reports.find((one) => one.room === room.id && one.reporter.userId === user.userId)?.id;
}

// --- the operator -------------------------------------------------------------------------------

export function operate(state: ModelState, act: OperatorAct): void {
  if (act.type === "announce") {
    announce(state, act);
    if (act.after === 0) note(state, act, true);
    return;
  }
  const id = act.type === "ban" ? ban(state, act) : undefined;
  const done = act.type === "ban" ? id !== undefined : doAct(state, act);
  note(state, act, done);
  if (!done) state.step.events.push({ type: "operated_nothing", act: act.type });
  else state.step.events.push({ type: "operated", act: act.type, ...(id === undefined ? {} : { id }) });
}

function note(state: ModelState, act: OperatorAct, done: boolean): void {
  state.audit.push({ number: state.nextAct++, at: state.now, act, done });
  state.audit = state.audit.slice(-limits.AUDIT_ENTRIES_MAX);
}

/** @returns the id of the ban, or undefined if there is nobody to ban */
function ban(state: ModelState, act: Extract<OperatorAct, { type: "ban" }>): string | undefined {
  const { target, until = Number.POSITIVE_INFINITY, note: words } = act;
  const user = target.kind === "user" ? state.users.find(({ userId }) => userId === target.userId) : undefined;
  if (until <= state.now || (target.kind === "user" && user === undefined)) return undefined;
  const address = target.kind === "user" ? user?.address : target.address;
  const id = makeId("ban", state.step.entropy, 0);
  state.bans = bansOf(state);
  if (state.bans.length >= limits.BANS_MAX) {
    const soonest = Math.min(...state.bans.map((one) => one.until));
    const goes = state.bans.find((one) => one.until === soonest);
    state.bans = state.bans.filter((one) => one !== goes);
  }
  state.bans.push({ id, at: state.now, target, user: user?.ref, address, until, note: words });
  takeOut(
    state,
    state.users.filter((one) => bansAgainst(state, one).length > 0),
  );
  return id;
}

/** @returns whether what is named was there */
function doAct(state: ModelState, act: Exclude<OperatorAct, { type: "announce" | "ban" }>): boolean {
  switch (act.type) {
    case "unban": {
      const left = bansOf(state).filter(({ id }) => id !== act.ban);
      const done = left.length < bansOf(state).length;
      state.bans = left;
      return done;
    }
    case "kick": {
      const user = state.users.find(({ userId }) => userId === act.userId);
      if (user !== undefined) takeOut(state, [user]);
      return user !== undefined;
    }
    case "close_room": {
      const room = state.rooms.find(({ id, closed }) => id === act.room && closed === undefined);
      if (room !== undefined) closeRoom(state, room, "moderation", undefined);
      return room !== undefined;
    }
    case "resolve_report": {
      const report = state.reports.find(({ id }) => id === act.report);
      if (report !== undefined) report.resolved = { at: state.now, note: act.note };
      return report !== undefined;
    }
  }
}

/** Tells those online among the next `count` users. */
function announce(state: ModelState, act: Extract<OperatorAct, { type: "announce" }>): void {
  const later = state.users.filter(({ ref }) => ref > act.after);
  const slice = later.slice(0, act.count);
  const online = slice.filter(isOnline);
  for (const user of online) deliver(state, user, { name: "server.announcement", message: act.text });
  const last = slice.at(-1);
  const next = later.length > slice.length && last !== undefined ? last.ref : 0;
  state.step.events.push({ type: "announced", told: online.length, next });
}
