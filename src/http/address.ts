/**
 * Where a request came from, as far as per-address limits and bans may go by it: the peer of the
 * connection, or whom a trusted proxy says it speaks for.
 *
 * This file owns that decision. It must never believe a header that an untrusted peer has sent, nor
 * hold a request.
 */

import {
  type Address,
  type AddressRange,
  isInRange,
  isLoopbackAddress,
  keyOfAddress,
  parseAddress,
  parseRange,
} from "../ip-address.ts";
import { ADDRESS_READ_CHARS_MAX, ADDRESSES_READ_MAX, FORWARDED_HOPS_MAX } from "../limits.ts";

export interface AddressOptions {
  /** The name or address bound to. */
  readonly host: string;
  /** Addresses and ranges whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustedProxies?: readonly string[];
}

/** Of the runtime's server, what is needed here. */
interface PeerSource {
  requestIP(request: Request): { readonly address: string } | null;
}

/** @returns the key of the address, or undefined if the caller cannot be told from others by one */
export type AddressReader = (request: Request, server: PeerSource) => string | undefined;

/**
 * Makes the reader of addresses; undefined if no caller can ever have one, so that it costs nothing.
 *
 * A loopback peer has no address unless it is a trusted proxy: it may be anybody's proxy or a person at
 * this machine. Behind trusted proxies the right-most address that is not a trusted proxy itself counts;
 * whatever stands left of it is hearsay. An element on the way that is no address, or nothing but
 * trusted proxies, means no address: what a proxy does not tell is nobody's fault but the operator's.
 */
export function createAddressReader({ host, trustedProxies = [] }: AddressOptions): AddressReader | undefined {
  const trusted = trustedProxies.flatMap((text) => parseRange(text) ?? []);
  if (trusted.length === 0 && isLoopbackName(host)) return undefined;
  const readPeer = remembering((text) => {
    const peer = parseAddress(text);
    return peer !== undefined && isTrusted(trusted, peer) ? A_PROXY : tellingKey(peer);
  });
  const readForwarded = remembering((header) => tellingKey(forwardedFor(header, trusted)));
  return (request, server) => {
    const peer = readPeer(server.requestIP(request)?.address ?? "");
    return peer === A_PROXY ? readForwarded(request.headers.get("x-forwarded-for") ?? "") : peer;
  };
}

/** Instead of a key: the address of a proxy that speaks for others. */
const A_PROXY = "";

/** The key of an address that tells people apart. This machine's own does not. */
function tellingKey(address: Address | undefined): string | undefined {
  return address === undefined || isLoopbackAddress(address) ? undefined : keyOfAddress(address);
}

/** The same reading, which keeps the results for the texts that are most likely to come again. */
function remembering(read: (text: string) => string | undefined): (text: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined || text.length > ADDRESS_READ_CHARS_MAX) return found ?? read(text);
    const key = read(text);
    if (known.size >= ADDRESSES_READ_MAX) known.clear();
    known.set(text, key);
    return key;
  };
}

/** Walks the header from the right: several headers come joined by commas, in their order. */
function forwardedFor(header: string, trusted: readonly AddressRange[]): Address | undefined {
  let end = header.length;
  for (let hops = 0; hops < FORWARDED_HOPS_MAX && end >= 0; hops++) {
    const comma = end === 0 ? -1 : header.lastIndexOf(",", end - 1);
    const element = header.slice(comma + 1, end).trim();
    end = comma;
    // RFC 9110, section 5.6.1.2: empty elements of a list do not count.
    if (element === "") continue;
    const address = parseElement(element);
    if (address === undefined || !isTrusted(trusted, address)) return address;
  }
  return undefined;
}

/** An address as proxies write it: bare, in brackets, with a port. */
function parseElement(element: string): Address | undefined {
  const [, bracketed, ipv4] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(element) ?? [];
  return parseAddress(bracketed ?? ipv4 ?? element);
}

function isTrusted(trusted: readonly AddressRange[], address: Address): boolean {
  return trusted.some((range) => isInRange(range, address));
}

function isLoopbackName(host: string): boolean {
  const address = parseAddress(host);
  return address === undefined ? host === "localhost" : isLoopbackAddress(address);
}
