/**
 * The built executable, started from an empty folder, serves every flavour of official client as the
 * sources do.
 *
 * This file owns the choice of pairs, in which all flavours appear. What happens is in
 * conversation.ts.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect, type Flavour } from "../support/client-flavours.ts";
import { type Program, startProgram, temporaryFolder } from "../support/program.ts";
import { converse, reconnect, replace, SETTINGS, vanish } from "./conversation.ts";

const PAIRS: readonly [Flavour, Flavour][] = [
  ["v1", "v2-pinned"],
  ["v2-auto", "v2-legacy"],
];
const MESSAGES = 20;
/** Compiling takes seconds on an idle machine. */
const BUILD_MS_MAX = 120_000;
const TEST_MS_MAX = 60_000;

let server: Program;
beforeAll(async () => {
  const args = [...SETTINGS, "--grace-seconds", "5", "--idle-seconds", "5"];
  server = await startProgram({ kind: "executable", args, cwd: temporaryFolder() });
}, BUILD_MS_MAX);
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

test.each(PAIRS)(
  "%s chats with %s",
  async (a, b) => {
    await using first = await connect(a, server.url);
    await using second = await connect(b, server.url);
    await converse(first, second, MESSAGES);
  },
  TEST_MS_MAX,
);

test(
  "all flavours vanish, reconnect and are replaced",
  async () => {
    await Promise.all(
      PAIRS.flatMap(([a, b]) => [
        vanish(server.url, a, b),
        vanish(server.url, b, a),
        reconnect(server.url, a, b),
        replace(server.url, b, a, "token"),
      ]),
    );
  },
  TEST_MS_MAX,
);
