/**
 * A server with resources, prompts, completion, logging and list changes, in the hands of a test, and
 * short ways to ask it in either era. Whatever it answers is checked against the official schemas.
 *
 * This file owns that fixture. It must never open a port.
 */

import type { Caller } from "../../src/mcp/call.ts";
import type { Outlet } from "../../src/mcp/frame-source.ts";
import { ListAnnouncer } from "../../src/mcp/list-changes.ts";
import type { MessageSource } from "../../src/mcp/message-source.ts";
import type { Era, Prompt, Requester, Resource, Resources, ServerDefinition, Tool } from "../../src/mcp/registry.ts";
import type { HeldReply, Reply } from "../../src/mcp/reply.ts";
import { CALLER, connect, createEndpoint, type HandConnection, type TestEndpoint } from "./mcp-endpoint.ts";
import { createFixture, MemoryPush } from "./mcp-fixture.ts";
import { expectOfficial } from "./mcp-schemas.ts";

/** A watch as the application sees it. */
export interface WatchRecord {
  readonly uri: string;
  readonly requester: Requester;
  readonly changed: () => void;
  stops: number;
}

export interface World {
  readonly endpoint: TestEndpoint;
  readonly lists: ListAnnouncer;
  /** Every watch ever opened. */
  readonly watches: WatchRecord[];
  /** To be changed by tests before they announce it. */
  tools: Tool[];
  prompts: Prompt[];
  /** The notifications of the application. */
  readonly push: MemoryPush;
  /** Says that a resource has changed to everybody who watches it and has not stopped. */
  change(uri: string): void;
}

/** Who may read what: `test://mine` belongs to whoever names themselves `ann`, by bearer. */
export const ANN: Caller = { ...CALLER, bearer: "ann" };

const ICONS = [{ src: "https://example.test/i.png", sizes: ["48x48"] }];

function resourcesOf(watches: WatchRecord[]): Resources {
  const mine: Resource = { uri: "test://mine", name: "mine", title: "Mine", icons: ICONS, size: 4 };
  return {
    list: ({ bearer }) => (bearer === "ann" ? [mine] : []),
    templates: [
      {
        uriTemplate: "test://{kind}/{id}{?page}",
        name: "things",
        title: "Things",
        mimeType: "text/plain",
        icons: ICONS,
        complete: {
          id: (typed, given) =>
            ["a1", "a2", "b1"].map((id) => `${given.kind ?? ""}${id}`).filter((id) => id.includes(typed)),
        },
      },
    ],
    read(uri, { bearer }) {
      if (uri === "test://mine") return bearer === "ann" ? { contents: [{ uri, text: "mine" }] } : undefined;
      if (uri === "test://later") return Promise.resolve({ contents: [{ uri, blob: "AA==", mimeType: "x/y" }] });
      if (uri === "test://all") return { contents: [{ uri, text: "all" }], cache: { ttlMs: 7, scope: "public" } };
      if (uri === "test://bug") throw new TypeError("a bug");
      return undefined;
    },
    watch(uri, requester, changed) {
      if (!uri.startsWith("test://")) return undefined;
      if (uri === "test://bug") throw new TypeError("a bug");
      const record: WatchRecord = { uri, requester, changed, stops: 0 };
      watches.push(record);
      return () => {
        record.stops++;
      };
    },
  };
}

const PROMPTS: readonly Prompt[] = [
  {
    name: "greet",
    title: "Greet",
    description: "Greets somebody.",
    icons: ICONS,
    arguments: [
      { name: "who", title: "Who", description: "Whom to greet", required: true, complete: () => ["ann", "bob"] },
      { name: "how", complete: (typed) => Promise.resolve(Array.from({ length: 150 }, (_, n) => `${typed}${n}`)) },
      { name: "mute" },
    ],
    get({ who, how = "hello" }, context) {
      if (who === "nobody") return { invalid: "nobody cannot be greeted." };
      context.log("info", `greeting ${who}`);
      return {
        description: "A greeting",
        messages: [{ role: "user", content: { type: "text", text: `${how} ${who}` } }],
      };
    },
  },
  {
    name: "link",
    description: "Has content that old clients do not know.",
    get: () =>
      Promise.resolve({
        messages: [
          { role: "assistant", content: { type: "resource_link", uri: "test://x", name: "x" } },
          { role: "user", content: { type: "audio", data: "AA==", mimeType: "audio/wav" } },
        ],
      }),
  },
];

function toolsOf(): Tool[] {
  return [
    {
      name: "log",
      description: "Logs at every level it is asked for.",
      icons: ICONS,
      inputSchema: { type: "object" },
      call({ levels }, context) {
        for (const level of Array.isArray(levels) ? levels : []) context.log(level as "info", { said: level }, "test");
        return { content: [{ type: "text", text: "done" }] };
      },
    },
  ];
}

/** Members of a definition to replace, or to leave out by naming them undefined. */
export type Parts = { readonly [K in keyof ServerDefinition]?: ServerDefinition[K] | undefined };

