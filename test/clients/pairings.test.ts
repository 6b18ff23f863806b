/**
 * Every flavour of official client chats with every flavour, through a server in a process of its
 * own.
 *
 * This file owns the pairs. What is said is in conversation.ts.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect, FLAVOURS, type Flavour } from "../support/client-flavours.ts";
import { type Program, startProgram } from "../support/program.ts";
import { converse, SETTINGS } from "./conversation.ts";

const MESSAGES = 100;
const PAIRS = FLAVOURS.flatMap((a, at) => FLAVOURS.slice(at).map((b): [Flavour, Flavour] => [a, b]));
const TEST_MS_MAX = 60_000;

let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source", args: SETTINGS });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  expect(server.stderr).not.toContain("error");
});

test("there are ten pairs", () => {
  expect(PAIRS).toHaveLength(10);
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
