/**
 * The routes of the operator's surface: what each path and method does, and what it takes.
 *
 * This file owns the table. It must never decide who may call a route, nor change the lobby but by an act.
 */
import { z } from "zod";
import { once } from "../chat/once.ts";
import type { Report } from "../domain/state.ts";
import { cleanMessage } from "../domain/text.ts";
import { isLoopbackText, parseAddressKey } from "../ip-address.ts";
import { OPERATOR_NOTE_CHARS_MAX, USER_ID_CHARS_MAX } from "../limits.ts";
import type { JsonObject } from "../mcp/registry.ts";
import { type AdminError, ANNOUNCING, badInput, done, failed, notFound, type Outcome } from "./answer.ts";
import type { AuditLog } from "./audit-trail.ts";
import { type Exportable, exportHistory } from "./export.ts";
import type { Operator } from "./operator.ts";
import { pageOf, readPageRequest } from "./paging.ts";
import {
  auditView,
  banView,
  fullReportView,
  openReports,
  openRooms,
  reportView,
  roomView,
  summaryView,
  userView,
} from "./views.ts";

/** What a route may use. */
export interface Surroundings {
  readonly operator: Operator;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Longest announcement, in code points. */
  readonly messageCharsMax: number;
  /** More members of the summary. */
  readonly summary: () => JsonObject;
  /** What can be exported; undefined if nothing is kept. */
  readonly history?: Exportable | undefined;
  readonly log: AuditLog;
}

/** What a request asks of its route. */
export interface Asked {
  /** What the path names, where the route has `:id`; else "". */
  readonly id: string;
  readonly parameters: URLSearchParams;
  /** Empty for methods without one. */
  readonly body: unknown;
}

export type Route = (asked: Asked, surroundings: Surroundings) => Outcome | Promise<Outcome>;

const NOTHING = once(() => z.strictObject({}));
const NOTED = once(() => z.strictObject({ note: z.string().optional() }));
const BAN = once(() =>
  z.strictObject({
    user_id: z.string().max(USER_ID_CHARS_MAX).optional(),
    address: z.string().optional(),
    expires_in_seconds: z.int().min(1).max(315_360_000).optional(),
    note: z.string().optional(),
  }),
);
/** A ban that would be kept and never apply. */
const LOOPBACK = badInput(
  "address is this machine's own, which is never banned: whoever comes from it may be anybody behind a proxy. " +
    "Name that proxy with --trusted-proxies, and ban the addresses it tells.",
);
const ANNOUNCEMENT = once(() => z.strictObject({ text: z.string() }));

/** By path, then by method. */
export const ROUTES: ReadonlyMap<string, ReadonlyMap<string, Route>> = new Map(
  Object.entries({
    "/admin/summary": { GET: showSummary },
    "/admin/reports": { GET: listReports },
    "/admin/reports/:id": { GET: showReport },
    "/admin/reports/:id/resolve": { POST: resolveReport },
    "/admin/bans": { GET: listBans, POST: ban },
    "/admin/bans/:id": { DELETE: unban },
    "/admin/rooms": { GET: listRooms },
    "/admin/rooms/:id/close": { POST: closeRoom },
    "/admin/users/:id": { GET: showUser },
    "/admin/users/:id/kick": { POST: kick },
    "/admin/announcements": { POST: announce },
    "/admin/export": { GET: exportLines },
    "/admin/audit": { GET: listAudit },
  }).map(([path, methods]) => [path, new Map<string, Route>(Object.entries(methods))]),
);

// --- looking --------------------------------------------------------------------------------------

function showSummary({ parameters }: Asked, { operator, summary }: Surroundings): Outcome {
  if (parameters.size > 0) return failed(badInput("This route takes no parameters."));
  return done({ ...summary(), ...summaryView(operator.lobby) });
}

function listReports({ parameters }: Asked, { operator }: Surroundings): Outcome {
  const state = parameters.get("state") ?? "open";
  parameters.delete("state");
  if (state !== "open" && state !== "all") return failed(badInput("state must be open or all."));
  const page = readPageRequest(parameters);
  if ("code" in page) return failed(page);
  const reports = state === "open" ? openReports(operator.lobby) : [...operator.lobby.reports.values()];
  const positions = positionsOf([...operator.lobby.reports.values()]);
  return done(pageOf("reports", reports, page, (report) => positions.get(report) ?? 0, reportView));
}

/** Reports of one millisecond come one after the other. */
function positionsOf(reports: readonly Report[]): Map<Report, number> {
  const positions = new Map<Report, number>();
  let last = 0;
  for (const report of reports) {
    last = Math.max(last + 1, report.at * 1000);
    positions.set(report, last);
  }
  return positions;
}

function showReport({ id }: Asked, { operator }: Surroundings): Outcome {
  const report = operator.lobby.reports.get(id);
  return report === undefined ? failed(notFound("report")) : done(fullReportView(report));
}

function listBans({ parameters }: Asked, { operator }: Surroundings): Outcome {
  const page = readPageRequest(parameters);
  if ("code" in page) return failed(page);
  return done(pageOf("bans", [...operator.lobby.bans.values()], page, ({ number }) => number, banView));
}

function listRooms({ parameters }: Asked, { operator }: Surroundings): Outcome {
  const page = readPageRequest(parameters);
  if ("code" in page) return failed(page);
  return done(pageOf("rooms", openRooms(operator.lobby), page, ({ number }) => number, roomView));
}

