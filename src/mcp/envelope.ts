/**
 * The envelope of every modern result (2026-07-28, Base protocol, "Results"): its type, who serves
 * it, and for how long a cache may keep it.
 *
 * This file owns that envelope as text, made once. It must never be used for a legacy client.
 */

import type { CachePolicy, Implementation, JsonObject } from "./registry.ts";

const SERVER_INFO = "io.modelcontextprotocol/serverInfo";

export class Envelope {
  readonly #info: Implementation;
  /** A complete result up to its own members, without a trailing comma. */
  readonly head: string;

  constructor(info: Implementation) {
    this.#info = info;
    this.head = `{"resultType":"complete","_meta":${JSON.stringify({ [SERVER_INFO]: info })}`;
  }

  /** A complete result. Its own `_meta`, if any, is kept beside ours. */
  complete(result: object & { readonly _meta?: JsonObject }): string {
    if (result._meta !== undefined) {
      const { _meta, ...members } = result;
      return JSON.stringify({ resultType: "complete", _meta: this.meta(_meta), ...members });
    }
    return this.around(JSON.stringify(result));
  }

  /**
   * A complete result.
   * @param members its own, as a JSON object without `_meta`
   */
  around(members: string): string {
    return members === "{}" ? `${this.head}}` : `${this.head},${members.slice(1)}`;
  }

  /** A complete result that may be cached, up to its own members, with the comma before them. */
  cacheable(policy: CachePolicy): string {
    return `${this.head},"ttlMs":${policy.ttlMs},"cacheScope":"${policy.scope}",`;
  }

  /** A result's `_meta` with ours in it. */
  meta(own: JsonObject): Record<string, unknown> {
    return { ...own, [SERVER_INFO]: this.#info };
  }
}
