/**
 * The line that says how things stand: the connection, the queue, the partner.
 *
 * This file owns its wording. What a stranger wrote comes last in it, so that nothing can follow and
 * pretend to be ours. It must never promise what nobody knows.
 */

import type { Place } from "../client/happening.ts";

const KINDS = { human: "a person", agent: "an agent", unknown: "kind unknown" };

/** What the line is made from. */
export interface Situation {
  readonly place: Place;
  readonly isConnected: boolean;
  /** When the connection will be tried again; undefined = it is being tried. */
  readonly retryAt: number | undefined;
  readonly isPartnerTyping: boolean;
  readonly isPartnerAway: boolean;
  readonly unsent: number;
}

/** The parts of the line, the most important one first. `name` is a stranger's. */
export interface StatusParts {
  readonly parts: readonly string[];
  readonly name: string | undefined;
}

export function describeSituation(situation: Situation, now: number): StatusParts {
  const { place, isConnected } = situation;
  const name = place.at === "chatting" ? place.room.partner.displayName : undefined;
  const parts = isConnected ? describePlace(situation, now) : [describeLoss(situation, now)];
  if (situation.unsent > 0 && !isConnected) parts.push(`${situation.unsent} to send`);
  return { parts, name };
}

function describeLoss({ retryAt }: Situation, now: number): string {
  if (retryAt === undefined) return "connecting";
  const seconds = Math.ceil((retryAt - now) / 1000);
  return seconds > 0 ? `offline, trying again in ${seconds} s` : "offline, trying again";
}

function describePlace({ place, isPartnerAway, isPartnerTyping }: Situation, now: number): string[] {
  switch (place.at) {
    case "idle":
      return ["not in a chat", "/next meets somebody"];
    case "waiting": {
      const { position, waiting, estimatedWaitSeconds } = place.outlook;
      const line = position > 0 ? [`${ordinal(position)} in line${waiting === undefined ? "" : ` of ${waiting}`}`] : [];
      const wait =
        estimatedWaitSeconds === undefined
          ? "no estimate yet"
          : `about ${duration(estimatedWaitSeconds * 1000)} to wait`;
      return [`waiting ${clock(now - place.since)}`, ...line, wait];
    }
    case "chatting": {
      const mood = isPartnerAway ? "partner away" : isPartnerTyping ? "partner is typing" : "chatting";
      return [mood, KINDS[place.room.partner.kind]];
    }
  }
}

function ordinal(n: number): string {
  const suffix = /1[123]$/.test(String(n)) ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th");
  return `${n}${suffix}`;
}

function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
