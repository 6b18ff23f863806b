/**
 * IP addresses as text and as numbers: what is one, which lie in a range, and by which key people
 * are told apart.
 *
 * This file owns that reading. It must never throw on what somebody wrote, look anything up, or know
 * where a text came from.
 */

/** Eight groups of 16 bits. An IPv4 address is the IPv6 address it is mapped to (RFC 4291, section 2.5.5.2). */
export type Address = readonly number[];

/** All addresses that share the first `bits` bits of `from`. */
export interface AddressRange {
  readonly from: Address;
  readonly bits: number;
}

const GROUPS = 8;
const GROUP_BITS = 16;
/** Bits of the prefix under which IPv4 addresses are mapped. */
const MAPPED_BITS = 96;
/** What one household or machine is given: the rest of an IPv6 address its owner draws at will. */
const PREFIX_BITS = 64;

const MAPPED: Address = [0, 0, 0, 0, 0, 0xffff];
const BYTE = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const LOOPBACK: readonly AddressRange[] = [
  { from: [...MAPPED, 0x7f00, 0], bits: MAPPED_BITS + 8 },
  { from: [0, 0, 0, 0, 0, 0, 0, 1], bits: 128 },
];

/** Reads an IPv4 or IPv6 address, with or without a zone. Numbers with leading zeros mean different things to different programs, so they are none. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(":")) return parseIpv4(text, MAPPED);
  const zone = text.indexOf("%");
  return parseIpv6(zone === -1 ? text : text.slice(0, zone));
}

function parseIpv4(text: string, before: Address): Address | undefined {
  const bytes = text.split(".");
  if (bytes.length !== 4) return undefined;
  let value = 0;
  for (const byte of bytes) {
    if (!BYTE.test(byte) || Number(byte) > 255) return undefined;
    value = value * 256 + Number(byte);
  }
  return [...before, Math.floor(value / 65_536), value % 65_536];
}

/** RFC 4291, section 2.2: groups, once `::` for as many zeros as are missing, at the end perhaps an IPv4 address. */
function parseIpv6(text: string): Address | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = "", tail] = halves;
  const before = parseGroups(head, tail === undefined);
  const after = tail === undefined ? [] : parseGroups(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

function parseGroups(text: string, mayEndInIpv4: boolean): Address | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const last = parts.at(-1) ?? "";
  const groups: number[] = [];
  for (const part of mayEndInIpv4 && last.includes(".") ? parts.slice(0, -1) : parts) {
    if (!GROUP.test(part)) return undefined;
    groups.push(Number.parseInt(part, 16));
  }
  if (!mayEndInIpv4 || !last.includes(".")) return groups;
  return parseIpv4(last, groups);
}

/** Reads one address, or a range in CIDR notation (RFC 4632): `10.0.0.0/8`, `fd00::/8`. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const from = parseAddress(address);
  if (from === undefined || rest.length > 0) return undefined;
  const skipped = address.includes(":") ? 0 : MAPPED_BITS;
  if (length === undefined) return { from, bits: GROUPS * GROUP_BITS };
  const bits = BYTE.test(length) ? Number(length) + skipped : Number.NaN;
  return bits <= GROUPS * GROUP_BITS ? { from, bits } : undefined;
}

export function isInRange({ from, bits }: AddressRange, address: Address): boolean {
  for (let group = 0, left = bits; left > 0; group++, left -= GROUP_BITS) {
    const shift = Math.max(0, GROUP_BITS - left);
    if ((from[group] ?? 0) >> shift !== (address[group] ?? 0) >> shift) return false;
  }
  return true;
}

/** Whether the text is an address that can only be this machine's own, or a range that begins with one. */
export function isLoopbackText(text: string): boolean {
  const range = parseRange(text);
  return range !== undefined && isLoopbackAddress(range.from);
}

/** Whether the address can only be this machine's own. */
export function isLoopbackAddress(address: Address): boolean {
  return LOOPBACK.some((range) => isInRange(range, address));
}

/**
 * The key by which people are told apart: an IPv4 address as it is, of an IPv6 address the /64 prefix in
 * its canonical spelling (RFC 5952): `2001:db8:0:1::/64`.
 */
export function keyOfAddress(address: Address): string {
  if (MAPPED.every((group, at) => address[at] === group)) {
    const [high = 0, low = 0] = address.slice(MAPPED.length);
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  const groups = address.slice(0, PREFIX_BITS / GROUP_BITS);
  // The host's own half counts as zeros, which makes the run of zeros at the end the longest there is.
  const significant = groups.slice(0, groups.findLastIndex((group) => group !== 0) + 1);
  return `${significant.map((group) => group.toString(16)).join(":")}::/${PREFIX_BITS}`;
}

/** The key that a person means who writes an address, or the /64 prefix of one. */
export function parseAddressKey(text: string): string | undefined {
  const range = parseRange(text);
  const isWhole = !text.includes("/") || range?.bits === (text.includes(":") ? PREFIX_BITS : 128);
  return range !== undefined && isWhole ? keyOfAddress(range.from) : undefined;
}
