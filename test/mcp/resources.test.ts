/** Reading resources: each era's words for the same thing, and what does not exist for this caller does not exist. */

import { describe, expect, test } from "bun:test";
import { URI_CHARS_MAX } from "../../src/limits.ts";
import { ANN, type Asker, createWorld, legacyAsker, listed, modernAsker } from "../support/primitives-fixture.ts";

const world = createWorld();
const NOBODY: readonly Asker[] = [legacyAsker(world), modernAsker(world)];
const ANNS: readonly Asker[] = [legacyAsker(world, "2025-11-25", ANN), modernAsker(world, ANN)];
const eras = (askers: readonly Asker[]): [string, Asker][] => askers.map((asker) => [asker.era, asker]);

describe.each(eras(ANNS))("%s", (era, ann) => {
  test("a list is the caller's own", async () => {
    expect(await listed(ann, "resources/list", "resources")).toEqual([
      { uri: "test://mine", name: "mine", title: "Mine", size: 4, icons: [expect.anything()] },
    ]);
    for (const nobody of NOBODY) expect(await listed(nobody, "resources/list", "resources")).toEqual([]);
  });

  test("a text", async () => {
    const { result } = (await ann.ask("resources/read", { uri: "test://mine" })).body;
    expect(result).toMatchObject({ contents: [{ uri: "test://mine", text: "mine" }] });
  });

  test("bytes that take their time", async () => {
    const { result } = (await ann.ask("resources/read", { uri: "test://later" })).body;
    expect(result).toMatchObject({ contents: [{ uri: "test://later", blob: "AA==", mimeType: "x/y" }] });
  });

  const code = era === "legacy" ? -32002 : -32602;
  test("one that does not exist", async () => {
    expect(await ann.ask("resources/read", { uri: "test://none" })).toMatchObject({
      status: 200,
      body: { id: 7, error: { code, data: { uri: "test://none" } } },
    });
  });

  test("a bug is none of the caller's business", async () => {
    const { body } = await ann.ask("resources/read", { uri: "test://bug" });
    expect(body.error).toEqual({ code: -32603, message: "Internal error" });
  });
});

describe.each(eras(NOBODY))("%s, by somebody else", (era, nobody) => {
  test("is answered as if it did not exist", async () => {
    const read = (uri: string) => nobody.ask("resources/read", { uri });
    const [others, none] = [await read("test://mine"), await read("test://none")];
    const sameUri = JSON.parse(JSON.stringify(others).replaceAll("test://mine", "test://none"));
    expect(sameUri).toEqual(JSON.parse(JSON.stringify(none)));
    expect(others.body.error).toMatchObject({ code: era === "legacy" ? -32002 : -32602 });
  });

  test.each<[string, Record<string, unknown> | undefined]>([
    ["no uri", {}],
    ["a number", { uri: 3 }],
    ["an empty one", { uri: "" }],
    ["one that is too long", { uri: `test://${"x".repeat(URI_CHARS_MAX)}` }],
  ])("%s is refused", async (_what, params) => {
    for (const method of era === "legacy"
      ? ["resources/read", "resources/subscribe", "resources/unsubscribe"]
      : ["resources/read"]) {
      // A modern client has to name it in a header too, which is checked first.
      const { status, body } = await nobody.ask(method, params);
      const expected = era === "modern" && typeof params?.uri !== "string" ? -32020 : -32602;
      expect(body.error).toMatchObject({ code: expected });
      expect(status).toBe(expected === -32020 ? 400 : 200);
    }
  });
});

describe("caching", () => {
  test("what was read is the caller's alone and stale at once, unless the application says more", async () => {
    const [, ann] = ANNS;
    const read = async (uri: string) => (await ann?.ask("resources/read", { uri }))?.body.result;
    expect(await read("test://mine")).toMatchObject({ resultType: "complete", ttlMs: 0, cacheScope: "private" });
    expect(await read("test://all")).toMatchObject({ resultType: "complete", ttlMs: 7, cacheScope: "public" });
  });

  test("the legacy era knows nothing of it", async () => {
    const [ann] = ANNS;
    const result = (await ann?.ask("resources/read", { uri: "test://all" }))?.body.result;
    expect(Object.keys(result ?? {})).toEqual(["contents"]);
  });
});

test("Mcp-Name names the resource", async () => {
  const read = (name: string | undefined) => {
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "resources/read" };
    const reply = world.endpoint.post(
      { jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri: "test://all", _meta: meta } },
      name === undefined ? headers : { ...headers, "mcp-name": name },
    );
    return reply.kind === "json" ? [reply.status, JSON.parse(reply.body).error?.code] : reply.kind;
  };
  expect(read("test://all")).toEqual([200, undefined]);
  expect(read(`=?base64?${btoa("test://all")}?=`)).toEqual([200, undefined]);
  expect(read("test://ALL")).toEqual([400, -32020]);
  expect(read(undefined)).toEqual([400, -32020]);
});
