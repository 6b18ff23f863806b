/**
 * Names that nobody else will ever choose.
 *
 * This file owns how they are drawn. None is a secret: those come from the server.
 */

/** 128 random bits. `crypto.randomUUID` exists only where the origin is secure or this machine. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
