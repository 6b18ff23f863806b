/** What is sealed opens with the same key for the same purpose, and nothing else does. */

import { describe, expect, test } from "bun:test";
import { SEAL_BYTES, Sealer } from "../../src/mcp/sealing.ts";

const KEY = new Uint8Array(32).fill(1);
const PLAIN = Buffer.from("what the client must not read");

describe("sealing", () => {
  test("opens to what was sealed, also nothing at all, and reads as visible ASCII", () => {
    const sealer = new Sealer(KEY, "test 1");
    for (const plain of [PLAIN, Buffer.alloc(0), Buffer.alloc(5000, 255)]) {
      const sealed = sealer.seal(plain);
      expect(sealed).toMatch(/^[\w-]+$/);
      expect(Buffer.from(sealed, "base64url")).toHaveLength(plain.length + SEAL_BYTES);
      expect(sealer.open(sealed)).toEqual(plain);
    }
  });

  test("never gives the same text twice, and shows nothing of what is inside", () => {
    const sealer = new Sealer(KEY, "test 1");
    expect(sealer.seal(PLAIN)).not.toBe(sealer.seal(PLAIN));
    expect(Buffer.from(sealer.seal(PLAIN), "base64url").includes("client")).toBe(false);
  });

  test("opens with neither another key nor for another purpose", () => {
    const sealed = new Sealer(KEY, "test 1").seal(PLAIN);
    expect(new Sealer(KEY, "test 2").open(sealed)).toBeUndefined();
    expect(new Sealer(new Uint8Array(32), "test 1").open(sealed)).toBeUndefined();
  });

  test("opens nothing that differs in a single character, or is spelt otherwise", () => {
    const sealer = new Sealer(KEY, "test 1");
    const sealed = sealer.seal(PLAIN);
    for (let at = 0; at < sealed.length; at++) {
      const other = sealed[at] === "A" ? "B" : "A";
      expect(sealer.open(sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeUndefined();
    }
    for (const text of ["", "x", `${sealed}=`, `${sealed}\n`, ` ${sealed}`, sealed.slice(0, -4), `${sealed}AAAA`]) {
      expect(sealer.open(text)).toBeUndefined();
    }
  });

  test("takes no key of another length", () => {
    expect(() => new Sealer(new Uint8Array(31), "test 1")).toThrow(RangeError);
  });
});
