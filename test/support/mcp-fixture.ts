/**
 * A small server definition for the tests of engine and edge: a few tools that each do one thing,
 * and notifications that a test pushes by hand.
 *
 * This file owns the fixture's behaviour. It must never know how it is transported.
 */

import type {
  CallContext,
  JsonObject,
  PushItem,
  PushReader,
  PushSource,
  ServerDefinition,
  SessionLedger,
  Tool,
  ToolResult,
  Wakeable,
} from "../../src/mcp/registry.ts";

/** One reader as the source saw it, for assertions on how the engine uses readers. */
export interface ReaderRecord {
  readonly session: string;
  readonly resume: string | null;
  readonly settledBefore: string | undefined;
  closed: boolean;
  settled: string | undefined;
}

/** Notifications in memory: one bounded log per session. A position is the count of notifications up to it. */
export class MemoryPush implements PushSource {
  readonly readers: ReaderRecord[] = [];
  readonly #kept: number;
  readonly #logs = new Map<string, { items: string[]; dropped: number; listeners: Set<Wakeable>; read: number }>();

  /** @param kept how many notifications of a session are kept */
  constructor(kept = 1000) {
    this.#kept = kept;
  }

  #log(session: string) {
    const log = this.#logs.get(session) ?? { items: [], dropped: 0, listeners: new Set<Wakeable>(), read: 0 };
    this.#logs.set(session, log);
    return log;
  }

  /** How many notifications a session has been sent, dropped ones included. */
  countOf(session: string): number {
    const log = this.#log(session);
    return log.dropped + log.items.length;
  }

  /** Adds a notification for a session. */
  push(session: string, method: string, params: JsonObject): void {
    const log = this.#log(session);
    log.items.push(JSON.stringify({ jsonrpc: "2.0", method, params }));
    while (log.items.length > this.#kept) {
      log.items.shift();
      log.dropped++;
    }
    for (const listener of [...log.listeners]) listener.wake();
  }

  open(session: string, resume: string | null, listener: Wakeable, settledBefore?: string): PushReader | "malformed" {
    if (resume !== null && !/^\d{1,15}$/.test(resume)) return "malformed";
    const log = this.#log(session);
    if (settledBefore !== undefined) log.read = Math.max(log.read, Number(settledBefore));
    let at = resume === null ? log.read : Number(resume);
    const record: ReaderRecord = { session, resume, settledBefore, closed: false, settled: undefined };
    this.readers.push(record);
    log.listeners.add(listener);
    return {
      next(maxBytes) {
        at = Math.max(at, log.dropped);
        const items: PushItem[] = [];
        let bytes = 0;
        for (let index = at - log.dropped; index < log.items.length && bytes < maxBytes; index++) {
          const json = log.items[index] ?? "";
          bytes += json.length;
          at++;
          items.push({ json, position: String(at) });
        }
        return items;
      },
      get position() {
        return String(at);
      },
      get overrun() {
        return at < log.dropped;
      },
      close(settled) {
        if (record.closed) throw new Error("a reader was closed twice");
        record.closed = true;
        record.settled = settled;
        log.listeners.delete(listener);
        if (settled !== undefined) log.read = Math.max(log.read, Number(settled));
      },
    };
  }
}

export class MemoryLedger implements SessionLedger {
  readonly ended = new Set<string>();
  readonly used = new Map<string, number>();

  isEnded(session: string): boolean {
    return this.ended.has(session);
  }

  end(session: string): void {
    this.ended.add(session);
  }

  usedAt(session: string): number | undefined {
    return this.used.get(session);
  }
}

/** Calls of the tool `hold` that are waiting to be released. */
export interface Held {
  readonly context: CallContext;
  release(text: string): void;
  fail(bug: Error): void;
}

export interface Fixture {
  readonly definition: ServerDefinition;
  readonly push: MemoryPush;
  readonly ledger: MemoryLedger;
  /** In order of arrival; released ones stay. */
  readonly held: Held[];
  /** Every context the echo tool was called with. */
  readonly seen: CallContext[];
}

function text(words: string): ToolResult {
  return { content: [{ type: "text", text: words }] };
}

const ANY_OBJECT: JsonObject = { type: "object" };

/** Makes a fresh server definition. */
export function createFixture(kept?: number): Fixture {
  const push = new MemoryPush(kept);
  const ledger = new MemoryLedger();
  const held: Held[] = [];
  const seen: CallContext[] = [];
  const tools: Tool[] = [
    {
      name: "echo",
      title: "Echo",
      description: "Gives back what it was given.",
      annotations: { readOnlyHint: true },
      inputSchema: { type: "object", properties: { text: { type: "string" } } },
      outputSchema: { type: "object", properties: { text: { type: "string" } } },
      _meta: { "example.test/kind": "echo" },
      call(args, context) {
        seen.push(context);
        const said = typeof args.text === "string" ? args.text : "";
        return { ...text(said), structuredContent: { text: said } };
      },
    },
    {
      name: "hold",
      description: "Answers when the test says so; opens a stream first if `stream` is true.",
      inputSchema: ANY_OBJECT,
      call(args, context) {
        if (args.stream === true) context.openStream();
        return new Promise((resolve, reject) => {
          held.push({ context, release: (words) => resolve(text(words)), fail: reject });
        });
      },
    },
    {
      name: "steps",
      description: "Reports progress three times, then answers at once.",
      inputSchema: ANY_OBJECT,
      call(_args, context) {
        for (const progress of [1, 2, 2, 3]) context.progress({ progress, total: 3, message: `step ${progress}` });
        return text("stepped");
      },
    },
    {
      name: "throw",
      description: "Has a bug.",
      inputSchema: ANY_OBJECT,
      call() {
        throw new TypeError("the secret is /etc/hunter2");
      },
    },
    {
      name: "refuse",
      description: "Says no.",
      inputSchema: ANY_OBJECT,
      call: () => ({ ...text("no"), isError: true, _meta: { "example.test/why": "rules" } }),
    },
    {
      name: "media",
      description: "Answers with blocks that older revisions do not know.",
      inputSchema: ANY_OBJECT,
      call: () => ({
        content: [
          { type: "audio", data: "AA==", mimeType: "audio/wav" },
          { type: "resource_link", uri: "test://x", name: "x" },
        ],
      }),
    },
    {
      name: "push",
      description: "Pushes a notification to the caller's own session.",
      inputSchema: ANY_OBJECT,
      call(args, context) {
        if (context.session !== undefined) push.push(context.session, "fixture.pushed", { text: args.text ?? null });
        return text("pushed");
      },
    },
  ];
  const info = { name: "fixture", title: "Fixture", version: "1.2.3", description: "For tests" };
  return { definition: { info, instructions: "Be kind.", tools, push, sessions: ledger }, push, ledger, held, seen };
}
