/**
 * Rates for lobbies of tests: none limited, and some of them limited.
 *
 * This file owns test settings only. It must never be imported by the product.
 */
import type { LobbySettings, Rate } from "../../src/domain/command.ts";

export type Rates = LobbySettings["rates"];

const ANY: Rate = { perSecond: 0, burst: 1 };

/** Everything as often as wanted. */
export const UNLIMITED: Rates = { messages: ANY, entries: ANY, joins: ANY, reports: ANY };

/** Unlimited but for what is given. */
export function limited(rates: Partial<Rates>): Rates {
  return { ...UNLIMITED, ...rates };
}
