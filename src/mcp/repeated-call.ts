/**
 * Calls that may be made again in their client's name, because they then do nothing twice: the call itself travels,
 * sealed, in the event ids of its response stream. Whoever the client comes back to can go on with it, whether that
 * server has ever heard of the call or not.
 *
 * This file owns that text. It must never open one for another session than it was sealed for.
 */
import { EVENT_ID_CALL_CHARS_MAX } from "../limits.ts";
import type { Json, JsonObject } from "./json.ts";
import { isObject, isRequestId, type RpcRequest } from "./jsonrpc.ts";
import { Sealer } from "./sealing.ts";

const PURPOSE = "repeated call 1";

/** A call as it was made first. */
export interface RepeatedCall {
  readonly repeated: RpcRequest;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export class RepeatedCalls {
  readonly #sealer: Sealer;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#sealer = new Sealer(key, PURPOSE);
  }

  /** The call as it stands in event ids; undefined if it is too long for them. */
  write(session: string, { id, params = {} }: RpcRequest, startedAt: number): string | undefined {
    const token = isObject(params._meta) ? params._meta.progressToken : undefined;
    const meta: JsonObject = isRequestId(token) ? { _meta: { progressToken: token } } : {};
    const kept: JsonObject = { name: params.name ?? null, arguments: params.arguments ?? {}, ...meta };
    const plain = Buffer.from(JSON.stringify([session, startedAt, id, kept]));
    // Sealing makes it longer, so what is too long already need not be tried.
    if (plain.length > EVENT_ID_CALL_CHARS_MAX) return undefined;
    const sealed = this.#sealer.seal(plain);
    return sealed.length <= EVENT_ID_CALL_CHARS_MAX ? sealed : undefined;
  }

  /** Reads one; undefined if it was not written here, or for another session. */
  read(session: string, text: string): RepeatedCall | undefined {
    const plain = this.#sealer.open(text);
    if (plain === undefined) return undefined;
    const [owner, startedAt, id, params] = JSON.parse(plain.toString()) as readonly Json[];
    if (owner !== session || typeof startedAt !== "number" || !isRequestId(id) || !isObject(params)) return undefined;
    return { repeated: { kind: "request", id, method: "tools/call", params }, startedAt };
  }
}
