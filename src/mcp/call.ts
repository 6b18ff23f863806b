/**
 * One request being served: what its handler sees of the caller, and how its answer travels. Starts
 * as a plain JSON answer and becomes an event stream at the first message before it.
 *
 * This file owns the life of one answer: given once, by whoever comes first of handler, cancel,
 * disconnect and stop. It must allocate no stream, promise or signal until one is needed.
 */

import { errorText, NOT_ACCEPTABLE_GET, STOPPING, type WireError } from "./errors.ts";
import type { Facilities } from "./facilities.ts";
import { UnsupportedInput } from "./input-answers.ts";
import { mayAsk } from "./input-required.ts";
import { isObject, isRequestId, notificationText, type RequestId, type RpcRequest } from "./jsonrpc.ts";
import type { MessageSource } from "./message-source.ts";
import {
  type CallContext,
  type ClientFeature,
  type Era,
  type Implementation,
  type InputAnswers,
  type InputRequests,
  type Json,
  type JsonObject,
  type LogLevel,
  NoInput,
  type Revision,
  type TaskOptions,
  type ToolResult,
  type WorkContext,
} from "./registry.ts";
import { ACCEPTED, errorReply, type JsonReply, type Reply } from "./reply.ts";
import { type AnswerStream, type MessageKind, ResponseStream } from "./response-stream.ts";
import type { Session } from "./session.ts";
import { TalkBack, type TalkingCall } from "./talk-back.ts";
import type { Task } from "./tasks.ts";

/** What a transport knows of who sends a message. */
export interface Caller {
  readonly transport: "http" | "stdio";
  /** The credential of `Authorization: Bearer`. */
  readonly bearer: string | undefined;
  /** Where the message came from, if the transport tells places apart. */
  readonly address?: string | undefined;
  /** Whom the transport has authenticated; "" if it authenticates nobody. */
  readonly subject: string;
  /** Whether messages can go out before the answer. */
  readonly canStream: boolean;
  /** Why not, if messages cannot: the answer to a request that is nothing without them. */
  readonly streamRefusal?: WireError;
  /** Key of the connection, where request ids are unique and cancelled per connection (stdio). */
  readonly connection?: string;
  /** Sends one message now, where all answers share one pipe (stdio). Absent: each answer has its own stream. */
  readonly send?: (json: string, kind: MessageKind) => void;
}

/** The `_meta` member with which a modern request may introduce its client. */
const CLIENT_INFO = "io.modelcontextprotocol/clientInfo";

/** Why a signal aborts; for handlers that report it. Never sent. */
const GONE = new DOMException("nobody will read the answer", "AbortError");

export class Call implements CallContext, TalkingCall {
  readonly request: RpcRequest;
  readonly era: Era;
  readonly revision: Revision;
  readonly #caller: Caller;
  readonly #session: Session | undefined;
  #abort: AbortController | undefined;
  readonly #facilities: Facilities;
  #stream: AnswerStream | undefined;
  #messages: MessageSource | undefined;
  #resolve: ((reply: Reply) => void) | undefined;
  #over = false;
  #abandoned = false;
  #progress = Number.NEGATIVE_INFINITY;
  #talkBack: TalkBack | undefined;
  #connectionListener: ((connected: boolean) => void) | undefined;
  /** Whether its stream has a connection, if it can be resumed. */
  #isConnected = true;
  /** Whether the caller wants log messages of that level; undefined = none of any. Set by a method before its handler runs. */
  logFilter: ((call: Call, level: LogLevel) => boolean) | undefined;
  /** Called once when a held call is over. */
  onOver: (() => void) | undefined;
  /** Whether the call may be made again in the client's name; to be said before its handler runs. */
  mayRepeat = false;
  /** When the client made the call, if that was before this one, in milliseconds since 1970. */
  #repeats: number | undefined;

  constructor(
    request: RpcRequest,
    era: Era,
    revision: Revision,
    caller: Caller,
    session: Session | undefined,
    facilities: Facilities,
  ) {
    this.request = request;
    this.era = era;
    this.revision = revision;
    this.#caller = caller;
    this.#session = session;
    this.#facilities = facilities;
  }

  get transport(): "http" | "stdio" {
    return this.#caller.transport;
  }

  get bearer(): string | undefined {
    return this.#caller.bearer;
  }

  get address(): string | undefined {
    return this.#caller.address;
  }

  get subject(): string {
    return this.#caller.subject;
  }

  get canStream(): boolean {
    return this.#caller.canStream;
  }

  get session(): string | undefined {
    return this.#session?.id;
  }

