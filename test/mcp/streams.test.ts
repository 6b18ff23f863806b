/** GET streams of a session: nothing lost, nothing on two streams, exact resumption, honest positions. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SESSION_STREAMS_MAX, STREAM_SETTLED_MS } from "../../src/limits.ts";
import { connect, createEndpoint, type HandConnection, jsonOf, type TestEndpoint } from "../support/mcp-endpoint.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

/** The fixture's session with a way to push numbers to it. */
function setUp(revision?: string) {
  const world = createEndpoint();
  const headers = world.open(revision);
  const echo = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } };
  world.post(echo, headers);
  const session = world.seen[0]?.session ?? "";
  let pushed = 0;
  return { ...world, headers, session, notify: () => world.push.push(session, "n", { n: ++pushed }) };
}

function numbers(connection: HandConnection): number[] {
  return connection.messages().map((message) => (message as { params: { n: number } }).params.n);
}

function resume(world: TestEndpoint & { headers: Record<string, string> }, id: string) {
  return world.get({ ...world.headers, "last-event-id": id });
}

describe("opening", () => {
  test("a session of 2025-11-25 gets a priming event with id, retry and empty data", () => {
    const world = setUp();
    expect(connect(world.get(world.headers)).frames()).toEqual([{ id: "g.0", retryMs: 3000, data: "" }]);
  });

  test.each(["2024-11-05", "2025-03-26", "2025-06-18"])("a session of %s gets a comment, never empty data", (rev) => {
    const world = setUp(rev);
    expect(connect(world.get(world.headers)).text()).toBe(": ok\n\n");
  });

  test("what was pushed before is flushed in order", () => {
    const world = setUp();
    world.notify();
    world.notify();
    const connection = connect(world.get(world.headers));
    expect(connection.frames().map((frame) => frame.id)).toEqual(["g.0", "g.1", "g.2"]);
  });

  test("what is pushed later wakes the connection", () => {
    const world = setUp();
    const connection = connect(world.get(world.headers));
    connection.text();
    world.notify();
    expect(connection.woken).toBe(1);
    expect(numbers(connection)).toEqual([1]);
  });

  test("no pull is more than about the size asked for", () => {
    const world = setUp();
    for (let n = 0; n < 500; n++) world.notify();
    const { source } = connect(world.get(world.headers));
    expect(source.pull(1000).length).toBeLessThan(2000);
  });
});

describe("Last-Event-ID", () => {
  test("goes on exactly after it", () => {
    const world = setUp();
    for (let n = 0; n < 5; n++) world.notify();
    expect(numbers(connect(resume(world, "g.3")))).toEqual([4, 5]);
  });

  test.each(["", "3", "g.", "g.x", "\u00e9"])("%j is refused", (id) => {
    const world = setUp();
    world.notify();
    expect(jsonOf(resume(world, id))).toMatchObject({ status: 400, body: { error: { code: -32000 } } });
  });

  test("a refused one leaves the delivering stream as it was", () => {
    const world = setUp();
    const connection = connect(world.get(world.headers));
    connection.text();
    resume(world, "g.x");
    world.notify();
    expect(numbers(connection)).toEqual([1]);
    expect(world.push.readers.filter((reader) => !reader.closed)).toHaveLength(1);
  });
});

