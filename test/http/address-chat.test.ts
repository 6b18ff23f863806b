/** Limits that go by address, in the whole chat behind a proxy: whose calls count together. */

import { expect, test } from "bun:test";
import { AdminRig } from "../support/admin-rig.ts";
import { RawSession } from "../support/client-raw.ts";
import { UNLIMITED } from "../support/lobby-rates.ts";

const FEW_ENTRIES = { rates: { ...UNLIMITED, entries: { perSecond: 0.1, burst: 1 } }, usersPerAddress: 2 };

test("L2: those at one address share what so many users may do; others are not touched", async () => {
  await using rig = new AdminRig({ lobby: FEW_ENTRIES });
  const enter = async (address: string) => (await rig.caller(address).call("enter_queue")).refusal;
  expect([await enter("198.51.100.1"), await enter("6.6.6.6, 198.51.100.1")]).toEqual([undefined, undefined]);
  expect(await enter("7.7.7.7, 198.51.100.1")).toBe("rate_limited");
  expect(await enter("198.51.100.2")).toBeUndefined();
  expect([await enter("2001:db8::1"), await enter("2001:db8::2"), await enter("2001:db8::3")]).toEqual([
    undefined,
    undefined,
    "rate_limited",
  ]);
  const session = await RawSession.open(`${rig.http.url}/mcp`, "2025-11-25", { "x-forwarded-for": "198.51.100.1" });
  expect((await session.call("enter_queue")).refusal).toBe("rate_limited");
  await rig.clock.pass(5000);
  expect(await enter("198.51.100.1")).toBeUndefined();
});

test("L2: without a trusted proxy all are one and none is limited by it", async () => {
  await using rig = new AdminRig({ lobby: FEW_ENTRIES, trustedProxies: [] });
  for (let i = 0; i < 10; i++) {
    expect((await rig.caller("198.51.100.1").call("enter_queue")).refusal).toBeUndefined();
  }
});
