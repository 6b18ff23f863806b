/** Arguments that modern requests repeat in headers: which schemas ask for it, and when a header is right. */

import { describe, expect, test } from "bun:test";
import { checkParamHeaders, paramHeadersOf } from "../../src/mcp/param-headers.ts";
import type { Json, JsonObject } from "../../src/mcp/registry.ts";

function schema(properties: JsonObject): JsonObject {
  return { type: "object", properties };
}

describe("a schema", () => {
  test("names headers on properties, also of properties", () => {
    const found = paramHeadersOf(
      schema({
        region: { type: "string", "x-mcp-header": "Region" },
        plain: { type: "string" },
        where: schema({ zone: { type: "integer", "x-mcp-header": "zone-No" } }),
      }),
    );
    expect(found).toEqual([
      { header: "mcp-param-region", path: ["region"] },
      { header: "mcp-param-zone-no", path: ["where", "zone"] },
    ]);
  });

  test("is not searched where an argument cannot be reached through properties alone", () => {
    const hidden = { type: "string", "x-mcp-header": "H" };
    expect(paramHeadersOf({ type: "object", $defs: { hidden }, items: hidden, allOf: [schema({ hidden })] })).toEqual(
      [],
    );
    expect(paramHeadersOf({})).toEqual([]);
  });

  test.each<[string, JsonObject]>([
    ["a space in the name", { a: { type: "string", "x-mcp-header": "a b" } }],
    ["no name", { a: { type: "string", "x-mcp-header": "" } }],
    ["a number for a name", { a: { type: "string", "x-mcp-header": 3 } }],
    ["a property that is no single value", { a: { type: "object", "x-mcp-header": "A" } }],
    ["a number that is no integer", { a: { type: "number", "x-mcp-header": "A" } }],
    ["no type", { a: { "x-mcp-header": "A" } }],
    [
      "one name twice, whatever its case",
      { a: { type: "string", "x-mcp-header": "A" }, b: { type: "string", "x-mcp-header": "a" } },
    ],
  ])("%s is a mistake", (_what, properties) => {
    expect(() => paramHeadersOf(schema(properties))).toThrow(RangeError);
  });
});

describe("a request", () => {
  const wanted = paramHeadersOf(
    schema({
      text: { type: "string", "x-mcp-header": "Text" },
      count: { type: "integer", "x-mcp-header": "Count" },
      flag: { type: "boolean", "x-mcp-header": "Flag" },
    }),
  );
  const check = (args: Json | undefined, headers: Record<string, string>) =>
    checkParamHeaders(wanted, args, new Headers(headers));

  test.each<[Json | undefined, Record<string, string>]>([
    [undefined, {}],
    [{}, {}],
    [{ text: null, count: null }, {}],
    ["no object", {}],
    [{ text: "a" }, { "Mcp-Param-Text": "a" }],
    [{ text: " a\n" }, { "mcp-param-text": `=?base64?${btoa(" a\n")}?=` }],
    [{ text: "=?base64?x" }, { "mcp-param-text": "=?base64?x" }],
    [{ text: "" }, { "mcp-param-text": "" }],
    [
      { count: 42, flag: false },
      { "mcp-param-count": "42", "mcp-param-flag": "false" },
    ],
    [{ count: 42 }, { "mcp-param-count": "42.0" }],
    [{ count: -1 }, { "mcp-param-count": "-1" }],
    [{ other: "x" }, { "mcp-param-other": "y" }],
  ])("%o with %o is right", (args, headers) => {
    expect(check(args, headers)).toBeUndefined();
  });

  test.each<[Json | undefined, Record<string, string>]>([
    [{ text: "a" }, {}],
    [{ text: "a" }, { "mcp-param-text": "b" }],
    [{ text: "a" }, { "mcp-param-text": "A" }],
    [{ text: "a" }, { "mcp-param-text": "=?base64?YQ=?=" }],
    [{}, { "mcp-param-text": "a" }],
    [{ text: null }, { "mcp-param-text": "null" }],
    [{ count: 42 }, { "mcp-param-count": "43" }],
    [{ count: 42 }, { "mcp-param-count": "0x2a" }],
    [{ count: 0 }, { "mcp-param-count": "" }],
    [{ flag: true }, { "mcp-param-flag": "1" }],
    [{ flag: true }, { "mcp-param-flag": "true, true" }],
  ])("%o with %o is refused", (args, headers) => {
    expect(check(args, headers)).toMatchObject({ code: -32020, status: 400 });
  });
});
