/**
 * The people of golden stories, who speak raw HTTP in either era. Whatever they send and hear goes
 * into the minutes, in the order in which the story has them do it.
 *
 * This file owns requests and the streams that answer them. It must never take notice of a message
 * that the story did not ask for.
 */

import type { Revision } from "../../src/mcp/registry.ts";
import type { SseFrame } from "../../src/mcp/sse.ts";
import type { Plain } from "./golden-layout.ts";
import { isJson, type Json, type Layout } from "./golden-minutes.ts";
import type { Sent, Stage } from "./golden-stage.ts";
import { StreamReader, until } from "./http-stream.ts";

const NS = "io.modelcontextprotocol/";
const MODERN: Revision = "2026-07-28";
const NAMED_BY: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};

/** How a request differs from what everybody sends; all of it is told. */
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly meta?: Json;
  readonly id?: string | number;
  /** Tells the id, where what follows refers to it. */
  readonly showsId?: boolean;
}

export interface ActorOptions {
  readonly revision?: Revision;
  /** What the client calls itself; how long calls are held depends on it. */
  readonly client?: string;
  readonly capabilities?: Json;
}

/** Somebody in a story, with whatever transport. */
export abstract class Actor {
  readonly stage: Stage;
  readonly name: string;
  readonly revision: Revision;
  readonly client: Json;
  readonly capabilities: Json;
  /** The session token, once they have one. */
  token = "";
  /** What others know them by, once they are somebody. */
  userId = "";
  /** The last room they were told of. */
  room = "";
  /** Their last cursor. */
  cursor = "";
  protected lastId = 0;

  constructor(stage: Stage, name: string, { revision = MODERN, client = "golden", capabilities = {} }: ActorOptions) {
    this.stage = stage;
    this.name = name;
    this.revision = revision;
    this.client = { name: client, version: "1.0.0" };
    this.capabilities = capabilities;
  }

  get era(): Sent["era"] {
    return this.revision === MODERN ? "modern" : "legacy";
  }

  /** Whether calls tell who calls: by a bearer or by the session. */
  get showsToken(): boolean {
    return true;
  }

  /** Sends a request without waiting for its answer. */
  abstract send(method: string, params?: Json, options?: RequestOptions): Exchange;

  async request(method: string, params: Json = {}, options: RequestOptions & { layout?: Layout } = {}): Promise<Json> {
    return this.send(method, params, options).answer(options.layout);
  }

  /** Asks without telling. */
  quietly(method: string, params: Json): Promise<Json> {
    return this.stage.quietly(() => this.request(method, params));
  }

  /** Calls a tool. @returns its structured result, or what its text says where there is none */
  async call(tool: string, args: Json = {}, options: RequestOptions = {}): Promise<Json> {
    return structured(await this.request("tools/call", { name: tool, arguments: args }, options));
  }

  /** Calls a tool that has nothing to answer yet, and goes on as soon as the server holds the call. */
  async hold(tool: string, args: Json = {}, options: RequestOptions = {}): Promise<Exchange> {
    const held = this.stage.next("holding");
    const exchange = this.send("tools/call", { name: tool, arguments: args }, options);
    await held;
    return exchange;
  }

  /** The parameters as the era wants them. */
  protected paramsOf(params: Json, meta: Json | undefined): Json {
    const own = isJson(params._meta) ? params._meta : {};
    const claim =
      this.era === "modern"
        ? {
            [`${NS}protocolVersion`]: MODERN,
            [`${NS}clientInfo`]: this.client,
            [`${NS}clientCapabilities`]: this.capabilities,
          }
        : {};
    const _meta = { ...claim, ...own, ...meta };
    return Object.keys(_meta).length === 0 ? params : { ...params, _meta };
  }

  /** Takes a message of the server down for the schemas, and learns from it who one is. */
  heard(sent: Omit<Sent, "era" | "revision" | "transport">, transport: Sent["transport"]): void {
    this.stage.sent.push({ ...sent, era: this.era, revision: this.revision, transport });
    const { result } = sent.message;
    const told = sent.method === "tools/call" ? structured(sent.message) : isJson(result) ? result : {};
    const { user_id, session_token, cursor } = told;
    this.room = /room_[0-9a-z]{22,}/.exec(JSON.stringify(result ?? null))?.[0] ?? this.room;
    if (typeof session_token === "string") this.token = session_token;
    if (typeof cursor === "string") this.cursor = cursor;
    if (typeof user_id === "string") {
      this.userId = user_id;
      this.stage.names.meet(this.name, { userId: user_id, token: this.token || undefined });
    }
  }
}

