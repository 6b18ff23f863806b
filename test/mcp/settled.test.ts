/** What counts as read: written a while ago and nothing has gone wrong since. Compared with a simple model. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { STREAM_MARK_MS, STREAM_SETTLED_MS } from "../../src/limits.ts";
import { SettledPosition } from "../../src/mcp/settled.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

test("nothing is settled before its time, and everything a mark's length after it", () => {
  const settled = new SettledPosition();
  settled.written("1", 0);
  settled.written("2", STREAM_MARK_MS - 1);
  expect(settled.at(STREAM_SETTLED_MS - 1)).toBeUndefined();
  expect(settled.at(STREAM_SETTLED_MS + STREAM_MARK_MS - 1)).toBe("2");
});

test("trouble starts the time anew, but takes nothing back", () => {
  const settled = new SettledPosition();
  settled.written("1", 0);
  settled.written("2", 20_000);
  settled.disturbed(STREAM_SETTLED_MS);
  expect(settled.at(STREAM_SETTLED_MS + 60_000)).toBe("1");
  settled.written("2", STREAM_SETTLED_MS + 60_000);
  expect(settled.at(2 * STREAM_SETTLED_MS + 60_000)).toBe("2");
});

test("it never claims more than is proven, and never lags by more than a mark", () => {
  const step = fc.record({ gap: fc.nat(12_000), trouble: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60_000), (steps, rest) => {
      const settled = new SettledPosition();
      const written: { position: number; at: number }[] = [];
      let now = 0;
      let proven = 0;
      let lagging = 0;
      const prove = (): void => {
        for (const { position, at } of written) {
          if (now - at >= STREAM_SETTLED_MS) proven = Math.max(proven, position);
          if (now - at >= STREAM_SETTLED_MS + STREAM_MARK_MS) lagging = Math.max(lagging, position);
        }
      };
      let position = 0;
      for (const { gap, trouble } of steps) {
        now += gap;
        prove();
        if (trouble) {
          settled.disturbed(now);
          written.length = 0;
        } else {
          settled.written(String(++position), now);
          written.push({ position, at: now });
        }
      }
      now += rest;
      prove();
      const claimed = Number(settled.at(now) ?? 0);
      expect(claimed).toBeLessThanOrEqual(proven);
      expect(claimed).toBeGreaterThanOrEqual(lagging);
    }),
  );
});
