/**
 * Reading a request body within its bound.
 *
 * This file owns that bound. It must never hold more than the bound and one piece from the network.
 */

import { BODY_BYTES_MAX } from "../limits.ts";
import { type Decoded, decode, decodeText, UNPARSABLE } from "../mcp/jsonrpc.ts";

/** Reads a body as one JSON-RPC message. Never rejects; what cannot be read is "invalid". */
export function readMessage(request: Request): Promise<Decoded | "too large"> {
  // A declared length was checked before, and the runtime reads no further than it.
  if (request.headers.has("content-length")) return request.json().then(decode, () => UNPARSABLE);
  return readText(request.body, BODY_BYTES_MAX).then((text) => (text === undefined ? "too large" : decodeText(text)));
}

/** The text of a body of unknown length; undefined if it is too large. A body that breaks off is cut short. */
export async function readText(body: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<string | undefined> {
  if (body === null) return "";
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      bytes += read.value.byteLength;
      if (bytes > bytesMax) {
        await reader.cancel();
        return undefined;
      }
      pieces.push(read.value);
    }
  } catch (_connectionLost) {
    // Nobody is left to be answered; whatever is said now goes nowhere.
    return "";
  }
  return Buffer.concat(pieces).toString("utf8");
}
