/**
 * How public ids, event ids and cursors are made. Ids come from the entry's entropy, so that every
 * replay and every node makes the same ones; they are names, never secrets.
 *
 * This file owns their spelling. It must never draw randomness itself.
 */

/** Position of a user's record in the order of creation; never reused, never visible from outside. */
export type UserRef = number;
/** SHA-256 of a session token, as text. The token itself never reaches the domain. */
export type TokenHash = string;
/** SHA-256 of a room code, as text. */
export type CodeHash = string;
/** A network address as people are told apart by it: an IPv4 address, or the /64 prefix of an IPv6 one. */
export type AddressKey = string;
/** Key of a legacy MCP session. */
export type SessionKey = string;
/** One life of one node of a cluster, drawn at random when it begins: `node_` and 16 base64url characters. */
export type NodeId = string;

/**
 * The `n`th id with this prefix that one entry makes. Entropy has a fixed length, so a numbered id
 * never meets one of another entry.
 */
export function makeId(prefix: "user" | "room" | "msg" | "report" | "ban", entropy: string, n: number): string {
  return n === 0 ? `${prefix}_${entropy}` : `${prefix}_${entropy}${n.toString(36)}`;
}

/** A mailbox's epoch: positions of another epoch belong to another user or an earlier life. */
export function makeEpoch(entropy: string): string {
  return entropy.slice(0, 8);
}

/** The epoch that the mailbox of this user begins with one entry; no other mailbox begins the same. */
export function makeEpochOf(entropy: string, user: UserRef): string {
  const bytes = Buffer.from(makeEpoch(entropy), "base64url");
  bytes.writeUIntBE((bytes.readUIntBE(0, 6) + user) % 2 ** 48, 0, 6);
  return bytes.toString("base64url");
}

/** The event id of the event at `offset`: the same for every way of delivery and every repetition. */
export function makeEventId(epoch: string, offset: number): string {
  return `evt_${epoch}${offset.toString(36).padStart(4, "0")}`;
}

/** The cursor just after `offset` (0 = before everything). */
export function makeCursor(epoch: string, offset: number): string {
  return `c1.${epoch}.${offset.toString(36)}`;
}

const CURSOR = /^c1\.([A-Za-z0-9_-]{8})\.(0|[1-9a-z][0-9a-z]{0,9})$/;

/** What a cursor says, or undefined for a string that no version of us made. Total. */
export function parseCursor(cursor: string): { epoch: string; offset: number } | undefined {
  const match = CURSOR.exec(cursor);
  if (match === null) return undefined;
  const [, epoch = "", digits = ""] = match;
  return { epoch, offset: Number.parseInt(digits, 36) };
}
