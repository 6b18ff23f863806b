/**
 * The chat as a server the protocol engine can run: the lobby and everything around it, wired.
 *
 * This file owns the wiring within the chat. It must never open a socket or read a setting's text.
 */
import type { LobbySettings } from "../domain/command.ts";
import { userByToken } from "../domain/identity.ts";
import { createLobby } from "../domain/lobby.ts";
import type { Journal } from "../journal/journal.ts";
import type { EventErrorCodes } from "../mcp/event-provider.ts";
import type { Implementation, ServerDefinition } from "../mcp/registry.ts";
import { AlarmClock, type Clock } from "./alarm-clock.ts";
import type { Chat } from "./chat.ts";
import { ChatEvents } from "./events.ts";
import { Greeter } from "./greeter.ts";
import { hashToken, isSessionToken } from "./identity.ts";
import { LobbyHost } from "./lobby-host.ts";
import type { LobbyReplica } from "./lobby-replica.ts";
import { chatPrompts } from "./prompts.ts";
import { MailboxPush } from "./push.ts";
import { chatResources } from "./resources.ts";
import { createSessionLedger } from "./sessions.ts";
import { Texts } from "./texts.ts";
import { chatTools, INSTRUCTIONS } from "./tools.ts";
import { Typing } from "./typing.ts";
import { Waits } from "./waits.ts";
import { Watches } from "./watches.ts";
import type { WordFilter } from "./words.ts";

export interface ChatServerOptions {
  readonly version: string;
  readonly lobby: LobbySettings;
  /** Longest message, in code points. */
  readonly messageCharsMax: number;
  /** What else users may not say to each other. */
  readonly words?: WordFilter;
  /** Whether a scripted partner comes to whoever waits alone. */
  readonly greeter?: boolean;
  /** Whose error numbers `events/*` answers with; default: as the client declares. */
  readonly eventsErrorCodes?: EventErrorCodes;
  readonly journal: Journal;
  /** What the journal has kept, to be gone on with; absent where nothing is kept. */
  readonly kept?: LobbyReplica;
  readonly clock: Clock;
}

export interface ChatServer {
  readonly definition: ServerDefinition;
  readonly host: LobbyHost;
  /** Events that streams and polls were handed so far: legacy notifications, and MCP Events. */
  readonly handedOut: { readonly push: number; readonly events: number };
  /** Whether a bearer credential is a session token that names a user. */
  isLiveToken(credential: string): boolean;
  /** Answers every held call and holds no more: the server is about to stop. */
  release(): void;
  /** Stops all timers. Nothing may be submitted afterwards. */
  stop(): void;
}

export function createChatServer(options: ChatServerOptions): ChatServer {
  const alarms = new AlarmClock(options.clock);
  const { lobby: settings, kept } = options;
  const host = new LobbyHost(kept?.begin(settings) ?? createLobby(settings), options.journal, alarms);
  if (kept !== undefined) host.post({ type: "restart", settings });
  const waits = new Waits(host);
  const push = new MailboxPush(host);
  const events = new ChatEvents(host, options.eventsErrorCodes ?? "auto");
  const typing = new Typing(host, [push, events]);
  const texts = new Texts(options.messageCharsMax, options.words);
  if (options.greeter === true) new Greeter(host, typing);
  const chat: Chat = { host, waits, typing, texts };
  const info: Implementation = {
    name: "mcp-chat",
    title: "mcp-chat",
    version: options.version,
    description: "Pairs strangers for a conversation",
  };
  return {
    host,
    definition: {
      info,
      instructions: INSTRUCTIONS,
      tools: chatTools(chat),
      resources: chatResources(chat, new Watches(host)),
      prompts: chatPrompts(chat),
      logging: true,
      // An access token is everybody's; only a session token tells who somebody is.
      principal: ({ bearer }) =>
        isSessionToken(bearer) ? userByToken(host.lobby, hashToken(bearer))?.userId : undefined,
      push,
      events,
      sessions: createSessionLedger(host, push),
    },
    get handedOut() {
      return { push: push.handedOut, events: events.handedOut };
    },
    isLiveToken: (credential) =>
      isSessionToken(credential) && userByToken(host.lobby, hashToken(credential)) !== undefined,
    release: () => waits.stop(),
    stop() {
      // So that it is known until when the server lived.
      if (kept !== undefined) host.post({ type: "tick" });
      alarms.stop();
    },
  };
}
