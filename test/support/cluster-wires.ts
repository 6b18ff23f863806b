/**
 * Every way of being a client of a cluster: official clients and requests written by hand, in both eras, each
 * of which mends by itself what a node takes with it.
 *
 * This file owns connections. It must never decide what is said, nor hide an event that came.
 */

import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { z } from "zod";
import { within } from "./client-deadline.ts";
import { type ChatEvent, PUSHED, pushedParams } from "./client-flavours.ts";
import { type HeaderFields, type Json, modernRequest, SseParser } from "./client-raw.ts";
import { socketFetch } from "./socket-fetch.ts";

/**
 * `v1`, `v2-legacy`: official clients that hear by push. `v2-wait`: the official modern client, which hears by
 * `wait_for_message`. `raw-push`, `raw-wait`, `raw-events`: by hand; the last one hears by `events/stream`.
 */
export const WIRES = ["v1", "v2-legacy", "v2-wait", "raw-push", "raw-wait", "raw-events"] as const;
export type WireKind = (typeof WIRES)[number];

/** What a tool answered. */
export interface Answered {
  readonly isError: boolean;
  readonly structured: Json;
}

/** Where a wire puts what it hears. */
export interface Ear {
  onEvent(event: ChatEvent): void;
  /** The server says that the reader comes too late for something. */
  onTruncated(): void;
  /** What no client can mend: the server does not know it any more. */
  onTrouble(what: string): void;
}

/** A connection to the server, as its user sees it: it is there until it is closed. */
export interface Wire {
  readonly kind: WireKind;
  /** Calls a tool once. Rejects if there is no answer: then nobody knows whether it was done. */
  call(tool: string, args: Json): Promise<Answered>;
  /** From here on it hears: as the user whose token this is, from this cursor on. */
  listen(token: string, cursor: string): void;
  close(): Promise<void>;
}

/** How long an answer may take. Longer than any node waits for Redis. */
const ANSWER_MS_MAX = 20_000;
/** Pause before anything is tried again. */
const AGAIN_MS = 100;
const HOLD_S = 10;

const outcomeSchema = z.object({
  isError: z.boolean().default(false),
  structuredContent: z.record(z.string(), z.unknown()),
});

const eventSchema = z.object({
  event_id: z.string(),
  name: z.string(),
  data: z.looseObject({ room_id: z.string(), timestamp: z.string() }),
  cursor: z.string(),
});

/** Opens a connection; tries until there is one. */
export async function openWire(kind: WireKind, url: string, ear: Ear): Promise<Wire> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(kind, url, ear);
    } catch (problem) {
      if (attempt === 50) throw problem;
      await Bun.sleep(AGAIN_MS);
    }
  }
}

function open(kind: WireKind, url: string, ear: Ear): Promise<Wire> {
  switch (kind) {
    case "v1":
    case "v2-legacy":
    case "v2-wait":
      return OfficialWire.open(kind, url, ear);
    case "raw-push":
      return PushWire.open(url, ear);
    case "raw-wait":
    case "raw-events":
      return Promise.resolve(new ModernWire(kind, url, ear));
  }
}

// --- hearing ----------------------------------------------------------------------------------

const updatedParams = z.looseObject({ uri: z.string() });

function hearPush(ear: Ear, name: string, params: z.infer<typeof pushedParams>): void {
  const { event_id, cursor, ...data } = params;
  ear.onEvent({ event_id, name, data, cursor });
}

/** Nobody here watches a resource, so the notice of one can only mean that something is missing. */
function hearUpdate(ear: Ear, uri: string): void {
  if (uri === "chat://inbox") ear.onTruncated();
}

/** Calls `wait_for_message` again and again, with the cursor of what has come. */
async function hearByWaiting(wire: Wire, ear: Ear, from: string, isOver: () => boolean): Promise<void> {
  let after = from;
  while (!isOver()) {
    const waited = await wire.call("wait_for_message", { after, timeout_seconds: HOLD_S }).catch(() => undefined);
    if (isOver()) return;
    const answer = waitedSchema.safeParse(waited?.structured);
    if (!answer.success) {
      const code = refusalOf(waited);
      if (code !== undefined && code !== "unavailable") ear.onTrouble(`cannot wait: ${code}`);
      await Bun.sleep(AGAIN_MS);
      continue;
    }
    if (answer.data.truncated) ear.onTruncated();
    for (const event of answer.data.events) ear.onEvent(event);
    after = answer.data.cursor;
  }
}

const waitedSchema = z.object({ events: z.array(eventSchema), cursor: z.string(), truncated: z.boolean() });
const refusalSchema = z.object({ error: z.object({ code: z.string() }) });

/** The code of a refusal; undefined if it is none. */
export function refusalOf(answered: Answered | undefined): string | undefined {
  const refusal = refusalSchema.safeParse(answered?.structured);
  return refusal.success ? refusal.data.error.code : undefined;
}

