/** The era is decided from the body, cross-checked by one header, for every input there is. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decideEra, type EraDecision, LEGACY_REVISIONS, namesModern } from "../../src/mcp/era.ts";
import { decode } from "../../src/mcp/jsonrpc.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

const CLAIM = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } };
const call = (params?: object) => ({ jsonrpc: "2.0", id: 1, method: "tools/list", ...(params && { params }) });

describe("decideEra", () => {
  const cells: [name: string, body: unknown, header: string | null, era: EraDecision][] = [
    ["no claim, no header", call(), null, "legacy"],
    ["no claim, a legacy date", call(), "2025-06-18", "legacy"],
    ["no claim, an unknown older date", call(), "2023-01-01", "legacy"],
    ["no claim, the modern date", call(), "2026-07-28", "modern"],
    ["no claim, a later date", call(), "2027-01-01", "modern"],
    ["no claim, a draft's name", call(), "DRAFT-2026", "modern"],
    ["a claim, no header", call(CLAIM), null, "modern"],
    ["a claim, a legacy header", call(CLAIM), "2025-11-25", "modern"],
    ["a claim of any type", call({ _meta: { "io.modelcontextprotocol/protocolVersion": 5 } }), null, "modern"],
    ["a claim on initialize", { jsonrpc: "2.0", id: 1, method: "initialize", params: CLAIM }, null, "modern"],
    ["initialize", { jsonrpc: "2.0", id: 1, method: "initialize", params: {} }, null, "legacy"],
    ["other _meta", call({ _meta: { progressToken: 1 } }), null, "legacy"],
    ["_meta that is no object", call({ _meta: "x" }), null, "legacy"],
    ["a notification without a claim", { jsonrpc: "2.0", method: "n" }, null, "legacy"],
    ["a notification, modern by header", { jsonrpc: "2.0", method: "n" }, "2026-07-28", "modern"],
    ["a posted response", { jsonrpc: "2.0", id: 1, result: {} }, "2025-11-25", "legacy"],
    ["a batch", [call()], null, "legacy"],
    ["a batch with a modern header", [call()], "2026-07-28", "mixed"],
    ["a batch with one claim", [call(), call(CLAIM)], null, "mixed"],
    ["a batch of rubbish", [1, null, "x", []], null, "legacy"],
  ];
  test.each(cells)("%s", (_name, body, header, era) => {
    expect(decideEra(decode(body), header)).toBe(era);
  });

  test("no legacy date names the modern era", () => {
    for (const revision of LEGACY_REVISIONS) expect(namesModern(revision)).toBe(false);
  });

  test("any body and any header are decided", () => {
    fc.assert(
      fc.property(fc.anything(), fc.option(fc.string()), (body, header) =>
        ["legacy", "modern", "mixed"].includes(decideEra(decode(body), header)),
      ),
    );
  });
});
