/**
 * Who asked, kept beyond the request.
 *
 * This file owns that copy. It must never keep the request itself, which would stay in memory as
 * long as what it asked for.
 */

import type { Requester } from "./registry.ts";

/** What of a call's context may be kept. */
export function requesterOf({ era, revision, transport, client, session, bearer, address }: Requester): Requester {
  return { era, revision, transport, client, session, bearer, address };
}