// --- official clients -------------------------------------------------------------------------

const INFO = { name: "a test", version: "1" };
/** They go on trying; the server's own `retry` says how fast. */
const RECONNECTION = {
  initialReconnectionDelay: AGAIN_MS,
  maxReconnectionDelay: 1000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 1000,
};

interface OfficialClient {
  call(tool: string, args: Json): Promise<unknown>;
  close(): Promise<void>;
}

class OfficialWire implements Wire {
  readonly kind: WireKind;
  readonly #client: OfficialClient;
  readonly #ear: Ear;
  #token: string | undefined;
  #isOver = false;

  private constructor(kind: WireKind, client: OfficialClient, ear: Ear) {
    this.kind = kind;
    this.#client = client;
    this.#ear = ear;
  }

  static async open(kind: WireKind, url: string, ear: Ear): Promise<OfficialWire> {
    const connect = kind === "v1" ? connectV1 : connectV2;
    return new OfficialWire(kind, await connect(kind, new URL(url), ear), ear);
  }

  async call(tool: string, args: Json): Promise<Answered> {
    const shown = this.kind === "v2-wait" && this.#token !== undefined ? { session_token: this.#token } : {};
    const asked = this.#client.call(tool, { ...args, ...shown });
    const { isError, structuredContent } = outcomeSchema.parse(
      await within(`${tool} by ${this.kind}`, asked, ANSWER_MS_MAX),
    );
    return { isError, structured: structuredContent };
  }

  listen(token: string, cursor: string): void {
    this.#token = token;
    if (this.kind === "v2-wait") void hearByWaiting(this, this.#ear, cursor, () => this.#isOver);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#client.close();
  }
}

async function connectV1(_kind: WireKind, url: URL, ear: Ear): Promise<OfficialClient> {
  const client = new ClientV1(INFO, { capabilities: {} });
  for (const name of PUSHED) {
    const schema = z.object({ method: z.literal(name), params: pushedParams });
    client.setNotificationHandler(schema, ({ params }) => hearPush(ear, name, params));
  }
  const updated = z.object({ method: z.literal("notifications/resources/updated"), params: updatedParams });
  client.setNotificationHandler(updated, ({ params }) => hearUpdate(ear, params.uri));
  const transport = new TransportV1(url, { fetch: socketFetch, reconnectionOptions: RECONNECTION });
  // The cast: its interface was not written for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientV1["connect"]>[0]);
  return {
    call: (name, args) => client.callTool({ name, arguments: args }, undefined, { timeout: ANSWER_MS_MAX }),
    close: () => client.close(),
  };
}

async function connectV2(kind: WireKind, url: URL, ear: Ear): Promise<OfficialClient> {
  const mode = kind === "v2-wait" ? { pin: "2026-07-28" } : "legacy";
  const client = new ClientV2(INFO, { versionNegotiation: { mode } });
  for (const name of PUSHED) {
    client.setNotificationHandler(name, { params: pushedParams }, (params) => hearPush(ear, name, params));
  }
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => hearUpdate(ear, params.uri));
  const transport = new TransportV2(url, { fetch: socketFetch, reconnectionOptions: RECONNECTION });
  await client.connect(transport);
  return {
    call: (name, args) => client.callTool({ name, arguments: args }, { timeout: ANSWER_MS_MAX }),
    close: () => client.close(),
  };
}

// --- by hand ----------------------------------------------------------------------------------

const HEADERS: HeaderFields = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const messageSchema = z.looseObject({ result: z.unknown().optional(), error: z.unknown().optional() });

/** POSTs a call. Rejects if there is no answer, or one that is no result. */
async function postCall(url: string, body: Json, headers: HeaderFields, signal: AbortSignal): Promise<Answered> {
  const response = await socketFetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { ...HEADERS, ...headers },
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
  });
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const last = isStream ? new SseParser().push(text).findLast(({ data }) => data !== "")?.data : text;
  if (!response.ok || last === undefined) throw new NoResult(response.status, text);
  const { result } = messageSchema.parse(JSON.parse(last));
  if (result === undefined) throw new NoResult(response.status, text);
  const { isError, structuredContent } = outcomeSchema.parse(result);
  return { isError, structured: structuredContent };
}

/** An answer that is none. */
export class NoResult extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`${status} ${text}`);
    this.status = status;
  }
}

/** Reads one event stream to its end, however it ends. */
async function readStream(
  asked: Promise<Response>,
  onData: (message: Json, id: string | undefined) => void,
): Promise<number> {
  const response = await asked;
  if (!response.ok || response.body === null) return response.status;
  const parser = new SseParser();
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    for (const { id, data } of parser.push(decoder.decode(chunk, { stream: true }))) {
      onData(data === "" ? {} : z.record(z.string(), z.unknown()).parse(JSON.parse(data)), id);
    }
  }
  return response.status;
}

let lastId = 0;

