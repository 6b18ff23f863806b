/** How tools and their results become text: nothing is made before it is needed, nothing is written twice. */
import { describe, expect, test } from "bun:test";
import { STRUCTURED_TEXT, type Tool, type ToolResult } from "../../src/mcp/registry.ts";
import { legacyToolResult, toolResultText } from "../../src/mcp/tools.ts";
import { createWorld, legacyAsker, modernAsker } from "../support/primitives-fixture.ts";

const SAID = { said: 'two "words"', n: 2 };
const TEXT = JSON.stringify(SAID);
const PLAIN: ToolResult = {
  content: [{ type: "text", text: TEXT }],
  structuredContent: SAID,
  [STRUCTURED_TEXT]: TEXT,
};

describe("a result whose structured content is text already", () => {
  const RESULTS: readonly (readonly [string, ToolResult])[] = [
    ["alone", PLAIN],
    ["an error", { ...PLAIN, isError: true }],
    ["with _meta", { ...PLAIN, _meta: { a: 1 } }],
    ["with a second text", { ...PLAIN, content: [...PLAIN.content, { type: "text", text: "and then" }] }],
  ];

  test.each(RESULTS)("reads the same as one that is written anew: %s", (_, result) => {
    const { [STRUCTURED_TEXT]: __, ...anew } = result;
    expect(toolResultText(result)).toBe(JSON.stringify(anew));
    expect(legacyToolResult(result, "2024-11-05")).toBe(legacyToolResult(anew, "2024-11-05"));
  });

  test("is sent as it stands", () => {
    expect(toolResultText({ ...PLAIN, [STRUCTURED_TEXT]: '{"as":"it stands"}' })).toContain('"it stands"');
  });

  test("is complete in both eras", async () => {
    const tool: Tool = { name: "say", description: "Says it.", inputSchema: { type: "object" }, call: () => PLAIN };
    for (const asker of [legacyAsker, modernAsker]) {
      const { result } = (await asker(createWorld({ tools: [tool] })).ask("tools/call", { name: "say" })).body;
      expect(result).toMatchObject({ content: PLAIN.content, structuredContent: SAID });
    }
  });
});

test("schemas that are made on demand are made for a list, and not for a call", async () => {
  let reads = 0;
  const tool: Tool = {
    name: "late",
    description: "Has a schema that takes long to make.",
    lazySchemas: true,
    get inputSchema() {
      reads++;
      return { type: "object" };
    },
    call: () => PLAIN,
  };
  for (const asker of [legacyAsker, modernAsker]) {
    reads = 0;
    const world = asker(createWorld({ tools: [tool] }));
    expect((await world.ask("tools/call", { name: "late" })).body.result).toMatchObject({ structuredContent: SAID });
    expect(reads).toBe(0);
    await world.ask("tools/list");
    expect(reads).toBeGreaterThan(0);
  }
});
