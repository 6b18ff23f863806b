/**
 * The operator's side of a running server, wired: the surface, what it does, and where it is written down.
 *
 * This file owns that wiring. It must never exist without a token.
 */
import type { LobbyHost } from "../chat/lobby-host.ts";
import type { JsonObject } from "../mcp/registry.ts";
import { type AuditLog, AuditTrail } from "./audit-trail.ts";
import type { Exportable } from "./export.ts";
import { Operator } from "./operator.ts";
import { type AdminSurface, createAdminSurface } from "./surface.ts";

export interface AdminOptions {
  readonly host: LobbyHost;
  readonly token: string;
  /** Where acts are appended; undefined = in the lobby and the log alone. */
  readonly auditFile: string | undefined;
  /** Longest announcement, in code points. */
  readonly messageCharsMax: number;
  /** More members of the summary. */
  readonly summary: () => JsonObject;
  /** What can be exported, if anything is kept. */
  readonly history?: Exportable | undefined;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
  readonly log: AuditLog;
}

export interface Admin {
  readonly surface: AdminSurface;
  /** Opens the audit file anew, after it was moved away. */
  reopen(): void;
  /** Acts no more. To be called before the lobby stops. */
  stop(): void;
}

/** @throws when the audit file cannot be opened */
export function createAdmin({ host, auditFile, now = Date.now, ...options }: AdminOptions): Admin {
  const trail = new AuditTrail(options.log, auditFile);
  const operator = new Operator(host, trail);
  return {
    surface: createAdminSurface({ ...options, operator, now }),
    reopen: () => trail.reopen(),
    stop: () => operator.stop(),
  };
}
