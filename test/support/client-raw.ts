/**
 * The wire as a stranger's program would use it: requests written by hand, answers as they came.
 *
 * This file owns the raw clients of the black-box tests, for both eras. It must never import from
 * src, and never hide a status, a header or a body.
 */

import { z } from "zod";
import { Arrivals, within } from "./client-deadline.ts";

export type Json = Record<string, unknown>;
export type HeaderFields = Readonly<Record<string, string>>;

/** A whole HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON-RPC message: the body, or the last event of an event stream; {} if there is none. */
  readonly message: Json;
  /** Of an event stream, all messages. */
  readonly messages: readonly Json[];
}

const jsonObject = z.record(z.string(), z.unknown());

const PLAIN_HEADERS: HeaderFields = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

/** POSTs a value as JSON, or text and bytes as they are. */
export async function post(url: string, body: unknown, headers: HeaderFields = {}): Promise<Answer> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const sent = isRaw ? body : JSON.stringify(body);
  return read(fetch(url, { method: "POST", body: sent, headers: { ...PLAIN_HEADERS, ...headers } }));
}

export async function read(asked: Promise<Response>): Promise<Answer> {
  const response = await within("an answer", asked, 90_000);
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const messages = isStream
    ? messagesOf(text)
    : isJson && text.startsWith("{")
      ? [jsonObject.parse(JSON.parse(text))]
      : [];
  return { status: response.status, headers: response.headers, text, message: messages.at(-1) ?? {}, messages };
}

function messagesOf(text: string): Json[] {
  const parser = new SseParser();
  return parser.push(text).flatMap(({ data }) => (data === "" ? [] : [jsonObject.parse(JSON.parse(data))]));
}

const resultSchema = z.object({
  content: z.array(z.object({ type: z.literal("text"), text: z.string() })),
  structuredContent: jsonObject.optional(),
  isError: z.boolean().optional(),
});

/** What a tool answered, taken apart. */
export interface ToolAnswer extends Answer {
  readonly result: Json;
  /** The structured result; {} where there is none. */
  readonly structured: Json;
  /** The text blocks. */
  readonly said: string;
  readonly isError: boolean;
  /** The refusal's code; undefined if it was a success. */
  readonly refusal: string | undefined;
}

const refusalSchema = z.object({ error: z.object({ code: z.string() }) });

function toolAnswer(answer: Answer): ToolAnswer {
  const result = jsonObject.safeParse(answer.message.result);
  if (!result.success) throw new Error(`no result: ${answer.status} ${answer.text}`);
  const { content, structuredContent, isError } = resultSchema.parse(result.data);
  const refusal = refusalSchema.safeParse(structuredContent);
  return {
    ...answer,
    result: result.data,
    structured: structuredContent ?? {},
    said: content.map(({ text }) => text).join("\n"),
    isError: isError ?? false,
    refusal: refusal.success ? refusal.data.error.code : undefined,
  };
}

/** Somebody who calls tools, of either era. */
export interface RawCaller {
  readonly era: "legacy" | "modern";
  call(tool: string, args?: Json): Promise<ToolAnswer>;
  request(method: string, params?: Json): Promise<Answer>;
  /** Goes on as this user wherever the era needs to be told. */
  token: string | undefined;
}

let lastId = 0;

// --- legacy -----------------------------------------------------------------------------------

/** A legacy session. */
export class RawSession implements RawCaller {
  readonly era = "legacy";
  readonly url: string;
  readonly headers: HeaderFields;
  token: string | undefined;

  constructor(url: string, headers: HeaderFields) {
    this.url = url;
    this.headers = headers;
  }

  static async open(url: string, revision = "2025-11-25", headers: HeaderFields = {}): Promise<RawSession> {
    const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    const answer = await post(url, { jsonrpc: "2.0", id: 0, method: "initialize", params }, headers);
    const token = answer.headers.get("mcp-session-id");
    if (token === null) throw new Error(`no session: ${answer.status} ${answer.text}`);
    const session = new RawSession(url, { ...headers, "mcp-session-id": token });
    await session.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    return session;
  }

  post(body: unknown, headers: HeaderFields = {}): Promise<Answer> {
    return post(this.url, body, { ...this.headers, ...headers });
  }

  request(method: string, params?: Json): Promise<Answer> {
    return this.post({ jsonrpc: "2.0", id: ++lastId, method, ...(params && { params }) });
  }

  async call(tool: string, args: Json = {}): Promise<ToolAnswer> {
    return toolAnswer(await this.request("tools/call", { name: tool, arguments: args }));
  }

  stream(lastEventId?: string): Promise<RawStream> {
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    return RawStream.open(this.url, { ...this.headers, ...headers });
  }

  async end(): Promise<Answer> {
    return read(fetch(this.url, { method: "DELETE", headers: this.headers }));
  }
}

// --- modern -----------------------------------------------------------------------------------

const META = "io.modelcontextprotocol";

