/**
 * The warm-up: a moment after the start two people who do not exist chat in a lobby of their own, so that whatever
 * is made when it is first needed (schemas, patterns, compiled code) is there before somebody waits for it. Without it
 * the first client waits about 70 ms in all for its first three answers, with it 20.
 *
 * This file owns that conversation. It must never touch the real lobby, nor take more than one step in a turn.
 */
import type { ChatServer } from "./chat/server.ts";
import { randomBytes } from "./crypto.ts";
import { STREAM_WRITE_CHARS_MAX } from "./limits.ts";
import type { Caller } from "./mcp/call.ts";
import { type BugLog, describeBug } from "./mcp/dispatch.ts";
import type { FrameSource } from "./mcp/frame-source.ts";
import { type Decoded, decodeText } from "./mcp/jsonrpc.ts";
import type { JsonObject } from "./mcp/registry.ts";
import type { Reply } from "./mcp/reply.ts";
import { StreamableHttp } from "./mcp/streamable-http.ts";

/** How long after the start, in milliseconds: whoever waited for the server to start is served first. */
const AFTER_MS = 100;
/** Between two steps, in milliseconds. */
const STEP_MS = 5;

const CALLER: Caller = { transport: "http", bearer: undefined, address: undefined, subject: "", canStream: true };

/**
 * Lets two people meet in a moment, one step in a turn.
 * @param makeChat makes the chat in which they do, which nobody else may use
 */
export function warmUpSoon(makeChat: () => ChatServer, log: BugLog): void {
  const begin = (): void => {
    warmUp(makeChat(), log, () => Bun.sleep(STEP_MS)).catch((bug: unknown) => {
      log.error("the warm-up failed unexpectedly", describeBug(bug));
    });
  };
  setTimeout(begin, AFTER_MS).unref();
}

/**
 * The warm-up itself. `chat` is stopped at its end.
 * @param nextTurn lets whatever has come in meanwhile be dealt with first
 * @returns how many answers were successes
 */
export async function warmUp(chat: ChatServer, log: BugLog, nextTurn: () => Promise<void>): Promise<number> {
  const sessionKey = randomBytes(32);
  const endpoint = new StreamableHttp({ definition: chat.definition, sessionKey, now: Date.now, log });
  const guests = [new Guest(endpoint), new Guest(endpoint)];
  try {
    for (const step of STEPS) {
      for (const guest of guests) {
        await step(guest);
        await nextTurn();
      }
    }
  } finally {
    endpoint.stop();
    chat.stop();
  }
  return guests.reduce((sum, { successes }) => sum + successes, 0);
}

/** What each of the two does, one after the other. */
const STEPS: readonly ((guest: Guest) => unknown)[] = [
  (guest) => guest.initialize(),
  (guest) => guest.listen(),
  (guest) => guest.ask("tools/list", {}),
  (guest) => guest.call("enter_queue", { display_name: "A", interests: ["b"] }),
  (guest) => guest.hear(),
  (guest) => guest.call("send_message", { message: "Hello" }),
  (guest) => guest.hear(),
  (guest) => guest.leave(),
];

/** One of the two, with a legacy session and a stream that goes nowhere. */
class Guest {
  /** Answers so far that were results and no refusals. */
  successes = 0;
  readonly #endpoint: StreamableHttp;
  readonly #headers = new Headers();
  #stream: FrameSource | undefined;

  constructor(endpoint: StreamableHttp) {
    this.#endpoint = endpoint;
  }

  async initialize(): Promise<void> {
    const clientInfo = { name: "warm-up", version: "1" };
    const reply = await this.ask("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
    if (reply.kind === "json") this.#headers.set("mcp-session-id", reply.headers?.["mcp-session-id"] ?? "");
  }

  listen(): void {
    const reply = this.#endpoint.get(this.#headers, CALLER);
    if (reply.kind !== "stream") return;
    this.#stream = reply.source;
    reply.source.attach({ wake: () => undefined, end: () => undefined });
    this.hear();
  }

  hear(): void {
    this.#stream?.pull(STREAM_WRITE_CHARS_MAX);
  }

  async ask(method: string, params: JsonObject): Promise<Reply> {
    const message = decodeText(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
    const reply = await this.#reply(message);
    if (reply.kind === "json" && reply.status === 200 && !reply.body.includes('"isError":true')) this.successes++;
    return reply;
  }

  call(name: string, args: JsonObject): Promise<Reply> {
    return this.ask("tools/call", { name, arguments: args });
  }

  /** The connection breaks before the chat is left. */
  async leave(): Promise<void> {
    this.#stream?.closed();
    await this.call("leave_chat", {});
  }

  #reply(message: Decoded): Reply | Promise<Reply> {
    const reply = this.#endpoint.post(message, this.#headers, CALLER);
    return reply.kind === "held" ? reply.reply : reply;
  }
}
