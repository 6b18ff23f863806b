/**
 * How often users and addresses do what is limited. Both are asked before anything is done, and pay
 * only once it is done: what is refused costs nobody anything.
 *
 * This file owns the table of addresses. It must never know what is done.
 */
import { ADDRESSES_MAX } from "../limits.ts";
import { RATED, type Rated } from "./command.ts";
import { TimeHeap } from "./heap.ts";
import type { AddressKey } from "./ids.ts";
import { delayOf, fullAt, takeFrom } from "./moderation.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { AddressBook, AddressUse, Allowances, Lobby, User } from "./state.ts";

export function emptyAddressBook(): AddressBook {
  return { byAddress: new Map(), byNumber: new Map(), restored: new TimeHeap(), next: 1 };
}

/**
 * Why something may not be done once more now, or undefined if it may.
 * @param user undefined = somebody who has no record yet and has done nothing
 * @param address where the call comes from, if that is known
 */
export function tooOften(
  lobby: Lobby,
  rated: Rated,
  user: User | undefined,
  address: AddressKey | undefined,
): Refusal | undefined {
  const rate = lobby.settings.rates[rated];
  if (rate.perSecond === 0) return undefined;
  let delay = user === undefined ? 0 : delayOf(user[rated], rate, 1, lobby.now);
  const { usersPerAddress } = lobby.settings;
  if (address !== undefined && usersPerAddress > 0) {
    const shared = lobby.addresses.byAddress.get(address)?.[rated];
    delay = Math.max(delay, delayOf(shared, rate, usersPerAddress, lobby.now));
  }
  return delay === 0 ? undefined : refuse("rate_limited", delay);
}

/** Has a user and the address of their call pay for something that `tooOften` has let pass. */
export function pay(lobby: Lobby, rated: Rated, user: User, address: AddressKey | undefined): void {
  const rate = lobby.settings.rates[rated];
  if (rate.perSecond === 0) return;
  user[rated] = takeFrom(user[rated], rate, 1, lobby.now);
  const { usersPerAddress } = lobby.settings;
  if (address === undefined || usersPerAddress === 0) return;
  const use = lobby.addresses.byAddress.get(address) ?? addAddress(lobby, address);
  use[rated] = takeFrom(use[rated], rate, usersPerAddress, lobby.now);
}

/** After the rates have changed: what is not limited any more is forgotten, as it would never fill up. */
export function applyRates(lobby: Lobby): void {
  const { rates, usersPerAddress } = lobby.settings;
  const { byAddress, byNumber } = lobby.addresses;
  const forget = (allowances: Allowances): void => {
    for (const rated of RATED) if (rates[rated].perSecond === 0) allowances[rated] = undefined;
  };
  for (const user of lobby.users.values()) forget(user);
  for (const use of byAddress.values()) forget(use);
  if (usersPerAddress === 0) {
    byAddress.clear();
    byNumber.clear();
  }
  orderAddresses(lobby);
}

/** Makes the order anew in which addresses are forgotten. */
export function orderAddresses(lobby: Lobby): void {
  const { byNumber, restored } = lobby.addresses;
  restored.clear();
  for (const use of byNumber.values()) restored.push(restoredAt(lobby, use), use.number);
}

function addAddress(lobby: Lobby, address: AddressKey): AddressUse {
  const { addresses } = lobby;
  if (addresses.byAddress.size >= ADDRESSES_MAX) forgetOne(lobby);
  const number = addresses.next++;
  const use = { number, address, messages: undefined, entries: undefined, joins: undefined, reports: undefined };
  addresses.byAddress.set(address, use);
  addresses.byNumber.set(number, use);
  addresses.restored.push(lobby.now, number);
  return use;
}

/** Forgets the address that may do everything again soonest. Each payment costs at most one correction here. */
function forgetOne(lobby: Lobby): void {
  const { byAddress, byNumber, restored } = lobby.addresses;
  for (;;) {
    const hint = restored.earliest ?? 0;
    const use = byNumber.get(restored.pop() ?? 0);
    if (use === undefined) throw new Error("an address has no hint of its own");
    const at = restoredAt(lobby, use);
    if (at <= hint) {
      byAddress.delete(use.address);
      byNumber.delete(use.number);
      return;
    }
    restored.push(at, use.number);
  }
}

/** When an address may do everything again. */
function restoredAt(lobby: Lobby, use: AddressUse): number {
  const { rates, usersPerAddress } = lobby.settings;
  return Math.max(...RATED.map((rated) => fullAt(use[rated], rates[rated], usersPerAddress)));
}
