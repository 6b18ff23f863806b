/**
 * A whole server with an operator, behind a proxy that every test can be: real chat, real HTTP, a clock
 * that tests turn by hand.
 *
 * This file owns its start and the ways tests speak to it. It must never hide a status or a body.
 */

import { z } from "zod";
import { createAdmin } from "../../src/admin/admin.ts";
import { type ChatServer, createChatServer } from "../../src/chat/server.ts";
import type { LobbySettings } from "../../src/domain/command.ts";
import { createHttpServer, type HttpServer } from "../../src/http/server.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import { HandClock, LOBBY_SETTINGS } from "./chat-world.ts";
import { RawModern } from "./client-raw.ts";
import { SESSION_KEY } from "./http-fixture.ts";

export const ADMIN_TOKEN = "operators-only";

export interface AdminRigOptions {
  readonly lobby?: Partial<LobbySettings>;
  readonly auditFile?: string;
  readonly accessToken?: string;
  readonly trustedProxies?: readonly string[];
}

/** What the operator was answered. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  /** The code of the error; undefined if it was a success. */
  readonly code: string | undefined;
}

const fields = z.record(z.string(), z.unknown());
const errorBody = z.object({ error: z.strictObject({ code: z.string(), message: z.string().min(1) }) });

export class AdminRig implements AsyncDisposable {
  readonly clock = new HandClock();
  readonly chat: ChatServer;
  readonly http: HttpServer;
  readonly log: string[] = [];
  #entered = 0;
  readonly #admin: ReturnType<typeof createAdmin>;

  constructor(options: AdminRigOptions = {}) {
    const { clock } = this;
    this.chat = createChatServer({
      version: "0.0.0",
      lobby: { ...LOBBY_SETTINGS, ...options.lobby },
      messageCharsMax: 4000,
      journal: createMemoryJournal(() => clock.now()),
      clock,
    });
    const line = (message: string, more?: object): number => this.log.push(`${message} ${JSON.stringify(more ?? {})}`);
    const log = { info: line, warn: line, error: line };
    this.#admin = createAdmin({
      host: this.chat.host,
      token: ADMIN_TOKEN,
      auditFile: options.auditFile,
      messageCharsMax: 4000,
      summary: () => ({ version: "0.0.0" }),
      now: () => clock.now(),
      log,
    });
    this.http = createHttpServer({
      definition: this.chat.definition,
      host: "127.0.0.1",
      port: 0,
      sessionKey: SESSION_KEY,
      allowedHosts: [],
      allowedOrigins: [],
      trustedProxies: options.trustedProxies ?? ["127.0.0.1"],
      accessToken: options.accessToken,
      isLiveUserToken: this.chat.isLiveToken,
      streamsMax: 1000,
      now: () => clock.now(),
      release: () => this.chat.release(),
      fallback: this.#admin.surface,
      log,
    });
  }

  /** Moves the audit file, as its rotation would. */
  reopenAuditFile(): void {
    this.#admin.reopen();
  }

  /** One request of the operator; `body` is sent as JSON, or as it is if it is a text. */
  async admin(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<AdminAnswer> {
    const response = await fetch(`${this.http.url}/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = fields.parse(JSON.parse(text));
    return {
      status: response.status,
      headers: response.headers,
      body: parsed,
      code: response.ok ? undefined : errorBody.parse(parsed).error.code,
    };
  }

  /** Somebody who calls from that address, as the proxy says. */
  caller(address: string, headers: Readonly<Record<string, string>> = {}): RawModern {
    return new RawModern(`${this.http.url}/mcp`, { "x-forwarded-for": address, ...headers });
  }

  /** Somebody more who waits, for what nobody else does. */
  enter(): void {
    const nth = this.#entered++;
    const command = {
      type: "enter_queue",
      caller: {},
      newToken: `token ${nth}`,
      interests: [`interest ${nth}`],
    } as const;
    this.chat.host.post(command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http.stop();
    this.#admin.stop();
    this.chat.stop();
  }
}
