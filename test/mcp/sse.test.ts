/** The event-stream format: byte for byte, both ways, and closed to injection. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeFrames,
  encodeComment,
  encodeFrame,
  encodeMessage,
  SseDecoder,
  type SseFrame,
} from "../../src/mcp/sse.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

describe("encoding, byte for byte", () => {
  test("a message", () => {
    expect(encodeMessage('{"a":1}')).toBe('event: message\ndata: {"a":1}\n\n');
    expect(encodeMessage('{"a":1}', "g.7")).toBe('event: message\nid: g.7\ndata: {"a":1}\n\n');
  });
  test("a priming event: id, retry and empty data", () => {
    expect(encodeFrame({ id: "g.0", retryMs: 3000, data: "" })).toBe("id: g.0\nretry: 3000\ndata: \n\n");
  });
  test("only a retry", () => {
    expect(encodeFrame({ retryMs: 0 })).toBe("retry: 0\n\n");
  });
  test("a comment", () => {
    expect(encodeComment("ka")).toBe(": ka\n\n");
  });
});

describe("injection", () => {
  const breaks = ["\n", "\r", "\r\n", "x\ndata: forged", "\n\nevent: message", "a\rb"];
  test.each(breaks)("%j is refused in every field", (forged) => {
    expect(() => encodeFrame({ event: forged })).toThrow(RangeError);
    expect(() => encodeFrame({ id: forged })).toThrow(RangeError);
    expect(() => encodeFrame({ data: forged })).toThrow(RangeError);
    expect(() => encodeMessage(forged)).toThrow(RangeError);
    expect(() => encodeMessage("{}", forged)).toThrow(RangeError);
    expect(() => encodeComment(forged)).toThrow(RangeError);
  });
  test("an id with a NUL, which readers would ignore, is refused", () => {
    expect(() => encodeFrame({ id: "a\0" })).toThrow(RangeError);
    expect(() => encodeMessage("{}", "a\0")).toThrow(RangeError);
  });
  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("a retry of %d is refused", (retryMs) => {
    expect(() => encodeFrame({ retryMs })).toThrow(RangeError);
  });
  test("U+2028, U+2029 and U+0085 are no line breaks in this format", () => {
    const data = "a\u2028b\u2029c\u0085d";
    expect(decodeFrames(encodeFrame({ data }))).toEqual([{ data }]);
  });
});

const field = fc.string({ unit: "binary" }).filter((text) => !/[\r\n]/.test(text));
const frame: fc.Arbitrary<SseFrame> = fc
  .record(
    {
      event: field,
      id: field.filter((text) => !text.includes("\0")),
      retryMs: fc.nat(),
      data: field,
    },
    { requiredKeys: [] },
  )
  .filter((f) => Object.keys(f).length > 0);

test("decode(encode(f)) = f", () => {
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      expect(decodeFrames(frames.map(encodeFrame).join(""))).toEqual(frames);
    }),
  );
});

test("how the text is cut into pieces makes no difference, nor do the kinds of line break", () => {
  fc.assert(
    fc.property(
      fc.array(frame),
      fc.constantFrom("\n", "\r", "\r\n"),
      fc.array(fc.nat(12)),
      fc.boolean(),
      (frames, lineBreak, sizes, withMark) => {
        const text = (withMark ? "\uFEFF" : "") + frames.map(encodeFrame).join("").replaceAll("\n", lineBreak);
        const decoder = new SseDecoder();
        const got: SseFrame[] = [];
        let at = 0;
        for (const size of sizes) {
          got.push(...decoder.push(text.slice(at, at + size)));
          at += size;
        }
        got.push(...decoder.push(text.slice(at)));
        expect(got).toEqual(frames);
      },
    ),
  );
});

describe("decoding", () => {
  test("comments and unknown fields are skipped, several data lines joined", () => {
    expect(decodeFrames(": hi\n\nfoo: x\n\ndata: a\ndata: b\ndata\n\n")).toEqual([{ data: "a\nb\n" }]);
  });
  test("one leading space belongs to the format, further ones to the value", () => {
    expect(decodeFrames("data:x\n\ndata:  y\n\n")).toEqual([{ data: "x" }, { data: " y" }]);
  });
  test("a block without its blank line is not an event yet", () => {
    expect(decodeFrames("data: x\n")).toEqual([]);
  });
  test("malformed retry and ids with NUL are ignored", () => {
    expect(decodeFrames("retry: 1e3\nid: a\0b\ndata: x\n\n")).toEqual([{ data: "x" }]);
  });
  test("any text decodes without an exception", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => Array.isArray(decodeFrames(text))));
  });
});
