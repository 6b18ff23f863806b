/**
 * What the operator sees of the lobby, as JSON.
 *
 * This file owns those shapes. Only a report shows what people said, because one of them asked for it; no
 * other view must ever do so, and none shows a token or its hash.
 */
import { lineView, partnerView, statusOf, timestampOf } from "../chat/render.ts";
import type { OperatorAct } from "../domain/command.ts";
import type { AuditEntry, Ban, Lobby, Report, Room, User } from "../domain/state.ts";
import type { JsonObject } from "../mcp/registry.ts";

export function summaryView(lobby: Lobby): JsonObject {
  return {
    online: lobby.online,
    waiting: lobby.queue.tickets.size,
    users: lobby.users.size,
    rooms_open: openRooms(lobby).length,
    reports_open: openReports(lobby).length,
    reports: lobby.reports.size,
    bans: lobby.bans.size,
    mailbox_bytes: lobby.mailboxBytes,
    transcript_bytes: lobby.transcriptBytes,
  };
}

export function openRooms(lobby: Lobby): Room[] {
  return [...lobby.rooms.values()].filter((room) => room.closed === undefined);
}

export function openReports(lobby: Lobby): Report[] {
  return [...lobby.reports.values()].filter((report) => report.resolved === undefined);
}

/** A report without what was said. */
export function reportView(report: Report): JsonObject {
  return {
    report_id: report.id,
    created_at: timestampOf(report.at),
    category: report.category,
    room_id: report.room,
    reporter: partnerView(report.reporter),
    reported: partnerView(report.reported),
    reported_address: report.address ?? null,
    messages_kept: report.messages.length,
    resolved_at: report.resolved === undefined ? null : timestampOf(report.resolved.at),
  };
}

/** A report with what was said. */
export function fullReportView(report: Report): JsonObject {
  return {
    ...reportView(report),
    details: report.details ?? null,
    note: report.resolved?.note ?? null,
    messages: report.messages.map(lineView),
  };
}

export function banView({ id, at, target, address, until, note }: Ban): JsonObject {
  return {
    ban_id: id,
    created_at: timestampOf(at),
    ...(target.kind === "user" ? { user_id: target.userId } : {}),
    address: (target.kind === "address" ? target.address : address) ?? null,
    expires_at: Number.isFinite(until) ? timestampOf(until) : null,
    note: note ?? null,
  };
}

/** A room without what is said in it. */
export function roomView({ id, createdAt, members, seq, code }: Room): JsonObject {
  return {
    room_id: id,
    created_at: timestampOf(createdAt),
    by_code: code !== undefined,
    members: members.map(({ participant }) => partnerView(participant)),
    messages: seq,
  };
}

export function userView(lobby: Lobby, user: User): JsonObject {
  const { place, address } = user;
  const reports = [...lobby.reports.values()].filter(({ reported }) => reported.userId === user.userId);
  const bans = [...lobby.bans.values()].filter((ban) => covers(ban, user));
  return {
    user_id: user.userId,
    display_name: user.displayName,
    kind: user.kind,
    status: statusOf(user),
    online: user.offlineSince === undefined,
    streams: user.streams,
    address: address ?? null,
    last_activity_at: timestampOf(user.lastActivityAt),
    room_id: place.in === "room" ? place.room.id : null,
    past_rooms: [...user.pastRooms],
    reports: reports.map(({ id }) => id),
    bans: bans.map(({ id }) => id),
  };
}

function covers({ target, address }: Ban, user: User): boolean {
  const bannedAddress = target.kind === "address" ? target.address : address;
  if (target.kind === "user" && target.userId === user.userId) return true;
  return bannedAddress !== undefined && bannedAddress === user.address;
}

export function auditView({ number, at, act, done }: AuditEntry): JsonObject {
  return { number, at: timestampOf(at), done, ...actView(act) };
}

function actView(act: OperatorAct): JsonObject {
  switch (act.type) {
    case "ban":
      return {
        act: act.type,
        ...(act.target.kind === "user" ? { user_id: act.target.userId } : { address: act.target.address }),
        expires_at: act.until === undefined ? null : timestampOf(act.until),
        note: act.note ?? null,
      };
    case "unban":
      return { act: act.type, ban_id: act.ban };
    case "kick":
      return { act: act.type, user_id: act.userId };
    case "close_room":
      return { act: act.type, room_id: act.room };
    case "resolve_report":
      return { act: act.type, report_id: act.report, note: act.note ?? null };
    case "announce":
      return { act: act.type, text: act.text };
  }
}
