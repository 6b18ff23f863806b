/**
 * The sockets of the load generator: connections that ask one request at a time, and connections
 * that hold a stream. Bun's own sockets, as an HTTP client would be the bottleneck.
 *
 * This file owns sockets and the order of requests on one. It must never read a clock, and never
 * connect to anything but this machine.
 */
import type { EventReader } from "./event-reader.ts";
import { headerOf, ResponseReader, type ResponseSink } from "./response-reader.ts";

const LOOPBACK = "127.0.0.1";

/** How a request was answered. Valid during the call that hands it over only. */
export interface Reply {
  readonly status: number;
  /** The status is no success, or the body carries an error or a refusal. */
  readonly refused: boolean;
  /** The session the server has opened with it. */
  readonly session: string | undefined;
  text(): string;
}

/** One request and what becomes of it. */
export interface Job {
  /** The request, asked for when its turn has come. The bytes may be used anew once it is answered. */
  request(): Uint8Array;
  answered(reply: Reply): void;
  /** There will be no answer. */
  failed(reason: string): void;
}

/** Stands in every refusal and error of JSON-RPC and of tools (`"isError":`, `"error":`), and in no success. */
const REFUSAL_MARK = Buffer.from('rror":');

/** Bytes sent and received by this process, HTTP included. */
export const traffic = { sentBytes: 0, receivedBytes: 0 };

/** What both kinds of connection have in common: a socket that may take less than it is given. */
abstract class Connection {
  protected socket: Bun.Socket<Connection> | undefined;
  #unsent: Uint8Array | undefined;

  protected abstract opened(): void;
  abstract received(bytes: Buffer): void;
  abstract lost(reason: string): void;

  protected connect(port: number): void {
    const target = { hostname: LOOPBACK, port, data: this as Connection, socket: SOCKET_EVENTS };
    Bun.connect(target).catch((problem: unknown) => this.lost(String(problem)));
  }

  isOpen(socket: Bun.Socket<Connection>): void {
    this.socket = socket;
    socket.setNoDelay(true);
    this.opened();
  }

  protected send(bytes: Uint8Array): void {
    const taken = this.socket?.write(bytes) ?? 0;
    traffic.sentBytes += bytes.length;
    if (taken < bytes.length) this.#unsent = bytes.slice(Math.max(0, taken));
  }

  drained(): void {
    const rest = this.#unsent;
    if (rest === undefined) return;
    const taken = this.socket?.write(rest) ?? 0;
    this.#unsent = taken < rest.length ? rest.slice(Math.max(0, taken)) : undefined;
  }
}

const SOCKET_EVENTS: Bun.SocketHandler<Connection> = {
  open: (socket) => socket.data.isOpen(socket),
  data(socket, bytes) {
    traffic.receivedBytes += bytes.length;
    socket.data.received(bytes);
  },
  drain: (socket) => socket.data.drained(),
  close: (socket) => socket.data.lost("the server closed the connection"),
  error: (socket, error) => socket.data.lost(error.message),
};

/** A kept-alive connection: jobs are asked in order, one at a time. */
export class PostConnection extends Connection implements ResponseSink, Reply {
  readonly #port: number;
  readonly #reader = new ResponseReader(this);
  readonly #waiting: Job[] = [];
  #next = 0;
  #current: Job | undefined;
  #connecting = false;
  status = 0;
  session: string | undefined;
  #body: Buffer = EMPTY;
  #from = 0;
  #to = 0;

  constructor(port: number) {
    super();
    this.#port = port;
  }

  /** Jobs that wait or are being asked. */
  get pending(): number {
    return this.#waiting.length - this.#next + (this.#current === undefined ? 0 : 1);
  }

  /** Asks as soon as those before it have been answered. */
  ask(job: Job): void {
    this.#waiting.push(job);
    this.#proceed();
  }

  /** Drops the jobs whose turn has not come. */
  dropWaiting(): void {
    this.#waiting.length = 0;
    this.#next = 0;
  }

  close(): void {
    this.socket?.terminate();
    this.socket = undefined;
  }

  // --- Reply ------------------------------------------------------------------------------------

  get refused(): boolean {
    if (this.status < 200 || this.status > 299) return true;
    const at = this.#body.indexOf(REFUSAL_MARK, this.#from);
    return at !== -1 && at < this.#to;
  }

