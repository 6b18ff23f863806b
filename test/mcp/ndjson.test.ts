/** Lines: any bytes in pieces of any size give the same lines, within the bound, and encoding is their inverse. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { encodeLine, type Line, LineDecoder } from "../../src/mcp/ndjson.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function read(pieces: Iterable<Uint8Array>, bytesMax = 100): Line[] {
  const decoder = new LineDecoder(bytesMax);
  const lines: Line[] = [];
  for (const piece of pieces) {
    lines.push(...decoder.push(piece));
    expect(decoder.pendingBytes).toBeLessThanOrEqual(bytesMax + 1);
  }
  return [...lines, ...decoder.end()];
}

const shown = (lines: readonly Line[]) => lines.map((line) => (line.kind === "text" ? line.text : `<${line.kind}>`));

describe("reading", () => {
  test.each([
    ["one line", "a\n", ["a"]],
    ["several", "a\nb\nc\n", ["a", "b", "c"]],
    ["blank ones are nothing", "\n \n\r\n\t\na\n", ["a"]],
    ["Windows ends", "a\r\nb\r\n", ["a", "b"]],
    ["a last one without an end", "a\nb", ["a", "b"]],
    ["a byte order mark", "\ufeffa\n", ["a"]],
    ["other line separators are text", "a\u2028b\u0085c\vd\n", ["a\u2028b\u0085c\vd"]],
    ["exactly as long as allowed", `${"x".repeat(100)}\r\n${"x".repeat(100)}\n`, ["x".repeat(100), "x".repeat(100)]],
    ["longer, then goes on", `${"x".repeat(101)}\nb\n`, ["<too long>", "b"]],
    ["much longer, then goes on", `${"x".repeat(100_000)}\nb\n`, ["<too long>", "b"]],
    ["longer and without an end", "x".repeat(500), ["<too long>"]],
    ["longer by bytes though not by characters", `${"\u20ac".repeat(34)}\n`, ["<too long>"]],
  ])("%s", (_what, text, lines) => {
    expect(shown(read([bytes(text)]))).toEqual(lines);
    expect(shown(read([...bytes(text)].map((byte) => Uint8Array.of(byte))))).toEqual(lines);
  });

  test("what is not UTF-8 is said to be so, line by line", () => {
    expect(shown(read([Uint8Array.of(0xff, 10, 97, 10, 0xe2, 0x82, 10, 98, 10)]))).toEqual([
      "<not text>",
      "a",
      "<not text>",
      "b",
    ]);
  });

  test("pieces that are filled anew afterwards are no matter", () => {
    const decoder = new LineDecoder(100);
    const piece = bytes("abc");
    decoder.push(piece);
    piece.fill(120);
    expect(shown(decoder.push(bytes("d\n")))).toEqual(["abcd"]);
  });

  test("any bytes, however they are cut: the same lines, each within the bound", () => {
    const cuts = fc.array(fc.nat(40), { maxLength: 20 });
    const input = fc.uint8Array({ maxLength: 400 }).map((raw) => raw.map((byte) => (byte % 7 === 0 ? 10 : byte)));
    fc.assert(
      fc.property(input, cuts, (raw, sizes) => {
        const pieces: Uint8Array[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(raw.subarray(at, at + size));
          at += size;
        }
        pieces.push(raw.subarray(at));
        const lines = read(pieces, 30);
        expect(lines).toEqual(read([raw], 30));
        for (const line of lines) if (line.kind === "text") expect(bytes(line.text).length).toBeLessThanOrEqual(30);
      }),
    );
  });
});

describe("writing", () => {
  test("refuses a line break, which would be read as the end", () => {
    for (const text of ["a\nb", "a\r"]) expect(() => encodeLine(text)).toThrow(RangeError);
  });

  test("what is written is read", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const texts = values.map((value) => JSON.stringify(value));
        const lines = read([bytes(texts.map(encodeLine).join(""))], 1_000_000);
        expect(shown(lines)).toEqual(texts);
      }),
    );
  });
});
