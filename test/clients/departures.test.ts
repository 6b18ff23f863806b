/**
 * Clients that die: their processes are killed in the middle of a chat, and their partners learn of
 * it in time.
 *
 * This file owns who dies on whom. What happens is in conversation.ts.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { FLAVOURS } from "../support/client-flavours.ts";
import { type Program, startProgram } from "../support/program.ts";
import { SETTINGS, vanish } from "./conversation.ts";

const TEST_MS_MAX = 60_000;

let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source", args: [...SETTINGS, "--grace-seconds", "1", "--idle-seconds", "3"] });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

test.concurrent.each(FLAVOURS)(
  "a killed %s is missed by a partner of every flavour",
  async (gone) => {
    await Promise.all(FLAVOURS.map((staying) => vanish(server.url, gone, staying)));
  },
  TEST_MS_MAX,
);
