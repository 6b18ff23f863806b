/**
 * Which era one HTTP request belongs to. Decided once, from the body, with the version header as
 * a cross-check; never remembered per connection.
 *
 * This file owns that decision. Its functions are total, and it must never validate more than the
 * decision needs.
 */

import { type Decoded, isObject } from "./jsonrpc.ts";
import { type Era, type JsonObject, REVISIONS, type Revision } from "./registry.ts";

export const MODERN_REVISION = "2026-07-28";
/** What a modern request may name, and what `server/discover` offers: no legacy date works per request. */
export const MODERN_REVISIONS: readonly string[] = [MODERN_REVISION];
/** Oldest first. */
export const LEGACY_REVISIONS: readonly Revision[] = REVISIONS.filter((revision) => revision < MODERN_REVISION);
export const NEWEST_LEGACY: Revision = "2025-11-25";

/** The `_meta` member by which a request claims the modern era (2026-07-28, Base protocol, "_meta"). */
export const VERSION_CLAIM = "io.modelcontextprotocol/protocolVersion";

/** Whether an `MCP-Protocol-Version` header names the modern era or something later than it. */
export function namesModern(versionHeader: string | null): boolean {
  // Dates compare as text, and so do names such as "DRAFT-2026": whatever sorts later is no legacy date.
  return versionHeader !== null && versionHeader >= MODERN_REVISION;
}

function claimsModern(params: JsonObject | undefined): boolean {
  const meta = params?._meta;
  return isObject(meta) && Object.hasOwn(meta, VERSION_CLAIM);
}

/** "mixed" is a batch that claims the modern era, which has no batches. */
export type EraDecision = Era | "mixed";

/**
 * Decides the era of a posted message.
 * @param decoded what `decode` made of the body; "invalid" may be anything and counts by the header
 * @param versionHeader `MCP-Protocol-Version`
 */
export function decideEra(decoded: Decoded, versionHeader: string | null): EraDecision {
  const headerIsModern = namesModern(versionHeader);
  if (decoded.kind === "batch") {
    const claimed = decoded.items.some((item) => isObject(item) && isObject(item.params) && claimsModern(item.params));
    return headerIsModern || claimed ? "mixed" : "legacy";
  }
  if ((decoded.kind === "request" || decoded.kind === "notification") && claimsModern(decoded.params)) return "modern";
  return headerIsModern ? "modern" : "legacy";
}
