/**
 * Sealing: bytes made unreadable and unforgeable for everybody without the key (AES-256-GCM, NIST SP
 * 800-38D), as visible ASCII. What the server would have to remember travels with the client instead.
 *
 * This file owns the cipher. It must never know what is sealed; a purpose keeps what is sealed for
 * one thing from opening as another.
 */

import { nodeCrypto, randomBytes } from "../crypto.ts";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that sealing adds. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/** Random bytes. */
export type RandomSource = (size: number) => Uint8Array;

export class Sealer {
  readonly #key: Uint8Array;
  readonly #purpose: Uint8Array;
  readonly #random: RandomSource;

  /**
   * @param key 32 bytes; several sealers may share one
   * @param purpose what is sealed here and in which format
   * @param random the system's source by default
   * @throws RangeError if the key has another length
   */
  constructor(key: Uint8Array, purpose: string, random: RandomSource = randomBytes) {
    if (key.length !== 32) throw new RangeError("a sealing key has 32 bytes");
    this.#key = key;
    this.#purpose = Buffer.from(purpose);
    this.#random = random;
  }

  seal(plain: Uint8Array): string {
    const nonce = this.#random(NONCE_BYTES);
    const cipher = nodeCrypto().createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#purpose);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString("base64url");
  }

  /** @returns undefined if the text is damaged, forged, of another key or of another purpose */
  open(text: string): Buffer | undefined {
    const sealed = Buffer.from(text, "base64url");
    if (sealed.length < SEAL_BYTES) return undefined;
    // One token, one spelling: base64 decoders forgive stray characters and unused bits.
    if (sealed.toString("base64url") !== text) return undefined;
    const cipher = nodeCrypto().createDecipheriv(CIPHER, this.#key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(this.#purpose);
    cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const opened = cipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      cipher.final();
    } catch (_authenticationFailed) {
      return undefined;
    }
    return opened;
  }
}