function showUser({ id }: Asked, { operator }: Surroundings): Outcome {
  const { lobby } = operator;
  const user = lobby.users.get(lobby.byUserId.get(id) ?? 0);
  return user === undefined ? failed(notFound("user")) : done(userView(lobby, user));
}

function listAudit({ parameters }: Asked, { operator }: Surroundings): Outcome {
  const page = readPageRequest(parameters);
  if ("code" in page) return failed(page);
  return done(pageOf("audit", operator.lobby.audit, page, ({ number }) => number, auditView));
}

function exportLines({ parameters }: Asked, { history, log }: Surroundings): Promise<Outcome> {
  return exportHistory(parameters, history, log);
}

// --- acting ---------------------------------------------------------------------------------------

async function resolveReport({ id, body }: Asked, { operator }: Surroundings): Promise<Outcome> {
  const read = readBody(NOTED(), body);
  if (!read.ok) return read;
  const note = readNote(read.body.note);
  if (note !== undefined && "code" in note) return failed(note);
  const { done: isDone } = await operator.act({ type: "resolve_report", report: id, ...note });
  return isDone ? done({ success: true }) : failed(notFound("open report"));
}

async function ban({ body }: Asked, { operator, now }: Surroundings): Promise<Outcome> {
  const read = readBody(BAN(), body);
  if (!read.ok) return read;
  const { user_id: userId, address, expires_in_seconds: expiresInSeconds } = read.body;
  if ((userId === undefined) === (address === undefined)) {
    return failed(badInput("Name either user_id or address."));
  }
  const key = address === undefined ? undefined : parseAddressKey(address);
  if (address !== undefined && key === undefined) {
    return failed(badInput("address must be an IPv4 address, or an IPv6 address or its /64 prefix."));
  }
  if (address !== undefined && isLoopbackText(address)) return failed(LOOPBACK);
  const note = readNote(read.body.note);
  if (note !== undefined && "code" in note) return failed(note);
  const operated = await operator.act({
    type: "ban",
    target: key === undefined ? { kind: "user", userId: userId ?? "" } : { kind: "address", address: key },
    ...(expiresInSeconds === undefined ? {} : { until: now() + 1000 * expiresInSeconds }),
    ...note,
  });
  const made = operated.id === undefined ? undefined : operator.lobby.bans.get(operated.id);
  if (!operated.done) return failed(notFound("user"));
  return done(made === undefined ? { success: true } : { success: true, ...banView(made) });
}

async function unban({ id }: Asked, { operator }: Surroundings): Promise<Outcome> {
  const { done: isDone } = await operator.act({ type: "unban", ban: id });
  return isDone ? done({ success: true }) : failed(notFound("ban"));
}

async function closeRoom({ id, body }: Asked, { operator }: Surroundings): Promise<Outcome> {
  const read = readBody(NOTHING(), body);
  if (!read.ok) return read;
  const { done: isDone } = await operator.act({ type: "close_room", room: id });
  return isDone ? done({ success: true }) : failed(notFound("open room"));
}

async function kick({ id, body }: Asked, { operator }: Surroundings): Promise<Outcome> {
  const read = readBody(NOTHING(), body);
  if (!read.ok) return read;
  const { done: isDone } = await operator.act({ type: "kick", userId: id });
  return isDone ? done({ success: true }) : failed(notFound("user"));
}

async function announce({ body }: Asked, { operator, messageCharsMax }: Surroundings): Promise<Outcome> {
  const read = readBody(ANNOUNCEMENT(), body);
  if (!read.ok) return read;
  const cleaned = cleanMessage(read.body.text, messageCharsMax);
  if (!cleaned.ok) return failed(badText("text", cleaned.reason, messageCharsMax));
  const told = await operator.announce(cleaned.text);
  return told === undefined ? failed(ANNOUNCING) : done({ success: true, told });
}

// --- reading what was sent ------------------------------------------------------------------------

/** The body, if it fits the schema; else what is wrong, in words that name members and never quote values. */
function readBody<T extends z.ZodObject>(
  schema: T,
  body: unknown,
): { ok: true; body: z.output<T> } | { ok: false; error: AdminError } {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, body: parsed.data };
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  // The keys of an unknown-keys issue are the sender's text.
  const members = Object.keys(schema.shape).join(", ");
  const what =
    issue?.code === "unrecognized_keys"
      ? `there are unknown members; known: ${members === "" ? "none" : members}`
      : (issue?.message ?? "it cannot be read");
  return { ok: false, error: badInput(where === "" ? `Body: ${what}.` : `${where}: ${what}.`) };
}

/** The operator's own words, cleaned as everybody's are. */
function readNote(note: string | undefined): { readonly note: string } | undefined | AdminError {
  if (note === undefined || note === "") return undefined;
  const cleaned = cleanMessage(note, OPERATOR_NOTE_CHARS_MAX);
  return cleaned.ok ? { note: cleaned.text } : badText("note", cleaned.reason, OPERATOR_NOTE_CHARS_MAX);
}

function badText(member: string, reason: string, charsMax: number): AdminError {
  if (reason === "empty") return badInput(`${member} must not be empty.`);
  if (reason === "holds_token") return badInput(`${member} holds a session token, which is somebody's secret.`);
  return badInput(`${member} may have up to ${charsMax} characters.`);
}
