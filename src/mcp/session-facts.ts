/**
 * What several servers that are one tell each other of legacy sessions: the log level that one has set, the
 * resources it has subscribed to, and calls it has cancelled that another server holds.
 *
 * This file owns those messages. They may be lost, and come from elsewhere: whatever does not fit is passed
 * over. It must never tell a credential.
 */
import { WATCHED_RESOURCES_MAX } from "../limits.ts";
import { isObject, isRequestId, type RequestId } from "./jsonrpc.ts";
import { isLogLevel, type LogLevels } from "./logging.ts";
import { type Json, type JsonObject, type LogLevel, type Peers, REVISIONS, type Requester } from "./registry.ts";
import { readUri } from "./resources.ts";
import type { SessionNotices } from "./session-notices.ts";

const TOPIC = "session";
/** Resources named at once: what is told is short. */
const URIS_TOLD_MAX = 8;

export interface SessionFactsOptions {
  readonly peers: Peers;
  /** See `ServerDefinition`. */
  readonly upToDate: (() => Promise<void>) | undefined;
  readonly logLevels: LogLevels | undefined;
  readonly notices: SessionNotices | undefined;
}

/** Who holds calls here. Both are told of calls that may be held by any server, or by none. */
export interface CallHolder {
  /** The client has cancelled it. */
  cancelled(session: string, id: RequestId): void;
  /** The client has come to another server for the answer: nobody waits for it here. */
  moved(session: string, id: RequestId): void;
}

export class SessionFacts {
  readonly #options: SessionFactsOptions;
  #holder: CallHolder | undefined;

  constructor(options: SessionFactsOptions) {
    this.#options = options;
    options.peers.listen((topic, message) => (topic === TOPIC && isObject(message) ? this.#hear(message) : undefined));
  }

  /** Tells this one what happens elsewhere to calls. */
  tellHolder(holder: CallHolder): void {
    this.#holder = holder;
  }

  // --- telling ----------------------------------------------------------------------------------

  /** A session has cancelled a call, which may be held anywhere. */
  cancelled(session: string, id: RequestId): void {
    void this.#ask(session, { cancelled: id });
  }

  /** A client has come here for the answer to a call that another server may hold. */
  moved(session: string, id: RequestId): void {
    void this.#ask(session, { moved: id });
  }

  /** Resolves when the others know, or soon. */
  levelSet(session: string, level: LogLevel): Promise<void> {
    return this.#ask(session, { level });
  }

  /** The same. */
  async subscribed({ session, revision }: Requester, uri: string): Promise<void> {
    if (session !== undefined) await this.#ask(session, { revision, watched: [uri] });
  }

  /** The same. */
  unsubscribed(session: string, uri: string): Promise<void> {
    return this.#ask(session, { unwatched: uri });
  }

  /** A stream of a session was opened here: whoever knows what it has set is to say so. */
  opened(session: string, revision: string): void {
    this.#tell(session, { revision, asks: true });
  }

  #tell(session: string, fact: JsonObject): void {
    this.#options.peers.tell(TOPIC, { session, ...fact });
  }

  #ask(session: string, fact: JsonObject): Promise<void> {
    return this.#options.peers.ask(TOPIC, { session, ...fact });
  }

  // --- hearing ----------------------------------------------------------------------------------

  #hear({ session, revision, level, watched, unwatched, cancelled, moved, asks }: JsonObject): void | Promise<void> {
    if (typeof session !== "string") return undefined;
    const { logLevels, notices } = this.#options;
    if (isRequestId(cancelled)) this.#holder?.cancelled(session, cancelled);
    if (isRequestId(moved)) this.#holder?.moved(session, moved);
    if (isLogLevel(level)) logLevels?.set(session, level);
    if (typeof unwatched === "string") notices?.unsubscribe(session, unwatched);
    if (asks === true) this.#answer(session, revision);
    return Array.isArray(watched) ? this.#watch(session, revision, watched) : undefined;
  }

  #answer(session: string, revision: Json | undefined): void {
    const level = this.#options.logLevels?.of(session);
    if (level !== undefined) this.#tell(session, { level });
    const watched = this.#options.notices?.subscriptionsOf(session) ?? [];
    for (let at = 0; at < watched.length && revision !== undefined; at += URIS_TOLD_MAX) {
      this.#tell(session, { revision, watched: watched.slice(at, at + URIS_TOLD_MAX) });
    }
  }

  async #watch(session: string, written: Json | undefined, uris: readonly Json[]): Promise<void> {
    const { notices, upToDate } = this.#options;
    const revision = REVISIONS.find((served) => served === written);
    if (notices === undefined || revision === undefined) return;
    const requester: Requester = {
      ...{ era: "legacy", revision, transport: "http" },
      ...{ session, client: undefined, bearer: undefined },
    };
    try {
      // Whose the session is may be known elsewhere since a moment ago only.
      await upToDate?.();
    } catch (_unavailable) {
      return;
    }
    for (const uri of uris.slice(0, WATCHED_RESOURCES_MAX)) {
      const named = readUri(uri);
      if (!("code" in named)) notices.subscribe(session, requester, named.uri);
    }
  }
}
