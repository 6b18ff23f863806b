/**
 * The load generator: it reads any cut of the bytes alike, and no fault of a server escapes it.
 *
 * This file owns its correctness, down to a server that is broken on purpose. It must never assert a time.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { Crowd } from "./load/crowd.ts";
import { EventReader } from "./load/event-reader.ts";
import { greet } from "./load/flow.ts";
import { Latencies } from "./load/latencies.ts";
import { type Account, Ledger } from "./load/ledger.ts";
import { BLANK_MESSAGE, MESSAGE_BYTES, writeMessage } from "./load/message-tag.ts";
import { ResponseReader } from "./load/response-reader.ts";

function message(sender: number, seq: number, writtenUs = 0): string {
  const bytes = Buffer.from(BLANK_MESSAGE);
  writeMessage(bytes, 0, sender, seq, writtenUs);
  return bytes.toString();
}

/** The bytes in pieces of every size, each piece in a buffer that is spoiled after its use, as a socket's may be. */
function* cuts(text: string): Generator<readonly Buffer[]> {
  for (let size = 1; size <= text.length; size++) {
    yield Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
      Buffer.from(text.slice(n * size, (n + 1) * size)),
    );
  }
}

describe("responses", () => {
  const BODY = '{"a":1}';
  const RESPONSES: Record<string, readonly [text: string, bodies: readonly string[]]> = {
    "counted bodies": [`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`.repeat(2), [BODY, BODY]],
    "a chunked body": [
      `HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3\r\n${BODY.slice(0, 3)}\r\n4\r\n${BODY.slice(3)}\r\n0\r\n\r\n`,
      [BODY],
    ],
    "no body, then one": [
      `HTTP/1.1 202 Accepted\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`,
      ["", "", "{}"],
    ],
  };

  test.each(Object.entries(RESPONSES))("%s, however they are cut", (_name, [text, bodies]) => {
    for (const pieces of cuts(text)) {
      const read: string[] = [];
      let body = "";
      const reader = new ResponseReader({
        onHead: () => undefined,
        onBody(bytes, from, to) {
          body += bytes.toString("latin1", from, to);
        },
        onEnd() {
          read.push(body);
          body = "";
        },
      });
      for (const piece of pieces) {
        reader.push(piece);
        piece.fill(0);
      }
      expect(read).toEqual([...bodies]);
      expect(reader.isWithin).toBe(false);
    }
  });
});

describe("events", () => {
  test.each(["\n", "\r\n"])("messages and positions, however they are cut (%j)", (newline) => {
    const events = [
      ["id: a1", `data: {"x":"${message(7, 1, 5)}"}`, "", ""],
      [": nothing", "", ""],
      ["id: a2", `data: {"x":"${message(7, 2, 6)}"}`, `data: ${message(7, 3, 7)}`, "", ""],
    ];
    const text = events.map((lines) => lines.join(newline)).join("");
    const mark = { before: Buffer.from("id: "), after: Buffer.from("\n") };
    for (const pieces of cuts(text)) {
      const heard: number[][] = [];
      const reader = new EventReader((...one) => heard.push(one), mark);
      for (const piece of pieces) {
        reader.push(piece, 0, piece.length);
        piece.fill(0);
      }
      expect(heard).toEqual([
        [7, 1, 5],
        [7, 2, 6],
        [7, 3, 7],
      ]);
      expect(reader.position).toBe("a2");
    }
  });

  test("an event is not heard before all of it has come", () => {
    const heard: number[] = [];
    const reader = new EventReader((sender) => heard.push(sender), undefined);
    const text = Buffer.from(`data: ${message(1, 1)}\n`);
    reader.push(text, 0, text.length);
    expect(heard).toEqual([]);
    reader.push(Buffer.from("\n"), 0, 1);
    expect(heard).toEqual([1]);
  });

  test("a message has its size, and a spoiled one is nobody's", () => {
    expect(message(1, 1)).toHaveLength(MESSAGE_BYTES);
    const heard: number[] = [];
    const text = Buffer.from(`data: ${message(1, 1).replace(" 0", " ?")}\n\n`);
    new EventReader((sender) => heard.push(sender), undefined).push(text, 0, text.length);
    expect(heard).toEqual([-1]);
  });
});

test("quantiles are those of the sorted times", () => {
  const times = new Latencies();
  for (let n = 10_000; n >= 0; n--) times.add(n);
  expect(times.spread()).toEqual({ count: 10_001, p50Ms: 5, p99Ms: 9.9, p999Ms: 9.99, worstMs: 10 });
});

const FLAWLESS = { lost: 0, doubled: 0, reordered: 0, foreign: 0 };

