/** The glance at a tool's arguments: it may only say yes where zod would give back the same. */
import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { sureArguments } from "../../src/chat/sure-arguments.ts";
import type { Json, JsonObject } from "../../src/mcp/registry.ts";

const SCHEMA = z.strictObject({
  text: z.string().describe("Anything."),
  id: z.string().min(1).max(4).optional(),
  kind: z.enum(["human", "agent"]).optional(),
  typing: z.boolean().optional(),
  // Wants a closer look, each for another reason.
  even: z
    .string()
    .refine((text) => text.length % 2 === 0)
    .optional(),
  word: z
    .string()
    .regex(/^[a-z]+$/)
    .optional(),
  seconds: z.number().min(1).optional(),
  tags: z.array(z.string()).optional(),
  trimmed: z.string().trim().optional(),
  instead: z.string().default("nothing"),
});

const isSure = sureArguments(SCHEMA);

describe("says yes to", () => {
  const PLAIN = z.strictObject({ text: z.string(), id: z.string().max(4).optional(), kind: z.enum(["a"]).optional() });
  test.each([[{ text: "" }], [{ text: "hello", id: "1234" }], [{ kind: "a", text: "x" }]])("%j", (args) =>
    expect(sureArguments(PLAIN)(args)).toBe(true),
  );
});

describe("leaves to the schema", () => {
  const REST = { instead: "x" };
  test.each<[string, JsonObject]>([
    ["a member missing", { ...REST }],
    ["an unknown member", { ...REST, text: "x", more: 1 }],
    ["a member named like one of every object", JSON.parse('{"text":"x","instead":"x","__proto__":"x"}')],
    ["another inherited name", { ...REST, text: "x", constructor: "x" }],
    ["null", { ...REST, text: null }],
    ["another type", { ...REST, text: 7 }],
    ["too long", { ...REST, text: "x", id: "12345" }],
    ["too short", { ...REST, text: "x", id: "" }],
    ["no option", { ...REST, text: "x", kind: "robot" }],
    ["a refinement", { ...REST, text: "x", even: "ab" }],
    ["a pattern", { ...REST, text: "x", word: "ab" }],
    ["a number", { ...REST, text: "x", seconds: 2 }],
    ["a list", { ...REST, text: "x", tags: [] }],
    ["what is changed", { ...REST, text: "x", trimmed: " x " }],
    ["what has a default", { text: "x" }],
  ])("%s", (_, args) => expect(isSure(args)).toBe(false));
});

test("never says yes where the schema would not give back the same", () => {
  const values: Json[] = ["", "a", "ab", "12345", "human", " x ", "A1", null, 0, 1, 2.5, true, false, [], {}, ["a"]];
  const names = [...Object.keys(SCHEMA.shape), "more", "toString"];
  const schema = SCHEMA.omit({ instead: true });
  const isSureOf = sureArguments(schema);
  let yes = 0;
  for (let i = 0; i < 20_000; i++) {
    const args: JsonObject = { text: "said" };
    // Every value under every name comes up, alone and together with another.
    args[names[i % names.length] ?? ""] = values[Math.floor(i / names.length) % values.length] ?? null;
    args[names[Math.floor(i / 7) % names.length] ?? ""] = values[Math.floor(i / 3) % values.length] ?? null;
    if (!isSureOf(args)) continue;
    yes++;
    expect(schema.parse(args)).toEqual(args as never);
  }
  expect(yes).toBeGreaterThan(100);
});
