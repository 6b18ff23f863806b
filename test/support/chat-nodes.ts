/**
 * Several chat servers that are one, without a network: they share a journal in memory that takes its time, and a
 * clock that tests turn by hand.
 *
 * This file owns the nodes and the waiting for them. It must never replace a module of ours.
 */
import { LobbyReplica } from "../../src/chat/lobby-replica.ts";
import { type ChatServer, type ChatServerOptions, createChatServer } from "../../src/chat/server.ts";
import { freeze } from "../../src/domain/freeze.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import type { Caller } from "../../src/mcp/call.ts";
import { decode } from "../../src/mcp/jsonrpc.ts";
import type { HeldReply, Reply } from "../../src/mcp/reply.ts";
import { StreamableHttp } from "../../src/mcp/streamable-http.ts";
import { HandClock, LOBBY_SETTINGS } from "./chat-world.ts";
import { SESSION_KEY } from "./http-fixture.ts";
import { CALLER, connect, type HandConnection } from "./mcp-endpoint.ts";
import { type MemoryNode, SharedMemory } from "./shared-journal.ts";

export interface ChatNodesOptions {
  readonly seed?: number;
  readonly chat?: Partial<ChatServerOptions>;
}

export class ChatNodes {
  readonly clock = new HandClock();
  readonly shared: SharedMemory;
  readonly all: OneNode[] = [];
  readonly #options: ChatNodesOptions;

  private constructor(options: ChatNodesOptions) {
    this.#options = options;
    this.shared = new SharedMemory(options.seed ?? 1, () => this.clock.now());
  }

  static async start(count: number, options: ChatNodesOptions = {}): Promise<ChatNodes> {
    const nodes = new ChatNodes(options);
    for (let n = 0; n < count; n++) await nodes.add();
    return nodes;
  }

  /**
   * Another node, which comes to where the others are.
   * @param mayLackEnd whether its journal may lack its end
   */
  async add(mayLackEnd = false): Promise<OneNode> {
    const node = new OneNode(this.shared, this.clock, this.#options.chat ?? {});
    Object.assign(node.journal, { mayLackEnd });
    this.all.push(node);
    await node.chat.node?.membership.join();
    await this.calm();
    return node;
  }

  /** The nth node, from 0. */
  at(n: number): OneNode {
    const node = this.all[n];
    if (node === undefined) throw new Error(`there is no node ${n}`);
    return node;
  }

  /** Resolves when everybody has heard of everything. */
  async calm(): Promise<void> {
    for (let rounds = 0; rounds < 3; rounds++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.shared.isDown && this.all.some(({ journal }) => journal.hasNext)) rounds = -1;
    }
  }

  /** Lets time pass, some at a time, as beats need their way. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      await this.clock.pass(Math.min(left, 250));
      await this.calm();
    }
  }

  /** The state of every node that lives, as text. */
  get states(): string[] {
    return this.all.filter(({ isAlive }) => isAlive).map(({ chat }) => JSON.stringify([...freeze(chat.host.lobby)]));
  }
}

export class OneNode {
  readonly chat: ChatServer;
  readonly endpoint: StreamableHttp;
  readonly journal: MemoryNode;
  /** What was said of the cluster. */
  readonly said: string[] = [];
  isAlive = true;
  #lastId = 0;

  constructor(shared: SharedMemory, clock: HandClock, options: Partial<ChatServerOptions>) {
    const kept = new LobbyReplica();
    this.journal = shared.open(kept);
    const say = (message: string): void => {
      if (message.endsWith("failed unexpectedly")) throw new Error(message);
      this.said.push(message);
    };
    this.chat = createChatServer({
      version: "0.0.0",
      lobby: LOBBY_SETTINGS,
      messageCharsMax: 4000,
      kept,
      clock,
      log: { info: say, warn: say, error: say },
      ...options,
      journal: this.journal,
    });
    this.chat.host.listenToAll(() => checkLobby(this.chat.host.lobby));
    this.endpoint = new StreamableHttp({
      definition: this.chat.definition,
      sessionKey: SESSION_KEY,
      now: () => clock.now(),
      log: { error: (message, fields) => this.said.push(`${message} ${JSON.stringify(fields)}`) },
    });
    this.chat.node?.onCut(() => this.endpoint.cut());
  }

  /** Its process is gone, and its timers with it. */
  kill(): void {
    this.isAlive = false;
    this.journal.kill();
    this.chat.stop();
  }

  /** Opens a legacy session. @returns the headers that name it */
  session(): Record<string, string> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const reply = this.post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const token = reply.kind === "json" ? reply.headers?.["mcp-session-id"] : undefined;
    if (token === undefined) throw new Error("no session was opened");
    return { "mcp-session-id": token };
  }

  post(message: unknown, headers: Record<string, string> = {}, caller: Caller = CALLER): Reply | HeldReply {
    return this.endpoint.post(decode(message), new Headers(headers), caller);
  }

  /** Calls a tool. @returns the JSON-RPC message of the answer */
  call(name: string, args: Record<string, unknown>, headers: Record<string, string>): Promise<Answer> {
    return this.request("tools/call", { name, arguments: args }, headers);
  }

  async request(method: string, params: Record<string, unknown>, headers: Record<string, string>): Promise<Answer> {
    const reply = this.post({ jsonrpc: "2.0", id: ++this.#lastId, method, params }, headers);
    return readAnswer(reply.kind === "held" ? await reply.reply : reply);
  }

  /** Opens the session's GET stream. */
  stream(headers: Record<string, string>, lastEventId?: string): HandConnection {
    const resumed = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    return connect(this.endpoint.get(new Headers({ ...headers, ...resumed }), CALLER));
  }
}

export interface Answer {
  readonly status: number;
  readonly structured: Record<string, unknown>;
  readonly message: Record<string, unknown>;
}

export function readAnswer(reply: Reply): Answer {
  if (reply.kind === "stream") {
    const message = connect(reply).messages().at(-1) as Record<string, unknown>;
    return { status: 200, message, structured: structuredOf(message) };
  }
  if (reply.kind !== "json") throw new Error(`a ${reply.kind} reply where an answer was expected`);
  const message = JSON.parse(reply.body) as Record<string, unknown>;
  return { status: reply.status, message, structured: structuredOf(message) };
}

function structuredOf({ result }: Record<string, unknown>): Record<string, unknown> {
  const { structuredContent = {} } = (result ?? {}) as { structuredContent?: Record<string, unknown> };
  return structuredContent;
}

/** Names of the notifications that came, messages by their words. */
export function heardOn(connection: HandConnection): string[] {
  return (connection.messages() as { method: string; params: { message?: string } }[]).map(
    ({ method, params }) => params.message ?? method,
  );
}
