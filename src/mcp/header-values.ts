/**
 * Header values that repeat something of the body (2026-07-28, Streamable HTTP, "Value encoding"):
 * literal, or standard base64 of UTF-8 between exact markers.
 *
 * This file owns that reading, and its inverse. It must never be lenient: what two readers could take for different
 * values is none.
 */

const ENCODED_START = "=?base64?";
const ENCODED_END = "?=";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Where header fields are read; `Headers` is one. */
export interface HeaderReader {
  get(name: string): string | null;
}

/**
 * Reads a value that may be encoded. Anything without both markers is literal.
 * @returns undefined if the header is absent or its encoding is malformed
 */
export function decodeHeaderValue(value: string | null): string | undefined {
  if (value === null) return undefined;
  if (!value.startsWith(ENCODED_START) || !value.endsWith(ENCODED_END)) return value;
  if (value.length < ENCODED_START.length + ENCODED_END.length) return value;
  const encoded = value.slice(ENCODED_START.length, -ENCODED_END.length);
  if (!BASE64.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (_notUtf8) {
    return undefined;
  }
}

/** Writes a value: as it is where every reader takes it for itself, else encoded. */
export function encodeHeaderValue(value: string): string {
  const isPlain = /^[!-~](?:[ -~]*[!-~])?$/.test(value) && !value.startsWith(ENCODED_START);
  return isPlain ? value : `${ENCODED_START}${Buffer.from(value).toString("base64")}${ENCODED_END}`;
}