describe("several streams", () => {
  test("each message goes out on exactly one: the newest", () => {
    const world = setUp();
    const older = connect(world.get(world.headers));
    older.text();
    world.notify();
    expect(numbers(older)).toEqual([1]);
    world.clock.at += 2 * STREAM_SETTLED_MS;
    const newer = connect(world.get(world.headers));
    world.notify();
    expect(numbers(older)).toEqual([]);
    expect(numbers(newer)).toEqual([2]);
  });

  test("the newest remaining one takes over when the newer closes", () => {
    const world = setUp();
    const older = connect(world.get(world.headers));
    const newer = connect(world.get(world.headers));
    older.text();
    newer.text();
    newer.close();
    world.notify();
    expect(numbers(older)).toEqual([1]);
  });

  test("an older one that closes changes nothing", () => {
    const world = setUp();
    const older = connect(world.get(world.headers));
    const newer = connect(world.get(world.headers));
    older.close();
    world.notify();
    expect(numbers(newer)).toEqual([1]);
  });

  test("beyond the bound the oldest is ended, never the newest refused", () => {
    const world = setUp();
    const connections = Array.from({ length: SESSION_STREAMS_MAX + 2 }, () => connect(world.get(world.headers)));
    expect(connections.map((connection) => connection.ended)).toEqual([true, true, false, false, false]);
  });

  test("a take-over never leaves a moment without a reader, and hands over what is settled", () => {
    const world = setUp();
    const events: string[] = [];
    const open = world.push.open.bind(world.push);
    world.push.open = (session, at, listener, settled) => {
      events.push(`open ${settled ?? "-"}`);
      const reader = open(session, at, listener, settled);
      if (reader === "malformed") return reader;
      const close = reader.close.bind(reader);
      reader.close = (position) => {
        events.push(`close ${position ?? "-"}`);
        close(position);
      };
      return reader;
    };
    const first = connect(world.get(world.headers));
    world.notify();
    first.text();
    world.clock.at += STREAM_SETTLED_MS;
    const second = connect(world.get(world.headers));
    second.close();
    expect(events).toEqual(["open -", "open 1", "close 1", "open -", "close -"]);
  });
});

describe("what counts as read", () => {
  test("a stream that dropped at once has read nothing: all comes again", () => {
    const world = setUp();
    world.notify();
    const first = connect(world.get(world.headers));
    expect(numbers(first)).toEqual([1]);
    first.close();
    expect(numbers(connect(world.get(world.headers)))).toEqual([1]);
  });

  test("a stream that stayed healthy long enough has read: it does not come again", () => {
    const world = setUp();
    world.notify();
    const first = connect(world.get(world.headers));
    first.text();
    world.clock.at += STREAM_SETTLED_MS;
    first.close();
    world.notify();
    expect(numbers(connect(world.get(world.headers)))).toEqual([2]);
  });

  test("a backlog in between means it was not", () => {
    const world = setUp();
    world.notify();
    const first = connect(world.get(world.headers));
    first.text();
    world.clock.at += STREAM_SETTLED_MS - 1;
    first.source.stalled?.();
    world.clock.at += STREAM_SETTLED_MS;
    first.close();
    expect(numbers(connect(world.get(world.headers)))).toEqual([1]);
  });

  test("after the backlog has drained the time runs anew", () => {
    const world = setUp();
    world.notify();
    const first = connect(world.get(world.headers));
    first.text();
    first.source.stalled?.();
    world.clock.at += 1000;
    first.source.drained?.();
    world.clock.at += STREAM_SETTLED_MS;
    first.close();
    expect(numbers(connect(world.get(world.headers)))).toEqual([]);
  });
});