  text(): string {
    return this.#body.toString("utf8", this.#from, this.#to);
  }

  // --- what the socket and the reader say -------------------------------------------------------

  onHead(status: number, head: Buffer, from: number, to: number): void {
    this.status = status;
    this.session = this.#wantsSession ? headerOf(head, from, to, "mcp-session-id") : undefined;
  }

  /** Set while sessions are being opened: looking for a header costs more than all the rest of a head. */
  #wantsSession = false;
  set wantsSession(wanted: boolean) {
    this.#wantsSession = wanted;
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.#to > this.#from) {
      this.#body = Buffer.concat([this.#body.subarray(this.#from, this.#to), bytes.subarray(from, to)]);
      this.#from = 0;
      this.#to = this.#body.length;
    } else {
      this.#body = bytes;
      this.#from = from;
      this.#to = to;
    }
  }

  onEnd(): void {
    const job = this.#current;
    this.#current = undefined;
    job?.answered(this);
    this.#body = EMPTY;
    this.#from = 0;
    this.#to = 0;
    this.#proceed();
  }

  protected opened(): void {
    this.#connecting = false;
    this.#proceed();
  }

  received(bytes: Buffer): void {
    this.#reader.push(bytes);
    if (this.#to > this.#from && this.#body === bytes) {
      // An answer in several pieces: the socket's bytes do not outlive this call.
      this.#body = Buffer.from(bytes.subarray(this.#from, this.#to));
      this.#to -= this.#from;
      this.#from = 0;
    }
  }

  lost(reason: string): void {
    this.socket = undefined;
    this.#connecting = false;
    const job = this.#current;
    this.#current = undefined;
    job?.failed(reason);
    // Whoever waits tries a new connection, but for those that never came to be: they would fail for ever.
    if (job === undefined) for (const one of this.#waiting.splice(this.#next)) one.failed(reason);
    this.#proceed();
  }

  #proceed(): void {
    if (this.#current !== undefined || this.#next === this.#waiting.length) return;
    if (this.socket === undefined) {
      if (!this.#connecting) {
        this.#connecting = true;
        this.connect(this.#port);
      }
      return;
    }
    const job = this.#waiting[this.#next++];
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    if (job === undefined) return;
    this.#current = job;
    this.send(job.request());
  }
}

const EMPTY = Buffer.alloc(0);

/** How a stream is opened, and who hears what comes on it. */
export interface StreamOptions {
  readonly port: number;
  readonly request: Uint8Array;
  readonly reader: EventReader;
  /** The server sends the head of the response with the first event only: do not wait for it. */
  readonly lateHead: boolean;
  /** The server ended the stream, or the connection broke. Not called after `cut`. */
  readonly ended: (reason: string) => void;
}

/** A connection of its own for one event stream. */
export class StreamConnection extends Connection implements ResponseSink {
  readonly #options: StreamOptions;
  readonly #http = new ResponseReader(this);
  readonly #opening = Promise.withResolvers<void>();
  #isCut = false;

  /** Settles once the server has begun to answer; rejects if it does otherwise than with a stream. */
  readonly isListening: Promise<void> = this.#opening.promise;

  constructor(options: StreamOptions) {
    super();
    this.#options = options;
    this.connect(options.port);
  }

  get reader(): EventReader {
    return this.#options.reader;
  }

  /** Breaks the connection off without a word, as a lost network or a killed client does. */
  cut(): void {
    this.#isCut = true;
    this.socket?.terminate();
    this.socket = undefined;
  }

  onHead(status: number, head: Buffer, from: number, to: number): void {
    if (status === 200) this.#opening.resolve();
    else this.#opening.reject(new Error(`a stream was refused: ${head.toString("latin1", from, to)}`));
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (!this.#isCut) this.#options.reader.push(bytes, from, to);
  }

  onEnd(): void {
    this.lost("the server ended the stream");
  }

  protected opened(): void {
    if (this.#isCut) {
      this.cut();
      return;
    }
    this.send(this.#options.request);
    if (this.#options.lateHead) this.#opening.resolve();
  }

  received(bytes: Buffer): void {
    this.#http.push(bytes);
  }

  lost(reason: string): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#opening.reject(new Error(reason));
    this.#options.ended(reason);
  }
}
