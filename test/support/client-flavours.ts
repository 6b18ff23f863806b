/**
 * The official clients as people who chat: one interface, one implementation for each flavour of
 * client and protocol era.
 *
 * This file owns how an official client enters, speaks and hears. It must never speak the protocol
 * itself: whatever goes over the wire, an official client has written.
 */

import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport, type StdioServerParameters } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { z } from "zod";
import { Arrivals, within } from "./client-deadline.ts";
import { Line } from "./client-line.ts";

/** `v1` knows the legacy era only; the second generation is told by its mode which era to speak. */
export const FLAVOURS = ["v1", "v2-legacy", "v2-auto", "v2-pinned"] as const;
export type Flavour = (typeof FLAVOURS)[number];

/** Legacy flavours hear by push, modern ones by calling `wait_for_message`. */
export function hearsByPush(flavour: Flavour): boolean {
  return flavour === "v1" || flavour === "v2-legacy";
}

const eventSchema = z.object({
  event_id: z.string(),
  name: z.string(),
  data: z.looseObject({ room_id: z.string(), timestamp: z.string() }),
  cursor: z.string(),
});

/** What happened, however it was heard. */
export type ChatEvent = z.infer<typeof eventSchema>;

const outcomeSchema = z.object({
  isError: z.boolean().default(false),
  content: z.array(z.object({ type: z.literal("text"), text: z.string() })),
  structuredContent: z.looseObject({}),
});

/** What a tool answered. */
export type Outcome = z.infer<typeof outcomeSchema>;

/** What another process needs to go on as the same user. */
export interface Identity {
  readonly token: string | undefined;
  /** Of the last event heard. */
  readonly cursor: string | undefined;
  /** Ids of the events heard, so that one that comes again is known. */
  readonly heard: readonly string[];
  /** Of a legacy connection: its session and the last event id of its stream. */
  readonly session: { readonly id: string; readonly revision: string; readonly lastEventId: string } | undefined;
}

/** Somebody who chats. */
export interface ChatClient extends AsyncDisposable {
  readonly flavour: Flavour;
  /** Names of the tools. From here on the client checks results against the listed schemas. */
  listTools(): Promise<string[]>;
  enter(args?: Record<string, unknown>): Promise<Outcome>;
  /** @param id a `client_message_id`, so that the same can be sent again */
  send(message: string, id?: string): Promise<Outcome>;
  /** The next event that was not heard before. */
  hear(): Promise<ChatEvent>;
  /** Events that came more than once. */
  repeats(): Promise<number>;
  leave(): Promise<Outcome>;
  /** Calls `wait_for_message` once, whatever else this client hears by. */
  wait(seconds: number): Promise<Outcome>;
  /** Settles when the answer to a held call has begun: it could be resumed from here on. */
  holding(): Promise<void>;
  status(): Promise<Outcome>;
  identity(): Promise<Identity>;
  /** Loses its open connections, and goes on as its kind of client does. */
  drop(): Promise<void>;
  /** How often it has opened a stream where an earlier one broke off. */
  resumptions(): Promise<number>;
  /** Goes away without a word. */
  close(): Promise<void>;
}

/** How a client comes back: as whom, and by what it is recognised. */
export interface Comeback {
  readonly as: Identity;
  /** `session`: the same legacy session, resuming its stream. `token`: a connection that knows nothing but the token. */
  readonly by: "session" | "token";
}