/** A legacy session with a GET stream that is opened again and again, from where it has heard. */
class PushWire implements Wire {
  readonly kind = "raw-push";
  readonly #url: string;
  readonly #session: HeaderFields;
  readonly #ear: Ear;
  readonly #cable = new AbortController();
  #lastEventId: string | undefined;

  private constructor(url: string, session: string, ear: Ear) {
    this.#url = url;
    this.#session = { "mcp-session-id": session };
    this.#ear = ear;
    void this.#hear();
  }

  static async open(url: string, ear: Ear): Promise<PushWire> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: INFO };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const response = await socketFetch(url, { method: "POST", body, headers: HEADERS });
    const session = response.headers.get("mcp-session-id");
    if (session === null) throw new NoResult(response.status, await response.text());
    return new PushWire(url, session, ear);
  }

  call(tool: string, args: Json): Promise<Answered> {
    const body = { jsonrpc: "2.0", id: ++lastId, method: "tools/call", params: { name: tool, arguments: args } };
    return postCall(this.#url, body, this.#session, this.#cable.signal);
  }

  listen(): void {
    // It hears from the start; its session says who it is.
  }

  async close(): Promise<void> {
    this.#cable.abort();
  }

  async #hear(): Promise<void> {
    const { signal } = this.#cable;
    while (!signal.aborted) {
      const resumed: HeaderFields = this.#lastEventId === undefined ? {} : { "last-event-id": this.#lastEventId };
      const headers = { accept: "text/event-stream", ...this.#session, ...resumed };
      const status = await readStream(socketFetch(this.#url, { headers, signal }), (message, id) => {
        this.#take(message);
        this.#lastEventId = id ?? this.#lastEventId;
      }).catch(() => 0);
      if (status === 400 || status === 404) this.#ear.onTrouble(`its session is not known: ${status}`);
      await Bun.sleep(AGAIN_MS);
    }
  }

  #take({ method, params }: Json): void {
    if (method === "notifications/resources/updated") hearUpdate(this.#ear, updatedParams.parse(params).uri);
    const name = PUSHED.find((one) => one === method);
    if (name !== undefined) hearPush(this.#ear, name, pushedParams.parse(params));
  }
}

const activitySchema = z.object({
  method: z.string(),
  params: z.looseObject({
    cursor: z.string(),
    truncated: z.boolean().optional(),
    eventId: z.string().optional(),
    timestamp: z.string().optional(),
    data: z.object({ name: z.string(), data: z.looseObject({}) }).optional(),
  }),
});

/** Requests that say everything themselves; hears by waiting, or by the one feed of everything. */
class ModernWire implements Wire {
  readonly kind: WireKind;
  readonly #url: string;
  readonly #ear: Ear;
  readonly #cable = new AbortController();
  #token: string | undefined;
  #cursor = "";

  constructor(kind: WireKind, url: string, ear: Ear) {
    this.kind = kind;
    this.#url = url;
    this.#ear = ear;
  }

  call(tool: string, args: Json): Promise<Answered> {
    const shown = this.#token === undefined ? {} : { session_token: this.#token };
    const { body, headers } = modernRequest(++lastId, "tools/call", { name: tool, arguments: { ...args, ...shown } });
    return postCall(this.#url, body, headers, this.#cable.signal);
  }

  listen(token: string, cursor: string): void {
    this.#token = token;
    this.#cursor = cursor;
    if (this.kind === "raw-events") void this.#stream();
    else void hearByWaiting(this, this.#ear, cursor, () => this.#cable.signal.aborted);
  }

  async close(): Promise<void> {
    this.#cable.abort();
  }

  async #stream(): Promise<void> {
    const { signal } = this.#cable;
    while (!signal.aborted) {
      const { body, headers } = modernRequest(++lastId, "events/stream", {
        name: "chat.activity",
        cursor: this.#cursor,
      });
      const init = {
        method: "POST",
        body: JSON.stringify(body),
        headers: { ...HEADERS, ...headers, authorization: `Bearer ${this.#token}` },
        signal,
      };
      const status = await readStream(socketFetch(this.#url, init), (message) => this.#take(message)).catch(() => 0);
      if (status === 400 || status === 404) this.#ear.onTrouble(`its stream is refused: ${status}`);
      await Bun.sleep(AGAIN_MS);
    }
  }

  #take(message: Json): void {
    if ("result" in message) return;
    if ("error" in message) {
      this.#ear.onTrouble(`its stream is refused: ${JSON.stringify(message.error)}`);
      return;
    }
    const { params } = activitySchema.parse(message);
    const { cursor, truncated, eventId, data } = params;
    this.#cursor = cursor;
    if (truncated) this.#ear.onTruncated();
    // What is live only has no id and is not part of the account.
    if (eventId === undefined || data === undefined || data.name === "partner.typing") return;
    this.#ear.onEvent(eventSchema.parse({ event_id: eventId, name: data.name, data: data.data, cursor }));
  }
}