/** One request on its way, and what comes back for it. */
export interface Exchange {
  /** Of the last event that had one; "" where there are none. */
  readonly lastEventId: string;
  /** The next notification that comes before the answer. */
  hears(): Promise<Json>;
  /** The answer; what comes before it is told too. @returns the whole message */
  answer(layout?: Layout): Promise<Json>;
  /** Waits for the end of the answer's stream, which must be the next thing. */
  ends(): Promise<void>;
  /** Loses the connection. */
  drop(): Promise<void>;
}

/** Somebody who speaks HTTP. */
export class HttpActor extends Actor {
  #session: string | undefined;

  /** A client of 2026-07-28; it shows its session token, once it has one, as a bearer. */
  static modern(stage: Stage, name: string, options: ActorOptions = {}): HttpActor {
    stage.minutes.introduced(`${name} speaks ${MODERN}.`);
    return new HttpActor(stage, name, options);
  }

  /** A client with a session. */
  static async legacy(stage: Stage, name: string, options: ActorOptions = {}): Promise<HttpActor> {
    const revision = options.revision ?? "2025-11-25";
    const actor = new HttpActor(stage, name, { ...options, revision });
    await stage.quietly(() => actor.initialize(revision));
    stage.minutes.introduced(`${name} opens a session of ${revision}.`);
    return actor;
  }

  /** A client of which nothing is told yet. */
  static stranger(stage: Stage, name: string, options: ActorOptions): HttpActor {
    return new HttpActor(stage, name, options);
  }

