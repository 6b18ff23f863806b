/**
 * One connection to Redis, for one life: when it breaks it stays broken, and whoever needs another opens it.
 *
 * This file owns Bun's client: nothing is sent again by itself, nothing waits for a server that is not there.
 * It must never show an address's password, nor repeat what was sent.
 */
import { RedisClient } from "bun";
import { REDIS_CONNECT_MS_MAX } from "../journal-limits.ts";

/** The connection is gone. What had been sent and not answered may have been done, or may yet be. */
export class RedisGone extends Error {
  override readonly name = "RedisGone";
}

/** Redis has said no: what was asked has not been done, and will not be. */
export class RedisRefusal extends Error {
  override readonly name = "RedisRefusal";
  /** The first word: `OOM`, `READONLY`, `WRONGTYPE`, `ERR`. */
  readonly word: string;

  constructor(message: string) {
    super(message);
    this.word = /^[A-Z]+/.exec(message)?.[0] ?? "ERR";
  }
}

/** What the client reports when Redis has answered with an error. */
const REFUSED = ["ERR_REDIS_SERVER_ERROR", "ERR_REDIS_INVALID_COMMAND"];

export class RedisConnection {
  readonly #client: RedisClient;
  #onGone: (() => void) | undefined;
  #isOpen = true;
  #owed = 0;
  /** When the last answer came, or the first question after one; of `performance.now()`. */
  #movedAt = performance.now();

  private constructor(url: string) {
    this.#client = new RedisClient(url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: REDIS_CONNECT_MS_MAX,
    });
  }

  /** @throws RedisGone if there is no server, or none that takes these credentials: the client does not say which */
  static async open(url: string): Promise<RedisConnection> {
    const connection = new RedisConnection(url);
    const client = connection.#client;
    try {
      await client.connect();
    } catch (problem) {
      client.close();
      throw gone(problem);
    }
    client.onclose = () => connection.#end();
    // Its database is chosen on the way: this shows whether it could be.
    await connection.send("PING", []).catch((problem: unknown) => {
      connection.close();
      throw problem;
    });
    return connection;
  }

  /** Calls back once when it is broken, not when it is closed. */
  onGone(listener: () => void): void {
    this.#onGone = listener;
    if (!this.#isOpen) listener();
  }

  /** How long an answer has been owed, in milliseconds; 0 = none is. */
  get silentMs(): number {
    return this.#owed === 0 ? 0 : performance.now() - this.#movedAt;
  }

  /** Of `performance.now()`. */
  get movedAt(): number {
    return this.#movedAt;
  }

  /**
   * Has one command carried out. Its bytes leave before this returns, or with others of the turn.
   * @throws RedisRefusal, RedisGone
   */
  async send(command: string, args: string[]): Promise<unknown> {
    if (this.#owed++ === 0) this.#movedAt = performance.now();
    try {
      return await this.#client.send(command, args);
    } catch (problem) {
      throw gone(problem);
    } finally {
      this.#owed--;
      this.#movedAt = performance.now();
    }
  }

  /** Calls back for everything said on a channel. Nothing else but PING may be sent afterwards. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    try {
      await this.#client.subscribe(channel, (message) => listener(message));
    } catch (problem) {
      throw gone(problem);
    }
  }

  close(): void {
    this.#onGone = undefined;
    this.#isOpen = false;
    this.#client.close();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onGone?.();
  }
}

/** What a failure of the client amounts to. */
function gone(problem: unknown): RedisGone | RedisRefusal {
  if (problem instanceof RedisGone || problem instanceof RedisRefusal) return problem;
  const { code, message } = problem as { readonly code?: unknown; readonly message?: unknown };
  const said = typeof message === "string" ? message : "unknown reason";
  if (typeof code === "string" && REFUSED.includes(code) && /^[A-Z]+ /.test(said)) return new RedisRefusal(said);
  return new RedisGone(said, { cause: problem });
}
