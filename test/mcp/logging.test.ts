/** Log messages: to whom, at which level, and on which stream. */

import { describe, expect, test } from "bun:test";
import { LOG_LEVELS_KEPT_MAX } from "../../src/limits.ts";
import { LogLevels } from "../../src/mcp/logging.ts";
import { LOG_LEVELS } from "../../src/mcp/registry.ts";
import { CALLER } from "../support/mcp-endpoint.ts";
import { type Asker, createWorld, legacyAsker, modernAsker } from "../support/primitives-fixture.ts";

const LEVEL = "io.modelcontextprotocol/logLevel";

async function heard(asker: Asker, meta: Record<string, unknown> = {}): Promise<unknown[]> {
  const { before, body } = await asker.ask("tools/call", { name: "log", arguments: { levels: LOG_LEVELS } }, meta);
  expect(body.result).toMatchObject({ content: [{ text: "done" }] });
  return before.map(({ method, params }) => {
    expect(method).toBe("notifications/message");
    const { level, ...rest } = params as Record<string, unknown>;
    expect(rest).toEqual({ logger: "test", data: { said: level } });
    return level;
  });
}

describe("a legacy session", () => {
  test("hears from info on, unless it says otherwise", async () => {
    expect(await heard(legacyAsker(createWorld()))).toEqual(LOG_LEVELS.slice(1));
  });

  test.each(LOG_LEVELS.map((level, at) => [level, at] as const))("set to %s", async (level, at) => {
    const asker = legacyAsker(createWorld());
    expect((await asker.ask("logging/setLevel", { level })).body.result).toEqual({});
    expect(await heard(asker)).toEqual(LOG_LEVELS.slice(at));
  });

  test.each([undefined, "loud", "INFO", 3, null])("%p is no level", async (level) => {
    const asker = legacyAsker(createWorld());
    const { status, body } = await asker.ask("logging/setLevel", level === undefined ? {} : { level });
    expect(status).toBe(200);
    expect(body.error).toMatchObject({ code: -32602, message: expect.stringContaining("emergency") });
  });

  test("sets for itself only, and until it ends", async () => {
    const world = createWorld();
    const [asker, other] = [legacyAsker(world), legacyAsker(world)];
    await asker.ask("logging/setLevel", { level: "alert" });
    expect(await heard(other)).toHaveLength(7);
    expect(await heard(asker)).toEqual(["alert", "emergency"]);
  });

  test("that takes no stream hears nothing, and is answered", async () => {
    const asker = legacyAsker(createWorld(), "2025-11-25", { ...CALLER, canStream: false });
    expect(await heard(asker)).toEqual([]);
  });
});

describe("a modern request", () => {
  test("hears nothing without asking", async () => {
    expect(await heard(modernAsker(createWorld()))).toEqual([]);
  });

  test.each(LOG_LEVELS.map((level, at) => [level, at] as const))("asks for %s", async (level, at) => {
    expect(await heard(modernAsker(createWorld()), { [LEVEL]: level })).toEqual(LOG_LEVELS.slice(at));
  });

  test("an unknown level is a fault of the envelope", async () => {
    const { status, body } = await modernAsker(createWorld()).ask("tools/list", {}, { [LEVEL]: "loud" });
    expect([status, body.error?.code]).toEqual([400, -32602]);
  });

  test("prompts log too", async () => {
    const params = { name: "greet", arguments: { who: "ann" } };
    const { before } = await modernAsker(createWorld()).ask("prompts/get", params, { [LEVEL]: "debug" });
    expect(before).toMatchObject([
      { method: "notifications/message", params: { level: "info", data: "greeting ann" } },
    ]);
  });
});

test("a server that does not log to clients says nothing, whoever asks", async () => {
  const world = createWorld({ logging: undefined });
  expect(await heard(legacyAsker(world))).toEqual([]);
  expect(await heard(modernAsker(world), { [LEVEL]: "debug" })).toEqual([]);
});

test("the memory of levels is bounded: the one longest set is forgotten", () => {
  const levels = new LogLevels();
  for (let n = 0; n < LOG_LEVELS_KEPT_MAX; n++) levels.set(`s${n}`, "alert");
  levels.set("s0", "alert");
  levels.set("one more", "alert");
  expect(["s0", "s1", "s2", "one more"].filter((session) => levels.wants(session, "info"))).toEqual(["s1"]);
  levels.endSession("s2");
  expect(levels.wants("s2", "info")).toBe(true);
});
