/**
 * How much somebody may still do, in the model: a number that grows with time, for each thing that is
 * limited.
 *
 * This file owns what is left of an allowance. It must never know what it is spent on. The number of
 * addresses kept (L4) is a matter of memory: nothing of it can be noticed before there are 100,000.
 */
import type { LobbySettings, Rated } from "../../src/domain/command.ts";

/** What adding up fractions may lose, in thousandths; nobody waits a millisecond for it. */
const CRUMB = 1e-6;

/** Thousandths of what may still be done, true at a moment. Whoever is not listed has everything. */
export type Allowances = Map<Rated, { readonly left: number; readonly at: number }>;

export function copyAllowances(allowances: Allowances): Allowances {
  return new Map(allowances);
}

/** What a user may do, or an address, which may do as much as so many users. */
export interface Purse {
  readonly allowances: Allowances;
  readonly users: number;
}

/** How long one has to wait until every purse allows it; 0 = not at all. */
export function delayOf(purses: readonly Purse[], what: Rated, { rates }: LobbySettings, now: number): number {
  const { perSecond } = rates[what];
  if (perSecond === 0) return 0;
  const delays = purses.map((purse) => {
    const missing = 1000 - leftIn(purse, what, rates, now) - CRUMB;
    return missing <= 0 ? 0 : Math.max(1, Math.ceil(missing / (perSecond * purse.users)));
  });
  return Math.max(0, ...delays);
}

export function spend(purses: readonly Purse[], what: Rated, { rates }: LobbySettings, now: number): void {
  if (rates[what].perSecond === 0) return;
  for (const purse of purses) purse.allowances.set(what, { left: leftIn(purse, what, rates, now) - 1000, at: now });
}

function leftIn({ allowances, users }: Purse, what: Rated, rates: LobbySettings["rates"], now: number): number {
  const { perSecond, burst } = rates[what];
  const most = 1000 * burst * users;
  const known = allowances.get(what);
  if (known === undefined) return most;
  return Math.min(most, known.left + (now - known.at) * perSecond * users);
}
