/**
 * From what a request shows of its caller to what the lobby can check: tokens are hashed here and go
 * no further.
 *
 * This file owns the making and hashing of session tokens. It must never keep or log one.
 */
import { randomBytes, sha256 } from "../crypto.ts";
import type { Caller } from "../domain/command.ts";
import type { TokenHash } from "../domain/ids.ts";
import type { Requester } from "../mcp/registry.ts";

const TOKEN_PREFIX = "mcpc_";
const TOKEN_BYTES = 32;

/** A fresh session token of 256 random bits. Shown once to the user it makes, never stored. */
export function drawToken(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString("base64url");
}

/** What the lobby stores of a token: its SHA-256. */
export function hashToken(token: string): TokenHash {
  return sha256(token);
}

/** Whether a bearer credential claims to be a session token; others are none of the chat's concern. */
export function isSessionToken(credential: string | undefined): credential is string {
  return credential?.startsWith(TOKEN_PREFIX) === true;
}

/** Everything a call shows of who is calling. */
export function callerOf(context: Pick<Requester, "bearer" | "session" | "address">, sessionToken?: string): Caller {
  const { bearer, session, address } = context;
  // Filled in, because every call passes here and spreading costs as much as all the rest of it.
  const caller: { -readonly [K in keyof Caller]: Caller[K] } = {};
  if (isSessionToken(bearer)) caller.bearer = hashToken(bearer);
  if (sessionToken !== undefined) caller.argument = hashToken(sessionToken);
  if (session !== undefined) caller.session = session;
  if (address !== undefined) caller.address = address;
  return caller;
}
