/** Sealed sessions: what is sealed comes back, anything else does not open, and nothing is kept for strangers. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SESSION_AGE_MS_MAX, SESSION_OPENED_MS, SESSION_TOKEN_CHARS_MAX } from "../../src/limits.ts";
import type { Revision } from "../../src/mcp/registry.ts";
import { Sessions } from "../../src/mcp/session.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

const KEY = new Uint8Array(32).fill(1);
const CLAIMS = {
  revision: "2025-06-18" as Revision,
  capabilities: 5,
  client: { name: "c", version: "1" },
  subject: "",
};

function setUp(usedAt?: (session: string) => number | undefined) {
  const clock = { at: 1_700_000_000_000 };
  const sessions = new Sessions({ key: KEY, now: () => clock.at, ...(usedAt && { usedAt }) });
  return { clock, sessions };
}

describe("sealing", () => {
  test("what is sealed comes back, and the token is visible ASCII of bounded length", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Revision>("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"),
        fc.nat(0xffff),
        fc.string({ unit: "grapheme", maxLength: 15 }),
        fc.string({ maxLength: 60 }),
        (revision, capabilities, name, subject) => {
          const { sessions, clock } = setUp();
          const token = sessions.issue({ revision, capabilities, client: { name, version: "2" }, subject });
          expect(token).toMatch(/^[\x21-\x7E]+$/);
          expect(token.length).toBeLessThanOrEqual(SESSION_TOKEN_CHARS_MAX);
          const opened = sessions.open(token, false);
          expect(opened).toMatchObject({ revision, capabilities, subject, issuedAt: clock.at });
          expect(name.startsWith(opened?.client.name ?? "not opened")).toBe(true);
        },
      ),
    );
  });

  test("long names are cut at a whole character", () => {
    const { sessions } = setUp();
    const token = sessions.issue({ ...CLAIMS, client: { name: "é".repeat(100), version: "🙂".repeat(50) } });
    expect(sessions.open(token, false)?.client).toEqual({ name: "é".repeat(32), version: "🙂".repeat(16) });
    expect(token.length).toBeLessThanOrEqual(SESSION_TOKEN_CHARS_MAX);
  });

  test("two sessions of the same client differ in token and id", () => {
    const { sessions } = setUp();
    const [a, b] = [sessions.issue(CLAIMS), sessions.issue(CLAIMS)];
    expect(a).not.toBe(b);
    expect(sessions.open(a, false)?.id).not.toBe(sessions.open(b, false)?.id);
  });

  test("a subject beyond its bound is a bug, and said so", () => {
    expect(() => setUp().sessions.issue({ ...CLAIMS, subject: "x".repeat(129) })).toThrow(RangeError);
  });
});

describe("what does not open", () => {
  test("every single changed bit", () => {
    const { sessions } = setUp();
    const sealed = Buffer.from(sessions.issue(CLAIMS), "base64url");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(sessions.open(flipped.toString("base64url"), true)).toBeUndefined();
    }
    expect(sessions.openedCount).toBe(0);
  });

  test("every shorter token, and longer ones", () => {
    const { sessions } = setUp();
    const token = sessions.issue(CLAIMS);
    for (let end = 0; end < token.length; end++) expect(sessions.open(token.slice(0, end), true)).toBeUndefined();
    for (const tail of ["A", "=", "AAAA", " "]) expect(sessions.open(token + tail, true)).toBeUndefined();
  });

  test("another spelling of the same bytes", () => {
    const { sessions } = setUp();
    for (let round = 0; round < 8; round++) {
      const token = sessions.issue({ ...CLAIMS, client: { name: "x".repeat(round), version: "" } });
      const last = token.at(-1) ?? "";
      const others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".replace(last, "");
      for (const other of others) expect(sessions.open(token.slice(0, -1) + other, true)).toBeUndefined();
    }
  });

  test("a token of another key", () => {
    const other = new Sessions({ key: new Uint8Array(32).fill(2), now: () => 0 });
    expect(setUp().sessions.open(other.issue(CLAIMS), true)).toBeUndefined();
  });

  test("arbitrary text", () => {
    const { sessions } = setUp();
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => sessions.open(text, true) === undefined));
    expect(sessions.open("A".repeat(100_000), true)).toBeUndefined();
  });
});

describe("age", () => {
  test("a session ends seven days after its issue if nobody used it", () => {
    const { sessions, clock } = setUp();
    const token = sessions.issue(CLAIMS);
    clock.at += SESSION_AGE_MS_MAX - 1;
    expect(sessions.open(token, false)).toBeDefined();
    clock.at += 1;
    expect(sessions.open(token, false)).toBeUndefined();
  });

  test("use that is remembered elsewhere counts", () => {
    let used: number | undefined;
    const { sessions, clock } = setUp(() => used);
    const token = sessions.issue(CLAIMS);
    clock.at += 10 * 24 * 3600 * 1000;
    expect(sessions.open(token, false)).toBeUndefined();
    used = clock.at - 1000;
    expect(sessions.open(token, false)).toBeDefined();
  });
});

describe("memory", () => {
  test("ten thousand sessions issued and looked at once keep nothing", () => {
    const { sessions } = setUp();
    for (let n = 0; n < 10_000; n++) sessions.open(sessions.issue(CLAIMS), false);
    expect(sessions.openedCount).toBe(0);
  });

  test("what is used stays opened, what is not used is dropped within two generations", () => {
    const { sessions, clock } = setUp();
    const [busy, idle] = [sessions.issue(CLAIMS), sessions.issue(CLAIMS)];
    const first = sessions.open(busy, true);
    sessions.open(idle, true);
    expect(sessions.openedCount).toBe(2);
    for (let round = 0; round < 2; round++) {
      clock.at += SESSION_OPENED_MS;
      sessions.sweep();
      expect(sessions.open(busy, true)).toBe(first);
    }
    expect(sessions.openedCount).toBe(1);
  });

  test("a token used all the time outlives its seven days", () => {
    const { sessions, clock } = setUp();
    const token = sessions.issue(CLAIMS);
    for (let at = 0; at < 2 * SESSION_AGE_MS_MAX; at += SESSION_OPENED_MS) {
      expect(sessions.open(token, true)).toBeDefined();
      clock.at += SESSION_OPENED_MS;
      sessions.sweep();
    }
  });
});