/** What both generations of the official client have in common. */
interface OfficialClient {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

/** The transport's memory of a legacy session. */
interface SessionMemory {
  readonly sessionId?: string | undefined;
  readonly protocolVersion?: string | undefined;
}

/** Notifications of the chat that every session gets. */
export const PUSHED = [
  "chatroom.found",
  "message.received",
  "partner.away",
  "partner.back",
  "partner.disconnected",
] as const;
export const pushedParams = z.looseObject({
  event_id: z.string(),
  cursor: z.string(),
  room_id: z.string(),
  timestamp: z.string(),
});
type PushedParams = z.infer<typeof pushedParams>;

/** Connects an official client to the server at `url`. */
export async function connect(flavour: Flavour, url: string, comeback?: Comeback): Promise<ChatClient> {
  const line = new Line();
  const heard = new Arrivals<ChatEvent>();
  const onPush = putsInto(heard);
  const session = comeback?.by === "session" ? comeback.as.session : undefined;
  const open = flavour === "v1" ? openV1 : openV2;
  const { client, transport } = await open(flavour, new URL(url), line, onPush, session);
  const token = comeback === undefined || session !== undefined ? undefined : comeback.as.token;
  const parts = { flavour, line, client, transport, token, known: comeback?.as };
  return hearsByPush(flavour) ? new PushedClient(parts, heard) : new WaitingClient(parts, comeback?.as.cursor);
}

/** Connects an official client of the first generation to a server that it starts, and talks to over pipes. */
export async function connectOverPipes(server: StdioServerParameters): Promise<ChatClient> {
  const heard = new Arrivals<ChatEvent>();
  const client = newV1(putsInto(heard));
  await client.connect(new StdioClientTransport(server));
  const parts = { flavour: "v1", line: new Line(), client, transport: {}, token: undefined, known: undefined } as const;
  return new PushedClient(parts, heard);
}

type Opened = Promise<{ client: OfficialClient; transport: SessionMemory }>;
type OnPush = (name: string, params: PushedParams) => void;

const putsInto =
  (heard: Arrivals<ChatEvent>): OnPush =>
  (name, { event_id, cursor, ...data }) =>
    heard.put({ event_id, name, data, cursor });

const INFO = { name: "a test", version: "1" };

function newV1(onPush: OnPush): ClientV1 {
  const client = new ClientV1(INFO, { capabilities: {} });
  for (const name of PUSHED) {
    const schema = z.object({ method: z.literal(name), params: pushedParams });
    client.setNotificationHandler(schema, ({ params }) => onPush(name, params));
  }
  return client;
}

async function openV1(_flavour: Flavour, url: URL, line: Line, onPush: OnPush, session: Identity["session"]): Opened {
  const client = newV1(onPush);
  const transport = new TransportV1(url, {
    fetch: line.fetch,
    ...(session === undefined ? {} : { sessionId: session.id }),
  });
  if (session !== undefined) transport.setProtocolVersion(session.revision);
  // The cast: its interface was not written for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientV1["connect"]>[0]);
  if (session !== undefined) await transport.resumeStream(session.lastEventId);
  return { client, transport };
}

async function openV2(flavour: Flavour, url: URL, line: Line, onPush: OnPush, session: Identity["session"]): Opened {
  const mode = flavour === "v2-pinned" ? { pin: "2026-07-28" } : flavour === "v2-auto" ? "auto" : "legacy";
  const client = new ClientV2(INFO, { versionNegotiation: { mode } });
  for (const name of PUSHED) {
    client.setNotificationHandler(name, { params: pushedParams }, (params) => onPush(name, params));
  }
  const transport = new TransportV2(url, {
    fetch: line.fetch,
    ...(session === undefined ? {} : { sessionId: session.id, protocolVersion: session.revision }),
  });
  await client.connect(transport);
  if (session !== undefined) await transport.resumeStream(session.lastEventId);
  return { client, transport };
}

interface Parts {
  readonly flavour: Flavour;
  readonly line: Line;
  readonly client: OfficialClient;
  readonly transport: SessionMemory;
  /** Shown with every call from the start on; a session that has a user needs none. */
  readonly token: string | undefined;
  readonly known: Identity | undefined;
}

/** What all flavours do alike. */
abstract class SdkClient implements ChatClient {
  readonly flavour: Flavour;
  protected readonly parts: Parts;
  protected token: string | undefined;
  protected cursor: string | undefined;
  readonly #heard: Set<string>;
  #repeats = 0;

  constructor(parts: Parts) {
    this.flavour = parts.flavour;
    this.parts = parts;
    this.token = parts.known?.token;
    this.cursor = parts.known?.cursor;
    this.#heard = new Set(parts.known?.heard);
  }