/** Makes a fresh server. */
export function createWorld(parts: Parts = {}): World {
  const watches: WatchRecord[] = [];
  const lists = new ListAnnouncer(["tools", "prompts", "resources"]);
  const push = new MemoryPush();
  const world = { tools: toolsOf(), prompts: [...PROMPTS] };
  const fixture = createFixture();
  const definition: ServerDefinition = {
    info: { ...fixture.definition.info, icons: ICONS },
    get tools() {
      return world.tools;
    },
    get prompts() {
      return world.prompts;
    },
    resources: resourcesOf(watches),
    listChanges: lists,
    logging: true,
    push,
    sessions: fixture.ledger,
  };
  // The getters have to stay getters: the engine reads changed lists anew.
  const whole = Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(definition), ...descriptorsOf(parts) },
  );
  const endpoint = createEndpoint({ ...fixture, push, definition: whole as ServerDefinition });
  return Object.assign(world, {
    endpoint,
    lists,
    watches,
    push,
    change(uri: string) {
      for (const watch of watches) if (watch.uri === uri && watch.stops === 0) watch.changed();
    },
  });
}

function descriptorsOf(parts: Parts): PropertyDescriptorMap {
  return Object.getOwnPropertyDescriptors(parts) as PropertyDescriptorMap;
}

const NS = "io.modelcontextprotocol/";
const NAMED_BY: Readonly<Record<string, string>> = {
  "prompts/get": "name",
  "tools/call": "name",
  "resources/read": "uri",
};

/** One side that asks: a legacy session or a modern client. */
export interface Asker {
  readonly era: Era;
  /** The headers that name the session, if there is one. */
  readonly headers: Record<string, string>;
  /** Sends a request and gives whatever comes back. */
  send(method: string, params?: Record<string, unknown>, meta?: Record<string, unknown>): Reply | HeldReply;
  /** The same where one JSON answer is expected, checked against the schemas. @returns status and body */
  ask(method: string, params?: Record<string, unknown>, meta?: Record<string, unknown>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly body: { readonly result?: Record<string, unknown>; readonly error?: Record<string, unknown> };
  /** Messages before it. */
  readonly before: readonly Record<string, unknown>[];
}

export function legacyAsker({ endpoint }: World, revision = "2025-11-25", caller: Caller = CALLER): Asker {
  const headers = endpoint.open(revision, caller);
  return asker("legacy", headers, (method, params) =>
    endpoint.post({ jsonrpc: "2.0", id: 7, method, ...(params === undefined ? {} : { params }) }, headers, caller),
  );
}

export function modernAsker({ endpoint }: World, caller: Caller = CALLER): Asker {
  return asker("modern", {}, (method, params = {}, meta = {}) => {
    const _meta = { [`${NS}protocolVersion`]: "2026-07-28", [`${NS}clientCapabilities`]: {}, ...meta };
    const headers: Record<string, string> = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
    const named = params[NAMED_BY[method] ?? ""];
    if (typeof named === "string") headers["mcp-name"] = named;
    return endpoint.post({ jsonrpc: "2.0", id: 7, method, params: { ...params, _meta } }, headers, caller);
  });
}

function asker(era: Era, headers: Record<string, string>, send: Asker["send"]): Asker {
  return {
    era,
    headers,
    send,
    async ask(method, params, meta) {
      const reply = await settled(send(method, params, meta));
      const { status, messages } = messagesOf(reply);
      for (const message of messages) expectOfficial(era, method, message);
      const body = messages.at(-1);
      if (body === undefined) throw new Error("no answer came");
      return { status, body, before: messages.slice(0, -1) };
    },
  };
}

/** The list a method answers with. */
export async function listed(asker: Asker, method: string, member: string): Promise<Record<string, unknown>[]> {
  const items = (await asker.ask(method)).body.result?.[member];
  if (!Array.isArray(items)) throw new Error(`${method} did not list ${member}`);
  return items;
}

async function settled(reply: Reply | HeldReply): Promise<Reply> {
  return reply.kind === "held" ? await reply.reply : reply;
}

function messagesOf(reply: Reply): { status: number; messages: Record<string, unknown>[] } {
  if (reply.kind === "json") return { status: reply.status, messages: [JSON.parse(reply.body)] };
  return { status: 200, messages: connect(reply).messages() as Record<string, unknown>[] };
}

/** Opens a session's GET stream. */
export function openStream({ endpoint }: World, headers: Record<string, string>): HandConnection {
  return connect(endpoint.get(headers));
}

/** The connection of a long answer, by hand: everything it says is checked against the schemas. */
export class Listener implements Outlet {
  readonly #source: MessageSource;
  readonly #closed: () => void;
  woken = 0;
  ended = false;

  constructor(reply: Reply | HeldReply) {
    if (reply.kind !== "messages") throw new Error(`a ${reply.kind} reply where messages were expected`);
    this.#source = reply.source;
    this.#closed = () => reply.closed();
    this.#source.attach(this);
  }

  wake(): void {
    this.woken++;
  }

  end(): void {
    this.ended = true;
  }

  heartbeat(): string | undefined {
    return this.#source.heartbeat();
  }

  /** The client has cancelled the request, as it does where connections are shared. */
  cancel(): void {
    this.#source.cancel();
  }

  /** What there is to read, a little at a time. */
  read(): Record<string, unknown>[] {
    const messages: Record<string, unknown>[] = [];
    for (let more = this.#source.next(1); more.length > 0; more = this.#source.next(1)) {
      for (const json of more) {
        const message = JSON.parse(json);
        expectOfficial("modern", "subscriptions/listen", message);
        messages.push(message);
      }
    }
    return messages;
  }

  close(): void {
    this.#closed();
  }
}
