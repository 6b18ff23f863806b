/**
 * A page whose network is cut in the middle of a chat with every other kind of face: both write on, and when it
 * is back each has heard everything, once and in order.
 *
 * This file owns the cuts. How a face notices and says so is tested beside that face.
 */

import { afterAll, beforeAll, expect } from "bun:test";
import { CHROMIUM } from "../support/browser.ts";
import { slowTest, testWith } from "../support/client-optional.ts";
import { PageFace } from "../support/face-page.ts";
import { wordsOf } from "../support/face-words.ts";
import { KINDS, type KindName, Place } from "../support/faces.ts";
import { startProgram } from "../support/program.ts";
import { Relay } from "../support/relay.ts";

const TEST_MS_MAX = 60_000;
const MINUTE_MS = 60_000;
/** How often a partner speaks during a long cut. */
const SPEAK_EVERY_MS = 5_000;

let place: Place;
beforeAll(async () => {
  const args = ["--widen-seconds", "3600", "--grace-seconds", "120"];
  place = new Place(await startProgram({ kind: "source", args }));
}, TEST_MS_MAX);
afterAll(async () => {
  await place[Symbol.asyncDispose]();
}, TEST_MS_MAX);

/** A network, as a page may lose it. */
interface Cut {
  /** Settles when the page is without it. */
  readonly begin: (page: PageFace, relay: Relay) => Promise<void>;
  readonly end: (page: PageFace, relay: Relay) => Promise<void>;
}

const CUTS = {
  "without any network": {
    begin: async ({ tab }) => {
      await tab.page.context().setOffline(true);
      await tab.page.locator("#banner").waitFor();
    },
    end: ({ tab }) => tab.page.context().setOffline(false),
  },
  "with no way to the server": {
    begin: async ({ tab }, relay) => {
      relay.down();
      await tab.page.locator("#banner").waitFor();
    },
    end: async (_page, relay) => relay.up(),
  },
  // As a pulled cable: neither side is told, and what each sends is lost on the way.
  "on a dead line": {
    begin: async (_page, relay) => relay.freeze(),
    end: async (_page, relay) => relay.cut(),
  },
  // What the page says arrives, and it never learns of it.
  "that hears no answers": {
    begin: async (_page, relay) => relay.muffle(),
    end: async (_page, relay) => relay.cut(),
  },
} as const satisfies Readonly<Record<string, Cut>>;

type CutName = keyof typeof CUTS;

let chats = 0;

/** @param darkMs how long the cut lasts beyond the time in which all is said */
async function writeThroughCut(cut: Cut, partnerKind: KindName, darkMs: number): Promise<void> {
  const relay = new Relay(place.server.port);
  using _relay = { [Symbol.dispose]: () => relay.down() };
  await using page = await PageFace.open("Page", place.server, await place.newProfile(), relay.origin);
  await using partner = await KINDS[partnerKind].open(place);
  const interest = `outage ${++chats}`;
  await page.enter(interest);
  await partner.enter(interest);
  expect(await Promise.all([page.met(), partner.met()])).toEqual([partner.name, page.name]);
  const fromPartner: string[] = [];
  const fromPage: string[] = [];
  const both = async (text: string): Promise<void> => {
    await partner.say(`${text}, says the partner`);
    fromPartner.push(`${text}, says the partner`);
    await page.say(`${text}, says the page`);
    fromPage.push(`${text}, says the page`);
  };
  await both("before");
  await Promise.all([page.heard(1), partner.heard(1)]);

  await cut.begin(page, relay);
  for (const { said, heard } of wordsOf(partner)) {
    await partner.say(said);
    fromPartner.push(heard);
  }
  await both("in the dark");
  for (let passedMs = 0; passedMs < darkMs; passedMs += SPEAK_EVERY_MS) {
    await Bun.sleep(SPEAK_EVERY_MS);
    await both(`${passedMs / 1000} s later`);
  }
  await cut.end(page, relay);

  expect(await page.heard(fromPartner.length)).toEqual(fromPartner);
  expect(await partner.heard(fromPage.length)).toEqual(fromPage);
  await both("after");
  await Promise.all([page.heard(fromPartner.length), partner.heard(fromPage.length)]);
  await partner.leave();
  await page.told("left");
  expect([await page.heard(0), await partner.heard(0)]).toEqual([fromPartner, fromPage]);
  expect([await page.mischief(), await partner.mischief()]).toEqual([[], []]);
}

const TRIED: readonly (readonly [CutName, KindName])[] = [
  ["without any network", "a terminal"],
  ["without any network", "a script"],
  ["with no way to the server", "a bridge"],
  ["with no way to the server", "a terminal without a screen"],
  ["on a dead line", "a modern client"],
  ["on a dead line", "a terminal"],
  ["that hears no answers", "a legacy client"],
  ["that hears no answers", "a terminal"],
];

for (const [cut, partner] of TRIED) {
  testWith(
    [CHROMIUM, ...KINDS[partner].programs],
    `a page ${cut} and ${partner} hear all of each other when it is back`,
    () => writeThroughCut(CUTS[cut], partner, 0),
    TEST_MS_MAX,
  );
  slowTest(
    `a page ${cut} for a minute, and ${partner}, hear all of each other when it is back`,
    () => writeThroughCut(CUTS[cut], partner, MINUTE_MS),
    2 * MINUTE_MS,
    [CHROMIUM, ...KINDS[partner].programs],
  );
}

testWith(
  [CHROMIUM],
  "a page that is away for too long still shows what was said before its partner was told",
  async () => {
    await using short = new Place(await startProgram({ kind: "source", args: ["--grace-seconds", "1"] }));
    await using page = await PageFace.open("Page", short.server, await short.newProfile());
    await using partner = await KINDS["a modern client"].open(short);
    await page.enter("grace");
    await partner.enter("grace");
    await Promise.all([page.met(), partner.met()]);
    await partner.say("before");
    await page.heard(1);
    await page.tab.page.context().setOffline(true);
    const words = wordsOf(partner);
    for (const { said } of words) await partner.say(said);
    await partner.told("timeout");
    await page.tab.page.context().setOffline(false);
    await page.tab.page.locator("#over").waitFor();
    expect(await page.heard(1 + words.length)).toEqual(["before", ...words.map(({ heard }) => heard)]);
    expect(await page.tab.page.locator("#lines > *").last().innerText()).toContain("The chat");
    // And it is free for the next one.
    await page.enter("next");
    await partner.enter("next");
    expect(await Promise.all([page.met(), partner.met()])).toEqual([partner.name, page.name]);
  },
  TEST_MS_MAX,
);