  /** The token, if this kind of client shows it with its calls. */
  protected abstract shown(): Record<string, unknown>;
  protected abstract next(): Promise<ChatEvent>;

  async listTools(): Promise<string[]> {
    const { tools } = await this.parts.client.listTools();
    return tools.map((tool) => tool.name);
  }

  async enter(args: Record<string, unknown> = {}): Promise<Outcome> {
    const outcome = await this.call("enter_queue", args);
    const { session_token } = outcome.structuredContent;
    if (typeof session_token === "string") this.token = session_token;
    return outcome;
  }

  send(message: string, id?: string): Promise<Outcome> {
    return this.call("send_message", { message, ...(id === undefined ? {} : { client_message_id: id }) });
  }

  leave(): Promise<Outcome> {
    return this.call("leave_chat", {});
  }

  wait(seconds: number): Promise<Outcome> {
    return this.call("wait_for_message", { timeout_seconds: seconds });
  }

  async holding(): Promise<void> {
    await within("a streamed answer", this.parts.line.answerIds.take());
  }

  status(): Promise<Outcome> {
    return this.call("chat_status", {});
  }

  async hear(): Promise<ChatEvent> {
    for (;;) {
      const event = await within(`${this.flavour} hears`, this.next());
      this.cursor = event.cursor;
      if (this.#heard.has(event.event_id)) {
        this.#repeats++;
        continue;
      }
      this.#heard.add(event.event_id);
      return event;
    }
  }

  async repeats(): Promise<number> {
    return this.#repeats;
  }

  async identity(): Promise<Identity> {
    const { sessionId, protocolVersion } = this.parts.transport;
    const { lastEventId } = this.parts.line;
    const session =
      sessionId === undefined || protocolVersion === undefined || lastEventId === undefined
        ? undefined
        : { id: sessionId, revision: protocolVersion, lastEventId };
    return { token: this.token, cursor: this.cursor, heard: [...this.#heard], session };
  }

  async drop(): Promise<void> {
    this.parts.line.cut();
  }

  async resumptions(): Promise<number> {
    return this.parts.line.resumedFrom.filter((lastEventId) => lastEventId !== null).length;
  }

  async close(): Promise<void> {
    await this.parts.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected async call(name: string, args: Record<string, unknown>): Promise<Outcome> {
    return outcomeSchema.parse(await this.parts.client.callTool({ name, arguments: { ...args, ...this.shown() } }));
  }
}

/** Hears by notifications; its session says who it is. */
class PushedClient extends SdkClient {
  readonly #arrivals: Arrivals<ChatEvent>;

  constructor(parts: Parts, arrivals: Arrivals<ChatEvent>) {
    super(parts);
    this.#arrivals = arrivals;
  }

  protected shown(): Record<string, unknown> {
    return this.parts.token === undefined ? {} : { session_token: this.parts.token };
  }

  protected next(): Promise<ChatEvent> {
    return this.#arrivals.take();
  }
}

const waitedSchema = z.object({ events: z.array(eventSchema), cursor: z.string(), truncated: z.literal(false) });

/** Hears by asking, from where it has heard; its token says who it is. */
class WaitingClient extends SdkClient {
  #after: string | undefined;
  #fetched: ChatEvent[] = [];

  constructor(parts: Parts, after: string | undefined) {
    super(parts);
    this.#after = after;
  }

  protected shown(): Record<string, unknown> {
    return this.token === undefined ? {} : { session_token: this.token };
  }

  protected async next(): Promise<ChatEvent> {
    for (;;) {
      const event = this.#fetched.shift();
      if (event !== undefined) return event;
      const after = this.#after === undefined ? {} : { after: this.#after };
      const drops = this.parts.line.cuts;
      try {
        const { structuredContent } = await this.call("wait_for_message", { ...after, timeout_seconds: 10 });
        const { events, cursor } = waitedSchema.parse(structuredContent);
        this.#after = cursor;
        this.#fetched = events;
      } catch (problem) {
        // A lost answer is asked for again, with the same cursor.
        if (this.parts.line.cuts === drops) throw problem;
      }
    }
  }
}