  /** The handshake of sessions. */
  async initialize(protocolVersion: string): Promise<void> {
    const params = { protocolVersion, capabilities: this.capabilities, clientInfo: this.client };
    const sent = this.send("initialize", params);
    await sent.answer("tree");
    this.#session = await sent.session();
    if (this.#session !== "") this.stage.minutes.told(this.name, "<-", "[mcp-session-id: <session>]");
    await this.notify("notifications/initialized");
  }

  /** POSTs anything. Nothing is told. */
  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(this.stage.url, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { ...this.headers(), ...headers },
    });
  }

  headers(): Record<string, string> {
    const accept = "application/json, text/event-stream";
    const common = { "content-type": "application/json", accept };
    if (this.era === "legacy") {
      return this.#session === undefined ? common : { ...common, "mcp-session-id": this.#session };
    }
    const bearer = this.token === "" ? {} : { authorization: `Bearer ${this.token}` };
    return { ...common, "mcp-protocol-version": MODERN, ...bearer };
  }

  send(method: string, params: Json = {}, options: RequestOptions = {}): HttpExchange {
    const id = options.id ?? ++this.lastId;
    const headers: Record<string, string> = {};
    if (this.era === "modern") {
      headers["mcp-method"] = method;
      const name = params[NAMED_BY[method] ?? ""];
      if (typeof name === "string") headers["mcp-name"] = name;
    }
    const shown = Object.entries(options.headers ?? {}).map(([name, value]) => ` [${name}: ${value}]`);
    const own = isJson(options.meta) ? { ...params, _meta: options.meta } : params;
    const as = this.era === "modern" && this.token !== "" && options.headers?.authorization === undefined;
    const idSuffix = options.showsId === true ? ` #${id}` : "";
    this.stage.minutes.sent(
      this.name,
      "POST",
      method + idSuffix,
      own,
      (as ? ` as ${this.token}` : "") + shown.join(""),
    );
    const body = { jsonrpc: "2.0", id, method, params: this.paramsOf(params, options.meta) };
    const response = this.post(body, { ...headers, ...options.headers });
    const tool = method === "tools/call" ? String(params.name) : undefined;
    const exchange = new HttpExchange(this, method, tool, response);
    this.stage.expectHeardOut({ who: this.name, rest: () => exchange.rest() });
    return exchange;
  }

  /** Sends a notification. */
  async notify(method: string, params: Json = {}): Promise<void> {
    this.stage.minutes.sent(this.name, "POST", method, params);
    const response = await this.post({ jsonrpc: "2.0", method, params });
    await response.text();
    this.stage.minutes.told(this.name, "<-", String(response.status));
  }

  /**
   * Opens the session's GET stream. What cannot be opened is told.
   * @param tool whose answer is resumed by `lastEventId`, if it is one
   */
  async get(lastEventId?: string, tool?: string): Promise<HttpExchange> {
    const suffix = lastEventId === undefined ? "" : ` [last-event-id: ${lastEventId}]`;
    this.stage.minutes.told(this.name, "->", `GET${suffix}`);
    const resume: Record<string, string> = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const opening = fetch(this.stage.url, { headers: { ...this.headers(), ...resume } });
    const exchange = new HttpExchange(this, tool === undefined ? "" : "tools/call", tool, opening);
    this.stage.expectHeardOut({ who: this.name, rest: () => exchange.rest() });
    const { body, headers } = await opening;
    if (body === null || headers.get("content-type") !== "text/event-stream") await exchange.answer();
    else await exchange.opened();
    return exchange;
  }

  /**
   * Sends what nobody should send, or what has no other words.
   * @param told how it is told
   * @param init replaces what this client would send
   */
  async raw(told: string, init: RequestInit): Promise<Json> {
    this.stage.minutes.told(this.name, "->", told);
    const headers = { ...this.headers(), ...(init.headers as Record<string, string> | undefined) };
    const sent = fetch(this.stage.url, { method: "POST", ...init, headers });
    return new HttpExchange(this, "", undefined, sent).answer();
  }

  /** Sends several messages at once. */
  async batch(messages: readonly Json[]): Promise<void> {
    for (const { method, params } of messages) {
      this.stage.minutes.sent(this.name, "POST [batch]", String(method), isJson(params) ? params : {});
    }
    const response = await this.post(messages);
    const text = await response.text();
    this.stage.minutes.told(this.name, "<-", `${response.status}`);
    const answers: readonly Json[] = text === "" ? [] : JSON.parse(text);
    for (const answer of answers) {
      const asked = messages.find(({ id }) => id === answer.id);
      const params = isJson(asked?.params) ? asked.params : {};
      const tool = typeof params.name === "string" ? params.name : undefined;
      this.heard({ method: String(asked?.method), tool, message: answer }, "http");
      this.stage.minutes.answered(this.name, "[batch] ", "", String(asked?.method), answer, "fill");
    }
  }

  /** Ends the session. */
  async delete(): Promise<void> {
    this.stage.minutes.told(this.name, "->", "DELETE");
    const response = await fetch(this.stage.url, { method: "DELETE", headers: this.headers() });
    this.stage.minutes.told(this.name, "<-", `${response.status}${await response.text()}`);
  }
}

/** A request over HTTP: answered by one JSON message, or by an event stream. */
export class HttpExchange implements Exchange {
  readonly #actor: HttpActor;
  readonly #method: string;
  readonly #tool: string | undefined;
  readonly #response: Promise<Response>;
  #reader: StreamReader | undefined;
  #over = false;
  lastEventId = "";

  constructor(actor: HttpActor, method: string, tool: string | undefined, response: Promise<Response>) {
    this.#actor = actor;
    this.#method = method;
    this.#tool = tool;
    this.#response = response;
  }