describe("the account", () => {
  /** Two pairs; 0 and 1 have said three things to each other, all accepted. */
  function pairs(hear: (ledger: Ledger) => void): Account {
    const ledger = new Ledger(4);
    for (let n = 0; n < 3; n++) {
      for (const sender of [0, 1]) {
        ledger.next(sender);
        ledger.accept(sender);
      }
    }
    for (const seq of [1, 2, 3]) ledger.hear(0, 1, seq);
    hear(ledger);
    return ledger.account();
  }

  test.each([
    ["all is well", [1, 2, 3], {}],
    ["the last is lost", [1, 2], { lost: 1 }],
    ["one in the middle is lost", [1, 3], { lost: 1 }],
    ["one comes twice", [1, 2, 2, 3], { doubled: 1 }],
    ["one is overtaken", [1, 3, 2], { reordered: 1 }],
    ["one is overtaken and comes twice", [1, 3, 2, 2], { reordered: 1, doubled: 1 }],
  ])("%s", (_name, seqs, faults) => {
    const account = pairs((ledger) => {
      for (const seq of seqs) ledger.hear(1, 0, seq);
    });
    expect(account).toMatchObject({ ...FLAWLESS, ...faults, accepted: 6 });
  });

  test("somebody hears a stranger, themselves, or what cannot be read", () => {
    const account = pairs((ledger) => {
      for (const seq of [1, 2, 3]) ledger.hear(1, 0, seq);
      for (const sender of [2, 1, -1]) ledger.hear(1, sender, 1);
    });
    expect(account).toMatchObject({ ...FLAWLESS, foreign: 3 });
  });

  test("two hear the same person", () => {
    const account = pairs((ledger) => {
      for (const seq of [1, 2, 3]) ledger.hear(1, 0, seq);
      ledger.hear(2, 0, 1);
    });
    expect(account.foreign).toBe(1);
  });
});

describe("a server that is broken on purpose", () => {
  const open: { stop(): void }[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one.stop();
  });

  /** Pairs sessions by their numbers; `deliver` is given each event and the streams of the receiver and of a stranger. */
  function brokenServer(
    deliver: (event: string, write: (text: string) => void, stray: (text: string) => void) => void,
  ) {
    const streams: ReadableStreamDirectController[] = [];
    let sessions = 0;
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      development: false,
      async fetch(request) {
        const session = Number(request.headers.get("mcp-session-id") ?? -1);
        if (request.method === "GET") {
          const pull = (controller: ReadableStreamDirectController): void => {
            streams[session] = controller;
            controller.write(":\n\n");
          };
          return new Response(new ReadableStream({ type: "direct", pull }), {
            headers: { "content-type": "text/event-stream" },
          });
        }
        const { id, params } = (await request.json()) as {
          id?: number;
          params?: { arguments?: { message?: string } };
        };
        if (session === -1)
          return Response.json({ id, result: {} }, { headers: { "mcp-session-id": String(sessions++) } });
        const text = params?.arguments?.message;
        if (text !== undefined) {
          const to = (index: number) => (event: string) => streams[index]?.write(event);
          deliver(`data: ${JSON.stringify({ text })}\n\n`, to(session ^ 1), to((session + 2) % sessions));
        }
        return Response.json({ id, result: {} });
      },
    });
    open.push({ stop: () => server.stop(true) });
    return server.port ?? 0;
  }

  /** @param missing messages that have not come after each round of words */
  async function accountOf(port: number, missing: readonly number[] = [0, 0, 0]): Promise<Account> {
    const speech = { era: "legacy", reading: "get" } as const;
    const crowd = new Crowd({ port, speech, users: 4, connections: 1, enter: true, resumable: false });
    open.push({ stop: () => crowd.disperse() });
    await crowd.gather();
    for (const count of missing) await greet(crowd, count);
    return crowd.ledger.account();
  }

  /** Does something else with one event of them all, the fifth. */
  function once(fault: (event: string, write: (text: string) => void, stray: (text: string) => void) => void) {
    let events = 0;
    return (event: string, write: (text: string) => void, stray: (text: string) => void): void => {
      if (++events === 5) fault(event, write, stray);
      else write(event);
    };
  }

  test("loses, doubles and misdirects: each is seen, and nothing else", async () => {
    expect(await accountOf(brokenServer((event, write) => write(event)))).toMatchObject(FLAWLESS);
    expect(await accountOf(brokenServer(once(() => undefined)), [0, 1, 1])).toMatchObject({ ...FLAWLESS, lost: 1 });
    const twice = once((event, write) => write(event + event));
    expect(await accountOf(brokenServer(twice))).toMatchObject({ ...FLAWLESS, doubled: 1 });
    const astray = once((event, _write, stray) => stray(event));
    expect(await accountOf(brokenServer(astray), [0, 1, 1])).toMatchObject({ ...FLAWLESS, lost: 1, foreign: 1 });
  });

  test("lets one message overtake another: it is seen, and nothing else", async () => {
    let held: string | undefined;
    let events = 0;
    const port = brokenServer((event, write) => {
      // The first user's first message waits for their second; with one connection everybody speaks in turn.
      if (++events === 1) held = event;
      else if (events === 5) write(event + held);
      else write(event);
    });
    expect(await accountOf(port, [1, 0, 0])).toMatchObject({ ...FLAWLESS, reordered: 1 });
  });
});
