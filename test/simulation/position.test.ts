/**
 * The place in line that people are told, in long lines of all kinds of people.
 *
 * This file owns the naive definition: everybody ahead is asked whether they could take one's partner
 * away. It must never ask the queue's lists.
 */
import { expect, test } from "bun:test";
import { KINDS, PARTNER_KINDS } from "../../src/domain/command.ts";
import { createLobby, step } from "../../src/domain/lobby.ts";
import { outlook, ticketOf } from "../../src/domain/pairing.ts";
import type { Lobby, User } from "../../src/domain/state.ts";
import { ORDINARY } from "../support/lobby-driver.ts";
import { Random } from "../support/lobby-random.ts";
import { isAvailable } from "./matcher.ts";

const SORTS = KINDS.flatMap((kind) => PARTNER_KINDS.map((partnerKind) => ({ kind, partnerKind })));
type Sort = (typeof SORTS)[number];

test("Q10: the position counts exactly those available ahead who compete for the same partners", () => {
  let asked = 0;
  let longest = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const lobby = createLobby({ ...ORDINARY, widenMs: 1_000_000 });
    // Few who fit share an interest, so lines grow long.
    const interests = 3 + random.below(60);
    const line: number[] = [];
    for (let i = 0, at = 0; i < 250; i++) {
      at += random.below(1000);
      for (const event of step(lobby, {
        at,
        entropy: random.entropy(),
        command: next(random, lobby, line, i, interests),
      })) {
        if (event.type === "queued") line.push(event.user);
        if (event.type === "matched") for (const ref of event.users) remove(line, ref);
        if (event.type === "left_queue") remove(line, event.user);
      }
      const available = line
        .map((ref) => lobby.users.get(ref))
        .filter((user) => user && isAvailable(lobby, user)) as User[];
      available.forEach((user, place) => {
        const ticket = ticketOf(lobby, user);
        if (ticket === undefined) throw new Error(`${user.ref} does not wait`);
        const rivals = available.slice(0, place).filter((ahead) => compete(ahead, user));
        if (outlook(lobby, ticket).position !== rivals.length + 1)
          throw new Error(
            `seed ${seed}, step ${i}: ${user.ref} is told ${outlook(lobby, ticket).position}, not ${rivals.length + 1}`,
          );
        asked++;
        longest = Math.max(longest, rivals.length + 1);
      });
    }
  }
  // Not about nothing.
  expect(asked).toBeGreaterThan(100_000);
  expect(longest).toBeGreaterThan(50);
});

/** Whether somebody could be wanted by both, and wanted of both. */
function compete(a: Sort, b: Sort): boolean {
  return SORTS.some((third) => fit(a, third) && fit(b, third));
}

function fit(a: Sort, b: Sort): boolean {
  return wants(a, b) && wants(b, a);
}

function wants({ partnerKind }: Sort, { kind }: Sort): boolean {
  return partnerKind === "any" || partnerKind === kind;
}

/** Mostly somebody new; else somebody who waits leaves, comes back, goes away or calls again. */
function next(random: Random, lobby: Lobby, line: readonly number[], i: number, interests: number) {
  const user = lobby.users.get(random.any(line) ?? 0);
  if (user === undefined || random.chance(0.6)) {
    const said = { ...random.pick(SORTS as [Sort, ...Sort[]]), interests: [`i${random.below(interests)}`] };
    return { type: "enter_queue", caller: {}, newToken: `t${i}`, ...said } as const;
  }
  const caller = { bearer: user.tokenHash };
  if (random.chance(0.2)) return { type: "leave_queue", caller } as const;
  if (random.chance(0.3)) return { type: "look", caller } as const;
  return user.streams > 0
    ? ({ type: "close_stream", user: user.ref } as const)
    : ({ type: "open_stream", user: user.ref } as const);
}

function remove(line: number[], ref: number): void {
  const at = line.indexOf(ref);
  if (at >= 0) line.splice(at, 1);
}
