/**
 * The chat as a server the protocol engine can run: the lobby and everything around it, wired.
 *
 * This file owns the wiring within the chat. It must never open a socket or read a setting's text.
 */
import type { LobbySettings } from "../domain/command.ts";
import { userByToken } from "../domain/identity.ts";
import { createLobby } from "../domain/lobby.ts";
import type { History } from "../history/history.ts";
import type { Journal, SharedJournal } from "../journal/journal.ts";
import type { EventErrorCodes } from "../mcp/event-provider.ts";
import type { Implementation, ServerDefinition } from "../mcp/registry.ts";
import { AlarmClock, type Clock } from "./alarm-clock.ts";
import type { Chat } from "./chat.ts";
import { ChatEvents } from "./events.ts";
import { Greeter } from "./greeter.ts";
import { hashToken, isSessionToken } from "./identity.ts";
import { LobbyHost } from "./lobby-host.ts";
import { LobbyReplica } from "./lobby-replica.ts";
import type { ClusterLog } from "./membership.ts";
import { ChatNode, isShared } from "./node.ts";
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
  /** One that is shared makes the server a node of several. */
  readonly journal: Journal | SharedJournal;
  /** What the journal has kept, to be gone on with; absent where nothing is kept. */
  readonly kept?: LobbyReplica;
  readonly clock: Clock;
  /** What is kept beyond the lobby's memory. It records by itself. */
  readonly history?: History;
  /** Where a node says what becomes of it and of the others; default: nowhere. */
  readonly log?: ClusterLog;
  /** See `MembershipOptions`; default: nothing. */
  readonly onOutdated?: () => void;
}

export interface ChatServer {
  readonly definition: ServerDefinition;
  readonly host: LobbyHost;
  /** Events that streams and polls were handed so far: legacy notifications, and MCP Events. */
  readonly handedOut: { readonly push: number; readonly events: number };
  /** What this server is beside others; undefined if it is alone. */
  readonly node: ChatNode | undefined;
  /** Whether a bearer credential is a session token that names a user. */
  isLiveToken(credential: string): boolean | Promise<boolean>;
  /** Answers every held call and holds no more: the server is about to stop. Resolves when all are answered. */
  release(): Promise<void>;
  /** Stops all timers. Nothing may be submitted afterwards. */
  stop(): void;
}

export function createChatServer(options: ChatServerOptions): ChatServer {
  const alarms = new AlarmClock(options.clock);
  const { lobby: settings, kept } = options;
  const node = createNode(options, alarms);
  const host = node?.host ?? new LobbyHost(kept?.begin(settings) ?? createLobby(settings), options.journal, alarms);
  if (kept !== undefined && node === undefined) {
    host.post({ type: "restart", settings });
    if (options.journal.mayLackEnd === true) host.post({ type: "rewind" });
  }
  const waits = new Waits(host);
  const push = new MailboxPush(host);
  const events = new ChatEvents(host, options.eventsErrorCodes ?? "auto");
  const typing = new Typing(host, [push, events], node?.peers);
  const texts = new Texts(options.messageCharsMax, options.words);
  const greeter = options.greeter === true ? new Greeter(host, typing) : undefined;
  node?.onCut((reason) => {
    if (reason !== "rewound") waits.letGo(reason === "new_life");
    if (reason !== "new_life") return;
    push.forgetOthers();
    greeter?.comeBack();
  });
  const chat: Chat = { host, waits, typing, texts, history: options.history };
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
      sessions: createSessionLedger(host, node !== undefined),
      ...(node === undefined ? {} : { peers: node.peers, upToDate: () => node.host.upToDate() }),
    },
    node,
    get handedOut() {
      return { push: push.handedOut, events: events.handedOut };
    },
    isLiveToken(credential) {
      if (!isSessionToken(credential)) return false;
      const isLive = (): boolean => userByToken(host.lobby, hashToken(credential)) !== undefined;
      // Another node may have given it out a moment ago.
      return isLive() || (host.upToDate()?.then(isLive) ?? false);
    },
    release: () => waits.stop(),
    stop() {
      // So that it is known until when the server lived.
      if (kept !== undefined && node === undefined) host.post({ type: "tick" });
      alarms.stop();
    },
  };
}

function createNode(options: ChatServerOptions, alarms: AlarmClock): ChatNode | undefined {
  const { journal, lobby: settings, kept = new LobbyReplica(), log = SILENT, onOutdated = nothing } = options;
  if (!isShared(journal)) return undefined;
  return new ChatNode({ journal, lobby: () => kept.begin(settings), settings, alarms, log, onOutdated });
}

function nothing(): void {
  // Nobody wants to know.
}

const SILENT: ClusterLog = { info: nothing, warn: nothing, error: nothing };