describe("ends", () => {
  test("DELETE ends all streams of the session, after the ledger knows", () => {
    const world = setUp();
    const connections = [connect(world.get(world.headers)), connect(world.get(world.headers))];
    let readersAtEnd = -1;
    const end = world.ledger.end.bind(world.ledger);
    world.ledger.end = (session) => {
      readersAtEnd = world.push.readers.filter((reader) => !reader.closed).length;
      end(session);
    };
    world.endpoint.delete(new Headers(world.headers), {
      transport: "http",
      bearer: undefined,
      subject: "",
      canStream: false,
    });
    expect(readersAtEnd).toBe(1);
    expect(connections.every((connection) => connection.ended)).toBe(true);
    expect(world.push.readers.every((reader) => reader.closed)).toBe(true);
    for (const connection of connections) connection.close();
    expect(jsonOf(world.get(world.headers)).status).toBe(404);
  });

  test("a stop tells those who understand it when to come back", () => {
    const worlds = [setUp("2025-11-25"), setUp("2025-06-18")];
    const texts = worlds.map((world) => {
      const connection = connect(world.get(world.headers));
      connection.text();
      world.endpoint.stop();
      expect(connection.ended).toBe(true);
      return connection.text();
    });
    expect(texts).toEqual(["retry: 3000\n\n", ""]);
  });

  test("a stop lets nobody hear what it does to others, and readers go as their connections end", () => {
    const world = setUp();
    const connections = [connect(world.get(world.headers)), connect(world.get(world.headers))];
    for (const connection of connections) connection.text();
    world.endpoint.stop();
    world.notify();
    expect(connections.map((connection) => connection.text())).toEqual(["retry: 3000\n\n", "retry: 3000\n\n"]);
    expect(world.push.readers.filter((reader) => !reader.closed)).toHaveLength(1);
    const opened = world.push.readers.length;
    for (const connection of connections.reverse()) connection.close();
    expect(world.push.readers.filter((reader) => !reader.closed)).toHaveLength(0);
    // An ending stream takes nothing over.
    expect(world.push.readers).toHaveLength(opened);
  });

  test("a stream that is told to end before its connection is ready ends when it is, and is told once", () => {
    const world = setUp();
    const reply = world.get(world.headers);
    world.endpoint.cut();
    world.endpoint.cut();
    const connection = connect(reply);
    expect(connection.ended).toBe(true);
    expect(connection.text().match(/^retry: 3000$/gm)).toHaveLength(2);
  });

  test("a stream opened after all were told to end takes over from the ending one", () => {
    const world = setUp();
    const old = connect(world.get(world.headers));
    old.text();
    world.endpoint.stop();
    world.notify();
    const young = connect(world.get(world.headers));
    expect(numbers(young)).toEqual([1]);
    old.close();
    world.notify();
    expect(numbers(young)).toEqual([2]);
  });
});

/** What can happen to the streams of one session. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "push" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "open" as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), which: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), which: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resume" as const), which: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(60_000) }) },
);

test("whatever happens: each stream rises without gaps, one reader at a time, and nothing is lost in the end", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = setUp();
      const alive: { connection: HandConnection; last: number | undefined }[] = [];
      const delivered = new Set<number>();
      let pushed = 0;
      const read = (stream: (typeof alive)[number]): void => {
        for (const n of numbers(stream.connection)) {
          if (stream.last !== undefined) expect(n).toBeGreaterThan(stream.last);
          stream.last = n;
          delivered.add(n);
        }
      };
      const open = (id?: string): void => {
        const reply = id === undefined ? world.get(world.headers) : resume(world, id);
        const stream = { connection: connect(reply), last: undefined };
        alive.push(stream);
        read(stream);
        for (const [index, { connection }] of [...alive.entries()].reverse()) {
          if (!connection.ended) continue;
          connection.close();
          alive.splice(index, 1);
        }
        expect(alive.length).toBeLessThanOrEqual(SESSION_STREAMS_MAX);
      };
      for (const one of steps) {
        if (one.do === "push") {
          world.notify();
          pushed++;
        } else if (one.do === "wait") world.clock.at += one.ms;
        else if (one.do === "open") open();
        else {
          const stream = alive[one.which % Math.max(1, alive.length)];
          if (stream === undefined) continue;
          if (one.do === "read") read(stream);
          if (one.do === "resume" && stream.last !== undefined) open(`g.${stream.last}`);
          if (one.do === "drop") {
            stream.connection.close();
            alive.splice(alive.indexOf(stream), 1);
            const newest = alive.at(-1);
            if (newest !== undefined) newest.last = undefined;
          }
        }
        const reading = world.push.readers.filter((reader) => !reader.closed).length;
        expect(reading).toBe(alive.length === 0 ? 0 : 1);
      }
      open();
      expect([...delivered].length).toBe(pushed);
    }),
  );
});
