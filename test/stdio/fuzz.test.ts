/** Whatever comes in over a pipe: every line written is a message, nothing is logged, and the next request is answered. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { createEventFixture } from "../support/event-fixture.ts";
import { StdioPipe } from "../support/stdio-pipe.ts";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};
const HANDSHAKE = { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "x", version: "1" } };

const METHODS = [
  ...["initialize", "ping", "tools/list", "tools/call", "server/discover", "subscriptions/listen", "events/list"],
  ...["events/poll", "events/stream", "notifications/cancelled", "notifications/initialized", "no/such"],
];

const id = fc.oneof(fc.string({ maxLength: 3 }), fc.nat(3), fc.jsonValue({ maxDepth: 1 }));
const params = fc.oneof(
  fc.constantFrom<unknown>(HANDSHAKE, { _meta: META }, { name: "echo", arguments: {} }, { name: "throw" }),
  fc.constantFrom<unknown>({ name: "note", _meta: META }, { notifications: {}, _meta: META }, { requestId: 1 }),
  fc.jsonValue({ maxDepth: 3 }),
);
const message = fc.record(
  { jsonrpc: fc.constantFrom("2.0", "1.0"), id, method: fc.constantFrom(...METHODS), params },
  { requiredKeys: ["jsonrpc"] },
);
const encode = (text: string) => new TextEncoder().encode(text);
const line = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.oneof(message, fc.array(message, { maxLength: 3 })).map((m) => encode(`${JSON.stringify(m)}\n`)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }) },
  { weight: 1, arbitrary: fc.jsonValue().map((value) => encode(`${JSON.stringify(value)}\r\n`)) },
);

test("arbitrary lines, cut anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.integer({ min: 1, max: 64 }), async (lines, size) => {
      const { definition, events } = createEventFixture();
      const pipe = new StdioPipe(definition, { bearer: "ann" });
      const bytes = Buffer.concat([...lines, encode("\n")]);
      for (let at = 0; at < bytes.length; at += size) pipe.bytes(new Uint8Array(bytes.subarray(at, at + size)));
      pipe.askModern("server/discover", {}, "still there?");
      // The pipe itself checks that every line is a message.
      let said = await pipe.said();
      while (said.id !== "still there?") said = await pipe.said();
      expect(said.result).toBeDefined();
      pipe.end();
      await pipe.server.done;
      expect(pipe.logged.filter((line) => !line.includes("TypeError"))).toEqual([]);
      expect(events.readers.size).toBe(0);
    }),
    { numRuns: 300 },
  );
});
