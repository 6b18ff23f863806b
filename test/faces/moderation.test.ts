/**
 * A page and a terminal that have had enough of their partner: the two never meet again, however they queue,
 * and whoever comes third is met by both.
 *
 * This file owns who blocks and reports whom. What a report is worth to an operator is tested elsewhere.
 */

import { expect } from "bun:test";
import { CHROMIUM } from "../support/browser.ts";
import { testWith } from "../support/client-optional.ts";
import type { Face, PersonFace } from "../support/face.ts";
import { PageFace } from "../support/face-page.ts";
import { ScreenFace } from "../support/face-terminal.ts";
import { KINDS, Place } from "../support/faces.ts";
import { startProgram } from "../support/program.ts";

const TEST_MS_MAX = 60_000;

/** An interest of all who come here, so that everybody would meet everybody. */
const INTEREST = "each other";

async function meet(first: Face, second: Face): Promise<void> {
  await first.enter(INTEREST);
  await second.enter(INTEREST);
  expect(await Promise.all([first.met(), second.met()])).toEqual([second.name, first.name]);
}

async function partForGood(
  place: Place,
  actor: PersonFace,
  partner: PersonFace,
  act: "block" | "report",
): Promise<void> {
  await using third = await KINDS["a modern client"].open(place);
  // Two who have merely left meet again where there is nobody else: nothing but the act will hold them apart.
  await meet(actor, partner);
  await actor.leave();
  await partner.told("left");
  await meet(actor, partner);
  await partner.say("buy my watches");
  expect(await actor.heard(1)).toEqual(["buy my watches"]);
  await actor[act]();
  await partner.told("blocked");

  await actor.enter(INTEREST);
  await partner.enter(INTEREST);
  await Promise.all([actor.waits(), partner.waits()]);

  await third.enter(INTEREST);
  const name = await third.met();
  const [first, second] = name === actor.name ? [actor, partner] : [partner, actor];
  expect([await first.met(), name]).toEqual([third.name, first.name]);
  await third.say("hello, whoever you are");
  expect(await first.heard(1)).toEqual(["hello, whoever you are"]);
  await second.waits();
  await third.leave();
  await first.told("left");

  // Whoever has just become free is no partner for the one who still waits.
  await first.enter(INTEREST);
  await Promise.all([first.waits(), second.waits()]);
  await third.enter(INTEREST);
  expect(await third.met()).toBe(second.name);
  expect(await second.met()).toBe(third.name);
  await first.waits();
}

for (const act of ["block", "report"] as const) {
  for (const actor of ["page", "terminal"] as const) {
    testWith(
      [CHROMIUM, "tmux"],
      `after a ${actor}'s ${act} the two never meet again, and a third meets both`,
      async () => {
        // Of its own: whoever else waits there would be a reason not to meet again so soon.
        await using place = new Place(await startProgram({ kind: "source", args: ["--widen-seconds", "3600"] }));
        await using page = await PageFace.open("Page", place.server, await place.newProfile());
        await using screen = await ScreenFace.open("Screen", place.server.url);
        const [one, other] = actor === "page" ? [page, screen] : [screen, page];
        await partForGood(place, one, other, act);
      },
      TEST_MS_MAX,
    );
  }
}
