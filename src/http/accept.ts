/**
 * The `Accept` header (RFC 9110, section 12.5.1): which of the two media types of this server a
 * client takes.
 *
 * This file owns that reading. It must never be stricter than the RFC: a missing header and
 * wildcards admit everything they name.
 */

import { ACCEPT_VALUES_MAX } from "../limits.ts";

/** What the client takes. */
export interface Accepted {
  readonly json: boolean;
  readonly eventStream: boolean;
}

const EVERYTHING: Accepted = { json: true, eventStream: true };

/** Clients send the same few values over and over; parsed ones are kept. */
const parsed = new Map<string, Accepted>();

/** @param header the header's value, several joined by commas; null if absent */
export function readAccept(header: string | null): Accepted {
  if (header === null) return EVERYTHING;
  const known = parsed.get(header);
  if (known !== undefined) return known;
  const accepted = parse(header);
  if (parsed.size < ACCEPT_VALUES_MAX) parsed.set(header, accepted);
  return accepted;
}

function parse(header: string): Accepted {
  const qualities = new Map<string, number>();
  for (const element of header.split(",")) {
    const [range = "", ...parameters] = element.split(";").map((part) => part.trim().toLowerCase());
    if (range !== "") qualities.set(range, qualityOf(parameters));
  }
  // The most specific range that names a type decides, whatever the order.
  const admits = (type: string): boolean => {
    const group = `${type.slice(0, type.indexOf("/"))}/*`;
    return (qualities.get(type) ?? qualities.get(group) ?? qualities.get("*/*") ?? 0) > 0;
  };
  return { json: admits("application/json"), eventStream: admits("text/event-stream") };
}

/** The weight of a range; one that cannot be read counts as absent, which is 1. */
function qualityOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return weight !== undefined && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 1;
}
