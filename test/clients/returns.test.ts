/**
 * Clients that come back within the grace time: by themselves after a lost connection, or as a new
 * process that knows the session or the token.
 *
 * This file owns who comes back to whom, and how. What happens is in conversation.ts.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { FLAVOURS, type Flavour, hearsByPush } from "../support/client-flavours.ts";
import { type Program, startProgram } from "../support/program.ts";
import { holdThroughDrop, reconnect, replace, SETTINGS } from "./conversation.ts";

const TEST_MS_MAX = 60_000;

/** A partner of the other generation that hears the other way. */
function otherKind(flavour: Flavour): Flavour {
  return hearsByPush(flavour) ? "v2-pinned" : "v1";
}

let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source", args: [...SETTINGS, "--grace-seconds", "30"] });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

test.concurrent.each(FLAVOURS)(
  "a %s whose connections drop goes on by itself",
  async (dropping) => {
    await Promise.all(FLAVOURS.map((staying) => reconnect(server.url, dropping, staying)));
  },
  TEST_MS_MAX,
);

test.concurrent.each(FLAVOURS.filter(hearsByPush))(
  "a held call of a %s is answered although its connection breaks",
  (flavour) => holdThroughDrop(server.url, flavour),
  TEST_MS_MAX,
);

test.concurrent.each(FLAVOURS.filter(hearsByPush))(
  "a killed %s comes back with its session and Last-Event-ID",
  (killed) => replace(server.url, killed, otherKind(killed), "session"),
  TEST_MS_MAX,
);

test.concurrent.each(FLAVOURS)(
  "a killed %s comes back with its session_token on a fresh connection",
  (killed) => replace(server.url, killed, otherKind(killed), "token"),
  TEST_MS_MAX,
);
