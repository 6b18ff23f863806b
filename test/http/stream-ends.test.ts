/** Streams that end together: nobody else has to wait until all of them are dealt with. */

import { expect, test } from "bun:test";
import { StreamWriters } from "../../src/http/sse-response.ts";
import { STREAM_ENDS_PER_TURN_MAX } from "../../src/limits.ts";

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("ends beyond what one turn takes are told in the next ones, in order, and idle waits for them", async () => {
  const writers = new StreamWriters({
    streamsMax: 1000,
    now: () => 0,
    log: {
      error(message) {
        throw new Error(message);
      },
    },
  });
  const told: number[] = [];
  const count = 2 * STREAM_ENDS_PER_TURN_MAX + 5;
  const bodies = Array.from({ length: count }, (_, n) =>
    writers.body({
      attach: () => undefined,
      pull: () => "",
      keepAlive: () => "",
      overrun: false,
      closed: () => told.push(n),
    }),
  );
  const readers = bodies.map((body) => body.getReader());
  for (const reader of readers) reader.read().catch(() => undefined);
  expect(writers.openCount).toBe(count);
  for (const reader of readers) reader.cancel().catch(() => undefined);
  expect(writers.openCount).toBe(0);
  expect(told).toHaveLength(STREAM_ENDS_PER_TURN_MAX);
  let isIdle = false;
  const idle = writers.idle().then(() => {
    isIdle = true;
  });
  await nextTurn();
  expect(told).toHaveLength(2 * STREAM_ENDS_PER_TURN_MAX);
  expect(isIdle).toBe(false);
  await idle;
  expect(told).toEqual(Array.from({ length: count }, (_, n) => n));
});
