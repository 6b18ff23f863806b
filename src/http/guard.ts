/**
 * Who may talk to the endpoint at all: Host, Origin, access token, and what a POST must look like.
 * Everything here is decided from the head of a request.
 *
 * This file owns those decisions. It must never read a byte of a body, nor say more in a refusal
 * than which header was refused.
 */

import { digestOf, isSecretOf } from "../crypto.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import {
  BAD_TOKEN,
  BODY_TOO_LARGE,
  HOST_REFUSED,
  NOT_JSON,
  ORIGIN_REFUSED,
  UNAUTHENTICATED,
  unavailable,
  type WireError,
} from "../mcp/errors.ts";
import type { HeaderReader } from "../mcp/header-values.ts";
import { Unavailable } from "../mcp/unavailable.ts";

export interface GuardOptions {
  /** The name or address bound to, accepted as a Host unless it stands for all addresses. */
  readonly host: string;
  /** More `Host` values, in lower case: with a port they match that port only. */
  readonly allowedHosts: readonly string[];
  /** More `Origin` values, as browsers write them. */
  readonly allowedOrigins: readonly string[];
  /** Undefined: everybody who reaches the server may use it. */
  readonly accessToken: string | undefined;
  /** Whether a credential that is not the access token was handed out under it and still stands. */
  readonly isLiveUserToken: (credential: string) => boolean | Promise<boolean>;
}

/** Names by which a machine calls itself: no page from elsewhere can be served under them. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const ANY_ADDRESS = ["0.0.0.0", "::", "[::]"];

export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #accessDigest: Uint8Array | undefined;
  readonly #isLiveUserToken: GuardOptions["isLiveUserToken"];
  /** The last Host let through: nearly every request carries the same. */
  #knownHost: string | undefined;

  constructor({ host, allowedHosts, allowedOrigins, accessToken, isLiveUserToken }: GuardOptions) {
    const bound = ANY_ADDRESS.includes(host) ? [] : [host.includes(":") && !host.startsWith("[") ? `[${host}]` : host];
    this.#hosts = new Set([...LOOPBACK, ...bound, ...allowedHosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
    this.#accessDigest = accessToken === undefined ? undefined : digestOf(accessToken);
    this.#isLiveUserToken = isLiveUserToken;
  }

  /** Why a request may not be looked at any further, by where it was sent and by which page, if by any. */
  refuseSource(host: string | null, origin: string | null): WireError | undefined {
    return this.refuseHost(host) ?? this.refuseOrigin(origin);
  }

  /** Whether the request was meant for this server (Transports, "Security warning": DNS rebinding). */
  refuseHost(host: string | null): WireError | undefined {
    if (host === this.#knownHost) return undefined;
    if (host === null || !this.#isOwnHost(host.toLowerCase())) return HOST_REFUSED;
    this.#knownHost = host;
    return undefined;
  }

  /** Whether a page may talk to this server. No Origin means no page; "null" is any page that hides its own. */
  refuseOrigin(origin: string | null): WireError | undefined {
    if (origin === null) return undefined;
    const written = origin.toLowerCase();
    if (this.#origins.has(written)) return undefined;
    const host = /^https?:\/\/([^/?#@\\]+)$/.exec(written)?.[1];
    return host !== undefined && this.#isOwnHost(host) ? undefined : ORIGIN_REFUSED;
  }

  /** Whether the credential opens this server; later only if that has to be asked elsewhere. */
  refuseCredential(bearer: string | undefined): WireError | undefined | Promise<WireError | undefined> {
    if (this.#accessDigest === undefined) return undefined;
    if (bearer === undefined) return UNAUTHENTICATED;
    if (isSecretOf(this.#accessDigest, bearer)) return undefined;
    const isLive = this.#isLiveUserToken(bearer);
    if (isLive instanceof Promise) return isLive.then(refusalOf, refuseUnknown);
    return refusalOf(isLive);
  }

  #isOwnHost(host: string): boolean {
    return this.#hosts.has(host) || this.#hosts.has(withoutPort(host));
  }
}

function refusalOf(isLive: boolean): WireError | undefined {
  return isLive ? undefined : BAD_TOKEN;
}

/** Whoever could tell cannot be reached. */
function refuseUnknown(problem: unknown): WireError {
  if (problem instanceof Unavailable) return unavailable(problem.retryAfterMs);
  throw problem;
}

/** What of a POST's head is wrong, if anything: media type, then declared size. */
export function refusePostHead(headers: HeaderReader): WireError | undefined {
  if (!isJson(headers.get("content-type"))) return NOT_JSON;
  const declared = headers.get("content-length");
  return declared !== null && Number(declared) > BODY_BYTES_MAX ? BODY_TOO_LARGE : undefined;
}

/** The credential of an `Authorization` header with the scheme Bearer (RFC 6750, section 2.1). */
export function bearerOf(authorization: string | null): string | undefined {
  if (authorization === null) return undefined;
  return /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
}

/** Whether a media type is application/json, whatever its parameters. */
function isJson(contentType: string | null): boolean {
  if (contentType === "application/json") return true;
  if (contentType === null) return false;
  const end = contentType.indexOf(";");
  const essence = end === -1 ? contentType : contentType.slice(0, end);
  return essence.trim().toLowerCase() === "application/json";
}

function withoutPort(host: string): string {
  // An IPv6 address has colons of its own, inside brackets.
  const colon = host.lastIndexOf(":");
  if (colon === -1 || host.endsWith("]")) return host;
  for (let at = colon + 1; at < host.length; at++) {
    const unit = host.charCodeAt(at);
    if (unit < 48 || unit > 57) return host;
  }
  return host.slice(0, colon);
}
