/**
 * Where a golden story is played: the real server with its real HTTP edge, a clock that the story
 * turns by hand, entropy that is the same in every run, and the minutes.
 *
 * This file owns the beginning and the end of a story. Nobody may leave before they have heard
 * everything that was said to them.
 */

import { join } from "node:path";
import { createChatServer } from "../../src/chat/server.ts";
import { INSTRUCTIONS } from "../../src/chat/tools.ts";
import type { LobbySettings } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { SqlHistory } from "../../src/history/history.ts";
import { createHttpServer, ENDPOINT } from "../../src/http/server.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import type { Era, Revision } from "../../src/mcp/registry.ts";
import { HandClock, LOBBY_SETTINGS } from "./chat-world.ts";
import { within } from "./client-deadline.ts";
import { type Json, Minutes } from "./golden-minutes.ts";
import { Names, nthEntropy } from "./golden-names.ts";
import { limited } from "./lobby-rates.ts";
import { temporaryFolder } from "./program.ts";

/** What a story may set, as an operator would. */
export interface StageOptions {
  readonly lobby?: Partial<LobbySettings>;
  readonly messageCharsMax?: number;
  readonly accessToken?: string;
  readonly streamsMax?: number;
  /** Between two signs of life of a stream, in real milliseconds. By default none comes while a story lasts. */
  readonly keepAliveMs?: number;
  /** Whether the minutes show the text blocks in which a stranger's words stand in a frame. */
  readonly showsFrames?: boolean;
  /** Whether the minutes show the instructions for models. */
  readonly showsInstructions?: boolean;
  /** What is kept beyond the lobby's memory; closed with the stage. */
  readonly history?: SqlHistory;
}

/** A history that nothing is in yet, at the time at which stories begin. */
export function emptyHistory(): Promise<SqlHistory> {
  const place = { kind: "sqlite", path: join(temporaryFolder(), "history.db") } as const;
  const silent = { info: () => undefined, warn: () => undefined };
  const begun = new HandClock().now();
  return SqlHistory.open({ place, retainDays: 30, log: silent, now: () => begun });
}

/** One message of the server, with what it belongs to. */
export interface Sent {
  readonly era: Era;
  readonly revision: Revision;
  readonly transport: "http" | "stdio";
  /** Of the request it answers, or on whose answer it travels; "" for what a session is told unasked. */
  readonly method: string;
  /** The tool that was called, if one was. */
  readonly tool?: string | undefined;
  /** Of HTTP, if it is the whole answer. */
  readonly status?: number | undefined;
  readonly message: Json;
}

/** Somebody who has to be heard out before the story ends. */
interface Listener {
  readonly who: string;
  /** What came and was not taken notice of, once nothing more can come. */
  rest(): Promise<readonly Json[]>;
}

/** A stream may be the first to be given a sign of life, after a sixtieth of the time between two: longer than a story lasts. */
const NEVER_MS = 24 * 3600 * 1000;

export class Stage {
  readonly clock = new HandClock();
  readonly names = new Names(this.clock.now());
  readonly minutes: Minutes;
  /** Everything the server said. */
  readonly sent: Sent[] = [];
  readonly chat: ReturnType<typeof createChatServer>;
  readonly #http: ReturnType<typeof createHttpServer>;
  readonly #listeners: Listener[] = [];
  readonly #awaited: { type: LobbyEvent["type"]; happened: () => void }[] = [];
  readonly #logged: string[] = [];
  readonly #history: SqlHistory | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: StageOptions = {}) {
    const { lobby, messageCharsMax = 4000, accessToken, keepAliveMs = NEVER_MS } = options;
    this.minutes = new Minutes(this.names, options.showsFrames ?? false);
    if (options.showsInstructions !== true) this.names.abbreviate(INSTRUCTIONS, "<as in discover-2026-07-28>");
    let entries = 0;
    const now = (): number => this.clock.now();
    this.chat = createChatServer({
      version: "0.0.0",
      lobby: { ...LOBBY_SETTINGS, rates: limited({ messages: { perSecond: 5, burst: 20 } }), ...lobby },
      messageCharsMax,
      journal: createMemoryJournal(now, () => nthEntropy(++entries)),
      clock: this.clock,
      ...(options.history === undefined ? {} : { history: options.history }),
    });
    this.#history = options.history;
    options.history?.record(this.chat.host);
    this.chat.host.listenToAll(({ type }) => {
      const at = this.#awaited.findIndex((awaited) => awaited.type === type);
      if (at !== -1) this.#awaited.splice(at, 1)[0]?.happened();
    });
    this.#http = createHttpServer({
      release: () => this.chat.release(),
      definition: this.chat.definition,
      host: "127.0.0.1",
      port: 0,
      accessToken,
      allowedHosts: [],
      allowedOrigins: [],
      isLiveUserToken: this.chat.isLiveToken,
      sessionKey: new Uint8Array(32).fill(7),
      streamsMax: options.streamsMax ?? 100,
      log: { error: (message, fields) => this.#logged.push(`${message} ${JSON.stringify(fields)}`) },
      now,
      keepAliveMs,
    });
  }

  get url(): string {
    return this.#http.url + ENDPOINT;
  }

  get openStreams(): number {
    return this.#http.counts.streams;
  }

  /** A sentence between the messages. */
  note(text: string): void {
    this.minutes.note(text);
  }

  /** Time passes, and what is due happens. */
  async pass(seconds: number): Promise<void> {
    this.minutes.note(`${seconds} s pass`);
    await this.clock.pass(seconds * 1000);
  }

  /** Whoever runs the server tells everybody something. */
  announce(text: string): void {
    this.minutes.note(`The operator announces: ${JSON.stringify(text)}`);
    this.chat.host.post({ type: "operate", act: { type: "announce", text, after: 0, count: 100 } });
  }

  /** Whoever runs the server bans somebody, for some seconds or for good. */
  ban(userId: string, seconds?: number): void {
    this.minutes.note(`The operator bans somebody${seconds === undefined ? "" : ` for ${seconds} s`}`);
    const until = seconds === undefined ? {} : { until: this.clock.now() + seconds * 1000 };
    this.chat.host.post({ type: "operate", act: { type: "ban", target: { kind: "user", userId }, ...until } });
  }

  /** Has something done that is not told. */
  async quietly<T>(deed: () => Promise<T>): Promise<T> {
    const { lines } = this.minutes;
    const before = lines.length;
    try {
      return await deed();
    } finally {
      lines.length = before;
    }
  }

  /** Settles at the next event of this type in the lobby. To be asked for before what causes it. */
  next(type: LobbyEvent["type"]): Promise<void> {
    return within(`${type} in the lobby`, new Promise((happened) => this.#awaited.push({ type, happened })));
  }

  /** Has the end of the story wait until somebody was heard out. */
  expectHeardOut(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Stops the server as the program does at SIGTERM. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.#http.stop();
    this.chat.stop();
    await this.#history?.close();
  }

  /** Ends the story. @throws Error if the server had a bug or somebody was not heard out */
  async end(): Promise<void> {
    await this.stop();
    const problems = [...this.#logged];
    for (const { who, rest } of this.#listeners) {
      for (const message of await rest()) problems.push(`${who} was told ${JSON.stringify(message)}`);
    }
    if (problems.length > 0) throw new Error(`the minutes leave something out:\n${problems.join("\n")}`);
  }
}