  /** Waits until the head of the answer is here; a stream is told then, and its first event if that is empty. */
  async opened(): Promise<void> {
    const response = await this.#response;
    if (this.#reader !== undefined || this.#over) return;
    if (!isStream(response)) {
      return;
    }
    this.#reader = StreamReader.of(response);
    this.#told("<-", "200 event stream");
    // A stream that can be resumed begins with an empty event, so that there is an id to resume from.
    if (this.#actor.era === "legacy" && this.#actor.revision >= "2025-11-25") await this.#frame();
  }

  /** The session that the head of the answer names. */
  async session(): Promise<string> {
    return (await this.#response).headers.get("mcp-session-id") ?? "";
  }

  async hears(): Promise<Json> {
    await this.opened();
    const message = await this.#message();
    if (typeof message?.method !== "string") throw new Error(`no notification but ${JSON.stringify(message)}`);
    return message;
  }

  async answer(layout: Layout = "fill"): Promise<Json> {
    await this.opened();
    if (this.#reader === undefined) return this.#plain(await this.#response, layout);
    for (let message = await this.#message(layout); message !== undefined; message = await this.#message(layout)) {
      if (message.method === undefined) return message;
    }
    throw new Error(`${this.#actor.name} got no answer to ${this.#method}`);
  }

  async #plain(response: Response, layout: Layout): Promise<Json> {
    this.#over = true;
    const { name, stage } = this.#actor;
    const text = await response.text();
    const extra = ["www-authenticate", "allow", "retry-after"].flatMap((field) => {
      const value = response.headers.get(field);
      return value === null ? [] : [` [${field}: ${value}]`];
    });
    const status = `${response.status}${extra.join("")}`;
    if (text === "") {
      stage.minutes.told(name, "<-", status);
      return {};
    }
    const message: Json = JSON.parse(text);
    this.#heard(message, response.status);
    stage.minutes.answered(name, "", status, this.#method, message, layout);
    return message;
  }

  /** Takes notice of the next frame. @returns undefined at the end */
  async #frame(layout: Layout = "fill"): Promise<{ frame: SseFrame; message: Json | undefined } | undefined> {
    const frame = await this.#reader?.next();
    if (frame === undefined) return undefined;
    if (frame.id !== undefined) this.lastEventId = frame.id;
    const { name, stage } = this.#actor;
    if (frame.data === undefined || frame.data === "") {
      const id = frame.id === undefined ? "" : ` [id ${frame.id}]`;
      this.#told("<-", `${frame.data === undefined ? "" : "empty event, "}retry ${frame.retryMs} ms${id}`);
      return { frame, message: undefined };
    }
    const message: Json = JSON.parse(frame.data);
    this.#heard(message, undefined);
    if (typeof message.method === "string") stage.minutes.heard(name, this.#via, message, frame.id);
    else {
      this.#over = true;
      stage.minutes.answered(name, this.#via, "", this.#method, message, layout);
    }
    return { frame, message };
  }

  async #message(layout: Layout = "fill"): Promise<Json | undefined> {
    for (let read = await this.#frame(layout); read !== undefined; read = await this.#frame(layout)) {
      if (read.message !== undefined) return read.message;
    }
    return undefined;
  }

  /** The frame that tells a client to come back. */
  async isSentAway(): Promise<void> {
    const read = await this.#frame();
    if (read === undefined || read.message !== undefined) throw new Error(`not sent away: ${JSON.stringify(read)}`);
  }

  async ends(): Promise<void> {
    const read = await this.#reader?.next();
    if (read !== undefined) throw new Error(`no end but ${JSON.stringify(read)}`);
    this.#over = true;
    this.#told("<-", "end of stream");
  }

  async drop(): Promise<void> {
    this.#over = true;
    const { stage } = this.#actor;
    const open = stage.openStreams;
    this.#told("->", "connection lost");
    await this.#reader?.close();
    await until(() => stage.openStreams < open);
  }

  /** What came and was not taken notice of. The last answer of a stream that the server ended is what must come. */
  async rest(): Promise<readonly Json[]> {
    const response = await this.#response.catch(() => undefined);
    if (this.#over || response === undefined) return [];
    if (this.#reader === undefined) return [JSON.parse(await response.text())];
    const messages: Json[] = [];
    for (let frame = await this.#reader.next(); frame !== undefined; frame = await this.#reader.next()) {
      if (frame.data) messages.push(JSON.parse(frame.data));
    }
    return this.#tool === undefined ? messages.filter(({ method }) => method !== undefined) : messages;
  }

  get #via(): string {
    return this.#tool === undefined ? "(stream) " : "(call) ";
  }

  #told(arrow: "->" | "<-", text: string): void {
    this.#actor.stage.minutes.told(this.#actor.name, arrow, text, this.#via);
  }

  #heard(message: Json, status: number | undefined): void {
    this.#actor.heard({ method: this.#method, tool: this.#tool, message, status }, "http");
  }
}

function isStream(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/** The structured result of a tool call, or its text read as JSON; {} if it is neither. */
export function structured({ result }: Json): Json {
  if (!isJson(result)) return {};
  if (isJson(result.structuredContent)) return result.structuredContent;
  const [first] = Array.isArray(result.content) ? result.content : [];
  const text = isJson(first) ? String(first.text) : "";
  const line: Plain = text.startsWith("{") ? JSON.parse(text.split("\n")[0] ?? "{}") : null;
  return isJson(line) ? line : {};
}