  /** Within what a request id is unique and may be cancelled: the connection or the session; undefined = nothing. */
  get scope(): string | undefined {
    return this.#caller.connection ?? this.#session?.id;
  }

  /** Why a request that needs a stream must be refused; undefined if it need not. */
  get streamRefusal(): WireError | undefined {
    return this.canStream ? undefined : (this.#caller.streamRefusal ?? NOT_ACCEPTABLE_GET);
  }

  get client(): Implementation | undefined {
    return this.#session === undefined ? readClientInfo(this.request.params) : this.#session.client;
  }

  get wantsProgress(): boolean {
    return this.#progressToken !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#abandoned) this.#abort.abort(GONE);
    }
    return this.#abort.signal;
  }

  openStream(): void {
    if (this.#over || this.#stream !== undefined || !this.canStream || this.#caller.send !== undefined) return;
    this.#stream = this.#makeStream();
    this.#resolve?.({ kind: "stream", source: this.#stream.source });
  }

  /** 2025-11-25, Streamable HTTP, "Resumability and redelivery"; older clients cannot read the first event it needs. */
  #makeStream(): AnswerStream {
    const { session } = this;
    if (session === undefined || this.revision < "2025-11-25") return new ResponseStream(() => this.disconnected());
    const repeat = this.mayRepeat ? this.#facilities.repeats.write(session, this.request, this.#startedAt) : undefined;
    return this.#facilities.resumable.open(session, this.request.id, repeat, {
      connected: (connected) => {
        this.#isConnected = connected;
        this.#connectionListener?.(connected);
      },
      gone: () => this.cancel(),
    });
  }

  get elapsedMs(): number {
    return this.#repeats === undefined ? 0 : Math.max(0, this.#facilities.now() - this.#repeats);
  }

  get #startedAt(): number {
    return this.#repeats ?? this.#facilities.now();
  }

  /** This is a call made earlier, whose client has come back for the answer: it gets it on a stream. */
  goOnSince(startedAt: number): Reply {
    this.#repeats = startedAt;
    this.mayRepeat = true;
    this.#stream = this.#makeStream();
    return { kind: "stream", source: this.#stream.source };
  }

  watchConnection(listener: (connected: boolean) => void): void {
    this.#connectionListener = listener;
    // It may have been lost before anybody listened.
    if (!this.#isConnected) listener(false);
  }

  closeStream(): void {
    this.openStream();
    this.#stream?.closeConnection();
  }

  // --- questions and tasks --------------------------------------------------------------------

  get #talk(): TalkBack {
    this.#talkBack ??= new TalkBack(this, this.#facilities, this.#session);
    return this.#talkBack;
  }

  get isOver(): boolean {
    return this.#over;
  }

  supports(feature: ClientFeature): boolean {
    return this.#talk.supports(feature);
  }

  input<R extends InputRequests>(requests: R): Promise<InputAnswers<R>> {
    return this.#talk.input(requests);
  }

  get canTask(): boolean {
    return this.#talkBack?.canTask ?? false;
  }

  task(
    work: (context: WorkContext) => ToolResult | Promise<ToolResult>,
    options: TaskOptions = {},
  ): ToolResult | Promise<ToolResult> {
    return this.#talk.task(work, options);
  }

  sendQuestion(json: string): void {
    this.#send(json, "question");
  }

  closeQuestion(json: string, cancelled: string | undefined): void {
    this.#stream?.withdraw(json);
    if (cancelled !== undefined) this.#send(cancelled, "notice");
  }

  // --- notifications before the answer --------------------------------------------------------

  /** Progress, "Progress notifications": the token as it came, a value that rises, nothing after the answer. */
  progress(step: { progress: number; total?: number; message?: string }): void {
    const token = this.#progressToken;
    if (token === undefined || this.#over || !this.canStream || !(step.progress > this.#progress)) return;
    this.#progress = step.progress;
    const params: JsonObject = { progressToken: token, progress: step.progress };
    if (step.total !== undefined) params.total = step.total;
    if (step.message !== undefined && this.revision >= "2025-03-26") params.message = step.message;
    this.#send(notificationText("notifications/progress", params), "progress");
  }

  get #progressToken(): RequestId | undefined {
    const meta = this.request.params?._meta;
    const token = isObject(meta) ? meta.progressToken : undefined;
    return isRequestId(token) ? token : undefined;
  }

  /** Logging, "Log message notifications": on this request's own stream, at or above the level wanted. */
  log(level: LogLevel, data: Json, logger?: string): void {
    if (this.#over || !this.canStream || this.logFilter === undefined || !this.logFilter(this, level)) return;
    const params: JsonObject = logger === undefined ? { level, data } : { level, logger, data };
    this.#send(notificationText("notifications/message", params), "notice");
  }

  #send(json: string, kind: MessageKind): void {
    if (this.#caller.send !== undefined) this.#caller.send(json, kind);
    else {
      this.openStream();
      this.#stream?.send(json, kind);
    }
  }

  // --- the answer; for the dispatcher, not for handlers ---------------------------------------

  /** Turns this into a call whose answer comes later. The promise never rejects. */
  hold(): Promise<Reply> {
    const stream = this.#stream;
    if (stream !== undefined) return Promise.resolve({ kind: "stream", source: stream.source });
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Whether the tool that is called may start a task; to be said before it runs. */
  set mayTask(may: boolean) {
    if (may) this.#talk.mayTask = true;
  }

  /** The answer to a client that lacks features the call needs. */
  refuse(features: readonly ClientFeature[]): string | WireError {
    return this.#talk.refusal(new UnsupportedInput(features));
  }

  /** The caller's task of that id; undefined also if it is somebody else's. */
  findTask(id: string): Task | undefined {
    return this.#talk.findTask(id);
  }

  /** Takes up earlier rounds of questions. @returns why the request must be refused, if it must */
  resumeRounds(): WireError | undefined {
    const { request, era } = this;
    const isRetry = request.params?.requestState !== undefined && era === "modern" && mayAsk(request.method);
    return isRetry ? this.#talk.resume() : undefined;
  }

  /** What is answered instead of what the handler gave, if it asked the client or started a task. */
  get conclusion(): string | WireError | undefined {
    return this.#talkBack?.conclusion();
  }

  /** What is answered if the handler threw; undefined if that was a bug. */
  conclusionAfter(thrown: unknown): string | WireError | undefined {
    return thrown instanceof NoInput ? this.#talk.conclusionAfter(thrown) : this.#talkBack?.conclusionAfter(thrown);
  }

  /** Gives the answer. Nothing happens if the call is over. @returns what to send if the call was never held */
  finish(answer: JsonReply): Reply {
    return this.#end(answer, answer.body);
  }

  /** Answers with messages over a long time. The call is over when the connection that carries them is. */
  answerWith(source: MessageSource): Reply {
    this.#messages = source;
    return {
      kind: "messages",
      source,
      closed: () => {
        source.closed();
        this.#end(ACCEPTED, undefined);
      },
    };
  }

  /** The same for a call that was held until it was known whether there is such an answer. */
  goOnWith(source: MessageSource): void {
    if (this.#over) source.closed();
    else this.#resolve?.(this.answerWith(source));
  }

  /** Whether its answer is messages over a long time. */
  get isOfMessages(): boolean {
    return this.#messages !== undefined;
  }

  /** `notifications/cancelled`, or the end of the session: nobody waits for the answer, so none is sent. */
  cancel(): void {
    if (this.#messages !== undefined) {
      this.#messages.cancel();
      return;
    }
    this.#talkBack?.dropTask();
    this.#end(ACCEPTED, undefined);
    this.#abandon();
  }

  /** The connection that was to carry the answer is gone. */
  disconnected(): void {
    if (!this.#over && !this.#stream?.survivesDisconnect()) this.cancel();
  }

  /** The server stops: an answer nobody has begun to write says so. */
  stop(): void {
    if (this.#messages !== undefined) {
      this.#messages.stop();
      return;
    }
    const { id } = this.request;
    this.#end(errorReply(STOPPING, id), errorText(id, STOPPING));
    this.#abandon();
  }

  #end(reply: Reply, lastMessage: string | undefined): Reply {
    if (this.#over) return ACCEPTED;
    // Before anything is over: what was asked meanwhile is taken back on the same stream.
    this.#talkBack?.end();
    this.#over = true;
    this.onOver?.();
    const stream = this.#stream;
    if (stream === undefined) {
      this.#resolve?.(reply);
      return reply;
    }
    stream.finish(lastMessage);
    return { kind: "stream", source: stream.source };
  }

  #abandon(): void {
    this.#abandoned = true;
    this.#abort?.abort(GONE);
  }
}

function readClientInfo(params: JsonObject | undefined): Implementation | undefined {
  const meta = params?._meta;
  const info = isObject(meta) ? meta[CLIENT_INFO] : undefined;
  if (!isObject(info) || typeof info.name !== "string" || typeof info.version !== "string") return undefined;
  return { name: info.name, version: info.version };
}
