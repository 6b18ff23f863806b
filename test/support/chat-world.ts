/**
 * A whole chat without a network: real lobby, real tools, a clock that tests turn by hand.
 *
 * This file owns the fake clock and call contexts of tests. It must never replace a module of ours.
 */
import { AlarmClock, type Clock } from "../../src/chat/alarm-clock.ts";
import { type ChatServerOptions, createChatServer } from "../../src/chat/server.ts";
import type { LobbySettings } from "../../src/domain/command.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import type { CallContext, JsonObject, ToolResult } from "../../src/mcp/registry.ts";
import { UNLIMITED } from "./lobby-rates.ts";

export const LOBBY_SETTINGS: LobbySettings = {
  graceMs: 30_000,
  idleMs: 900_000,
  availableMs: 90_000,
  widenMs: 10_000,
  matching: "fifo",
  rates: UNLIMITED,
  usersPerAddress: 0,
  loopMessagesMax: 200,
  retainUserMs: 86_400_000,
  usersMax: 1000,
  queueMax: 1000,
  mailboxBytesMax: 64 * 1024 * 1024,
  transcriptBytesMax: 64 * 1024 * 1024,
};

/** A clock that stands still until told, and then rings what is due, in order. */
export class HandClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Lets time pass; whatever becomes due rings at its own time. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settled();
    }
    this.#now = until;
    await settled();
  }
}

/** Lets everything that needs no time happen. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

export interface CallOptions {
  readonly session?: string;
  readonly bearer?: string;
  readonly client?: string;
  readonly canStream?: boolean;
  readonly signal?: AbortSignal;
  /** Is given what the call hears of its connection by. */
  readonly onConnection?: (listener: (connected: boolean) => void) => void;
}

/** What a call sent before its answer. */
export interface CallTrace {
  streams: number;
  progress: { progress: number; message?: string }[];
}

export class ChatWorld {
  readonly clock = new HandClock();
  readonly alarms = new AlarmClock(this.clock);
  readonly server: ReturnType<typeof createChatServer>;

  constructor(settings: Partial<LobbySettings> = {}, options: Partial<ChatServerOptions> = {}) {
    this.server = createChatServer({
      version: "0.0.0",
      lobby: { ...LOBBY_SETTINGS, ...settings },
      messageCharsMax: 4000,
      journal: createMemoryJournal(() => this.clock.now()),
      clock: this.clock,
      ...options,
    });
    this.server.host.listenToAll(() => checkLobby(this.server.host.lobby));
  }

  get lobby() {
    return this.server.host.lobby;
  }

  /** What a handler knows of a caller. */
  context(options: CallOptions, trace?: CallTrace): CallContext {
    const context: Omit<CallContext, "input" | "task"> = {
      era: options.session === undefined ? "modern" : "legacy",
      revision: options.session === undefined ? "2026-07-28" : "2025-11-25",
      transport: "http",
      client: options.client === undefined ? undefined : { name: options.client, version: "1" },
      session: options.session,
      bearer: options.bearer,
      canStream: options.canStream ?? true,
      wantsProgress: true,
      elapsedMs: 0,
      canTask: false,
      signal: options.signal ?? new AbortController().signal,
      openStream: () => {
        if (trace !== undefined) trace.streams++;
      },
      closeStream: () => undefined,
      watchConnection: (listener) => options.onConnection?.(listener),
      progress: (step) => trace?.progress.push(step),
      log: () => undefined,
      supports: () => false,
    };
    const unasked = (): never => {
      throw new Error("the chat asks its clients nothing");
    };
    return { ...context, input: unasked, task: unasked };
  }

  /** Calls a tool the way the engine does. */
  call(name: string, args: JsonObject = {}, options: CallOptions = {}, trace?: CallTrace): Promise<ToolResult> {
    const tool = this.server.definition.tools.find((candidate) => candidate.name === name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    return Promise.resolve(tool.call(args, this.context(options, trace)));
  }

  /** The structured content of a call. */
  async ask(name: string, args: JsonObject = {}, options: CallOptions = {}): Promise<JsonObject> {
    return (await this.call(name, args, options)).structuredContent ?? {};
  }

  /** Two matched users, by their tokens. */
  async pair(): Promise<{ ann: string; bob: string }> {
    const ann = await this.ask("enter_queue", { display_name: "Ann" });
    const bob = await this.ask("enter_queue", { display_name: "Bob" });
    return { ann: String(ann.session_token), bob: String(bob.session_token) };
  }
}

/** The refusal code of a result, or undefined for a success. */
export function refusalCode(result: ToolResult): string | undefined {
  const error = result.structuredContent?.error as { code?: string } | undefined;
  return error?.code;
}