/** A modern request and its headers. */
export function modernRequest(
  id: string | number,
  method: string,
  params: Json = {},
): { body: Json; headers: HeaderFields } {
  const _meta = { [`${META}/protocolVersion`]: "2026-07-28", [`${META}/clientCapabilities`]: {} };
  const body = { jsonrpc: "2.0", id, method, params: { ...params, _meta } };
  const name = typeof params.name === "string" ? { "mcp-name": params.name } : {};
  return { body, headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": method, ...name } };
}

/** A modern caller; shows its token as the `session_token` argument, once it has one. */
export class RawModern implements RawCaller {
  readonly era = "modern";
  readonly url: string;
  readonly headers: HeaderFields;
  token: string | undefined;

  constructor(url: string, headers: HeaderFields = {}) {
    this.url = url;
    this.headers = headers;
  }

  request(method: string, params: Json = {}): Promise<Answer> {
    const { body, headers } = modernRequest(++lastId, method, params);
    return post(this.url, body, { ...headers, ...this.headers });
  }

  async call(tool: string, args: Json = {}): Promise<ToolAnswer> {
    const shown = this.token === undefined ? {} : { session_token: this.token };
    const answer = toolAnswer(await this.request("tools/call", { name: tool, arguments: { ...shown, ...args } }));
    if (typeof answer.structured.session_token === "string") this.token = answer.structured.session_token;
    return answer;
  }
}

// --- event streams ----------------------------------------------------------------------------

/** One event of a stream. A comment is an event without anything else. */
export interface SseEvent {
  readonly id: string | undefined;
  readonly data: string;
  readonly retry: string | undefined;
}

/** Reads the event stream format, as far as servers use it. */
export class SseParser {
  #rest = "";
  #id: string | undefined;
  #retry: string | undefined;
  #data: string[] = [];
  #any = false;

  /** Takes more text. @returns the events it completes */
  push(text: string): SseEvent[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): SseEvent[] {
    if (line === "") {
      if (!this.#any) return [];
      const event = { id: this.#id, data: this.#data.join("\n"), retry: this.#retry };
      this.#id = this.#retry = undefined;
      this.#data = [];
      this.#any = false;
      return [event];
    }
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (field === "id") this.#id = value;
    if (field === "retry") this.#retry = value;
    if (field === "data") this.#data.push(value);
    if (field !== "") this.#any = true;
    return [];
  }
}

const notificationSchema = z.object({ method: z.string(), params: jsonObject });

/** A notification and the id under which it came. */
export interface Pushed {
  readonly id: string | undefined;
  readonly method: string;
  readonly params: Json;
}

/** The notification of an event, if it has one. */
function pushedOf({ id, data }: SseEvent): Pushed[] {
  return data === "" ? [] : [{ id, ...notificationSchema.parse(JSON.parse(data)) }];
}

/** An open GET stream. */
export class RawStream implements AsyncDisposable {
  readonly #cut: AbortController;
  readonly #events = new Arrivals<SseEvent>();
  /** Settles when the stream is over: with "end", or with what broke it. */
  readonly over: Promise<string>;

  private constructor(response: Response, cut: AbortController) {
    this.#cut = cut;
    this.over = this.#read(response);
  }

  static open(url: string, headers: HeaderFields): Promise<RawStream> {
    return RawStream.#ask(url, { headers: { accept: "text/event-stream", ...headers } });
  }

  /** The stream that answers a request. */
  static posted(url: string, body: Json, headers: HeaderFields): Promise<RawStream> {
    return RawStream.#ask(url, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { ...PLAIN_HEADERS, ...headers },
    });
  }

  static async #ask(url: string, init: RequestInit): Promise<RawStream> {
    const cut = new AbortController();
    const asked = fetch(url, { ...init, signal: cut.signal });
    const response = await within("a stream", asked);
    if (!response.ok) throw new Error(`no stream: ${response.status} ${await response.text()}`);
    return new RawStream(response, cut);
  }

  /** The next event, whatever it is. */
  event(): Promise<SseEvent> {
    return within("an event", this.#events.take());
  }

  /** The next notification; events without data are passed over. */
  async next(): Promise<Pushed> {
    for (;;) {
      const [pushed] = pushedOf(await this.event());
      if (pushed !== undefined) return pushed;
    }
  }

  /** The notifications that have come by now. */
  drain(): Pushed[] {
    return this.#events.takeAll().flatMap((event) => pushedOf(event));
  }

  /** The next `count` notifications. */
  async take(count: number): Promise<Pushed[]> {
    const taken: Pushed[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    this.#cut.abort();
    await this.over;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(response: Response): Promise<string> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    let end = "end";
    try {
      for await (const chunk of response.body ?? []) {
        for (const event of parser.push(decoder.decode(chunk, { stream: true }))) this.#events.put(event);
      }
    } catch (problem) {
      end = String(problem);
    }
    this.#events.fail(new Error(`the stream is over: ${end}`));
    return end;
  }
}

// --- people -----------------------------------------------------------------------------------

/** A new caller of an era. */
export async function newCaller(url: string, era: RawCaller["era"], headers: HeaderFields = {}): Promise<RawCaller> {
  return era === "modern" ? new RawModern(url, headers) : RawSession.open(url, "2025-11-25", headers);
}

/** Lets two callers meet: nobody else may be waiting. @returns the id of their room */
export async function pairUp(a: RawCaller, b: RawCaller): Promise<string> {
  const first = await a.call("enter_queue", { display_name: "Ann" });
  const second = await b.call("enter_queue", { display_name: "Bob" });
  const room = z.object({ status: z.literal("matched"), room: z.object({ room_id: z.string() }) });
  if (first.isError || second.isError) throw new Error(`refused: ${first.said} ${second.said}`);
  return room.parse(second.structured).room.room_id;
}
