import { describe, expect, test } from "bun:test";
import { cleanMessage, cleanName } from "../../src/domain/text.ts";
import { MESSAGE_ATTACKS, NAME_ATTACKS } from "./text-attacks.ts";
import { faultsOf } from "./text-legible.ts";

describe("what remains of an attack in a message", () => {
  test.each(MESSAGE_ATTACKS.map((row) => [row.attack, row] as const))("%s", (_, { supplied, remains }) => {
    expect(cleanMessage(supplied, 4000)).toEqual({ ok: true, text: remains });
    expect(faultsOf(remains)).toEqual([]);
    // The second opinion has teeth: it objects to everything that has to be changed.
    if (supplied !== remains) expect(faultsOf(supplied)).not.toEqual([]);
  });
});

describe("what remains of an attack in a name", () => {
  test.each(NAME_ATTACKS.map((row) => [row.attack, row] as const))("%s", (_, { supplied, remains }) => {
    expect(cleanName(supplied)).toEqual({ ok: true, text: remains });
    expect(faultsOf(remains)).toEqual([]);
  });
});
