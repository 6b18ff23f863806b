/**
 * Everything people and programs chat with, in one queue: each meets each, both talk, one leaves.
 *
 * This file owns the pairs. What one does to enter, speak and hear is in the support modules.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { testWith } from "../support/client-optional.ts";
import type { Face } from "../support/face.ts";
import { wordsOf } from "../support/face-words.ts";
import { KINDS, type KindName, Place } from "../support/faces.ts";
import { startProgram } from "../support/program.ts";

/** All pairs may wait for their turn. */
const TEST_MS_MAX = 120_000;

const NAMES = Object.keys(KINDS) as KindName[];

let place: Place;
beforeAll(async () => {
  place = new Place(await startProgram({ kind: "source", args: ["--widen-seconds", "3600"] }));
}, TEST_MS_MAX);
afterAll(async () => {
  await Promise.all([...guests.values()].map(dismiss));
  await place[Symbol.asyncDispose]();
}, TEST_MS_MAX);

// --- who is free ------------------------------------------------------------------------------

/** Everybody stays from pair to pair, as people do who go on to the next partner. */
const guests = new Map<KindName, Promise<Face>>();
const taken = new Set<KindName>();
const waiting: (() => void)[] = [];

/** Waits until both are free. */
async function take(pair: readonly KindName[]): Promise<void> {
  while (pair.some((name) => taken.has(name))) await new Promise<void>((resolve) => waiting.push(resolve));
  for (const name of pair) taken.add(name);
}

function release(pair: readonly KindName[]): void {
  for (const name of pair) taken.delete(name);
  for (const wake of waiting.splice(0)) wake();
}

function guest(name: KindName): Promise<Face> {
  const known = guests.get(name) ?? KINDS[name].open(place);
  guests.set(name, known);
  return known;
}

async function dismiss(opening: Promise<Face>): Promise<void> {
  const face = await opening.catch(() => undefined);
  await face?.[Symbol.asyncDispose]();
}

// --- what two do ------------------------------------------------------------------------------

async function tell(speaker: Face, listener: Face): Promise<void> {
  const words = wordsOf(speaker);
  for (const { said } of words) await speaker.say(said);
  expect(await listener.heard(words.length)).toEqual(words.map(({ heard }) => heard));
}

async function converse(first: Face, second: Face, interest: string): Promise<void> {
  await first.enter(interest);
  await second.enter(interest);
  expect(await Promise.all([first.met(), second.met()])).toEqual([second.name, first.name]);
  await Promise.all([tell(first, second), tell(second, first)]);
  await second.leave();
  await first.told("left");
  // What came after the third message, or again, would be here by now.
  for (const [listener, speaker] of [
    [first, second],
    [second, first],
  ] as const) {
    expect(await listener.heard(0)).toEqual(wordsOf(speaker).map(({ heard }) => heard));
    expect(await listener.mischief()).toEqual([]);
  }
}

// --- the pairs --------------------------------------------------------------------------------

/** All pairs, in rounds in which nobody has two partners: one stays, the others move around the table. */
const PAIRS = NAMES.slice(1).flatMap((_, round) => {
  const [fixed, ...others] = NAMES;
  const seats = [fixed, ...others.slice(round), ...others.slice(0, round)];
  return seats.slice(0, seats.length / 2).flatMap((one, at): [KindName, KindName][] => {
    const opposite = seats[seats.length - 1 - at];
    return one === undefined || opposite === undefined ? [] : [round % 2 === 0 ? [one, opposite] : [opposite, one]];
  });
});

for (const [at, pair] of PAIRS.entries()) {
  testWith(
    [...new Set(pair.flatMap((name): readonly string[] => KINDS[name].programs))],
    `${pair[0]} meets ${pair[1]}`,
    async () => {
      await take(pair);
      try {
        const [first, second] = await Promise.all([guest(pair[0]), guest(pair[1])]);
        await converse(first, second, `pair ${at}`);
      } catch (problem) {
        // Others get somebody new, who is in no chat.
        await Promise.all(pair.map((name) => dismiss(guest(name))));
        for (const name of pair) guests.delete(name);
        throw problem;
      } finally {
        release(pair);
      }
    },
    TEST_MS_MAX,
  );
}

const everyProgram = [...new Set(NAMES.flatMap((name): readonly string[] => KINDS[name].programs))];

testWith(
  everyProgram,
  "all enter at once: everybody has one partner, and hears nobody else",
  async () => {
    await take(NAMES);
    try {
      const faces = await Promise.all(NAMES.map(guest));
      await Promise.all(faces.map((face) => face.enter("anybody")));
      const partners = await Promise.all(faces.map((face) => face.met()));
      const met = new Map(faces.map(({ name }, at) => [name, partners[at] ?? ""]));
      for (const [name, partner] of met) expect(met.get(partner)).toBe(name);
      await Promise.all(faces.map((face) => face.say(`${face.name} to ${met.get(face.name)}`)));
      const heard = await Promise.all(faces.map((face) => face.heard(1)));
      expect(heard).toEqual(faces.map(({ name }) => [`${met.get(name)} to ${name}`]));
      const leavers = faces.filter(({ name }) => name < (met.get(name) ?? ""));
      await Promise.all(leavers.map((face) => face.leave()));
      await Promise.all(faces.filter((face) => !leavers.includes(face)).map((face) => face.told("left")));
    } finally {
      release(NAMES);
    }
  },
  TEST_MS_MAX,
);

test("each pair is there once", () => {
  expect(new Set(PAIRS.map((pair) => pair.toSorted().join())).size).toBe((NAMES.length * (NAMES.length - 1)) / 2);
});
