/** The decoder is total and says exactly what a value is; ids come back as they went in. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decode, decodeText, idText, isRequestId, notificationText, resultText } from "../../src/mcp/jsonrpc.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

const V = { jsonrpc: "2.0" };

describe("decode", () => {
  const cells: [name: string, value: unknown, expected: object][] = [
    ["a request with an integer id", { ...V, id: 1, method: "m" }, { kind: "request", id: 1, method: "m" }],
    ["a request with id 0", { ...V, id: 0, method: "m" }, { kind: "request", id: 0 }],
    ["a request with an empty string id", { ...V, id: "", method: "m" }, { kind: "request", id: "" }],
    ["params", { ...V, id: 1, method: "m", params: { a: 1 } }, { kind: "request", params: { a: 1 } }],
    ["a notification", { ...V, method: "n" }, { kind: "notification", method: "n" }],
    ["a result", { ...V, id: "s1", result: {} }, { kind: "response", id: "s1", outcome: { result: {} } }],
    ["an error", { ...V, id: 2, error: { code: -1, message: "x" } }, { kind: "response", id: 2 }],
    ["an error without an id", { ...V, error: { code: -1, message: "x" } }, { kind: "response" }],
    ["an array", [], { kind: "batch", items: [] }],
    ["null", null, { kind: "invalid", fault: "shape" }],
    ["a number", 5, { kind: "invalid" }],
    ["an empty object", {}, { kind: "invalid" }],
    ["no version, with a readable id", { id: 9, method: "m" }, { kind: "invalid", id: 9 }],
    ["version 1.0", { jsonrpc: "1.0", id: "a", method: "m" }, { kind: "invalid", id: "a" }],
    ["a null id", { ...V, id: null, method: "m" }, { kind: "invalid", id: undefined }],
    ["a fractional id", { ...V, id: 1.5, method: "m" }, { kind: "invalid", id: undefined }],
    ["an id beyond 2^53", { ...V, id: 2 ** 60, method: "m" }, { kind: "invalid", id: undefined }],
    ["an object id", { ...V, id: {}, method: "m" }, { kind: "invalid" }],
    ["a boolean id", { ...V, id: true, method: "m" }, { kind: "invalid" }],
    ["a numeric method", { ...V, id: 3, method: 4 }, { kind: "invalid", id: 3 }],
    ["array params", { ...V, id: 3, method: "m", params: [] }, { kind: "invalid", id: 3 }],
    ["null params", { ...V, id: 3, method: "m", params: null }, { kind: "invalid", id: 3 }],
    ["result and error", { ...V, id: 3, result: {}, error: { code: 1, message: "" } }, { kind: "invalid", id: 3 }],
    ["neither", { ...V, id: 3 }, { kind: "invalid", id: 3 }],
    ["an array result", { ...V, id: 3, result: [] }, { kind: "invalid", id: 3 }],
    ["an error without a code", { ...V, id: 3, error: { message: "x" } }, { kind: "invalid", id: 3 }],
    ["a result without an id", { ...V, result: {} }, { kind: "invalid" }],
  ];
  test.each(cells)("%s", (_name, value, expected) => {
    expect(decode(value)).toMatchObject(expected);
  });

  test("text that is not JSON is told apart from a wrong shape", () => {
    expect(decodeText("{")).toMatchObject({ kind: "invalid", fault: "json" });
    expect(decodeText("")).toMatchObject({ kind: "invalid", fault: "json" });
    expect(decodeText("1")).toMatchObject({ kind: "invalid", fault: "shape" });
  });

  test("members named like those of Object.prototype mean nothing", () => {
    expect(decodeText('{"jsonrpc":"2.0","id":1,"method":"m","__proto__":{"params":[]}}')).toMatchObject({
      kind: "request",
      params: undefined,
    });
  });

  test("any text and any value decode to some variant", () => {
    const kinds = ["request", "notification", "response", "batch", "invalid"];
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => kinds.includes(decodeText(text).kind)));
    fc.assert(fc.property(fc.anything(), (value) => kinds.includes(decode(value).kind)));
    fc.assert(fc.property(almostMessage(), (value) => kinds.includes(decode(value).kind)));
  });

  test("a decoded id is always one that can be echoed", () => {
    fc.assert(
      fc.property(almostMessage(), (value) => {
        const decoded = decode(value);
        if (decoded.kind === "batch" || decoded.kind === "notification" || decoded.id === undefined) return;
        expect(isRequestId(decoded.id)).toBe(true);
        expect(JSON.parse(idText(decoded.id))).toBe(decoded.id === 0 ? 0 : decoded.id);
      }),
    );
  });
});

/** Objects with the members of messages, rightly and wrongly filled. */
function almostMessage(): fc.Arbitrary<unknown> {
  return fc.record(
    {
      jsonrpc: fc.oneof(fc.constant("2.0"), fc.jsonValue()),
      id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue()),
      method: fc.oneof(fc.string(), fc.jsonValue()),
      params: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
      result: fc.jsonValue(),
      error: fc.oneof(fc.record({ code: fc.integer(), message: fc.string() }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
}

test("answers and notifications are one line of JSON, whatever the strings", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.jsonValue(), (text, value) => {
      const result = resultText(text, JSON.stringify({ text }));
      expect(JSON.parse(result)).toEqual({ jsonrpc: "2.0", id: text, result: { text } });
      const json = JSON.parse(JSON.stringify(value));
      const notification = notificationText(text, json);
      expect(JSON.parse(notification)).toEqual({ jsonrpc: "2.0", method: text, params: json });
      expect(/[\r\n]/.test(result + notification)).toBe(false);
    }),
  );
});
