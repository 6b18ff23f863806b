/**
 * What all transports and both eras share of one server: its lists as they are at this moment, and
 * who is to be told when they change.
 *
 * This file owns the order of a change: first the lists are read anew, then clients are told. It
 * must never answer a request itself.
 */

import { Envelope } from "./envelope.ts";
import { Events } from "./events.ts";
import { LogLevels } from "./logging.ts";
import { PromptList } from "./prompts.ts";
import type { ListKind, Revision, ServerDefinition } from "./registry.ts";
import { SessionFacts } from "./session-facts.ts";
import { hasNotices, SessionNotices } from "./session-notices.ts";
import type { SessionSource } from "./streams.ts";
import { Listens } from "./subscriptions.ts";
import { ToolList } from "./tools.ts";

export class Primitives {
  readonly server: ServerDefinition;
  readonly envelope: Envelope;
  readonly tools: ToolList;
  readonly prompts: PromptList | undefined;
  /** Undefined if handlers do not log to clients. */
  readonly logLevels: LogLevels | undefined;
  /** Undefined if the engine has nothing to tell legacy sessions. */
  readonly notices: SessionNotices | undefined;
  /** Undefined if no other server is one with this one. */
  readonly facts: SessionFacts | undefined;
  readonly listens: Listens;
  /** Undefined if the server offers no events. */
  readonly events: Events | undefined;
  /** What the streams of legacy sessions are written from; undefined if there is never anything to write. */
  readonly sessionSource: SessionSource | undefined;
  /** Results of `initialize` as JSON text, by revision, as they are until a list changes. */
  readonly greetings = new Map<Revision, string>();
  readonly #stopListening: (() => void) | undefined;

  /** @param now milliseconds since 1970 */
  constructor(server: ServerDefinition, now: () => number) {
    this.server = server;
    this.envelope = new Envelope(server.info);
    this.tools = new ToolList(server);
    this.prompts = server.prompts === undefined ? undefined : new PromptList(server);
    this.logLevels = server.logging === true ? new LogLevels() : undefined;
    this.notices = hasNotices(server) ? new SessionNotices(server, now) : undefined;
    const { peers, upToDate } = server;
    const { logLevels, notices } = this;
    this.facts = peers === undefined ? undefined : new SessionFacts({ peers, upToDate, logLevels, notices });
    this.listens = new Listens(server, this.envelope);
    this.events = server.events === undefined ? undefined : new Events(server.events, this.envelope, now);
    const { push } = server;
    this.sessionSource =
      this.notices ??
      (push === undefined
        ? undefined
        : { open: (session, resume, listener, settled) => push.open(session.id, resume, listener, settled) });
    this.#stopListening = server.listChanges?.listen((kind) => this.#changed(kind));
  }

  #changed(kind: ListKind): void {
    this.greetings.clear();
    if (kind === "tools") this.tools.reread();
    if (kind === "prompts") this.prompts?.reread();
    this.notices?.announce(kind);
    this.listens.announce(kind);
  }

  /** A legacy session ends. */
  endSession(session: string): void {
    this.logLevels?.endSession(session);
    this.notices?.endSession(session);
  }

  /** To be called now and then. */
  sweep(): void {
    this.notices?.sweep();
  }

  /** The server is about to stop: whatever is held for something to happen is answered. */
  release(): void {
    this.events?.release();
  }

  /** The server stops. Open listen streams are ended by the dispatcher, which knows them as calls. */
  stop(): void {
    this.#stopListening?.();
    this.notices?.stop();
  }
}
