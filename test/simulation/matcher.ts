/**
 * Who should be chosen for somebody who comes, found by looking at everybody who waits, one after the
 * other, by rules Q2 to Q8 and nothing else.
 *
 * This file owns the naive choice. It may look at what the lobby knows of people, never at its queue.
 */
import type { Kind, PartnerKind } from "../../src/domain/command.ts";
import type { Lobby, Met, User } from "../../src/domain/state.ts";

/** Somebody who comes or waits. */
export interface Seeker {
  readonly ref: number;
  readonly kind: Kind;
  readonly partnerKind: PartnerKind;
  readonly interests: readonly string[];
  readonly address: string | undefined;
  readonly recentPartners: readonly Met[];
  readonly blocked: ReadonlyMap<number, string | undefined> | undefined;
}

/** Those who wait, longest-waiting first, and when each of them stops holding out for a shared interest. */
export type Line = ReadonlyMap<number, number>;

/**
 * Who should be paired with somebody now, or undefined if they have to wait.
 * @param opensAt when the one who seeks stops holding out
 */
export function whoIsChosen(lobby: Lobby, line: Line, seeker: Seeker, opensAt: number): number | undefined {
  const all = permitted(lobby, line, seeker);
  const isOpen = (other: Seeker): boolean => (line.get(other.ref) ?? 0) <= lobby.now;
  const suiting = all.filter((other) => sharedBy(seeker, other) > 0 || (opensAt <= lobby.now && isOpen(other)));
  const strangers = suiting.filter((other) => !metLately(seeker, other));
  const pool =
    strangers.length > 0
      ? strangers
      : suiting.filter((other) => !hasStranger(all, seeker, other) && !hasStrangerOf(lobby, line, seeker, other));
  let best: Seeker | undefined;
  for (const other of pool) if (best === undefined || sharedBy(seeker, other) > sharedBy(seeker, best)) best = other;
  return best?.ref;
}

/** Everybody in line whom they may meet: available, of the right kind, and not blocked. */
function permitted(lobby: Lobby, line: Line, seeker: Seeker): Seeker[] {
  const found: Seeker[] = [];
  for (const ref of line.keys()) {
    const user = lobby.users.get(ref);
    if (user === undefined || ref === seeker.ref || !isAvailable(lobby, user)) continue;
    if (wants(seeker, user) && wants(user, seeker) && !hasBlocked(seeker, user) && !hasBlocked(user, seeker))
      found.push(user);
  }
  return found;
}

function hasStranger(others: readonly Seeker[], user: Seeker, except: Seeker): boolean {
  return others.some((other) => other.ref !== except.ref && !metLately(user, other));
}

/** Whether somebody who waits could meet a stranger instead of the one who seeks. */
function hasStrangerOf(lobby: Lobby, line: Line, seeker: Seeker, other: Seeker): boolean {
  return hasStranger(permitted(lobby, line, other), other, seeker);
}

export function isAvailable({ now, settings }: Lobby, user: User): boolean {
  if (user.streams > 0 || user.hold !== undefined) return true;
  return user.awaySince === undefined && now < user.lastCallAt + settings.availableMs;
}

type Sort = Pick<Seeker, "kind" | "partnerKind">;

function wants({ partnerKind }: Sort, { kind }: Sort): boolean {
  return partnerKind === "any" || partnerKind === kind;
}

function sharedBy(a: Seeker, b: Seeker): number {
  return a.interests.filter((interest) => b.interests.includes(interest)).length;
}

type Known = Pick<Seeker, "ref" | "address" | "recentPartners" | "blocked">;

function metLately(a: Known, b: Known): boolean {
  return a.recentPartners.some((met) => isOrWasWith(b, met)) || b.recentPartners.some((met) => isOrWasWith(a, met));
}

function isOrWasWith({ ref, address }: Known, met: Met): boolean {
  return met.user === ref || (met.address !== undefined && met.address === address);
}

function hasBlocked({ blocked }: Known, { ref, address }: Known): boolean {
  if (blocked === undefined) return false;
  return blocked.has(ref) || (address !== undefined && [...blocked.values()].includes(address));
}
