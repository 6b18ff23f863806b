/**
 * Legacy sessions as sealed tokens: everything a session is stands, encrypted, in its
 * `Mcp-Session-Id`, so `initialize` stores nothing and any node with the key can open it.
 *
 * This file owns the token's contents and the bounded memory of opened ones. It must never learn
 * whether a session has ended: that is the ledger's knowledge.
 */

import { randomBytes } from "../crypto.ts";
import {
  CLIENT_NAME_BYTES_MAX,
  CLIENTS_SHARED_MAX,
  SESSION_AGE_MS_MAX,
  SESSION_OPENED_MS,
  SESSION_TOKEN_CHARS_MAX,
  SESSIONS_OPENED_MAX,
  SUBJECT_BYTES_MAX,
} from "../limits.ts";
import type { CapabilitySet } from "./capabilities.ts";
import { type Implementation, REVISIONS, type Revision } from "./registry.ts";
import { type RandomSource, Sealer } from "./sealing.ts";

/** What a session token says once opened. */
export interface Session {
  /** Stable, not secret, good as a map key. */
  readonly id: string;
  readonly revision: Revision;
  readonly capabilities: CapabilitySet;
  /** Name and version as the client gave them, cut to a bound. */
  readonly client: Implementation;
  /** Who was authenticated at `initialize`; "" without authentication. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
}

export interface SessionsOptions {
  /** 32 bytes. Sessions outlive the process exactly if the key does. */
  readonly key: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Random bytes; the system's source by default. */
  readonly random?: RandomSource;
  /** When a session was last known to be used, if anybody remembers; for tokens opened anew after a pause. */
  readonly usedAt?: (session: string) => number | undefined;
}

const FORMAT = 1;
const ID_BYTES = 16;
/** Format, revision, capabilities (2), issue time (6), id. Then three texts, each after its length in one byte. */
const HEAD_BYTES = 10 + ID_BYTES;
const PURPOSE = "Mcp-Session-Id 1";

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #random: RandomSource;
  readonly #sealer: Sealer;
  // Two generations: what is used moves to the young one, and what stayed in the old one is dropped whole.
  #young = new Map<string, Session>();
  #old = new Map<string, Session>();
  #turnedAt: number;
  /** By name and version: thousands of sessions are of the same few. */
  readonly #clients = new Map<string, Implementation>();

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#random = options.random ?? randomBytes;
    this.#sealer = new Sealer(options.key, PURPOSE, this.#random);
    this.#turnedAt = options.now();
  }

  /** How many opened tokens are remembered at this moment. */
  get openedCount(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * Makes a new session's token: visible ASCII, unguessable. Keeps nothing.
   * @throws RangeError if the subject is longer than its bound
   */
  issue(claims: Omit<Session, "id" | "issuedAt">): string {
    const subject = Buffer.from(claims.subject);
    if (subject.length > SUBJECT_BYTES_MAX) throw new RangeError("a subject longer than its bound");
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(FORMAT, 0);
    head.writeUInt8(REVISIONS.indexOf(claims.revision), 1);
    head.writeUInt16BE(claims.capabilities, 2);
    head.writeUIntBE(this.#options.now(), 4, 6);
    head.set(this.#random(ID_BYTES), 10);
    const texts = [subject, cut(claims.client.name), cut(claims.client.version)];
    return this.#sealer.seal(Buffer.concat([head, ...texts.flatMap((text) => [Buffer.of(text.length), text])]));
  }

  /**
   * Opens a token.
   * @param remember whether this is a use that will recur (a request, a stream): the token is then kept opened
   * @returns undefined if it is forged, damaged, of another key, or unused for too long
   */
  open(token: string, remember: boolean): Session | undefined {
    const young = this.#young.get(token);
    if (young !== undefined) return young;
    const session = this.#old.get(token) ?? this.#unseal(token);
    if (session !== undefined && remember) this.#remember(token, session);
    return session;
  }

  /** Drops what has not been used for a while. Called now and then; the cost is one assignment. */
  sweep(): void {
    if (this.#options.now() - this.#turnedAt >= SESSION_OPENED_MS) this.#turn();
  }

  #remember(token: string, session: Session): void {
    if (this.#young.size >= SESSIONS_OPENED_MAX / 2) this.#turn();
    this.#young.set(token, session);
    this.#old.delete(token);
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#turnedAt = this.#options.now();
  }

  #unseal(token: string): Session | undefined {
    if (token.length > SESSION_TOKEN_CHARS_MAX) return undefined;
    const plain = this.#sealer.open(token);
    const session = plain === undefined || plain.length < HEAD_BYTES ? undefined : this.#parse(plain);
    if (session === undefined) return undefined;
    const usedAt = Math.max(session.issuedAt, this.#options.usedAt?.(session.id) ?? 0);
    return this.#options.now() - usedAt < SESSION_AGE_MS_MAX ? session : undefined;
  }

  /** Reads an authentic token. One of another format or revision was made by another build and is not known here. */
  #parse(plain: Buffer): Session | undefined {
    const revision = REVISIONS[plain.readUInt8(1)];
    if (plain.readUInt8(0) !== FORMAT || revision === undefined) return undefined;
    const texts: string[] = [];
    for (let at = HEAD_BYTES; at < plain.length; ) {
      const end = at + 1 + plain.readUInt8(at);
      texts.push(plain.toString("utf8", at + 1, end));
      at = end;
    }
    const [subject = "", name = "", version = ""] = texts;
    return {
      id: plain.toString("base64url", 10, HEAD_BYTES),
      revision,
      capabilities: plain.readUInt16BE(2),
      client: this.#shared(name, version),
      subject,
      issuedAt: plain.readUIntBE(4, 6),
    };
  }

  #shared(name: string, version: string): Implementation {
    const key = JSON.stringify([name, version]);
    const client = this.#clients.get(key) ?? { name, version };
    if (this.#clients.size < CLIENTS_SHARED_MAX) this.#clients.set(key, client);
    return client;
  }
}

/** The bytes of a name up to its bound, never half a character. */
function cut(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= CLIENT_NAME_BYTES_MAX) return bytes;
  let end = CLIENT_NAME_BYTES_MAX;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
