/**
 * Clients against a server that never ends a body or an event: they give it up within their bounds, drop the
 * connection and say why.
 *
 * This file owns that hostile server. It must never send for longer than a client listens.
 */

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { AnswerTooLong, boundedAnswer } from "../../src/client/bounded-answer.ts";
import { CLIENT_ANSWER_BYTES_MAX } from "../../src/client-limits.ts";
import { Talker, WISHES } from "../support/chat-partner.ts";
import { within } from "../support/client-deadline.ts";
import { FaceProcess } from "../support/face-process.ts";

// Well below the time a call may take: whoever waits that out has not noticed anything.
setDefaultTimeout(15_000);

const PIECE = new Uint8Array(256 * 1024).fill(65);
const TOO_LONG = /^http:\/\/127\.0\.0\.1:\d+: the server's answer is too long$/;

type Kind = "body" | "event";
/** Where the answer is that has no end. */
type Place = "initialize" | "tools/call" | "stream" | "failure";

interface Call {
  readonly id?: number;
  readonly method: string;
  readonly params: { readonly protocolVersion?: string };
}

/** A server that is well-behaved but in one place. */
class EndlessServer implements AsyncDisposable {
  readonly #server: Bun.Server<undefined>;
  readonly #dropped = Promise.withResolvers<void>();
  readonly #place: Place;
  readonly #kind: Kind;
  #isGone = false;
  bytesSent = 0;
  /** Endless answers begun. */
  begun = 0;

  constructor(place: Place, kind: Kind) {
    this.#place = place;
    this.#kind = kind;
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: (request) => this.#answer(request),
    });
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.port}/mcp`;
  }

  /** The client has dropped an endless answer. */
  dropped(): Promise<void> {
    return within("the end of the connection", this.#dropped.promise);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isGone = true;
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    if (request.method === "GET") {
      if (this.#place === "stream") return this.#endless();
      return new Response(": here\n\n", { headers: { "content-type": "text/event-stream" } });
    }
    if (request.method === "DELETE") return new Response(null, { status: 204 });
    const { id, method, params } = (await request.json()) as Call;
    if (method === "tools/call" && this.#place === "failure") return this.#endless(500);
    if (method === this.#place) return this.#endless();
    if (id === undefined) return new Response(null, { status: 202 });
    const serverInfo = { name: "endless", version: "1" };
    const result =
      method === "initialize"
        ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo }
        : { content: [], structuredContent: {} };
    return Response.json({ jsonrpc: "2.0", id, result }, { headers: { "mcp-session-id": "endless" } });
  }

  #endless(status = 200): Response {
    this.begun += 1;
    const isEvent = this.#kind === "event";
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (isEvent) controller.enqueue(new TextEncoder().encode(": small\n\nevent: message\ndata: "));
      },
      pull: async (controller) => {
        await Bun.sleep(1);
        if (this.#isGone) return;
        this.bytesSent += PIECE.byteLength;
        controller.enqueue(PIECE);
      },
      cancel: () => this.#dropped.resolve(),
    });
    return new Response(body, {
      status,
      headers: { "content-type": isEvent ? "text/event-stream" : "application/json", "mcp-session-id": "endless" },
    });
  }
}

describe.each<Kind>(["body", "event"])("an endless %s", (kind) => {
  test("as the first answer is named at once", async () => {
    await using server = new EndlessServer("initialize", kind);
    await using ann = new Talker(server.endpoint);
    expect(await within("the fault", ann.conversation.open())).toEqual({
      kind: "foreign",
      message: expect.stringMatching(TOO_LONG),
    });
    await server.dropped();
    expect(server.begun).toBe(1);
  });

  test("as the answer of a call fails that call", async () => {
    await using server = new EndlessServer("tools/call", kind);
    await using ann = new Talker(server.endpoint);
    await ann.connect();
    expect(await within("the answer", ann.conversation.enter(WISHES))).toMatchObject({
      code: "answer_too_long",
      message: "the server's answer is too long",
    });
    await server.dropped();
    expect(server.begun).toBe(1);
  });

  test.each(["tail", "chat"])("ends `%s` with a reason, and within little memory", async (face) => {
    await using server = new EndlessServer("initialize", kind);
    await using program = new FaceProcess([face, server.endpoint, face === "tail" ? "--enter" : "--plain"]);
    const { code, stderr } = await program.ended();
    expect(code).toBe(1);
    expect(stderr).toContain("the server's answer is too long");
    await server.dropped();
    // What the system's buffers hold comes on top of what the client reads.
    expect(server.bytesSent).toBeLessThan(8 * CLIENT_ANSWER_BYTES_MAX);
  });
});

test("an endless event on the stream ends the connection, and is not fetched again", async () => {
  await using server = new EndlessServer("stream", "event");
  await using ann = new Talker(server.endpoint);
  expect(await ann.conversation.open()).toBeUndefined();
  const { fault } = await within("the end", ann.next("connection_ended"));
  expect(fault).toEqual({ kind: "foreign", message: expect.stringMatching(TOO_LONG) });
  await server.dropped();
  expect(ann.heard.map(({ type }) => type)).not.toContain("connection_lost");
  expect(server.begun).toBe(1);
});

test("an endless failure is a failure like any other", async () => {
  await using server = new EndlessServer("failure", "body");
  await using ann = new Talker(server.endpoint);
  await ann.connect();
  expect(await within("the answer", ann.conversation.enter(WISHES))).toMatchObject({ code: "unreachable" });
  await server.dropped();
});

describe("the bound", () => {
  const read = async (text: string, bytesMax: number, type: string, cut: number): Promise<string> => {
    const bytes = new TextEncoder().encode(text);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += cut) controller.enqueue(bytes.slice(at, at + cut));
        controller.close();
      },
    });
    return boundedAnswer(new Response(body, { headers: { "content-type": type } }), bytesMax, () => undefined).text();
  };
  const outcome = (text: string, bytesMax: number, type: string, cut: number): Promise<string> =>
    read(text, bytesMax, type, cut).catch((problem: unknown) => {
      expect(problem).toBeInstanceOf(AnswerTooLong);
      return "too long";
    });

  test.each([1, 2, 3, 7, 1000])("counts a whole body, in pieces of %d", async (cut) => {
    expect(await outcome("123456789\n\n", 11, "application/json", cut)).toBe("123456789\n\n");
    expect(await outcome("123456789\n\n", 10, "application/json", cut)).toBe("too long");
  });

  test.each([1, 2, 3, 7, 1000])("counts each event, whatever ends its lines, in pieces of %d", async (cut) => {
    for (const end of ["\n", "\r", "\r\n"]) {
      const event = `id: 1${end}data: 234${end}${end}`;
      const stream = event.repeat(50);
      // Of an empty line that ends in two bytes, the second may count to what follows.
      expect(await outcome(stream, event.length + 1, "text/event-stream; charset=utf-8", cut)).toBe(stream);
      const long = `${stream}data: ${"x".repeat(event.length)}`;
      expect(await outcome(long, event.length + 1, "text/event-stream", cut)).toBe("too long");
      expect(await outcome(long + end + end + stream, event.length + 1, "text/event-stream", cut)).toBe("too long");
    }
  });
});
