/**
 * The Streamable HTTP endpoint without sockets: decoded messages in, replies out, with a clock.
 *
 * This file owns the helpers for tests of the engine alone. It must never open a port.
 */

import type { Caller } from "../../src/mcp/call.ts";
import type { FrameSource, Outlet } from "../../src/mcp/frame-source.ts";
import { decode } from "../../src/mcp/jsonrpc.ts";
import type { HeldReply, Reply } from "../../src/mcp/reply.ts";
import { decodeFrames, type SseFrame } from "../../src/mcp/sse.ts";
import { StreamableHttp } from "../../src/mcp/streamable-http.ts";
import { createFixture, type Fixture } from "./mcp-fixture.ts";

export const CALLER: Caller = { transport: "http", bearer: undefined, subject: "", canStream: true };

export interface TestEndpoint extends Fixture {
  readonly endpoint: StreamableHttp;
  readonly clock: { at: number };
  readonly logged: string[];
  post(message: unknown, headers?: Record<string, string>, caller?: Caller): Reply | HeldReply;
  get(headers: Record<string, string>): Reply;
  /** Opens a session. @returns the headers that name it */
  open(revision?: string, caller?: Caller, capabilities?: object): Record<string, string>;
}

export function createEndpoint(fixture: Fixture = createFixture()): TestEndpoint {
  const clock = { at: 1_000_000 };
  const logged: string[] = [];
  const endpoint = new StreamableHttp({
    definition: fixture.definition,
    sessionKey: new Uint8Array(32),
    now: () => clock.at,
    log: { error: (message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`) },
  });
  const post: TestEndpoint["post"] = (message, headers = {}, caller = CALLER) =>
    endpoint.post(decode(message), new Headers(headers), caller);
  return {
    ...fixture,
    endpoint,
    clock,
    logged,
    post,
    get: (headers) => endpoint.get(new Headers(headers), CALLER),
    open(revision = "2025-11-25", caller = CALLER, capabilities = {}) {
      const params = { protocolVersion: revision, capabilities, clientInfo: { name: "test", version: "1" } };
      const reply = post({ jsonrpc: "2.0", id: 0, method: "initialize", params }, {}, caller);
      const token = reply.kind === "json" ? reply.headers?.["mcp-session-id"] : undefined;
      if (token === undefined) throw new Error("no session was opened");
      return { "mcp-session-id": token };
    },
  };
}

/** The body of a reply that came at once, and its status. Anything else is a failed expectation. */
export function jsonOf(reply: Reply | HeldReply): { status: number; body: unknown } {
  if (reply.kind !== "json") throw new Error(`a ${reply.kind} reply where JSON was expected`);
  return { status: reply.status, body: JSON.parse(reply.body) };
}

/** The promise of a reply that is held. */
export function heldOf(reply: Reply | HeldReply): HeldReply {
  if (reply.kind !== "held") throw new Error(`a ${reply.kind} reply where a held one was expected`);
  return reply;
}

/** A connection that writes nothing by itself: a test pulls, stalls and closes by hand. */
export class HandConnection implements Outlet {
  readonly source: FrameSource;
  woken = 0;
  ended = false;
  #closed = false;

  constructor(source: FrameSource) {
    this.source = source;
    source.attach(this);
  }

  wake(): void {
    this.woken++;
  }

  end(): void {
    this.ended = true;
  }

  /** Everything there is to write. */
  text(): string {
    let text = "";
    for (let more = this.source.pull(65_536); more !== ""; more = this.source.pull(65_536)) text += more;
    return text;
  }

  frames(): SseFrame[] {
    return decodeFrames(this.text());
  }

  /** The messages among the frames. */
  messages(): unknown[] {
    return this.frames()
      .filter((frame) => frame.data !== undefined && frame.data !== "")
      .map((frame) => JSON.parse(frame.data ?? ""));
  }

  close(): void {
    if (this.#closed) throw new Error("closed twice");
    this.#closed = true;
    this.source.closed();
  }
}

/** Connects a reply that is a stream. */
export function connect(reply: Reply | HeldReply): HandConnection {
  if (reply.kind !== "stream") throw new Error(`a ${reply.kind} reply where a stream was expected`);
  return new HandConnection(reply.source);
}
