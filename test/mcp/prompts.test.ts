/** Prompts and completion, in both eras: what is filled in, what is suggested, and every refusal. */

import { describe, expect, test } from "bun:test";
import { COMPLETION_VALUES_MAX } from "../../src/limits.ts";
import { type Asker, createWorld, legacyAsker, modernAsker } from "../support/primitives-fixture.ts";

const world = createWorld();
const ASKERS = [legacyAsker(world), modernAsker(world)].map((asker): [string, Asker] => [asker.era, asker]);

describe.each(ASKERS)("prompts/get, %s", (_era, asker) => {
  test("a prompt with its arguments", async () => {
    const { result } = (await asker.ask("prompts/get", { name: "greet", arguments: { who: "ann", how: "hi" } })).body;
    expect(result).toMatchObject({
      description: "A greeting",
      messages: [{ role: "user", content: { type: "text", text: "hi ann" } }],
    });
  });

  test("one that takes its time and needs none", async () => {
    const { result } = (await asker.ask("prompts/get", { name: "link" })).body;
    expect(result?.messages).toMatchObject([{ content: { type: "resource_link" } }, { content: { type: "audio" } }]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["an unknown prompt", { name: "nope" }, "Unknown prompt"],
    ["a required argument that is missing", { name: "greet" }, "who is required"],
    ["arguments that are no object", { name: "greet", arguments: ["ann"] }, "must be an object"],
    ["an argument that is no string", { name: "greet", arguments: { who: 3 } }, "who must be a string"],
    ["an unknown argument", { name: "greet", arguments: { who: "ann", x: "" } }, "unknown arguments"],
    ["an argument of the prototype", { name: "greet", arguments: { who: "ann", toString: "" } }, "unknown arguments"],
    ["one the prompt will not have", { name: "greet", arguments: { who: "nobody" } }, "nobody cannot be greeted"],
  ])("%s is refused", async (_what, params, words) => {
    const { status, body } = await asker.ask("prompts/get", params);
    expect(status).toBe(200);
    expect(body.error).toMatchObject({ code: -32602, message: expect.stringContaining(words) });
  });
});

test("a prompt without a name is refused, in the modern era by its header", async () => {
  const [[, legacy], [, modern]] = ASKERS as [(typeof ASKERS)[0], (typeof ASKERS)[0]];
  expect((await legacy.ask("prompts/get", {})).body.error).toMatchObject({ code: -32602 });
  expect(await modern.ask("prompts/get", {})).toMatchObject({ status: 400, body: { error: { code: -32020 } } });
});

test.each([
  ["2024-11-05", ["text", "text"]],
  ["2025-03-26", ["text", "audio"]],
  ["2025-06-18", ["resource_link", "audio"]],
])("content that %s does not know becomes words", async (revision, kinds) => {
  const { result } = (await legacyAsker(world, revision).ask("prompts/get", { name: "link" })).body;
  expect(result?.messages).toMatchObject(kinds.map((type) => ({ content: { type } })));
});

describe.each(ASKERS)("completion/complete, %s", (_era, asker) => {
  const prompt = { type: "ref/prompt", name: "greet" };
  const template = { type: "ref/resource", uri: "test://{kind}/{id}{?page}" };
  const complete = async (ref: unknown, name: unknown, value: unknown, context?: unknown) =>
    (
      await asker.ask("completion/complete", {
        ref,
        argument: { name, value },
        ...(context === undefined ? {} : { context }),
      })
    ).body;

  test("an argument of a prompt", async () => {
    expect((await complete(prompt, "who", "")).result).toMatchObject({
      completion: { values: ["ann", "bob"], total: 2, hasMore: false },
    });
  });

  test("one with more suggestions than an answer holds", async () => {
    const completion = (await complete(prompt, "how", "x")).result?.completion;
    expect(completion).toMatchObject({ total: 150, hasMore: true });
    expect(completion).toMatchObject({ values: Array.from({ length: COMPLETION_VALUES_MAX }, (_, n) => `x${n}`) });
  });

  test("a variable of a template, in the light of the others", async () => {
    const context = { arguments: { kind: "k-" } };
    expect((await complete(template, "id", "a", context)).result).toMatchObject({
      completion: { values: ["k-a1", "k-a2"] },
    });
  });

  test.each([
    [prompt, "mute"],
    [template, "kind"],
    [template, "page"],
  ])("nothing is suggested where the application has nothing: %o %s", async (ref, name) => {
    expect((await complete(ref, name, "x")).result).toMatchObject({
      completion: { values: [], total: 0, hasMore: false },
    });
  });

  test.each<[string, unknown, unknown, unknown, unknown?]>([
    ["no ref", undefined, "who", ""],
    ["a ref of no kind", { type: "ref/tool", name: "log" }, "who", ""],
    ["an unknown prompt", { type: "ref/prompt", name: "nope" }, "who", ""],
    ["a prompt without a name", { type: "ref/prompt" }, "who", ""],
    ["an unknown argument", prompt, "nope", ""],
    ["an argument of the prototype", prompt, "toString", ""],
    ["an unknown template", { type: "ref/resource", uri: "test://x" }, "id", ""],
    ["an unknown variable", template, "nope", ""],
    ["no value", prompt, "who", undefined],
    ["a value that is no string", prompt, "who", 3],
    ["no name", prompt, undefined, ""],
    ["a context that is none", prompt, "who", "", "x"],
    ["a context whose arguments are none", prompt, "who", "", { arguments: 3 }],
    ["a context with a number", prompt, "who", "", { arguments: { how: 3 } }],
  ])("%s is refused", async (_what, ref, name, value, context) => {
    expect((await complete(ref, name, value, context)).error).toMatchObject({ code: -32602 });
  });

  test("an argument that is none is refused", async () => {
    const { body } = await asker.ask("completion/complete", { ref: prompt, argument: "who" });
    expect(body.error).toMatchObject({ code: -32602 });
  });
});
