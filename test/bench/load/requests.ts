/**
 * What the load generator says, as bytes: handshake, streams, tools and messages in both protocol
 * eras, to the product and to its peers alike.
 *
 * This file owns the wording of requests. It must never send one.
 */
import type { PositionMark } from "./event-reader.ts";
import { BLANK_MESSAGE, writeDigits, writeMessage } from "./message-tag.ts";

/** How users read what their partners say. */
export type Reading =
  /** The GET stream of a legacy session. */
  | "get"
  /** `events/stream` of one type of MCP Events. */
  | "message.received"
  | "chat.activity"
  /** `subscriptions/listen` on a resource of one's own. */
  | "subscriptions"
  /** Nothing: who only calls tools. */
  | "nothing";

/** How to talk to a server. */
export interface Speech {
  readonly era: "legacy" | "modern";
  readonly reading: Reading;
  /** The server sends the head of an event stream with its first event only. */
  readonly lateHead?: boolean;
}

/** What tells a server who is calling: a session of the legacy era, a token of the modern one. */
export type Credential = string;

const LEGACY_REVISION = "2025-11-25";
const MODERN_REVISION = "2026-07-28";
const CLIENT = { name: "bench", version: "1" };

const LEGACY_POSITION: PositionMark = { before: Buffer.from("id: "), after: Buffer.from("\n") };
const MODERN_POSITION: PositionMark = { before: Buffer.from('"cursor":"'), after: Buffer.from('"') };

/** Ids have seven digits from the beginning, so that the length of a message's request never changes. */
const FIRST_ID = 1_000_000;
const ID_DIGITS = 7;
const IDS = 9_000_000;

export class Requests {
  readonly speech: Speech;
  readonly #port: number;
  #ids = 0;

  constructor(speech: Speech, port: number) {
    this.speech = speech;
    this.#port = port;
  }

  /** Where an event of the stream says from where to resume. */
  get positionMark(): PositionMark {
    return this.speech.era === "legacy" ? LEGACY_POSITION : MODERN_POSITION;
  }

  initialize(): Uint8Array {
    const params = { protocolVersion: LEGACY_REVISION, capabilities: {}, clientInfo: CLIENT };
    return this.#post(undefined, "initialize", { id: this.#id(), method: "initialize", params });
  }

  initialized(session: Credential): Uint8Array {
    const method = "notifications/initialized";
    return this.#post(session, method, { method });
  }

  /** @param position where to resume; undefined = from now on */
  listen(user: Credential, position?: string): Uint8Array {
    const { reading } = this.speech;
    if (reading === "get") return this.#get(user, position);
    if (reading === "subscriptions") {
      const params = { notifications: { resourceSubscriptions: [`chat://inbox/${user}`] } };
      return this.#modern(user, "subscriptions/listen", params);
    }
    return this.#modern(user, "events/stream", { name: reading, arguments: {}, cursor: position ?? null });
  }

  /** @param user undefined = somebody new */
  call(user: Credential | undefined, tool: string, args: Readonly<Record<string, unknown>>): Uint8Array {
    const params = { name: tool, arguments: args };
    if (this.speech.era === "modern") return this.#modern(user, "tools/call", params, tool);
    return this.#post(user, "tools/call", { id: this.#id(), method: "tools/call", params });
  }

  /** The message of a sender, to be written anew for each sending. */
  message(user: Credential): MessageRequest {
    return new MessageRequest(this.call(user, "send_message", { message: BLANK_MESSAGE }));
  }

  /** The cheapest question a server answers. */
  health(): Uint8Array {
    return Buffer.from(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n\r\n`);
  }

  #id(): number {
    return FIRST_ID + (this.#ids++ % IDS);
  }

  #modern(user: Credential | undefined, method: string, params: object, name?: string): Uint8Array {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": MODERN_REVISION,
      "io.modelcontextprotocol/clientInfo": CLIENT,
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    return this.#post(user, method, { id: this.#id(), method, params: { ...params, _meta } }, name);
  }

  #post(user: Credential | undefined, method: string, message: object, name?: string): Uint8Array {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    const fields = [
      "Accept: application/json, text/event-stream",
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...this.#who(user),
    ];
    if (this.speech.era === "modern")
      fields.push(`Mcp-Method: ${method}`, ...(name === undefined ? [] : [`Mcp-Name: ${name}`]));
    return Buffer.from(`POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${fields.join("\r\n")}\r\n\r\n${body}`);
  }

  #get(user: Credential, position: string | undefined): Uint8Array {
    const fields = ["Accept: text/event-stream", ...this.#who(user)];
    if (position !== undefined) fields.push(`Last-Event-ID: ${position}`);
    return Buffer.from(`GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${fields.join("\r\n")}\r\n\r\n`);
  }

  #who(user: Credential | undefined): string[] {
    if (this.speech.era === "modern") {
      return [
        `MCP-Protocol-Version: ${MODERN_REVISION}`,
        ...(user === undefined ? [] : [`Authorization: Bearer ${user}`]),
      ];
    }
    return user === undefined ? [] : [`Mcp-Session-Id: ${user}`, `MCP-Protocol-Version: ${LEGACY_REVISION}`];
  }
}

const ID_MARK = '"id":';

/** The bytes of one sender's message, written once and renumbered for each sending. */
export class MessageRequest {
  readonly bytes: Uint8Array;
  readonly #idAt: number;
  readonly #textAt: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#idAt = text.indexOf(ID_MARK) + ID_MARK.length;
    this.#textAt = text.indexOf(BLANK_MESSAGE);
  }

  number(sender: number, seq: number, writtenUs: number): void {
    writeDigits(this.bytes, this.#idAt, ID_DIGITS, FIRST_ID + (seq % IDS));
    writeMessage(this.bytes, this.#textAt, sender, seq, writtenUs);
  }
}

/** The token a server gives a newcomer of the modern era, in whatever envelope. */
export function tokenIn(reply: string): Credential | undefined {
  return /session_token\W+([\w-]{16,})/.exec(reply)?.[1];
}
