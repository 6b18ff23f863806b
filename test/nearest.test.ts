/**
 * Guessing what a mistyped name meant.
 *
 * This file owns the promises of src/nearest.ts.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nearest } from "../src/nearest.ts";

const NAMES = ["host", "port", "grace-seconds", "idle-seconds", "allowed-hosts", "allowed-origins", "all"];

describe("a name is guessed", () => {
  test.each([
    ["prot", "port"],
    ["hots", "host"],
    ["PORT", "port"],
    ["grace-second", "grace-seconds"],
    ["gracesecnds", "grace-seconds"],
    ["grace_seconds", "grace-seconds"],
    ["grace", "grace-seconds"],
    ["allowed-o", "allowed-origins"],
    ["allwoed-hosts", "allowed-hosts"],
    ["alll", "all"],
  ])("%s is %s", (written, name) => {
    expect(nearest(written, NAMES)).toBe(name);
  });

  test.each(["", "x", "po", "bogus", "seconds", "allowed", "h", "grace-seconds".repeat(9)])("%p is none", (written) => {
    expect(nearest(written, NAMES)).toBeUndefined();
  });

  test("the nearest wins, not the first", () => {
    expect(nearest("rooms", ["roots", "boots", "rooms"])).toBe("rooms");
    expect(nearest("reprts", ["report", "reports"])).toBe("reports");
  });
});

test("one slip anywhere in a long name is always forgiven", () => {
  fc.assert(
    fc.property(fc.constantFrom("grace-seconds", "allowed-origins"), fc.nat(12), fc.nat(3), (name, at, kind) => {
      const slips = [
        name.slice(0, at) + name.slice(at + 1),
        `${name.slice(0, at)}x${name.slice(at)}`,
        `${name.slice(0, at)}x${name.slice(at + 1)}`,
        name.slice(0, at) + (name[at + 1] ?? "") + (name[at] ?? "") + name.slice(at + 2),
      ];
      expect(nearest(slips[kind] ?? "", NAMES)).toBe(name);
    }),
  );
});
