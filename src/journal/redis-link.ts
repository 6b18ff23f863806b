/**
 * What a node holds of Redis while it can reach it: a connection for commands, one that waits for entries and
 * one that listens for whispers. They live and end together.
 *
 * This file owns when they count as dead: also when nothing is said any more, as with a machine that has
 * vanished. It must never open a second life for one that has ended.
 */
import { REDIS_SILENT_MS_MAX } from "../journal-limits.ts";
import { RedisConnection, RedisGone } from "./redis-connection.ts";

/** How often the connections are looked at, in milliseconds. */
const LOOK_MS = 500;
/** One that is not used is asked for a sign of life after so long, in milliseconds. */
const QUIET_MS = 2000;

export class RedisLink {
  readonly commands: RedisConnection;
  readonly reader: RedisConnection;
  readonly #ears: RedisConnection;
  readonly #watch: Timer;
  readonly #ended = Promise.withResolvers<void>();
  #isOpen = true;
  #lookedAt = performance.now();

  private constructor(commands: RedisConnection, reader: RedisConnection, ears: RedisConnection) {
    this.commands = commands;
    this.reader = reader;
    this.#ears = ears;
    for (const connection of [commands, reader, ears]) connection.onGone(() => this.close());
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
  }

  /**
   * @param channel what is listened to
   * @throws RedisGone, RedisRefusal
   */
  static async open(url: string, channel: string, hear: (message: string) => void): Promise<RedisLink> {
    const opened = await Promise.allSettled([1, 2, 3].map(() => RedisConnection.open(url)));
    const connections = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    try {
      for (const one of opened) if (one.status === "rejected") throw one.reason;
      const [commands, reader, ears] = connections;
      if (commands === undefined || reader === undefined || ears === undefined) throw new RedisGone("not connected");
      await ears.subscribe(channel, hear);
      return new RedisLink(commands, reader, ears);
    } catch (problem) {
      for (const connection of connections) connection.close();
      throw problem;
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Settles when it has ended, whoever has ended it. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** When something was last heard, of `performance.now()`. */
  get heardAt(): number {
    return Math.max(this.commands.movedAt, this.reader.movedAt);
  }

  /** Ends it. What has been sent and not answered is rejected. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#watch);
    for (const connection of [this.commands, this.reader, this.#ears]) connection.close();
    this.#ended.resolve();
  }

  #look(): void {
    const now = performance.now();
    const isLate = now - this.#lookedAt > 2 * LOOK_MS;
    this.#lookedAt = now;
    // This process itself stood still: what has come meanwhile is about to be read.
    if (isLate) return;
    for (const connection of [this.commands, this.reader, this.#ears]) {
      if (connection.silentMs > REDIS_SILENT_MS_MAX) {
        this.close();
        return;
      }
      const isQuiet = connection.silentMs === 0 && now - connection.movedAt > QUIET_MS;
      // An answer of any kind will do, and that it breaks is heard elsewhere.
      if (isQuiet) connection.send("PING", []).catch(() => undefined);
    }
  }
}
