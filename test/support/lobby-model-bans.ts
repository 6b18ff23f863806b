/**
 * Bans in the model: which are in force, and against whom.
 *
 * This file owns who is kept out. It must never take anybody out.
 */
import { Refused } from "./lobby-model-people.ts";
import type { ModelBan, ModelState } from "./lobby-model-state.ts";

/** Somebody by what is known: a user, or who is not one yet. */
interface Comer {
  readonly ref?: number;
  readonly address: string | undefined;
  readonly userId?: string | undefined;
}

/** Bans that are in force. */
export function bansOf({ bans, now }: ModelState): ModelBan[] {
  return bans.filter(({ until }) => until > now);
}

/** Those that cover somebody: by their record, by where they are, by the id they ask for. */
export function bansAgainst(state: ModelState, { ref, address, userId }: Comer): ModelBan[] {
  return bansOf(state).filter(
    (ban) =>
      (ref !== undefined && ban.user === ref) ||
      (address !== undefined && ban.address === address) ||
      (ref === undefined && ban.target.kind === "user" && ban.target.userId === userId),
  );
}

/** Throws if somebody is kept out, with the time until the last of the bans ends if all end. */
export function mustNotBeBanned(state: ModelState, comer: Comer): void {
  const against = bansAgainst(state, comer);
  if (against.length === 0) return;
  const until = Math.max(...against.map((ban) => ban.until));
  throw new Refused("banned", Number.isFinite(until) ? until - state.now : undefined);
}
