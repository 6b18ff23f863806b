/**
 * The people of a run: who they are to the server, the connections they speak over, the streams
 * they listen on, and the account of what they said and heard.
 *
 * This file owns that crowd and how it comes together. It must never decide when somebody speaks.
 */

import { type Job, PostConnection, type Reply, StreamConnection } from "./connections.ts";
import { EventReader } from "./event-reader.ts";
import { Latencies } from "./latencies.ts";
import { Ledger } from "./ledger.ts";
import { type Credential, type MessageRequest, Requests, type Speech, tokenIn } from "./requests.ts";

/** Who comes together, and how. */
export interface Gathering {
  readonly port: number;
  readonly speech: Speech;
  readonly users: number;
  /** Connections that requests go over; each user keeps to one, so that their order is well defined. */
  readonly connections: number;
  /** Whether they enter the queue; else they only open sessions and streams. In the modern era nobody is known before. */
  readonly enter: boolean;
  /** Whether streams can be resumed, so that positions are kept. */
  readonly resumable: boolean;
  /** What everybody says of themselves when they enter. */
  readonly introduction?: Readonly<Record<string, unknown>>;
}

/** Microseconds since this process began. */
export const nowUs = (): number => Math.floor(performance.now() * 1000);

/** Asks one thing and waits for the answer. Rejects on a refusal. @returns what `read` makes of the answer */
export function ask<T>(connection: PostConnection, request: Uint8Array, read: (reply: Reply) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    connection.ask({
      request: () => request,
      answered(reply) {
        if (reply.refused) reject(new Error(`refused with ${reply.status}: ${reply.text().slice(0, 300)}`));
        else resolve(read(reply));
      },
      failed: (reason) => reject(new Error(reason)),
    });
  });
}

const nothing = (): undefined => undefined;

