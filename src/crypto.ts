/**
 * Random bytes and digests from the runtime itself. `node:crypto` brings Node's streams along, and
 * loading them takes as long as a fifth of the whole start: it is loaded when something is first
 * sealed or compared in constant time.
 *
 * This file owns which primitives the program uses. It must never keep what it is given.
 */
import type * as NodeCrypto from "node:crypto";

/** Unguessable bytes from the system's source. */
export function randomBytes(size: number): Buffer {
  return crypto.getRandomValues(Buffer.alloc(size));
}

/** SHA-256 of a text in UTF-8, as base64url: 43 characters. */
export function sha256(text: string): string {
  return Bun.SHA256.hash(text, "base64url");
}

/** What to keep of a secret in order to recognise it. */
export function digestOf(secret: string): Uint8Array {
  return Buffer.from(sha256(secret));
}

/** Whether a text is the secret of that digest, in a time that tells nothing of where they differ. */
export function isSecretOf(digest: Uint8Array, text: string): boolean {
  // Digests are equally long whatever was given, so that comparing them takes equally long.
  return nodeCrypto().timingSafeEqual(digestOf(text), digest);
}

/** For what the runtime does not have itself: ciphers. */
export function nodeCrypto(): typeof NodeCrypto {
  return process.getBuiltinModule("node:crypto");
}