/** Runs `work` for 0 … count - 1, so many at a time, the earliest first. */
export async function inParallel(count: number, atOnce: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

export class Crowd {
  readonly size: number;
  readonly requests: Requests;
  readonly connections: readonly PostConnection[];
  readonly ledger: Ledger;
  /** From the writing of a message to its hearing, while `isMeasuring`. */
  readonly latencies = new Latencies();
  isMeasuring = false;
  /** Messages the server did not take, streams that ended by themselves, streams that were resumed. */
  refused = 0;
  dropped = 0;
  resumed = 0;
  /** The first thing that went wrong, for the report. */
  complaint: string | undefined;

  readonly #gathering: Gathering;
  readonly #credentials: Credential[] = [];
  readonly #messages: (MessageRequest | undefined)[] = [];
  readonly #streams: (StreamConnection | undefined)[] = [];

  constructor(gathering: Gathering) {
    this.#gathering = gathering;
    this.size = gathering.users;
    this.requests = new Requests(gathering.speech, gathering.port);
    this.ledger = new Ledger(gathering.users);
    const count = Math.min(gathering.connections, gathering.users);
    this.connections = Array.from({ length: count }, () => new PostConnection(gathering.port));
  }

  /** Everybody comes, so many at once as there are connections. Rejects if anybody cannot. */
  async gather(): Promise<void> {
    const { speech } = this.#gathering;
    for (const connection of this.connections) connection.wantsSession = speech.era === "legacy";
    const arrive = speech.era === "legacy" ? this.#openSession : this.#becomeKnown;
    await inParallel(this.size, this.connections.length, (user) => arrive.call(this, user));
    for (const connection of this.connections) connection.wantsSession = false;
  }

  /** Legacy: the session comes first, then its stream, then the queue. */
  async #openSession(user: number): Promise<void> {
    const connection = this.connectionOf(user);
    const session = await ask(connection, this.requests.initialize(), (reply) => reply.session);
    if (session === undefined) throw new Error("initialize gave no session");
    this.#credentials[user] = session;
    await ask(connection, this.requests.initialized(session), nothing);
    await this.#listen(user);
    if (this.#gathering.enter) await this.enter(user);
  }

  /** Modern: the queue gives the token that a stream needs. */
  async #becomeKnown(user: number): Promise<void> {
    await this.enter(user);
    await this.#listen(user);
  }

  /** The user enters the queue. */
  async enter(user: number): Promise<void> {
    const { introduction, speech } = this.#gathering;
    const args = { display_name: `u${user}`, ...introduction };
    const request = this.requests.call(this.#credentials[user], "enter_queue", args);
    if (speech.era === "legacy") {
      await ask(this.connectionOf(user), request, nothing);
      return;
    }
    const token = await ask(this.connectionOf(user), request, (reply) => tokenIn(reply.text()));
    if (token === undefined) throw new Error("enter_queue gave no token");
    this.#credentials[user] = token;
  }

  async #listen(user: number): Promise<void> {
    if (this.#gathering.speech.reading === "nothing") return;
    await this.#open(user, undefined).isListening;
  }

  #open(user: number, position: string | undefined): StreamConnection {
    const { port, speech, resumable } = this.#gathering;
    const reader = new EventReader(
      (sender, seq, writtenUs) => this.#hear(user, sender, seq, writtenUs),
      resumable ? this.requests.positionMark : undefined,
    );
    reader.position = position;
    const stream = new StreamConnection({
      port,
      request: this.requests.listen(this.#credentials[user] ?? "", position),
      reader,
      lateHead: speech.lateHead ?? false,
      ended: (reason) => {
        this.dropped++;
        this.complaint ??= reason;
      },
    });
    // Whoever waits for it hears of a failure; a resumed stream that fails is counted as dropped.
    stream.isListening.catch(nothing);
    this.#streams[user] = stream;
    return stream;
  }

  #hear(receiver: number, sender: number, seq: number, writtenUs: number): void {
    if (this.ledger.hear(receiver, sender, seq) && this.isMeasuring) this.latencies.add(nowUs() - writtenUs);
  }

  connectionOf(user: number): PostConnection {
    const connection = this.connections[user % this.connections.length];
    if (connection === undefined) throw new Error("a crowd without connections");
    return connection;
  }

  /** The request that carries the user's next message, numbered and timed. */
  nextMessage(user: number): Uint8Array {
    const credential = this.#credentials[user] ?? "";
    const message = this.#messages[user] ?? this.requests.message(credential);
    this.#messages[user] = message;
    message.number(user, this.ledger.next(user), nowUs());
    return message.bytes;
  }

  /** Notes how a message was answered. */
  noteAnswer(user: number, reply: Reply): void {
    if (!reply.refused) this.ledger.accept(user);
    else {
      this.refused++;
      this.complaint ??= `${reply.status}: ${reply.text().slice(0, 300)}`;
    }
  }

  noteFailure(reason: string): void {
    this.refused++;
    this.complaint ??= reason;
  }

  /** Asks for one call of a tool by a user. */
  callJob(user: number, tool: string, args: Readonly<Record<string, unknown>>, done: () => void): Job {
    return {
      request: () => this.requests.call(this.#credentials[user], tool, args),
      answered: (reply) => {
        if (reply.refused) this.noteFailure(reply.text().slice(0, 300));
        done();
      },
      failed: (reason) => {
        this.noteFailure(reason);
        done();
      },
    };
  }

  /** Breaks a user's stream off and opens it again where it broke. */
  breakAndResume(user: number): void {
    const stream = this.#streams[user];
    if (stream === undefined) return;
    stream.cut();
    this.#open(user, stream.reader.position).isListening.then(() => {
      this.resumed++;
    }, nothing);
  }

  /** Breaks the streams of these users off, every `step`th of them, and says nothing. */
  cut(from: number, to: number, step = 1): void {
    for (let user = from; user < to; user += step) {
      this.#streams[user]?.cut();
      this.#streams[user] = undefined;
    }
  }

  /** Closes every connection. */
  disperse(): void {
    this.cut(0, this.size);
    for (const connection of this.connections) connection.close();
  }
}
